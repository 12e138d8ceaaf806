//! Rewriting partitions as sorted runs.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::Connection;

use super::{CompactReport, retry};
use crate::Result;
use crate::ingest::CancelToken;
use crate::store::catalog::commit::Commit;
use crate::store::catalog::read::DataFile;
use crate::store::catalog::value::parse_timestamp_us;
use crate::store::flush::Uncommitted;
use crate::store::partition::Partition;
use crate::store::read::{current, deleted_rows};
use crate::store::sort::{CompactInput, CompactOptions, bucket_of_path, compact};
use crate::store::writer::{WriterHandle, wait};
use crate::store::{PartitionGrain, Shared, rows};

/// The files of one partition.
pub(super) struct Group<'a> {
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

pub(super) fn needs_any(group: &Group<'_>, _: usize) -> bool {
    group.loose().next().is_some() || group.several_runs()
}

/// Loose rows are merged when there are many files of them and they are a fair share of the
/// partition, so that a row is rewritten a logarithmic number of times.
pub(super) fn needs_soon(group: &Group<'_>, files: usize) -> bool {
    let loose: u64 = group.loose().map(|f| f.record_count).sum();
    let all: u64 = group.files.iter().map(|f| f.record_count).sum();
    group.loose().count() >= files && loose * 4 >= all - loose
}

pub(super) fn compact_partitions(
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
        Some(time) if divided => shared.partition.of(time),
        _ => PartitionGrain::None.of(0),
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
