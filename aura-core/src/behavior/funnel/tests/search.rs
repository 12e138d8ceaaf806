//! The searches for chains, event by event.

use std::ops::Range;

use proptest::prelude::*;

use super::naive::{self, Event, Rules};
use crate::behavior::funnel::any::AnyOrder;
use crate::behavior::funnel::row::{End, MAX_STEPS, Row, SKIPPED};
use crate::behavior::funnel::walk::{Begin, Steps, Walk};
use crate::behavior::funnel::ways::Ways;
use crate::behavior::window::Window;

fn window(us: Option<i64>) -> Window {
    us.map_or(Window::Endless, Window::Clock)
}

fn steps(rules: &Rules) -> Steps {
    let optional = rules.optional.iter().enumerate();
    Steps {
        windows: rules.step_windows.iter().map(|w| window(*w)).collect(),
        optional: optional.map(|(i, o)| u64::from(*o) << i).sum(),
        exclusions: rules.exclusions.clone(),
        window: window(rules.window),
        strict: rules.strict,
        step_windows: rules.step_windows.iter().any(Option::is_some),
    }
}

fn rows(events: &[Event]) -> Vec<Row> {
    let bits = |met: &[bool], from: usize| -> u64 {
        let set = met.iter().enumerate().filter(|(_, met)| **met);
        set.map(|(i, _)| 1 << (from + i)).sum()
    };
    let rows = events.iter().zip(0..).map(|(event, row)| Row {
        time: event.time,
        marks: bits(&event.steps, 0) | bits(&event.excluded, MAX_STEPS),
        row,
        unit: 0,
        part: 0,
    });
    rows.collect()
}

/// Events with many ties, most of which meet one step.
fn events(steps: usize) -> impl Strategy<Value = Vec<Event>> {
    let event = (
        0..8_i64,
        prop::collection::vec(prop::bool::weighted(0.4), steps),
        prop::collection::vec(prop::bool::weighted(0.12), 2),
    );
    let event = event.prop_map(|(time, steps, excluded)| Event {
        time,
        steps,
        excluded,
    });
    prop::collection::vec(event, 0..9).prop_map(|mut events| {
        naive::in_order(&mut events);
        events
    })
}

fn rules(steps: usize) -> impl Strategy<Value = Rules> {
    let windows = prop::collection::vec(prop::option::weighted(0.3, 0..4_i64), steps);
    let exclusion = (0..steps - 1).prop_flat_map(move |a| (Just(a), a + 1..steps));
    (
        prop::option::of(0..8_i64),
        windows,
        prop::collection::vec(exclusion, 0..3),
        any::<bool>(),
    )
        .prop_map(move |(window, mut step_windows, exclusions, strict)| {
            step_windows[0] = None;
            Rules {
                steps,
                window,
                step_windows,
                optional: vec![false; steps],
                exclusions,
                strict,
            }
        })
}

fn with_optional(steps: usize) -> impl Strategy<Value = Rules> {
    let optional = prop::collection::vec(any::<bool>(), steps);
    (rules(steps), optional).prop_map(move |(rules, mut optional)| {
        (optional[0], optional[steps - 1]) = (false, false);
        Rules { optional, ..rules }
    })
}

fn case(
    rules: impl Fn(usize) -> BoxedStrategy<Rules>,
) -> impl Strategy<Value = (Vec<Event>, Rules, Range<i64>)> {
    (2..5_usize).prop_flat_map(move |n| {
        let range = (0..5_i64, 2..9_i64).prop_map(|(from, length)| from..from + length);
        (events(n), rules(n), range)
    })
}

fn chain(best: &[u32]) -> naive::Chain {
    let at = |row: &u32| (*row != SKIPPED).then_some(*row as usize);
    best.iter().map(at).collect()
}

/// The chains of attempts, one after the other.
fn attempts(
    events: &[Event],
    rules: &Rules,
    range: &Range<i64>,
    mut search: impl FnMut(&Steps, &[Row]) -> (End, Vec<u32>),
) -> Vec<naive::Chain> {
    let (steps, rows) = (steps(rules), rows(events));
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(begin) =
        (from..rows.len()).find(|at| rows[*at].marks & 1 != 0 && range.contains(&rows[*at].time))
    {
        let (end, best) = search(&steps, &rows[begin..]);
        let best = chain(&best);
        found.push(best.iter().map(|at| at.map(|at| at + begin)).collect());
        from = begin
            + match end {
                End::Complete(i) => i + 1,
                End::Lost(i) | End::Over(i) => i,
            };
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn chains_are_the_best_of_all((events, rules, range) in case(|n| rules(n).boxed())) {
        let mut walk = Walk::new(rules.steps);
        walk.search(&steps(&rules), &rows(&events), &Begin::Times(range.clone()));
        let all = naive::chains(&events, &rules, &naive::begins(&events, &range));
        prop_assert_eq!(Some(chain(&walk.best.steps)), naive::best(&events, &all).cloned().or(Some(Vec::new())));
    }

    #[test]
    fn of_optional_steps_the_chain_is_the_best_of_all((events, rules, range) in case(|n| with_optional(n).boxed())) {
        let mut ways = Ways::new(rules.steps);
        ways.search(&steps(&rules), &rows(&events), &Begin::Times(range.clone()));
        let all = naive::chains(&events, &rules, &naive::begins(&events, &range));
        prop_assert_eq!(Some(chain(&ways.best.steps)), naive::best(&events, &all).cloned().or(Some(Vec::new())));
    }

    #[test]
    fn any_order_holds_the_most_steps((events, rules, range) in case(|n| rules(n).boxed())) {
        let mut any = AnyOrder::new(rules.steps);
        any.search(&window(rules.window), &rows(&events), &Begin::Times(range.clone()));
        let found = &any.best.steps;
        let ends = found.first().map(|first| {
            (found.len(), found[found.len() - 1] as usize, *first as usize)
        });
        prop_assert_eq!(ends, naive::best_any(&events, &rules, &range));
    }

    #[test]
    fn attempts_in_any_order_hold_what_comes_in_time((events, rules, _) in case(|n| rules(n).boxed())) {
        let mut any = AnyOrder::new(rules.steps);
        let Some(begin) = events.iter().position(|e| e.steps.contains(&true)) else {
            return Ok(());
        };
        let rows = &rows(&events)[begin..];
        let events = &events[begin..];
        let end = any.search(&window(rules.window), rows, &Begin::First);
        let met = |upto: usize| (0..rules.steps).filter(|s| events[..=upto].iter().any(|e| e.steps[*s])).count();
        let over = |at: usize| rules.window.is_some_and(|w| events[at].time - events[0].time > w);
        let lost = |at: usize| at > 0 && events[at].excluded.contains(&true);
        let mut expected = (End::Over(events.len()), 0);
        for at in 0..events.len() {
            if over(at) {
                expected.0 = End::Over(at);
                break;
            }
            if met(at) == rules.steps {
                expected = (End::Complete(at), rules.steps);
                break;
            }
            if lost(at) {
                expected.0 = End::Lost(at);
                break;
            }
            expected.1 = met(at);
        }
        prop_assert_eq!((end, any.best.steps.len()), expected);
    }

    #[test]
    fn attempts_follow_one_another((events, rules, range) in case(|n| rules(n).boxed())) {
        let mut walk = Walk::new(rules.steps);
        let found = attempts(&events, &rules, &range, |steps, rows| {
            (walk.search(steps, rows, &Begin::First), walk.best.steps.clone())
        });
        prop_assert_eq!(found, naive::attempts(&events, &rules, &range));
    }

    #[test]
    fn attempts_with_optional_steps_do_too((events, rules, range) in case(|n| with_optional(n).boxed())) {
        let mut ways = Ways::new(rules.steps);
        let found = attempts(&events, &rules, &range, |steps, rows| {
            (ways.search(steps, rows, &Begin::First), ways.best.steps.clone())
        });
        prop_assert_eq!(found, naive::attempts(&events, &rules, &range));
    }
}
