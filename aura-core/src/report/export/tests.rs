use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};

use super::*;
use crate::ErrorKind;

/// Text that a spreadsheet would run, and what is near it.
const TEXTS: [Option<&str>; 8] = [
    Some("=cmd|' /C calc'!A0"),
    Some("+1"),
    Some(" @SUM(A1)"),
    Some("-2+3"),
    Some("\tx"),
    Some("plain, \"quoted\"\nline"),
    Some(""),
    None,
];

pub(super) fn table() -> Table {
    let numbers = [
        Some(-1.5),
        Some(f64::NAN),
        None,
        Some(1e300),
        Some(0.1),
        Some(2.0),
        Some(3.0),
        Some(4.0),
    ];
    let whole = [
        Some(-7),
        Some(i64::MAX),
        None,
        Some(0),
        Some(1),
        Some(2),
        Some(3),
        Some(4),
    ];
    let start = 1_767_225_600_000_000_i64;
    let moments = (0..8).map(|n| (n != 2).then_some(start + n * 1_000_000));
    let columns: [(&str, ArrayRef); 5] = [
        ("text", Arc::new(StringArray::from(TEXTS.to_vec()))),
        ("=name", Arc::new(Float64Array::from(numbers.to_vec()))),
        ("whole", Arc::new(Int64Array::from(whole.to_vec()))),
        ("flag", Arc::new(BooleanArray::from(vec![true; 8]))),
        (
            "moment",
            Arc::new(
                moments
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    Table::new(batch.schema(), vec![batch.slice(0, 3), batch.slice(3, 5)])
}

fn written(format: ExportFormat) -> Vec<u8> {
    let mut out = Vec::new();
    table().export(format, &mut out).unwrap();
    let mut again = Vec::new();
    table().export(format, &mut again).unwrap();
    assert!(out == again, "{format:?} is not the same twice");
    out
}

#[test]
fn formulas_in_csv_are_guarded_and_numbers_are_not() {
    let text = String::from_utf8(written(ExportFormat::Csv)).unwrap();
    let expected = "text,'=name,whole,flag,moment\r\n\
        \"'=cmd|' /C calc'!A0\",-1.5,-7,true,2026-01-01T00:00:00Z\r\n\
        '+1,NaN,9223372036854775807,true,2026-01-01T00:00:01Z\r\n\
        \"' @SUM(A1)\",,,true,\r\n\
        '-2+3,1e300,0,true,2026-01-01T00:00:03Z\r\n\
        \"'\tx\",0.1,1,true,2026-01-01T00:00:04Z\r\n\
        \"plain, \"\"quoted\"\"\nline\",2.0,2,true,2026-01-01T00:00:05Z\r\n\
        \"\",3.0,3,true,2026-01-01T00:00:06Z\r\n\
        ,4.0,4,true,2026-01-01T00:00:07Z\r\n";
    assert_eq!(text, expected);
    let options = CsvOptions {
        delimiter: ';',
        guard_formulas: false,
    };
    let mut out = Vec::new();
    table().to_csv(&options, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("text;=name;whole;flag;moment\r\n\"=cmd|' /C calc'!A0\";-1.5;"),
        "{text}"
    );
    let wrong = CsvOptions {
        delimiter: '"',
        ..CsvOptions::default()
    };
    assert_eq!(
        table().to_csv(&wrong, Vec::new()).unwrap_err().kind(),
        ErrorKind::InvalidSpec
    );
}

#[test]
fn json_has_nulls_and_no_numbers_that_it_cannot_have() {
    let rows: Vec<serde_json::Value> =
        serde_json::from_slice(&written(ExportFormat::Json)).unwrap();
    assert_eq!(rows.len(), 8);
    assert_eq!(
        rows[2],
        serde_json::json!({"text": " @SUM(A1)", "=name": null, "whole": null, "flag": true, "moment": null})
    );
    assert_eq!(rows[1]["=name"], serde_json::Value::Null);
    assert_eq!(rows[0]["moment"], "2026-01-01T00:00:00Z");
    let lines = String::from_utf8(written(ExportFormat::Ndjson)).unwrap();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, rows);
}

#[test]
fn parquet_and_arrow_come_back_as_they_were() {
    let expected = table().to_batch().unwrap();
    let bytes = bytes::Bytes::from(written(ExportFormat::Parquet));
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(bytes, 1024).unwrap();
    let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let read = arrow::compute::concat_batches(&expected.schema(), &read).unwrap();
    assert_eq!(format!("{read:?}"), format!("{expected:?}"));
    let bytes = std::io::Cursor::new(written(ExportFormat::ArrowIpc));
    let reader = arrow::ipc::reader::FileReader::try_new(bytes, None).unwrap();
    let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let read = arrow::compute::concat_batches(&expected.schema(), &read).unwrap();
    assert_eq!(format!("{read:?}"), format!("{expected:?}"));
}

#[test]
fn empty_tables_keep_their_columns() {
    let table = Table::new(table().schema(), Vec::new());
    let written = |format| {
        let mut out = Vec::new();
        table.export(format, &mut out).unwrap();
        out
    };
    assert_eq!(
        written(ExportFormat::Csv),
        b"text,'=name,whole,flag,moment\r\n"
    );
    assert_eq!(written(ExportFormat::Json), b"[]");
    assert!(written(ExportFormat::Ndjson).is_empty());
    let bytes = std::io::Cursor::new(written(ExportFormat::ArrowIpc));
    let reader = arrow::ipc::reader::FileReader::try_new(bytes, None).unwrap();
    assert_eq!(reader.schema().fields().len(), 5);
    assert!(!written(ExportFormat::Parquet).is_empty());
}

#[test]
fn a_fault_of_the_writer_keeps_its_kind() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = table().export(ExportFormat::Csv, Full).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
}

#[test]
fn formats_are_known_by_the_names_of_files() {
    assert_eq!(ExportFormat::of_file("a.b.CSV"), Some(ExportFormat::Csv));
    assert_eq!(ExportFormat::of_file("a.jsonl"), Some(ExportFormat::Ndjson));
    assert_eq!(ExportFormat::of_file("csv"), None);
}

#[cfg(feature = "xlsx")]
#[test]
fn a_workbook_has_numbers_dates_and_text_that_is_no_formula() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("table.xlsx");
    std::fs::write(&file, written(ExportFormat::Xlsx)).unwrap();
    let said = crate::report::render::tests::outside::check("xlsx", &[&file]);
    let cells: Vec<Vec<Option<(String, String)>>> = serde_json::from_str(&said).unwrap();
    let cell = |kind: &str, value: &str| Some((kind.to_owned(), value.to_owned()));
    assert_eq!(cells.len(), 9);
    assert_eq!(cells[0][1], cell("s", "=name"));
    // `s` is text and `f` would be a formula.
    assert_eq!(
        cells[1],
        [
            cell("s", "=cmd|' /C calc'!A0"),
            cell("n", "-1.5"),
            cell("n", "-7"),
            cell("b", "True"),
            cell("d", "2026-01-01 00:00:00"),
        ]
    );
    // What Excel has no number for is text, and null is no cell.
    assert_eq!(
        cells[2][1..3],
        [cell("s", "NaN"), cell("s", "9223372036854775807")]
    );
    assert_eq!(cells[3][1..], [None, None, cell("b", "True"), None]);
}
