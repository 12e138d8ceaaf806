//! The rules of the functions against naive ones, on small series with many ties.

use proptest::prelude::*;

use crate::engine::functions::events::{Event, sort};
use crate::engine::functions::funnel::{Modes, Search};
use crate::engine::functions::matching::{count, longest, matches};
use crate::engine::functions::pattern::{Item, parse};

const SECOND: i64 = 1_000_000;

fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let event = (0..5_i64, prop_oneof![0..8_u64, Just(1), Just(2), Just(4)]);
    let event = event.prop_map(|(time, mask)| Event {
        time: time * SECOND,
        mask,
    });
    prop::collection::vec(event, 0..most).prop_map(|mut events| {
        sort(&mut events);
        events
    })
}

/// The most conditions that any choice of events meets one after the other. `used` are events at the time of the last.
fn furthest(
    events: &[Event],
    window: i64,
    modes: Modes,
    level: usize,
    (begun, last): (i64, i64),
    used: &mut Vec<usize>,
) -> usize {
    let mut best = level;
    if level == 3 {
        return best;
    }
    for (at, event) in events.iter().enumerate() {
        let after = match modes.strict_increase {
            true => event.time > last,
            false => event.time >= last,
        };
        let first = level == 0;
        if event.mask >> level & 1 == 0
            || !(first || after && event.time - begun <= window)
            || (modes.strict_once && used.contains(&at))
        {
            continue;
        }
        used.push(at);
        let begun = if first { event.time } else { begun };
        best = best.max(furthest(
            events,
            window,
            modes,
            level + 1,
            (begun, event.time),
            used,
        ));
        used.pop();
    }
    best
}

/// All ways to match a pattern, from the event `from` on; the first in the order of places.
fn first(
    pattern: &[Item],
    events: &[Event],
    from: usize,
    last: Option<usize>,
) -> Option<Vec<usize>> {
    let Some((item, rest)) = pattern.split_first() else {
        return Some(Vec::new());
    };
    for at in from..events.len() {
        let event = events[at];
        let near = match last {
            None => true,
            Some(last) => {
                let time = event.time - events[last].time;
                (item.gap.any || at == last + 1)
                    && (item.gap.least_us..=item.gap.most_us).contains(&time)
            }
        };
        if near
            && item.condition.is_none_or(|bit| event.mask >> bit & 1 == 1)
            && let Some(mut found) = first(rest, events, at + 1, Some(at))
        {
            found.insert(0, at);
            return Some(found);
        }
    }
    None
}

fn pattern() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "(?1)",
        "(?2)",
        "(?3)",
        ".",
        "(?1).*",
        "(?2).*",
        "(?1)(?t<=1)",
        "(?2)(?t>1)",
        "(?3)(?t==2)",
        ".(?t>=1)(?t<3)",
        ".*",
        "(?1).*(?t<3)",
    ]);
    let last = prop::sample::select(vec!["(?1)", "(?2)", "(?3)", "."]);
    (prop::collection::vec(part, 0..4), last).prop_map(|(parts, last)| parts.concat() + last)
}

/// `strict_once` with modes that end the search: ClickHouse's own way, with a list of all chains for each condition. Each
/// chain is its beginning and the events it takes.
fn all_chains(events: &[Event], window: i64, modes: Modes) -> usize {
    let mut chains: Vec<Vec<(i64, Vec<usize>)>> = vec![Vec::new(); 3];
    let level = |chains: &[Vec<_>]| {
        chains
            .iter()
            .rposition(|c| !c.is_empty())
            .map_or(0, |c| c + 1)
    };
    let mut pairs: Vec<(i64, usize, usize)> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if event.mask == 0 {
            pairs.push((event.time, 0, at));
        }
        let met = (0..3).filter(|c| event.mask >> c & 1 == 1);
        pairs.extend(met.map(|c| (event.time, c + 1, at)));
    }
    pairs.sort_unstable();
    for same in pairs.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (time, condition) = (same[0].0, same[0].1);
        let begun = !chains[0].is_empty();
        let Some(condition) = condition.checked_sub(1) else {
            if modes.strict_order && begun {
                break;
            }
            continue;
        };
        if condition > 0 && modes.strict_deduplication && !chains[condition].is_empty() {
            break;
        }
        if condition > 0 && modes.strict_order && begun && chains[condition - 1].is_empty() {
            if modes.allow_reentry {
                continue;
            }
            break;
        }
        for (_, _, at) in same {
            let longer: Vec<(i64, Vec<usize>)> = match condition {
                0 => vec![(time, vec![*at])],
                _ => chains[condition - 1]
                    .iter()
                    .filter(|(begun, used)| time - begun <= window && !used.contains(at))
                    .map(|(begun, used)| (*begun, [used.as_slice(), &[*at]].concat()))
                    .collect(),
            };
            chains[condition].extend(longer);
        }
        if !chains[2].is_empty() {
            break;
        }
        // Met again at the same time.
        if modes.strict_deduplication
            && condition > 0
            && same.len() > 1
            && !chains[condition].is_empty()
        {
            break;
        }
    }
    level(&chains)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn strict_once_ends_where_all_chains_do(
        events in events(8),
        window in 0..5_i64,
        strict_order: bool,
        strict_deduplication: bool,
        allow_reentry: bool,
    ) {
        let modes = Modes {
            strict_once: true,
            strict_order,
            strict_deduplication,
            allow_reentry: allow_reentry && strict_order,
            ..Modes::default()
        };
        let window_us = window * SECOND;
        // Without `strict_order` no event comes that meets nothing.
        let events: Vec<Event> = events.into_iter().filter(|e| strict_order || e.mask != 0).collect();
        let search = Search { conditions: 3, window_us, modes, events: &events, with_times: true };
        let found = search.run();
        prop_assert_eq!(found.level, all_chains(&events, window_us, modes));
        prop_assert_eq!(found.times.len(), found.level);
    }

    #[test]
    fn window_funnel_gets_as_far_as_any_choice(
        events in events(8),
        window in 0..5_i64,
        strict_increase: bool,
        strict_once: bool,
    ) {
        let modes = Modes { strict_increase, strict_once, ..Modes::default() };
        let window_us = window * SECOND;
        let search = Search { conditions: 3, window_us, modes, events: &events, with_times: true };
        let found = search.run();
        prop_assert_eq!(found.level, furthest(&events, window_us, modes, 0, (0, i64::MIN), &mut Vec::new()));
        prop_assert_eq!(found.times.len(), found.level);
        prop_assert!(found.times.is_sorted());
        if let (Some(first), Some(last)) = (found.times.first(), found.times.last()) {
            prop_assert!(last - first <= window_us);
        }
    }

    #[test]
    fn patterns_match_where_any_choice_does(events in events(8), text in pattern()) {
        // A condition on time stands between two events.
        let Ok(pattern) = parse("test", &text, 3) else {
            prop_assert!(text.starts_with("(?t") || text.starts_with(".*(?t"));
            return Ok(());
        };
        let found = first(&pattern, &events, 0, None);
        prop_assert_eq!(matches(&pattern, &events), found.is_some());
        let (mut from, mut times) = (0, 0);
        while let Some(places) = first(&pattern, &events, from, None) {
            times += 1;
            from = places.last().unwrap() + 1;
        }
        prop_assert_eq!(count(&pattern, &events), times);
        let prefix = (0..=pattern.len()).rev().find_map(|n| {
            let places = first(&pattern[..n], &events, 0, None)?;
            let named = pattern.iter().zip(places).filter(|(item, _)| item.condition.is_some());
            Some(named.map(|(_, at)| events[at].time).collect::<Vec<_>>())
        });
        prop_assert_eq!(longest(&pattern, &events), prefix.unwrap());
    }
}

#[test]
fn hard_patterns_take_time_in_proportion() {
    // Exponential for one that goes back and tries again.
    let events: Vec<Event> = (0..50_000)
        .map(|i| Event {
            time: i * SECOND,
            mask: 1,
        })
        .collect();
    let text = "(?1).*".repeat(60) + "(?2)";
    assert!(!matches(&parse("test", &text, 2).unwrap(), &events));
    let text = "(?1)(?t>=1)".repeat(60) + "(?2)";
    let pattern = parse("test", &text, 2).unwrap();
    assert!(!matches(&pattern, &events));
    assert_eq!(count(&pattern, &events), 0);
    assert_eq!(longest(&pattern, &events).len(), 60);
}

#[test]
fn chains_are_not_lost() {
    // ClickHouse says 1: the second event takes the place of the first.
    let events = [(0, 1), (1, 1), (1, 2)].map(|(time, mask)| Event { time, mask });
    let modes = Modes {
        strict_increase: true,
        ..Modes::default()
    };
    let search = Search {
        conditions: 2,
        window_us: 10,
        modes,
        events: &events,
        with_times: true,
    };
    let found = search.run();
    assert_eq!((found.level, found.times), (2, vec![0, 1]));
}
