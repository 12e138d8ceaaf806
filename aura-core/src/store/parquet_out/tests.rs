use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;

use super::{EventEncoder, EventWriter, Profile};
use crate::ErrorKind;
use crate::event::{PropertyType, canonical_schema};
use crate::store::catalog::file::{ColumnStats, WrittenFile};
use crate::store::files::FileStore;

fn schema() -> SchemaRef {
    let plain = canonical_schema([
        ("plan", PropertyType::String),
        ("amount", PropertyType::Number),
        ("count", PropertyType::Integer),
        ("paid", PropertyType::Boolean),
        ("day", PropertyType::Date),
    ]);
    let fields = plain.fields().iter().enumerate().map(|(i, field)| {
        let id = [("PARQUET:field_id".to_owned(), (i + 1).to_string())];
        field.as_ref().clone().with_metadata(id.into())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn batch(first: i64, rows: i64) -> RecordBatch {
    let all = first..first + rows;
    let text = |name: &str| {
        let values = all.clone().map(|i| format!("{name}{i}"));
        Arc::new(StringArray::from_iter_values(values)) as ArrayRef
    };
    let times = TimestampMicrosecondArray::from_iter_values(all.clone().map(|i| i * 1_500_000));
    let amounts: Float64Array = all
        .clone()
        .map(|i| (i % 2 == 0).then_some(i as f64))
        .collect();
    let days: Date32Array = all.clone().map(|i| Some(i as i32)).collect();
    let paid: BooleanArray = all.clone().map(|i| Some(i % 2 == 0)).collect();
    RecordBatch::try_new(
        schema(),
        vec![
            text("e"),
            text("u"),
            Arc::new(StringArray::from(vec!["view"; rows as usize])),
            Arc::new(times.with_timezone("UTC")),
            Arc::new(
                all.clone()
                    .map(|i| Some(["free", "pro"][(i % 2) as usize]))
                    .collect::<StringArray>(),
            ),
            Arc::new(amounts),
            Arc::new(Int64Array::from_iter_values(all.clone().map(|i| -i))),
            Arc::new(paid),
            Arc::new(days),
            Arc::new(StringArray::new_null(rows as usize)),
        ],
    )
    .unwrap()
}

fn write(files: &FileStore, profile: Profile, groups: &[RecordBatch]) -> WrittenFile {
    let encoder = Arc::new(EventEncoder::like(&schema(), profile, &groups[0]).unwrap());
    let values = vec!["1970".to_owned(), "1".to_owned()];
    let mut writer = EventWriter::create(files, "a.parquet", values, encoder).unwrap();
    for group in groups {
        writer.write(group).unwrap();
    }
    writer.finish().unwrap()
}

fn read(files: &FileStore, path: &str) -> RecordBatch {
    let file = files.open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches: Vec<_> = reader.build().unwrap().map(|b| b.unwrap()).collect();
    concat_batches(&schema, &batches).unwrap()
}

fn stats(file: &WrittenFile, column_id: i64) -> &ColumnStats {
    let found = file.columns.iter().find(|c| c.column_id == column_id);
    found.unwrap()
}

fn bounds(file: &WrittenFile, column_id: i64) -> (&str, &str) {
    let stats = stats(file, column_id);
    (
        stats.min.as_deref().unwrap_or("none"),
        stats.max.as_deref().unwrap_or("none"),
    )
}

#[test]
fn what_is_written_is_read_and_described() {
    for files in [
        FileStore::memory(),
        FileStore::local(tempfile::tempdir().unwrap().keep()),
    ] {
        for profile in [Profile::Ingest, Profile::Compacted] {
            let groups = [batch(0, 100), batch(100, 50)];
            let file = write(&files, profile, &groups);
            let all = concat_batches(&schema(), &groups).unwrap();
            assert_eq!(read(&files, "a.parquet").columns(), all.columns());

            assert_eq!(file.record_count, 150);
            assert_eq!(file.partition_values, ["1970", "1"]);
            assert_eq!(file.file_size_bytes, files.size("a.parquet").unwrap());
            let open = files.open("a.parquet").unwrap();
            let end = open.read_range(file.file_size_bytes - 8, 8).unwrap();
            assert_eq!(&end[4..], b"PAR1");
            let footer = u32::from_le_bytes(end[..4].try_into().unwrap());
            assert_eq!(file.footer_size, u64::from(footer));

            assert_eq!(bounds(&file, 1), ("e0", "e99"));
            assert_eq!(bounds(&file, 3), ("view", "view"));
            assert_eq!(
                bounds(&file, 4),
                ("1970-01-01 00:00:00+00", "1970-01-01 00:03:43.5+00")
            );
            assert_eq!(bounds(&file, 6), ("0.0", "148.0"));
            assert_eq!(bounds(&file, 7), ("-149", "0"));
            assert_eq!(bounds(&file, 8), ("0", "1"));
            assert_eq!(bounds(&file, 9), ("1970-01-01", "1970-05-30"));
            assert_eq!(bounds(&file, 10), ("none", "none"));
            let amount = stats(&file, 6);
            assert_eq!((amount.value_count, amount.null_count), (75, 75));
            assert_eq!(amount.contains_nan, Some(false));
            let extra = stats(&file, 10);
            assert_eq!((extra.value_count, extra.null_count), (0, 150));
            assert_eq!(extra.contains_nan, None);
            assert!(file.columns.iter().all(|c| c.size_bytes > 0));
        }
    }
}

#[test]
fn field_ids_are_in_the_file() {
    let files = FileStore::memory();
    write(&files, Profile::Ingest, &[batch(0, 10)]);
    let read = read(&files, "a.parquet");
    let ids: Vec<_> = read
        .schema()
        .fields()
        .iter()
        .map(|f| super::column_id(f).unwrap())
        .collect();
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
}

#[test]
fn nan_and_long_text_leave_honest_statistics() {
    let files = FileStore::memory();
    let mut columns = batch(0, 2).columns().to_vec();
    columns[5] = Arc::new(Float64Array::from(vec![f64::NAN, f64::NAN]));
    columns[4] = Arc::new(StringArray::from(vec![Some("é".repeat(200)), None]));
    let first = RecordBatch::try_new(schema(), columns).unwrap();
    let file = write(&files, Profile::Ingest, std::slice::from_ref(&first));
    assert_eq!(bounds(&file, 6), ("none", "none"));
    assert_eq!(stats(&file, 6).contains_nan, Some(true));
    assert_eq!(bounds(&file, 5), ("none", "none"));

    // What one row group leaves unknown stays unknown; NaN does not hide the other values.
    let file = write(&files, Profile::Ingest, &[first, batch(2, 4)]);
    assert_eq!(bounds(&file, 5), ("none", "none"));
    assert_eq!(bounds(&file, 6), ("2.0", "4.0"));
    assert_eq!(stats(&file, 6).contains_nan, Some(true));
}

#[test]
fn dictionary_arrays_give_the_same_bytes_as_text() {
    let files = FileStore::memory();
    let plain = batch(0, 64);
    let mut columns = plain.columns().to_vec();
    let mut fields: Vec<Field> = schema()
        .fields()
        .iter()
        .map(|f| f.as_ref().clone())
        .collect();
    for i in [2, 4] {
        let codes: DictionaryArray<Int32Type> =
            arrow::array::AsArray::as_string::<i32>(&columns[i])
                .iter()
                .collect();
        fields[i].set_data_type(codes.data_type().clone());
        columns[i] = Arc::new(codes);
    }
    let coded = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let dictionary = [
        false, true, true, false, true, false, false, false, false, false,
    ];
    let mut written = Vec::new();
    for (path, batch) in [("plain", plain), ("coded", coded)] {
        let encoder = EventEncoder::new(&schema(), Profile::Compacted, &dictionary).unwrap();
        let mut writer = EventWriter::create(&files, path, vec![], Arc::new(encoder)).unwrap();
        writer.write(&batch).unwrap();
        let file = writer.finish().unwrap();
        let open = files.open(path).unwrap();
        written.push(open.read_range(0, file.file_size_bytes as usize).unwrap());
    }
    assert_eq!(written[0], written[1]);
}

#[test]
fn row_groups_encoded_on_threads_are_appended_in_order() {
    let files = FileStore::memory();
    let groups: Vec<_> = (0..4).map(|i| batch(i * 50, 50)).collect();
    let expected = write(&files, Profile::Ingest, &groups);
    let bytes = |file: &WrittenFile| {
        let open = files.open(&file.path).unwrap();
        open.read_range(0, file.file_size_bytes as usize).unwrap()
    };
    let expected = bytes(&expected);

    let encoder = Arc::new(EventEncoder::like(&schema(), Profile::Ingest, &groups[0]).unwrap());
    let encoded: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = groups
            .iter()
            .map(|g| scope.spawn(|| encoder.encode(std::slice::from_ref(g)).unwrap()))
            .collect();
        running.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let values = vec!["1970".to_owned(), "1".to_owned()];
    let mut writer = EventWriter::create(&files, "a.parquet", values, encoder).unwrap();
    for group in encoded {
        assert_eq!(group.rows(), 50);
        writer.append(group).unwrap();
    }
    assert!(bytes(&writer.finish().unwrap()) == expected);
}

#[test]
fn no_rows_make_a_valid_empty_file() {
    let files = FileStore::memory();
    let file = write(&files, Profile::Ingest, &[batch(0, 0)]);
    assert_eq!(file.record_count, 0);
    assert_eq!(bounds(&file, 4), ("none", "none"));
    assert_eq!(read(&files, "a.parquet").num_rows(), 0);
}

#[test]
fn columns_are_encoded_as_decided() {
    let files = FileStore::memory();
    write(&files, Profile::Compacted, &[batch(0, 1_000)]);
    let open = files.open("a.parquet").unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(open).unwrap();
    let group = reader.metadata().row_group(0);
    let has = |column: usize, encoding| group.column(column).encodings().any(|e| e == encoding);
    assert!(has(0, Encoding::DELTA_BYTE_ARRAY));
    assert!(has(1, Encoding::RLE_DICTIONARY));
    assert!(has(2, Encoding::RLE_DICTIONARY));
    assert!(has(3, Encoding::DELTA_BINARY_PACKED));
    assert!(has(4, Encoding::RLE_DICTIONARY));
    let order = group.sorting_columns().unwrap();
    assert_eq!(
        order.iter().map(|s| s.column_idx).collect::<Vec<_>>(),
        [1, 3, 0]
    );
}

#[test]
fn a_schema_that_events_do_not_have_is_refused() {
    let without_id = Arc::new(Schema::new(vec![Field::new("a", DataType::Utf8, true)]));
    let error = EventEncoder::new(&without_id, Profile::Ingest, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let id = [("PARQUET:field_id".to_owned(), "1".to_owned())];
    let wrong = Field::new("a", DataType::Float32, true).with_metadata(id.into());
    let wrong = Arc::new(Schema::new(vec![wrong]));
    assert!(EventEncoder::new(&wrong, Profile::Ingest, &[]).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_resource_exhausted() {
    let dir = tempfile::tempdir().unwrap();
    let files = FileStore::local(dir.path());
    std::os::unix::fs::symlink("/dev/full", dir.path().join("a.parquet.part")).unwrap();
    let encoder = Arc::new(EventEncoder::like(&schema(), Profile::Ingest, &batch(0, 9)).unwrap());
    let written = EventWriter::create(&files, "a.parquet", vec![], encoder).and_then(|mut w| {
        w.write(&batch(0, 9))?;
        w.finish()
    });
    assert_eq!(written.unwrap_err().kind(), ErrorKind::ResourceExhausted);
    assert!(files.list().unwrap().is_empty());
}
