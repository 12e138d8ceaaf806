//! The search for the chain that counts, of steps in their order.
//!
//! For each step the search keeps one chain that ends there: the one that began last, which is the last one in every
//! step. No other can go on where this one cannot, so that one pass finds how far any chain gets. Where steps are optional
//! this does not hold, see [`ways`](super::ways).

use std::ops::Range;

use super::row::{Chain, End, MAX_STEPS, Row, STEPS};
use crate::behavior::window::Window;

/// The steps of a funnel, as the search takes them.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    /// The window of each step from the one before.
    pub(crate) windows: Vec<Window>,
    /// Bit k: step k is optional.
    pub(crate) optional: u64,
    /// Each exclusion: after which step and before which, from 0.
    pub(crate) exclusions: Vec<(usize, usize)>,
    /// From the first event on.
    pub(crate) window: Window,
    pub(crate) strict: bool,
    /// Whether any step has a window of its own.
    pub(crate) step_windows: bool,
}

impl Steps {
    pub(crate) fn len(&self) -> usize {
        self.windows.len()
    }
}

/// What the search keeps; made once for a thread.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Bit k: there is a chain that ends with step k.
    alive: u64,
    ends: Vec<Ending>,
    /// The rows of each chain: `len` places for each step.
    rows: Vec<u32>,
    pub(crate) best: Chain,
}

/// A chain that ends with a step.
#[derive(Debug, Clone, Copy, Default)]
struct Ending {
    begun: i64,
    /// The time of its last row, and the index.
    time: i64,
    index: usize,
}

/// Which rows may begin a chain.
#[derive(Debug, Clone)]
pub(crate) enum Begin {
    /// Those in this range of time.
    Times(Range<i64>),
    /// The first row alone.
    First,
}

impl Walk {
    pub(crate) fn new(steps: usize) -> Walk {
        Walk {
            alive: 0,
            ends: vec![Ending::default(); steps],
            rows: vec![0; steps * steps],
            best: Chain::default(),
        }
    }

    /// Finds the chain that counts among rows in their order, and leaves it in `best`; its indices count from the first
    /// of `rows`.
    pub(crate) fn search(&mut self, steps: &Steps, rows: &[Row], begin: &Begin) -> End {
        let len = steps.len();
        self.alive = 0;
        self.best.steps.clear();
        // When the chain that began last began.
        let mut latest: Option<i64> = None;
        for (i, row) in rows.iter().enumerate() {
            let may_begin = match begin {
                Begin::Times(range) => {
                    // No more chains begin, and the window of the last one is over.
                    if row.time >= range.end
                        && latest.is_none_or(|start| !steps.window.holds(start, row.time))
                    {
                        return End::Over(i);
                    }
                    range.contains(&row.time)
                }
                Begin::First => {
                    if latest.is_some_and(|start| !steps.window.holds(start, row.time)) {
                        return End::Over(i);
                    }
                    i == 0
                }
            };
            let mut met = row.marks & STEPS;
            if !may_begin {
                met &= !1;
            }
            let mut made = 0_u64;
            // From the last step down, so that the row stands for one step only.
            while met != 0 {
                let step = 63 - met.leading_zeros() as usize;
                met ^= 1 << step;
                match step {
                    0 => latest = Some(row.time),
                    _ if self.goes_on(steps, step, i, row.time) => {}
                    _ => continue,
                }
                self.extend(len, step, i, row.time);
                made |= 1 << step;
            }
            if steps.strict {
                self.alive &= made;
            }
            let excluded = row.marks >> MAX_STEPS;
            if excluded != 0 {
                made = self.exclude(steps, excluded, made);
            }
            if made != 0 {
                let furthest = 63 - made.leading_zeros() as usize;
                if furthest >= self.best.steps.len() {
                    let from = furthest * len;
                    let chain = self.rows.get(from..=from + furthest).unwrap_or_default();
                    self.best.steps.clear();
                    self.best.steps.extend_from_slice(chain);
                    if furthest + 1 == len {
                        return End::Complete(i);
                    }
                }
            }
            if self.alive == 0 && matches!(begin, Begin::First) {
                return End::Lost(i);
            }
        }
        End::Over(rows.len())
    }

    /// Tells whether the chain that ends with the step before `step` goes on to it with the row `i`.
    #[inline]
    fn goes_on(&self, steps: &Steps, step: usize, i: usize, time: i64) -> bool {
        let before = step - 1;
        if self.alive & 1 << before == 0 {
            return false;
        }
        let end = self.ends[before];
        steps.window.holds(end.begun, time)
            && (!steps.strict || end.index + 1 == i)
            && (!steps.step_windows || steps.windows[step].holds(end.time, time))
    }

    /// Puts the row `i` behind the chain that ends with the step before; it takes the place of the one that ended with
    /// `step`.
    #[inline]
    fn extend(&mut self, len: usize, step: usize, i: usize, time: i64) {
        let mut begun = time;
        if step > 0 {
            let before = (step - 1) * len;
            self.rows.copy_within(before..before + step, step * len);
            begun = self.ends[step - 1].begun;
        }
        self.rows[step * len + step] = i as u32;
        self.ends[step] = Ending {
            begun,
            time,
            index: i,
        };
        self.alive |= 1 << step;
    }

    /// Ends the chains that an excluded row hits; returns which of those that it ended with itself are left.
    fn exclude(&mut self, steps: &Steps, mut excluded: u64, mut made: u64) -> u64 {
        while excluded != 0 {
            let which = excluded.trailing_zeros() as usize;
            excluded &= excluded - 1;
            let Some(&(after, before)) = steps.exclusions.get(which) else {
                continue;
            };
            // Between two steps lies what comes after the row of the first one.
            let mut hit = (1_u64 << before) - (1 << after);
            hit &= !(made & 1 << after);
            self.alive &= !hit;
            made &= !hit;
        }
        made
    }
}
