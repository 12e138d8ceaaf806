//! What is counted of the chains, by group, period and segment.

use std::collections::HashMap;

use super::kernel::Event;
use crate::{Error, ErrorKind, Result};

/// Most rows of a result.
const MAX_ROWS: usize = 1 << 22;

/// The chains of one group, period and segment.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Chains that hold each step.
    pub(super) counts: Vec<u64>,
    /// For each step the microseconds from the event before, and from the first one.
    pub(super) from_previous: Vec<Vec<i64>>,
    pub(super) from_first: Vec<Vec<i64>>,
}

/// Which cell: the group, and the period and segment.
pub(super) type Key = (u32, u32);

/// All cells of a thread.
#[derive(Debug)]
pub(super) struct Cells {
    steps: usize,
    places: HashMap<Key, usize>,
    pub(super) cells: Vec<(Key, Cell)>,
    /// The last one asked for.
    last: Option<(Key, usize)>,
}

impl Cell {
    pub(super) fn new(steps: usize) -> Cell {
        Cell {
            counts: vec![0; steps],
            from_previous: vec![Vec::new(); steps],
            from_first: vec![Vec::new(); steps],
        }
    }

    fn add(&mut self, chain: &[Option<Event>]) {
        let Some(Some(first)) = chain.first() else {
            return;
        };
        let mut previous = first.time;
        for (step, event) in chain.iter().enumerate() {
            let Some(event) = event else {
                continue;
            };
            if let Some(count) = self.counts.get_mut(step) {
                *count += 1;
            }
            if step > 0
                && let (Some(between), Some(total)) = (
                    self.from_previous.get_mut(step),
                    self.from_first.get_mut(step),
                )
            {
                between.push(event.time.saturating_sub(previous));
                total.push(event.time.saturating_sub(first.time));
            }
            previous = event.time;
        }
    }

    fn absorb(&mut self, from: Cell) {
        for (count, more) in self.counts.iter_mut().zip(from.counts) {
            *count += more;
        }
        let own = self.from_previous.iter_mut().chain(&mut self.from_first);
        for (own, mut more) in own.zip(from.from_previous.into_iter().chain(from.from_first)) {
            if own.len() < more.len() {
                std::mem::swap(own, &mut more);
            }
            own.append(&mut more);
        }
    }
}

impl Cells {
    pub(super) fn new(steps: usize) -> Cells {
        Cells {
            steps,
            places: HashMap::new(),
            cells: Vec::new(),
            last: None,
        }
    }

    /// Counts a chain: the event of each step it reached, `None` for optional ones it does not hold.
    pub(super) fn add(&mut self, key: Key, chain: &[Option<Event>]) -> Result<()> {
        let place = match self.last {
            Some((last, place)) if last == key => place,
            _ => self.place(key)?,
        };
        self.last = Some((key, place));
        if let Some((_, cell)) = self.cells.get_mut(place) {
            cell.add(chain);
        }
        Ok(())
    }

    fn place(&mut self, key: Key) -> Result<usize> {
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        let place = self.cells.len();
        if (place + 1) * self.steps > MAX_ROWS {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "the funnel would have more than {MAX_ROWS} rows; take a longer grain, a shorter range, fewer columns in `by`, or a filter"
                ),
            ));
        }
        self.cells.push((key, Cell::new(self.steps)));
        self.places.insert(key, place);
        Ok(place)
    }

    /// Takes in the cells of another thread, whose groups have the ids of `groups` here.
    pub(super) fn absorb(&mut self, from: Cells, groups: &[u32]) -> Result<()> {
        for ((group, slot), cell) in from.cells {
            let group = groups.get(group as usize).copied();
            let group = group.ok_or_else(|| Error::internal("a group without a number"))?;
            let place = self.place((group, slot))?;
            if let Some((_, own)) = self.cells.get_mut(place) {
                own.absorb(cell);
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, key: Key) -> Option<&Cell> {
        let (_, cell) = self.cells.get(*self.places.get(&key)?)?;
        Some(cell)
    }
}
