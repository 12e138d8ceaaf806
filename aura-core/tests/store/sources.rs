//! Sources that are more, or less, than a plain file of rows; and what is said and left behind of them.

use std::sync::{Arc, Mutex};

use aura_core::ErrorKind;
use aura_core::engine::{EngineSettings, Events};
use aura_core::event::Roles;
use aura_core::ingest::{IngestOptions, Progress, Source};
use aura_core::store::Store;

use super::bad_text::{A, B, refused};
use crate::common::{batch, csv, run, sums};

#[test]
fn json_over_several_lines_is_one_error() {
    let pretty = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    };
    let wrapped = pretty(&format!("{{\"events\":[{A},{B}]}}"));
    let two = format!("{}\n{}\n", pretty(A), pretty(B));
    let long = pretty(&format!("{{\"events\":[{}]}}", vec![A; 2_000].join(",")));
    for text in [
        pretty(A),
        wrapped,
        two,
        format!("\u{feff}\r\n{}", pretty(A)),
        long,
    ] {
        refused(text, ErrorKind::InvalidData, "JSON over several lines");
    }
    // A row that is broken in two is not the whole source.
    let broken = format!("{}\n{A}\n{B}\n", A.replace(",\"event\"", ",\n\"event\""));
    run(async {
        let store = Store::in_memory().await.unwrap();
        let report = store.ingest(Source::bytes("broken", broken)).await.unwrap();
        assert_eq!(sums(&report), (4, 2, 2, 0));
    });
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_as_a_stream() {
    let dir = tempfile::tempdir().unwrap();
    let parquet = {
        let rows = batch("p", 0, 100);
        let mut out =
            parquet::arrow::ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
        out.write(&rows).unwrap();
        out.into_inner().unwrap()
    };
    let text = csv("c", 0, 100);
    for (name, bytes) in [("csv", text.into_bytes()), ("parquet", parquet)] {
        let path = dir.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let to = path.clone();
        let writer = std::thread::spawn(move || std::fs::write(to, bytes).unwrap());
        run(async {
            let store = Store::in_memory().await.unwrap();
            let seen = Arc::new(Mutex::new(Progress::default()));
            let last = Arc::clone(&seen);
            let options =
                IngestOptions::default().on_progress(move |p| *last.lock().unwrap() = p.clone());
            let report = store.ingest_with(path.as_path(), &options).await.unwrap();
            assert_eq!(sums(&report), (100, 100, 0, 0), "{name}");
            let last = seen.lock().unwrap().clone();
            assert_eq!((last.bytes_read, last.bytes_total), (report.bytes, None));
        });
        writer.join().unwrap();
        let path = path.to_str().unwrap();
        let settings = EngineSettings::default();
        let error = run(Events::from_files(path, &Roles::default(), &settings)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.message().contains("no regular file"), "{error}");
    }
}

#[test]
fn a_url_is_said_to_be_one() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        for (url, words) in [
            ("https://example.org/a.csv", "`Source::reader`"),
            ("s3://bucket/*.parquet", "is a URL"),
            ("file:///data/a.csv", "the path itself: `/data/a.csv`"),
        ] {
            let error = store.ingest(url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{error}");
            assert!(error.message().contains(words), "{error}");
        }
    });
}
