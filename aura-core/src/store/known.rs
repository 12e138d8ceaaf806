//! Keeps the index of event ids in step with the database, other processes' commits included.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::catalog::{inlined, read, snapshot};
use super::files::FileStore;
use super::writer::Writer;
use super::{Shared, quarantine, staging};
use crate::event::EVENT_ID;
use crate::{Error, Result};

/// What of the database the index knows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    loaded: bool,
    /// Last staged batch.
    pub(crate) seq: i64,
    /// Newest snapshot.
    pub(crate) snapshot: i64,
    /// First data file that is not known.
    pub(crate) next_file_id: i64,
}

impl Known {
    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Says that nothing is known: everything is read again before the next write.
    pub(crate) fn forget(&mut self) {
        self.loaded = false;
    }
}

impl Writer {
    /// Says that nothing is known, of events and of rejects.
    pub(crate) fn forget(&mut self) {
        self.known.forget();
        self.known_rejects.forget();
    }

    /// Fills the index of rejected rows, or adds what has come since. It is only called when there is
    /// one to be kept: most stores never need the index.
    pub(crate) fn sync_rejects(&mut self) -> Result<()> {
        if !self.known_rejects.loaded {
            self.shared.reject_ids.clear();
            self.known_rejects = Known::default();
        }
        let shared = Arc::clone(&self.shared);
        let seq = staging::last_seq(&self.conn)?;
        let after = staging::flushed_seq(&self.conn)?.max(self.known_rejects.seq);
        for staged in staging::read(&self.conn, Some(super::QUARANTINE), after, u64::MAX)? {
            load_rejects(&shared, &staged.batch)?;
        }
        let state = read::load_table(&self.conn, super::QUARANTINE, None, &[])?;
        let new = |id: i64| id >= self.known_rejects.next_file_id;
        for file in state.files.iter().filter(|f| new(f.id)) {
            let file = shared.quarantine.open(quarantine::path_of(file))?;
            for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
                load_rejects(&shared, &batch?)?;
            }
        }
        self.known_rejects = Known {
            loaded: true,
            seq,
            snapshot: state.snapshot.id,
            next_file_id: state.snapshot.next_file_id,
        };
        Ok(())
    }

    /// Fills the index from the stored events, if it is not filled. Takes no write lock, so that
    /// other processes go on; what they add meanwhile comes with [`sync_ids`](Self::sync_ids).
    pub(crate) fn load_ids(&mut self) -> Result<()> {
        if self.known.loaded {
            return Ok(());
        }
        self.shared.ids.clear();
        let tx = self.conn.unchecked_transaction()?;
        let seq = staging::last_seq(&tx)?;
        let state = read::load_table(&tx, super::EVENTS, None, &[])?;
        let staged = staging::read(
            &tx,
            Some(super::EVENTS),
            staging::flushed_seq(&tx)?,
            u64::MAX,
        )?;
        tx.commit()?;
        let shared = Arc::clone(&self.shared);
        for file in &state.files {
            load_file(&shared, &shared.event_path(&file.path)?)?;
        }
        load_inlined(&shared, &state.inlined, &state.columns)?;
        for staged in staged {
            load_batch(&shared, &staged.batch)?;
        }
        self.known = Known {
            loaded: true,
            seq,
            snapshot: state.snapshot.id,
            next_file_id: state.snapshot.next_file_id,
        };
        Ok(())
    }

    /// Learns what other processes have committed since. Runs inside the write transaction, so that
    /// nobody commits between this and our own commit.
    pub(crate) fn sync_ids(&mut self) -> Result<()> {
        if !self.known.loaded {
            return Err(Error::internal(
                "the index of event ids was not loaded before a write",
            ));
        }
        let seq = staging::last_seq(&self.conn)?;
        if seq > self.known.seq {
            for staged in staging::read(&self.conn, Some(super::EVENTS), self.known.seq, u64::MAX)?
            {
                load_batch(&self.shared, &staged.batch)?;
            }
            self.known.seq = seq;
        }
        let latest = snapshot::latest(&self.conn)?;
        if latest.id > self.known.snapshot {
            let table = self.shared.events_table;
            let new = read::files_since(&self.conn, table, self.known.next_file_id)?;
            if !new.is_empty() {
                let state = read::load_table(&self.conn, super::EVENTS, None, &[])?;
                for file in state.files.iter().filter(|f| new.contains(&f.id)) {
                    load_file(&self.shared, &self.shared.event_path(&file.path)?)?;
                }
            }
            let rows = inlined::rows(&self.conn, table, Some(latest.id))?;
            if !rows.is_empty() {
                let columns = self.shared.columns(&self.conn)?;
                load_inlined(&self.shared, &rows, &columns)?;
            }
            self.known.snapshot = latest.id;
            self.known.next_file_id = latest.next_file_id;
        }
        Ok(())
    }

    /// Notes that a commit of ours brought nothing that the index does not know.
    pub(crate) fn committed(&mut self, snapshot: &snapshot::Snapshot) {
        self.known.snapshot = snapshot.id;
        self.known.next_file_id = snapshot.next_file_id;
    }
}

fn load_rejects(shared: &Shared, batch: &arrow::record_batch::RecordBatch) -> Result<()> {
    let hashes = quarantine::identities(shared.hasher, &quarantine::plain(batch)?);
    shared.reject_ids.bulk_load([Ok(hashes)])
}

fn load_batch(shared: &Shared, batch: &arrow::record_batch::RecordBatch) -> Result<()> {
    let Some(column) = batch.column_by_name(EVENT_ID) else {
        return Ok(());
    };
    load_ids(shared, &cast(column, &DataType::Utf8)?)
}

fn load_ids(shared: &Shared, ids: &arrow::array::ArrayRef) -> Result<()> {
    let ids = ids.as_string::<i32>();
    // Another program may have stored rows without an id; they are nobody's duplicate.
    let hashes = if ids.null_count() == 0 {
        shared.hasher.hash_all(ids)
    } else {
        shared
            .hasher
            .hash_all(&ids.iter().flatten().map(Some).collect::<StringArray>())
    };
    shared.ids.bulk_load([Ok(hashes)])
}

fn load_file(shared: &Shared, path: &str) -> Result<()> {
    for ids in event_ids(&shared.events, path)? {
        load_ids(shared, &ids?)?;
    }
    Ok(())
}

fn load_inlined(
    shared: &Shared,
    inlined: &[inlined::InlinedRows],
    columns: &[super::catalog::table::Column],
) -> Result<()> {
    let schema = super::rows::storage_schema(columns);
    for rows in inlined {
        load_batch(shared, &super::rows::inlined_batch(rows, columns, &schema)?)?;
    }
    Ok(())
}

/// Reads the column of event ids of a file, in pieces.
fn event_ids(
    files: &FileStore,
    path: &str,
) -> Result<impl Iterator<Item = Result<arrow::array::ArrayRef>> + use<>> {
    let file = files.open(path)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [EVENT_ID]);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(65_536)
        .build()?;
    Ok(reader.filter_map(|batch| match batch {
        Ok(batch) if batch.num_columns() == 0 => None,
        Ok(batch) => Some(cast(batch.column(0), &DataType::Utf8).map_err(Error::from)),
        Err(e) => Some(Err(Error::from(e))),
    }))
}
