//! Small random streams of events with many ties, and tables as values, for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};
use datafusion::datasource::MemTable;
use proptest::prelude::*;
use serde_json::Value;

use super::Analysis;
use crate::engine::{EngineSettings, Events, Table};
use crate::event::Roles;
use crate::{Error, Result};

pub(crate) const HOUR: i64 = 3_600_000_000;
pub(crate) const DAY: i64 = 24 * HOUR;
/// 2026-03-01T00:00:00Z, a Sunday; the clocks of New York go forward on the 8th.
pub(crate) const BASE: i64 = 1_772_323_200_000_000;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) actor: &'static str,
    pub(crate) event: &'static str,
    pub(crate) time: i64,
    pub(crate) plan: Option<&'static str>,
    pub(crate) n: Option<i64>,
    /// A multiple of a quarter, so that sums are exact in any order.
    pub(crate) amount: Option<f64>,
}

/// Rows of few actors, days and moments.
pub(crate) fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let moment = prop_oneof![
        Just(0),
        Just(1),
        Just(5 * HOUR),
        Just(6 * HOUR),
        0..DAY,
        Just(DAY - 1)
    ];
    let row = (
        prop::sample::select(vec!["a", "b", "c", "d"]),
        prop::sample::select(vec!["view", "buy", "sign", "quit"]),
        (0..40_i64, moment).prop_map(|(day, part)| BASE + day * DAY + part),
        prop::sample::select(vec![None, Some("free"), Some("pro")]),
        prop::sample::select(vec![None, Some(1), Some(2)]),
        prop::option::of((-8..100_i64).prop_map(|q| q as f64 / 4.0)),
    );
    let row = row.prop_map(|(actor, event, time, plan, n, amount)| Row {
        actor,
        event,
        time,
        plan,
        n,
        amount,
    });
    prop::collection::vec(row, 0..most)
}

pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    let texts = |of: fn(&Row) -> Option<&'static str>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.time));
    let columns: [(&str, ArrayRef); 6] = [
        ("actor", texts(|r| Some(r.actor))),
        ("event", texts(|r| Some(r.event))),
        ("time", Arc::new(times.with_timezone("UTC"))),
        ("plan", texts(|r| r.plan)),
        (
            "n",
            Arc::new(rows.iter().map(|r| r.n).collect::<Int64Array>()),
        ),
        (
            "amount",
            Arc::new(rows.iter().map(|r| r.amount).collect::<Float64Array>()),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap()
}

/// Makes events of rows in several batches, to be read by some threads.
pub(crate) fn events(rows: &[Row], batches: usize, threads: usize) -> Events {
    let size = rows.len().div_ceil(batches).max(1);
    let mut parts: Vec<RecordBatch> = rows.chunks(size).map(batch).collect();
    if parts.is_empty() {
        parts.push(batch(&[]));
    }
    let table = MemTable::try_new(parts[0].schema(), vec![parts]).unwrap();
    let settings = EngineSettings {
        threads,
        ..EngineSettings::default()
    };
    let roles = Roles::new("actor", "event", "time");
    Events::from_provider(Arc::new(table), &roles, &settings).unwrap()
}

/// Runs an analysis from a thread of a test.
pub(crate) fn run(events: &Events, spec: impl Into<Analysis>) -> Result<Table> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(events.run(spec))
}

/// Says why an analysis is refused.
pub(crate) fn refused(spec: impl Into<Analysis>) -> Error {
    let rows = [Row {
        actor: "a",
        event: "view",
        time: BASE,
        plan: None,
        n: None,
        amount: None,
    }];
    run(&events(&rows, 1, 1), spec).unwrap_err()
}

/// Returns the rows of a table by the names of its columns; times are microseconds.
pub(crate) fn cells(table: &Table) -> Vec<BTreeMap<String, Value>> {
    let batch = table.to_batch().unwrap();
    let cell = |column: &ArrayRef, row: usize| -> Value {
        if column.is_null(row) {
            return Value::Null;
        }
        match column.data_type() {
            DataType::Boolean => column.as_boolean().value(row).into(),
            DataType::Utf8 => column.as_string::<i32>().value(row).into(),
            DataType::Timestamp(..) => column
                .as_primitive::<TimestampMicrosecondType>()
                .value(row)
                .into(),
            DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
            _ => {
                let number = arrow::compute::cast(column, &DataType::Int64).unwrap();
                let number = number.as_primitive::<arrow::datatypes::Int64Type>();
                number.value(row).into()
            }
        }
    };
    let schema = batch.schema();
    (0..batch.num_rows())
        .map(|row| {
            let fields = schema.fields().iter().zip(batch.columns());
            fields
                .map(|(field, column)| (field.name().clone(), cell(column, row)))
                .collect()
        })
        .collect()
}

/// Writes one row of an expected table.
macro_rules! row {
    ($($name:literal: $value:expr),* $(,)?) => {{
        let mut row = std::collections::BTreeMap::<String, serde_json::Value>::new();
        $(row.insert($name.to_owned(), serde_json::json!($value));)*
        row
    }};
}
pub(crate) use row;

/// The values of the columns `by` of a row, as they are ordered: by text or number, null last.
pub(crate) type Group = Vec<(bool, Value)>;

/// Columns that may be broken down by.
pub(crate) fn by() -> impl Strategy<Value = Vec<String>> {
    prop::sample::select(vec![vec![], vec!["plan"], vec!["n"], vec!["plan", "n"]])
        .prop_map(|names: Vec<&str>| names.into_iter().map(str::to_owned).collect())
}

pub(crate) fn group(row: &Row, by: &[String]) -> Group {
    let value = |name: &String| match name.as_str() {
        "plan" => serde_json::json!(row.plan),
        _ => serde_json::json!(row.n),
    };
    by.iter()
        .map(value)
        .map(|value| (value.is_null(), value))
        .collect()
}

/// Compares groups as results order them.
pub(crate) fn compare(a: &Group, b: &Group) -> std::cmp::Ordering {
    let key = |group: &Group| -> Vec<(bool, String)> {
        let parts = group.iter();
        parts
            .map(|(null, value)| (*null, value.to_string()))
            .collect()
    };
    key(a).cmp(&key(b))
}

/// All different groups, in order.
pub(crate) fn groups<'a>(rows: impl Iterator<Item = &'a Row>, by: &[String]) -> Vec<Group> {
    let mut all: Vec<Group> = rows.map(|r| group(r, by)).collect();
    all.sort_by(compare);
    all.dedup();
    all
}

/// Adds the values of a group to a row.
pub(crate) fn with_group(
    mut row: BTreeMap<String, Value>,
    by: &[String],
    group: &Group,
) -> BTreeMap<String, Value> {
    for (name, (_, value)) in by.iter().zip(group) {
        row.insert(name.clone(), value.clone());
    }
    row
}
