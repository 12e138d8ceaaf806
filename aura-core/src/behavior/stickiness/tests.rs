//! Stickiness against its definition, evaluated naively.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::behavior::testing::{
    Row, by, cells, events, group, groups, refused, row, rows, run, with_group,
};
use crate::calendar::Grain;

fn specs() -> impl Strategy<Value = Stickiness> {
    (
        prop::sample::select(vec![Grain::Day, Grain::Week]),
        prop::option::of(prop::sample::select(vec![Grain::Month, Grain::Quarter])),
        prop::option::of(prop::sample::select(vec!["2026-03-05", "2026-03-10T05:00"])),
        prop::option::of(prop::sample::select(vec!["2026-03-15", "2026-04-01"])),
        prop::option::of(Just("2026-03-20")),
        prop::sample::select(vec!["UTC", "America/New_York"]),
        by(),
        prop::bool::ANY,
    )
        .prop_map(|(period, within, from, to, as_of, zone, by, only)| {
            let spec = Stickiness {
                period,
                within,
                from: from.map(str::to_owned),
                to: to.map(str::to_owned),
                as_of: as_of.map(str::to_owned),
                by,
                ..Stickiness::new()
            };
            match only {
                true => spec.events(["view", "buy"]).time_zone(zone),
                false => spec.time_zone(zone),
            }
        })
}

fn ratio(a: usize, b: usize) -> f64 {
    a as f64 / b as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn tables_are_what_the_definition_says(
        (rows, shuffled) in rows(80).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        spec in specs(),
        threads in 1..4_usize,
        batches in 1..4_usize,
    ) {
        let calendar = spec.calendar().prepare().unwrap();
        let moment = |text: &Option<String>| text.as_ref().map(|t| calendar.instant(t).unwrap());
        let as_of = moment(&spec.as_of).or(rows.iter().map(|r| r.time).max());
        let from = moment(&spec.from).or(rows.iter().map(|r| r.time).min());
        let end = as_of.map(|us| us + 1);
        let to = moment(&spec.to).or(end).min(end);
        let grain = spec.within.unwrap_or(spec.period);
        let whole = match from.zip(to) {
            Some((from, to)) if from < to => calendar.periods(grain, from, to).unwrap(),
            _ => Vec::new(),
        };
        let intervals: Vec<(i64, i64, String)> = match (spec.within, whole.first(), whole.last()) {
            (Some(_), ..) => whole
                .iter()
                .map(|p| (p.start_us(), p.end_us(), calendar.label(p).unwrap()))
                .collect(),
            (None, Some(a), Some(b)) => vec![(a.start_us(), b.end_us(), String::new())],
            _ => Vec::new(),
        };
        let active: Vec<&Row> = rows
            .iter()
            .filter(|r| as_of.is_some_and(|us| r.time <= us))
            .filter(|r| spec.events.events.is_empty() || spec.events.events.iter().any(|e| e == r.event))
            .collect();
        let (mut distribution, mut ratios) = (Vec::new(), Vec::new());
        let all = match spec.by.is_empty() {
            true => vec![Vec::new()],
            false => groups(active.iter().copied(), &spec.by),
        };
        for of in all {
            for (start, end, label) in &intervals {
                let inside: Vec<&&Row> = active
                    .iter()
                    .filter(|r| group(r, &spec.by) == of && *start <= r.time && r.time < *end)
                    .collect();
                let actors: BTreeSet<&str> = inside.iter().map(|r| r.actor).collect();
                if actors.is_empty() {
                    continue;
                }
                let numbers: Vec<usize> = actors
                    .iter()
                    .map(|a| {
                        let own = inside.iter().filter(|r| r.actor == *a);
                        let met: BTreeSet<_> = own
                            .map(|r| calendar.period_of(spec.period, r.time).unwrap())
                            .collect();
                        met.len()
                    })
                    .collect();
                let periods = calendar.periods(spec.period, *start, *end).unwrap();
                let complete = as_of.is_some_and(|us| us >= *end);
                let finish = |mut row: std::collections::BTreeMap<String, serde_json::Value>| {
                    row.insert("complete".into(), complete.into());
                    if spec.within.is_some() {
                        row.insert("interval".into(), (*start).into());
                        row.insert("interval_label".into(), label.as_str().into());
                    }
                    with_group(row, &spec.by, &of)
                };
                for n in 1..=periods.len() {
                    let exactly = numbers.iter().filter(|m| **m == n).count();
                    let at_least = numbers.iter().filter(|m| **m >= n).count();
                    distribution.push(finish(row! {
                        "active_periods": n,
                        "actors": exactly,
                        "share": ratio(exactly, actors.len()),
                        "at_least": at_least,
                        "at_least_share": ratio(at_least, actors.len()),
                    }));
                }
                let begun = periods.iter().filter(|p| Some(p.start_us()) <= as_of).count();
                let sum: usize = numbers.iter().sum();
                ratios.push(finish(row! {
                    "periods": begun,
                    "actors": actors.len(),
                    "active_mean": ratio(sum, begun),
                    "stickiness": ratio(sum, begun * actors.len()),
                }));
            }
        }
        let events = events(&shuffled, batches, threads);
        let table = run(&events, &spec).unwrap();
        prop_assert_eq!(cells(&table), distribution);
        let table = run(&events, spec.output(StickinessOutput::Ratio)).unwrap();
        prop_assert_eq!(cells(&table), ratios);
    }
}

#[test]
fn no_events_give_an_empty_table() {
    for spec in [Stickiness::new(), Stickiness::new().within(Grain::Month)] {
        let table = run(&events(&[], 1, 2), &spec).unwrap();
        assert_eq!(table.num_rows(), 0);
        assert_eq!(
            table.notes(),
            ["nobody is active in the range, so there are no rows"]
        );
    }
}

#[test]
fn bad_specs_name_the_field() {
    let cases = [
        (Stickiness::new().within(Grain::Day), "within: one day"),
        (
            Stickiness::new().period(Grain::Month).within(Grain::Week),
            "within: one week",
        ),
        (Stickiness::new().by("nothing"), "by: "),
        (Stickiness::new().as_of("soon"), "as_of: "),
    ];
    for (spec, message) in cases {
        let error = refused(&spec);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{message}");
        assert!(error.message().starts_with(message), "{error}");
    }
}
