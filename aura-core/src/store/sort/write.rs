//! The course of a compaction: rows into buckets, buckets into files.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use uuid::Uuid;

use super::bucket::{Buckets, Chunk, Slot, bucket_name, bucket_of_actor};
use super::gather::Columns;
use super::input::Source;
use super::large::{Ranges, Waiting};
use super::order::{self, Sorted};
use super::{CompactOptions, Roles, in_parallel, panicked};
use crate::ingest::CancelToken;
use crate::store::catalog::file::WrittenFile;
use crate::store::files::{FileStore, Scratch};
use crate::store::parquet_out::{EventEncoder, EventWriter, Profile};
use crate::store::partition::Partition;
use crate::{Error, Result};

/// What sorting and writing takes beside twice the rows: a row group for each of two threads, as
/// arrays and as pages.
const WORK_BYTES: u64 = 64 << 20;

/// What all steps of one compaction share.
pub(super) struct Compaction<'a> {
    pub(super) schema: &'a SchemaRef,
    pub(super) roles: Roles,
    pub(super) partition: &'a Partition,
    pub(super) options: &'a CompactOptions,
    pub(super) files: &'a FileStore,
    pub(super) names: Mutex<&'a mut (dyn FnMut() -> Uuid + Send)>,
    pub(super) cancel: &'a CancelToken,
    /// Buckets that are being written now.
    pub(super) busy: AtomicUsize,
}

/// A bucket to be written.
struct Job {
    path: String,
    slot: Slot,
}

type Scratched = Option<Arc<Scratch>>;

impl Compaction<'_> {
    /// Reads all rows into 2^`bits` buckets.
    pub(super) fn read(&self, source: &Source, bits: u32) -> Result<(Scratched, Vec<Slot>)> {
        let buckets = self.buckets(1 << bits);
        let batch_rows = (4_096_usize << bits).clamp(65_536, 524_288);
        in_parallel(self.threads(), source.tasks(), self.cancel, |task| {
            source.read(task, batch_rows, &mut |columns, rows| {
                self.cancel.check()?;
                let actors = columns.get(self.roles.actor).cloned();
                let actors = actors
                    .as_ref()
                    .and_then(|c| c.as_string_opt::<i32>())
                    .ok_or_else(|| Error::internal("the actor column of a chunk is not text"))?;
                buckets.scatter(Chunk::new(columns, rows), |row| {
                    bucket_of_actor(actors.value(row), bits)
                })
            })
        })?;
        Ok(buckets.finish())
    }

    /// Writes one file for each bucket that has rows. On an error no file is left.
    pub(super) fn write(
        &self,
        slots: Vec<Slot>,
        scratch: Option<&Arc<Scratch>>,
        bits: u32,
    ) -> Result<Vec<WrittenFile>> {
        let mut jobs: Vec<(usize, Job)> = Vec::new();
        for (bucket, slot) in slots.into_iter().enumerate() {
            if slot.rows > 0 {
                let name = bucket_name(bucket, bits, self.new_name());
                let path = self.partition.named(&name);
                jobs.push((bucket, Job { path, slot }));
            }
        }
        // The largest goes first: a few actors may have most of the events, and nothing should wait
        // for their bucket at the end.
        jobs.sort_by_key(|(_, job)| Reverse(job.slot.total_bytes));
        let too_large = jobs.partition_point(|(_, job)| self.is_too_large(&job.slot));
        let largest = jobs.get(too_large).map_or(0, |(_, j)| j.slot.total_bytes);
        let at_once = self.room() / work_bytes(largest);
        let workers = self
            .threads()
            .min(usize::try_from(at_once).unwrap_or(usize::MAX))
            .max(1);
        let jobs: Vec<_> = jobs.into_iter().map(|j| Mutex::new(Some(j))).collect();
        let done = Mutex::new(Vec::with_capacity(jobs.len()));
        let run = |turn: usize| {
            let taken = jobs
                .get(turn)
                .and_then(|job| job.lock().unwrap_or_else(PoisonError::into_inner).take());
            if let Some((bucket, job)) = taken {
                self.busy.fetch_add(1, Ordering::Relaxed);
                let file = self.write_bucket(job, scratch)?;
                self.busy.fetch_sub(1, Ordering::Relaxed);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push((bucket, file));
            }
            Ok(())
        };
        // Each that is too large takes all the room there is.
        let outcome = in_parallel(1, too_large, self.cancel, run).and_then(|()| {
            in_parallel(workers, jobs.len() - too_large, self.cancel, |turn| {
                run(too_large + turn)
            })
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(bucket, _)| *bucket);
        let written: Vec<WrittenFile> = done.into_iter().map(|(_, file)| file).collect();
        if let Err(e) = outcome {
            for file in &written {
                // What cannot be deleted now is found as an orphan later.
                let _ = self.files.delete(&file.path);
            }
            return Err(e);
        }
        Ok(written)
    }

    fn write_bucket(&self, job: Job, scratch: Option<&Arc<Scratch>>) -> Result<WrittenFile> {
        let Job { path, slot } = job;
        if self.is_too_large(&slot) {
            return self.write_large(&path, slot, scratch);
        }
        let (sorted, columns) = self.sort(slot.load(scratch)?, None)?;
        let encoder = self.encoder(&columns.dictionaries())?;
        let mut writer = self.create(&path, &encoder)?;
        self.append(
            &mut writer,
            &encoder,
            &sorted,
            &columns,
            &sorted.row_groups(self.row_group_rows()),
        )?;
        writer.finish()
    }

    /// Writes a bucket that does not fit into memory, a range of row groups at a time.
    fn write_large(
        &self,
        path: &str,
        slot: Slot,
        scratch: Option<&Arc<Scratch>>,
    ) -> Result<WrittenFile> {
        let room = self.room();
        let range_bytes = room.saturating_sub(WORK_BYTES).max(room / 4) / 2;
        let waiting = Waiting {
            slot: &slot,
            scratch,
            cancel: self.cancel,
        };
        let most_rows = self.row_group_rows();
        let ranges = Ranges::plan(&waiting, self.schema, self.roles, range_bytes, most_rows)?;
        let divided = self.buckets(ranges.row_groups.len());
        ranges.divide(&waiting, self.roles, &divided, self.helpers())?;
        drop(slot);
        let (scratch, slots) = divided.finish();
        let encoder = self.encoder(&ranges.dictionaries)?;
        let mut writer = self.create(path, &encoder)?;
        for (slot, groups) in slots.into_iter().zip(&ranges.row_groups) {
            let chunks = slot.load(scratch.as_ref())?;
            let (sorted, columns) = self.sort(chunks, Some(&ranges.dictionaries))?;
            self.append(&mut writer, &encoder, &sorted, &columns, groups)?;
        }
        writer.finish()
    }

    fn sort(
        &self,
        mut chunks: Vec<Chunk>,
        dictionaries: Option<&[bool]>,
    ) -> Result<(Sorted, Columns)> {
        let sorted = order::sort(&chunks, self.roles)?;
        for chunk in &mut chunks {
            chunk.take(self.roles.actor);
            chunk.take(self.roles.time);
        }
        self.cancel.check()?;
        let columns = Columns::prepare(
            chunks,
            self.schema,
            self.roles,
            dictionaries,
            self.helpers(),
            self.cancel,
        )?;
        Ok((sorted, columns))
    }

    /// Encodes row groups, as many at once as threads are free, and appends them in order.
    fn append(
        &self,
        writer: &mut EventWriter,
        encoder: &EventEncoder,
        sorted: &Sorted,
        columns: &Columns,
        groups: &[Range<usize>],
    ) -> Result<()> {
        let encode = |group: &Range<usize>| {
            let cut = sorted.cut(group.clone());
            let batch = RecordBatch::try_new(columns.schema(), columns.gather(sorted, &cut)?)?;
            encoder.encode(&[batch])
        };
        let mut rest = groups;
        while let Some((wave, later)) = rest.split_at_checked(self.helpers().min(rest.len()))
            && !wave.is_empty()
        {
            rest = later;
            self.cancel.check()?;
            if let [group] = wave {
                writer.append(encode(group)?)?;
                continue;
            }
            let encoded = std::thread::scope(|scope| {
                let running: Vec<_> = wave.iter().map(|g| scope.spawn(|| encode(g))).collect();
                running
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or_else(|_| Err(panicked())))
                    .collect::<Result<Vec<_>>>()
            })?;
            for group in encoded {
                writer.append(group)?;
            }
        }
        Ok(())
    }

    fn buckets(&self, count: usize) -> Buckets<'_> {
        // Twice this waits when a bucket that is too large is divided.
        let limit = self.options.memory_budget_bytes / 8;
        Buckets::new(count, limit, || self.files.scratch(self.new_name()))
    }

    fn encoder(&self, dictionaries: &[bool]) -> Result<Arc<EventEncoder>> {
        let encoder = EventEncoder::new(self.schema, Profile::Compacted, dictionaries)?;
        Ok(Arc::new(encoder))
    }

    fn create(&self, path: &str, encoder: &Arc<EventEncoder>) -> Result<EventWriter> {
        let values = self.partition.values();
        EventWriter::create(self.files, path, values, Arc::clone(encoder))
    }

    fn new_name(&self) -> Uuid {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        (*names)()
    }

    fn threads(&self) -> usize {
        self.options.threads.max(1)
    }

    /// Returns the memory for what is being sorted.
    fn room(&self) -> u64 {
        self.options.memory_budget_bytes / 4 * 3
    }

    fn is_too_large(&self, slot: &Slot) -> bool {
        work_bytes(slot.total_bytes) > self.room()
    }

    fn row_group_rows(&self) -> usize {
        self.options.row_group_rows.max(1)
    }

    /// Returns how many threads a bucket may use now: those without a bucket help the others.
    fn helpers(&self) -> usize {
        let busy = self.busy.load(Ordering::Relaxed);
        self.threads().div_ceil(busy.max(1))
    }
}

/// Returns about how much memory it takes to sort and write rows of this size.
fn work_bytes(rows_bytes: u64) -> u64 {
    2 * rows_bytes + WORK_BYTES
}
