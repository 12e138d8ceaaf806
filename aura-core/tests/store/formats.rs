//! One sample of each format, written by other programs (`examples/data/formats/make.py`): the same rows come from all.

use aura_core::ingest::Source;
use aura_core::store::Store;
use serde_json::Value;

use crate::common::{ask, files_below, open, repository, run, sums};

const FILES: [&str; 8] = [
    "sample.arrow",
    "sample.arrows",
    "sample.csv",
    "sample.csv.gz",
    "sample.json",
    "sample.ndjson",
    "sample.ndjson.zst",
    "sample.parquet",
];
const ROWS: &str = "SELECT event_id, actor, event, CAST(time AS BIGINT), amount, items, member, CAST(day AS VARCHAR), note, extra \
                    FROM events ORDER BY event_id";

/// The rows as another reader of JSON sees them.
fn expected() -> Vec<Vec<Option<String>>> {
    let text = std::fs::read_to_string(repository("examples/data/formats/sample.ndjson")).unwrap();
    text.lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            let value = |key: &str| row.get(key).cloned().unwrap_or_default();
            let text = |key: &str| value(key).as_str().map(str::to_owned);
            let micros = text("time")
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
                .as_microsecond();
            vec![
                text("event_id"),
                text("user_id"),
                text("event"),
                Some(micros.to_string()),
                value("amount").as_f64().map(|v| v.to_string()),
                value("items").as_i64().map(|v| v.to_string()),
                value("member").as_bool().map(|v| v.to_string()),
                text("day"),
                text("note"),
                None,
            ]
        })
        .collect()
}

/// Numbers as numbers: the text of one is not the same everywhere.
fn numbers(mut rows: Vec<Vec<Option<String>>>) -> Vec<Vec<Option<String>>> {
    for row in &mut rows {
        row[4] = row[4]
            .as_ref()
            .map(|v| v.parse::<f64>().unwrap().to_string());
    }
    rows
}

#[test]
fn every_format_gives_the_same_rows() {
    let expected = expected();
    assert_eq!(expected.len(), 200);
    for file in FILES {
        let path = repository("examples/data/formats").join(file);
        let bytes = std::fs::read(&path).unwrap();
        // As a file, as bytes, and as a stream; under names that say nothing.
        for source in [
            Source::path(&path),
            Source::bytes("x", bytes.clone()),
            Source::reader("x", std::io::Cursor::new(bytes)),
        ] {
            run(async {
                let store = Store::in_memory().await.unwrap();
                let report = store.ingest(source).await.unwrap();
                assert_eq!(sums(&report), (200, 200, 0, 0), "{file}: {report:?}");
                let found = ask(&store.events().await.unwrap(), ROWS).await;
                assert_eq!(numbers(found), numbers(expected.clone()), "{file}");
            });
        }
    }
}

#[test]
fn all_formats_after_one_another_count_once() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        let pattern = repository("examples/data/formats/sample.*");
        let report = store.ingest(pattern.as_path()).await.unwrap();
        assert_eq!(sums(&report), (1_600, 200, 0, 1_400));
        let found = ask(&store.events().await.unwrap(), ROWS).await;
        assert_eq!(numbers(found), numbers(expected()));
        store.compact().await.unwrap();
        let found = ask(&store.events().await.unwrap(), ROWS).await;
        assert_eq!(numbers(found), numbers(expected()));
        assert!(!files_below(dir.path()).is_empty());
    });
}

/// A name need not be UTF-8: the file is there, and it is read.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir
        .path()
        .join(std::ffi::OsStr::from_bytes(b"ev\xffents.csv"));
    std::fs::write(&path, crate::common::csv("p", 0, 3)).unwrap();
    crate::common::run(async {
        let store = aura_core::store::Store::in_memory().await.unwrap();
        let report = store.ingest(path.as_path()).await.unwrap();
        assert_eq!(report.accepted, 3);
        let gone = dir.path().join(std::ffi::OsStr::from_bytes(b"\xff*.csv"));
        let error = store.ingest(gone).await.unwrap_err();
        assert_eq!(error.kind(), aura_core::ErrorKind::InvalidSpec, "{error}");
    });
}
