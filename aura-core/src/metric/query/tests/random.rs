//! Random data and random questions, against DuckDB.

use serde_json::Value;

use super::conformance::{cells, events, same};
use crate::metric::{MetricQuery, Registry};
use crate::python::run;

const SEED: &str = "20260101";
const VECTORS: usize = 60;

#[tokio::test]
async fn random_questions_have_the_answers_of_duckdb() {
    let vectors = run(
        "metric/random_vectors.py",
        &[SEED, &VECTORS.to_string()],
        &Value::Null,
    );
    let (mut cases, mut rows, mut faults) = (0, 0, Vec::new());
    for vector in vectors.as_array().unwrap() {
        let events = events(vector);
        let registry = Registry::parse(vector["registry"].as_str().unwrap()).unwrap();
        for case in vector["cases"].as_array().unwrap() {
            cases += 1;
            let query: MetricQuery = serde_json::from_value(case["query"].clone()).unwrap();
            let table = events.metrics(&registry, &query).await.unwrap();
            let schema = table.schema();
            let expected = case["expected"]["rows"].as_array().unwrap();
            let names = case["expected"]["columns"].as_array().unwrap();
            let places: Vec<usize> = names
                .iter()
                .map(|n| schema.index_of(n.as_str().unwrap()).unwrap())
                .collect();
            let found = cells(&table);
            let equal = found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| {
                    let expected = expected.as_array().unwrap();
                    places
                        .iter()
                        .zip(expected)
                        .all(|(at, expected)| same(&found[*at], expected))
                });
            if !equal {
                faults.push(format!("{}\n{table}\n{}", case["query"], case["expected"]));
            }
            rows += found.len();
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {cases}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(cases, 4 * VECTORS);
    assert!(rows > 1_000, "{rows}");
}
