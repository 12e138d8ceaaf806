use arrow::array::{
    AsArray, DictionaryArray, Int64Array, RunArray, StringArray, StringViewArray, StructArray,
};
use arrow::datatypes::{Int32Type, TimeUnit};
use arrow::ipc::writer::FileWriter;

use super::*;
use crate::ErrorKind;

fn batch() -> RecordBatch {
    let names: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
    let runs = RunArray::<Int32Type>::try_new(
        &arrow::array::Int32Array::from(vec![2, 3]),
        &StringArray::from(vec!["x", "y"]),
    );
    let inner = Arc::new(StringViewArray::from(vec!["p", "q", "r"])) as ArrayRef;
    let field = Arc::new(Field::new("inner", DataType::Utf8View, false));
    RecordBatch::try_from_iter([
        ("actor", Arc::new(names) as ArrayRef),
        (
            "event",
            Arc::new(StringViewArray::from(vec![Some("e"), None, Some("f")])) as _,
        ),
        ("time", Arc::new(Int64Array::from(vec![1, 2, 3])) as _),
        ("runs", Arc::new(runs.unwrap()) as _),
        (
            "object",
            Arc::new(StructArray::from(vec![(field, inner)])) as _,
        ),
    ])
    .unwrap()
}

fn table() -> Table {
    Table::new(batch().schema(), vec![batch(), batch().slice(1, 2)])
}

#[test]
fn streams_and_files_come_back() {
    let read = read_ipc(table().to_ipc().unwrap()).unwrap();
    assert_eq!(read, table().batches());
    let mut file = FileWriter::try_new(Vec::new(), &batch().schema()).unwrap();
    file.write(&batch()).unwrap();
    let read = read_ipc(file.into_inner().unwrap()).unwrap();
    assert_eq!(read, [batch()]);
}

#[test]
fn an_empty_table_keeps_its_schema() {
    let empty = Table::new(batch().schema(), Vec::new());
    for bytes in [empty.to_ipc().unwrap(), empty.to_plain_ipc().unwrap()] {
        let read = read_ipc(bytes).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].num_rows(), 0);
        assert_eq!(read[0].schema().fields().len(), 5);
    }
}

#[test]
fn plain_types_are_those_that_every_reader_knows() {
    let read = read_ipc(table().to_plain_ipc().unwrap()).unwrap();
    assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
    let schema = read[0].schema();
    assert_eq!(*schema.field(1).data_type(), DataType::Utf8);
    assert_eq!(*schema.field(3).data_type(), DataType::Utf8);
    assert!(format!("{}", schema.field(4).data_type()).contains("Utf8"));
    assert!(!format!("{schema}").contains("View"));
    let events = read[0].column(1).as_string::<i32>();
    assert_eq!(
        events.iter().collect::<Vec<_>>(),
        [Some("e"), None, Some("f")]
    );
    let runs = read[0].column(3).as_string::<i32>();
    assert_eq!(
        runs.iter().collect::<Vec<_>>(),
        [Some("x"), Some("x"), Some("y")]
    );
    assert!(matches!(
        schema.field(0).data_type(),
        DataType::Dictionary(..)
    ));
}

#[test]
fn every_cut_of_a_stream_is_an_error_and_no_panic() {
    let whole = table().to_ipc().unwrap();
    let end = whole.len() - 8;
    for at in 0..end {
        // A stream may end after any batch.
        if let Err(error) = read_ipc(whole[..at].to_vec()) {
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{at}: {error}");
        }
    }
    assert!(read_ipc(Vec::new()).is_err());
    assert!(read_ipc(whole[..100].to_vec()).is_err());
}

#[test]
fn every_flipped_byte_is_a_table_or_an_error() {
    let whole = table().to_ipc().unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5a;
        if let Ok(batches) = read_ipc(bytes) {
            assert!(batches.iter().all(|batch| batch.num_columns() <= 5));
        }
    }
}

#[test]
fn events_of_ipc_are_those_of_the_batches() {
    let columns = batch().project(&[0, 1, 2]).unwrap();
    let bytes = Table::new(columns.schema(), vec![columns.slice(0, 1)]).to_ipc();
    let events = Events::from_ipc(
        bytes.unwrap(),
        &Roles::default(),
        &EngineSettings::default(),
    );
    let schema = events.unwrap().schema();
    let time = schema.field_with_name("time").unwrap().data_type().clone();
    assert_eq!(
        time,
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    );
}
