//! What may be asked of a store when it is opened.

use super::*;

#[test]
fn a_partition_that_differs_from_the_stores_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let by = |partition| {
        Store::builder(dir.path()).settings(StoreSettings {
            partition,
            ..quiet()
        })
    };
    run(async {
        drop(by(Some(PartitionGrain::Day)).open().await.unwrap());
        let error = by(Some(PartitionGrain::Month)).open().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        for words in ["\"month\"", "\"day\""] {
            assert!(error.message().contains(words), "{error}");
        }
        for same in [None, Some(PartitionGrain::Day)] {
            let store = by(same).open().await.unwrap();
            assert_eq!(store.settings().partition, Some(PartitionGrain::Day));
        }
    });
}

#[test]
fn more_threads_than_a_machine_has_are_refused() {
    let mut settings = [quiet(), quiet()];
    settings[0].threads = 100_000;
    settings[1].engine.threads = 1_025;
    for (settings, name) in settings.into_iter().zip(["`threads`", "`engine.threads`"]) {
        let error = run(Store::memory_builder().settings(settings).open()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains(name), "{error}");
    }
}

#[test]
fn only_a_store_that_is_there_is_opened_when_none_shall_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let (there, mistyped) = (dir.path().join("my.aura"), dir.path().join("mi.aura"));
    run(async {
        let error = Store::open_existing(&mistyped).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains("mi.aura"), "{error}");
        assert!(!mistyped.exists());
        let store = open(&there).await;
        store.append(batch(0, 10)).await.unwrap();
        drop(store);
        let store = Store::open_existing(&there).await.unwrap();
        assert_eq!(sums(&store).await[0], 10);
    });
}

#[test]
fn no_tokio_runtime_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    futures::executor::block_on(async {
        let store = open(dir.path()).await;
        store.append(batch(0, 10)).await.unwrap();
        let csv = "actor,event,time,n\na,x,2026-01-01T00:00:00Z,1\n";
        store.ingest(Source::bytes("a", csv)).await.unwrap();
        store.compact().await.unwrap();
        assert_eq!(sums(&store).await, [11, 11, 46, 11]);
    });
}
