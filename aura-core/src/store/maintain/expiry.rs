//! What time takes away: old partitions, old snapshots, files that nobody needs.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampMicrosecondType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rusqlite::Connection;

use super::ExpireReport;
use crate::store::catalog::commit::Commit;
use crate::store::catalog::maintain as upkeep;
use crate::store::catalog::read::{DataFile, load_table};
use crate::store::catalog::value::parse_timestamp_us;
use crate::store::flush::{Uncommitted, write_one};
use crate::store::quarantine::{self, REJECTED_AT};
use crate::store::read::{current, deleted_rows};
use crate::store::writer::{WriterHandle, wait};
use crate::store::{QUARANTINE, Shared, rows};
use crate::{Error, Result};

pub(super) fn expire_once(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    older_than_us: i64,
) -> Result<ExpireReport> {
    let state = current(conn)?;
    let grain = shared.partition;
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
    let mut rejects = old_rejects(shared, conn, older_than_us)?;
    if old.is_empty() && rejects.files.is_empty() {
        return Ok(ExpireReport::default());
    }
    let mut report = ExpireReport {
        files: old.len() as u64,
        events: 0,
        rejects: rejects.rows,
    };
    for file in &old {
        let deleted = deleted_rows(shared, file, state.snapshot.id)?;
        report.events += file.record_count - deleted.len() as u64;
    }
    let ids: Vec<i64> = old
        .iter()
        .map(|f| f.id)
        .chain(rejects.files.iter().copied())
        .collect();
    let (old_rejects, kept, read_at) = (rejects.files, rejects.kept.files.clone(), rejects.read_at);
    wait(writer.transact(move |w| {
        let mut commit =
            Commit::begin(&w.conn, w.shared.clock.now_us())?.describe(Some("aura"), Some("expire"));
        // A row that another program deleted meanwhile would come back with its new file.
        commit.ensure_unchanged(&old_rejects, read_at)?;
        for id in ids {
            commit.remove_file(id)?;
        }
        for file in &kept {
            commit.add_file(w.shared.quarantine_table, file)?;
        }
        commit.finish()?;
        // Ids of the dropped events may come again.
        w.forget();
        Ok(())
    })?)?;
    rejects.kept.keep();
    Ok(report)
}

/// The files of the quarantine that have old rows, and the new files for the rest of their rows.
struct OldRejects {
    files: Vec<i64>,
    rows: u64,
    kept: Uncommitted,
    read_at: i64,
}

fn old_rejects(shared: &Shared, conn: &Connection, older_than_us: i64) -> Result<OldRejects> {
    let state = load_table(conn, QUARANTINE, None, &[REJECTED_AT])?;
    let mut found = OldRejects {
        files: Vec::new(),
        rows: 0,
        kept: Uncommitted::new(&shared.quarantine, Vec::new()),
        read_at: state.snapshot.id,
    };
    for file in &state.files {
        let range = file.stats.first().and_then(Option::as_ref);
        let time = |t: Option<&String>| t.and_then(|t| parse_timestamp_us(t));
        let min = range.and_then(|r| time(r.min.as_ref()));
        let max = range.and_then(|r| time(r.max.as_ref()));
        // What another program changed in a file, it may change further; only whole files of ours
        // are taken apart.
        let whole = file.delete_files.is_empty()
            && file.deleted_positions.is_empty()
            && file.partial_max.is_none();
        if max.is_some_and(|max| max < older_than_us) {
            found.files.push(file.id);
            found.rows += file.record_count;
        } else if whole && min.is_some_and(|min| min < older_than_us) {
            found.files.push(file.id);
            found.rows += keep_young(shared, file, older_than_us, &mut found.kept)?;
        }
    }
    Ok(found)
}

/// Writes the rows of a file anew that were rejected at `older_than_us` or later. Returns how many were
/// left out.
fn keep_young(
    shared: &Shared,
    file: &DataFile,
    older_than_us: i64,
    kept: &mut Uncommitted,
) -> Result<u64> {
    let input = shared.quarantine.open(quarantine::path_of(file))?;
    let mut batches = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(input)?.build()? {
        let batch = rows::conform(&quarantine::plain(&batch?)?, &shared.quarantine_schema)?;
        let young = batch
            .column_by_name(REJECTED_AT)
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
            .map(|times| {
                times
                    .iter()
                    .map(|t| Some(t.is_none_or(|t| t >= older_than_us)))
            })
            .ok_or_else(|| Error::internal("a file of the quarantine has no times"))?
            .collect();
        batches.push(arrow::compute::filter_record_batch(&batch, &young)?);
    }
    let batch = concat_batches(&shared.quarantine_schema, &batches)?;
    let path = format!("{}.parquet", (shared.new_uuid)());
    let new = write_one(&shared.quarantine, &path, Vec::new(), &batch)?;
    kept.files.push(new);
    Ok(file.record_count - batch.num_rows() as u64)
}

pub(super) fn expire_snapshots(writer: &WriterHandle, older_than_us: i64) -> Result<u64> {
    wait(writer.transact(move |w| {
        let now = w.shared.clock.now_us();
        let expired = upkeep::expire_snapshots(&w.conn, now, older_than_us, 1)?;
        Ok(expired.snapshots.len() as u64)
    })?)
}

/// Deletes files that no snapshot has needed since `before_us`.
pub(super) fn delete_scheduled(
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
