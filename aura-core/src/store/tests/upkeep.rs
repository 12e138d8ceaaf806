//! What a store does by itself.

use std::time::{Duration, Instant};

use super::*;

/// Waits until the figures are as wanted; the upkeep looks for work every second.
async fn until(store: &Store, what: &str, wanted: impl Fn(&StoreStats) -> bool) -> StoreStats {
    let start = Instant::now();
    loop {
        let stats = store.stats().await.unwrap();
        if wanted(&stats) {
            return stats;
        }
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{what}: {stats:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_store_keeps_itself_up_on_disk_and_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    for builder in [Store::builder(dir.path()), Store::memory_builder()] {
        let clock = ManualClock::new(START);
        let settings = StoreSettings {
            flush_bytes: 1,
            compact_files: 2,
            delete_grace_s: 0,
            ..StoreSettings::in_memory()
        };
        run(async {
            let store = builder
                .settings(settings)
                .clock(Arc::new(clock.clone()))
                .open()
                .await
                .unwrap();
            for part in 0..4 {
                store.append(batch(part * 100, 100)).await.unwrap();
                until(&store, "flushed", |s| s.staged_events == 0).await;
            }
            let busy = until(&store, "compacted", |s| s.loose_files < 2).await;
            assert_eq!(busy.events, 400);
            // The files that were replaced, and their snapshots.
            assert!(busy.bytes_on_disk > busy.bytes, "{busy:?}");
            assert!(busy.snapshots > 4, "{busy:?}");
            clock.set(START + DAY);
            until(&store, "without history", |s| s.snapshots == 1).await;
            // The files wait from then on for those who still read them.
            clock.set(START + 2 * DAY);
            until(&store, "tidied", |s| s.bytes_on_disk == s.bytes).await;
            assert_eq!(sums(&store).await, [400, 400, 79_800, 10]);
        });
    }
}

/// Nothing was appended: the files come from ingests and flushes by hand.
#[test]
fn what_is_ingested_or_flushed_by_hand_is_compacted_too() {
    let settings = StoreSettings {
        compact_files: 3,
        ..StoreSettings::in_memory()
    };
    run(async {
        let store = Store::memory_builder();
        let store = store.settings(settings).open().await.unwrap();
        let line = |n: usize| {
            let time = format!("2026-01-02T00:00:{n:02}Z");
            format!(r#"{{"actor": "u{n}", "event": "view", "time": "{time}", "event_id": "{n}"}}"#)
        };
        for n in 0..3 {
            store
                .ingest(Source::bytes("lines.ndjson", line(n).into_bytes()))
                .await
                .unwrap();
        }
        let compacted = until(&store, "compacted", |s| s.loose_files == 0).await;
        assert_eq!(compacted.events, 3);
        for n in 3..9 {
            store
                .ingest(Source::bytes("lines.ndjson", line(n).into_bytes()))
                .await
                .unwrap();
            store.flush().await.unwrap();
        }
        let compacted = until(&store, "compacted again", |s| s.loose_files < 3).await;
        assert_eq!(compacted.events, 9);
    });
}

#[test]
fn in_memory_nothing_is_kept_for_history() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let settings = StoreSettings {
            partition: Some(PartitionGrain::Month),
            ..StoreSettings::in_memory()
        };
        assert_eq!(store.settings(), &settings);
        assert_eq!(store.settings().history_s, 0);
        assert!(store.settings().background);
    });
}
