//! Sessions against their definition, evaluated naively.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::durations::{Durations, Percentile};
use super::*;
use crate::ErrorKind;
use crate::behavior::EventFilter;
use crate::behavior::testing::{
    BASE, DAY, Group, HOUR, Row, by, cells, compare, events, group, groups, refused, row, rows,
    run, with_group,
};
use crate::calendar::{Grain, PreparedCalendar};
use crate::time::Span;

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

fn specs() -> impl Strategy<Value = Sessions> {
    let rules = (
        prop::sample::select(vec!["1s", "5h", "1 day", "2 days", "1 month"]),
        prop::option::of(prop::sample::select(vec!["1h", "3 days", "1 week"])),
        prop::bool::ANY,
        prop::bool::ANY,
        prop::bool::ANY,
    );
    let when = (
        prop::option::of(prop::sample::select(vec!["2026-03-05", "2026-03-10T05:00"])),
        prop::option::of(prop::sample::select(vec!["2026-03-15", "2026-04-01"])),
        prop::option::of(Just("2026-03-20")),
        prop::sample::select(vec!["UTC", "America/New_York"]),
        by(),
    );
    (rules, when).prop_map(|(rules, when)| {
        Sessions {
            events: match rules.4 {
                true => EventFilter::events(["view", "buy"]),
                false => EventFilter::any(),
            },
            gap: span(rules.0),
            max_length: rules.1.map(span),
            start_on: rules.2.then(|| "sign".into()),
            end_on: rules.3.then(|| "quit".into()),
            from: when.0.map(str::to_owned),
            to: when.1.map(str::to_owned),
            as_of: when.2.map(str::to_owned),
            by: when.4,
            ..Sessions::default()
        }
        .time_zone(when.3)
    })
}

/// A session by its rows, and its number.
struct Naive<'a> {
    actor: &'static str,
    number: usize,
    rows: Vec<&'a Row>,
}

impl Naive<'_> {
    fn start(&self) -> i64 {
        self.rows.iter().map(|r| r.time).min().unwrap()
    }

    fn end(&self) -> i64 {
        self.rows.iter().map(|r| r.time).max().unwrap()
    }

    fn group(&self, by: &[String]) -> Group {
        let first = self.rows.iter().filter(|r| r.time == self.start());
        first.map(|r| group(r, by)).min_by(compare).unwrap()
    }

    fn event_at(&self, time: i64) -> &'static str {
        let at = self.rows.iter().filter(|r| r.time == time);
        at.map(|r| r.event).min().unwrap()
    }

    fn seconds(&self) -> f64 {
        (self.end() - self.start()) as f64 / 1e6
    }
}

fn of(filter: &Option<EventFilter>, row: &Row) -> bool {
    filter
        .as_ref()
        .is_some_and(|f| f.events.iter().any(|e| e == row.event))
}

/// All sessions that start in the range.
fn naive<'a>(
    all: &'a [Row],
    spec: &Sessions,
    calendar: &PreparedCalendar,
    (from, to): (i64, i64),
) -> Vec<Naive<'a>> {
    let as_of = spec.as_of.as_ref().map(|t| calendar.instant(t).unwrap());
    let after = |us: i64, span: Span| calendar.shift(us, span, false).unwrap();
    let mut sessions = Vec::new();
    for actor in ["a", "b", "c", "d"] {
        let own: Vec<&Row> = all
            .iter()
            .filter(|r| r.actor == actor && as_of.is_none_or(|us| r.time <= us))
            .filter(|r| {
                let named = spec.events.events.is_empty()
                    || spec.events.events.iter().any(|e| e == r.event);
                named || of(&spec.start_on, r) || of(&spec.end_on, r)
            })
            .collect();
        let moments: BTreeSet<i64> = own.iter().map(|r| r.time).collect();
        let mut parts: Vec<Vec<i64>> = Vec::new();
        for moment in moments {
            let here = |filter: &Option<EventFilter>, at: i64| {
                own.iter().any(|r| r.time == at && of(filter, r))
            };
            let goes_on = parts.last().is_some_and(|part| {
                let (first, last) = (part[0], part[part.len() - 1]);
                moment <= after(last, spec.gap)
                    && spec
                        .max_length
                        .is_none_or(|most| moment <= after(first, most))
                    && !here(&spec.end_on, last)
                    && !here(&spec.start_on, moment)
            });
            match parts.last_mut() {
                Some(part) if goes_on => part.push(moment),
                _ => parts.push(vec![moment]),
            }
        }
        for (number, part) in parts.into_iter().enumerate() {
            let rows = own.iter().filter(|r| part.contains(&r.time)).copied();
            let session = Naive {
                actor,
                number: number + 1,
                rows: rows.collect(),
            };
            if from <= session.start() && session.start() < to {
                sessions.push(session);
            }
        }
    }
    sessions
}

fn percentile(mut seconds: Vec<f64>, p: f64) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    let place = seconds.len().checked_sub(1)? as f64 * p / 100.0;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    Some(seconds[low] + (seconds[high] - seconds[low]) * place.fract())
}

fn ratio(a: usize, b: usize) -> Value {
    match b {
        0 => Value::Null,
        _ => (a as f64 / b as f64).into(),
    }
}

fn summary(sessions: &[&Naive<'_>]) -> BTreeMap<String, Value> {
    let actors: BTreeSet<&str> = sessions.iter().map(|s| s.actor).collect();
    let events: usize = sessions.iter().map(|s| s.rows.len()).sum();
    let single = sessions.iter().filter(|s| s.rows.len() == 1).count();
    let n = sessions.len();
    row! {
        "sessions": n,
        "actors": actors.len(),
        "events": events,
        "single_event": single,
        "sessions_per_actor": ratio(n, actors.len()),
        "events_per_session": ratio(events, n),
        "single_event_share": ratio(single, n),
    }
}

fn near(found: &Value, expected: Option<f64>) -> bool {
    match (found.as_f64(), expected) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_summary_is_what_the_definition_says(
        rows in rows(80),
        spec in specs(),
        period in prop::option::of(prop::sample::select(vec![Grain::Day, Grain::Week, Grain::Month])),
        threads in 1..4_usize,
    ) {
        let spec = Sessions { period, percentiles: Some(vec![50.0, 37.5]), ..spec };
        let table = run(&events(&rows, 2, threads), &spec).unwrap();
        let calendar = spec.calendar().prepare().unwrap();
        let moment = |text: &Option<String>| text.as_ref().map(|t| calendar.instant(t).unwrap());
        let (mut from, mut to) = (moment(&spec.from), moment(&spec.to));
        let mut periods = vec![None];
        let as_of = moment(&spec.as_of).or(rows.iter().map(|r| r.time).max());
        if let Some(grain) = period {
            from = from.or(rows.iter().map(|r| r.time).min());
            to = to.or(as_of.map(|us| us + 1)).min(as_of.map(|us| us + 1));
            periods = match from.zip(to) {
                Some((from, to)) if from < to => {
                    calendar.periods(grain, from, to).unwrap().into_iter().map(Some).collect()
                }
                _ => Vec::new(),
            };
        }
        let whole = match (periods.first(), periods.last()) {
            (Some(Some(a)), Some(Some(b))) => (a.start_us(), b.end_us()),
            _ => (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX)),
        };
        let sessions = naive(&rows, &spec, &calendar, whole);
        let all = match spec.by.is_empty() {
            true => vec![Vec::new()],
            false => groups(rows.iter(), &spec.by),
        };
        let mut expected = Vec::new();
        let mut durations = Vec::new();
        for group in all {
            let own: Vec<_> = sessions.iter().filter(|s| s.group(&spec.by) == group).collect();
            if own.is_empty() && !spec.by.is_empty() {
                continue;
            }
            for period in &periods {
                let here: Vec<&Naive> = own
                    .iter()
                    .filter(|s| period.is_none_or(|p| p.contains(s.start())))
                    .copied()
                    .collect();
                let mut row = summary(&here);
                if let Some(period) = period {
                    row.insert("period".into(), period.start_us().into());
                    row.insert("period_label".into(), calendar.label(period).unwrap().into());
                    row.insert("complete".into(), as_of.is_some_and(|us| us >= period.end_us()).into());
                }
                expected.push(with_group(row, &spec.by, &group));
                durations.push(here.iter().map(|s| s.seconds()).collect::<Vec<f64>>());
            }
        }
        let mut found = cells(&table);
        prop_assert_eq!(found.len(), expected.len());
        for (row, seconds) in found.iter_mut().zip(durations) {
            let mean = (!seconds.is_empty())
                .then(|| seconds.iter().sum::<f64>() / seconds.len() as f64);
            prop_assert!(near(&row.remove("duration_mean").unwrap(), mean));
            let median = percentile(seconds.clone(), 50.0);
            prop_assert!(near(&row.remove("duration_median").unwrap(), median));
            let other = percentile(seconds, 37.5);
            prop_assert!(near(&row.remove("duration_p37.5").unwrap(), other));
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn the_table_is_what_the_definition_says(
        (rows, shuffled) in rows(80).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        spec in specs(),
        threads in 1..4_usize,
        batches in 1..4_usize,
    ) {
        let spec = spec.output(SessionsOutput::Table);
        let table = run(&events(&shuffled, batches, threads), &spec).unwrap();
        let calendar = spec.calendar().prepare().unwrap();
        let moment = |text: &Option<String>| text.as_ref().map(|t| calendar.instant(t).unwrap());
        let range = (
            moment(&spec.from).unwrap_or(i64::MIN),
            moment(&spec.to).unwrap_or(i64::MAX),
        );
        let sessions = naive(&rows, &spec, &calendar, range);
        let expected: Vec<_> = sessions
            .iter()
            .map(|s| {
                let row = row! {
                    "actor": s.actor,
                    "session": s.number,
                    "start": s.start(),
                    "end": s.end(),
                    "duration": s.seconds(),
                    "events": s.rows.len(),
                    "first_event": s.event_at(s.start()),
                    "last_event": s.event_at(s.end()),
                };
                with_group(row, &spec.by, &s.group(&spec.by))
            })
            .collect();
        prop_assert_eq!(cells(&table), expected);
    }

    #[test]
    fn order_of_rows_and_threads_do_not_matter(
        (rows, shuffled) in rows(80).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        spec in specs(),
        threads in 1..4_usize,
        batches in 1..6_usize,
    ) {
        let one = run(&events(&rows, 1, 1), &spec).unwrap();
        let other = run(&events(&shuffled, batches, threads), &spec).unwrap();
        prop_assert_eq!(one.to_string(), other.to_string());
        prop_assert_eq!(one.notes(), other.notes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn percentiles_are_exact(
        values in prop::collection::vec(
            prop_oneof![0..20_u64, 0..5_000_u64, 0..u64::MAX / 2, Just(1 << 40)], 0..9_000,
        ),
        zeros in 0..50_u64,
        p in 0.0..100.0_f64,
        cut in 0..100_usize,
    ) {
        let (mut one, mut other) = (Durations::default(), Durations::default());
        for (i, value) in values.iter().enumerate() {
            if i % 100 < cut { one.push(*value); } else { other.push(*value); }
        }
        one.absorb(other);
        let all = Percentile { zeros, durations: &one };
        let found = all.seconds(&[p, 0.0, 100.0, p]);
        let mut seconds: Vec<f64> = values.iter().map(|v| *v as f64 / 1e6).collect();
        seconds.resize(values.len() + zeros as usize, 0.0);
        prop_assert_eq!(found[0], found[3]);
        for (found, p) in found.iter().zip([p, 0.0, 100.0]) {
            let expected = percentile(seconds.clone(), p);
            prop_assert!(near(&serde_json::json!(found), expected), "{:?} {:?}", found, expected);
        }
    }
}

fn at(actor: &'static str, event: &'static str, time: i64) -> Row {
    Row {
        actor,
        event,
        time,
        plan: None,
        n: None,
        amount: None,
    }
}

#[test]
fn no_events_and_one_event() {
    let table = run(&events(&[], 1, 2), Sessions::new()).unwrap();
    let found = cells(&table);
    assert_eq!(found[0]["sessions"], 0);
    assert_eq!(found[0]["duration_median"], Value::Null);
    assert_eq!(table.notes(), ["no session starts in the range"]);
    let daily = Sessions::new().period(Grain::Day);
    assert_eq!(run(&events(&[], 1, 2), &daily).unwrap().num_rows(), 0);
    let list = Sessions::new().output(SessionsOutput::Table);
    assert_eq!(run(&events(&[], 1, 2), &list).unwrap().num_rows(), 0);
    let table = run(&events(&[at("a", "view", BASE)], 1, 2), &list).unwrap();
    assert_eq!(
        cells(&table),
        [
            row! {"actor": "a", "session": 1, "start": BASE, "end": BASE, "duration": 0.0,
            "events": 1, "first_event": "view", "last_event": "view"}
        ]
    );
}

#[test]
fn a_gap_of_exactly_the_limit_does_not_divide() {
    let minute = 60_000_000;
    for (gap, sessions) in [(30 * minute, 1), (30 * minute + 1, 2)] {
        let rows = [at("a", "view", BASE), at("a", "view", BASE + gap)];
        let table = run(&events(&rows, 1, 1), Sessions::new()).unwrap();
        assert_eq!(cells(&table)[0]["sessions"], sessions);
    }
}

#[test]
fn a_single_actor_with_many_events_is_no_trouble() {
    let rows: Vec<Row> = (0..300_000)
        .map(|i| at("a", "view", BASE + i * 1_000_000 + i / 100 * HOUR))
        .collect();
    let table = run(&events(&rows, 3, 2), Sessions::new()).unwrap();
    let found = cells(&table);
    assert_eq!(found[0]["sessions"], 3_000);
    assert_eq!(found[0]["duration_median"], 99.0);
    let list = Sessions::new().output(SessionsOutput::Table).limit(2_999);
    let error = run(&events(&rows, 3, 2), &list).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(
        error.message().starts_with("limit: more than 2999"),
        "{error}"
    );
    let list = list.limit(3_000);
    assert_eq!(run(&events(&rows, 3, 2), &list).unwrap().num_rows(), 3_000);
}

#[test]
fn calendar_gaps_follow_the_clocks() {
    // From noon to noon over the change of the clocks are 23 hours in New York; a day it is all the same.
    let noon = BASE + 6 * DAY + 17 * HOUR;
    let rows = [at("a", "view", noon), at("a", "view", noon + 23 * HOUR + 1)];
    let day = Sessions::new()
        .gap(span("1 day"))
        .time_zone("America/New_York");
    let table = run(&events(&rows, 1, 1), &day).unwrap();
    assert_eq!(cells(&table)[0]["sessions"], 2);
    let table = run(&events(&rows, 1, 1), day.gap(span("24 hours"))).unwrap();
    assert_eq!(cells(&table)[0]["sessions"], 1);
}

#[test]
fn bad_specs_name_the_field() {
    let list = || Sessions::new().output(SessionsOutput::Table);
    let cases = [
        (Sessions::new().limit(3), "limit: only"),
        (list().limit(0), "limit: 0"),
        (list().limit(10_000_001), "limit: 10000001"),
        (list().period(Grain::Day), "period: only"),
        (list().percentiles([50.0]), "percentiles: only"),
        (Sessions::new().percentiles([101.0]), "percentiles[0]: 101"),
        (
            Sessions::new().percentiles([f64::NAN]),
            "percentiles[0]: NaN",
        ),
        (
            Sessions::new().percentiles([5.0, 5.0]),
            "percentiles[1]: 5 is named",
        ),
        (
            Sessions::new().percentiles((0..21).map(f64::from)),
            "percentiles: 21",
        ),
        (
            Sessions::new().start_on(EventFilter::any().filter("nothing")),
            "start_on: ",
        ),
        (
            Sessions::new().end_on(EventFilter::any().filter("nothing = 1")),
            "end_on: ",
        ),
        (
            Sessions::new().events(EventFilter::any().filter("1 +")),
            "events: ",
        ),
        (Sessions::new().by("nothing"), "by: "),
        (Sessions::new().as_of("soon"), "as_of: "),
        (Sessions::new().actor("amount"), "actor: "),
        (Sessions::new().by("plan").by("plan"), "by: "),
    ];
    for (spec, message) in cases {
        let error = refused(&spec);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{message}");
        assert!(error.message().starts_with(message), "{error}");
    }
    let error = serde_json::from_str::<Sessions>(r#"{"gap": "0m"}"#).unwrap_err();
    assert!(error.to_string().contains("from 1"), "{error}");
}
