//! Retention against its definition, evaluated naively.

mod naive;
mod survival;

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::behavior::EventFilter;
use crate::behavior::testing::{BASE, DAY, HOUR, Row, by, cells, events, refused, row, rows, run};
use crate::calendar::Grain;

fn filters() -> impl Strategy<Value = EventFilter> {
    prop::sample::select(vec![
        EventFilter::any(),
        EventFilter::event("sign"),
        EventFilter::events(["sign", "buy"]),
        EventFilter::any().filter("amount > 5"),
        EventFilter::event("view").filter("plan = 'pro'"),
    ])
}

fn specs() -> impl Strategy<Value = Retention> {
    let what = (
        filters(),
        prop::option::of(filters()),
        prop::sample::select(vec![
            Cohort::FirstEver,
            Cohort::FirstInRange,
            Cohort::Recurring,
        ]),
        prop::sample::select(vec![Grain::Day, Grain::Week, Grain::Month]),
        prop::option::of(prop::sample::select(vec![
            Grain::Day,
            Grain::Week,
            Grain::Month,
        ])),
        prop::bool::ANY,
    );
    let cells = (
        prop::sample::select(vec![
            RetentionMode::On,
            RetentionMode::OnOrAfter,
            RetentionMode::OnOrBefore,
            RetentionMode::Streak,
        ]),
        prop::option::of(0..9_u32),
        prop::sample::select(vec![vec![], vec![], vec![0, 1, 3, 9], vec![1, 2, 7]]),
        prop::bool::ANY,
        prop::bool::ANY,
    );
    let when = (
        prop::option::of(prop::sample::select(vec![
            "2026-03-01",
            "2026-03-08",
            "2026-03-10T05:00",
        ])),
        prop::option::of(prop::sample::select(vec!["2026-03-15", "2026-04-01"])),
        prop::option::of(prop::sample::select(vec![
            "2026-03-20",
            "2026-04-05T06:00:00Z",
        ])),
        prop::sample::select(vec!["UTC", "America/New_York"]),
        prop::bool::ANY,
        by(),
    );
    (what, cells, when).prop_map(|(what, cells, when)| {
        let mut spec = Retention {
            start: what.0,
            returning: what.1,
            cohort: what.2,
            period: what.3,
            cohort_period: what.4,
            mode: cells.0,
            from: when.0.map(str::to_owned),
            to: when.1.map(str::to_owned),
            as_of: when.2.map(str::to_owned),
            filter: when.4.then(|| "event <> 'quit'".to_owned()),
            by: when.5,
            ..Retention::default()
        }
        .time_zone(when.3);
        if what.5 && spec.period != Grain::Month {
            spec.window = RetentionWindow::Rolling;
        }
        match cells.2.is_empty() {
            true => spec.horizon = cells.1,
            false => spec.brackets = cells.2,
        }
        if cells.3 {
            spec.output = RetentionOutput::Curve;
        }
        if cells.4 && spec.cohort != Cohort::Recurring {
            spec.value = Some("amount".to_owned());
        }
        spec
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn cells_are_what_the_definition_says(
        rows in rows(60),
        spec in specs(),
        batches in 1..4_usize,
        threads in 1..4_usize,
    ) {
        let table = run(&events(&rows, batches, threads), &spec).unwrap();
        prop_assert_eq!(cells(&table), naive::cells(&rows, &spec));
    }

    #[test]
    fn lives_are_what_the_definition_says(
        rows in rows(60),
        spec in specs(),
        output in prop::sample::select(vec![
            RetentionOutput::Summary, RetentionOutput::Streaks, RetentionOutput::Survival,
        ]),
        inactive in 1..4_u32,
        threads in 1..4_usize,
    ) {
        let spec = Retention {
            mode: RetentionMode::On,
            horizon: None,
            brackets: Vec::new(),
            value: None,
            output,
            inactive: (output == RetentionOutput::Survival).then_some(inactive),
            ..spec
        };
        let table = run(&events(&rows, 2, threads), &spec).unwrap();
        prop_assert_eq!(cells(&table), naive::lives(&rows, &spec));
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

fn at(actor: &'static str, event: &'static str, time: i64) -> Row {
    Row {
        actor,
        event,
        time,
        plan: None,
        n: None,
        amount: Some(1.5),
    }
}

#[test]
fn no_events_give_an_empty_table() {
    for output in [
        RetentionOutput::Matrix,
        RetentionOutput::Curve,
        RetentionOutput::Summary,
        RetentionOutput::Streaks,
        RetentionOutput::Survival,
    ] {
        let spec = Retention::default().output(output);
        let table = run(&events(&[], 1, 2), &spec).unwrap();
        assert_eq!(table.num_rows(), 0);
        assert_eq!(
            table.notes(),
            ["no actor has a start in the range, so there are no rows"]
        );
        let spec = spec.from("2026-01-01").to("2026-02-01").as_of("2026-02-01");
        assert_eq!(run(&events(&[], 1, 2), &spec).unwrap().num_rows(), 0);
    }
}

#[test]
fn one_event_is_one_cell() {
    let table = run(
        &events(&[at("a", "view", BASE)], 1, 2),
        Retention::default(),
    )
    .unwrap();
    assert_eq!(
        cells(&table),
        [
            row! {"cohort": BASE, "cohort_label": "2026-03-01", "offset": 0, "actors": 1,
            "retained": 1, "share": 1.0, "complete": false}
        ]
    );
}

#[test]
fn the_role_of_the_actor_moves() {
    let mut rows = vec![
        at("a", "view", BASE),
        at("b", "view", BASE + DAY),
        at("c", "view", BASE + DAY),
    ];
    for (row, plan) in rows.iter_mut().zip([Some("pro"), Some("pro"), None]) {
        row.plan = plan;
    }
    let spec = Retention::default().actor("plan").horizon(1);
    let table = run(&events(&rows, 1, 2), &spec).unwrap();
    let found = cells(&table);
    assert_eq!(found.len(), 2, "{table}");
    assert_eq!(found[1]["retained"], 1);
    assert_eq!(found[1]["actors"], 1);
}

#[test]
fn a_single_actor_with_many_events_is_no_trouble() {
    let rows: Vec<Row> = (0..200_000)
        .map(|i| at("a", "view", BASE + i * 15_000_000))
        .collect();
    for cohort in [Cohort::FirstEver, Cohort::Recurring] {
        for window in [RetentionWindow::Calendar, RetentionWindow::Rolling] {
            let spec = Retention::default().cohort(cohort).window(window);
            let table = run(&events(&rows, 3, 2), &spec).unwrap();
            let days = 200_000 * 15 / 86_400 + 1;
            let count = match cohort {
                Cohort::Recurring => days * (days + 1) / 2,
                _ => days,
            };
            assert_eq!(table.num_rows(), count, "{cohort:?} {window:?}");
            assert!(cells(&table).iter().all(|row| row["retained"] == 1));
        }
    }
}

#[test]
fn days_of_23_hours_are_days() {
    // The 8th has 23 hours in New York, so that 23 hours after its midnight is the 9th.
    let midnight = BASE + 7 * DAY + 5 * HOUR;
    let rows = [
        at("a", "sign", midnight),
        at("a", "view", midnight + 23 * HOUR),
    ];
    let spec = Retention::new("sign", "view").time_zone("America/New_York");
    let table = run(&events(&rows, 1, 1), &spec).unwrap();
    let found: Vec<_> = cells(&table)
        .iter()
        .map(|r| r["retained"].clone())
        .collect();
    assert_eq!(found, [0, 1]);
    let rolling = spec.window(RetentionWindow::Rolling);
    let table = run(&events(&rows, 1, 1), &rolling).unwrap();
    let found: Vec<_> = cells(&table)
        .iter()
        .map(|r| r["retained"].clone())
        .collect();
    assert_eq!(found, [1]);
}

#[test]
fn bad_specs_name_the_field() {
    let default = Retention::default;
    let survival = || default().output(RetentionOutput::Survival);
    let cases = [
        (default().horizon(100_001), "horizon: 100001"),
        (
            default().brackets([0, 1]).horizon(3),
            "horizon: the brackets",
        ),
        (default().brackets([3]), "brackets: 1 bounds"),
        (default().brackets([0, 3, 3]), "brackets[2]: 3"),
        (default().brackets([0, 200_000]), "brackets: 200000"),
        (default().inactive(3), "inactive: only"),
        (survival().inactive(0), "inactive: 0"),
        (survival().horizon(3), "horizon: only"),
        (survival().mode(RetentionMode::Streak), "mode: only"),
        (survival().brackets([0, 3]), "brackets: only"),
        (survival().value("amount"), "value: only"),
        (
            default().value("amount").cohort(Cohort::Recurring),
            "value: of recurring",
        ),
        (default().value("plan"), "value: the column `plan`"),
        (default().value("nothing"), "value: the events have no"),
        (
            default()
                .period(Grain::Month)
                .window(RetentionWindow::Rolling),
            "period: one month",
        ),
        (default().by("nothing"), "by: the events have no"),
        (default().as_of("soon"), "as_of: `soon`"),
        (default().from("soon"), "from: `soon`"),
        (
            default().from("2026-02-01").to("2026-01-01"),
            "to: the range",
        ),
        (default().filter("amount >"), "filter: "),
        (
            Retention::new(EventFilter::any().filter("1 +"), "view"),
            "start: ",
        ),
        (
            Retention::new("view", EventFilter::any().filter("nothing = 1")),
            "returning: ",
        ),
    ];
    for (spec, message) in cases {
        let error = refused(&spec);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{message}");
        assert!(error.message().starts_with(message), "{error}");
    }
}

#[test]
fn too_many_cells_are_refused() {
    let spec = Retention::default()
        .period(Grain::Minute)
        .from("2020-01-01")
        .horizon(10);
    let error = refused(&spec);
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
}
