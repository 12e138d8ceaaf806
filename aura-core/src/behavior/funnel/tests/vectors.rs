//! The vectors of `conformance/funnel`, which every language runs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::datasource::MemTable;
use serde_json::{Value, json};

use crate::behavior::Analysis;
use crate::engine::{EngineSettings, Events, Table};
use crate::event::Roles;

pub(in crate::behavior) fn file() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/conformance/funnel/funnel.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The events of the vectors, in `parts` partitions, as many threads, and perhaps the other way round.
pub(in crate::behavior) fn events(vectors: &Value, parts: usize, reversed: bool) -> Events {
    let mut rows: Vec<&Value> = vectors["data"].as_array().unwrap().iter().collect();
    if reversed {
        rows.reverse();
    }
    let batch = |rows: &[&Value]| {
        let column = |name: &str| -> ArrayRef {
            let values = rows.iter().map(|row| &row[name]);
            match name {
                "time" => {
                    let moment =
                        |v: &Value| v.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
                    let times = values.map(|v| Some(moment(v).as_microsecond()));
                    let times: TimestampMicrosecondArray = times.collect();
                    Arc::new(times.with_timezone("UTC"))
                }
                "amount" => Arc::new(values.map(Value::as_f64).collect::<Float64Array>()),
                _ => Arc::new(values.map(Value::as_str).collect::<StringArray>()),
            }
        };
        let names = ["time", "actor", "event", "plan", "team", "cart", "amount"];
        RecordBatch::try_from_iter_with_nullable(names.map(|n| (n, column(n), true))).unwrap()
    };
    let size = rows.len().div_ceil(parts).max(1);
    let mut parts: Vec<_> = rows.chunks(size).map(|rows| vec![batch(rows)]).collect();
    if parts.is_empty() {
        parts.push(vec![batch(&[])]);
    }
    let settings = EngineSettings {
        threads: parts.len(),
        ..EngineSettings::default()
    };
    let table = MemTable::try_new(parts[0][0].schema(), parts).unwrap();
    let roles = Roles::new("actor", "event", "time");
    Events::from_provider(Arc::new(table), &roles, &settings).unwrap()
}

fn cell(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Timestamp(..) => arrow::util::display::array_value_to_string(column, row)
            .unwrap()
            .into(),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            (0..list.len()).map(|i| cell(&list, i)).collect()
        }
        _ => {
            let number = arrow::compute::cast(&column.slice(row, 1), &DataType::Float64).unwrap();
            number.as_primitive::<Float64Type>().value(0).into()
        }
    }
}

pub(in crate::behavior) fn cells(table: &Table) -> Vec<Value> {
    let batch = table.to_batch().unwrap();
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|c| cell(c, row)).collect())
        .collect()
}

/// Tells whether two cells are equal: numbers to 1e-9, all else exactly.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => match (found.as_f64(), expected.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
            _ => found == expected,
        },
    }
}

/// Tells whether a table has the columns and the rows that a vector expects.
pub(super) fn agrees(table: &Table, expected: &Value) -> bool {
    let schema = table.schema();
    let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let rows = expected["rows"].as_array().unwrap();
    let found = cells(table);
    json!(names) == expected["columns"]
        && found.len() == rows.len()
        && found.iter().zip(rows).all(|(found, row)| same(found, row))
}

#[tokio::test]
async fn every_vector_gives_its_table() {
    let vectors = file();
    let events = events(&vectors, 2, false);
    let mut faults = Vec::new();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 86);
    for case in cases {
        let what = &case["description"];
        let spec: Analysis = serde_json::from_value(case["spec"].clone()).unwrap();
        let read = Analysis::from_json(&case["spec"].to_string()).unwrap();
        assert_eq!(read, spec);
        let again = serde_json::to_value(&spec).unwrap();
        assert_eq!(serde_json::from_value::<Analysis>(again).unwrap(), spec);
        match (events.run(&spec).await, case.get("error")) {
            (Ok(table), None) => {
                if !agrees(&table, &case["expected"]) {
                    let rows = case["expected"]["rows"].as_array().unwrap();
                    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
                    faults.push(format!("{what}:\n{table}\nexpected\n{}", lines.join("\n")));
                }
            }
            (Err(error), Some(expected)) => {
                let start = expected["starts_with"].as_str().unwrap();
                if error.kind().code() != expected["kind"] || !error.message().starts_with(start) {
                    faults.push(format!("{what}: {}: {}", error.kind(), error.message()));
                }
            }
            (Ok(table), Some(_)) => faults.push(format!("{what}: no error\n{table}")),
            (Err(error), None) => faults.push(format!("{what}: {error}")),
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    for case in vectors["unreadable"].as_array().unwrap() {
        let spec = case["spec"].to_string();
        assert!(serde_json::from_str::<Analysis>(&spec).is_err(), "{spec}");
        let error = Analysis::from_json(&spec).unwrap_err();
        assert_eq!(error.kind().code(), "INVALID_SPEC");
        let end = case["ends_with"].as_str().unwrap_or_default();
        assert!(error.message().ends_with(end), "{error}");
    }
}
