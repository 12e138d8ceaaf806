//! The search for the chain that counts, of steps in their order.
//!
//! For each step the search keeps one chain that ends there: the one that began last, which on the same way through the
//! steps is the last in every step. No other can go on where this one cannot, so that one pass finds how far any chain
//! gets. (With optional steps there are several ways; then windows and exclusions between steps are not allowed, and
//! only the beginning matters.)

use std::ops::Range;

use super::row::{Chain, End, MAX_STEPS, Row, SKIPPED, STEPS};
use crate::behavior::window::Window;

/// The steps of a funnel, as the search takes them.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    /// The window of each step from the one before.
    pub(super) windows: Vec<Window>,
    /// Bit k: step k is optional.
    pub(super) optional: u64,
    /// Each exclusion: after which step and before which, from 0.
    pub(super) exclusions: Vec<(usize, usize)>,
    /// From the first event on.
    pub(super) window: Window,
    pub(super) strict: bool,
    /// Whether any step has a window of its own.
    pub(super) step_windows: bool,
}

impl Steps {
    pub(super) fn len(&self) -> usize {
        self.windows.len()
    }
}

/// What the search keeps; made once for a thread.
#[derive(Debug)]
pub(super) struct Walk {
    /// Bit k: there is a chain that ends with step k.
    alive: u64,
    ends: Vec<Ending>,
    /// The rows of each chain: `len` places for each step.
    rows: Vec<u32>,
    pub(super) best: Chain,
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
pub(super) enum Begin {
    /// Those in this range of time.
    Times(Range<i64>),
    /// The first row alone.
    First,
}

impl Walk {
    pub(super) fn new(steps: usize) -> Walk {
        Walk {
            alive: 0,
            ends: vec![Ending::default(); steps],
            rows: vec![SKIPPED; steps * steps],
            best: Chain::default(),
        }
    }

    /// Finds the chain that counts among rows in their order, and leaves it in `best`; its indices count from the first
    /// of `rows`.
    pub(super) fn search(&mut self, steps: &Steps, rows: &[Row], begin: &Begin) -> End {
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
                let before = match step {
                    0 => None,
                    _ => match self.before(steps, step, i, row.time) {
                        Some(before) => Some(before),
                        None => continue,
                    },
                };
                self.extend(len, before, step, i, row.time);
                if step == 0 {
                    latest = Some(row.time);
                }
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

    /// Returns the step from which a chain goes on to `step` with the row `i`.
    #[inline]
    fn before(&self, steps: &Steps, step: usize, i: usize, time: i64) -> Option<usize> {
        let mut found: Option<(usize, i64)> = None;
        let mut before = step;
        while before > 0 {
            before -= 1;
            if self.alive & 1 << before != 0 {
                let end = self.ends[before];
                let near = steps.window.holds(end.begun, time)
                    && (!steps.strict || end.index + 1 == i)
                    && (!steps.step_windows || steps.windows[step].holds(end.time, time));
                if near && found.is_none_or(|(_, best)| end.begun > best) {
                    found = Some((before, end.begun));
                }
            }
            if steps.optional & 1 << before == 0 {
                break;
            }
        }
        found.map(|(before, _)| before)
    }

    /// Puts the row `i` behind the chain that ends with step `before`; it takes the place of the one that ended with
    /// `step`.
    #[inline]
    fn extend(&mut self, len: usize, before: Option<usize>, step: usize, i: usize, time: i64) {
        let begun = match before {
            Some(before) => {
                self.rows
                    .copy_within(before * len..=before * len + before, step * len);
                let skipped = step * len + before + 1..step * len + step;
                self.rows[skipped].fill(SKIPPED);
                self.ends[before].begun
            }
            None => time,
        };
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
