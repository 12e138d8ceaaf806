//! The vectors of `conformance/metric`, which every language runs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Float64Type};
use serde_json::{Map, Value};

use crate::engine::{Events, Table};
use crate::event::Roles;
use crate::metric::{MetricQuery, Registry};
use crate::python::run;

pub(super) fn vectors() -> Vec<(String, Value)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/metric");
    let mut found: Vec<(String, Value)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Makes events of rows: `time` is a moment, the columns named in `columns` have the type that stands there, all others
/// are text.
pub(super) fn events(vector: &Value) -> Events {
    let rows = vector["data"].as_array().unwrap();
    let mut names: Vec<String> = ["time", "actor", "event"].map(str::to_owned).to_vec();
    let declared = vector["columns"].as_object().unwrap();
    names.extend(declared.keys().cloned());
    for key in rows.iter().flat_map(|r| r.as_object().unwrap().keys()) {
        if !names.contains(key) {
            names.push(key.clone());
        }
    }
    let columns = names.iter().map(|name| {
        let values = rows.iter().map(|row| &row[name]);
        let number = declared.get(name) == Some(&Value::from("number"));
        let column: ArrayRef = if name == "time" {
            let moment = |v: &Value| v.as_str()?.parse::<jiff::Timestamp>().ok();
            let times = values.map(|v| moment(v).map(|t| t.as_microsecond()));
            Arc::new(
                times
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            )
        } else if number {
            Arc::new(values.map(Value::as_f64).collect::<Float64Array>())
        } else {
            Arc::new(values.map(Value::as_str).collect::<StringArray>())
        };
        (name.as_str(), column)
    });
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap();
    Events::from_batches(vec![batch], &Roles::new("actor", "event", "time")).unwrap()
}

pub(super) fn cells(table: &Table) -> Vec<Vec<Value>> {
    let batch = table.to_batch().unwrap();
    let cell = |column: &ArrayRef, row: usize| -> Value {
        if column.is_null(row) {
            return Value::Null;
        }
        match column.data_type() {
            DataType::Boolean => column.as_boolean().value(row).into(),
            DataType::Utf8 => column.as_string::<i32>().value(row).into(),
            DataType::Timestamp(..) => arrow::util::display::array_value_to_string(column, row)
                .unwrap()
                .into(),
            _ => {
                let number = arrow::compute::cast(column, &DataType::Float64).unwrap();
                number.as_primitive::<Float64Type>().value(row).into()
            }
        }
    };
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|c| cell(c, row)).collect())
        .collect()
}

/// Tells whether two cells are equal: numbers to 1e-9, all else exactly.
pub(super) fn same(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => found == expected,
    }
}

fn compare(table: &Table, expected: &Map<String, Value>, faults: &mut Vec<String>, what: &str) {
    let schema = table.schema();
    let names: Vec<Value> = schema
        .fields()
        .iter()
        .map(|f| f.name().as_str().into())
        .collect();
    if Value::from(names.clone()) != expected["columns"] {
        faults.push(format!(
            "{what}: columns {names:?}, expected {}",
            expected["columns"]
        ));
        return;
    }
    let found = cells(table);
    let expected = expected["rows"].as_array().unwrap();
    if found.len() != expected.len() {
        faults.push(format!(
            "{what}: {} rows, expected {}\n{table}",
            found.len(),
            expected.len()
        ));
        return;
    }
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (at, (found, expected)) in found.iter().zip(expected.as_array().unwrap()).enumerate() {
            if !same(found, expected) {
                faults.push(format!(
                    "{what}: row {row}, {}: {found}, expected {expected}",
                    names[at]
                ));
            }
        }
    }
}

/// `tests/metric/make_vectors.py DIRECTORY` writes the files anew.
#[test]
fn the_files_are_those_that_the_generator_writes() {
    let written = run("metric/make_vectors.py", &["-"], &Value::Null);
    for (name, vector) in vectors() {
        assert_eq!(written[&name], vector, "{name}");
    }
    assert_eq!(written.as_object().unwrap().len(), vectors().len());
}

#[tokio::test]
async fn every_vector_gives_its_table() {
    let (mut cases, mut faults) = (0, Vec::new());
    let vectors = vectors();
    assert_eq!(vectors.len(), 16);
    for (name, vector) in &vectors {
        let events = events(vector);
        let registry = Registry::parse(vector["registry"].as_str().unwrap()).unwrap();
        for case in vector["cases"].as_array().unwrap() {
            cases += 1;
            let what = format!("{name}: {}", case["description"]);
            let query: MetricQuery = serde_json::from_value(case["query"].clone()).unwrap();
            let answer = events.metrics(&registry, &query).await;
            match (answer, case.get("error")) {
                (Ok(table), None) => {
                    compare(
                        &table,
                        case["expected"].as_object().unwrap(),
                        &mut faults,
                        &what,
                    );
                }
                (Err(error), Some(expected)) => {
                    let message = expected["message"].as_str();
                    if error.kind().code() != expected["kind"]
                        || message.is_some_and(|m| m != error.message())
                    {
                        faults.push(format!("{what}: {}: {}", error.kind(), error.message()));
                    }
                }
                (Ok(table), Some(_)) => faults.push(format!("{what}: no error\n{table}")),
                (Err(error), None) => faults.push(format!("{what}: {error}")),
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(cases, 99);
}
