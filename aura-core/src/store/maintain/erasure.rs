//! Taking an actor out of every snapshot.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use rusqlite::Connection;

use super::EraseReport;
use crate::Result;
use crate::event::ACTOR;
use crate::ingest::CancelToken;
use crate::store::catalog::commit::Commit;
use crate::store::catalog::file::{SNAPSHOT_COLUMN, SNAPSHOT_COLUMN_ID, WrittenFile};
use crate::store::catalog::inlined;
use crate::store::catalog::read::{DataFile, TableState, load_table};
use crate::store::flush::Uncommitted;
use crate::store::mention::Mention;
use crate::store::parquet_out::{EventEncoder, EventWriter, Profile};
use crate::store::read::{current, deleted_rows};
use crate::store::sort::{Erased, bucket_name, bucket_of_path, rewrite_without_actor};
use crate::store::sql_error::sql_error as sql;
use crate::store::writer::{WriterHandle, wait};
use crate::store::{EVENTS, QUARANTINE, Shared, quarantine, rows, staging};

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

pub(super) fn erase_once(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    actor: &str,
) -> Result<EraseReport> {
    let mut report = EraseReport::default();
    // One state of the store; what changes after it is found out by the commit.
    let tx = conn.unchecked_transaction()?;
    let state = current(&tx)?;
    let events = files_of_all_snapshots(&tx, EVENTS)?;
    let rejects = files_of_all_snapshots(&tx, QUARANTINE)?;
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
                format!("{directory}{}", bucket_name(bucket, bits, name))
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
        w.forget();
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
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let mut written = Uncommitted::new(&shared.quarantine, Vec::new());
    let mut changes = Vec::new();
    let mention = Mention::of(actor);
    let mut erased = 0;
    for AnyFile { file, .. } in files {
        let schema = with_snapshots(&shared.quarantine_schema, &file);
        let path = quarantine::path_of(&file);
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(shared.quarantine.open(path)?)?.build()?;
        let mut kept = Vec::new();
        let mut here = 0;
        for batch in reader {
            let batch = rows::conform(&strip(&batch?, &schema)?, &schema)?;
            let hit = mention.rows(&batch);
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
pub(super) fn scrub(writer: &WriterHandle) -> Result<()> {
    wait(writer.run(|w| {
        while w.transaction(|w| staging::sweep(&w.conn, 1_000))? > 0 {}
        // Another process that reads keeps the log from being emptied; its next checkpoint does it.
        w.conn
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(|e| sql("cannot scrub the store's database", e))
    })?)
}
