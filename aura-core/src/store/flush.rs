//! Staged batches become Parquet files.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use rusqlite::Connection;

use super::catalog::commit::Commit;
use super::catalog::file::WrittenFile;
use super::files::FileStore;
use super::parquet_out::{EventEncoder, EventWriter, Profile};
use super::partition::{self, Partition};
use super::writer::{WriterHandle, wait};
use super::{Shared, rows, staging};
use crate::{Error, ErrorKind, Result};

/// Most staged bytes (compressed) that one flush takes; the rest is the next one's.
const FLUSH_BYTES: u64 = 64 << 20;

/// Files written and not yet in the catalog. Unless [`keep`](Self::keep) is called they are deleted.
pub(crate) struct Uncommitted {
    store: FileStore,
    pub(crate) files: Vec<WrittenFile>,
    kept: bool,
}

impl Uncommitted {
    pub(crate) fn new(store: &FileStore, files: Vec<WrittenFile>) -> Self {
        Uncommitted {
            store: store.clone(),
            files,
            kept: false,
        }
    }

    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Uncommitted {
    fn drop(&mut self) {
        if !self.kept {
            for file in &self.files {
                // What cannot be deleted now is found as an orphan at the next opening.
                let _ = self.store.delete(&file.path);
            }
        }
    }
}

/// Flushes everything that was staged when it began. Returns the rows moved.
pub(crate) fn flush_all(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
) -> Result<u64> {
    let until = staging::last_seq(conn)?;
    let mut moved = 0;
    loop {
        match flush_some(shared, writer, conn) {
            Ok(0) => return Ok(moved),
            Ok(rows) => moved += rows,
            // Another process flushed the same batches first.
            Err(e) if e.kind() == ErrorKind::Conflict => {}
            Err(e) => return Err(e),
        }
        if staging::flushed_seq(conn)? >= until {
            return Ok(moved);
        }
    }
}

fn flush_some(shared: &Arc<Shared>, writer: &WriterHandle, conn: &Connection) -> Result<u64> {
    let tx = conn.unchecked_transaction()?;
    let from = staging::flushed_seq(&tx)?;
    let staged = staging::read(&tx, None, from, FLUSH_BYTES)?;
    let columns = shared.columns(&tx)?;
    tx.commit()?;
    let Some(last) = staged.last() else {
        return Ok(0);
    };
    let until = last.seq;
    let schema = rows::storage_schema(&columns);
    let mut events = Vec::new();
    let mut rejects = Vec::new();
    for staged in &staged {
        match staged.table.as_str() {
            super::EVENTS => events.push(rows::conform(&staged.batch, &schema)?),
            _ => rejects.push(staged.batch.clone()),
        }
    }
    let moved: usize = events
        .iter()
        .chain(&rejects)
        .map(RecordBatch::num_rows)
        .sum();
    let mut event_files = Uncommitted::new(&shared.events, Vec::new());
    write_events(shared, &events, &mut event_files)?;
    let mut reject_files = Uncommitted::new(&shared.quarantine, Vec::new());
    if !rejects.is_empty() {
        let batch = concat_batches(&shared.quarantine_schema, &rejects)?;
        let path = format!("{}.parquet", (shared.new_uuid)());
        reject_files
            .files
            .push(write_one(&shared.quarantine, &path, Vec::new(), &batch)?);
    }
    let new_events = event_files.files.clone();
    let new_rejects = reject_files.files.clone();
    wait(writer.transact(move |writer| {
        if staging::flushed_seq(&writer.conn)? != from {
            return Err(Error::new(
                ErrorKind::Conflict,
                "another process flushed the same staged batches",
            ));
        }
        // Before the new snapshot counts as known: what others have committed until now.
        if writer.known.is_loaded() {
            writer.sync_ids()?;
        }
        let mut commit = Commit::begin(&writer.conn, writer.shared.clock.now_us())?
            .describe(Some("aura"), Some("flush"));
        for file in &new_events {
            commit.add_file(writer.shared.events_table, file)?;
        }
        for file in &new_rejects {
            commit.add_file(writer.shared.quarantine_table, file)?;
        }
        staging::set_flushed_seq(&writer.conn, until)?;
        let snapshot = commit.finish()?;
        writer.committed(&snapshot);
        Ok(())
    })?)?;
    event_files.keep();
    reject_files.keep();
    Ok(moved as u64)
}

/// Writes batches of the storage schema as one file for each partition.
fn write_events(shared: &Shared, batches: &[RecordBatch], out: &mut Uncommitted) -> Result<()> {
    let mut parts: BTreeMap<Partition, Vec<RecordBatch>> = BTreeMap::new();
    for batch in batches {
        let time = batch.schema().index_of(crate::event::TIME)?;
        for (partition, part) in partition::split(batch.clone(), time, shared.partition)? {
            parts.entry(partition).or_default().push(part);
        }
    }
    for (partition, batches) in parts {
        let Some(first) = batches.first() else {
            continue;
        };
        let batch = concat_batches(&first.schema(), &batches)?;
        let path = partition.file_path((shared.new_uuid)());
        out.files.push(write_one(
            &shared.events,
            &path,
            partition.values(),
            &batch,
        )?);
    }
    Ok(())
}

/// Writes a batch of the storage schema as one file.
pub(crate) fn write_one(
    files: &FileStore,
    path: &str,
    partition_values: Vec<String>,
    batch: &RecordBatch,
) -> Result<WrittenFile> {
    let encoder = Arc::new(EventEncoder::like(&batch.schema(), Profile::Ingest, batch)?);
    let mut writer = EventWriter::create(files, path, partition_values, encoder)?;
    let mut at = 0;
    while at < batch.num_rows() {
        let rows = super::parquet_out::ROW_GROUP_ROWS.min(batch.num_rows() - at);
        writer.write(&batch.slice(at, rows))?;
        at += rows;
    }
    writer.finish()
}
