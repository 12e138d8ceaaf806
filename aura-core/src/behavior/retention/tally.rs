//! What is counted of the actors of one group.

use super::cells::Cells;
use super::spec::RetentionMode;
use super::walk::Entry;
use crate::engine::ExactSum;

/// Starts and returns by cohort and cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct CellTally {
    /// Entries of each cohort.
    actors: Vec<u64>,
    /// For each cohort and each number of cells: how many entries have so many cells that are over.
    ended: Vec<u64>,
    /// For each cohort and cell, and one more: how many were retained; with modes other than `on`, how many more
    /// than in the cell before.
    all: Vec<i64>,
    /// As `all`, of those whose cell is over.
    seen: Vec<i64>,
    /// For each cohort: the value before the first cell, then in each.
    sums: Vec<ExactSum>,
}

/// The numbers of a cohort.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CohortRow {
    pub(crate) actors: u64,
    pub(crate) cells: Vec<Cell>,
}

/// The numbers of a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cell {
    /// Entries that were retained so far.
    pub(crate) retained: u64,
    /// Entries whose window is over.
    pub(crate) observed: u64,
    /// Those of them that were retained.
    pub(crate) retained_of_observed: u64,
}

impl CellTally {
    pub(crate) fn new(cohorts: usize, cells: &Cells, values: bool) -> Self {
        let all = cohorts * (cells.len() + 1);
        CellTally {
            actors: vec![0; cohorts],
            ended: vec![0; all],
            all: vec![0; all],
            seen: vec![0; all],
            sums: vec![ExactSum::default(); if values { all } else { 0 }],
        }
    }

    /// Counts an entry that returned in `windows`, which ascend.
    #[inline]
    pub(crate) fn add(
        &mut self,
        cells: &Cells,
        mode: RetentionMode,
        entry: &Entry,
        windows: &[u32],
    ) {
        let count = cells.len();
        let row = entry.cohort * (count + 1);
        let over = cells.ended(entry.ended);
        let places = row..row + count + 1;
        let (Some(actors), Some(ended), Some(all), Some(seen)) = (
            self.actors.get_mut(entry.cohort),
            self.ended.get_mut(row + over),
            self.all.get_mut(places.clone()),
            self.seen.get_mut(places),
        ) else {
            return;
        };
        *actors += 1;
        *ended += 1;
        let reached = match mode {
            RetentionMode::On => {
                let mut last = usize::MAX;
                for &window in windows {
                    let Some(cell) = cells.of(window) else {
                        if window >= cells.windows() {
                            break;
                        }
                        continue;
                    };
                    if cell == last {
                        continue;
                    }
                    last = cell;
                    if let (Some(all), Some(seen)) = (all.get_mut(cell), seen.get_mut(cell)) {
                        *all += 1;
                        *seen += i64::from(cell < over);
                    }
                }
                return;
            }
            RetentionMode::OnOrAfter => 0..windows.last().map_or(0, |w| cells.begun(*w)),
            RetentionMode::OnOrBefore => windows.first().map_or(count, |w| cells.ended(*w))..count,
            RetentionMode::Streak => {
                // The start itself is in window 0.
                let mut run = usize::from(cells.of(0) == Some(0));
                for cell in windows.iter().filter_map(|w| cells.of(*w)) {
                    if cell > run {
                        break;
                    }
                    run = run.max(cell + 1);
                }
                0..run
            }
        };
        let span = |counts: &mut [i64], from: usize, to: usize| {
            if from < to
                && let Some(first) = counts.get_mut(from)
            {
                *first += 1;
                if let Some(end) = counts.get_mut(to) {
                    *end -= 1;
                }
            }
        };
        span(all, reached.start, reached.end);
        span(seen, reached.start, reached.end.min(over));
    }

    /// Adds a value to the window of an entry.
    #[inline]
    pub(crate) fn add_value(&mut self, cells: &Cells, cohort: usize, window: u32, value: f64) {
        if window < cells.windows() {
            let at = cohort * (cells.len() + 1) + cells.begun(window);
            if let Some(sum) = self.sums.get_mut(at) {
                sum.add(value);
            }
        }
    }

    pub(crate) fn absorb(&mut self, from: &CellTally) {
        add_all(&mut self.actors, &from.actors);
        add_all(&mut self.ended, &from.ended);
        add_all(&mut self.all, &from.all);
        add_all(&mut self.seen, &from.seen);
        if self.sums.len() < from.sums.len() {
            self.sums.resize(from.sums.len(), ExactSum::default());
        }
        for (sum, more) in self.sums.iter_mut().zip(&from.sums) {
            sum.merge(more);
        }
    }

    /// Returns the numbers of a cohort.
    pub(crate) fn cohort(&self, cells: &Cells, mode: RetentionMode, cohort: usize) -> CohortRow {
        let count = cells.len();
        let row = cohort * (count + 1);
        let actors = self.actors.get(cohort).copied().unwrap_or(0);
        let mut numbers = Vec::with_capacity(count);
        let mut running = Cell {
            observed: actors,
            ..Cell::default()
        };
        let (mut retained, mut seen) = (0, 0);
        for at in row..row + count {
            let ended = self.ended.get(at).copied().unwrap_or(0);
            running.observed = running.observed.saturating_sub(ended);
            if mode == RetentionMode::On {
                (retained, seen) = (0, 0);
            }
            retained += self.all.get(at).copied().unwrap_or(0);
            seen += self.seen.get(at).copied().unwrap_or(0);
            running.retained = retained as u64;
            running.retained_of_observed = seen as u64;
            numbers.push(running);
        }
        CohortRow {
            actors,
            cells: numbers,
        }
    }

    /// Returns the sum of the values of a cohort before the first cell, and in each cell.
    pub(crate) fn values(&self, cells: &Cells, cohort: usize) -> &[ExactSum] {
        let width = cells.len() + 1;
        let row = cohort * width;
        self.sums.get(row..row + width).unwrap_or_default()
    }
}

fn add_all<T: Copy + Default + std::ops::AddAssign>(into: &mut Vec<T>, from: &[T]) {
    if into.len() < from.len() {
        into.resize(from.len(), T::default());
    }
    for (into, from) in into.iter_mut().zip(from) {
        *into += *from;
    }
}

/// What became of entries, whichever cohort they are of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LifeTally {
    pub(crate) actors: u64,
    /// Whether each cohort has an entry.
    met: Vec<bool>,
    /// By the first window after window 0 with a return.
    pub(crate) first: Vec<u64>,
    /// Windows after window 0 with a return.
    pub(crate) active: u64,
    /// By the longest run of neighbouring windows with a return; the start is in window 0.
    pub(crate) longest: Vec<u64>,
    /// By the length of the run that goes on.
    pub(crate) current: Vec<u64>,
    /// By the first window of those in which the actor had left.
    pub(crate) left: Vec<u64>,
    /// Of those that have not left: by the last window with a return.
    pub(crate) censored: Vec<u64>,
}

impl LifeTally {
    /// Counts an entry. It has left when at least `inactive` windows are over since its last return.
    pub(crate) fn add(&mut self, entry: &Entry, windows: &[u32], inactive: u32) {
        self.actors += 1;
        if self.met.len() <= entry.cohort {
            self.met.resize(entry.cohort + 1, false);
        }
        if let Some(met) = self.met.get_mut(entry.cohort) {
            *met = true;
        }
        let (mut longest, mut run, mut last) = (1_u32, 1_u32, 0_u32);
        let mut first = None;
        for &window in windows {
            if window == 0 {
                continue;
            }
            first.get_or_insert(window);
            self.active += 1;
            run = if window == last + 1 { run + 1 } else { 1 };
            longest = longest.max(run);
            last = window;
        }
        if let Some(first) = first {
            count(&mut self.first, first);
        }
        count(&mut self.longest, longest);
        // A window that is not over may still bring a return.
        let goes_on = last + 1 >= entry.now;
        count(&mut self.current, if goes_on { run } else { 0 });
        if entry.ended > last + inactive {
            count(&mut self.left, last + 1);
        } else {
            count(&mut self.censored, last);
        }
    }

    /// Returns how many cohorts have an entry.
    pub(crate) fn cohorts(&self) -> u64 {
        self.met.iter().filter(|met| **met).count() as u64
    }

    pub(crate) fn absorb(&mut self, from: &LifeTally) {
        self.actors += from.actors;
        if self.met.len() < from.met.len() {
            self.met.resize(from.met.len(), false);
        }
        for (met, other) in self.met.iter_mut().zip(&from.met) {
            *met |= other;
        }
        self.active += from.active;
        add_all(&mut self.first, &from.first);
        add_all(&mut self.longest, &from.longest);
        add_all(&mut self.current, &from.current);
        add_all(&mut self.left, &from.left);
        add_all(&mut self.censored, &from.censored);
    }
}

fn count(counts: &mut Vec<u64>, at: u32) {
    let at = at as usize;
    if counts.len() <= at {
        counts.resize(at + 1, 0);
    }
    if let Some(count) = counts.get_mut(at) {
        *count += 1;
    }
}
