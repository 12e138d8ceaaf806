//! Upkeep: compaction, expiry, erasure, old snapshots, files that nobody needs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::catalog::commit::Commit;
use super::catalog::file::{SNAPSHOT_COLUMN, SNAPSHOT_COLUMN_ID, WrittenFile};
use super::catalog::read::{DataFile, TableState, load_table};
use super::catalog::value::parse_timestamp_us;
use super::catalog::{inlined, maintain as upkeep};
use super::flush::{Uncommitted, flush_all};
use super::partition::Partition;
use super::read::{current, deleted_rows};
use super::sort::{
    CompactInput, CompactOptions, Erased, bucket_of_path, compact, rewrite_without_actor,
};
use super::sql_error::sql_error as sql;
use super::writer::{WriterHandle, wait};
use super::{Shared, Store, quarantine, rows, staging};
use crate::event::ACTOR;
use crate::ingest::CancelToken;
use crate::{Error, ErrorKind, Result};

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactReport {
    /// Partitions that were rewritten.
    pub partitions: u64,
    /// Files that were replaced.
    pub files_before: u64,
    /// Files that replace them.
    pub files_after: u64,
    /// Bytes of the replaced files.
    pub bytes_before: u64,
    /// Bytes of the new files.
    pub bytes_after: u64,
}

/// What an expiry did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpireReport {
    /// Files that were dropped.
    pub files: u64,
    /// Events in them.
    pub events: u64,
}

/// What an erasure did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseReport {
    /// Events that were erased, counted in files of all snapshots.
    pub events: u64,
    /// Files that were rewritten or removed.
    pub files: u64,
    /// Rejected rows that mentioned the actor and were erased too.
    pub rejects: u64,
}

impl Store {
    /// Flushes, then rewrites every partition that has loose or several runs of files as one run
    /// sorted by (actor, time, event_id). Rows stay the same.
    ///
    /// # Errors
    /// `ResourceExhausted` on a full disk; `Unavailable` when the store is too busy.
    pub async fn compact(&self) -> Result<CompactReport> {
        self.blocking(|shared, writer, conn| {
            flush_all(shared, writer, conn)?;
            compact_partitions(shared, writer, conn, needs_any)
        })
        .await
    }

    /// Drops the events of all partitions that lie wholly before `older_than_us` (UTC
    /// microseconds). Events of the partition that contains the moment stay; a file without
    /// partition goes when all of its events are older. Old snapshots keep them until they expire.
    ///
    /// # Errors
    /// As [`compact`](Self::compact).
    pub async fn expire(&self, older_than_us: i64) -> Result<ExpireReport> {
        self.blocking(move |shared, writer, conn| {
            flush_all(shared, writer, conn)?;
            retry(|| expire_once(shared, writer, conn, older_than_us))
        })
        .await
    }

    /// Erases every trace of an actor, in all snapshots, in the quarantine (rows that mention the
    /// actor) and on the disk. Only files that hold the actor are rewritten. Events of the actor
    /// that arrive later are stored.
    ///
    /// Queries that began before may end with `Unavailable` or `NotFound`: their files are gone.
    ///
    /// # Errors
    /// As [`compact`](Self::compact).
    pub async fn erase(&self, actor: impl Into<String>) -> Result<EraseReport> {
        let actor = actor.into();
        if actor.is_empty() {
            return Err(Error::invalid_spec(
                "erase: the actor is empty; name the actor to erase",
            ));
        }
        self.blocking(move |shared, writer, conn| {
            flush_all(shared, writer, conn)?;
            let report = retry(|| erase_once(shared, writer, conn, &actor))?;
            delete_scheduled(shared, writer, conn, i64::MAX)?;
            scrub(writer)?;
            Ok(report)
        })
        .await
    }

    /// Forgets snapshots older than `older_than_us` (UTC microseconds; never the newest) and deletes
    /// the files that no snapshot needs any more. Returns how many snapshots went.
    ///
    /// # Errors
    /// As [`compact`](Self::compact).
    pub async fn expire_snapshots(&self, older_than_us: i64) -> Result<u64> {
        self.blocking(move |shared, writer, conn| {
            let gone = expire_snapshots(writer, older_than_us)?;
            delete_scheduled(shared, writer, conn, i64::MAX)?;
            Ok(gone)
        })
        .await
    }
}

/// Tries again what lost against another process's commit.
fn retry<R>(mut attempt: impl FnMut() -> Result<R>) -> Result<R> {
    for _ in 0..4 {
        match attempt() {
            Err(e) if e.kind() == ErrorKind::Conflict => {}
            outcome => return outcome,
        }
    }
    attempt()
}

/// The files of one partition.
struct Group<'a> {
    files: Vec<&'a DataFile>,
}

impl Group<'_> {
    fn loose(&self) -> impl Iterator<Item = &&DataFile> {
        self.files
            .iter()
            .filter(|f| bucket_of_path(&f.path.path).is_none())
    }

    /// Sorted files that do not all belong to one run of buckets.
    fn several_runs(&self) -> bool {
        let mut seen = HashSet::new();
        let mut widths = HashSet::new();
        self.files
            .iter()
            .filter_map(|f| bucket_of_path(&f.path.path))
            .any(|(bucket, bits)| {
                widths.insert(bits);
                !seen.insert((bucket, bits)) || widths.len() > 1
            })
    }
}

fn needs_any(group: &Group<'_>, _: usize) -> bool {
    group.loose().next().is_some() || group.several_runs()
}

/// Loose rows are merged when there are many files of them and they are a fair share of the
/// partition, so that a row is rewritten a logarithmic number of times.
fn needs_soon(group: &Group<'_>, files: usize) -> bool {
    let loose: u64 = group.loose().map(|f| f.record_count).sum();
    let all: u64 = group.files.iter().map(|f| f.record_count).sum();
    group.loose().count() >= files && loose * 4 >= all - loose
}

fn compact_partitions(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    needs: fn(&Group<'_>, usize) -> bool,
) -> Result<CompactReport> {
    let mut report = CompactReport::default();
    let keys: Vec<Vec<Option<String>>> = {
        let state = current(conn)?;
        let mut keys: Vec<_> = state
            .files
            .iter()
            .map(|f| f.partition_values.clone())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    };
    for key in keys {
        retry(|| compact_one(shared, writer, conn, &key, needs, &mut report))?;
    }
    Ok(report)
}

fn compact_one(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    key: &[Option<String>],
    needs: fn(&Group<'_>, usize) -> bool,
    report: &mut CompactReport,
) -> Result<()> {
    if shared.wake.stopped() {
        return Ok(());
    }
    let state = current(conn)?;
    let group = Group {
        files: state
            .files
            .iter()
            .filter(|f| f.partition_values == key)
            .collect(),
    };
    if group.files.is_empty() || !needs(&group, shared.settings.compact_files) {
        return Ok(());
    }
    // The partition is that of any of its rows; files without one are sorted as they are.
    let time = group.files.iter().find_map(|f| {
        f.stats
            .first()
            .and_then(Option::as_ref)
            .and_then(|s| parse_timestamp_us(s.min.as_deref()?))
    });
    let divided = !key.is_empty() && key.iter().all(Option::is_some);
    let partition: Partition = match time {
        Some(time) if divided => shared.settings.partition.of(time),
        _ => super::PartitionGrain::None.of(0),
    };
    let inputs = group
        .files
        .iter()
        .map(|f| {
            Ok(CompactInput::File {
                path: shared.event_path(&f.path)?,
                deleted_rows: deleted_rows(shared, f, state.snapshot.id)?.into(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let options = CompactOptions {
        target_rows_per_file: shared.settings.target_rows_per_file,
        threads: shared.settings.threads(),
        ..CompactOptions::default()
    };
    let new_uuid = Arc::clone(&shared.new_uuid);
    let mut new_name = move || new_uuid();
    let schema = rows::storage_schema(&state.columns);
    let written = compact(
        inputs,
        &schema,
        &partition,
        &options,
        &shared.events,
        &mut new_name,
        &CancelToken::new(),
    )?;
    let mut files = Uncommitted::new(&shared.events, written);
    let new = files.files.clone();
    let old: Vec<i64> = group.files.iter().map(|f| f.id).collect();
    let read_at = state.snapshot.id;
    wait(writer.transact(move |w| {
        if w.known.is_loaded() {
            w.sync_ids()?;
        }
        let mut commit = Commit::begin(&w.conn, w.shared.clock.now_us())?
            .describe(Some("aura"), Some("compact"));
        commit.ensure_unchanged(&old, read_at)?;
        commit.rewrite_files(w.shared.events_table, &old, &new)?;
        let snapshot = commit.finish()?;
        w.committed(&snapshot);
        Ok(())
    })?)?;
    files.keep();
    report.partitions += 1;
    report.files_before += group.files.len() as u64;
    report.bytes_before += group.files.iter().map(|f| f.file_size_bytes).sum::<u64>();
    report.files_after += files.files.len() as u64;
    report.bytes_after += files.files.iter().map(|f| f.file_size_bytes).sum::<u64>();
    Ok(())
}

fn expire_once(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    older_than_us: i64,
) -> Result<ExpireReport> {
    let state = current(conn)?;
    let grain = shared.settings.partition;
    let limit = grain.of(older_than_us);
    let old: Vec<&DataFile> = state
        .files
        .iter()
        .filter(|f| {
            let range = f.stats.first().and_then(Option::as_ref);
            let time = |t: Option<&String>| t.and_then(|t| parse_timestamp_us(t));
            let Some((min, max)) =
                range.and_then(|r| Some((time(r.min.as_ref())?, time(r.max.as_ref())?)))
            else {
                return false;
            };
            let divided =
                !f.partition_values.is_empty() && f.partition_values.iter().all(Option::is_some);
            if divided {
                max < older_than_us && grain.of(min) < limit
            } else {
                max < older_than_us
            }
        })
        .collect();
    if old.is_empty() {
        return Ok(ExpireReport::default());
    }
    let mut report = ExpireReport {
        files: old.len() as u64,
        events: 0,
    };
    for file in &old {
        let deleted = deleted_rows(shared, file, state.snapshot.id)?;
        report.events += file.record_count - deleted.len() as u64;
    }
    let ids: Vec<i64> = old.iter().map(|f| f.id).collect();
    wait(writer.transact(move |w| {
        let mut commit =
            Commit::begin(&w.conn, w.shared.clock.now_us())?.describe(Some("aura"), Some("expire"));
        for id in ids {
            commit.remove_file(id)?;
        }
        commit.finish()?;
        // Ids of the dropped events may come again.
        w.known.forget();
        Ok(())
    })?)?;
    Ok(report)
}

/// A data file of any snapshot.
struct AnyFile {
    file: DataFile,
    /// The last snapshot that has it.
    seen_in: i64,
}

/// Lists the files of a table that any snapshot has, each as the last snapshot saw it that had it.
fn files_of_all_snapshots(conn: &Connection, table: &str) -> Result<Vec<AnyFile>> {
    let newest: TableState = load_table(conn, table, None, &[])?;
    let mut statement = conn
        .prepare(
            "SELECT f.data_file_id, (SELECT max(s.snapshot_id) FROM ducklake_snapshot s
                 WHERE s.snapshot_id >= f.begin_snapshot AND s.snapshot_id < f.end_snapshot)
             FROM ducklake_data_file f
             WHERE f.table_id = ?1 AND f.end_snapshot IS NOT NULL ORDER BY 1",
        )
        .map_err(|e| sql("cannot read the old snapshots", e))?;
    let gone: Vec<(i64, Option<i64>)> = statement
        .query_map([newest.table_id], |r| Ok((r.get(0)?, r.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(|e| sql("cannot read the old snapshots", e))?;
    let mut by_snapshot: BTreeMap<i64, HashSet<i64>> = BTreeMap::new();
    for (file, snapshot) in gone {
        if let Some(snapshot) = snapshot {
            by_snapshot.entry(snapshot).or_default().insert(file);
        }
    }
    let mut found: Vec<AnyFile> = newest
        .files
        .into_iter()
        .map(|file| AnyFile {
            file,
            seen_in: newest.snapshot.id,
        })
        .collect();
    for (snapshot, wanted) in by_snapshot {
        let state = load_table(conn, table, Some(snapshot), &[])?;
        let old = state.files.into_iter().filter(|f| wanted.contains(&f.id));
        found.extend(old.map(|file| AnyFile {
            file,
            seen_in: snapshot,
        }));
    }
    Ok(found)
}

fn erase_once(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    actor: &str,
) -> Result<EraseReport> {
    let mut report = EraseReport::default();
    // One state of the store; what changes after it is found out by the commit.
    let tx = conn.unchecked_transaction()?;
    let state = current(&tx)?;
    let events = files_of_all_snapshots(&tx, super::EVENTS)?;
    let rejects = files_of_all_snapshots(&tx, super::QUARANTINE)?;
    let inlined = inlined_of(&tx, &state, actor)?;
    tx.commit()?;
    let columns = rows::storage_schema(&state.columns);
    let cancel = CancelToken::new();
    let mut written = Uncommitted::new(&shared.events, Vec::new());
    let mut changes: Vec<(i64, Option<WrittenFile>)> = Vec::new();
    for AnyFile { file, seen_in } in events {
        let input = shared.event_path(&file.path)?;
        let directory = input
            .rsplit_once('/')
            .map_or(String::new(), |(dir, _)| format!("{dir}/"));
        let name = (shared.new_uuid)();
        // A rewritten file keeps its place in its run of sorted buckets.
        let output = match bucket_of_path(&input) {
            Some((bucket, bits)) => {
                format!(
                    "{directory}{}",
                    super::sort::bucket_name(bucket, bits, name)
                )
            }
            None => format!("{directory}{name}.parquet"),
        };
        let values = file.partition_values.iter().flatten().cloned().collect();
        let deleted = deleted_rows(shared, &file, seen_in)?.into();
        let schema = with_snapshots(&columns, &file);
        match rewrite_without_actor(
            &shared.events,
            &input,
            deleted,
            actor,
            &schema,
            &output,
            values,
            &cancel,
        )? {
            Erased::Untouched => {}
            Erased::Emptied { removed_rows } => {
                report.events += removed_rows;
                changes.push((file.id, None));
            }
            Erased::Rewritten {
                removed_rows,
                file: new,
            } => {
                report.events += removed_rows;
                let new = without_snapshots(new);
                written.files.push(new.clone());
                changes.push((file.id, Some(new)));
            }
        }
    }
    let (rejects, quarantine_changes, mut quarantine_files) =
        erase_from_quarantine(shared, rejects, actor)?;
    report.rejects = rejects;
    report.files = (changes.len() + quarantine_changes.len()) as u64;
    report.events += inlined
        .iter()
        .map(|(_, keys)| keys.len() as u64)
        .sum::<u64>();
    if report.files == 0 && inlined.is_empty() {
        return Ok(report);
    }
    let read_at = state.snapshot.id;
    wait(writer.transact(move |w| {
        let mut commit =
            Commit::begin(&w.conn, w.shared.clock.now_us())?.describe(Some("aura"), Some("erase"));
        // A row that another program deleted meanwhile would come back with its new file.
        let old: Vec<i64> = changes
            .iter()
            .chain(&quarantine_changes)
            .map(|(id, _)| *id)
            .collect();
        commit.ensure_unchanged(&old, read_at)?;
        for (id, new) in changes.iter().chain(&quarantine_changes) {
            commit.replace_everywhere(*id, new.as_ref())?;
        }
        for (table, keys) in &inlined {
            commit.erase_inlined(w.shared.events_table, table, keys)?;
        }
        commit.finish()?;
        w.known.forget();
        Ok(())
    })?)?;
    written.keep();
    quarantine_files.keep();
    Ok(report)
}

/// The rows of an actor that another program keeps in the database, by their table.
fn inlined_of(
    conn: &Connection,
    state: &TableState,
    actor: &str,
) -> Result<Vec<(inlined::DataTable, Vec<i64>)>> {
    let column = state.columns.iter().find(|c| c.name == ACTOR).map(|c| c.id);
    let mut found = Vec::new();
    for rows in inlined::rows(conn, state.table_id, None)? {
        let Some(at) = rows.columns.iter().position(|id| Some(*id) == column) else {
            continue;
        };
        let keys: Vec<i64> = rows
            .rows
            .iter()
            .filter(|r| r.values.get(at).and_then(Option::as_deref) == Some(actor))
            .map(|r| r.key)
            .collect();
        if !keys.is_empty() {
            found.push((rows.table.clone(), keys));
        }
    }
    Ok(found)
}

type Replacement = (i64, Option<WrittenFile>);

fn erase_from_quarantine(
    shared: &Arc<Shared>,
    files: Vec<AnyFile>,
    actor: &str,
) -> Result<(u64, Vec<Replacement>, Uncommitted)> {
    use super::parquet_out::{EventEncoder, EventWriter, Profile};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let mut written = Uncommitted::new(&shared.quarantine, Vec::new());
    let mut changes = Vec::new();
    let mut erased = 0;
    for AnyFile { file, .. } in files {
        let schema = with_snapshots(&shared.quarantine_schema, &file);
        let path = file
            .path
            .path
            .strip_prefix("quarantine/")
            .unwrap_or(&file.path.path);
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(shared.quarantine.open(path)?)?.build()?;
        let mut kept = Vec::new();
        let mut here = 0;
        for batch in reader {
            let batch = rows::conform(&strip(&batch?, &schema)?, &schema)?;
            let hit = quarantine::mentions(&batch, actor);
            here += hit.iter().filter(|h| **h).count() as u64;
            let keep = hit.into_iter().map(|h| Some(!h)).collect();
            kept.push(arrow::compute::filter_record_batch(&batch, &keep)?);
        }
        if here == 0 {
            continue;
        }
        erased += here;
        let batch = arrow::compute::concat_batches(&schema, &kept)?;
        if batch.num_rows() == 0 {
            changes.push((file.id, None));
            continue;
        }
        let encoder = Arc::new(EventEncoder::like(
            &batch.schema(),
            Profile::Ingest,
            &batch,
        )?);
        let path = format!("{}.parquet", (shared.new_uuid)());
        let mut writer = EventWriter::create(&shared.quarantine, &path, Vec::new(), encoder)?;
        writer.write(&batch)?;
        let new = without_snapshots(writer.finish()?);
        written.files.push(new.clone());
        changes.push((file.id, Some(new)));
    }
    Ok((erased, changes, written))
}

/// Adds to the columns of a table, if DuckDB merged the file from several snapshots, the one that
/// tells them apart.
fn with_snapshots(columns: &SchemaRef, file: &DataFile) -> SchemaRef {
    if file.partial_max.is_none() {
        return Arc::clone(columns);
    }
    let id = (
        PARQUET_FIELD_ID_META_KEY.to_owned(),
        SNAPSHOT_COLUMN_ID.to_string(),
    );
    let born = Field::new(SNAPSHOT_COLUMN, DataType::Int64, true).with_metadata([id].into());
    let fields = columns.fields().iter().cloned().chain([Arc::new(born)]);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Leaves out the statistics of a column that no table has.
fn without_snapshots(mut file: WrittenFile) -> WrittenFile {
    file.columns.retain(|c| c.column_id != SNAPSHOT_COLUMN_ID);
    file
}

/// Takes the columns of `schema` that a batch has, without field metadata, which differs between
/// what was written and what is read.
fn strip(batch: &RecordBatch, schema: &Schema) -> Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if schema.column_with_name(field.name()).is_some() {
            fields.push(Field::new(field.name(), field.data_type().clone(), true));
            columns.push(Arc::clone(column));
        }
    }
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

/// Overwrites what deleted rows left behind in the database: the pages of staged batches.
fn scrub(writer: &WriterHandle) -> Result<()> {
    wait(writer.run(|w| {
        while w.transaction(|w| staging::sweep(&w.conn, 1_000))? > 0 {}
        // Another process that reads keeps the log from being emptied; its next checkpoint does it.
        w.conn
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(|e| sql("cannot scrub the store's database", e))
    })?)
}

fn expire_snapshots(writer: &WriterHandle, older_than_us: i64) -> Result<u64> {
    wait(writer.transact(move |w| {
        let now = w.shared.clock.now_us();
        let expired = upkeep::expire_snapshots(&w.conn, now, older_than_us, 1)?;
        Ok(expired.snapshots.len() as u64)
    })?)
}

/// Deletes files that no snapshot has needed since `before_us`.
fn delete_scheduled(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    before_us: i64,
) -> Result<()> {
    let mut done = Vec::new();
    for file in upkeep::scheduled(conn, before_us)? {
        let (store, path) = match (
            file.path.strip_prefix("events/"),
            file.path.strip_prefix("quarantine/"),
        ) {
            (Some(path), _) if file.path_is_relative => (&shared.events, path),
            (_, Some(path)) if file.path_is_relative => (&shared.quarantine, path),
            // A path outside the store is not ours to delete.
            _ => continue,
        };
        store.delete(path)?;
        done.push(file.id);
    }
    if done.is_empty() {
        return Ok(());
    }
    wait(writer.transact(move |w| upkeep::unschedule(&w.conn, &done))?)
}

/// Deletes the files that no snapshot lists and that are not scheduled: what a crash left between
/// writing a file and its commit. Only run while no other process has the store open.
pub(crate) fn sweep_orphans(shared: &Shared) -> Result<()> {
    let known = shared.read(|conn| {
        let mut known = HashSet::new();
        for query in [
            "SELECT path, table_id FROM ducklake_data_file WHERE path_is_relative = 1",
            "SELECT path, table_id FROM ducklake_delete_file WHERE path_is_relative = 1",
            "SELECT path, NULL FROM ducklake_files_scheduled_for_deletion",
        ] {
            let mut statement = conn.prepare(query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let path: String = row.get(0)?;
                let table: Option<i64> = row.get(1)?;
                known.insert(match table {
                    Some(t) if t == shared.events_table => format!("events/{path}"),
                    Some(t) if t == shared.quarantine_table => format!("quarantine/{path}"),
                    _ => path,
                });
            }
        }
        Ok(known)
    })?;
    for (prefix, files) in [
        ("events/", &shared.events),
        ("quarantine/", &shared.quarantine),
    ] {
        let here: HashSet<String> = known
            .iter()
            .filter_map(|p| p.strip_prefix(prefix))
            .map(str::to_owned)
            .collect();
        for orphan in files.orphans(&here)? {
            files.delete(&orphan.path)?;
        }
    }
    Ok(())
}

/// The state of the upkeep thread.
pub(crate) struct Upkeep {
    staged_since_us: Option<i64>,
    tidied_us: i64,
}

/// How often old snapshots and files are looked for.
const TIDY_EVERY_US: i64 = 60_000_000;
/// Size of the log beyond which it is copied into the database.
const CHECKPOINT_BYTES: u64 = 64 << 20;

impl Upkeep {
    pub(crate) fn new(shared: &Shared) -> Self {
        Upkeep {
            staged_since_us: None,
            tidied_us: shared.clock.now_us(),
        }
    }

    /// Does what is due.
    pub(crate) fn step(
        &mut self,
        shared: &Arc<Shared>,
        writer: &WriterHandle,
        conn: &Connection,
    ) -> Result<()> {
        let now = shared.clock.now_us();
        let (rows, bytes) = staging::pending(conn, super::EVENTS)?;
        if rows == 0 {
            self.staged_since_us = None;
        } else {
            let since = *self.staged_since_us.get_or_insert(now);
            let waited_s = u64::try_from((now - since) / 1_000_000).unwrap_or(0);
            if bytes >= shared.settings.flush_bytes || waited_s >= shared.settings.flush_after_s {
                self.staged_since_us = None;
                flush_all(shared, writer, conn)?;
                compact_partitions(shared, writer, conn, needs_soon)?;
            }
        }
        if shared.db.wal_bytes() > CHECKPOINT_BYTES {
            // The bulk is copied here, beside the appends; the rest, which is small, by the writer,
            // so that the log can begin anew.
            let passive = "PRAGMA wal_checkpoint(PASSIVE)";
            conn.query_row(passive, [], |_| Ok(()))
                .map_err(|e| sql("cannot checkpoint", e))?;
            wait(writer.run(move |w| {
                w.conn
                    .query_row(passive, [], |_| Ok(()))
                    .map_err(|e| sql("cannot checkpoint", e))
            })?)?;
        }
        if now - self.tidied_us >= TIDY_EVERY_US {
            self.tidied_us = now;
            let before = |seconds: u64| {
                now.saturating_sub(
                    i64::try_from(seconds)
                        .unwrap_or(i64::MAX)
                        .saturating_mul(1_000_000),
                )
            };
            expire_snapshots(writer, before(shared.settings.history_s))?;
            delete_scheduled(shared, writer, conn, before(shared.settings.delete_grace_s))?;
        }
        Ok(())
    }
}
