use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Float64Type, Schema, SchemaRef, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ErrorKind;
use crate::event::{PropertyType, canonical_schema};
use crate::store::parquet_out::{EventEncoder, EventWriter, Profile};
use crate::store::partition::PartitionGrain;

mod erasing;
mod laws;

/// event_id, actor, event, time, plan, amount, extra
type Event = (
    String,
    String,
    String,
    i64,
    Option<String>,
    Option<f64>,
    Option<String>,
);

fn schema() -> SchemaRef {
    let plain = canonical_schema([
        ("plan", PropertyType::String),
        ("amount", PropertyType::Number),
    ]);
    let fields = plain.fields().iter().enumerate().map(|(i, field)| {
        let id = [("PARQUET:field_id".to_owned(), (i + 1).to_string())];
        field.as_ref().clone().with_metadata(id.into())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn batch(events: &[Event]) -> RecordBatch {
    let text = |get: fn(&Event) -> Option<&str>| {
        Arc::new(events.iter().map(get).collect::<StringArray>()) as ArrayRef
    };
    let times = TimestampMicrosecondArray::from_iter_values(events.iter().map(|e| e.3));
    RecordBatch::try_new(
        schema(),
        vec![
            text(|e| Some(&e.0)),
            text(|e| Some(&e.1)),
            text(|e| Some(&e.2)),
            Arc::new(times.with_timezone("UTC")),
            text(|e| e.4.as_deref()),
            Arc::new(events.iter().map(|e| e.5).collect::<Float64Array>()),
            text(|e| e.6.as_deref()),
        ],
    )
    .unwrap()
}

fn events(batch: &RecordBatch) -> Vec<Event> {
    let text = |c: usize, row: usize| {
        let column = batch.column(c).as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let times = batch.column(3).as_primitive::<TimestampMicrosecondType>();
    let amounts = batch.column(5).as_primitive::<Float64Type>();
    (0..batch.num_rows())
        .map(|row| {
            (
                text(0, row).unwrap(),
                text(1, row).unwrap(),
                text(2, row).unwrap(),
                times.value(row),
                text(4, row),
                amounts.is_valid(row).then(|| amounts.value(row)),
                text(6, row),
            )
        })
        .collect()
}

fn read(files: &FileStore, path: &str) -> Vec<Event> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(files.open(path).unwrap()).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches: Vec<_> = reader.build().unwrap().map(|b| b.unwrap()).collect();
    events(&concat_batches(&schema, &batches).unwrap())
}

fn bytes(files: &FileStore, written: &[WrittenFile]) -> Vec<bytes::Bytes> {
    let read = |f: &WrittenFile| {
        let open = files.open(&f.path).unwrap();
        open.read_range(0, f.file_size_bytes as usize).unwrap()
    };
    written.iter().map(read).collect()
}

fn january() -> Partition {
    PartitionGrain::Month.of(0)
}

fn names() -> impl FnMut() -> Uuid + Send {
    let mut next = 0;
    move || {
        next += 1;
        Uuid::from_u128(next)
    }
}

fn run(files: &FileStore, inputs: Vec<CompactInput>, options: &CompactOptions) -> Vec<WrittenFile> {
    let cancel = CancelToken::new();
    compact(
        inputs,
        &schema(),
        &january(),
        options,
        files,
        &mut names(),
        &cancel,
    )
    .unwrap()
}

/// Small enough that row groups and ranges are many.
fn small(target_rows_per_file: u64) -> CompactOptions {
    CompactOptions {
        target_rows_per_file,
        row_group_rows: 40,
        ..CompactOptions::default()
    }
}

/// Writes events as the ingest does.
fn ingest(files: &FileStore, path: &str, events: &[Event]) -> CompactInput {
    let batch = batch(events);
    let encoder = EventEncoder::like(&schema(), Profile::Ingest, &batch).unwrap();
    let mut writer = EventWriter::create(files, path, vec![], Arc::new(encoder)).unwrap();
    // Two row groups, to be read independently.
    writer.write(&batch.slice(0, batch.num_rows() / 2)).unwrap();
    let rest = batch.num_rows() - batch.num_rows() / 2;
    writer
        .write(&batch.slice(batch.num_rows() / 2, rest))
        .unwrap();
    writer.finish().unwrap();
    CompactInput::file(path)
}

fn key(e: &Event) -> (&str, i64, &str) {
    (&e.1, e.3, &e.0)
}

/// What the files must hold, by a sort that shares nothing with the kernel but the hash.
fn naive(mut events: Vec<Event>, bits: u32) -> Vec<Vec<Event>> {
    events.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut buckets: BTreeMap<usize, Vec<Event>> = BTreeMap::new();
    for event in events {
        let bucket = bucket_of_actor(&event.1, bits);
        buckets.entry(bucket).or_default().push(event);
    }
    buckets.into_values().collect()
}

fn sample(rows: usize) -> Vec<Event> {
    (0..rows)
        .map(|i| {
            let scattered = i * 7_919 % rows;
            (
                format!("id-{scattered}"),
                format!("user {}", scattered % 37),
                ["view", "buy"][i % 2].to_owned(),
                (scattered / 50) as i64,
                (i % 3 != 0).then(|| "free".to_owned()),
                (i % 4 == 0).then_some(i as f64 / 4.0),
                (i % 5 == 0).then(|| format!("{{\"n\":{i}}}")),
            )
        })
        .collect()
}

#[test]
fn files_are_sorted_buckets() {
    let files = FileStore::memory();
    let all = sample(1_000);
    let inputs = vec![
        ingest(&files, "a.parquet", &all[..300]),
        CompactInput::Batch(batch(&all[300..400])),
        ingest(&files, "b.parquet", &all[400..]),
    ];
    let written = run(&files, inputs, &small(300));
    let found: Vec<_> = written.iter().map(|f| read(&files, &f.path)).collect();
    assert_eq!(found, naive(all, 2));
    for (i, file) in written.iter().enumerate() {
        assert_eq!(bucket_of_path(&file.path), Some((i, 2)));
        assert_eq!(file.partition_values, ["1970", "1"]);
        assert!(file.path.starts_with("year=1970/month=1/bucket-"));
    }
}

#[test]
fn the_hash_is_part_of_the_format() {
    // XXH3-64 with seed 0x41555241, computed with another implementation (Python's xxhash 4.1).
    assert_eq!(bucket_of_actor("", 8), HASHES[0].1 as usize);
    for (actor, top) in HASHES {
        assert_eq!(bucket_of_actor(actor, 8), top as usize, "{actor}");
        assert_eq!(bucket_of_actor(actor, 0), 0);
        assert_eq!(bucket_of_actor(actor, 3), top as usize >> 5);
    }
}

const HASHES: [(&str, u8); 4] = [("", 46), ("u1", 113), ("ada@example.org", 139), ("é", 249)];

#[test]
fn nothing_in_nothing_out() {
    let files = FileStore::memory();
    assert_eq!(run(&files, vec![], &small(10)), []);
    let empty = CompactInput::Batch(batch(&[]));
    assert_eq!(run(&files, vec![empty], &small(10)), []);
    assert!(files.list().unwrap().is_empty());
}

#[test]
fn one_actor_may_have_all_rows() {
    let files = FileStore::memory();
    let mut all = sample(500);
    all.iter_mut().for_each(|e| e.1 = "only".to_owned());
    let input = ingest(&files, "a.parquet", &all);
    let written = run(&files, vec![input], &small(10));
    assert_eq!(written.len(), 1);
    assert_eq!(vec![read(&files, &written[0].path)], naive(all, 0));
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let files = FileStore::memory();
    let all = sample(2_000);
    let whole = ingest(&files, "whole.parquet", &all);
    let expected = bytes(&files, &run(&files, vec![whole], &small(600)));
    assert_eq!(expected.len(), 4);

    let mut reversed = all.clone();
    reversed.reverse();
    let variants = [
        vec![CompactInput::Batch(batch(&reversed))],
        vec![
            ingest(&files, "r1.parquet", &reversed[..1_500]),
            ingest(&files, "r2.parquet", &reversed[1_500..]),
        ],
        reversed
            .chunks(70)
            .map(|c| CompactInput::Batch(batch(c)))
            .collect(),
    ];
    for inputs in variants {
        for threads in [1, 2, 5] {
            for memory_budget_bytes in [512 << 20, 30_000, 0] {
                let options = CompactOptions {
                    memory_budget_bytes,
                    threads,
                    ..small(600)
                };
                let written = run(&files, inputs.clone(), &options);
                assert!(bytes(&files, &written) == expected, "{options:?}");
            }
        }
    }
    // What was compacted before is compacted again to the same.
    let whole = ingest(&files, "whole.parquet", &all);
    let inputs: Vec<_> = run(&files, vec![whole], &small(100))
        .into_iter()
        .map(|f| CompactInput::file(f.path))
        .collect();
    assert!(bytes(&files, &run(&files, inputs, &small(600))) == expected);
}

/// One actor has most of the events, many of them at the same time, so that row groups and ranges
/// are cut within it.
#[test]
fn a_bucket_larger_than_memory_gives_the_same_bytes() {
    let files = FileStore::memory();
    let mut all = sample(1_500);
    for (i, event) in all.iter_mut().enumerate() {
        if i % 4 != 0 {
            event.1 = "user 5".to_owned();
            event.3 = i as i64 % 300;
        }
        event.4 = Some(format!("plan {}", i % 90));
    }
    let inputs: Vec<_> = all
        .chunks(200)
        .map(|c| CompactInput::Batch(batch(c)))
        .collect();
    let whole = run(&files, inputs.clone(), &small(1_000));
    let found: Vec<_> = whole.iter().map(|f| read(&files, &f.path)).collect();
    assert_eq!(found, naive(all, 1));
    let options = CompactOptions {
        memory_budget_bytes: 0,
        ..small(1_000)
    };
    let ranges = run(&files, inputs, &options);
    assert!(bytes(&files, &whole) == bytes(&files, &ranges));
    let largest = whole.iter().max_by_key(|f| f.record_count).unwrap();
    let open = files.open(&largest.path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(open).unwrap();
    assert!(reader.metadata().num_row_groups() > 10);
}

#[test]
fn spilling_uses_a_scratch_file_that_vanishes() {
    let dir = tempfile::tempdir().unwrap();
    let files = FileStore::local(dir.path());
    let all = sample(1_000);
    let options = CompactOptions {
        memory_budget_bytes: 1_000,
        ..small(100)
    };
    let written = run(&files, vec![CompactInput::Batch(batch(&all))], &options);
    let found: Vec<_> = written.iter().map(|f| read(&files, &f.path)).collect();
    assert_eq!(found, naive(all, 4));
    assert_eq!(files.list().unwrap().len(), written.len());
}

#[test]
fn columns_are_matched_by_id_and_missing_ones_are_null() {
    let files = FileStore::memory();
    let all = sample(100);
    // Before `plan` and `amount` existed, `extra` had its id already, and there was a column more.
    let old = batch(&all).project(&[0, 1, 2, 3, 6]).unwrap();
    let old_fields: Vec<_> = old.schema().fields().iter().cloned().collect();
    let mut renamed = old_fields;
    renamed[4] = Arc::new(renamed[4].as_ref().clone().with_name("more"));
    let old_schema = Arc::new(Schema::new(renamed));
    let old = RecordBatch::try_new(Arc::clone(&old_schema), old.columns().to_vec()).unwrap();
    let encoder = Arc::new(EventEncoder::like(&old_schema, Profile::Ingest, &old).unwrap());
    let mut writer = EventWriter::create(&files, "old.parquet", vec![], encoder).unwrap();
    writer.write(&old).unwrap();
    writer.finish().unwrap();

    let mut expected = all.clone();
    for event in &mut expected {
        (event.4, event.5) = (None, None);
    }
    let inputs = vec![CompactInput::file("old.parquet")];
    let written = run(&files, inputs, &small(1_000));
    assert_eq!(
        vec![read(&files, &written[0].path)],
        naive(expected.clone(), 0)
    );

    // Beside a file that has the columns.
    let mut newer = sample(50);
    newer.iter_mut().for_each(|e| e.0 = format!("new {}", e.0));
    let inputs = vec![
        CompactInput::file("old.parquet"),
        ingest(&files, "new.parquet", &newer),
    ];
    expected.extend(newer);
    let written = run(&files, inputs, &small(1_000));
    assert_eq!(vec![read(&files, &written[0].path)], naive(expected, 0));
}

#[test]
fn deleted_rows_are_left_out() {
    let files = FileStore::memory();
    let all = sample(100);
    ingest(&files, "a.parquet", &all);
    let deleted = [0_u64, 3, 49, 50, 99];
    let input = CompactInput::File {
        path: "a.parquet".to_owned(),
        deleted_rows: Arc::new(deleted),
    };
    let written = run(&files, vec![input], &small(1_000));
    let kept = all
        .iter()
        .enumerate()
        .filter(|(i, _)| !deleted.contains(&(*i as u64)));
    let kept = kept.map(|(_, e)| e.clone()).collect();
    assert_eq!(vec![read(&files, &written[0].path)], naive(kept, 0));
}

#[test]
fn a_required_column_without_values_is_invalid_data() {
    let files = FileStore::memory();
    let without_actor = batch(&sample(5)).project(&[0, 2, 3]).unwrap();
    let error = compact(
        vec![CompactInput::Batch(without_actor)],
        &schema(),
        &january(),
        &small(10),
        &files,
        &mut names(),
        &CancelToken::new(),
    );
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.message().contains("actor"), "{error}");
}

#[test]
fn a_cancelled_compaction_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let files = FileStore::local(dir.path());
    let cancel = CancelToken::new();
    let inputs = vec![CompactInput::Batch(batch(&sample(100)))];
    let inner = cancel.clone();
    let mut calls = 0;
    // Cancelled while the buckets are named: after the reading, before the writing.
    let mut new_name = move || {
        inner.cancel();
        calls += 1;
        Uuid::from_u128(calls)
    };
    let outcome = compact(
        inputs,
        &schema(),
        &january(),
        &small(10),
        &files,
        &mut new_name,
        &cancel,
    );
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(files.list().unwrap().is_empty());
}

#[test]
fn an_unreadable_file_is_named() {
    let files = FileStore::memory();
    let mut file = files.create("bad.parquet").unwrap();
    std::io::Write::write_all(&mut file, &[7; 100]).unwrap();
    file.finish().unwrap();
    let outcome = compact(
        vec![CompactInput::file("bad.parquet")],
        &schema(),
        &january(),
        &small(10),
        &files,
        &mut names(),
        &CancelToken::new(),
    );
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.message().contains("bad.parquet"), "{error}");
}

#[test]
fn an_actor_is_in_one_row_group_unless_it_fills_more() {
    const FULL: usize = 100;
    let rows_of = |actor: &str, rows: usize| {
        let times = TimestampMicrosecondArray::from_iter_values(0..rows as i64);
        let ids = StringArray::from_iter_values((0..rows).map(|_| "x"));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(ids),
            Arc::new(StringArray::from_iter_values((0..rows).map(|_| actor))),
            Arc::new(times.with_timezone("UTC")),
        ];
        bucket::Chunk::new(columns, rows)
    };
    let chunks = [
        rows_of("a", 10),
        rows_of("b", FULL - 5),
        rows_of("c", 2 * FULL + 3),
        rows_of("d", 4),
    ];
    let roles = Roles {
        event_id: 0,
        actor: 1,
        time: 2,
    };
    let sorted = order::sort(&chunks, roles).unwrap();
    let groups = sorted.row_groups(FULL).into_iter();
    let lengths: Vec<_> = groups.map(|g| (g.len(), sorted.cut(g).ranks)).collect();
    assert_eq!(
        lengths,
        [
            (10, 0..1),
            (FULL - 5, 1..2),
            (FULL, 2..3),
            (FULL, 2..3),
            (7, 2..4)
        ]
    );
}
