//! Plans give the numbers that SQL gives. The expected ones were worked out by hand from the six rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::record_batch::RecordBatch;
use datafusion::prelude::SessionContext;

use super::super::{Formula, PlanContext};

fn rows() -> RecordBatch {
    let actor: ArrayRef = Arc::new(StringArray::from(vec!["a", "a", "b", "c", "c", "c"]));
    let event: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "x", "x", "y", "z"]));
    // 2026-03-28T22:30Z and every hour after; Berlin changes its clocks at 2026-03-29T01:00Z.
    let start = 1_774_737_000_000_000_i64;
    let times: Vec<i64> = (0..6).map(|i| start + i * 3_600_000_000).collect();
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"));
    let amount: ArrayRef = Arc::new(Float64Array::from(vec![
        Some(1.0),
        None,
        Some(2.5),
        Some(4.0),
        Some(-1.0),
        Some(0.0),
    ]));
    let size: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5, 7]));
    RecordBatch::try_from_iter([
        ("actor", actor),
        ("event", event),
        ("time", time),
        ("amount", amount),
        ("Size", size),
    ])
    .expect("a batch")
}

async fn value(text: &str, zone: &str) -> Option<f64> {
    let formula: Formula = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    let context = SessionContext::new();
    let frame = context.read_batch(rows()).expect("a frame");
    let schema = frame.schema().clone();
    let cx = PlanContext::new(&schema, zone);
    let mut aggregates = Vec::new();
    let expr = formula
        .to_expr(
            &cx,
            &mut |aggregate| {
                let name = format!("a{}", aggregates.len());
                aggregates.push(aggregate.to_expr(&cx)?.alias(&name));
                Ok(datafusion::prelude::ident(name))
            },
            &mut |reference| Err(crate::Error::invalid_spec(reference.to_string())),
        )
        .unwrap_or_else(|e| panic!("{text}: {e}"));
    let batches = frame
        .aggregate(Vec::new(), aggregates)
        .and_then(|f| {
            f.select(vec![datafusion::prelude::cast(
                expr,
                arrow::datatypes::DataType::Float64,
            )])
        })
        .expect("a plan")
        .collect()
        .await
        .unwrap_or_else(|e| panic!("{text}: {e}"));
    let column = batches[0].column(0);
    let column = column
        .as_any()
        .downcast_ref::<Float64Array>()
        .expect("numbers");
    arrow::array::Array::is_valid(column, 0).then(|| column.value(0))
}

#[tokio::test]
async fn numbers_are_those_of_sql() {
    let cases: &[(&str, Option<f64>)] = &[
        ("count(*)", Some(6.0)),
        ("count(amount)", Some(5.0)),
        ("count(distinct actor)", Some(3.0)),
        ("count(distinct actor, event)", Some(6.0)),
        ("count(distinct actor, amount)", Some(5.0)),
        (
            "count(distinct actor) filter (where event = 'y')",
            Some(2.0),
        ),
        ("sum(amount)", Some(6.5)),
        ("avg(amount)", Some(1.3)),
        ("median(amount)", Some(1.0)),
        ("median(\"Size\")", Some(3.5)),
        ("percentile_cont(amount, 0.9)", Some(3.4)),
        ("min(amount) + max(amount)", Some(3.0)),
        ("approx_distinct(actor)", Some(3.0)),
        ("sum(amount) filter (where event = 'none')", None),
        (
            "count(*) filter (where event = 'y') / count(*)",
            Some(1.0 / 3.0),
        ),
        ("count(*) / count(*) filter (where event = 'none')", None),
        ("count(*) % count(*) filter (where event = 'none')", None),
        ("sum(case when amount > 0 then 1 else 0 end)", Some(3.0)),
        (
            "count(*) filter (where amount between 0 and 2.5)",
            Some(3.0),
        ),
        (
            "count(*) filter (where event in ('x', 'z') and actor not like 'c%')",
            Some(2.0),
        ),
        ("count(*) filter (where amount is null)", Some(1.0)),
        ("sum(coalesce(amount, 10))", Some(16.5)),
        ("sum(length(event || actor))", Some(12.0)),
        (
            "count(*) filter (where time >= timestamp '2026-03-29T00:30:00Z')",
            Some(4.0),
        ),
        (
            "count(*) filter (where time < timestamp '2026-03-28T22:30:00Z' + interval '2 hours')",
            Some(2.0),
        ),
        ("sum(cast(\"Size\" as varchar)::int)", Some(22.0)),
        (
            "count(*) filter (where try_cast(event as double) is null)",
            Some(6.0),
        ),
    ];
    for (text, expected) in cases {
        let found = value(text, "UTC").await;
        let same = match (found, expected) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            (None, None) => true,
            _ => false,
        };
        assert!(same, "{text}: {found:?}, expected {expected:?}");
    }
}

#[tokio::test]
async fn parts_of_moments_are_those_of_the_zone() {
    let hour = "max(date_part('hour', time))";
    assert_eq!(value(hour, "UTC").await, Some(23.0));
    // 22:30Z is 23:30 in Berlin; 01:30Z is 03:30, after the clocks went forward.
    let early = "count(*) filter (where extract(hour from time) = 23)";
    assert_eq!(value(early, "UTC").await, Some(1.0));
    assert_eq!(value(early, "Europe/Berlin").await, Some(1.0));
    let skipped = "count(*) filter (where extract(hour from time) = 2)";
    assert_eq!(value(skipped, "UTC").await, Some(1.0));
    assert_eq!(value(skipped, "Europe/Berlin").await, Some(0.0));
    let days = "count(distinct cast(time as date))";
    assert_eq!(value(days, "America/New_York").await, Some(1.0));
    assert_eq!(value(days, "UTC").await, Some(2.0));
    let months = "count(distinct date_trunc('day', time))";
    assert_eq!(value(months, "Asia/Tokyo").await, Some(1.0));
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let schema =
        datafusion::common::DFSchema::try_from(rows().schema().as_ref().clone()).expect("a schema");
    let cx = PlanContext::new(&schema, "UTC");
    let formula: Formula = "sum(amuont)".parse().expect("a formula");
    let error = formula.aggregates()[0].to_expr(&cx).expect_err("no column");
    assert_eq!(
        error.message(),
        "the events have no column `amuont`; did you mean `amount`?"
    );
}
