//! What a question is told when it does not fit the events: the metric, what was found, and what to do.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, ListBuilder,
    NullArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::array::{Int64Builder, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};

use crate::calendar::Grain;
use crate::engine::{Events, Table};
use crate::event::Roles;
use crate::metric::query::{Comparison, Top};
use crate::metric::{Bindings, MetricQuery, Registry};
use crate::{Error, ErrorKind};

/// Two events on 1 January 2026 and one on the 2nd.
fn events() -> Events {
    let hour = 3_600_000_000_i64;
    let start = 1_767_225_600_000_000_i64;
    let mut list = ListBuilder::new(Int64Builder::new());
    for _ in 0..3 {
        list.values().append_value(1);
        list.append(true);
    }
    let text = |values: [Option<&str>; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("actor", text([Some("a"), Some("b"), None])),
        ("event", text([Some("view"), Some("buy"), Some("view")])),
        (
            "time",
            Arc::new(
                TimestampMicrosecondArray::from(vec![start, start + hour, start + 25 * hour])
                    .with_timezone("UTC"),
            ),
        ),
        ("team", text([Some("x"), Some("y_z"), Some("a\\b")])),
        ("size", text([Some("12"), Some("abc"), Some("7")])),
        (
            "amount",
            Arc::new(Float64Array::from(vec![Some(1.5), Some(2.5), None])),
        ),
        ("n", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("big", Arc::new(UInt64Array::from(vec![1, u64::MAX, 5]))),
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        ),
        (
            "day",
            Arc::new(Date32Array::from(vec![20_454, 20_455, 20_456])),
        ),
        ("list", Arc::new(list.finish())),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![&b"a"[..], b"b", b"c"])),
        ),
        ("nothing", Arc::new(NullArray::new(3))),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, c)| Field::new(*name, c.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, c)| c).collect();
    let batch = RecordBatch::try_new_with_options(
        Arc::new(Schema::new(fields)),
        columns,
        &RecordBatchOptions::new(),
    )
    .unwrap();
    Events::from_batches(vec![batch], &Roles::default()).unwrap()
}

async fn ask(expr: &str) -> Result<Table, Error> {
    let quoted = serde_json::to_string(expr).unwrap();
    let registry = Registry::parse(&format!(
        "version: 1\nmetrics:\n  - {{name: m, kind: simple, expr: {quoted}, fill: 'null'}}"
    ))?;
    events().metrics(&registry, &MetricQuery::of(["m"])).await
}

async fn first(expr: &str) -> Option<f64> {
    let table = ask(expr).await.unwrap_or_else(|e| panic!("{expr}: {e}"));
    let batch = table.to_batch().unwrap();
    super::super::answer::floats(batch.column_by_name("m").unwrap()).unwrap()[0]
}

#[tokio::test]
async fn what_does_not_fit_the_columns_is_said_in_words_of_the_language() {
    let told: &[(&str, &str)] = &[
        (
            "sum(team)",
            "`sum(team)`: `sum` is of numbers; this is text; cast it, such as try_cast(… as double)",
        ),
        (
            "median(team)",
            "`median(team)`: `median` is of numbers; this is text; cast it, such as try_cast(… as double)",
        ),
        (
            "avg(flag)",
            "`avg(flag)`: `avg` is of numbers; this is true or false; rows are counted by `count(*) filter (where …)`",
        ),
        (
            "sum(day)",
            "`sum(day)`: `sum` is of numbers; this is a moment",
        ),
        (
            "sum(\"list\")",
            "`sum(\"list\")`: `sum` is of numbers; this is bytes, a list or a structure",
        ),
        (
            "sum(bytes)",
            "`sum(\"bytes\")`: `sum` is of numbers; this is bytes, a list or a structure",
        ),
        (
            "max(team)",
            "`max(team)`: a metric is a number; this is text",
        ),
        (
            "min(day) + max(n)",
            "`min(day) + max(n)`: `+` is not of a moment and a number, `min(day)` and `max(n)`",
        ),
        (
            "count(*) filter (where n)",
            "`count(*) filter (where n)`: a filter is a condition, true or false for each row; this is a number",
        ),
        (
            "count(*) filter (where n and flag)",
            "`count(*) filter (where n and flag)`: `and` takes conditions; `n` is a number",
        ),
        (
            "count(*) filter (where not team)",
            "`count(*) filter (where not team)`: `not` takes conditions; `team` is text",
        ),
        (
            "count(*) filter (where team is true)",
            "`count(*) filter (where team is true)`: `is true` takes conditions; `team` is text",
        ),
        (
            "count(*) filter (where n > 'much')",
            "`count(*) filter (where n > 'much')`: `>` compares a number with text: `n` and `'much'`",
        ),
        (
            "count(*) filter (where day > 'soon')",
            "`count(*) filter (where day > 'soon')`: `>` compares a moment with text: `day` and `'soon'`",
        ),
        (
            "count(*) filter (where flag = 'x')",
            "`count(*) filter (where flag = 'x')`: `=` compares true or false with text: `flag` and `'x'`",
        ),
        (
            "count(*) filter (where n in ('1', 'x'))",
            "`count(*) filter (where n in ('1', 'x'))`: `in` compares a number with text: `n` and `'x'`",
        ),
        (
            "count(*) filter (where \"list\" = 1)",
            "`count(*) filter (where \"list\" = 1)`: `=` takes single values; `\"list\"` is bytes, a list or a structure",
        ),
        (
            "count(*) filter (where n like 'x')",
            "`count(*) filter (where n like 'x')`: `like` takes text; `n` is a number; cast it, such as cast(… as varchar)",
        ),
        (
            "count(*) filter (where regexp_like(n, 'a'))",
            "`count(*) filter (where regexp_like(n, 'a'))`: `regexp_like` takes text; `n` is a number; cast it, such as cast(… as varchar)",
        ),
        (
            "count(*) filter (where date_part('hour', n) = 1)",
            "`count(*) filter (where date_part('hour', n) = 1)`: `date_part` takes a moment; `n` is a number",
        ),
        (
            "count(distinct coalesce(n, flag))",
            "`count(distinct coalesce(n, flag))`: `coalesce` gives values of one kind; `n` is a number and `flag` is true or false: cast one of them",
        ),
        (
            "sum(n - interval '1 day')",
            "`sum(n - interval '1 day')`: `-` is not of a number and a length of time, `n` and `interval '1 day'`",
        ),
        (
            "count(distinct aktor)",
            "the events have no column `aktor`; did you mean `actor`?",
        ),
        (
            "count(distinct somewhere_else)",
            "the events have no column `somewhere_else`; they have `actor`, `event`, `time`, `team`, `size`, `amount`, `n`, `big`, `flag`, `day`, `list`, `bytes`, `nothing`",
        ),
    ];
    for (expr, message) in told {
        let error = ask(expr).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{expr}: {error}");
        assert_eq!(
            error.message(),
            format!("the metric `m`: {message}"),
            "{expr}"
        );
    }
}

#[tokio::test]
async fn what_only_the_rows_can_tell_names_the_metric() {
    let error = ask("sum(cast(size as bigint))").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(
        error.message(),
        "the metric `m`: Cannot cast string 'abc' to value of Int64 type; `try_cast` gives null for what cannot be cast"
    );
    let error = ask("max(big)").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(
        error.message(),
        "the metric `m` has a value above 9223372036854775807, the greatest integer of a result; compute with cast(… as double)"
    );
    let registry = Registry::parse(
        "version: 1\nmetrics:\n  - {name: a, kind: simple, expr: count(*)}\n  - {name: b, kind: simple, expr: count(distinct n)}",
    )
    .unwrap();
    let query = MetricQuery::of(["a", "b"]).filter("size > 5");
    let error = events().metrics(&registry, &query).await.unwrap_err();
    assert_eq!(
        error.message(),
        "the filter of the query, or one of the metrics `a`, `b`: Cannot cast string 'abc' to value of Int64 type; \
         `try_cast` gives null for what cannot be cast"
    );
}

#[tokio::test]
async fn what_the_engine_has_no_way_for_is_computed_all_the_same() {
    // Conditions that aggregates share, which the engine plans twice in different ways.
    for test in [
        "flag is not true",
        "(n > 1) is true",
        "(n > 1) is not false",
    ] {
        let expr = format!(
            "count(distinct team) filter (where {test}) + count(distinct event) filter (where {test})"
        );
        assert!(first(&expr).await.is_some(), "{expr}");
    }
    let medians = "median(amount) filter (where flag is not true) + median(n) filter (where flag is not true)";
    assert_eq!(first(medians).await, Some(2.5 + 2.0));
    // A column without any value, and a sketch of floating-point numbers.
    assert_eq!(first("sum(nothing)").await, None);
    assert_eq!(first("avg(null)").await, None);
    assert_eq!(first("approx_distinct(amount)").await, Some(2.0));
    assert_eq!(
        first("max(cast(big as double))").await,
        Some(u64::MAX as f64)
    );
}

#[tokio::test]
async fn patterns_have_the_escape_that_they_name_and_no_other() {
    let count = async |condition: &str| {
        let registry = Registry::parse(
            "version: 1\nmetrics: [{name: m, kind: simple, expr: count(*), default_grain: year}]",
        )
        .unwrap();
        let query = MetricQuery::of(["m"]).filter(condition);
        let table = events().metrics(&registry, &query).await.unwrap();
        let batch = table.to_batch().unwrap();
        super::super::answer::floats(batch.column_by_name("m").unwrap()).unwrap()[0]
    };
    for (condition, expected) in [
        ("team like 'y!_%' escape '!'", 1.0),
        ("team like 'y_z'", 1.0),
        ("team ilike 'Y!_Z' escape '!'", 1.0),
        ("team like 'a\\b'", 1.0),
        ("team like 'a\\\\b'", 0.0),
        ("team like 'a\\%'", 1.0),
        ("team like 'a!!b' escape '!'", 0.0),
    ] {
        assert_eq!(count(condition).await, Some(expected), "{condition}");
    }
    for condition in ["team like 'a!b' escape '!'", "team like 'a!' escape '!'"] {
        let error = crate::expr::parse_condition(condition, &Default::default()).unwrap_err();
        assert_eq!(
            error.message,
            "in the pattern of `like` the escape `!` stands before `%`, `_` or itself"
        );
    }
}

#[tokio::test]
async fn a_missing_column_names_the_parameter_that_names_it() {
    let registry = Registry::builtin().unwrap();
    let query = MetricQuery::of(["active_actors", "ai_coverage"]);
    let error = events().metrics(&registry, &query).await.unwrap_err();
    assert!(
        error
            .message()
            .starts_with("the metric `assisted_work_items`: the events have no column `ai_assistant`; they have `actor`"),
        "{error}"
    );
    assert!(
        error
            .message()
            .ends_with("; the parameter `assistant` names it: bind it to another column"),
        "{error}"
    );
    let mut bindings = Bindings::new();
    bindings.insert("assistant", "team".into());
    let registry = Registry::builtin_with(&bindings).unwrap();
    assert!(events().metrics(&registry, &query).await.is_ok());
}

#[tokio::test]
async fn top_values_by_a_metric_that_is_not_asked_for() {
    let registry = Registry::parse(
        "
version: 1
dimensions: [{name: event}]
metrics:
  - {name: events, kind: simple, expr: count(*)}
  - {name: before, kind: derived, expr: '{events offset 1 day}'}
  - {name: carried, kind: simple, expr: sum(n), fill: previous}
  - {name: ever, kind: cumulative, expr: sum(n)}
  - {name: fresh, kind: lifecycle, state: new}
  - {name: narrow, kind: simple, expr: count(*), dimensions: [event]}
",
    )
    .unwrap();
    // On the 2nd nothing happens in the team `y_z`, whose events of the day before decide all the same.
    let day = MetricQuery::of(["events"])
        .by(["team"])
        .from("2026-01-02")
        .to("2026-01-03")
        .as_of("2026-01-03");
    let ranked = |metric: &str, day: &MetricQuery| {
        let top = Top {
            metric: Some(metric.to_owned()),
            ..Top::new(1)
        };
        day.clone().top(top).fill(crate::metric::Fill::Zero)
    };
    let teams = async |query: MetricQuery| -> Vec<String> {
        let table = events().metrics(&registry, &query).await.unwrap();
        let batch = table.to_batch().unwrap();
        let teams = batch.column_by_name("team").unwrap();
        super::super::executor::texts(teams)
            .unwrap()
            .into_iter()
            .flatten()
            .collect()
    };
    assert_eq!(teams(ranked("before", &day)).await, ["other", "x"]);
    let open = MetricQuery {
        fill: None,
        ..ranked("carried", &day)
    };
    assert_eq!(teams(open).await, ["a\\b", "other"]);
    assert_eq!(teams(ranked("ever", &day)).await, ["a\\b"]);
    let two = day.from("2026-01-01");
    assert_eq!(
        teams(ranked("fresh", &two)).await,
        ["other", "x", "other", "x"]
    );
    let error = events()
        .metrics(&registry, &ranked("narrow", &two))
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "by: the metric `narrow` has no dimension `team`; it has event"
    );
}

#[tokio::test]
async fn formulas_over_formulas_do_not_multiply() {
    let mut wide = "version: 1\nmetrics:\n".to_owned();
    for level in 0..16 {
        for k in 0..6 {
            let below: Vec<String> = (0..6).map(|i| format!("{{l{}_{i}}}", level - 1)).collect();
            let of = match level {
                0 => "kind: simple, expr: count(*)".to_owned(),
                _ => format!("kind: derived, expr: '{}'", below.join(" + ")),
            };
            wide.push_str(&format!("  - {{name: l{level}_{k}, {of}}}\n"));
        }
    }
    // 6¹⁵ ways lead from the top to the bottom.
    let registry = Registry::parse(&wide).unwrap();
    let query = MetricQuery::of(["l15_0"]).by(["team"]).grain(Grain::Month);
    assert!(events().metrics(&registry, &query).await.is_ok());

    let mut offsets =
        "version: 1\nmetrics:\n  - {name: o0, kind: simple, expr: count(*)}\n".to_owned();
    for level in 1..16 {
        let (below, days) = (level - 1, 1 << level);
        offsets.push_str(&format!(
            "  - {{name: o{level}, kind: derived, expr: '{{o{below}}} + {{o{below} offset {days} days}}'}}\n"
        ));
    }
    let registry = Registry::parse(&offsets).unwrap();
    let error = events()
        .metrics(&registry, &MetricQuery::of(["o15"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(
        error.message().contains("4096 different chains of offsets"),
        "{error}"
    );
}

#[tokio::test]
async fn a_question_beside_the_events_is_told_so() {
    let registry =
        Registry::parse("version: 1\nmetrics: [{name: m, kind: simple, expr: count(*)}]").unwrap();
    let table = events()
        .metrics(&registry, &MetricQuery::of(["m"]).from("2027-01-01"))
        .await
        .unwrap();
    assert_eq!(
        table.notes(),
        [
            "no event lies in the range, so there are no periods; give `from` and `to` for empty ones"
        ]
    );
    let query = MetricQuery::of(["m"]).by(["nothing"]);
    let table = events().metrics(&registry, &query).await.unwrap();
    assert!(
        table
            .notes()
            .iter()
            .any(|n| n.starts_with("some events have no value of `nothing`"))
    );
    let query = MetricQuery::of(["m"]).compare_to(Comparison::From("soon".to_owned()));
    let error = events().metrics(&registry, &query).await.unwrap_err();
    assert!(
        error
            .message()
            .starts_with("compare_to: `soon` is not a time"),
        "{error}"
    );
}
