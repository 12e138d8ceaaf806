//! Inputs that are small and become large: they end soon, and memory stays within limits. Each test has a process of
//! its own, so that the peak of its memory is that of this input.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, Int32Array, NullArray, RecordBatch, RecordBatchIterator, RunArray, StringArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use aura_core::ErrorKind;
use aura_core::ingest::{IngestOptions, Limits, RejectReason, Source};
use aura_core::store::Store;

use crate::common::{assert_works, batch, peak_memory, run, sums};

const GIB: u64 = 1 << 30;
/// What a source of any size may take beyond what the process has before it.
const MEMORY: u64 = 512 << 20;
/// Far above what any of this takes, and far below what reading all of a bomb would.
const TIME: Duration = Duration::from_secs(240);

/// Texts one after another, each so many times, made as they are read.
struct Made {
    parts: Vec<(Vec<u8>, u64)>,
    at: usize,
}

impl Made {
    fn new(parts: &[(&[u8], u64)]) -> Made {
        let mut parts: Vec<(Vec<u8>, u64)> = parts
            .iter()
            .map(|(text, times)| (text.to_vec(), text.len() as u64 * times))
            .collect();
        parts.reverse();
        Made { parts, at: 0 }
    }
}

impl Read for Made {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Some((text, left)) = self.parts.last_mut() else {
            return Ok(0);
        };
        let from = &text[self.at % text.len()..];
        let most = usize::try_from(*left).unwrap_or(usize::MAX);
        let n = out.len().min(from.len()).min(most);
        out[..n].copy_from_slice(&from[..n]);
        self.at += n;
        *left -= n as u64;
        if *left == 0 {
            self.parts.pop();
            self.at = 0;
        }
        Ok(n)
    }
}

const ROW: &str = r#"{"event_id":"ID","actor":"u","event":"x","time":"2026-01-01T00:00:00Z"}"#;

fn row(id: &str) -> String {
    ROW.replace("ID", id)
}

/// Ingests a source in which one line of `len` bytes at line 2 is too long, between two good rows.
fn a_long_line(source: impl Read + Send + 'static, start: &[u8], len: u64) {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let (before, began) = (peak_memory(), Instant::now());
        let report = store.ingest(Source::reader("input", source)).await.unwrap();
        assert_eq!(sums(&report), (3, 2, 1, 0), "{:?}", report.notes);
        let reject = &report.rejects[0];
        assert_eq!((reject.row, reject.reason), (2, RejectReason::TooLong));
        assert!(
            reject.message.contains("`max_row_bytes`"),
            "{}",
            reject.message
        );
        assert_eq!(reject.original_len, len);
        assert_eq!(reject.original.len(), 64 << 10);
        assert!(reject.original.starts_with(start));
        let grown = peak_memory() - before;
        assert!(grown < MEMORY, "{} MiB", grown >> 20);
        assert!(began.elapsed() < TIME, "{:?}", began.elapsed());
        assert_works(&store, 2).await;
    });
}

#[test]
fn a_1_gb_line_of_ndjson() {
    let (first, last) = (format!("{}\n", row("a")), format!("\n{}\n", row("b")));
    let fill = vec![b'x'; 1 << 20];
    let source = Made::new(&[
        (first.as_bytes(), 1),
        (b"{\"actor\":\"", 1),
        (&fill, 1 << 10),
        (b"\"}", 1),
        (last.as_bytes(), 1),
    ]);
    a_long_line(source, b"{\"actor\":\"xxx", GIB + 12);
}

#[test]
fn a_1_gb_line_of_csv() {
    let fill = vec![b'x'; 1 << 20];
    let source = Made::new(&[
        (b"event_id,actor,event,time\na,", 1),
        (&fill, 1 << 10),
        (b",x,2026-01-01T00:00:00Z\n", 1),
        (
            b"b,u,x,2026-01-01T00:00:00Z\nc,u,x,2026-01-01T00:00:00Z\n",
            1,
        ),
    ]);
    a_long_line(source, b"a,xxx", GIB + 25);
}

#[test]
fn a_1_gb_element_of_a_json_array() {
    let (first, last) = (format!("[{},\n", row("a")), format!(",{}]", row("b")));
    let fill = vec![b'x'; 1 << 20];
    let source = Made::new(&[
        (first.as_bytes(), 1),
        (b"{\"actor\":\"", 1),
        (&fill, 1 << 10),
        (b"\"}", 1),
        (last.as_bytes(), 1),
    ]);
    a_long_line(source, b"{\"actor\":\"xxx", GIB + 12);
}

/// A quote that opens and is never closed: its line is rejected, and the next ones are read.
#[test]
fn a_quote_before_1_gb_of_csv() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let line = b"\"a,u,x,2026-01-01T00:00:00Z\n";
        let fill = [vec![b'y'; (1 << 20) - 1], vec![b'\n']].concat();
        let source = Made::new(&[
            (b"event_id,actor,event,time\n", 1),
            (&line[..], 1),
            (&fill, 1 << 8),
            (b"b,u,x,2026-01-01T00:00:00Z\n", 1),
        ]);
        let before = peak_memory();
        let report = store.ingest(Source::reader("input", source)).await.unwrap();
        assert_eq!(sums(&report), (258, 1, 257, 0));
        let reject = &report.rejects[0];
        assert_eq!((reject.row, reject.reason), (2, RejectReason::TooLong));
        assert_eq!(reject.original, &line[..line.len() - 1]);
        let others = &report.rejects[1..];
        let column_count = |r: &&aura_core::ingest::Reject| r.reason == RejectReason::ColumnCount;
        assert_eq!(others.iter().filter(column_count).count(), 256);
        assert!(peak_memory() - before < MEMORY);
        assert_works(&store, 1).await;
    });
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A few megabytes of gzip: `text`, and then 8 GiB of `fill` as members that are all the same.
fn gzip_bomb(text: &str, fill: u8) -> Vec<u8> {
    let member = gzip(&vec![fill; 8 << 20]);
    let bomb = [gzip(text.as_bytes()), member.repeat(1 << 10)].concat();
    assert!(
        bomb.len() > 4 << 20 && bomb.len() < 16 << 20,
        "{}",
        bomb.len()
    );
    bomb
}

/// The same as zstd, where it is some hundreds of kilobytes.
fn zstd_bomb(text: &str, fill: u8) -> Vec<u8> {
    let frame = zstd::encode_all(&vec![fill; 64 << 20][..], 1).unwrap();
    let text = zstd::encode_all(text.as_bytes(), 1).unwrap();
    [text, frame.repeat(128)].concat()
}

/// Ingests a bomb, which is refused by a limit of that name.
fn defused(bomb: Vec<u8>, limits: Limits, limit: &str) {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let (before, began) = (peak_memory(), Instant::now());
        let options = IngestOptions {
            limits,
            ..IngestOptions::default()
        };
        let error = store
            .ingest_with(Source::bytes("input", bomb), &options)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
        assert!(error.message().contains(limit), "{error}");
        assert!(began.elapsed() < TIME, "{:?}", began.elapsed());
        let grown = peak_memory() - before;
        assert!(grown < MEMORY, "{} MiB", grown >> 20);
        assert_works(&store, 0).await;
    });
}

#[test]
fn a_gzip_bomb_of_one_line() {
    let bomb = gzip_bomb(&format!("{}\n{{\"actor\":\"", row("a")), b'x');
    defused(bomb, Limits::default(), "`max_compression_ratio`");
}

#[test]
fn a_gzip_bomb_of_empty_lines() {
    let bomb = gzip_bomb(&format!("{}\n", row("a")), b'\n');
    defused(bomb, Limits::default(), "`max_compression_ratio`");
}

#[test]
fn a_gzip_bomb_of_csv() {
    let limits = Limits {
        max_decompressed_bytes: 16 << 20,
        ..Limits::default()
    };
    let bomb = gzip_bomb("event_id,actor,event,time\n", b'\n');
    defused(bomb, limits, "`max_decompressed_bytes`");
    let bomb = gzip_bomb("event_id,actor,event,time\n\"", b'"');
    defused(bomb, Limits::default(), "`max_compression_ratio`");
}

#[test]
fn a_gzip_bomb_of_a_json_array() {
    let bomb = gzip_bomb(&format!("[{},", row("a")), b' ');
    defused(bomb, Limits::default(), "`max_compression_ratio`");
}

#[test]
fn a_zstd_bomb() {
    let bomb = zstd_bomb(&format!("{}\n{{\"actor\":\"", row("a")), b'x');
    defused(bomb, Limits::default(), "`max_compression_ratio`");
}

/// A ratio below the limit: then the size is limited, and memory whatever the size.
#[test]
fn a_bomb_that_is_trusted_too_much() {
    let bomb = zstd_bomb(&format!("{}\n{{\"actor\":\"", row("a")), b'x');
    let limits = Limits {
        max_compression_ratio: u64::MAX,
        max_decompressed_bytes: 2 * GIB,
        ..Limits::default()
    };
    defused(bomb, limits, "`max_decompressed_bytes`");
}

/// What begins like Parquet or Arrow needs random access: as a stream it is held in memory, up to a limit.
#[test]
fn a_stream_of_parquet_without_end() {
    for head in [&b"PAR1"[..], b"ARROW1\0\0"] {
        run(async {
            let store = Store::in_memory().await.unwrap();
            let before = peak_memory();
            let fill = vec![b'x'; 1 << 20];
            let source = Made::new(&[(head, 1), (&fill, 3 << 10)]);
            let error = store
                .ingest(Source::reader("input", source))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
            assert!(error.message().contains("`max_held_bytes`"), "{error}");
            let grown = peak_memory() - before;
            assert!(grown < MEMORY, "{} MiB", grown >> 20);
            assert_works(&store, 0).await;
        });
    }
}

#[test]
fn a_gzip_bomb_of_parquet() {
    let limits = Limits {
        max_compression_ratio: u64::MAX,
        ..Limits::default()
    };
    defused(zstd_bomb("PAR1", b'x'), limits, "`max_held_bytes`");
}

/// Within the limit a stream is as good as a file.
#[test]
fn a_stream_of_parquet() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let rows = batch("p", 0, 50);
        let mut out =
            parquet::arrow::ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
        out.write(&rows).unwrap();
        let bytes: Arc<[u8]> = out.into_inner().unwrap().into();
        let source = Source::reader("input", std::io::Cursor::new(bytes));
        let report = store.ingest(source).await.unwrap();
        assert_eq!(sums(&report), (50, 50, 0, 0));
    });
}

/// Three columns of nulls take no byte, however many rows they are said to have.
fn nulls(rows: usize) -> RecordBatch {
    let column = || Arc::new(NullArray::new(rows)) as ArrayRef;
    let columns = ["actor", "event", "time"].map(|name| (name, column()));
    RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap()
}

/// Each column one run of `rows` rows.
fn runs(rows: i32) -> RecordBatch {
    let column = |value: &str| -> ArrayRef {
        let values = StringArray::from(vec![value]);
        Arc::new(RunArray::try_new(&Int32Array::from(vec![rows]), &values).unwrap())
    };
    RecordBatch::try_from_iter([
        ("actor", column("")),
        ("event", column("x")),
        ("time", column("2026-01-01T00:00:00Z")),
    ])
    .unwrap()
}

fn ipc(rows: &RecordBatch) -> Vec<u8> {
    let mut out = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &rows.schema()).unwrap();
    out.write(rows).unwrap();
    out.into_inner().unwrap()
}

#[test]
fn an_arrow_file_of_two_thousand_million_rows_in_a_few_bytes() {
    for bomb in [nulls(2_000_000_000), runs(2_000_000_000)] {
        let bytes = ipc(&bomb);
        assert!(bytes.len() < 4_096, "{} bytes", bytes.len());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bomb.arrow");
        std::fs::write(&path, &bytes).unwrap();
        defused(bytes, Limits::default(), "`max_compression_ratio`");
        let error = run(aura_core::engine::Events::from_files(
            path.to_str().unwrap(),
            &aura_core::event::Roles::default(),
            &aura_core::engine::EngineSettings::default(),
        ))
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
    }
}

/// What the host itself hands over may have any number of rows: they are looked at in pieces.
#[test]
fn a_batch_of_two_thousand_million_rows_in_a_few_bytes() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let before = peak_memory();
        // A time in runs is refused before any row is unpacked.
        let error = store.append(runs(2_000_000_000)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert!(error.message().contains("RunEndEncoded"), "{error}");
        let grown = peak_memory() - before;
        assert!(grown < MEMORY, "{} MiB", grown >> 20);
        // An honest one of more rows than a piece has is the same as its parts.
        let rows = batch("p", 0, 70_000);
        let report = store.append(rows.clone()).await.unwrap();
        assert_eq!(sums(&report), (70_000, 70_000, 0, 0));
        let again = RecordBatchIterator::new([Ok(rows.clone())], rows.schema());
        let report = store.ingest(Source::batches("again", again)).await.unwrap();
        assert_eq!(sums(&report), (70_000, 0, 0, 70_000));
        assert_works(&store, 70_000).await;
    });
}

/// Rejects take far more memory than the bytes that they come from.
#[test]
fn two_million_rejects_of_a_few_bytes() {
    let good = format!("{}\n", row("a"));
    let csv = b"event_id,actor,event,time\n\"a,u,x,2026-01-01T00:00:00Z\n";
    let array = format!("[{}", row("a"));
    for (parts, read, accepted) in [
        (
            [(good.as_bytes(), 1), (&b"{}\n"[..], 2_000_000)],
            2_000_001,
            1,
        ),
        ([(&csv[..], 1), (b"x\n", 2_000_000)], 2_000_001, 0),
        ([(array.as_bytes(), 1), (b",0", 2_000_000)], 2_000_001, 1),
    ] {
        run(async {
            let store = Store::in_memory().await.unwrap();
            let before = peak_memory();
            let source = Source::reader("input", Made::new(&parts));
            let report = store.ingest(source).await.unwrap();
            let rejected = read - accepted;
            assert_eq!(sums(&report), (read, accepted, rejected, 0));
            let grown = peak_memory() - before;
            assert!(grown < MEMORY, "{} MiB", grown >> 20);
            assert_works(&store, accepted as i64).await;
        });
    }
}

/// Makes one limit 0.
type Set = fn(&mut Limits);

#[test]
fn limits_of_zero() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let none: [(&str, Set); 5] = [
            ("max_row_bytes", |l| l.max_row_bytes = 0),
            ("max_columns", |l| l.max_columns = 0),
            ("sample_rows", |l| l.sample_rows = 0),
            ("block_bytes", |l| l.block_bytes = 0),
            ("max_held_bytes", |l| l.max_held_bytes = 0),
        ];
        for (name, set) in none {
            let mut options = IngestOptions::default();
            set(&mut options.limits);
            let source = Source::bytes("input", row("a"));
            let ingested = store.ingest_with(source, &options).await;
            let appended = store.append_with(batch("p", 0, 1), &options).await;
            for error in [ingested.unwrap_err(), appended.unwrap_err()] {
                assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{error}");
                assert!(
                    error.message().contains(&format!("`{name}` is 0")),
                    "{error}"
                );
            }
        }
        let mut options = IngestOptions::default();
        options.limits.max_original_bytes = 0;
        options.limits.max_rejects_returned = 0;
        let source = Source::bytes("input", format!("{}\n{{}}", row("a")));
        let report = store.ingest_with(source, &options).await.unwrap();
        assert_eq!((report.accepted, report.rejected), (1, 1));
        assert_works(&store, 1).await;
    });
}

/// Rows with one text, one after another in batches, as Parquet with zstd.
fn parquet(text: &str, rows: usize, dictionary: bool) -> Vec<u8> {
    let rows = batch("p", 0, rows);
    let text: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
        text,
        rows.num_rows().min(1 << 10),
    )));
    let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("text", DataType::Utf8, false)));
    let schema = Arc::new(Schema::new(fields));
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::ZSTD(Default::default()))
        .set_dictionary_enabled(dictionary)
        .set_dictionary_page_size_limit(1 << 30)
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .build();
    let mut out =
        parquet::arrow::ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))
            .unwrap();
    for first in (0..rows.num_rows()).step_by(1 << 10) {
        let part = rows.slice(first, (1 << 10).min(rows.num_rows() - first));
        let mut columns = part.columns().to_vec();
        columns.push(text.slice(0, part.num_rows()));
        out.write(&RecordBatch::try_new(Arc::clone(&schema), columns).unwrap())
            .unwrap();
    }
    out.into_inner().unwrap()
}

#[test]
fn a_page_of_parquet_that_becomes_huge() {
    let roles = aura_core::event::Roles::default();
    let settings = aura_core::engine::EngineSettings::default();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.parquet");
    for (bytes, limit) in [
        (300 << 20, "`max_held_bytes`"),
        (100 << 20, "`max_compression_ratio`"),
    ] {
        let bomb = parquet(&"x".repeat(bytes), 1, false);
        assert!(bomb.len() < 64 << 10, "{} bytes", bomb.len());
        std::fs::write(&path, &bomb).unwrap();
        run(async {
            let store = Store::in_memory().await.unwrap();
            let error = store.ingest(path.as_path()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
            assert!(error.message().contains(limit), "{error}");
            let source =
                aura_core::engine::Events::from_files(path.to_str().unwrap(), &roles, &settings);
            let error = source.await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{error}");
            assert!(error.message().contains(limit), "{error}");
            assert_works(&store, 0).await;
        });
    }
}

/// Long texts are no fault, though 32,768 of them are more than an array can hold: they are read a few rows at a time.
#[test]
fn parquet_of_long_texts() {
    let file = parquet(&"x".repeat(100_000), 24_000, true);
    run(async {
        let store = Store::in_memory().await.unwrap();
        let mut options = IngestOptions::default();
        options.limits.max_compression_ratio = u64::MAX;
        // It takes long to read all: the first pieces tell.
        let stop = options.cancel.clone();
        let options = options.on_progress(move |progress| {
            if progress.rows_read > 1_000 {
                stop.cancel();
            }
        });
        let before = peak_memory();
        let source = Source::bytes("input", file);
        let error = store.ingest_with(source, &options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
        let grown = peak_memory() - before;
        assert!(grown < MEMORY, "{} MiB", grown >> 20);
        assert_works(&store, 0).await;
    });
}
