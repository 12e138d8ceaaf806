//! Parquet files: raw ones, and those of a store, sorted or not.

use std::collections::HashMap;
use std::path::Path;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::execution::object_store::ObjectStoreUrl;
use parquet::file::properties::WriterProperties;
use uuid::Uuid;

use super::*;
use crate::engine::{FilesTable, ScanFile, query_schema};
use crate::event::{PropertyType, Roles, canonical_schema};
use crate::ingest::CancelToken;
use crate::store::files::FileStore;
use crate::store::parquet_out::{EventEncoder, EventWriter, Profile};
use crate::store::partition::PartitionGrain;
use crate::store::sort::{CompactInput, CompactOptions, compact};

fn stored_schema() -> SchemaRef {
    let plain = canonical_schema([("team", PropertyType::String), ("n", PropertyType::Integer)]);
    let fields = plain.fields().iter().enumerate().map(|(i, field)| {
        let id = HashMap::from([("PARQUET:field_id".to_owned(), (i + 1).to_string())]);
        field.as_ref().clone().with_metadata(id)
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

fn stored(rows: &[Row], schema: &SchemaRef) -> RecordBatch {
    let table = batch(rows, Text::Plain, true);
    let columns = schema.fields().iter().map(|field| {
        let column = match table.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => arrow::array::new_null_array(field.data_type(), rows.len()),
        };
        arrow::compute::cast(&column, field.data_type()).unwrap()
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap()
}

/// How a row is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Sorted,
    /// In a sorted file that was written later, of the same time.
    SortedLater,
    Loose,
    Staged,
}

/// A folder of files with rows kept in several ways.
pub(super) struct Folder {
    dir: tempfile::TempDir,
    pub(super) files: Vec<ScanFile>,
    staged: Vec<RecordBatch>,
}

impl Folder {
    /// `options` says how large files and row groups become.
    pub(super) fn new(rows: &[(Row, Kept)], options: &CompactOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder {
            dir,
            files: Vec::new(),
            staged: Vec::new(),
        };
        let mut number = 0;
        let schema = stored_schema();
        let kept = |how: Kept| {
            let rows = rows.iter().filter(move |(_, k)| *k == how);
            rows.map(|(row, _)| row.clone()).collect::<Vec<_>>()
        };
        for how in [Kept::Sorted, Kept::SortedLater] {
            let mut days: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
            for row in kept(how) {
                days.entry(row.time.div_euclid(86_400_000_000))
                    .or_default()
                    .push(row);
            }
            for (day, rows) in days {
                let partition = PartitionGrain::Day.of(day * 86_400_000_000);
                let files = FileStore::local(folder.dir.path());
                let written = compact(
                    vec![CompactInput::Batch(stored(&rows, &schema))],
                    &schema,
                    &partition,
                    options,
                    &files,
                    &mut || {
                        number += 1;
                        Uuid::from_u128(number)
                    },
                    &CancelToken::new(),
                )
                .unwrap();
                let times = rows.iter().map(|r| r.time);
                let range = times.clone().min().zip(times.max());
                for file in written {
                    folder.add(&file.path, file.file_size_bytes, file.record_count, range);
                }
            }
        }
        let loose = kept(Kept::Loose);
        for (i, rows) in loose.chunks(20).enumerate() {
            let batch = stored(rows, &schema);
            let encoder = EventEncoder::like(&schema, Profile::Ingest, &batch).unwrap();
            let files = FileStore::local(folder.dir.path());
            let path = format!("loose-{i}.parquet");
            let mut out =
                EventWriter::create(&files, &path, Vec::new(), Arc::new(encoder)).unwrap();
            out.write(&batch).unwrap();
            let file = out.finish().unwrap();
            folder.add(&path, file.file_size_bytes, file.record_count, None);
        }
        let staged = kept(Kept::Staged);
        for rows in staged.chunks(9) {
            let batch = stored(rows, &query_schema(&schema));
            folder.staged.push(batch);
        }
        folder
    }

    fn add(&mut self, path: &str, size_bytes: u64, rows: u64, time_range: Option<(i64, i64)>) {
        let full = std::fs::canonicalize(self.dir.path().join(path)).unwrap();
        self.files.push(ScanFile {
            path: object_store::path::Path::from_absolute_path(full).unwrap(),
            size_bytes,
            rows,
            time_range,
            deleted: Vec::new(),
        });
    }

    /// Deletes every seventh row of each file; returns the ids that are left.
    pub(super) fn delete_some(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        for file in &mut self.files {
            let path = Path::new("/").join(file.path.as_ref());
            let ids = ids_of(&path);
            for (row, id) in ids.into_iter().enumerate() {
                if row % 7 == 3 {
                    file.deleted.push(row as u64);
                } else {
                    left.push(id);
                }
            }
        }
        left
    }

    pub(super) fn source(&self, threads: usize) -> ScanSource {
        let table = FilesTable::new(
            query_schema(&stored_schema()),
            "time",
            ObjectStoreUrl::local_filesystem(),
            self.files.clone(),
            self.staged.clone(),
        );
        let context = settings(threads).context().unwrap();
        let events = Events::canonical(context, table, None).unwrap();
        ScanSource {
            sizes: tiny(),
            ..events.scan_source()
        }
    }
}

fn ids_of(path: &Path) -> Vec<String> {
    let file = std::fs::File::open(path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let mut ids = Vec::new();
    for batch in reader.unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let column = batch.column_by_name("event_id").unwrap().as_string::<i32>();
        ids.extend(column.iter().map(|id| id.unwrap().to_owned()));
    }
    ids
}

fn kept() -> impl Strategy<Value = Kept> {
    prop_oneof![
        12 => Just(Kept::Sorted),
        3 => Just(Kept::SortedLater),
        1 => Just(Kept::Loose),
        1 => Just(Kept::Staged),
    ]
}

/// How the rows of a run are kept.
fn mixtures() -> impl Strategy<Value = fn(Kept) -> Kept> {
    prop_oneof![
        Just((|_| Kept::Sorted) as fn(Kept) -> Kept),
        Just(
            (|k| if k == Kept::SortedLater {
                Kept::Sorted
            } else {
                k
            }) as fn(Kept) -> Kept
        ),
        Just((|k| k) as fn(Kept) -> Kept),
        Just((|k| if k == Kept::Sorted { Kept::Loose } else { k }) as fn(Kept) -> Kept),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn files_sorted_or_not_give_whole_actors_in_order(
        rows in rows(150),
        how in proptest::collection::vec(kept(), 150),
        mixture in mixtures(),
        target in 5..60_u64,
        group in 1..20_usize,
        threads in prop_oneof![Just(1_usize), Just(2), Just(7)],
        deleted: bool,
        from in proptest::option::of(0..12_i64),
        order in prop_oneof![Just(Order::Time), Just(Order::Any)],
    ) {
        let rows: Vec<(Row, Kept)> = rows.into_iter().zip(how.into_iter().map(mixture)).collect();
        let options = CompactOptions {
            target_rows_per_file: target,
            row_group_rows: group,
            threads: 1,
            ..CompactOptions::default()
        };
        let mut folder = Folder::new(&rows, &options);
        let left = deleted.then(|| folder.delete_some());
        let mut request = Collect::request();
        request.from = from.map(|f| f * 10_000_000_000);
        request.order = order;
        let keep = |r: &Row| {
            request.from.is_none_or(|from| r.time >= from)
                && left.as_ref().is_none_or(|left| {
                    left.contains(&r.id) || rows.iter().any(|(row, k)| row.id == r.id && *k == Kept::Staged)
                })
        };
        let all: Vec<Row> = rows.iter().map(|(row, _)| row.clone()).collect();
        let mut expected = naive(&all, true, keep);
        let mut got = folder.source(threads).actors(&request, &Collect).unwrap().state;
        if order == Order::Any {
            for rows in got.values_mut().chain(expected.values_mut()) {
                rows.sort();
            }
        }
        prop_assert_eq!(&got, &expected);
        if order == Order::Time {
            // Another column as the actor: the order of the files is no help, and the answer the same.
            let teams: Vec<Row> = all
                .iter()
                .filter_map(|row| Some(Row { actor: row.team.clone()?, ..row.clone() }))
                .collect();
            let source = folder.source(threads).with_actor("team").unwrap();
            let got = source.actors(&request, &Collect).unwrap().state;
            prop_assert_eq!(got, naive(&teams, true, keep));
        }
        // Only the times: nothing else is read, and the same actors come.
        let request = Request { names: false, from: request.from, ..Request::default() };
        let times = folder.source(threads).actors(&request, &Times).unwrap().state;
        let mut expected: Vec<Vec<i64>> = expected
            .values()
            .map(|rows| rows.iter().map(|r| r.0).collect::<Vec<_>>())
            .collect();
        if order == Order::Any {
            expected.iter_mut().for_each(|t| t.sort_unstable());
        }
        expected.sort();
        prop_assert_eq!(times, expected);
    }

    #[test]
    fn raw_files_give_whole_actors_in_order(
        rows in rows(150),
        dictionary: bool,
        threads in 1..4_usize,
        parts in 1..4_usize,
        group in 5..60_usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        for (part, rows) in rows.chunks(rows.len() / parts + 1).enumerate() {
            let table = batch(rows, [Text::Plain, Text::Large, Text::Codes][part % 3], true);
            let file = std::fs::File::create(dir.path().join(format!("{part}.parquet"))).unwrap();
            let properties = WriterProperties::builder()
                .set_max_row_group_row_count(Some(group))
                .set_dictionary_enabled(dictionary)
                .build();
            let mut out = parquet::arrow::ArrowWriter::try_new(file, table.schema(), Some(properties)).unwrap();
            out.write(&table).unwrap();
            out.close().unwrap();
        }
        if rows.is_empty() {
            return Ok(());
        }
        let pattern = dir.path().join("*.parquet").to_string_lossy().into_owned();
        let events = run(Events::from_files(&pattern, &Roles::default(), &settings(threads)));
        // Files of different text types have no common schema.
        let Ok(events) = events else { return Ok(()) };
        let source = ScanSource { sizes: tiny(), ..events.scan_source() };
        let got = source.actors(&Collect::request(), &Collect).unwrap().state;
        prop_assert_eq!(got, naive(&rows, true, |_| true));
    }
}

/// The times of each actor, sorted.
struct Times;

impl Kernel for Times {
    type State = Vec<Vec<i64>>;

    fn new_state(&self) -> Self::State {
        Vec::new()
    }

    fn block(&self, state: &mut Self::State, block: &ActorBlock) -> Result<()> {
        assert!(block.columns.is_empty() && block.names.is_none());
        for rows in block.rows() {
            let times = block.times[rows].to_vec();
            assert!(times.is_sorted());
            state.push(times);
        }
        state.sort();
        Ok(())
    }

    fn combine(&self, mut into: Self::State, from: Self::State) -> Result<Self::State> {
        into.extend(from);
        into.sort();
        Ok(into)
    }
}

/// Rows of which many pages and several row groups are made.
pub(super) fn many(rows: usize) -> Vec<Row> {
    (0..rows)
        .map(|i| {
            let mixed = xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes());
            let actor = if mixed.is_multiple_of(3) {
                7
            } else {
                mixed % 5_003
            };
            Row {
                id: format!("{i:06}"),
                actor: format!("u{actor}"),
                event: format!("e{}", mixed % 20),
                time: i as i64 * 3_000_000,
                team: Some(format!("team {}", actor % 40)),
                n: Some(i as i64),
            }
        })
        .collect()
}

#[test]
fn tasks_divide_row_groups_between_pages() {
    let all = many(120_000);
    let rows: Vec<(Row, Kept)> = all.iter().map(|r| (r.clone(), Kept::Sorted)).collect();
    let folder = Folder::new(&rows, &CompactOptions::default());
    let expected = naive(&all, true, |_| true);
    let mut sizes = Sizes {
        batch: 4_096,
        block: 1_000,
        bucket: 1_000,
        task: 10_000,
    };
    for threads in [1, 2] {
        let source = ScanSource {
            sizes,
            ..folder.source(threads)
        };
        let got = source.actors(&Collect::request(), &Collect).unwrap();
        assert!(got.state == expected);
        assert_eq!(got.stats.files_read, 5);
        sizes.task = 30_000;
    }
}

#[test]
fn a_scan_reads_only_what_may_lie_in_the_asked_time() {
    let all = many(60_000);
    let rows: Vec<(Row, Kept)> = all.iter().map(|r| (r.clone(), Kept::Sorted)).collect();
    let folder = Folder::new(&rows, &CompactOptions::default());
    let whole = folder
        .source(2)
        .actors(&Request::default(), &Times)
        .unwrap();
    assert_eq!((whole.stats.files_total, whole.stats.files_read), (3, 3));
    let request = Request {
        to: Some(86_400_000_000),
        ..Request::default()
    };
    let day = folder.source(2).actors(&request, &Times).unwrap();
    assert_eq!((day.stats.files_total, day.stats.files_read), (3, 1));
    assert!(day.stats.bytes_read * 2 < whole.stats.bytes_read);
    let rows: usize = day.state.iter().map(Vec::len).sum();
    assert_eq!(rows, 28_800);
}

#[test]
fn a_file_that_lies_about_its_order_is_found_out() {
    let rows: Vec<(Row, Kept)> = many(100).into_iter().map(|r| (r, Kept::Loose)).collect();
    let mut folder = Folder::new(&rows, &CompactOptions::default());
    let schema = stored_schema();
    let table = stored(&many(3_000), &schema);
    let encoder = EventEncoder::like(&schema, Profile::Compacted, &table).unwrap();
    let files = FileStore::local(folder.dir.path());
    let path = "bucket-0-of-1-x.parquet";
    let mut out = EventWriter::create(&files, path, Vec::new(), Arc::new(encoder)).unwrap();
    out.write(&table).unwrap();
    let file = out.finish().unwrap();
    folder.add(path, file.file_size_bytes, file.record_count, None);
    let error = folder
        .source(1)
        .actors(&Request::default(), &Times)
        .unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::InvalidData);
    assert!(error.message().contains(path), "{error}");
}

#[test]
fn an_empty_table_has_no_actors() {
    let folder = Folder::new(&[], &CompactOptions::default());
    let got = folder
        .source(2)
        .actors(&Collect::request(), &Collect)
        .unwrap();
    assert!(got.state.is_empty());
}

#[test]
fn a_store_gives_its_files_and_what_is_staged() {
    let rows = many(3_000);
    let table = |rows: &[Row]| batch(rows, Text::Plain, true);
    run(async {
        let settings = crate::store::StoreSettings {
            background: false,
            ..crate::store::StoreSettings::default()
        };
        let store = crate::store::Store::in_memory().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let local = crate::store::Store::builder(dir.path())
            .settings(settings)
            .open()
            .await
            .unwrap();
        for store in [store, local] {
            store.append(table(&rows[..2_500])).await.unwrap();
            store.flush().await.unwrap();
            store.compact().await.unwrap();
            store.append(table(&rows[2_500..2_700])).await.unwrap();
            store.flush().await.unwrap();
            store.append(table(&rows[2_700..])).await.unwrap();
            let events = store.events().await.unwrap();
            let source = events.scan_source();
            let scan = move || source.actors(&Collect::request(), &Collect);
            let got = apart(scan).await.unwrap();
            assert!(got.state == naive(&rows, true, |_| true));
            assert_eq!(got.stats.files_read, 2);
        }
    });
}
