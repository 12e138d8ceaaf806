//! Sources that go straight to files.

use super::*;

#[test]
fn bulk_ingest_reads_every_format_and_quarantines_bad_rows() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        let text = concat!(
            "{\"event_id\":\"a\",\"user_id\":\"u1\",\"event\":\"view\",\"ts\":\"2026-01-01T10:00:00+02:00\",\"n\":1}\n",
            "not json\n",
            "{\"event_id\":\"b\",\"user_id\":\"\",\"event\":\"view\",\"ts\":\"2026-01-01T10:00:00Z\"}\n",
            "{\"event_id\":\"c\",\"user_id\":7,\"event\":\"buy\",\"ts\":1767225600,\"n\":\"x\",\"new\":{\"a\":[1]}}\n",
            "{\"event_id\":\"d\",\"user_id\":\"u1\",\"event\":\"buy\",\"ts\":\"2026-02-30\"}\n",
        );
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let options =
            IngestOptions::default().on_progress(move |p| log.lock().unwrap().push(p.clone()));
        let report = store
            .ingest_with(Source::bytes("x.ndjson", text), &options)
            .await
            .unwrap();
        assert_eq!(
            (report.read, report.accepted, report.rejected),
            (5, 2, 3),
            "{report:?}"
        );
        let rows: Vec<u64> = report.rejects.iter().map(|r| r.row).collect();
        assert_eq!(rows, [2, 3, 5]);
        assert_eq!(report.rejects[0].original, b"not json");
        assert_eq!(seen.lock().unwrap().last().unwrap().rows_read, 5);
        let events = store.events().await.unwrap();
        assert_eq!(
            ints(
                &events,
                "SELECT count(*), min(CAST(time AS BIGINT)) FROM events WHERE event = 'view'"
            )
            .await,
            [1, START + 8 * 3_600_000_000]
        );
        let extra = events
            .sql("SELECT extra FROM events WHERE event_id = 'c'")
            .await
            .unwrap();
        assert!(extra.to_string().contains("x"), "{extra}");
        assert_eq!(store.quarantine().await.unwrap().num_rows(), 3);

        let mut csv = Vec::new();
        csv.extend_from_slice(b"event_id,user_id,event,time,n\n");
        for i in 0..2000 {
            csv.extend_from_slice(
                format!(
                    "c{i},u{},view,2026-03-{:02}T00:00:00Z,{i}\n",
                    i % 3,
                    i % 28 + 1
                )
                .as_bytes(),
            );
        }
        let gz = {
            use std::io::Write;
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(&csv).unwrap();
            out.finish().unwrap()
        };
        let report = store
            .ingest(Source::bytes("misnamed.txt", gz))
            .await
            .unwrap();
        assert_eq!((report.accepted, report.rejected), (2000, 0), "{report:?}");
        let array = "[{\"event_id\":\"j1\",\"actor\":\"a\",\"event\":\"e\",\"time\":\"2026-01-01T00:00:00Z\"}\n,\n {\"event_id\":\"j2\",\"actor\":\"a\",\"event\":\"e\",\"time\":\"2026-01-01T00:00:00Z\"}]";
        assert_eq!(
            store
                .ingest(Source::bytes("a.json", array))
                .await
                .unwrap()
                .accepted,
            2
        );

        let path = dir.path().join("t.parquet");
        let file = std::fs::File::create(&path).unwrap();
        let mut out =
            parquet::arrow::ArrowWriter::try_new(file, batch(0, 10).schema(), None).unwrap();
        out.write(&batch(5000, 500)).unwrap();
        out.close().unwrap();
        assert_eq!(store.ingest(path.as_path()).await.unwrap().accepted, 500);
        let again = store.ingest(path.as_path()).await.unwrap();
        assert_eq!((again.accepted, again.duplicate), (0, 500));
        let ipc = {
            let mut out =
                arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batch(0, 1).schema()).unwrap();
            out.write(&batch(7000, 20)).unwrap();
            out.into_inner().unwrap()
        };
        assert_eq!(
            store
                .ingest(Source::bytes("t.arrow", ipc))
                .await
                .unwrap()
                .accepted,
            20
        );
        let error = store.ingest("no/such/file.csv").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn presets_map_their_rows() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let text = "{\"type\":\"track\",\"event\":\"Signed Up\",\"userId\":\"u1\",\"messageId\":\"m1\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"properties\":{\"plan\":\"pro\"}}\n{\"type\":\"dance\"}\n";
        let options = IngestOptions::with_preset(Preset::Segment);
        let report = store
            .ingest_with(Source::bytes("s", text), &options)
            .await
            .unwrap();
        assert_eq!((report.accepted, report.rejected), (1, 1), "{report:?}");
        assert_eq!(report.rejects[0].original, b"{\"type\":\"dance\"}");
        let events = store.events().await.unwrap();
        let table = events
            .sql("SELECT actor, event, event_id, plan FROM events")
            .await
            .unwrap();
        let shown = table.to_string();
        for part in ["u1", "Signed Up", "m1", "pro"] {
            assert!(shown.contains(part), "{shown}");
        }
    });
}

#[test]
fn a_contract_decides_columns_and_rejects() {
    let contract = Contract::parse(
        "name: shop\nversion: 1\nevents:\n  buy:\n    properties:\n      amount: {type: number, min: 0, required: true}\n",
    )
    .unwrap();
    run(async {
        let store = Store::in_memory().await.unwrap();
        let text = concat!(
            "{\"actor\":\"a\",\"event\":\"buy\",\"time\":\"2026-01-01T00:00:00Z\",\"amount\":5,\"other\":1}\n",
            "{\"actor\":\"a\",\"event\":\"buy\",\"time\":\"2026-01-01T00:00:01Z\",\"amount\":-5}\n",
            "{\"actor\":\"a\",\"event\":\"buy\",\"time\":\"2026-01-01T00:00:02Z\"}\n",
        );
        let options = IngestOptions::default().contract(contract);
        let report = store
            .ingest_with(Source::bytes("s", text), &options)
            .await
            .unwrap();
        assert_eq!((report.accepted, report.rejected), (1, 2), "{report:?}");
        assert_eq!(report.rejected_by_reason["contract"], 2);
        let table = store
            .events()
            .await
            .unwrap()
            .sql("SELECT amount, extra FROM events")
            .await
            .unwrap();
        assert!(table.to_string().contains("{\"other\":1}"), "{table}");
    });
}

#[test]
fn a_cancelled_ingest_keeps_nothing() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let cancel = CancelToken::new();
        cancel.cancel();
        let options = IngestOptions::default().cancel(cancel);
        let csv = "actor,event,time\na,x,2026-01-01T00:00:00Z\n";
        let error = store
            .ingest_with(Source::bytes("a", csv), &options)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(store.stats().await.unwrap().events, 0);
    });
}

#[test]
fn a_dropped_ingest_keeps_nothing() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let cancel = CancelToken::new();
        let alive = Arc::new(());
        let working = Arc::downgrade(&alive);
        let (begun, at_work) = tokio::sync::oneshot::channel();
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let state = std::sync::Mutex::new((Some(begun), may_go));
        let options = IngestOptions::default()
            .cancel(cancel.clone())
            .on_progress(move |_| {
                let _ = &alive;
                let mut state = state.lock().unwrap();
                if let Some(begun) = state.0.take() {
                    begun.send(()).unwrap();
                }
                // Ends when the other side is dropped.
                let _ = state.1.recv();
            });
        let csv = "actor,event,time\na,x,2026-01-01T00:00:00Z\nb,x,never\n";
        tokio::select! {
            _ = store.ingest_with(Source::bytes("a", csv), &options) => panic!("it cannot end"),
            begun = at_work => begun.unwrap(),
        }
        drop((options, go));
        while working.upgrade().is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let stats = store.stats().await.unwrap();
        assert_eq!((stats.events, stats.quarantined), (0, 0));
        assert_eq!(stats.bytes_on_disk, 0);
        assert!(
            !cancel.is_cancelled(),
            "the token may be another call's, too"
        );
        assert_eq!(
            store
                .ingest(Source::bytes("a", csv))
                .await
                .unwrap()
                .accepted,
            1
        );
    });
}

#[test]
fn a_panic_of_the_callers_is_the_callers() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let options = IngestOptions::default().on_progress(|_| panic!("mine"));
        let csv = "actor,event,time\na,x,2026-01-01T00:00:00Z\n";
        let source = Source::bytes("a", csv);
        let error = store.ingest_with(source, &options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains("panicked: mine"), "{error}");
        assert!(!error.message().contains("report"), "{error}");
        assert_eq!(store.stats().await.unwrap().events, 0);
    });
}

#[test]
fn roles_and_zones_are_asked_for() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let csv = "who,what,at\na,x,2026-01-01 00:00:00\n";
        let error = store.ingest(Source::bytes("a", csv)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains("`actor`"), "{error}");
        let roles = Roles::new("who", "what", "at");
        let options = IngestOptions::with_roles(roles.clone());
        let error = store
            .ingest_with(Source::bytes("a", csv), &options)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains("`time_zone`"), "{error}");
        assert_eq!(store.quarantine().await.unwrap().num_rows(), 0);
        let options = IngestOptions::with_roles(roles.with_time_zone("Europe/Berlin"));
        let report = store
            .ingest_with(Source::bytes("a", csv), &options)
            .await
            .unwrap();
        assert_eq!(report.accepted, 1);
    });
}

#[test]
fn a_source_that_cannot_be_read_is_not_an_empty_one() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line broke"))
        }
    }
    run(async {
        let store = Store::in_memory().await.unwrap();
        let error = store.ingest(Source::reader("line", Broken)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("the line broke"), "{error}");
    });
}
