//! Events and specs that are built to take long, or much memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::datasource::MemTable;

use crate::ErrorKind;
use crate::behavior::testing::{BASE, run};
use crate::behavior::{
    Analysis, EventFilter, Funnel, FunnelCount, Retention, RetentionOutput, Sequence, Sessions,
    Step, StepOrder, Stickiness,
};
use crate::engine::{EngineSettings, Events};
use crate::event::Roles;

/// What takes seconds in a debug build on a busy machine, and would take hours if it were not bounded.
const LONG: Duration = Duration::from_secs(120);

/// Events of `(actor, event, time)`.
fn events<A: AsRef<str>, E: AsRef<str>>(
    rows: impl Iterator<Item = (A, E, i64)> + Clone,
    memory_limit: usize,
) -> Events {
    let actors: StringArray = rows.clone().map(|r| Some(r.0)).collect();
    let names: StringArray = rows.clone().map(|r| Some(r.1)).collect();
    let times = TimestampMicrosecondArray::from_iter_values(rows.map(|r| BASE + r.2));
    let columns: [(&str, ArrayRef); 3] = [
        ("actor", Arc::new(actors)),
        ("event", Arc::new(names)),
        ("time", Arc::new(times.with_timezone("UTC"))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
    let settings = EngineSettings {
        threads: 2,
        memory_limit,
    };
    let roles = Roles::new("actor", "event", "time");
    Events::from_provider(Arc::new(table), &roles, &settings).unwrap()
}

#[tokio::test]
async fn a_million_names_are_no_trouble() {
    let rows = (0..1_000_000_i64).map(|i| (format!("u{}", i % 5_000), format!("event {i}"), i));
    let events = events(rows, 1 << 30);
    let start = Instant::now();
    let analyses: Vec<Analysis> = vec![
        Funnel::steps(["event 17", "event 5017", "event 999999"]).into(),
        Funnel::steps([EventFilter::any(), EventFilter::any()])
            .by("event")
            .into(),
        Sequence::new("(?1).*(?2)", ["event 3", "event 5003"]).into(),
        Retention::default().output(RetentionOutput::Summary).into(),
        Sessions::new().start_on("event 8").into(),
        Stickiness::new().into(),
    ];
    let tables = events.run_all(&analyses).await.unwrap();
    let rows: Vec<usize> = tables.iter().map(|table| table.num_rows()).collect();
    // Each actor counts in the event with which its chain begins: its first one.
    assert_eq!(&rows[..3], [3, 10_000, 1]);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn many_steps_and_names_are_refused_at_once() {
    let few = events([("a", "view", 0)].into_iter(), 1 << 30);
    let start = Instant::now();
    let names = vec!["view"; 1_000_000];
    let pattern = "(?1)".repeat(1_000_000);
    let wrong: Vec<(Analysis, &str)> = vec![
        (
            Funnel::steps(names.clone()).into(),
            "steps: 1000000 given; a funnel has from 2 to 50",
        ),
        (
            Funnel::steps([EventFilter::events(names.clone()), "buy".into()]).into(),
            "steps[0]: 1000000 names; at most 1000",
        ),
        (
            Sequence::new("(?1)", names).into(),
            "events: 1000000 given; from 1 to 64",
        ),
        (
            Sequence::new(pattern, ["view"]).into(),
            "pattern: the pattern, character 1025: more than 256 events",
        ),
        (
            Funnel::steps(["view", "buy"])
                .by(vec!["event"; 10_000])
                .into(),
            "by: 10000 columns; at most 8",
        ),
        (
            Funnel::steps(["view", "buy"])
                .same(vec!["event"; 10_000])
                .into(),
            "same: 10000 columns; at most 8",
        ),
        (
            Funnel::steps(["view", "buy"]).histogram(0..10_000).into(),
            "histogram: 10000 bounds; at most 1000",
        ),
    ];
    for (spec, message) in wrong {
        let error = run(&few, spec).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().starts_with(message), "{error}");
    }
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[tokio::test]
async fn patterns_that_could_be_tried_in_many_ways_take_one_pass() {
    // One actor whose events all meet every step; the last one is never met.
    let rows = (0..30_000_i64).map(|i| ("a", "view", i / 3));
    let all = events(rows, 1 << 30);
    let start = Instant::now();
    let table = all
        .run(Sequence::new(
            "(?1).*".repeat(100) + "(?2)",
            ["view", "never"],
        ))
        .await
        .unwrap();
    assert_eq!(table.num_rows(), 1);
    let steps = || {
        (0..49)
            .map(|_| Step::new("view"))
            .chain([Step::new("never")])
    };
    for order in [StepOrder::Ordered, StepOrder::Strict] {
        for count in [FunnelCount::Actors, FunnelCount::Totals] {
            let funnel = Funnel::steps(steps()).order(order).count(count);
            all.run(&funnel).await.unwrap();
        }
    }
    let rows = (0..1_000_i64).map(|i| ("a", "view", i / 3));
    let some = events(rows, 1 << 30);
    let optional = steps().enumerate().map(|(i, step)| match i {
        0 | 49 => step,
        _ => step.optional(),
    });
    let funnel = Funnel::steps(optional.clone()).within("1 hour".parse().unwrap());
    some.run(&funnel).await.unwrap();
    let windows = optional.enumerate().map(|(i, step)| match i {
        0 => step,
        _ => step.within("1 second".parse().unwrap()),
    });
    some.run(Funnel::steps(windows).exclude("none"))
        .await
        .unwrap();
    let conditions = vec!["true"; 64].join(", ");
    for modes in ["", "strict_once", "strict_once,strict_order,allow_reentry"] {
        // 64 conditions that all are met, and one event too few.
        let query = format!(
            "SELECT window_funnel('1 day', '{modes}', time, {conditions}) AS n FROM (SELECT time FROM events ORDER BY time LIMIT 63)"
        );
        let table = some.sql(&query).await.unwrap();
        let expected = if modes.is_empty() { "64" } else { "63" };
        assert!(table.to_string().contains(expected), "{modes}: {table}");
    }
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[tokio::test]
async fn times_are_charged_to_the_session() {
    let step = |i: i64| ["view", "add", "buy"][i as usize % 3];
    let rows = (0..600_000_i64).map(|i| (format!("u{}", i / 3), step(i), i));
    let small = events(rows, 3 << 20);
    let funnel = Funnel::steps(["view", "add", "buy"]);
    let error = small.run(&funnel).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
    assert!(error.message().starts_with("times: "), "{error}");
    let sequence = Sequence::new("(?1)", [EventFilter::any()]);
    let error = small.run(&sequence).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
    let pairs = (0..1_200_000_i64).map(|i| (format!("u{}", i / 2), "view", i));
    let many = events(pairs, 3 << 20);
    let sessions = Sessions::new();
    let error = many.run(&sessions).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
    assert!(error.message().starts_with("percentiles: "), "{error}");
    let table = many.run(sessions.percentiles([])).await.unwrap();
    assert_eq!(table.num_rows(), 1);
    // What was charged is given back, and nothing is kept without times.
    let funnel = funnel.times(false).histogram([1]);
    let table = small.run(&funnel).await.unwrap();
    assert_eq!(table.schema().fields().len(), 8);
    assert_eq!(table.num_rows(), 3);
    let table = small.run(sequence.times(false)).await.unwrap();
    assert_eq!(table.schema().fields().len(), 6);
}
