//! Odd data and limits.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;

use super::differential::run;
use crate::ErrorKind;
use crate::calendar::Grain;
use crate::engine::{EngineSettings, Events};
use crate::event::Roles;
use crate::metric::{MetricQuery, Registry};

const REGISTRY: &str = "
version: 1
metrics:
  - {name: events, kind: simple, expr: count(*)}
  - {name: actors, kind: simple, expr: count(distinct actor)}
  - {name: total, kind: simple, expr: sum(n)}
  - {name: middle, kind: simple, expr: median(n)}
  - {name: last_week, kind: cumulative, expr: count(distinct actor), window: 7 days}
";

fn registry() -> Registry {
    Registry::parse(REGISTRY).unwrap()
}

/// Actor, whole seconds since 1970, label, number.
type Row = (&'static str, i64, String, i64);

fn events(rows: &[Row], memory_limit: usize) -> Events {
    let text = |get: fn(&Row) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(get)))
    };
    let times = rows.iter().map(|r| r.1 * 1_000_000);
    let batch = RecordBatch::try_from_iter([
        ("actor", text(|r| r.0.to_owned())),
        ("event", text(|_| "view".to_owned())),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")) as _,
        ),
        ("label", text(|r| r.2.clone())),
        (
            "n",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.3))) as _,
        ),
    ])
    .unwrap();
    let table =
        datafusion::datasource::MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
    let settings = EngineSettings {
        threads: 2,
        memory_limit,
    };
    Events::from_provider(Arc::new(table), &Roles::default(), &settings).unwrap()
}

fn column(table: &crate::engine::Table, name: &str) -> Vec<Option<i64>> {
    let batch = table.to_batch().unwrap();
    let column = batch.column_by_name(name).unwrap();
    column.as_primitive::<Int64Type>().iter().collect()
}

#[test]
fn one_actor_with_many_events_is_one_actor() {
    let rows: Vec<_> = (0..200_000)
        .map(|i| ("a", i % 172_800, String::new(), 1))
        .collect();
    let query = MetricQuery::of(["actors", "events", "total", "last_week"]).grain(Grain::Day);
    let table = run(events(&rows, 1 << 30).metrics(&registry(), &query)).unwrap();
    assert_eq!(column(&table, "actors"), [Some(1), Some(1)]);
    assert_eq!(column(&table, "last_week"), [Some(1), Some(1)]);
    assert_eq!(column(&table, "events"), [Some(113_600), Some(86_400)]);
    assert_eq!(column(&table, "total"), [Some(113_600), Some(86_400)]);
}

#[test]
fn a_sum_beyond_64_bits_wraps_as_that_of_a_plan() {
    let rows = vec![
        ("a", 0, String::new(), i64::MAX),
        ("a", 1, String::new(), 2),
        ("b", 86_400, String::new(), i64::MIN),
        ("b", 86_401, String::new(), -1),
    ];
    let events = events(&rows, 1 << 30);
    let query = MetricQuery::of(["total"]).grain(Grain::Day);
    let table = run(events.metrics(&registry(), &query)).unwrap();
    let plan = run(events.sql("SELECT sum(n) AS n FROM events GROUP BY date_trunc('day', time) ORDER BY date_trunc('day', time)")).unwrap();
    assert_eq!(column(&table, "total"), column(&plan, "n"));
    assert_eq!(
        column(&table, "total"),
        [Some(i64::MIN + 1), Some(i64::MAX)]
    );
}

#[test]
fn without_events_there_are_no_rows_or_only_zeros() {
    let empty = events(&[], 1 << 30);
    let query = MetricQuery::of(["actors", "total", "last_week"]).grain(Grain::Day);
    let table = run(empty.metrics(&registry(), &query)).unwrap();
    assert_eq!(table.num_rows(), 0);
    let query = query.from("2026-01-01").to("2026-01-03").by(["label"]);
    let table = run(empty.metrics(&registry(), &query)).unwrap();
    assert_eq!(table.num_rows(), 0);
}

#[test]
fn too_many_groups_are_an_error() {
    let rows: Vec<_> = (0..50_000)
        .map(|i| ("a", i * 300, format!("label {i}"), 1))
        .collect();
    let query = MetricQuery::of(["actors"]).grain(Grain::Day).by(["label"]);
    let error = run(events(&rows, 1 << 30).metrics(&registry(), &query)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(
        error
            .message()
            .starts_with("the result would have more than 4194304 cells"),
        "{error}"
    );
}

#[test]
fn the_memory_limit_is_respected() {
    let rows: Vec<_> = (0..40_000_i64)
        .map(|i| ("a", i % 9 * 86_400, format!("{}", i % 20_000), 1))
        .collect();
    let query = MetricQuery::of(["actors", "events", "total"])
        .grain(Grain::Day)
        .by(["label"]);
    let enough = run(events(&rows, 1 << 30).metrics(&registry(), &query)).unwrap();
    assert_eq!(enough.num_rows(), 180_000);
    let error = run(events(&rows, 2 << 20).metrics(&registry(), &query)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(error.message().contains("raise"), "{error}");
}

#[test]
fn what_cannot_be_computed_in_a_pass_is_joined() {
    let rows = vec![
        ("a", 0, "x".to_owned(), 1),
        ("b", 1, "x".to_owned(), 4),
        ("b", 86_400, "y".to_owned(), 2),
    ];
    let events = events(&rows, 1 << 30);
    let query = MetricQuery::of(["middle", "actors"])
        .grain(Grain::Day)
        .by(["label"]);
    let explained = run(events.explain_metrics(&registry(), &query)).unwrap();
    assert!(
        explained.text.contains("actor by actor"),
        "{}",
        explained.text
    );
    assert!(
        explained.text.contains("AggregateExec"),
        "{}",
        explained.text
    );
    let table = run(events.metrics(&registry(), &query)).unwrap();
    assert_eq!(
        column(&table, "actors"),
        [Some(2), Some(0), Some(0), Some(1)]
    );
}
