//! From moments to the cells that rows are counted in.

use crate::calendar::Bucketer;
use crate::metric::query::spine::Windows;

/// No cell: the row counts nowhere.
pub(super) const NO_CELL: u32 = u32::MAX;

/// Cells of time. Where windows overlap, they are cut at the ends of all of them, and each window is some cells in
/// a row; otherwise cells are positions.
#[derive(Debug)]
pub(super) struct Cells {
    finder: Finder,
    count: usize,
    positions: usize,
    /// For windows: the positions `[from, to)` that each cell counts in. Neither end ever goes back.
    counts_in: Option<Vec<(u32, u32)>>,
}

#[derive(Debug)]
enum Finder {
    Bucketer(Bucketer),
    Bounds(Bounds),
}

/// Stretches of time between bounds; there is one before the first bound and one after the last.
#[derive(Debug)]
struct Bounds {
    bounds: Vec<i64>,
    /// The cell of each stretch.
    cells: Vec<u32>,
    shift: u32,
    /// The stretch in which each slot of 2^`shift` µs since the first bound begins.
    slots: Vec<u32>,
}

impl Cells {
    pub(super) fn new(windows: &Windows, disjoint: bool, bucketer: Option<&Bucketer>) -> Self {
        let positions = windows.len();
        if let (true, Some(bucketer)) = (disjoint, bucketer) {
            return Cells {
                finder: Finder::Bucketer(bucketer.clone()),
                count: positions,
                positions,
                counts_in: None,
            };
        }
        let starts = windows.starts.iter().filter(|start| **start > i64::MIN);
        let mut bounds: Vec<i64> = starts.chain(&windows.ends).copied().collect();
        bounds.sort_unstable();
        bounds.dedup();
        let mut counts_in = Vec::new();
        let before = bounds.first().map_or(i64::MIN, |first| first - 1);
        let cells = std::iter::once(before).chain(bounds.iter().copied());
        let cells = cells.map(|start| {
            let found = windows.positions(start);
            if found.is_empty() {
                return NO_CELL;
            }
            if disjoint {
                return found.start as u32;
            }
            counts_in.push((found.start as u32, found.end as u32));
            counts_in.len() as u32 - 1
        });
        let cells: Vec<u32> = cells.collect();
        Cells {
            finder: Finder::Bounds(Bounds::new(bounds, cells)),
            count: match disjoint {
                true => positions,
                false => counts_in.len(),
            },
            positions,
            counts_in: (!disjoint).then_some(counts_in),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn positions(&self) -> usize {
        self.positions
    }

    /// Returns the positions that each cell counts in, where these are not one and the same.
    pub(super) fn counts_in(&self) -> Option<&[(u32, u32)]> {
        self.counts_in.as_deref()
    }

    /// Sets `cells` to the cell of each time.
    pub(super) fn find(&self, times: &[i64], numbers: &mut Vec<i32>, cells: &mut Vec<u32>) {
        cells.clear();
        match &self.finder {
            Finder::Bucketer(bucketer) => {
                numbers.clear();
                numbers.resize(times.len(), -1);
                // The slices are of one length.
                _ = bucketer.index_into(times, numbers);
                // −1 is no cell.
                cells.extend(numbers.iter().map(|&number| number as u32));
            }
            Finder::Bounds(bounds) => cells.extend(times.iter().map(|&time| bounds.find(time))),
        }
    }
}

impl Bounds {
    fn new(bounds: Vec<i64>, cells: Vec<u32>) -> Self {
        let (first, last) = (
            bounds.first().copied().unwrap_or(0),
            bounds.last().copied().unwrap_or(0),
        );
        let span = last.abs_diff(first);
        let most = 4 * bounds.len() as u64 + 1_024;
        let mut shift = 0;
        while span >> shift >= most {
            shift += 1;
        }
        let slots = (0..=span >> shift).map(|slot| {
            let start = first.saturating_add_unsigned(slot << shift);
            bounds.partition_point(|bound| *bound <= start) as u32
        });
        Bounds {
            slots: slots.collect(),
            bounds,
            cells,
            shift,
        }
    }

    fn find(&self, time: i64) -> u32 {
        let mut stretch = 0;
        if let Some(&first) = self.bounds.first()
            && time >= first
        {
            let slot = (time.abs_diff(first) >> self.shift) as usize;
            let slot = slot.min(self.slots.len().saturating_sub(1));
            stretch = self.slots.get(slot).map_or(0, |stretch| *stretch as usize);
            while self.bounds.get(stretch).is_some_and(|bound| *bound <= time) {
                stretch += 1;
            }
        }
        self.cells.get(stretch).copied().unwrap_or(NO_CELL)
    }
}
