//! Rows of tables whose roles cannot be used, and rows that a contract refuses.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::ipc::writer::StreamWriter;
use aura_core::event::contract::Contract;
use aura_core::ingest::RejectReason::{InvalidTime, MissingRole};
use aura_core::ingest::{IngestOptions, IngestReport, Source};
use aura_core::store::Store;
use parquet::arrow::ArrowWriter;

use crate::common::{ask, assert_works, run, sums};

/// Seven rows of which the first and the last are good.
fn faulty() -> RecordBatch {
    let text =
        |values: [Option<&str>; 7]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let time = "2026-01-01T00:00:00Z";
    let (u, x, t) = (Some("u"), Some("x"), Some(time));
    let ids = ["a", "b", "c", "d", "e", "f", "g"].map(Some);
    RecordBatch::try_from_iter_with_nullable([
        ("event_id", text(ids), true),
        ("actor", text([u, None, Some(""), u, u, u, u]), true),
        ("event", text([x, x, x, None, x, x, x]), true),
        ("time", text([t, t, t, t, None, Some("yesterday"), t]), true),
        (
            "n",
            Arc::new(Int64Array::from_iter_values(0..7)) as ArrayRef,
            true,
        ),
    ])
    .unwrap()
}

async fn assert_five_rejects(store: &Store, report: &IngestReport) {
    assert_eq!(sums(report), (7, 2, 5, 0), "{report:#?}");
    let found: Vec<_> = report
        .rejects
        .iter()
        .map(|r| (r.row, r.field.as_deref(), r.reason))
        .collect();
    assert_eq!(
        found,
        [
            (2, Some("actor"), MissingRole),
            (3, Some("actor"), MissingRole),
            (4, Some("event"), MissingRole),
            (5, Some("time"), MissingRole),
            (6, Some("time"), InvalidTime),
        ]
    );
    let events = store.events().await.unwrap();
    let rows = ask(&events, "SELECT event_id, n FROM events ORDER BY event_id").await;
    let row = |id: &str, n: &str| vec![Some(id.to_owned()), Some(n.to_owned())];
    assert_eq!(rows, [row("a", "0"), row("g", "6")]);
    assert_works(store, 2).await;
}

#[test]
fn null_and_unreadable_roles_in_tables_reject_their_rows_alone() {
    let rows = faulty();
    let mut parquet = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
    parquet.write(&rows).unwrap();
    let mut ipc = StreamWriter::try_new(Vec::new(), &rows.schema()).unwrap();
    ipc.write(&rows).unwrap();
    run(async {
        for bytes in [parquet.into_inner().unwrap(), ipc.into_inner().unwrap()] {
            let store = Store::in_memory().await.unwrap();
            let report = store.ingest(Source::bytes("table", bytes)).await.unwrap();
            assert_five_rejects(&store, &report).await;
        }
        let store = Store::in_memory().await.unwrap();
        let report = store.append(rows).await.unwrap();
        assert_five_rejects(&store, &report).await;
    });
}

#[test]
fn what_a_contract_drops_is_not_kept_in_quarantine() {
    let contract = "
name: c
version: 1
properties:
  n: {type: integer, min: 10}
  email: {type: string, max_length: 0, on_violation: drop}
";
    let text = concat!(
        r#"{"actor":"u","event":"x","time":1767225600,"n":1,"email":"a@example.org"}"#,
        "\n",
        r#"{"actor":"u","event":"x","time":1767225600,"email":"a@example.org","n":2}"#,
        "\n",
        r#"{"actor":"u","event":"x","time":1767225600,"n":1}"#,
    );
    run(async {
        let store = Store::in_memory().await.unwrap();
        let options = IngestOptions::default().contract(Contract::parse(contract).unwrap());
        let report = store
            .ingest_with(Source::bytes("c", text), &options)
            .await
            .unwrap();
        assert_eq!((report.dropped, report.rejected), (2, 1), "{report:#?}");
        let kept = store.quarantine().await.unwrap().to_string();
        assert!(!kept.contains("example.org"), "{kept}");
    });
}
