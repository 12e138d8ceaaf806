//! Groups: a combination of dimensions in a cell of time, numbered as they are met.

use hashbrown::HashTable;

use super::cells::NO_CELL;
use crate::Result;
use crate::metric::query::executor::{MAX_CELLS, too_many};

/// Most entries of a table that is looked up by place.
const MOST_DENSE: usize = 1 << 22;

/// Pairs of numbers, numbered from 1 as they come.
#[derive(Debug)]
struct Pairs {
    list: Vec<(u32, u32)>,
    /// One more than the greatest right number of the table.
    width: usize,
    /// The number of each pair at left × width + right, 0 where there is none; empty if that would be too large.
    table: Vec<u32>,
    sparse: Option<HashTable<u32>>,
}

fn hash(left: u32, right: u32) -> u64 {
    let both = (u64::from(left) << 32 | u64::from(right)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    both ^ both >> 29
}

impl Pairs {
    fn new() -> Self {
        Pairs {
            list: vec![(u32::MAX, u32::MAX)],
            width: 0,
            table: Vec::new(),
            sparse: None,
        }
    }

    /// Makes room for left numbers below `left` and right ones below `right`.
    fn fit(&mut self, left: usize, right: usize) {
        if self.sparse.is_some() || (right <= self.width && left * self.width <= self.table.len()) {
            return;
        }
        let left = left.next_power_of_two();
        if right <= self.width && left * self.width <= MOST_DENSE {
            self.table.resize(left * self.width, 0);
            return;
        }
        let left = left.max(self.table.len() / self.width.max(1));
        let width = match self.width {
            0 => right,
            _ => right.next_power_of_two(),
        };
        if left.saturating_mul(width) <= MOST_DENSE {
            self.width = width;
            self.table.clear();
            self.table.resize(left * width, 0);
            for (number, (left, right)) in self.list.iter().enumerate().skip(1) {
                if let Some(slot) = self.table.get_mut(*left as usize * width + *right as usize) {
                    *slot = number as u32;
                }
            }
            return;
        }
        self.table = Vec::new();
        let mut sparse = HashTable::with_capacity(self.list.len());
        for (number, (left, right)) in self.list.iter().enumerate().skip(1) {
            let list = &self.list;
            sparse.insert_unique(hash(*left, *right), number as u32, |n| {
                let (left, right) = list[*n as usize];
                hash(left, right)
            });
        }
        self.sparse = Some(sparse);
    }

    /// Returns the number of a pair that [`fit`](Self::fit) has made room for; 0 if it was not met yet.
    #[inline]
    fn find(&self, left: u32, right: u32) -> u32 {
        match &self.sparse {
            None => self.table[left as usize * self.width + right as usize],
            Some(sparse) => {
                let same = |n: &u32| self.list[*n as usize] == (left, right);
                sparse.find(hash(left, right), same).copied().unwrap_or(0)
            }
        }
    }

    /// Numbers a pair that was not met yet.
    #[cold]
    fn insert(&mut self, left: u32, right: u32) -> u32 {
        let number = self.list.len() as u32;
        self.list.push((left, right));
        match &mut self.sparse {
            None => self.table[left as usize * self.width + right as usize] = number,
            Some(sparse) => {
                let list = &self.list;
                sparse.insert_unique(hash(left, right), number, |n| {
                    let (left, right) = list[*n as usize];
                    hash(left, right)
                });
            }
        }
        number
    }

    fn find_or_insert(&mut self, left: u32, right: u32) -> u32 {
        match self.find(left, right) {
            0 => self.insert(left, right),
            found => found,
        }
    }

    fn bytes(&self) -> usize {
        let sparse = self.sparse.as_ref().map_or(0, |s| s.capacity() * 5);
        self.list.capacity() * 8 + self.table.capacity() * 4 + sparse
    }
}

/// The codes of one dimension in a block; all are below the second part.
pub(super) type Codes<'a> = (&'a [u32], usize);

/// The groups that one thread has met. Place 0 is for rows that are in no group.
#[derive(Debug)]
pub(super) struct Groups {
    /// The first two dimensions to one number, this and the next one to one number, and so on.
    folds: Vec<Pairs>,
    cells: usize,
    positions: usize,
    /// Combination and cell.
    places: Pairs,
    /// The combinations that have places.
    used: Vec<bool>,
    used_count: usize,
    combinations: Vec<u32>,
}

impl Groups {
    pub(super) fn new(dimensions: usize, cells: usize, positions: usize) -> Self {
        Groups {
            folds: (1..dimensions).map(|_| Pairs::new()).collect(),
            cells,
            positions,
            places: Pairs::new(),
            used: Vec::new(),
            used_count: 0,
            combinations: Vec::new(),
        }
    }

    /// Returns one more than the greatest place.
    pub(super) fn len(&self) -> usize {
        self.places.list.len()
    }

    /// Returns one more than the greatest number of a combination that has a place.
    pub(super) fn combinations(&self) -> usize {
        self.used.len()
    }

    /// Returns the combination and the cell of a place.
    pub(super) fn of(&self, place: usize) -> (u32, u32) {
        self.places.list.get(place).copied().unwrap_or_default()
    }

    /// Sets `places` to the place of each row.
    ///
    /// # Errors
    /// `ResourceExhausted` when there are too many groups.
    pub(super) fn place(
        &mut self,
        dimensions: &[Codes<'_>],
        cells: &[u32],
        places: &mut Vec<u32>,
    ) -> Result<()> {
        places.clear();
        let folded;
        let (codes, most) = match dimensions {
            [] => {
                self.combinations.clear();
                self.combinations.resize(cells.len(), 0);
                folded = std::mem::take(&mut self.combinations);
                (&folded[..], 1)
            }
            [only] => {
                folded = Vec::new();
                *only
            }
            [first, others @ ..] => {
                let mut left = std::mem::take(&mut self.combinations);
                left.clear();
                left.extend_from_slice(first.0);
                let mut most = first.1;
                for (fold, (right, right_most)) in self.folds.iter_mut().zip(others) {
                    fold.fit(most, *right_most);
                    for ((left, &right), &cell) in left.iter_mut().zip(*right).zip(cells) {
                        if cell != NO_CELL {
                            *left = fold.find_or_insert(*left, right);
                        }
                    }
                    most = fold.list.len();
                    if most > MAX_CELLS {
                        return Err(too_many(most));
                    }
                }
                folded = left;
                (&folded[..], most)
            }
        };
        self.places.fit(most, self.cells);
        for (&combination, &cell) in codes.iter().zip(cells) {
            let place = match cell {
                NO_CELL => 0,
                cell => match self.places.find(combination, cell) {
                    0 => self.new_place(combination, cell)?,
                    found => found,
                },
            };
            places.push(place);
        }
        if dimensions.len() != 1 {
            self.combinations = folded;
        }
        Ok(())
    }

    #[cold]
    fn new_place(&mut self, combination: u32, cell: u32) -> Result<u32> {
        let at = combination as usize;
        if at >= self.used.len() {
            self.used.resize(at + 1, false);
        }
        if let Some(used) = self.used.get_mut(at)
            && !*used
        {
            *used = true;
            self.used_count += 1;
            // Values are computed for all positions of each combination.
            let found = self.used_count.saturating_mul(self.positions);
            if found > MAX_CELLS {
                return Err(too_many(found));
            }
        }
        Ok(self.places.insert(combination, cell))
    }

    /// Appends the codes of a combination, one for each of `dimensions` dimensions.
    pub(super) fn codes(&self, combination: u32, dimensions: usize, codes: &mut Vec<u32>) {
        if dimensions == 0 {
            return;
        }
        let start = codes.len();
        let mut left = combination;
        for fold in self.folds.iter().rev() {
            let (first, code) = fold.list.get(left as usize).copied().unwrap_or_default();
            codes.push(code);
            left = first;
        }
        codes.push(left);
        if let Some(new) = codes.get_mut(start..) {
            new.reverse();
        }
    }

    /// Adds the groups of another thread; returns the own place of each of its places, and the own combination of each
    /// of its combinations.
    ///
    /// # Errors
    /// `ResourceExhausted` when there are too many groups.
    pub(super) fn absorb(
        &mut self,
        other: &Groups,
        dimensions: usize,
    ) -> Result<(Vec<u32>, Vec<u32>)> {
        let mut places = vec![0; other.len()];
        let mut combinations = vec![u32::MAX; other.combinations()];
        let mut codes = Vec::with_capacity(dimensions);
        for (place, slot) in places.iter_mut().enumerate().skip(1) {
            let (theirs, cell) = other.of(place);
            let Some(own) = combinations.get_mut(theirs as usize) else {
                continue;
            };
            if *own == u32::MAX {
                codes.clear();
                other.codes(theirs, dimensions, &mut codes);
                let mut codes = codes.iter();
                let mut number = codes.next().copied().unwrap_or(0);
                for (fold, &code) in self.folds.iter_mut().zip(codes) {
                    fold.fit(number as usize + 1, code as usize + 1);
                    number = fold.find_or_insert(number, code);
                }
                *own = number;
            }
            self.places.fit(*own as usize + 1, self.cells);
            *slot = match self.places.find(*own, cell) {
                0 => self.new_place(*own, cell)?,
                found => found,
            };
        }
        Ok((places, combinations))
    }

    pub(super) fn bytes(&self) -> usize {
        let folds: usize = self.folds.iter().map(Pairs::bytes).sum();
        folds + self.places.bytes() + self.used.capacity() + self.combinations.capacity() * 4
    }
}
