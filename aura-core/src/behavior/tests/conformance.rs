//! The vectors of `conformance/behavior`, which every language runs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Float64Type};
use serde_json::{Map, Value};

use crate::behavior::Analysis;
use crate::engine::{Events, Table};
use crate::event::Roles;

fn vectors() -> Vec<(String, Value)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/behavior");
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

/// Makes events of rows: `time` is a moment, the columns named in `columns` have the type that stands there.
fn events(vector: &Value) -> Events {
    let rows = vector["data"].as_array().unwrap();
    let mut names: Vec<&str> = vec!["time", "actor", "event"];
    let declared = vector["columns"].as_object().unwrap();
    names.extend(declared.keys().map(String::as_str));
    let columns = names.iter().map(|name| {
        let values = rows.iter().map(|row| &row[*name]);
        let column: ArrayRef = if *name == "time" {
            let times = values.map(|v| {
                let moment = v.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
                moment.as_microsecond()
            });
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
        } else if declared.get(*name) == Some(&Value::from("number")) {
            Arc::new(values.map(Value::as_f64).collect::<Float64Array>())
        } else {
            Arc::new(values.map(Value::as_str).collect::<StringArray>())
        };
        (*name, column, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    Events::from_batches(vec![batch], &Roles::new("actor", "event", "time")).unwrap()
}

fn cells(table: &Table) -> Vec<Vec<Value>> {
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
fn same(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => found == expected,
    }
}

fn compare(table: &Table, expected: &Map<String, Value>, faults: &mut Vec<String>, what: &str) {
    let schema = table.schema();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    if serde_json::json!(names) != expected["columns"] {
        faults.push(format!(
            "{what}: columns {names:?}, expected {}",
            expected["columns"]
        ));
        return;
    }
    let found = cells(table);
    let rows = expected["rows"].as_array().unwrap();
    let equal = found.len() == rows.len()
        && found.iter().zip(rows).all(|(found, expected)| {
            let expected = expected.as_array().unwrap();
            found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| same(f, e))
        });
    if !equal {
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        faults.push(format!("{what}:\n{table}\nexpected\n{}", lines.join("\n")));
    }
}

#[tokio::test]
async fn every_vector_gives_its_table() {
    let (mut cases, mut faults) = (0, Vec::new());
    let vectors = vectors();
    assert_eq!(vectors.len(), 6);
    for (name, vector) in &vectors {
        let events = events(vector);
        for case in vector["cases"].as_array().unwrap() {
            cases += 1;
            let what = format!("{name}: {}", case["description"]);
            let spec: Analysis = serde_json::from_value(case["spec"].clone()).unwrap();
            let read = Analysis::from_json(&case["spec"].to_string()).unwrap();
            assert_eq!(read, spec);
            // The JSON form is read as it is written.
            let again = serde_json::to_value(&spec).unwrap();
            assert_eq!(serde_json::from_value::<Analysis>(again).unwrap(), spec);
            match (events.run(&spec).await, case.get("error")) {
                (Ok(table), None) => {
                    let expected = case["expected"].as_object().unwrap();
                    compare(&table, expected, &mut faults, &what);
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
    assert_eq!(cases, 97);
}
