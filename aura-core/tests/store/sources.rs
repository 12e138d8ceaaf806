//! Sources that are more, or less, than a plain file of rows; and what is said and left behind of them.

use std::sync::{Arc, Mutex};

use aura_core::ErrorKind;
use aura_core::engine::{EngineSettings, Events};
use aura_core::event::Roles;
use aura_core::ingest::{IngestOptions, Progress, Source};
use aura_core::store::Store;

use super::bad_text::{A, B, refused, row};
use crate::common::{batch, counts, csv, run, sums};

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

#[test]
fn times_without_zone_are_one_error_in_every_format() {
    let text = "actor,event,time\nu,x,2026-01-01 00:00:00\nu,x,2026-01-02 00:00:00\n";
    let words = "state the zone of its times with `time_zone`";
    refused(text, ErrorKind::InvalidSpec, words);
    let line = r#"{"actor":"u","event":"x","time":"2026-01-01T00:00:00"}"#;
    refused(line, ErrorKind::InvalidSpec, words);
    let rows = batch("n", 0, 10);
    let naive =
        arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None);
    let schema = rows.schema();
    let columns = schema
        .fields()
        .iter()
        .zip(rows.columns())
        .map(|(field, column)| {
            let column = match field.name().as_str() {
                "time" => arrow::compute::cast(column, &naive).unwrap(),
                _ => Arc::clone(column),
            };
            (field.name().clone(), column)
        });
    let rows = arrow::array::RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap();
    let mut out = parquet::arrow::ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
    out.write(&rows).unwrap();
    refused(
        out.into_inner().unwrap(),
        ErrorKind::InvalidSpec,
        "`time_zone`",
    );
    run(async {
        // Where some have a zone, the others alone are rejected.
        let store = Store::in_memory().await.unwrap();
        let mixed = format!("{text}u,x,2026-01-01T00:00:00Z\n");
        let report = store.ingest(Source::bytes("mixed", mixed)).await.unwrap();
        assert_eq!(sums(&report), (3, 1, 2, 0));
        let store = Store::in_memory().await.unwrap();
        let stated = IngestOptions::with_roles(Roles::default().with_time_zone("UTC"));
        let report = store
            .ingest_with(Source::bytes("stated", text), &stated)
            .await
            .unwrap();
        assert_eq!(sums(&report), (2, 2, 0, 0));
    });
}

#[test]
fn a_source_that_is_partly_known_is_noted() {
    let line = |n: usize| format!("u,x,{},{n}\n", 1_767_225_600 + n);
    let text = |rows: std::ops::Range<usize>| -> String {
        "actor,event,time,n\n".to_owned() + &rows.map(line).collect::<String>()
    };
    run(async {
        let store = Store::in_memory().await.unwrap();
        let ingest = |text: String| store.ingest(Source::bytes("f.csv", text));
        let report = ingest(text(0..8).replace("u,x,1767225602,2", ",x,1767225602,2"))
            .await
            .unwrap();
        assert_eq!((sums(&report), &report.notes[..]), ((8, 7, 1, 0), &[][..]));
        // The mended file: what follows the row that was mended is there twice.
        let report = ingest(text(0..8)).await.unwrap();
        assert_eq!(sums(&report), (8, 6, 0, 2));
        assert_eq!(report.notes.len(), 1);
        assert!(
            report.notes[0].starts_with(
                "f.csv: of the rows without an event id 2 were known already and 6 are new"
            ),
            "{:?}",
            report.notes
        );
        assert!(report.notes[0].contains("`event_id`"));
        let report = ingest(text(0..8)).await.unwrap();
        assert_eq!((sums(&report), report.notes.len()), ((8, 0, 0, 8), 0));
        // With ids there is nothing to say.
        let mended = csv("i", 0, 4).replace("i-1,u1", "i-1,");
        store.ingest(Source::bytes("ids", mended)).await.unwrap();
        let report = store
            .ingest(Source::bytes("ids", csv("i", 0, 6)))
            .await
            .unwrap();
        assert_eq!((sums(&report), report.notes.len()), ((6, 3, 0, 3), 0));
        // Appended batches as well.
        let rows = batch("b", 0, 5).project(&[1, 2, 3, 4]).unwrap();
        store.append(rows.slice(0, 3)).await.unwrap();
        let report = store.append(rows).await.unwrap();
        assert_eq!((sums(&report), report.notes.len()), ((5, 2, 0, 3), 1));
    });
}

#[test]
fn progress_counts_what_was_processed_and_ends_with_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut total = 0;
    for (name, rows) in [("a", 60_000), ("b", 1_000)] {
        let text = csv(name, 0, rows);
        total += text.len() as u64;
        std::fs::write(dir.path().join(format!("{name}.csv")), text).unwrap();
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let mut options = IngestOptions::default().on_progress(move |p: &Progress| {
        // Time for the reader to run ahead as far as it may.
        std::thread::sleep(std::time::Duration::from_millis(20));
        log.lock().unwrap().push(p.clone());
    });
    options.limits.block_bytes = 128 << 10;
    options.limits.max_row_bytes = 1 << 10;
    run(async {
        let store = Store::in_memory().await.unwrap();
        let files = dir.path().join("*.csv");
        let report = store.ingest_with(files, &options).await.unwrap();
        assert_eq!(sums(&report), (61_000, 61_000, 0, 0));
    });
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 10, "{} calls", seen.len());
    let last = seen.last().unwrap();
    let all = (total, Some(total), 61_000);
    assert_eq!((last.bytes_read, last.bytes_total, last.rows_read), all);
    for pair in seen.windows(2) {
        assert!(pair[0].bytes_read <= pair[1].bytes_read && pair[0].rows_read <= pair[1].rows_read);
    }
    // Rows have about the same length, so that their number tells the bytes. Only the window that the block was
    // cut from and the buffer before it (256 KiB) are ahead; the blocks that wait are six and more.
    for progress in seen.iter() {
        let processed = total as f64 * progress.rows_read as f64 / 61_000.0;
        let ahead = progress.bytes_read as f64 - processed;
        assert!(
            ahead < (512 << 10) as f64,
            "{ahead} bytes ahead: {progress:?}"
        );
    }
}

#[test]
fn a_source_without_an_accepted_row_adds_no_column() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let bad =
            "actor,event,time,left_behind\n,x,2026-01-01T00:00:00Z,1\n,x,2026-01-01T00:00:00Z,2\n";
        let report = store.ingest(Source::bytes("bad", bad)).await.unwrap();
        assert_eq!(
            (sums(&report), report.columns_added.len()),
            ((2, 0, 2, 0), 0)
        );
        let names = |schema: arrow::datatypes::SchemaRef| -> Vec<String> {
            schema.fields().iter().map(|f| f.name().clone()).collect()
        };
        let schema = store.events().await.unwrap().schema();
        assert_eq!(
            names(schema),
            ["event_id", "actor", "event", "time", "extra"]
        );
        let good = row("a", r#","kept":1"#);
        let report = store.ingest(Source::bytes("good", good)).await.unwrap();
        assert_eq!(report.columns_added, ["kept"]);
        assert_eq!(counts(&store).await, (1, 1));
    });
}
