//! Lifecycle against its definition, evaluated naively.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::behavior::testing::{
    BASE, Row, by, cells, events, group, groups, refused, row, rows, run, with_group,
};
use crate::calendar::Grain;

fn specs() -> impl Strategy<Value = Lifecycle> {
    (
        prop::sample::select(vec![Grain::Day, Grain::Week, Grain::Month]),
        prop::option::of(prop::sample::select(vec!["2026-03-05", "2026-03-10T05:00"])),
        prop::option::of(prop::sample::select(vec!["2026-03-15", "2026-04-01"])),
        prop::option::of(Just("2026-03-20")),
        prop::sample::select(vec!["UTC", "America/New_York"]),
        by(),
        prop::bool::ANY,
    )
        .prop_map(|(period, from, to, as_of, zone, by, only)| {
            let spec = Lifecycle {
                period,
                from: from.map(str::to_owned),
                to: to.map(str::to_owned),
                as_of: as_of.map(str::to_owned),
                by,
                ..Lifecycle::new()
            };
            match only {
                true => spec.events(["view", "buy"]).time_zone(zone),
                false => spec.time_zone(zone),
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn states_are_what_the_definition_says(
        (rows, shuffled) in rows(80).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        spec in specs(),
        threads in 1..4_usize,
        batches in 1..4_usize,
    ) {
        let table = run(&events(&shuffled, batches, threads), &spec).unwrap();
        let calendar = spec.calendar().prepare().unwrap();
        let moment = |text: &Option<String>| text.as_ref().map(|t| calendar.instant(t).unwrap());
        let as_of = moment(&spec.as_of).or(rows.iter().map(|r| r.time).max());
        let from = moment(&spec.from).or(rows.iter().map(|r| r.time).min());
        let end = as_of.map(|us| us + 1);
        let to = moment(&spec.to).or(end).min(end);
        let periods = match from.zip(to) {
            Some((from, to)) if from < to => calendar.periods(spec.period, from, to).unwrap(),
            _ => Vec::new(),
        };
        let counted = |r: &&Row| {
            as_of.is_some_and(|us| r.time <= us)
                && (spec.events.events.is_empty() || spec.events.events.iter().any(|e| e == r.event))
        };
        let active: Vec<&Row> = rows.iter().filter(counted).collect();
        let mut expected = Vec::new();
        let all = match spec.by.is_empty() {
            true => vec![Vec::new()],
            false => groups(active.iter().copied(), &spec.by),
        };
        for of in all {
            let own: Vec<&&Row> = active.iter().filter(|r| group(r, &spec.by) == of).collect();
            let mut out = Vec::new();
            for period in &periods {
                let before = calendar.previous(period).unwrap();
                let when = |from: i64, to: i64| -> BTreeSet<&str> {
                    let inside = own.iter().filter(|r| from <= r.time && r.time < to);
                    inside.map(|r| r.actor).collect()
                };
                let now = when(period.start_us(), period.end_us());
                let last = when(before.start_us(), before.end_us());
                let ever = when(i64::MIN, period.start_us());
                let count = |test: &dyn Fn(&str) -> bool| now.iter().filter(|a| test(a)).count();
                out.push(row! {
                    "period": period.start_us(),
                    "period_label": calendar.label(period).unwrap(),
                    "active": now.len(),
                    "new": count(&|a| !ever.contains(a)),
                    "returning": count(&|a| last.contains(a)),
                    "resurrected": count(&|a| ever.contains(a) && !last.contains(a)),
                    "dormant": last.iter().filter(|a| !now.contains(*a)).count(),
                    "complete": as_of.is_some_and(|us| us >= period.end_us()),
                });
            }
            let met = out.iter().any(|r| r["active"] != 0 || r["dormant"] != 0);
            if met || spec.by.is_empty() {
                expected.extend(out.into_iter().map(|r| with_group(r, &spec.by, &of)));
            }
        }
        prop_assert_eq!(cells(&table), expected);
    }
}

#[test]
fn no_events_give_an_empty_table() {
    let table = run(&events(&[], 1, 2), Lifecycle::new()).unwrap();
    assert_eq!(table.num_rows(), 0);
    let table = run(&events(&[], 1, 2), Lifecycle::new().from("2026-01-01")).unwrap();
    assert_eq!(table.num_rows(), 0);
}

#[test]
fn one_event_is_new_once() {
    let row = Row {
        actor: "a",
        event: "view",
        time: BASE,
        plan: None,
        n: None,
        amount: None,
    };
    let spec = Lifecycle::new().as_of("2026-03-04").actor("event");
    let table = run(&events(&[row], 1, 2), spec).unwrap();
    let found: Vec<_> = cells(&table)
        .iter()
        .map(|r| {
            (
                r["new"].clone(),
                r["dormant"].clone(),
                r["complete"].clone(),
            )
        })
        .collect();
    let of = |new: i64, dormant: i64, complete: bool| (new.into(), dormant.into(), complete.into());
    assert_eq!(
        found,
        [
            of(1, 0, true),
            of(0, 1, true),
            of(0, 0, true),
            of(0, 0, false)
        ]
    );
}

#[test]
fn bad_specs_name_the_field() {
    let cases = [
        (Lifecycle::new().by("nothing"), "by: "),
        (Lifecycle::new().as_of("soon"), "as_of: "),
        (Lifecycle::new().time_zone("Mars"), "time_zone: "),
        (Lifecycle::new().actor("time"), "actor: "),
    ];
    for (spec, message) in cases {
        let error = refused(&spec);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{message}");
        assert!(error.message().starts_with(message), "{error}");
    }
}
