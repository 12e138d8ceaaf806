//! The vectors of `conformance/` are what their scripts write.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::python;

fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    });
    files.collect()
}

fn is_fresh(room: &str) {
    let written = tempfile::tempdir().unwrap();
    let script = format!("{room}/make_vectors.py");
    python::output(&script, &[written.path().to_str().unwrap()], &Value::Null);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (found, expected) = (
        files(&root.join("conformance").join(room)),
        files(written.path()),
    );
    assert!(!expected.is_empty());
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (name, text) in &expected {
        assert!(
            &found[name] == text,
            "conformance/{room}/{name} is not what tests/{script} writes; run it with the directory as its argument"
        );
    }
}

#[test]
fn vectors_of_behavior_are_fresh() {
    is_fresh("behavior");
}

#[test]
fn vectors_of_functions_are_fresh() {
    is_fresh("functions");
}

#[test]
fn vectors_of_funnels_are_fresh() {
    is_fresh("funnel");
}

#[test]
fn vectors_of_metrics_are_fresh() {
    is_fresh("metric");
}

/// Of the vectors of detectors, those whose script needs nothing but Python.
#[test]
fn vectors_of_states_are_fresh() {
    let written = tempfile::tempdir().unwrap();
    let script = "detect/make_state_vectors.py";
    python::output(script, &[written.path().to_str().unwrap()], &Value::Null);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = files(&root.join("conformance/detect"));
    let expected = files(written.path());
    assert_eq!(expected.len(), 1);
    for (name, text) in &expected {
        assert!(
            found.get(name) == Some(text),
            "conformance/detect/{name} is not what tests/{script} writes; run it with the directory as its argument"
        );
    }
}

#[test]
fn every_room_is_looked_at() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let rooms = std::fs::read_dir(root).unwrap();
    let mut rooms: Vec<String> = rooms
        .map(|room| room.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    rooms.sort();
    // Most of those of `detect` are written with scipy, ruptures and pymannkendall, which nothing else here needs: they are read by
    // the tests of their room, and written anew by hand.
    assert_eq!(
        rooms,
        ["behavior", "detect", "functions", "funnel", "metric"]
    );
}
