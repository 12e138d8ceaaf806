//! What the tests of the public interface share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use aura_core::engine::Events;
use aura_core::ingest::{IngestReport, RejectReason, Source};
use aura_core::store::{Store, StoreSettings};

pub(crate) const HOUR: i64 = 3_600_000_000;
pub(crate) const DAY: i64 = 24 * HOUR;
/// 2026-01-01T00:00:00Z
pub(crate) const START: i64 = 1_767_225_600_000_000;

pub(crate) fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

/// Settings under which nothing happens but what the test asks for.
pub(crate) fn quiet() -> StoreSettings {
    StoreSettings {
        background: false,
        ..StoreSettings::default()
    }
}

pub(crate) async fn open(dir: &Path) -> Store {
    Store::builder(dir).settings(quiet()).open().await.unwrap()
}

/// `rows` events of which the first is the `first`th of `name`: ids `<name>-<n>`, 10 actors, one an hour from
/// [`START`] on, and the number `n`.
pub(crate) fn batch(name: &str, first: usize, rows: usize) -> RecordBatch {
    let numbers = first..first + rows;
    let text = |f: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(numbers.clone().map(f)))
    };
    let times = numbers.clone().map(|i| START + i as i64 * HOUR);
    RecordBatch::try_from_iter([
        ("event_id", text(&|i| format!("{name}-{i}"))),
        ("actor", text(&|i| format!("u{}", i % 10))),
        ("event", text(&|i| ["view", "buy"][i % 2].to_owned())),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")) as _,
        ),
        (
            "n",
            Arc::new(Int64Array::from_iter_values(
                numbers.clone().map(|i| i as i64),
            )) as _,
        ),
    ])
    .unwrap()
}

/// The same events as CSV.
pub(crate) fn csv(name: &str, first: usize, rows: usize) -> String {
    let mut text = String::from("event_id,actor,event,time,n\n");
    for i in first..first + rows {
        let time = START / 1_000_000 + i as i64 * 3_600;
        let event = ["view", "buy"][i % 2];
        text.push_str(&format!("{name}-{i},u{},{event},{time},{i}\n", i % 10));
    }
    text
}

/// Runs a query and gives its rows, each value as text; null is `None`.
pub(crate) async fn ask(events: &Events, sql: &str) -> Vec<Vec<Option<String>>> {
    let table = events
        .sql(sql)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
    texts(&table.to_batch().unwrap())
}

/// The values of a batch as text, by row.
pub(crate) fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let columns: Vec<StringArray> = batch
        .columns()
        .iter()
        .map(|c| cast(c, &DataType::Utf8).unwrap().as_string::<i32>().clone())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let value = |c: &StringArray| c.is_valid(row).then(|| c.value(row).to_owned());
            columns.iter().map(value).collect()
        })
        .collect()
}

/// Runs a query of one row of integers.
pub(crate) async fn ints(store: &Store, sql: &str) -> Vec<i64> {
    let rows = ask(&store.events().await.unwrap(), sql).await;
    assert_eq!(rows.len(), 1, "{sql}");
    rows[0]
        .iter()
        .map(|v| v.as_deref().unwrap_or("-1").parse().unwrap())
        .collect()
}

/// How many events there are, and how many different ones.
pub(crate) async fn counts(store: &Store) -> (i64, i64) {
    let found = ints(
        store,
        "SELECT count(*), count(DISTINCT event_id) FROM events",
    )
    .await;
    (found[0], found[1])
}

/// The counts of a report, after looking that they add up.
pub(crate) fn sums(report: &IngestReport) -> (u64, u64, u64, u64) {
    let IngestReport {
        read,
        accepted,
        rejected,
        dropped,
        duplicate,
        ..
    } = *report;
    assert_eq!(
        read,
        accepted + rejected + dropped + duplicate,
        "the counts do not add up: {report:?}"
    );
    let by_reason: u64 = report.rejected_by_reason.values().sum();
    assert_eq!(by_reason, rejected, "{report:?}");
    (read, accepted, rejected, duplicate)
}

/// What a reject must be: row, field, reason, words of the message, original.
pub(crate) type Expected<'a> = (u64, Option<&'a str>, RejectReason, &'a str, &'a [u8]);

/// Compares the rejects of a report, and the rows of the quarantine, with what they must be.
pub(crate) async fn assert_rejects(
    store: &Store,
    report: &IngestReport,
    source: &str,
    expected: &[Expected<'_>],
) {
    assert_eq!(report.rejects.len(), expected.len(), "{report:#?}");
    let kept = store.quarantine().await.unwrap();
    let kept = texts(&kept.to_batch().unwrap());
    let kept = &kept[kept.len() - expected.len()..];
    for ((reject, kept), (row, field, reason, words, original)) in
        report.rejects.iter().zip(kept).zip(expected)
    {
        assert_eq!(&*reject.source, source);
        assert_eq!((reject.row, reject.reason), (*row, *reason), "{reject:?}");
        assert_eq!(reject.field.as_deref(), *field, "{reject:?}");
        assert!(reject.message.contains(words), "{reject:?}: no `{words}`");
        assert_eq!(
            reject.original.escape_ascii().to_string(),
            original.escape_ascii().to_string(),
            "{reject:?}"
        );
        let printed = match std::str::from_utf8(original) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let digits: String = original.iter().map(|b| format!("{b:02x}")).collect();
                format!("base16:{digits}")
            }
        };
        let text = |s: &str| Some(s.to_owned());
        assert_eq!(
            kept[..7],
            [
                text(source),
                text(&row.to_string()),
                field.map(str::to_owned),
                text(reason.code()),
                text(&reject.message),
                text(&printed),
                text(&reject.original_len.to_string()),
            ]
        );
    }
}

/// Asserts that a store of `events` events and no more works: it takes an event and gives all of them.
pub(crate) async fn assert_works(store: &Store, events: i64) {
    assert_eq!(counts(store).await, (events, events));
    let report = store
        .ingest(Source::bytes("after", csv("after", 0, 1)))
        .await
        .unwrap();
    assert_eq!(sums(&report), (1, 1, 0, 0));
    let events = events + 1;
    assert_eq!(counts(store).await, (events, events));
    assert_eq!(store.stats().await.unwrap().events, events as u64);
}

/// The most memory that this process has had resident so far, in bytes.
pub(crate) fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// Data files on disk below the directory of a store, sorted.
pub(crate) fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.join("events"), dir.join("quarantine")];
    while let Some(dir) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
