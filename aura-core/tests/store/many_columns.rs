//! More properties than a store can have as columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use aura_core::ErrorKind;
use aura_core::ingest::{IngestOptions, Source};
use aura_core::store::Store;

use crate::common::{ask, assert_works, batch, ints, run, sums};

/// An event with the numbers of `keys` as properties `k<number>`.
fn event(id: &str, keys: std::ops::Range<usize>) -> String {
    let properties: String = keys.map(|k| format!(",\"k{k}\":{k}")).collect();
    format!(
        "{{\"event_id\":\"{id}\",\"actor\":\"u\",\"event\":\"x\",\"time\":\"2026-01-01T00:00:00Z\"{properties}}}\n"
    )
}

/// Whatever comes in, a store has at most 1,900 columns of properties; the rest is in `extra`.
#[test]
fn what_a_store_has_no_column_for_is_in_extra() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let text = event("a", 0..1_000) + &event("b", 1_000..1_850);
        let report = store.ingest(Source::bytes("first", text)).await.unwrap();
        assert_eq!(report.columns_added.len(), 1_850);
        assert!(report.notes.is_empty(), "{:?}", report.notes);

        let text = event("c", 1_800..2_050);
        let report = store.ingest(Source::bytes("second", text)).await.unwrap();
        assert_eq!(sums(&report), (1, 1, 0, 0));
        assert_eq!(report.columns_added.len(), 50);
        assert!(
            report.notes[0].starts_with("second: 150 properties are kept in `extra`"),
            "{:?}",
            report.notes
        );
        let events = store.events().await.unwrap();
        let found = ask(
            &events,
            "SELECT k1849, k1899, extra FROM events WHERE event_id = 'c'",
        )
        .await;
        let text = |i: usize| found[0][i].as_deref().unwrap();
        assert_eq!((text(0), text(1)), ("1849", "1899"));
        assert!(text(2).contains("\"k1900\":1900") && text(2).contains("\"k2049\":2049"));

        // Appended rows keep to it, too.
        let rows = batch("d", 0, 1);
        let mut columns: Vec<(&str, ArrayRef)> = ["event_id", "actor", "event", "time"]
            .map(|name| (name, Arc::clone(rows.column_by_name(name).unwrap())))
            .to_vec();
        columns.push(("another", Arc::new(Int64Array::from(vec![7]))));
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let report = store.append(rows).await.unwrap();
        assert_eq!(sums(&report), (1, 1, 0, 0));
        assert!(report.notes[0].starts_with("append: 1 properties"));
        let sql = "SELECT count(*) FROM events WHERE extra = '{\"another\":7}'";
        assert_eq!(ints(&store, sql).await, [1]);
        assert_works(&store, 4).await;
    });
}

#[test]
fn a_contract_has_to_fit_into_the_store() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let text = event("a", 0..1_900);
        store.ingest(Source::bytes("first", text)).await.unwrap();
        let contract =
            "name: c\nversion: 1\nevents:\n  x:\n    properties:\n      another: {type: integer}\n";
        let contract = aura_core::event::contract::Contract::parse(contract).unwrap();
        let options = IngestOptions::default().contract(contract);
        let source = Source::bytes("second", event("b", 0..1));
        let error = store.ingest_with(source, &options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{error}");
        assert!(error.message().contains("declares `another`"), "{error}");
        assert_works(&store, 1).await;
    });
}

#[test]
fn a_table_of_too_many_columns() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let rows = batch("w", 0, 1);
        let names: Vec<String> = (0..2_000).map(|i| format!("k{i}")).collect();
        let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let mut columns: Vec<(&str, ArrayRef)> = ["event_id", "actor", "event", "time"]
            .map(|name| (name, Arc::clone(rows.column_by_name(name).unwrap())))
            .to_vec();
        columns.extend(names.iter().map(|n| (n.as_str(), Arc::clone(&number))));
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let mut out =
            parquet::arrow::ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
        out.write(&rows).unwrap();
        let source = Source::bytes("wide", out.into_inner().unwrap());
        for error in [
            store.ingest(source).await.unwrap_err(),
            store.append(rows).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
            assert!(
                error.message().contains("2004 columns; at most 2000"),
                "{error}"
            );
        }
        assert_works(&store, 0).await;
    });
}
