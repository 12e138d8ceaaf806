//! What the quarantine keeps, and how long.

use super::*;

/// A contract under which larger `n` are rejected.
fn at_most(n: usize) -> IngestOptions {
    let event = format!("{{properties: {{n: {{type: integer, max: {n}}}}}}}");
    let text = format!("name: c\nversion: 1\nevents:\n  view: {event}\n  buy: {event}\n");
    IngestOptions::default().contract(Contract::parse(&text).unwrap())
}

/// Lines that are rejected, by their actors.
fn bad(actors: &[&str]) -> String {
    actors
        .iter()
        .map(|a| format!("{{\"actor\":\"{a}\",\"event\":\"x\",\"time\":\"never\"}}\n"))
        .collect()
}

async fn kept(store: &Store) -> usize {
    store.quarantine().await.unwrap().num_rows()
}

#[test]
fn a_row_that_is_rejected_again_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        for _ in 0..2 {
            let report = store
                .ingest(Source::bytes("a", bad(&["u1", "u1", "u2"])))
                .await
                .unwrap();
            assert_eq!(report.rejected, 3, "the report counts every one");
            assert_eq!(
                kept(&store).await,
                3,
                "equal rows at different places are two"
            );
        }
        drop(store);
        let store = open(dir.path()).await;
        store
            .ingest(Source::bytes("a", bad(&["u1", "u1", "u2", "u3"])))
            .await
            .unwrap();
        assert_eq!(kept(&store).await, 4);
        store
            .ingest(Source::bytes("b", bad(&["u1"])))
            .await
            .unwrap();
        assert_eq!(kept(&store).await, 5, "another source is another row");
        assert_eq!(store.erase("u1").await.unwrap().rejects, 3);
        store
            .ingest(Source::bytes("b", bad(&["u1"])))
            .await
            .unwrap();
        assert_eq!(kept(&store).await, 3, "what was erased may come again");
    });
}

#[test]
fn a_batch_with_rejected_rows_is_kept_once_by_any_process() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let options = at_most(4);
        let store = open(dir.path()).await;
        let other = open(dir.path()).await;
        for step in 0..6 {
            let writer = if step % 2 == 0 { &store } else { &other };
            let report = writer.append_with(batch(0, 8), &options).await.unwrap();
            assert_eq!(report.rejected, 3);
            assert_eq!(kept(&store).await, 3, "step {step}");
            if step == 3 {
                store.flush().await.unwrap();
            }
        }
    });
}

#[test]
fn expiry_drops_old_rejects() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let clock = ManualClock::new(START);
        let builder = Store::builder(dir.path()).settings(quiet());
        let store = builder.clock(Arc::new(clock.clone())).open().await.unwrap();
        store
            .ingest(Source::bytes("a", bad(&["u1", "u2"])))
            .await
            .unwrap();
        // Two times in one file.
        let options = at_most(0);
        for day in 1..3 {
            clock.set(START + day * DAY);
            store
                .append_with(batch(day as usize * 10, 5), &options)
                .await
                .unwrap();
        }
        store.flush().await.unwrap();
        assert_eq!(kept(&store).await, 12);
        let report = store.expire(START + 2 * DAY).await.unwrap();
        assert_eq!((report.events, report.rejects), (0, 7), "{report:?}");
        assert_eq!(kept(&store).await, 5);
        assert_eq!(
            store.expire(START + 2 * DAY).await.unwrap(),
            ExpireReport::default()
        );
        store
            .ingest(Source::bytes("a", bad(&["u1", "u2"])))
            .await
            .unwrap();
        assert_eq!(kept(&store).await, 7, "what was dropped may come again");
        let report = store.expire(START + 3 * DAY).await.unwrap();
        assert_eq!((report.rejects, kept(&store).await), (7, 0));
    });
}
