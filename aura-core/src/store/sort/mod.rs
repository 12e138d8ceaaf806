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
mod large;
mod order;
#[cfg(test)]
mod tests;
mod text;
mod write;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::datatypes::SchemaRef;
use uuid::Uuid;

use super::catalog::file::WrittenFile;
use super::files::FileStore;
use super::parquet_out::ROW_GROUP_ROWS;
use super::partition::Partition;
use crate::event::{ACTOR, EVENT_ID, TIME};
use crate::ingest::CancelToken;
use crate::{Error, Result};
pub(crate) use bucket::{bucket_name, bucket_of_actor, bucket_of_path};
#[cfg(test)]
use erase::contains_actor;
pub(crate) use erase::{Erased, rewrite_without_actor};
pub(crate) use input::CompactInput;
use input::Source;
pub(crate) use text::Interner;
use write::Compaction;

/// Most buckets that a partition is divided into.
const MAX_BUCKETS: u64 = 256;

/// Settings of a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompactOptions {
    /// A file gets at most about this many rows, as long as 256 buckets suffice for it.
    pub(crate) target_rows_per_file: u64,
    /// Bytes of memory that are about enough: rows wait in a scratch file when they do not fit, and
    /// fewer buckets are sorted at once, or one in parts.
    pub(crate) memory_budget_bytes: u64,
    /// A row group gets about this many rows at most.
    pub(crate) row_group_rows: usize,
    /// Threads that work at once.
    pub(crate) threads: usize,
}

impl Default for CompactOptions {
    fn default() -> Self {
        CompactOptions {
            target_rows_per_file: 2_000_000,
            memory_budget_bytes: 512 << 20,
            row_group_rows: ROW_GROUP_ROWS,
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
    let source = Source::open(inputs, schema, files)?;
    let bits = bucket_bits(source.rows(), options.target_rows_per_file);
    let compaction = Compaction {
        schema,
        roles: Roles::of(schema)?,
        partition,
        options,
        files,
        names: Mutex::new(new_name),
        cancel,
        busy: AtomicUsize::new(0),
    };
    let (scratch, slots) = compaction.read(&source, bits)?;
    compaction.write(slots, scratch.as_ref(), bits)
}

/// Returns how many bits of the hash choose the bucket.
fn bucket_bits(rows: u64, target_rows: u64) -> u32 {
    rows.div_ceil(target_rows.max(1))
        .clamp(1, MAX_BUCKETS)
        .next_power_of_two()
        .trailing_zeros()
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
