//! Compaction: the rows of one partition become files sorted by (actor, time, event_id).
//!
//! The rows are first divided into buckets by a hash of the actor, so that all events of an actor
//! are in one file and no bucket outgrows memory; then each bucket is sorted and written. The bytes
//! written depend on the rows alone: not on their order, on the files they came from, on the number
//! of threads or on the memory allowed.

mod bucket;
mod erase;
mod gather;
mod input;
mod order;
#[cfg(test)]
mod tests;
mod text;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use uuid::Uuid;

use super::catalog::file::WrittenFile;
use super::files::FileStore;
use super::parquet_out::{EventEncoder, EventWriter, Profile};
use super::partition::Partition;
use crate::event::{ACTOR, EVENT_ID, TIME};
use crate::ingest::CancelToken;
use crate::{Error, Result};
use bucket::{Buckets, Chunk, Slot};
pub(crate) use bucket::{bucket_name, bucket_of_actor, bucket_of_path};
pub(crate) use erase::{Erased, contains_actor, rewrite_without_actor};
pub(crate) use input::CompactInput;
use input::Source;

/// Most buckets that a partition is divided into.
const MAX_BUCKETS: u64 = 256;

/// What sorting and writing a bucket takes beside one and a half times its rows: one row group
/// uncompressed and in pages.
const WORK_BYTES: u64 = 48 << 20;

/// Settings of a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompactOptions {
    /// A file gets at most about this many rows, as long as 256 buckets suffice for it.
    pub(crate) target_rows_per_file: u64,
    /// Bytes of memory that are about enough: rows wait in a scratch file when they do not fit, and
    /// fewer buckets are sorted at once. One bucket at least must fit.
    pub(crate) memory_budget_bytes: u64,
    /// Threads that work at once.
    pub(crate) threads: usize,
}

impl Default for CompactOptions {
    fn default() -> Self {
        CompactOptions {
            target_rows_per_file: 2_000_000,
            memory_budget_bytes: 512 << 20,
            threads: 2,
        }
    }
}

/// Where the columns that order the rows are.
#[derive(Debug, Clone, Copy)]
struct Roles {
    event_id: usize,
    actor: usize,
    time: usize,
}

impl Roles {
    fn of(schema: &SchemaRef) -> Result<Self> {
        Ok(Roles {
            event_id: schema.index_of(EVENT_ID)?,
            actor: schema.index_of(ACTOR)?,
            time: schema.index_of(TIME)?,
        })
    }
}

/// Rewrites the rows of `inputs`, which all lie in `partition`, as files sorted by
/// (actor, time, event_id), one for each bucket that has rows, in the order of the buckets.
///
/// Columns are matched by id; a column of `schema` that an input lacks is null there, and columns
/// that `schema` lacks are left out. `new_name` names the files. On an error no file is left.
///
/// # Errors
/// `Cancelled`; `InvalidData` if an input cannot be read, or has a null where `schema` allows none;
/// `ResourceExhausted` when the disk is full.
pub(crate) fn compact(
    inputs: Vec<CompactInput>,
    schema: &SchemaRef,
    partition: &Partition,
    options: &CompactOptions,
    files: &FileStore,
    new_name: &mut (dyn FnMut() -> Uuid + Send),
    cancel: &CancelToken,
) -> Result<Vec<WrittenFile>> {
    let roles = Roles::of(schema)?;
    let source = Source::open(inputs, schema, files)?;
    let bits = bucket_bits(source.rows(), options.target_rows_per_file);
    let threads = options.threads.max(1);

    let buckets = Buckets::new(
        bits,
        // The rest is for the buckets that are being sorted.
        options.memory_budget_bytes / 4,
        files,
        Mutex::new(&mut *new_name),
    );
    let batch_rows = (4_096_usize << bits).clamp(65_536, 524_288);
    in_parallel(threads, source.tasks(), cancel, |task| {
        source.read(task, batch_rows, &mut |columns, rows| {
            cancel.check()?;
            buckets.scatter(Chunk::new(columns, rows), roles.actor)
        })
    })?;

    let (scratch, slots) = buckets.finish();
    let largest = slots.iter().map(|s| s.total_bytes).max().unwrap_or(0);
    let mut jobs: Vec<(usize, Job)> = slots
        .into_iter()
        .enumerate()
        .filter(|(_, slot)| slot.rows > 0)
        .map(|(i, slot)| (partition.named(&bucket_name(i, bits, new_name())), slot))
        .map(|(path, slot)| Job { path, slot })
        .enumerate()
        .collect();
    // The largest goes first: a few actors may have most of the events, and nothing should wait for
    // their bucket at the end.
    jobs.sort_by_key(|(_, job)| std::cmp::Reverse(job.slot.rows));
    let jobs: Vec<_> = jobs.into_iter().map(|j| Mutex::new(Some(j))).collect();
    let at_once = options.memory_budget_bytes / (largest + largest / 2 + WORK_BYTES);
    let workers = threads
        .min(jobs.len())
        .min(usize::try_from(at_once).unwrap_or(usize::MAX))
        .max(1);
    let crew = Crew {
        threads,
        busy: AtomicUsize::new(0),
    };
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let outcome = in_parallel(workers, jobs.len(), cancel, |turn| {
        let taken = jobs
            .get(turn)
            .and_then(|job| job.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some((i, job)) = taken else {
            return Ok(());
        };
        crew.busy.fetch_add(1, Ordering::Relaxed);
        let chunks = job.slot.load(scratch.as_ref())?;
        let file = write_bucket(
            chunks, schema, roles, files, &job.path, partition, &crew, cancel,
        )?;
        crew.busy.fetch_sub(1, Ordering::Relaxed);
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push((i, file));
        Ok(())
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(i, _)| *i);
    let written: Vec<WrittenFile> = done.into_iter().map(|(_, file)| file).collect();
    if let Err(e) = outcome {
        for file in &written {
            // What cannot be deleted now is found as an orphan later.
            let _ = files.delete(&file.path);
        }
        return Err(e);
    }
    Ok(written)
}

/// A bucket to be written.
struct Job {
    path: String,
    slot: Slot,
}

/// The threads of a compaction. Those without a bucket of their own help the others.
struct Crew {
    threads: usize,
    /// Buckets that are being written.
    busy: AtomicUsize,
}

impl Crew {
    /// Returns how many threads a bucket may use now, at least 1.
    fn free(&self) -> usize {
        let busy = self.busy.load(Ordering::Relaxed);
        self.threads.div_ceil(busy.max(1))
    }
}

/// Returns how many bits of the hash choose the bucket.
fn bucket_bits(rows: u64, target_rows: u64) -> u32 {
    rows.div_ceil(target_rows.max(1))
        .clamp(1, MAX_BUCKETS)
        .next_power_of_two()
        .trailing_zeros()
}

#[allow(clippy::too_many_arguments)] // the pieces of one job, used once
fn write_bucket(
    mut chunks: Vec<Chunk>,
    schema: &SchemaRef,
    roles: Roles,
    files: &FileStore,
    path: &str,
    partition: &Partition,
    crew: &Crew,
    cancel: &CancelToken,
) -> Result<WrittenFile> {
    let sorted = order::sort(&chunks, roles)?;
    for chunk in &mut chunks {
        chunk.take(roles.actor);
        chunk.take(roles.time);
    }
    cancel.check()?;
    let columns = gather::Columns::prepare(chunks, schema, roles, crew.free(), cancel)?;
    let encoder = Arc::new(EventEncoder::new(
        schema,
        Profile::Compacted,
        &columns.dictionaries(),
    )?);
    let mut writer = EventWriter::create(files, path, partition.values(), Arc::clone(&encoder))?;
    let cuts = sorted.row_groups();
    let mut rest = cuts.as_slice();
    while let Some((wave, later)) = rest.split_at_checked(crew.free().min(rest.len()))
        && !wave.is_empty()
    {
        rest = later;
        cancel.check()?;
        let encode = |cut: &order::Cut| {
            let batch = RecordBatch::try_new(columns.schema(), columns.gather(&sorted, cut)?)?;
            encoder.encode(&[batch])
        };
        if let [cut] = wave {
            writer.append(encode(cut)?)?;
            continue;
        }
        let groups = std::thread::scope(|scope| {
            let running: Vec<_> = wave.iter().map(|cut| scope.spawn(|| encode(cut))).collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(panicked())))
                .collect::<Result<Vec<_>>>()
        })?;
        for group in groups {
            writer.append(group)?;
        }
    }
    writer.finish()
}

fn panicked() -> Error {
    Error::internal("a thread of the compaction panicked")
}

/// Calls `work` with 0 to `tasks` − 1 from `threads` threads, and stops at the first error.
fn in_parallel(
    threads: usize,
    tasks: usize,
    cancel: &CancelToken,
    work: impl Fn(usize) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let run = || {
        while !failed.load(Ordering::Relaxed) {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            if let Err(e) = cancel.check().and_then(|()| work(task)) {
                failed.store(true, Ordering::Relaxed);
                return Err(e);
            }
        }
        Ok(())
    };
    let threads = threads.min(tasks);
    if threads <= 1 {
        return run();
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(panicked())))
            .fold(Ok(()), Result::and)
    })
}
