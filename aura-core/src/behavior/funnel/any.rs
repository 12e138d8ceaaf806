//! The search for the chain that counts, of steps in any order.

use std::ops::Range;

use super::row::{Chain, End, MAX_STEPS, Row, STEPS};
use super::walk::Begin;
use crate::behavior::window::Window;

/// The last row that met a step: its time and index.
type Met = Option<(i64, u32)>;

/// What the search keeps; made once for a thread.
#[derive(Debug)]
pub(super) struct AnyOrder {
    /// Of each step, among the rows that may begin a chain, and among all.
    begins: Vec<Met>,
    all: Vec<Met>,
    rows: Vec<(i64, u32)>,
    pub(super) best: Chain,
}

impl AnyOrder {
    pub(super) fn new(steps: usize) -> AnyOrder {
        AnyOrder {
            begins: vec![None; steps],
            all: vec![None; steps],
            rows: Vec::with_capacity(steps),
            best: Chain::default(),
        }
    }

    /// As [`Walk::search`](super::walk::Walk::search); the chain holds the rows in their order, whatever steps they
    /// meet.
    pub(super) fn search(&mut self, window: &Window, rows: &[Row], begin: &Begin) -> End {
        self.best.steps.clear();
        self.forget();
        match begin {
            Begin::Times(range) => self.within(window, rows, range),
            Begin::First => self.of_first(window, rows),
        }
    }

    fn forget(&mut self) {
        self.begins.fill(None);
        self.all.fill(None);
    }

    fn within(&mut self, window: &Window, rows: &[Row], range: &Range<i64>) -> End {
        let mut latest: Option<i64> = None;
        // The steps met since the last exclusion.
        let mut met = 0_u64;
        for (i, row) in rows.iter().enumerate() {
            if row.time < range.start {
                continue;
            }
            let may_begin = row.time < range.end;
            if !may_begin && latest.is_none_or(|start| !window.holds(start, row.time)) {
                return End::Over(i);
            }
            let steps = row.marks & STEPS;
            self.meet(steps, row.time, i, may_begin);
            met |= steps;
            if row.marks >> MAX_STEPS != 0 {
                // The row may be the end of a whole chain, or the beginning of another.
                if steps != 0 && met.count_ones() as usize == self.all.len() {
                    self.judge(window, row.time, range.end);
                    if self.rows.len() == self.all.len() {
                        self.keep();
                        return End::Complete(i);
                    }
                }
                self.forget();
                self.meet(steps, row.time, i, may_begin);
                met = steps;
            }
            if steps == 0 {
                continue;
            }
            if may_begin {
                latest = Some(row.time);
            }
            if met.count_ones() as usize > self.best.steps.len() {
                self.judge(window, row.time, range.end);
                if self.rows.len() > self.best.steps.len() {
                    self.keep();
                    if self.rows.len() == self.all.len() {
                        return End::Complete(i);
                    }
                }
            }
        }
        End::Over(rows.len())
    }

    fn meet(&mut self, mut steps: u64, time: i64, i: usize, may_begin: bool) {
        let this = Some((time, i as u32));
        while steps != 0 {
            let step = steps.trailing_zeros() as usize;
            steps &= steps - 1;
            self.all[step] = this;
            if may_begin {
                self.begins[step] = this;
            }
        }
    }

    /// Sets `rows` to the largest chain that ends at `now`; to none if none begins before `end`.
    fn judge(&mut self, window: &Window, now: i64, end: i64) {
        self.rows.clear();
        let near = |met: &Met| met.filter(|(time, _)| window.holds(*time, now));
        let begins = |row: &(i64, u32)| row.0 < end;
        self.rows.extend(self.all.iter().filter_map(near));
        if !self.rows.iter().any(begins) {
            // One step takes the last row that may begin a chain.
            let candidates = self.begins.iter().enumerate();
            let candidates = candidates.filter_map(|(step, met)| Some((near(met)?, step)));
            let Some((begin, step)) = candidates.max_by_key(|((_, row), _)| *row) else {
                self.rows.clear();
                return;
            };
            let instead = self.all[step];
            if let Some(place) = self.rows.iter().position(|row| Some(*row) == instead) {
                self.rows[place] = begin;
            }
        }
        self.rows.sort_unstable_by_key(|(_, row)| *row);
    }

    fn keep(&mut self) {
        self.best.steps.clear();
        self.best
            .steps
            .extend(self.rows.iter().map(|(_, row)| *row));
    }

    fn of_first(&mut self, window: &Window, rows: &[Row]) -> End {
        let Some(first) = rows.first() else {
            return End::Over(0);
        };
        let mut met = 0_u64;
        for (i, row) in rows.iter().enumerate() {
            if !window.holds(first.time, row.time) {
                return End::Over(i);
            }
            let new = row.marks & STEPS & !met;
            let all = met | new;
            let complete = all.count_ones() as usize == self.all.len();
            if i > 0 && row.marks >> MAX_STEPS != 0 && !complete {
                return End::Lost(i);
            }
            met = all;
            let new = std::iter::repeat_n(i as u32, new.count_ones() as usize);
            self.best.steps.extend(new);
            if complete {
                return End::Complete(i);
            }
        }
        End::Over(rows.len())
    }
}
