use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;

use super::*;
use crate::ErrorKind;
use crate::event::Roles;
use crate::event::contract::Contract;
use crate::ingest::{CancelToken, IngestOptions, Preset, Source};
use crate::time::ManualClock;

mod foreign;
mod ingest;
mod quarantine;
mod settings;
mod upkeep;
mod with_duckdb;

const DAY: i64 = 86_400_000_000;
/// 2026-01-01T00:00:00Z
const START: i64 = 1_767_225_600_000_000;

fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

/// `rows` events from `first` on: ids `e<n>`, 10 actors, one an hour.
fn batch(first: usize, rows: usize) -> RecordBatch {
    let n = first..first + rows;
    RecordBatch::try_from_iter([
        (
            "event_id",
            Arc::new(StringArray::from_iter_values(
                n.clone().map(|i| format!("e{i}")),
            )) as _,
        ),
        (
            "actor",
            Arc::new(StringArray::from_iter_values(
                n.clone().map(|i| format!("u{}", i % 10)),
            )) as _,
        ),
        (
            "event",
            Arc::new(StringArray::from_iter_values(
                n.clone().map(|i| ["view", "buy"][i % 2].to_owned()),
            )) as _,
        ),
        (
            "time",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(
                    n.clone().map(|i| START + i as i64 * 3_600_000_000),
                )
                .with_timezone("UTC"),
            ) as _,
        ),
        (
            "n",
            Arc::new(Int64Array::from_iter_values(n.map(|i| i as i64))) as _,
        ),
    ])
    .unwrap()
}

fn quiet() -> StoreSettings {
    StoreSettings {
        background: false,
        ..StoreSettings::default()
    }
}

async fn open(dir: &std::path::Path) -> Store {
    Store::builder(dir).settings(quiet()).open().await.unwrap()
}

async fn ints(events: &crate::engine::Events, sql: &str) -> Vec<i64> {
    let table = events.sql(sql).await.unwrap();
    let batch = table.to_batch().unwrap();
    (0..batch.num_columns())
        .map(|c| {
            let column =
                arrow::compute::cast(batch.column(c), &arrow::datatypes::DataType::Int64).unwrap();
            column.as_primitive::<Int64Type>().value(0)
        })
        .collect()
}

const SUMS: &str =
    "SELECT count(*), count(DISTINCT event_id), sum(n), count(DISTINCT actor) FROM events";

async fn sums(store: &Store) -> Vec<i64> {
    ints(&store.events().await.unwrap(), SUMS).await
}

#[test]
fn an_append_is_there_at_once_and_after_reopening_flush_and_compaction() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        let report = store.append(batch(0, 1000)).await.unwrap();
        assert_eq!(
            (report.read, report.accepted, report.duplicate),
            (1000, 1000, 0)
        );
        assert_eq!(report.columns_added, ["n"]);
        let expected = vec![1000, 1000, 499_500, 10];
        assert_eq!(sums(&store).await, expected);
        drop(store);
        let store = open(dir.path()).await;
        assert_eq!(sums(&store).await, expected);
        assert_eq!(store.flush().await.unwrap(), 1000);
        assert_eq!(sums(&store).await, expected);
        let stats = store.stats().await.unwrap();
        assert_eq!(
            (stats.events, stats.staged_events, stats.partitions),
            (1000, 0, 2)
        );
        let report = store.compact().await.unwrap();
        assert_eq!(
            (report.partitions, report.files_before, report.files_after),
            (2, 2, 2)
        );
        assert_eq!(sums(&store).await, expected);
        // Nothing is left to do.
        assert_eq!(store.compact().await.unwrap(), CompactReport::default());
        assert_eq!(store.stats().await.unwrap().loose_files, 0);
    });
}

#[test]
fn the_same_event_counts_once_wherever_the_first_one_is() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 100)).await.unwrap();
        let again = store.append(batch(0, 100)).await.unwrap();
        assert_eq!((again.accepted, again.duplicate), (0, 100));
        store.flush().await.unwrap();
        let half = store.append(batch(50, 100)).await.unwrap();
        assert_eq!((half.accepted, half.duplicate), (50, 50));
        store.compact().await.unwrap();
        drop(store);
        let store = open(dir.path()).await;
        let after = store.append(batch(0, 160)).await.unwrap();
        assert_eq!((after.accepted, after.duplicate), (10, 150));
        assert_eq!(sums(&store).await, [160, 160, 12_720, 10]);
    });
}

#[test]
fn rows_without_an_id_are_known_by_their_place() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let plain = |rows| batch(0, rows).project(&[1, 2, 3, 4]).unwrap();
        assert_eq!(store.append(plain(5)).await.unwrap().accepted, 5);
        let grown = store.append(plain(8)).await.unwrap();
        assert_eq!((grown.accepted, grown.duplicate), (3, 5));
        let csv = "user_id,event,time\na,x,2026-01-01T00:00:00Z\na,x,2026-01-01T00:00:00Z\n";
        let first = store.ingest(Source::bytes("a.csv", csv)).await.unwrap();
        assert_eq!(
            (first.accepted, first.duplicate),
            (2, 0),
            "equal rows are two events"
        );
        let again = store.ingest(Source::bytes("b.csv", csv)).await.unwrap();
        assert_eq!(
            (again.accepted, again.duplicate),
            (0, 2),
            "the same content counts once"
        );
    });
}

#[test]
fn old_snapshots_stay_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let clock = ManualClock::new(START);
        let store = Store::builder(dir.path())
            .settings(quiet())
            .clock(Arc::new(clock.clone()))
            .open()
            .await
            .unwrap();
        store.append(batch(0, 100)).await.unwrap();
        store.flush().await.unwrap();
        let first = store.stats().await.unwrap().snapshot;
        clock.set(START + DAY);
        store.append(batch(100, 100)).await.unwrap();
        store.compact().await.unwrap();
        let old = store.snapshot(SnapshotAt::Version(first)).await.unwrap();
        assert_eq!(ints(&old, SUMS).await, [100, 100, 4950, 10]);
        let old = store
            .snapshot(SnapshotAt::Time(START + DAY / 2))
            .await
            .unwrap();
        assert_eq!(ints(&old, SUMS).await[0], 100);
        assert_eq!(sums(&store).await[0], 200);
        let error = store.snapshot(SnapshotAt::Version(999)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(store.expire_snapshots(START + 2 * DAY).await.unwrap() > 0);
        assert!(store.snapshot(SnapshotAt::Version(first)).await.is_err());
        let stats = store.stats().await.unwrap();
        assert_eq!((stats.bytes_on_disk, stats.events), (stats.bytes, 200));
    });
}

#[test]
fn erasure_leaves_no_trace_in_any_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 1000)).await.unwrap();
        store.flush().await.unwrap();
        let first = store.stats().await.unwrap().snapshot;
        store.compact().await.unwrap();
        store.append(batch(1000, 100)).await.unwrap();
        store
            .ingest(Source::bytes("bad", "{\"actor\":\"u3\",\"event\":\"x\",\"time\":\"never\"}\n{\"actor\":\"zz\",\"event\":\"x\",\"time\":\"2026-01-01T00:00:00Z\"}\n"))
            .await
            .unwrap();
        let report = store.erase("u3").await.unwrap();
        assert_eq!((report.events, report.rejects), (210, 1), "{report:?}");
        let left = "SELECT count(*), count(*) FILTER (WHERE actor = 'u3') FROM events";
        assert_eq!(ints(&store.events().await.unwrap(), left).await, [991, 0]);
        let old = store.snapshot(SnapshotAt::Version(first)).await.unwrap();
        assert_eq!(ints(&old, left).await, [900, 0]);
        assert_eq!(store.quarantine().await.unwrap().num_rows(), 0);
        let again = store.append(batch(0, 10)).await.unwrap();
        assert_eq!(
            (again.accepted, again.duplicate),
            (1, 9),
            "later events of the actor are stored"
        );
        assert_eq!(store.erase("nobody").await.unwrap(), EraseReport::default());
    });
}

#[test]
fn erasure_leaves_the_rejects_of_others() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let bad: String = ["u1", "u10", "u11", "menu1x", "u2"]
            .map(|actor| format!("{{\"actor\":\"{actor}\",\"event\":\"x\",\"time\":\"never\"}}\n"))
            .concat();
        store.ingest(Source::bytes("bad", bad)).await.unwrap();
        assert_eq!(store.erase("u1").await.unwrap().rejects, 1);
        assert_eq!(store.quarantine().await.unwrap().num_rows(), 4);
    });
}

#[test]
fn expiry_drops_whole_partitions() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        // 24 events a day, from January to the middle of March.
        store.append(batch(0, 24 * 75)).await.unwrap();
        let report = store.expire(START + 45 * DAY).await.unwrap();
        assert_eq!((report.files, report.events), (1, 24 * 31));
        assert_eq!(sums(&store).await[0], 24 * 44);
        assert_eq!(store.expire(START).await.unwrap(), ExpireReport::default());
    });
}

#[test]
fn a_month_reads_only_its_own_files() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 24 * 365)).await.unwrap();
        store.compact().await.unwrap();
        let events = store.events().await.unwrap();
        let table = events
            .sql("SELECT count(*) FROM events WHERE time >= '2026-03-01T00:00:00Z' AND time < '2026-04-01T00:00:00Z'")
            .await
            .unwrap();
        assert_eq!(
            table
                .to_batch()
                .unwrap()
                .column(0)
                .as_primitive::<Int64Type>()
                .value(0),
            24 * 31
        );
        assert_eq!((table.scan().files_total, table.scan().files_read), (12, 1));
        let stats = store.stats().await.unwrap();
        assert_eq!(stats.files_read, 1);
        assert!(stats.bytes_read > 0 && stats.bytes_read < stats.bytes / 4);
    });
}

#[test]
fn a_newer_format_and_foreign_directories_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        drop(open(dir.path()).await);
        let conn = rusqlite::Connection::open(dir.path().join("aura.db")).unwrap();
        conn.execute(
            "UPDATE aura_meta SET value = '2' WHERE key = 'format_version'",
            [],
        )
        .unwrap();
        let error = Store::open(dir.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().contains("newer"), "{error}");

        let garbled = tempfile::tempdir().unwrap();
        std::fs::write(garbled.path().join("aura.db"), vec![7u8; 40_000]).unwrap();
        let error = Store::open(garbled.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        let file = garbled.path().join("aura.db");
        assert_eq!(
            Store::open(file).await.unwrap_err().kind(),
            ErrorKind::InvalidSpec
        );
    });
}

#[test]
fn concurrent_appends_of_overlapping_batches_count_each_event_once() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        // A second handle on the same directory stands for a second process: it has an index of its own.
        let other = open(dir.path()).await;
        let mut tasks = Vec::new();
        for worker in 0..8usize {
            let store = if worker % 2 == 0 {
                store.clone()
            } else {
                other.clone()
            };
            tasks.push(tokio::spawn(async move {
                let mut accepted = 0;
                for step in 0..20usize {
                    accepted += store.append(batch(step * 50, 100)).await.unwrap().accepted;
                    if step == worker {
                        store.flush().await.unwrap();
                    }
                }
                accepted
            }));
        }
        let mut accepted = 0;
        for task in tasks {
            accepted += task.await.unwrap();
        }
        assert_eq!(accepted, 1050);
        assert_eq!(sums(&store).await[..2], [1050, 1050]);
        other.compact().await.unwrap();
        assert_eq!(sums(&store).await[..2], [1050, 1050]);
    });
}
