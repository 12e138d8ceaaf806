//! The end of an ingest: its files enter the catalog, without what others stored meanwhile.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{GROUP_ROWS, Outcome};
use crate::event::EVENT_ID;
use crate::ingest::IngestReport;
use crate::store::caller::Wanted;
use crate::store::catalog::commit::Commit;
use crate::store::catalog::file::WrittenFile;
use crate::store::flush::Uncommitted;
use crate::store::ids::Pending;
use crate::store::parquet_out::{EventEncoder, EventWriter, Profile};
use crate::store::writer::{WriterHandle, wait};
use crate::store::{Shared, rows};
use crate::{Error, ErrorKind, Result};

/// Brings the files into the catalog. Rows that others stored meanwhile are taken out first.
pub(super) fn commit(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    outcome: Outcome,
    wanted: &Wanted,
) -> Result<IngestReport> {
    let Outcome {
        mut report,
        mut files,
        mut rejects,
        ids,
        reject_ids,
    } = outcome;
    if files.files.is_empty() && rejects.files.is_empty() {
        return Ok(report);
    }
    let mut ids = Some(ids);
    let mut handled: HashSet<u128> = HashSet::new();
    loop {
        let Some(pending) = ids.take() else {
            return Err(Error::internal("an ingest lost its ids"));
        };
        let (new_files, new_rejects, known) =
            (files.files.clone(), rejects.files.clone(), handled.clone());
        let wanted = wanted.clone();
        let (pending, conflicts, snapshot) = wait(writer.run(move |w| {
            w.load_ids()?;
            // From here on there is no way back.
            wanted.check()?;
            let mut pending = Some(pending);
            let (conflicts, snapshot) = {
                let pending = &pending;
                w.transaction(|w| {
                    w.sync_ids()?;
                    let conflicts = pending
                        .as_ref()
                        .map_or(Ok(Vec::new()), Pending::conflicts)?;
                    let open: Vec<u128> = conflicts
                        .into_iter()
                        .filter(|c| !known.contains(c))
                        .collect();
                    if !open.is_empty() {
                        return Ok((open, None));
                    }
                    let mut commit = Commit::begin(&w.conn, w.shared.clock.now_us())?
                        .describe(Some("aura"), Some("ingest"));
                    for file in &new_files {
                        commit.add_file(w.shared.events_table, file)?;
                    }
                    for file in &new_rejects {
                        commit.add_file(w.shared.quarantine_table, file)?;
                    }
                    Ok((open, Some(commit.finish()?)))
                })?
            };
            if let Some(snapshot) = &snapshot {
                w.committed(snapshot);
                if let Some(pending) = pending.take() {
                    pending.commit();
                }
            }
            Ok((pending, conflicts, snapshot.map(|s| s.id)))
        })?)?;
        if snapshot.is_some() {
            files.keep();
            rejects.keep();
            if let Some(ids) = reject_ids {
                ids.commit();
            }
            report.snapshot = snapshot;
            return Ok(report);
        }
        handled.extend(conflicts);
        let removed = remove_rows(shared, &mut files, &handled)?;
        report.accepted -= removed;
        report.duplicate += removed;
        ids = pending;
    }
}

/// Rewrites files without the rows whose id hash is in `drop`. Returns how many rows went.
fn remove_rows(shared: &Shared, files: &mut Uncommitted, drop: &HashSet<u128>) -> Result<u64> {
    let mut removed = 0;
    let mut rewritten = Uncommitted::new(&shared.events, Vec::new());
    let schema = rows::storage_schema(&shared.read(|conn| shared.columns(conn))?);
    for file in &files.files {
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(shared.events.open(&file.path)?)?.build()?;
        let mut kept = Vec::new();
        let mut here = 0;
        for batch in reader {
            let batch = rows::conform(&batch?, &schema)?;
            let ids = batch
                .column_by_name(EVENT_ID)
                .ok_or_else(|| Error::new(ErrorKind::Internal, "a file has no event ids"))?;
            let hashes = shared.hasher.hash_all(ids.as_string::<i32>());
            let keep: arrow::array::BooleanArray =
                hashes.iter().map(|h| Some(!drop.contains(h))).collect();
            here += keep.false_count() as u64;
            kept.push(arrow::compute::filter_record_batch(&batch, &keep)?);
        }
        removed += here;
        if here == 0 {
            rewritten.files.push(file.clone());
            continue;
        }
        let batch = arrow::compute::concat_batches(&schema, &kept)?;
        if batch.num_rows() > 0 {
            rewritten.files.push(rewrite(shared, file, &batch)?);
        }
    }
    let mut old = std::mem::replace(files, rewritten);
    // The files that stay are in both lists: only the replaced ones are deleted.
    let staying: HashSet<String> = files.files.iter().map(|f| f.path.clone()).collect();
    old.files.retain(|f| !staying.contains(&f.path));
    Ok(removed)
}

fn rewrite(shared: &Shared, file: &WrittenFile, batch: &RecordBatch) -> Result<WrittenFile> {
    let encoder = Arc::new(EventEncoder::like(&batch.schema(), Profile::Ingest, batch)?);
    let path = match file.path.rsplit_once('/') {
        Some((dir, _)) => format!("{dir}/{}.parquet", (shared.new_uuid)()),
        None => format!("{}.parquet", (shared.new_uuid)()),
    };
    let mut writer = EventWriter::create(
        &shared.events,
        &path,
        file.partition_values.clone(),
        encoder,
    )?;
    let mut at = 0;
    while at < batch.num_rows() {
        let rows = GROUP_ROWS.min(batch.num_rows() - at);
        writer.write(&batch.slice(at, rows))?;
        at += rows;
    }
    writer.finish()
}
