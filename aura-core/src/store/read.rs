//! Reading a store: its events now or in an old snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::prelude::SessionContext;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::catalog::file::SNAPSHOT_COLUMN;
use super::catalog::read::{DataFile, TableState, load_table};
use super::catalog::value::parse_timestamp_us;
use super::catalog::{snapshot, table};
use super::files::FileStore;
use super::{Shared, Store, rows, staging};
use crate::engine::{Events, FilesTable, ScanFile, query_schema};
use crate::event::{EXTRA, TIME};
use crate::{Error, Result};

/// A state of the store in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotAt {
    /// The snapshot with this id.
    Version(i64),
    /// The newest snapshot that is not younger than this (UTC microseconds).
    Time(i64),
}

/// A snapshot of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotInfo {
    /// The id, growing by one with each change.
    pub id: i64,
    /// When it was made, in UTC microseconds.
    pub time_us: i64,
}

/// What queries of one open store have read.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) files: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

impl Scanned {
    pub(crate) fn add(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Store {
    /// Returns the events as they are now, staged ones included.
    ///
    /// The result is a snapshot: later writes do not change it.
    ///
    /// # Errors
    /// `InvalidData` when the store is damaged, `Unavailable` when it cannot be read now.
    pub async fn events(&self) -> Result<Events> {
        self.blocking(|shared, _, conn| {
            let tx = conn.unchecked_transaction()?;
            let state = load_table(&tx, super::EVENTS, None, &[TIME])?;
            let staged = staging::read(
                &tx,
                Some(super::EVENTS),
                staging::flushed_seq(&tx)?,
                u64::MAX,
            )?;
            tx.commit()?;
            let staged = staged.into_iter().map(|s| s.batch).collect();
            assemble(shared, &state, staged)
        })
        .await
    }

    /// Returns the events of a snapshot of the past. Staged events are in none until they are
    /// flushed.
    ///
    /// # Errors
    /// `NotFound` when there is no such snapshot (any more).
    pub async fn snapshot(&self, at: SnapshotAt) -> Result<Events> {
        self.blocking(move |shared, _, conn| {
            let id = match at {
                SnapshotAt::Version(id) => id,
                SnapshotAt::Time(time_us) => snapshot::snapshot_at(conn, time_us)?.id,
            };
            let state = load_table(conn, super::EVENTS, Some(id), &[TIME])?;
            assemble(shared, &state, Vec::new())
        })
        .await
    }

    /// Lists the snapshots that can be read, oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be read now.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotInfo>> {
        self.blocking(|_, _, conn| {
            Ok(snapshot::snapshots(conn)?
                .into_iter()
                .map(|s| SnapshotInfo {
                    id: s.id,
                    time_us: s.time_us,
                })
                .collect())
        })
        .await
    }
}

fn assemble(shared: &Arc<Shared>, state: &TableState, staged: Vec<RecordBatch>) -> Result<Events> {
    // `extra` is made first and columns are added later; readers expect it last.
    let mut columns: Vec<table::Column> = state.columns.clone();
    columns.sort_by_key(|c| c.name == EXTRA);
    let stored = rows::storage_schema(&columns);
    let schema = query_schema(&stored);
    let mut batches = Vec::new();
    for batch in &staged {
        batches.push(viewed(&rows::conform(batch, &stored)?, &schema)?);
    }
    for inlined in &state.inlined {
        batches.push(viewed(
            &rows::inlined_batch(inlined, &columns, &stored)?,
            &schema,
        )?);
    }
    let files = state
        .files
        .iter()
        .map(|file| scan_file(shared, file, state.snapshot.id))
        .collect::<Result<Vec<_>>>()?;
    let context = shared.settings.engine.context()?;
    let url = object_store(shared, &context)?;
    let scanned = Arc::clone(shared);
    Events::canonical(
        context,
        FilesTable::new(schema, TIME, url, files, batches),
        Some(Arc::new(move |files, bytes| {
            scanned.scanned.add(files, bytes)
        })),
    )
}

fn viewed(batch: &RecordBatch, schema: &arrow::datatypes::SchemaRef) -> Result<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| Ok(cast(column, field.data_type())?))
        .collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Makes the data files reachable for the engine.
fn object_store(shared: &Shared, context: &SessionContext) -> Result<ObjectStoreUrl> {
    match &shared.events {
        FileStore::Local { .. } => Ok(ObjectStoreUrl::local_filesystem()),
        FileStore::Memory(store) => {
            let url = ObjectStoreUrl::parse("aura-memory://events")?;
            context.register_object_store(url.as_ref(), Arc::clone(store) as _);
            Ok(url)
        }
    }
}

fn scan_file(shared: &Shared, file: &DataFile, snapshot_id: i64) -> Result<ScanFile> {
    let below = shared.event_path(&file.path)?;
    let path = match &shared.events {
        FileStore::Local { root } => {
            object_store::path::Path::from_absolute_path(root.join(&below)).map_err(|e| {
                Error::invalid_data(format!("the path of `{below}` cannot be used: {e}"))
            })?
        }
        FileStore::Memory(_) => object_store::path::Path::from(below.as_str()),
    };
    let time_range = file.stats.first().and_then(Option::as_ref).and_then(|s| {
        Some((
            parse_timestamp_us(s.min.as_deref()?)?,
            parse_timestamp_us(s.max.as_deref()?)?,
        ))
    });
    Ok(ScanFile {
        path,
        size_bytes: file.file_size_bytes,
        rows: file.record_count,
        time_range,
        deleted: hidden_rows(shared, file, snapshot_id)?,
    })
}

/// Returns the positions of the rows of a file that a snapshot does not show, ascending: another
/// program has deleted them, or has merged newer rows into the file.
fn hidden_rows(shared: &Shared, file: &DataFile, snapshot_id: i64) -> Result<Vec<u64>> {
    let mut hidden = deleted_rows(shared, file, snapshot_id)?;
    if is_older(snapshot_id, file.partial_max) {
        let path = shared.event_path(&file.path)?;
        let mut first = 0;
        for batch in columns_of(shared, &path, &[SNAPSHOT_COLUMN])? {
            let batch = batch?;
            let born = integers(&batch, SNAPSHOT_COLUMN, &path)?;
            let newer = (0..)
                .zip(born.iter())
                .filter(|(_, b)| is_older(snapshot_id, *b));
            hidden.extend(newer.map(|(row, _): (u64, _)| first + row));
            first += batch.num_rows() as u64;
        }
        hidden.sort_unstable();
        hidden.dedup();
    }
    Ok(hidden)
}

/// Whether a snapshot is older than what became so in snapshot `born`, if that is said.
fn is_older(snapshot_id: i64, born: Option<i64>) -> bool {
    born.is_some_and(|born| snapshot_id < born)
}

/// Returns the positions of the rows of a file that another program has deleted until a snapshot,
/// ascending.
pub(crate) fn deleted_rows(shared: &Shared, file: &DataFile, snapshot_id: i64) -> Result<Vec<u64>> {
    let mut deleted = file.deleted_positions.clone();
    for list in &file.delete_files {
        if list.format != "parquet" {
            return Err(Error::invalid_data(format!(
                "deletions are kept in `{}` in the format {}; AURA reads Parquet ones",
                list.path.path, list.format
            )));
        }
        let path = shared.event_path(&list.path)?;
        // Deletions of several snapshots may be in one file, too.
        let partial = is_older(snapshot_id, list.partial_max);
        let wanted: &[&str] = if partial {
            &["pos", SNAPSHOT_COLUMN]
        } else {
            &["pos"]
        };
        for batch in columns_of(shared, &path, wanted)? {
            let batch = batch?;
            let positions = integers(&batch, "pos", &path)?;
            let born = match partial {
                true => Some(integers(&batch, SNAPSHOT_COLUMN, &path)?),
                false => None,
            };
            deleted.extend(positions.iter().enumerate().filter_map(|(row, position)| {
                let born = born
                    .as_ref()
                    .filter(|b| b.is_valid(row))
                    .map(|b| b.value(row));
                u64::try_from(position?)
                    .ok()
                    .filter(|_| !is_older(snapshot_id, born))
            }));
        }
    }
    deleted.sort_unstable();
    deleted.dedup();
    Ok(deleted)
}

/// Reads columns of a Parquet file by their names.
fn columns_of(shared: &Shared, path: &str, names: &[&str]) -> Result<ParquetRecordBatchReader> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(shared.events.open(path)?)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    Ok(builder.with_projection(mask).build()?)
}

fn integers(batch: &RecordBatch, name: &str, path: &str) -> Result<Int64Array> {
    let column = batch.column_by_name(name).ok_or_else(|| {
        Error::invalid_data(format!(
            "`{path}` has no column `{name}`, and the catalog says that it has"
        ))
    })?;
    Ok(cast(column, &DataType::Int64)?.as_primitive().clone())
}

/// Loads the table of events with the connection for short reads.
pub(crate) fn current(conn: &Connection) -> Result<TableState> {
    load_table(conn, super::EVENTS, None, &[TIME])
}
