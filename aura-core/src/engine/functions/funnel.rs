//! How far a series of events gets through conditions: the rules of `window_funnel`.

use super::events::Event;
use crate::{Error, Result};

/// The options of `window_funnel`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Modes {
    /// A condition that is met again ends the search (not the first one).
    pub(super) strict_deduplication: bool,
    /// An event that meets no condition, or a later one than the next, ends the search.
    pub(super) strict_order: bool,
    /// Each event is later than the one before, and not at the same time.
    pub(super) strict_increase: bool,
    /// An event stands for one condition only.
    pub(super) strict_once: bool,
    /// With `strict_order`: an event that meets a later condition than the next is passed over.
    pub(super) allow_reentry: bool,
}

impl Modes {
    /// Reads names, separated by commas.
    pub(super) fn parse(text: &str) -> Result<Modes> {
        let mut modes = Modes::default();
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match name {
                "strict_deduplication" => modes.strict_deduplication = true,
                "strict_order" => modes.strict_order = true,
                "strict_increase" => modes.strict_increase = true,
                "strict_once" => modes.strict_once = true,
                "allow_reentry" => modes.allow_reentry = true,
                other => {
                    return Err(Error::invalid_spec(format!(
                        "window_funnel: there is no mode `{other}`; the modes are strict_deduplication, strict_order, strict_increase, strict_once and allow_reentry, separated by commas"
                    )));
                }
            }
        }
        if modes.allow_reentry && !modes.strict_order {
            return Err(Error::invalid_spec(
                "window_funnel: allow_reentry goes with strict_order only",
            ));
        }
        Ok(modes)
    }
}

/// A chain that ends with a condition.
#[derive(Debug, Clone, Default)]
struct Ending {
    begun: i64,
    last: i64,
    /// The times of its events, where they are wanted.
    times: Vec<i64>,
}

/// The search: for each condition the chain that ends with it and began last.
pub(super) struct Search<'a> {
    pub(super) conditions: usize,
    pub(super) window_us: i64,
    pub(super) modes: Modes,
    pub(super) events: &'a [Event],
    /// Whether the times of the chain are wanted.
    pub(super) with_times: bool,
}

/// How many conditions were met, and the times of the events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) level: usize,
    pub(super) times: Vec<i64>,
}

impl Search<'_> {
    pub(super) fn run(&self) -> Level {
        match self.modes.strict_once && !self.modes.strict_increase {
            true => self.once(),
            // Where times rise, no event is used twice.
            false => self.plain(),
        }
    }

    fn near(&self, begun: i64, time: i64) -> bool {
        time.saturating_sub(begun) <= self.window_us
    }

    fn plain(&self) -> Level {
        let modes = self.modes;
        // Of each condition the chain so far, and the one before the time at hand.
        let mut now: Vec<Option<Ending>> = vec![None; self.conditions];
        let mut before: Vec<Option<Ending>> = vec![None; self.conditions];
        let mut best = Level::default();
        let mut met: Vec<(usize, usize)> = Vec::new();
        for tie in self.events.chunk_by(|a, b| a.time == b.time) {
            let Some(time) = tie.first().map(|e| e.time) else {
                continue;
            };
            if modes.strict_order && now.first().is_some_and(Option::is_some) {
                // Events without a condition come first.
                if tie.first().is_some_and(|e| e.mask == 0) {
                    return best;
                }
            }
            // One after the other by condition; each as often as there are events.
            met.clear();
            for (number, event) in tie.iter().enumerate() {
                let mut mask = event.mask;
                while mask != 0 {
                    met.push((mask.trailing_zeros() as usize, number));
                    mask &= mask - 1;
                }
            }
            met.sort_unstable();
            if modes.strict_increase {
                before.clone_from(&now);
            }
            for &(condition, _) in &met {
                let begun = now.first().is_some_and(Option::is_some);
                let Some(previous) = condition.checked_sub(1) else {
                    if let Some(place) = now.first_mut() {
                        *place = Some(self.ending(None, time, 1));
                    }
                    self.keep(&mut best, 0, &now);
                    continue;
                };
                let known = |endings: &[Option<Ending>], at: usize| {
                    endings.get(at).is_some_and(Option::is_some)
                };
                if modes.strict_deduplication && known(&now, condition) {
                    return best;
                }
                if modes.strict_order && begun && !known(&now, previous) {
                    if modes.allow_reentry {
                        continue;
                    }
                    return best;
                }
                let from = match modes.strict_increase {
                    true => before.get(previous),
                    false => now.get(previous),
                };
                let Some(Some(from)) = from else {
                    continue;
                };
                if self.near(from.begun, time) && (!modes.strict_increase || from.last < time) {
                    let longer = self.ending(Some(from), time, 1);
                    if let Some(place) = now.get_mut(condition) {
                        *place = Some(longer);
                    }
                    self.keep(&mut best, condition, &now);
                    if condition + 1 == self.conditions {
                        return best;
                    }
                }
            }
        }
        best
    }

    fn keep(&self, best: &mut Level, condition: usize, now: &[Option<Ending>]) {
        if condition >= best.level
            && let Some(Some(ending)) = now.get(condition)
        {
            best.level = condition + 1;
            best.times.clone_from(&ending.times);
        }
    }

    /// Each event stands for one condition: of those at one time each takes another one.
    fn once(&self) -> Level {
        let modes = self.modes;
        let mut now: Vec<Option<Ending>> = vec![None; self.conditions];
        let mut best = Level::default();
        for tie in self.events.chunk_by(|a, b| a.time == b.time) {
            let Some(time) = tie.first().map(|e| e.time) else {
                continue;
            };
            let begun = now.first().is_some_and(Option::is_some);
            // Events without a condition come first.
            if modes.strict_order && begun && tie.first().is_some_and(|e| e.mask == 0) {
                return best;
            }
            // More events that meet the same conditions than there are conditions change nothing.
            let mut rows: Vec<u64> = Vec::new();
            for same in tie.chunk_by(|a, b| a.mask == b.mask) {
                rows.extend(same.iter().take(self.conditions).map(|e| e.mask));
            }
            let before = now.clone();
            // How many conditions the events meet from each chain before on, and from none.
            let reach = |start: usize| {
                let from = start.checked_sub(1).map(|at| before.get(at));
                match (from, rows.as_slice()) {
                    (Some(Some(Some(ending))), _) if !self.near(ending.begun, time) => 0,
                    (Some(None | Some(None)), _) => 0,
                    (_, [one]) => usize::from(one & 1 << start != 0),
                    (_, several) => matched(several, start, self.conditions),
                }
            };
            let reach: Vec<usize> = (0..self.conditions).map(reach).collect();
            for condition in 0..self.conditions {
                let met = tie.iter().filter(|e| e.mask & 1 << condition != 0);
                let met = met.take(2).count();
                if met == 0 {
                    continue;
                }
                let known = |at: usize| now.get(at).is_some_and(Option::is_some);
                if let Some(previous) = condition.checked_sub(1) {
                    if modes.strict_deduplication && known(condition) {
                        return best;
                    }
                    if modes.strict_order && known(0) && !known(previous) {
                        if modes.allow_reentry {
                            continue;
                        }
                        return best;
                    }
                }
                let starts = reach.iter().enumerate().take(condition + 1);
                for (start, _) in starts.filter(|(start, reach)| start + *reach > condition) {
                    let more = condition + 1 - start;
                    let longer = match start.checked_sub(1).map(|at| before.get(at)) {
                        None => self.ending(None, time, more),
                        Some(Some(Some(ending))) => self.ending(Some(ending), time, more),
                        Some(_) => continue,
                    };
                    if let Some(place) = now.get_mut(condition)
                        && place.as_ref().is_none_or(|k| k.begun <= longer.begun)
                    {
                        *place = Some(longer);
                        self.keep(&mut best, condition, &now);
                    }
                }
                let again = met > 1 && condition > 0;
                if modes.strict_deduplication
                    && again
                    && now.get(condition).is_some_and(Option::is_some)
                {
                    return best;
                }
            }
            if best.level == self.conditions {
                return best;
            }
        }
        best
    }

    /// Returns a chain, or none, with some events more at one time.
    fn ending(&self, before: Option<&Ending>, time: i64, more: usize) -> Ending {
        let mut times = before.map_or_else(Vec::new, |before| before.times.clone());
        if self.with_times {
            times.extend(std::iter::repeat_n(time, more));
        }
        Ending {
            begun: before.map_or(time, |before| before.begun),
            last: time,
            times,
        }
    }
}

/// Returns to how many conditions from `start` on, one after the other, the rows can be given, each to one.
fn matched(rows: &[u64], start: usize, conditions: usize) -> usize {
    // The condition of each row, by augmenting paths.
    let mut taken: Vec<Option<usize>> = vec![None; rows.len()];
    for condition in start..conditions {
        let mut seen = vec![false; rows.len()];
        if !augment(rows, condition, &mut taken, &mut seen) {
            return condition - start;
        }
    }
    conditions - start
}

/// Finds a row for a condition, moving others if need be. As deep as there are conditions.
fn augment(
    rows: &[u64],
    condition: usize,
    taken: &mut Vec<Option<usize>>,
    seen: &mut Vec<bool>,
) -> bool {
    for row in 0..rows.len() {
        if rows[row] & 1 << condition == 0 || seen[row] {
            continue;
        }
        seen[row] = true;
        let free = match taken[row] {
            None => true,
            Some(other) => augment(rows, other, taken, seen),
        };
        if free {
            taken[row] = Some(condition);
            return true;
        }
    }
    false
}
