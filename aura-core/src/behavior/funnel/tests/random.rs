//! Random events and random funnels with every option, against the naive program of `tests/funnel`.

use serde_json::Value;

use super::vectors::{agrees, cells, events};
use crate::behavior::Analysis;
use crate::python;

const SEED: &str = "20260301";
const VECTORS: usize = 70;

#[tokio::test]
async fn random_funnels_have_the_answers_of_naive_ones() {
    let vectors = python::run(
        "funnel/random_vectors.py",
        &[SEED, &VECTORS.to_string()],
        &Value::Null,
    );
    let (mut cases, mut chains, mut faults) = (0, 0.0, Vec::new());
    for vector in vectors.as_array().unwrap() {
        let all = vector["cases"].as_array().unwrap();
        let specs: Vec<Analysis> = all
            .iter()
            .map(|case| serde_json::from_value(case["spec"].clone()).unwrap())
            .collect();
        // As it comes, and in other parts, orders, threads and company.
        for (parts, reversed) in [(1, false), (2, true), (4, false)] {
            let events = events(vector, parts, reversed);
            let together = events.run_all(&specs).await.unwrap();
            for ((case, spec), table) in all.iter().zip(&specs).zip(&together) {
                cases += 1;
                let alone = events.run(spec).await.unwrap();
                assert_eq!(cells(&alone), cells(table), "{parts} {}", case["spec"]);
                if !agrees(table, &case["expected"]) {
                    let rows = case["expected"]["rows"].as_array().unwrap();
                    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
                    let expected = rows.join("\n");
                    faults.push(format!("{parts} {}\n{table}\n{expected}", case["spec"]));
                }
                let schema = table.schema();
                let count = schema.index_of("count").unwrap();
                let counts = cells(table);
                chains += counts
                    .iter()
                    .map(|r| r[count].as_f64().unwrap())
                    .sum::<f64>();
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {cases}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(cases, VECTORS * 8 * 3);
    // Not all of them are empty.
    assert!(chains > 5_000.0, "{chains}");
}
