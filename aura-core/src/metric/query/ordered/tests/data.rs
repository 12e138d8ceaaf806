//! Random events.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use proptest::prelude::*;

/// One event.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) actor: Option<usize>,
    pub(super) event: usize,
    /// Hours.
    pub(super) time: i64,
    pub(super) plan: Option<usize>,
    pub(super) flag: Option<bool>,
    pub(super) n: Option<i64>,
    /// Quarters.
    pub(super) x: Option<i64>,
    pub(super) day: Option<i32>,
}

const EVENTS: [&str; 4] = ["view", "buy", "ai_used", "ai_accepted"];
pub(super) const HOUR: i64 = 3_600_000_000;
/// 2026-01-01.
pub(super) const START: i64 = 1_767_225_600_000_000;

pub(super) fn rows(most: usize, null_actors: bool) -> impl Strategy<Value = Vec<Row>> {
    let actor =
        (0..6_usize, 0..20_u32).prop_map(move |(a, n)| (n > 0 || !null_actors).then_some(a));
    let row = (
        actor,
        0..EVENTS.len(),
        0..24 * 20_i64,
        proptest::option::of(0..3_usize),
        proptest::option::of(any::<bool>()),
        proptest::option::of(-5..5_i64),
        proptest::option::of(-9..9_i64),
        proptest::option::of(0..3_i32),
    );
    let row = row.prop_map(|(actor, event, time, plan, flag, n, x, day)| Row {
        actor,
        event,
        time,
        plan,
        flag,
        n,
        x,
        day,
    });
    proptest::collection::vec(row, 0..most)
}

pub(super) fn batch(rows: &[Row], dictionary: bool) -> RecordBatch {
    let text = |get: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        let plain: ArrayRef = Arc::new(rows.iter().map(get).collect::<StringArray>());
        match dictionary {
            true => {
                let codes =
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                cast(&plain, &codes).unwrap()
            }
            false => plain,
        }
    };
    let times = rows.iter().map(|r| START + r.time * HOUR);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("actor", text(&|r| r.actor.map(|a| format!("u{a}")))),
        ("event", text(&|r| Some(EVENTS[r.event].to_owned()))),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
        ),
        (
            "plan",
            text(&|r| r.plan.map(|p| ["free", "pro", "team"][p].to_owned())),
        ),
        (
            "flag",
            Arc::new(rows.iter().map(|r| r.flag).collect::<BooleanArray>()),
        ),
        (
            "n",
            Arc::new(rows.iter().map(|r| r.n).collect::<Int64Array>()),
        ),
        (
            "x",
            Arc::new(
                rows.iter()
                    .map(|r| r.x.map(|x| x as f64 / 4.0))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "day",
            Arc::new(rows.iter().map(|r| r.day).collect::<Date32Array>()),
        ),
        (
            "k",
            Arc::new(
                rows.iter()
                    .map(|r| r.n.map(|n| n as i32))
                    .collect::<Int32Array>(),
            ),
        ),
        (
            "u",
            Arc::new(
                rows.iter()
                    .map(|r| r.n.map(i64::unsigned_abs))
                    .collect::<UInt64Array>(),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}
