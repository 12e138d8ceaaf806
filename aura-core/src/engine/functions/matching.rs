//! Where a pattern fits a series of events.
//!
//! A pattern is matched backwards: for each of its events, from the last one, it is worked out which events of the series
//! can stand for it so that the rest fits. That is one pass over the series for each event of the pattern, whatever the
//! pattern; what follows reads off the matches.

use super::events::Event;
use super::pattern::Item;

/// One bit for each event of a group.
#[derive(Debug, Clone)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    fn new(len: usize) -> Bits {
        Bits(vec![0; len.div_ceil(64)])
    }

    fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn is_set(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1)
    }

    fn any(&self) -> bool {
        self.0.iter().any(|word| *word != 0)
    }

    /// Returns the first bit that is set from `from` on.
    fn next(&self, from: usize) -> Option<usize> {
        let mut at = from / 64;
        let mut word = self.0.get(at)? & (u64::MAX << (from % 64));
        while word == 0 {
            at += 1;
            word = *self.0.get(at)?;
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }
}

fn meets(item: &Item, event: &Event) -> bool {
    item.condition.is_none_or(|bit| event.mask >> bit & 1 == 1)
}

/// For each event of the group: whether it can stand for `item` when the next event of the pattern, which comes after
/// `next.gap`, can be any of `able`.
fn before(item: &Item, next: Option<(&Item, &Bits)>, events: &[Event]) -> Bits {
    let mut found = Bits::new(events.len());
    let Some((next, able)) = next else {
        for (at, event) in events.iter().enumerate() {
            if meets(item, event) {
                found.set(at);
            }
        }
        return found;
    };
    let gap = next.gap;
    if !gap.any {
        for (at, event) in events.iter().enumerate() {
            if meets(item, event) && able.is_set(at + 1) {
                found.set(at);
            }
        }
        return found;
    }
    // The events in reach are a range that only moves on.
    let (mut first, mut candidate) = (0, None);
    for (at, event) in events.iter().enumerate() {
        let least = event.time.saturating_add(gap.least_us);
        first = first.max(at + 1);
        while events.get(first).is_some_and(|e| e.time < least) {
            first += 1;
        }
        if !meets(item, event) {
            continue;
        }
        if candidate.is_none_or(|c| c < first) {
            candidate = able.next(first);
        }
        let Some(reached) = candidate else {
            break;
        };
        let far = events.get(reached);
        if far.is_some_and(|e| e.time.saturating_sub(event.time) <= gap.most_us) {
            found.set(at);
        }
    }
    found
}

/// Works out which events can stand for each event of a pattern.
pub(crate) fn able(pattern: &[Item], events: &[Event]) -> Vec<Bits> {
    let mut all: Vec<Bits> = Vec::with_capacity(pattern.len());
    for (at, item) in pattern.iter().enumerate().rev() {
        let next = pattern.get(at + 1).zip(all.last());
        all.push(before(item, next, events));
    }
    all.reverse();
    all
}

/// Tells whether a pattern fits anywhere.
pub(crate) fn matches(pattern: &[Item], events: &[Event]) -> bool {
    let mut next: Option<(&Item, Bits)> = None;
    for item in pattern.iter().rev() {
        let found = before(
            item,
            next.as_ref().map(|(item, bits)| (*item, bits)),
            events,
        );
        if !found.any() {
            return false;
        }
        next = Some((item, found));
    }
    true
}

/// Reads off the first match from `from` on: each event as early as possible.
pub(crate) fn first_match(
    pattern: &[Item],
    able: &[Bits],
    events: &[Event],
    from: usize,
) -> Option<Vec<usize>> {
    let mut places: Vec<usize> = Vec::with_capacity(pattern.len());
    for (item, able) in pattern.iter().zip(able) {
        let from = match places.last() {
            None => from,
            Some(last) if item.gap.any => {
                let least = events.get(*last)?.time.saturating_add(item.gap.least_us);
                let later = events.get(last + 1..).unwrap_or_default();
                last + 1 + later.partition_point(|e| e.time < least)
            }
            Some(last) => last + 1,
        };
        places.push(able.next(from)?);
    }
    Some(places)
}

/// Counts matches, each of which begins after the end of the one before.
pub(crate) fn count(pattern: &[Item], events: &[Event]) -> usize {
    let able = able(pattern, events);
    let (mut found, mut from) = (0, 0);
    while let Some(places) = first_match(pattern, &able, events, from) {
        found += 1;
        from = places.last().map_or(events.len(), |last| last + 1);
    }
    found
}

/// Returns the times of the conditions of the first match of the longest beginning of the pattern that fits.
pub(crate) fn longest(pattern: &[Item], events: &[Event]) -> Vec<i64> {
    // Halving finds the length: where a beginning fits, each shorter one does.
    let (mut fits, mut too_long) = (0, pattern.len() + 1);
    while fits + 1 < too_long {
        let middle = usize::midpoint(fits, too_long);
        match pattern.get(..middle).is_some_and(|p| matches(p, events)) {
            true => fits = middle,
            false => too_long = middle,
        }
    }
    let pattern = pattern.get(..fits).unwrap_or_default();
    let able = able(pattern, events);
    let places = match pattern.is_empty() {
        true => Vec::new(),
        false => first_match(pattern, &able, events, 0).unwrap_or_default(),
    };
    let named = pattern
        .iter()
        .zip(places)
        .filter(|(item, _)| item.condition.is_some());
    named
        .filter_map(|(_, at)| Some(events.get(at)?.time))
        .collect()
}
