//! Where a pattern fits a series of events.
//!
//! A pattern is matched backwards: for each of its events, from the last one, it is worked out which events of the series
//! can stand for it so that the rest fits. That is one pass over the series for each event of the pattern, whatever the
//! pattern; what follows reads off the matches.

use super::events::Event;
use super::pattern::Item;

/// One bit for each event of a group.
#[derive(Debug, Clone, Copy)]
struct Bits<'a>(&'a [u64]);

impl Bits<'_> {
    fn is_set(self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1)
    }

    /// Returns the first bit that is set from `from` on.
    fn next(self, from: usize) -> Option<usize> {
        let mut at = from / 64;
        let mut word = self.0.get(at)? & (u64::MAX << (from % 64));
        while word == 0 {
            at += 1;
            word = *self.0.get(at)?;
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }
}

fn set(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn meets(item: &Item, event: &Event) -> bool {
    item.condition.is_none_or(|bit| event.mask >> bit & 1 == 1)
}

/// Sets in `found`, which holds nothing, the events that can stand for `item` when the next event of the pattern, which
/// comes after `next.gap`, can be any of `able`.
fn before(item: &Item, next: Option<(&Item, Bits<'_>)>, events: &[Event], found: &mut [u64]) {
    let Some((next, able)) = next else {
        for (at, event) in events.iter().enumerate() {
            if meets(item, event) {
                set(found, at);
            }
        }
        return;
    };
    let gap = next.gap;
    if !gap.any {
        for (at, event) in events.iter().enumerate() {
            if meets(item, event) && able.is_set(at + 1) {
                set(found, at);
            }
        }
        return;
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
            set(found, at);
        }
    }
}

/// Matches patterns; what it needs for one group it uses again for the next.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    /// For each event of the pattern, the last one first, the events of the group that can stand for it: `words` words.
    able: Vec<u64>,
    words: usize,
    /// How many events of the pattern are worked out.
    items: usize,
    places: Vec<usize>,
}

impl Matcher {
    /// Takes the events of a group; returns whether the pattern fits anywhere.
    pub(crate) fn fits(&mut self, pattern: &[Item], events: &[Event]) -> bool {
        self.words = events.len().div_ceil(64);
        self.items = 0;
        self.able.clear();
        let mut next: Option<&Item> = None;
        for item in pattern.iter().rev() {
            let known = self.able.len();
            self.able.resize(known + self.words, 0);
            let (known, found) = self.able.split_at_mut(known);
            let able = known.get(known.len().saturating_sub(self.words)..);
            before(item, next.zip(able.map(Bits)), events, found);
            self.items += 1;
            if found.iter().all(|word| *word == 0) {
                return false;
            }
            next = Some(item);
        }
        true
    }

    fn able(&self, place: usize) -> Option<Bits<'_>> {
        let from = self.items.checked_sub(place + 1)? * self.words;
        Some(Bits(self.able.get(from..from + self.words)?))
    }

    /// Reads off the first match from `from` on, each event as early as possible, of the pattern and the events for which
    /// [`fits`](Self::fits) is true.
    pub(crate) fn first(
        &mut self,
        pattern: &[Item],
        events: &[Event],
        from: usize,
    ) -> Option<&[usize]> {
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        let found = self.read_off(pattern, events, from, &mut places);
        self.places = places;
        found.map(|()| &self.places[..])
    }

    fn read_off(
        &self,
        pattern: &[Item],
        events: &[Event],
        from: usize,
        places: &mut Vec<usize>,
    ) -> Option<()> {
        for (number, item) in pattern.iter().enumerate() {
            let from = match places.last() {
                None => from,
                Some(last) if item.gap.any => {
                    let least = events.get(*last)?.time.saturating_add(item.gap.least_us);
                    let later = events.get(last + 1..).unwrap_or_default();
                    last + 1 + later.partition_point(|e| e.time < least)
                }
                Some(last) => last + 1,
            };
            places.push(self.able(number)?.next(from)?);
        }
        Some(())
    }
}

/// Tells whether a pattern fits anywhere.
pub(super) fn matches(pattern: &[Item], events: &[Event]) -> bool {
    Matcher::default().fits(pattern, events)
}

/// Counts matches, each of which begins after the end of the one before.
pub(super) fn count(pattern: &[Item], events: &[Event]) -> usize {
    let mut matcher = Matcher::default();
    if !matcher.fits(pattern, events) {
        return 0;
    }
    let (mut found, mut from) = (0, 0);
    while let Some(places) = matcher.first(pattern, events, from) {
        found += 1;
        from = places.last().map_or(events.len(), |last| last + 1);
    }
    found
}

/// Returns the times of the conditions of the first match of the longest beginning of the pattern that fits.
pub(super) fn longest(pattern: &[Item], events: &[Event]) -> Vec<i64> {
    let mut matcher = Matcher::default();
    // Halving finds the length: where a beginning fits, each shorter one does.
    let (mut fits, mut too_long) = (0, pattern.len() + 1);
    while fits + 1 < too_long {
        let middle = usize::midpoint(fits, too_long);
        match pattern
            .get(..middle)
            .is_some_and(|p| matcher.fits(p, events))
        {
            true => fits = middle,
            false => too_long = middle,
        }
    }
    let pattern = pattern.get(..fits).unwrap_or_default();
    if pattern.is_empty() || !matcher.fits(pattern, events) {
        return Vec::new();
    }
    let places = matcher.first(pattern, events, 0).unwrap_or_default();
    let named = pattern
        .iter()
        .zip(places)
        .filter(|(item, _)| item.condition.is_some());
    named
        .filter_map(|(_, at)| Some(events.get(*at)?.time))
        .collect()
}
