//! What lies in a store's directory and is not the store's.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::store::duckdb;

/// Every file below a directory, with its contents.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = crate::store::files::FileStore::local(dir).list().unwrap();
    all.into_iter()
        .map(|f| (f.path.clone(), std::fs::read(dir.join(&f.path)).unwrap()))
        .collect()
}

fn put(path: &Path, age: Duration) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "mine").unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[test]
fn a_directory_with_files_of_somebody_else_is_refused_and_stays_as_it_was() {
    for path in [
        "events/mine.parquet",
        "events/2025/mine2.parquet",
        "events/readme.csv",
        "events/0f8fad5b-d9cb-469f-a165-70867728950e.parquet",
        "quarantine/q.parquet",
    ] {
        let dir = tempfile::tempdir().unwrap();
        put(&dir.path().join(path), YEAR);
        let before = contents(dir.path());
        let error = run(Store::open(dir.path())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{path}");
        assert!(error.message().contains(path), "{error}");
        assert_eq!(contents(dir.path()), before, "{path}");
    }
}

#[test]
fn a_store_that_lost_its_database_is_refused_and_whole_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let (db, elsewhere) = (dir.path().join("aura.db"), dir.path().join("elsewhere"));
    run(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 100)).await.unwrap();
        store.flush().await.unwrap();
        drop(store);
        for empty in [false, true] {
            std::fs::rename(&db, &elsewhere).unwrap();
            if empty {
                std::fs::write(&db, "").unwrap();
            }
            let before = contents(dir.path());
            let error = Store::open(dir.path()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.message().contains("aura.db"), "{error}");
            assert_eq!(contents(dir.path()), before);
            std::fs::rename(&elsewhere, &db).unwrap();
        }
        let store = open(dir.path()).await;
        assert_eq!(sums(&store).await, [100, 100, 4950, 10]);
    });
}

#[test]
fn opening_deletes_only_old_files_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    run(async {
        drop(open(dir.path()).await);
        let young = Duration::from_secs(60);
        let expected = [
            (
                format!("events/year=2026/month=1/{id}.parquet"),
                YEAR,
                false,
            ),
            (
                format!("events/year=2026/month=1/{id}.parquet.part"),
                YEAR,
                false,
            ),
            (format!("quarantine/{id}.parquet"), YEAR, false),
            (
                format!("events/year=2026/month=2/{id}.parquet"),
                young,
                true,
            ),
            (
                format!("events/year=2026/month=1/ducklake-{id}.parquet"),
                YEAR,
                true,
            ),
            (format!("events/mine/{id}.parquet"), YEAR, true),
            ("events/mine.parquet".to_owned(), YEAR, true),
            ("quarantine/q.parquet".to_owned(), YEAR, true),
        ];
        for (path, age, _) in &expected {
            put(&dir.path().join(path), *age);
        }
        let store = open(dir.path()).await;
        let left = contents(dir.path());
        for (path, _, stays) in &expected {
            assert_eq!(left.contains_key(path), *stays, "{path}");
        }
        // Who has the store open may be about to commit even an old file.
        let path = dir.path().join(&expected[0].0);
        put(&path, YEAR);
        drop(open(dir.path()).await);
        assert!(path.exists());
        drop(store);
    });
}

#[test]
fn opening_during_a_transaction_of_duckdb_leaves_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let signals = tempfile::tempdir().unwrap();
    let (written, go) = (signals.path().join("written"), signals.path().join("go"));
    run(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 10)).await.unwrap();
        store.flush().await.unwrap();
        drop(store);
        let (touch, wait) = (
            format!("touch {}", written.display()),
            format!("wait {}", go.display()),
        );
        let insert = "INSERT INTO lake.events (event_id, actor, event, time) \
                      SELECT 'd' || i, 'u', 'view', TIMESTAMPTZ '2026-01-02 00:00:00+00' FROM range(100000) r(i)";
        let theirs = duckdb::start(
            &dir.path().join("aura.db"),
            "sql",
            &["BEGIN", insert, &touch, &wait, "COMMIT"],
        );
        let start = std::time::Instant::now();
        while !written.exists() {
            assert!(start.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(
            contents(&dir.path().join("events")).len(),
            2,
            "DuckDB has written its file"
        );
        // As when its transaction lasts longer than any grace.
        let settings = StoreSettings {
            delete_grace_s: 0,
            ..quiet()
        };
        let builder = Store::builder(dir.path()).settings(settings);
        let store = builder.open().await.unwrap();
        std::fs::write(&go, "").unwrap();
        let output = theirs.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(sums(&store).await[..2], [100_010, 100_010]);
        drop(store);
        let store = open(dir.path()).await;
        assert_eq!(sums(&store).await[..2], [100_010, 100_010]);
    });
}
