//! The vectors of `conformance/detect`, written by `tests/detect/make_vectors.py`.

use serde_json::Value;

use super::fact::{Detector, FactKind};
use super::mann_kendall::mann_kendall;
use super::pelt::pelt;
use super::special::{chi2_upper, normal_upper, poisson_lower, poisson_upper, student_two_sided};
use super::*;

fn cases(name: &str, expected: usize) -> Vec<Value> {
    let path = format!(
        "{}/conformance/detect/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap().clone();
    assert_eq!(cases.len(), expected, "{name}");
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

/// The oracle and this code round differently; 1e-9 of a number is far below what any decision needs.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs() + 1e-280
}

#[test]
fn mann_kendall_is_that_of_pymannkendall() {
    for case in cases("mann_kendall", 7) {
        let lags = case["lags"].as_u64().unwrap() as usize;
        let found = mann_kendall(&numbers(&case["values"]), lags).unwrap();
        let expected = |key: &str| case["expected"][key].as_f64().unwrap();
        for (name, value) in [
            ("s", found.s),
            ("variance", found.variance),
            ("z", found.z),
            ("p_value", found.p_value),
            ("slope", found.slope),
        ] {
            let same = close(value, expected(name)) || (value - expected(name)).abs() < 1e-12;
            assert!(
                same,
                "{} {name}: {value} {}",
                case["description"],
                expected(name)
            );
        }
    }
}

#[test]
fn pelt_finds_the_optimum() {
    for case in cases("pelt", 6) {
        let values = numbers(&case["values"]);
        let weights = vec![1.0; values.len()];
        let penalty = case["penalty"].as_f64().unwrap();
        let least = case["least"].as_u64().unwrap() as usize;
        let found: Vec<f64> = pelt(&values, &weights, penalty, least)
            .into_iter()
            .map(|c| c as f64)
            .collect();
        assert_eq!(found, numbers(&case["expected"]), "{}", case["description"]);
    }
}

#[test]
fn tails_are_those_of_scipy() {
    for case in cases("tails", 32) {
        let a = numbers(&case["arguments"]);
        let found = match case["function"].as_str().unwrap() {
            "normal_upper" => normal_upper(a[0]),
            "chi2_upper" => chi2_upper(a[0], a[1]),
            "student_two_sided" => student_two_sided(a[0], a[1]),
            "poisson_lower" => poisson_lower(a[0], a[1]),
            "poisson_upper" => poisson_upper(a[0], a[1]),
            other => panic!("{other}"),
        };
        let expected = case["expected"].as_f64().unwrap();
        assert!(close(found, expected), "{case} {found}");
    }
}

#[test]
fn q_values_are_those_of_statsmodels() {
    for case in cases("multiple", 4) {
        let tests = case["tests"].as_u64().unwrap() as usize;
        let found = q_values(&numbers(&case["p_values"]), tests);
        let expected = numbers(&case["expected"]);
        assert_eq!(found.len(), expected.len());
        assert!(
            found.iter().zip(&expected).all(|(a, b)| close(*a, *b)),
            "{case} {found:?}"
        );
    }
}

#[test]
fn rules_find_what_is_there_and_nothing_else() {
    for case in cases("rules", 14) {
        let values: Vec<Option<f64>> = case["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::as_f64)
            .collect();
        let sample = Sample {
            values,
            weights: case.get("weights").map(numbers).unwrap_or_default(),
            measure: match case["measure"].as_str().unwrap() {
                "share" => Measure::Share,
                _ => Measure::Count,
            },
            cycle: case["cycle"].as_u64().unwrap() as usize,
        };
        let mut found = Vec::new();
        if let Some(profile) = Profile::new(&sample) {
            let detectors: [(&str, &dyn Detector); 4] = [
                ("shift", &ShiftDetector),
                ("trend", &TrendDetector),
                ("anomaly", &AnomalyDetector),
                ("missing", &GapDetector),
            ];
            for (name, detector) in detectors {
                for fact in detector.detect(&profile) {
                    if fact.p_value < 0.001 {
                        let way = if fact.absolute() > 0.0 { "up" } else { "down" };
                        found.push((name, fact.from, fact.to, way));
                    }
                }
            }
        }
        let expected: Vec<_> = case["expected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| {
                (
                    e["rule"].as_str().unwrap(),
                    e["from"].as_u64().unwrap() as usize,
                    e["to"].as_u64().unwrap() as usize,
                    e["direction"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(found, expected, "{}", case["description"]);
    }
}

#[test]
fn a_fact_knows_its_size() {
    let values = (0..80)
        .map(|i| Some(if i < 40 { 100.0 } else { 150.0 } + f64::from(i % 3)))
        .collect();
    let sample = Sample {
        values,
        weights: Vec::new(),
        measure: Measure::Level,
        cycle: 1,
    };
    let facts = ShiftDetector.detect(&Profile::new(&sample).unwrap());
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (facts[0].kind, facts[0].from, facts[0].to),
        (FactKind::Shift, 40, 80)
    );
    assert!(
        (facts[0].relative().unwrap() - 0.495).abs() < 0.01,
        "{:?}",
        facts[0].relative()
    );
}
