//! The search for the chain that counts, of steps in their order some of which are optional.
//!
//! Where steps are optional there are several ways to a step, and the chain that began last need not be the one that can
//! go on: its last event may be too long ago for the window of the next step. So for each step the search keeps the
//! chains that end there and that no other beats, where one beats another that neither began later nor ended later.

use super::row::{Chain, End, MAX_STEPS, Row, SKIPPED, STEPS};
use super::walk::{Begin, Steps};

/// What the search keeps; made once for a thread.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Of each step, the chains that end with it.
    fronts: Vec<Front>,
    /// Bit k: there is a chain that ends with step k.
    alive: u64,
    /// The rows of the chain at hand.
    rows: Vec<u32>,
    pub(crate) best: Chain,
}

/// The chains that end with one step: each began earlier than the one before it, and ended later.
#[derive(Debug, Default)]
struct Front {
    ends: Vec<Ending>,
    /// The rows of each chain, [`SKIPPED`] for the steps that it does not hold; as many for each as the step has before it,
    /// and its own.
    rows: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Ending {
    begun: i64,
    /// The time of its last row, and the index.
    time: i64,
    index: usize,
}

/// A chain: the step that it ends with, and its place in the front of this step.
#[derive(Debug, Clone, Copy)]
struct Place {
    step: usize,
    at: usize,
    end: Ending,
}

impl Front {
    fn clear(&mut self) {
        self.ends.clear();
        self.rows.clear();
    }

    /// Leaves the last chain alone.
    fn keep_last(&mut self, width: usize) {
        let before = self.ends.len().saturating_sub(1);
        self.ends.drain(..before);
        self.rows.drain(..before * width);
    }

    /// Adds a chain that ends with the row at hand, in place of those that it beats.
    fn push(&mut self, end: Ending, rows: &[u32]) {
        let kept = self.ends.partition_point(|known| known.begun > end.begun);
        self.ends.truncate(kept);
        self.rows.truncate(kept * rows.len());
        self.ends.push(end);
        self.rows.extend_from_slice(rows);
    }

    fn rows(&self, at: usize, width: usize) -> &[u32] {
        self.rows
            .get(at * width..(at + 1) * width)
            .unwrap_or_default()
    }
}

impl Ways {
    pub(crate) fn new(steps: usize) -> Ways {
        Ways {
            fronts: (0..steps).map(|_| Front::default()).collect(),
            alive: 0,
            rows: Vec::with_capacity(steps),
            best: Chain::default(),
        }
    }

    /// As [`Walk::search`](super::walk::Walk::search): the chain that gets furthest, of several the one that gets there
    /// first, of these the one that began last, and of these the one whose events are, from the last one backwards, the latest.
    pub(crate) fn search(&mut self, steps: &Steps, rows: &[Row], begin: &Begin) -> End {
        self.fronts.iter_mut().for_each(Front::clear);
        self.alive = 0;
        self.best.steps.clear();
        // When the chain that began last began.
        let mut latest: Option<i64> = None;
        for (i, row) in rows.iter().enumerate() {
            let over = |start: i64| !steps.window.holds(start, row.time);
            let may_begin = match begin {
                Begin::Times(range) => {
                    // No more chains begin, and the window of the last one is over.
                    if row.time >= range.end && latest.is_none_or(over) {
                        return End::Over(i);
                    }
                    range.contains(&row.time)
                }
                Begin::First => {
                    if latest.is_some_and(over) {
                        return End::Over(i);
                    }
                    i == 0
                }
            };
            let mut met = row.marks & STEPS;
            if !may_begin {
                met &= !1;
            }
            // The steps with a chain that ends with this row, and those of them that came from before each exclusion.
            let mut made = 0_u64;
            let mut hits = self.hits(steps, row.marks >> MAX_STEPS);
            // From the last step down, so that the row stands for one step only.
            while met != 0 {
                let step = 63 - met.leading_zeros() as usize;
                met ^= 1 << step;
                let before = match step {
                    0 => {
                        latest = Some(row.time);
                        None
                    }
                    _ => match self.before(steps, step, i, row.time) {
                        Some(before) => Some(before),
                        None => continue,
                    },
                };
                self.extend(before, step, i, row.time);
                made |= 1 << step;
                hits.made(step, before.map(|before| before.step));
            }
            if steps.strict {
                self.end(self.alive & !made);
            }
            made = self.exclude(&hits, made);
            if made != 0 {
                let furthest = 63 - made.leading_zeros() as usize;
                if furthest >= self.best.steps.len() {
                    self.keep(furthest);
                    if furthest + 1 == steps.len() {
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

    /// Returns the chain that goes on to `step` with the row `i`.
    fn before(&self, steps: &Steps, step: usize, i: usize, time: i64) -> Option<Place> {
        let mut found: Option<Place> = None;
        let mut before = step;
        while before > 0 {
            before -= 1;
            if let Some(place) = self.last_begun(steps, before, step, i, time)
                && found.is_none_or(|best| self.is_better(place, best))
            {
                found = Some(place);
            }
            if steps.optional & 1 << before == 0 {
                break;
            }
        }
        found
    }

    /// Returns the chain that ends with step `before`, can go on to `step` with the row `i`, and began last.
    fn last_begun(
        &self,
        steps: &Steps,
        before: usize,
        step: usize,
        i: usize,
        time: i64,
    ) -> Option<Place> {
        let ends = &self.fronts.get(before)?.ends;
        // The later a chain ended the earlier it began: the first one that is near enough began last.
        let at = match steps.windows.get(step) {
            Some(window) if steps.step_windows => {
                ends.partition_point(|end| !window.holds(end.time, time))
            }
            _ => 0,
        };
        let at = match steps.strict {
            // Only the last one can have ended with the row before.
            true => at.max(ends.len().saturating_sub(1)),
            false => at,
        };
        let end = *ends.get(at)?;
        let near = steps.window.holds(end.begun, time) && (!steps.strict || end.index + 1 == i);
        near.then_some(Place {
            step: before,
            at,
            end,
        })
    }

    /// Compares chains of which the second one holds a later step, or the same.
    fn is_better(&self, place: Place, than: Place) -> bool {
        let key = |place: Place| (place.end.begun, place.end.index);
        match key(place).cmp(&key(than)) {
            std::cmp::Ordering::Equal => self.backwards(place).gt(self.backwards(than)),
            order => order.is_gt(),
        }
    }

    /// The rows of a chain from the last one on.
    fn backwards(&self, place: Place) -> impl Iterator<Item = u32> + '_ {
        let front = self.fronts.get(place.step);
        let rows = front.map_or(&[][..], |front| front.rows(place.at, place.step + 1));
        rows.iter().rev().copied().filter(|row| *row != SKIPPED)
    }

    /// Puts the row `i` as `step` behind a chain.
    fn extend(&mut self, before: Option<Place>, step: usize, i: usize, time: i64) {
        self.rows.clear();
        let mut begun = time;
        if let Some(place) = before {
            begun = place.end.begun;
            if let Some(front) = self.fronts.get(place.step) {
                self.rows.extend(front.rows(place.at, place.step + 1));
            }
        }
        self.rows.resize(step, SKIPPED);
        self.rows.push(i as u32);
        let end = Ending {
            begun,
            time,
            index: i,
        };
        if let Some(front) = self.fronts.get_mut(step) {
            front.push(end, &self.rows);
        }
        self.alive |= 1 << step;
    }

    /// Ends all chains that end with some steps.
    fn end(&mut self, mut which: u64) {
        self.alive &= !which;
        while which != 0 {
            let step = which.trailing_zeros() as usize;
            which &= which - 1;
            if let Some(front) = self.fronts.get_mut(step) {
                front.clear();
            }
        }
    }

    fn hits(&self, steps: &Steps, mut excluded: u64) -> Hits {
        let mut hits = Hits::default();
        while excluded != 0 {
            let which = excluded.trailing_zeros() as usize;
            excluded &= excluded - 1;
            if let Some(&(after, before)) = steps.exclusions.get(which) {
                let between = (1_u64 << before) - (1 << after);
                hits.all |= between;
                hits.between.push((after, between));
            }
        }
        hits
    }

    /// Ends the chains that an excluded row hits; returns which of those that it ended with itself are left.
    fn exclude(&mut self, hits: &Hits, made: u64) -> u64 {
        let left = made & !(hits.all & hits.inside);
        let mut spared = left & hits.all;
        self.end(hits.all & !spared & self.alive);
        while spared != 0 {
            let step = spared.trailing_zeros() as usize;
            spared &= spared - 1;
            if let Some(front) = self.fronts.get_mut(step) {
                front.keep_last(step + 1);
            }
        }
        left
    }

    /// Takes the last chain that ends with a step as the best one.
    fn keep(&mut self, step: usize) {
        self.best.steps.clear();
        if let Some(front) = self.fronts.get(step) {
            let last = front.ends.len().saturating_sub(1);
            self.best.steps.extend(front.rows(last, step + 1));
        }
    }
}

/// What the exclusions that a row meets hit.
#[derive(Debug, Default)]
struct Hits {
    /// Of each exclusion the step from which on it holds, and all steps at which it does.
    between: Vec<(usize, u64)>,
    all: u64,
    /// Steps to which the row itself came from another between the same two.
    inside: u64,
}

impl Hits {
    /// Takes note that the row came to `step` from the step `before`. The row with which a chain comes between the two
    /// steps of an exclusion is not between them.
    fn made(&mut self, step: usize, before: Option<usize>) {
        let mut own = self.between.iter();
        let inside = |&(after, between): &(usize, u64)| {
            between & 1 << step != 0 && before.is_some_and(|before| before >= after)
        };
        self.inside |= u64::from(own.any(inside)) << step;
    }
}
