//! A store that DuckDB changes, too: both see the same rows, now and in every old snapshot.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::store::duckdb;

/// Event ids and actors, in order.
type Rows = Vec<(String, String)>;

/// What DuckDB sees in each snapshot.
fn theirs(db: &Path, versions: &[i64]) -> Vec<Rows> {
    let queries: Vec<String> = versions
        .iter()
        .map(|v| {
            format!("SELECT event_id, actor FROM lake.events AT (VERSION => {v}) ORDER BY ALL")
        })
        .collect();
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    serde_json::from_value(duckdb::run(db, "sql", &queries)).unwrap()
}

/// What AURA sees in each snapshot, in its rows and in its count of them.
async fn ours(store: &Store, versions: &[i64]) -> Vec<Rows> {
    let mut seen = Vec::new();
    for &version in versions {
        let old = store.snapshot(SnapshotAt::Version(version)).await.unwrap();
        let query = "SELECT event_id, actor FROM events ORDER BY event_id";
        let batch = old.sql(query).await.unwrap().to_batch().unwrap();
        let text = |c: usize| {
            let column =
                arrow::compute::cast(batch.column(c), &arrow::datatypes::DataType::Utf8).unwrap();
            column.as_string::<i32>().clone()
        };
        let rows: Rows = text(0)
            .iter()
            .zip(&text(1))
            .map(|(id, actor)| (id.unwrap().to_owned(), actor.unwrap().to_owned()))
            .collect();
        assert_eq!(
            ints(&old, "SELECT count(*) FROM events").await,
            [rows.len() as i64]
        );
        seen.push(rows);
    }
    seen
}

/// Compares every snapshot that has the table, and returns the newest rows.
async fn agreed(store: &Store, db: &Path) -> Rows {
    let all = store.snapshots().await.unwrap();
    let versions: Vec<i64> = all.iter().map(|s| s.id).filter(|id| *id > 0).collect();
    let (ours, theirs) = (ours(store, &versions).await, theirs(db, &versions));
    for ((version, ours), theirs) in versions.iter().zip(&ours).zip(&theirs) {
        assert_eq!(ours, theirs, "snapshot {version}");
    }
    ours.last().unwrap().clone()
}

fn row(id: &str, actor: &str) -> String {
    serde_json::json!([{"event_id": id, "actor": actor, "event": "view", "time": "2026-01-02T00:00:00Z"}])
        .to_string()
}

/// How often DuckDB's merging of files has put rows of several snapshots into one.
fn merged_files(db: &Path, table: &str) -> i64 {
    let conn = rusqlite::Connection::open(db).unwrap();
    let query = format!("SELECT count(*) FROM {table} WHERE partial_max IS NOT NULL");
    conn.query_row(&query, [], |r| r.get(0)).unwrap()
}

#[test]
fn a_merged_file_shows_each_snapshot_its_own_rows() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("aura.db");
    run(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 10)).await.unwrap();
        store.flush().await.unwrap();
        for (id, actor) in [("d1", "u1"), ("d2", "u2"), ("d3", "u1"), ("d4", "u4")] {
            duckdb::run(&db, "insert", &["--rows", &row(id, actor), "--as-file"]);
        }
        store.append(batch(10, 10)).await.unwrap();
        store.flush().await.unwrap();
        let before = agreed(&store, &db).await;
        assert_eq!(before.len(), 24);

        let merge = "CALL ducklake_merge_adjacent_files('lake')";
        duckdb::run(&db, "sql", &[merge]);
        assert_eq!(merged_files(&db, "ducklake_data_file"), 1);
        assert_eq!(agreed(&store, &db).await, before);

        // Deletions from it of several snapshots, in one file.
        for id in ["d2", "e3", "e12"] {
            let condition = format!("event_id = '{id}'");
            duckdb::run(&db, "delete", &["--where", &condition, "--as-file"]);
        }
        duckdb::run(&db, "delete", &["--where", "event_id = 'e4'"]);
        duckdb::run(&db, "delete", &["--where", "event_id = 'e14'"]);
        assert_eq!(merged_files(&db, "ducklake_delete_file"), 1);
        assert_eq!(agreed(&store, &db).await.len(), 19);
        duckdb::run(&db, "sql", &["CALL ducklake_flush_inlined_data('lake')"]);
        let left = agreed(&store, &db).await;
        assert_eq!(left.len(), 19);
        assert_eq!(store.stats().await.unwrap().events, 19);

        // An erasure rewrites it; the snapshots stay apart.
        assert_eq!(store.erase("u1").await.unwrap().events, 4);
        assert_eq!(merged_files(&db, "ducklake_data_file"), 1);
        let left: Rows = left
            .into_iter()
            .filter(|(_, actor)| actor != "u1")
            .collect();
        assert_eq!(agreed(&store, &db).await, left);
        let versions: Vec<i64> = store
            .snapshots()
            .await
            .unwrap()
            .iter()
            .map(|s| s.id)
            .collect();
        for rows in ours(&store, versions.get(1..).unwrap()).await {
            assert!(rows.iter().all(|(_, actor)| actor != "u1"), "{rows:?}");
        }

        // So does compaction, for what comes after it.
        store.compact().await.unwrap();
        assert_eq!(agreed(&store, &db).await, left);
    });
}

#[test]
fn an_erasure_reads_a_merged_quarantine() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("aura.db");
    run(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 10)).await.unwrap();
        for actor in ["u1", "u2", "u3"] {
            let bad = format!("{{\"actor\":\"{actor}\",\"event\":\"x\",\"time\":\"never\"}}\n");
            store.ingest(Source::bytes(actor, bad)).await.unwrap();
        }
        duckdb::run(&db, "sql", &["CALL ducklake_merge_adjacent_files('lake')"]);
        assert_eq!(merged_files(&db, "ducklake_data_file"), 1);
        assert_eq!(store.erase("u1").await.unwrap().rejects, 1);
        assert_eq!(store.quarantine().await.unwrap().num_rows(), 2);
        let counts: Vec<String> = store
            .snapshots()
            .await
            .unwrap()
            .iter()
            .filter(|s| s.id > 0)
            .map(|s| {
                format!(
                    "SELECT count(*) FROM lake.quarantine AT (VERSION => {})",
                    s.id
                )
            })
            .collect();
        let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
        let seen: Vec<Vec<[i64; 1]>> =
            serde_json::from_value(duckdb::run(&db, "sql", &counts)).unwrap();
        let seen: Vec<i64> = seen.iter().map(|rows| rows[0][0]).collect();
        let mut distinct = seen.clone();
        distinct.dedup();
        assert_eq!(distinct, [0, 1, 2], "{seen:?}");
    });
}

/// A store in which DuckDB deletes an event the next time that a file gets its name: after a
/// rewrite has read what it replaces, and before its commit.
async fn interrupted(
    dir: &Path,
    condition: &'static str,
    as_file: bool,
) -> (Store, Arc<AtomicBool>) {
    let armed = Arc::new(AtomicBool::new(false));
    let (due, db): (_, PathBuf) = (Arc::clone(&armed), dir.join("aura.db"));
    let store = Store::builder(dir)
        .settings(quiet())
        .uuids(move || {
            if due.swap(false, Ordering::Relaxed) {
                let mut args = vec!["--where", condition];
                args.extend(as_file.then_some("--as-file"));
                duckdb::run(&db, "delete", &args);
            }
            uuid::Uuid::new_v4()
        })
        .open()
        .await
        .unwrap();
    (store, armed)
}

#[test]
fn what_is_deleted_during_a_rewrite_stays_deleted() {
    for (erase, as_file) in [(true, false), (true, true), (false, false), (false, true)] {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("aura.db");
        run(async {
            let (store, armed) = interrupted(dir.path(), "event_id = 'e7'", as_file).await;
            store.append(batch(0, 20)).await.unwrap();
            store.flush().await.unwrap();
            // Into its file of deletions DuckDB puts the later one, dated back to this.
            duckdb::run(&db, "delete", &["--where", "event_id = 'e5'", "--as-file"]);
            armed.store(true, Ordering::Relaxed);
            if erase {
                assert_eq!(store.erase("u1").await.unwrap().events, 2);
            } else {
                assert_eq!(store.compact().await.unwrap().files_after, 1);
            }
            assert!(!armed.load(Ordering::Relaxed));
            let left = agreed(&store, &db).await;
            assert_eq!(left.len(), if erase { 16 } else { 18 }, "{erase} {as_file}");
            assert!(
                left.iter().all(|(id, _)| id != "e7" && id != "e5"),
                "{erase} {as_file}: {left:?}"
            );
        });
    }
}
