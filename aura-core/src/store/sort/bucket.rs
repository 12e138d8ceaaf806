//! Dividing rows into buckets by a hash of their actor, in memory or in a scratch file.

use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, NullArray, RecordBatch, RecordBatchOptions, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::store::files::{Scratch, ScratchRange};
use crate::{Error, Result};

/// Seed of the hash that divides actors into buckets: the letters `AURA`. Part of the format.
const SEED: u64 = 0x4155_5241;

/// Returns the bucket of an actor among 2^`bits`: the top bits of XXH3-64 with a fixed seed.
///
/// With one bit less, buckets 2n and 2n + 1 become bucket n.
pub(crate) fn bucket_of_actor(actor: &str, bits: u32) -> usize {
    xxh3_64_with_seed(actor.as_bytes(), SEED)
        .checked_shr(64 - bits)
        .map_or(0, |bucket| bucket as usize)
}

/// Returns the file name of a bucket, for example `bucket-3-of-4-<uuid>.parquet`.
pub(crate) fn bucket_name(bucket: usize, bits: u32, name: Uuid) -> String {
    format!("bucket-{bucket}-of-{}-{name}.parquet", 1_u64 << bits)
}

/// Returns the bucket and the bits that the path of a file tells, if it is a compacted one.
pub(crate) fn bucket_of_path(path: &str) -> Option<(usize, u32)> {
    let name = path.rsplit('/').next()?.strip_prefix("bucket-")?;
    let (bucket, rest) = name.split_once("-of-")?;
    let (count, _) = rest.split_once('-')?;
    let (bucket, count): (usize, usize) = (bucket.parse().ok()?, count.parse().ok()?);
    (count.is_power_of_two() && bucket < count).then(|| (bucket, count.trailing_zeros()))
}

/// Some rows: one array for each column of the target schema. Text may be dictionary-encoded, and a
/// column without any value is a `NullArray`.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: usize,
}

impl Chunk {
    pub(super) fn new(columns: Vec<ArrayRef>, rows: usize) -> Self {
        Chunk { columns, rows }
    }

    /// Takes a column out, and leaves nulls in its place.
    pub(super) fn take(&mut self, column: usize) -> ArrayRef {
        let nulls: ArrayRef = Arc::new(NullArray::new(self.rows));
        match self.columns.get_mut(column) {
            Some(place) => std::mem::replace(place, nulls),
            None => nulls,
        }
    }

    /// Returns about how many bytes the rows take. Dictionaries are shared and small.
    fn bytes(&self) -> u64 {
        self.columns
            .iter()
            .map(|c| {
                let nulls = if c.nulls().is_some() {
                    self.rows / 8
                } else {
                    0
                };
                let values = match c.data_type() {
                    DataType::Null => 0,
                    DataType::Utf8 => c.as_string_opt::<i32>().map_or(0, |s| {
                        let offsets = s.value_offsets();
                        let (a, b) = (offsets.first(), offsets.last());
                        4 * self.rows
                            + a.zip(b)
                                .map_or(0, |(a, b)| usize::try_from(b - a).unwrap_or(0))
                    }),
                    DataType::Boolean => self.rows / 8,
                    DataType::Dictionary(..) | DataType::Date32 => 4 * self.rows,
                    _ => 8 * self.rows,
                };
                (values + nulls) as u64
            })
            .sum()
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let columns: Vec<ArrayRef> = self
            .columns
            .iter()
            .map(|c| self.plain_if_small(c))
            .collect::<Result<_>>()?;
        let fields: Vec<Field> = columns
            .iter()
            .map(|c| Field::new("", c.data_type().clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new_with_options(
            Arc::clone(&schema),
            columns,
            &RecordBatchOptions::new().with_row_count(Some(self.rows)),
        )?;
        let options =
            IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options)?;
        writer.write(&batch)?;
        Ok(writer.into_inner()?)
    }

    /// A dictionary is written with every chunk: one that is larger than the chunk costs more than
    /// the text.
    fn plain_if_small(&self, column: &ArrayRef) -> Result<ArrayRef> {
        match column.as_dictionary_opt::<Int32Type>() {
            Some(codes) if codes.values().len() * 4 > self.rows => {
                Ok(take(codes.values(), codes.keys(), None)?)
            }
            _ => Ok(Arc::clone(column)),
        }
    }
}

/// Where the rows of each bucket wait.
pub(super) struct Buckets<'a> {
    slots: Vec<Mutex<Slot>>,
    /// Bytes in memory, over all buckets.
    buffered: AtomicU64,
    limit: u64,
    make_scratch: Box<dyn Fn() -> Result<Scratch> + Sync + 'a>,
    scratch: Mutex<Option<Arc<Scratch>>>,
}

/// The rows of one bucket.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) rows: u64,
    /// Bytes of all rows, wherever they wait.
    pub(super) total_bytes: u64,
    chunks: Vec<Chunk>,
    /// Bytes of `chunks`.
    bytes: u64,
    spilled: Vec<ScratchRange>,
}

impl<'a> Buckets<'a> {
    /// Makes `count` buckets, of which `limit` bytes may wait in memory.
    pub(super) fn new(
        count: usize,
        limit: u64,
        make_scratch: impl Fn() -> Result<Scratch> + Sync + 'a,
    ) -> Self {
        Buckets {
            slots: (0..count).map(|_| Mutex::default()).collect(),
            buffered: AtomicU64::new(0),
            limit,
            make_scratch: Box::new(make_scratch),
            scratch: Mutex::new(None),
        }
    }

    /// Adds each row of a chunk to the bucket that `bucket_of` gives it; may be called from many
    /// threads.
    pub(super) fn scatter(&self, chunk: Chunk, bucket_of: impl Fn(usize) -> usize) -> Result<()> {
        if self.slots.len() == 1 {
            return self.push(0, chunk);
        }
        let mut rows_of: Vec<Vec<u32>> = Vec::new();
        let expected = chunk.rows / self.slots.len() * 5 / 4;
        rows_of.resize_with(self.slots.len(), || Vec::with_capacity(expected));
        for row in 0..chunk.rows {
            if let Some(rows) = rows_of.get_mut(bucket_of(row)) {
                rows.push(row as u32);
            }
        }
        for (bucket, rows) in rows_of.into_iter().enumerate() {
            if rows.is_empty() {
                continue;
            }
            let rows = UInt32Array::from(rows);
            let columns = chunk
                .columns
                .iter()
                .map(|c| take(c, &rows, None))
                .collect::<Result<_, _>>()?;
            self.push(bucket, Chunk::new(columns, rows.len()))?;
        }
        Ok(())
    }

    fn push(&self, bucket: usize, chunk: Chunk) -> Result<()> {
        let Some(slot) = self.slots.get(bucket) else {
            return Ok(());
        };
        let bytes = chunk.bytes();
        // Counted before another thread can see the chunk, spill it and take it off the count.
        let buffered = self.buffered.fetch_add(bytes, Ordering::Relaxed) + bytes;
        {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.rows += chunk.rows as u64;
            slot.bytes += bytes;
            slot.total_bytes += bytes;
            slot.chunks.push(chunk);
        }
        if buffered > self.limit {
            self.spill_largest()?;
        }
        Ok(())
    }

    /// Moves the bucket that holds the most memory to the scratch file.
    fn spill_largest(&self) -> Result<()> {
        let bytes_of =
            |slot: &Mutex<Slot>| slot.lock().unwrap_or_else(PoisonError::into_inner).bytes;
        let Some(slot) = self.slots.iter().max_by_key(|slot| bytes_of(slot)) else {
            return Ok(());
        };
        let (chunks, bytes) = {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            (
                std::mem::take(&mut slot.chunks),
                std::mem::take(&mut slot.bytes),
            )
        };
        self.buffered.fetch_sub(bytes, Ordering::Relaxed);
        let scratch = self.scratch()?;
        for chunk in chunks {
            let range = scratch.append(chunk.encode()?)?;
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.spilled.push(range);
        }
        Ok(())
    }

    fn scratch(&self) -> Result<Arc<Scratch>> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scratch) = &*scratch {
            return Ok(Arc::clone(scratch));
        }
        let made = Arc::new((self.make_scratch)()?);
        *scratch = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Returns the scratch file, if there is one, and the rows of each bucket.
    pub(super) fn finish(self) -> (Option<Arc<Scratch>>, Vec<Slot>) {
        let unlocked =
            |slot: Mutex<Slot>| slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        (
            self.scratch
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            self.slots.into_iter().map(unlocked).collect(),
        )
    }
}

impl Slot {
    /// Brings all rows into memory.
    pub(super) fn load(mut self, scratch: Option<&Arc<Scratch>>) -> Result<Vec<Chunk>> {
        for range in self.spilled {
            decode(range, None, scratch, &mut |chunk| {
                self.chunks.push(chunk);
                Ok(())
            })?;
        }
        Ok(self.chunks)
    }

    /// Returns the number of pieces that [`piece`](Self::piece) gives.
    pub(super) fn pieces(&self) -> usize {
        self.chunks.len() + self.spilled.len()
    }

    /// Passes over the rows of one piece, of which only `columns` are read if they are given.
    pub(super) fn piece(
        &self,
        piece: usize,
        columns: Option<&[usize]>,
        scratch: Option<&Arc<Scratch>>,
        work: &mut dyn FnMut(Chunk) -> Result<()>,
    ) -> Result<()> {
        if let Some(chunk) = self.chunks.get(piece) {
            let Some(columns) = columns else {
                return work(chunk.clone());
            };
            let taken = columns.iter().filter_map(|&i| chunk.columns.get(i));
            return work(Chunk::new(taken.cloned().collect(), chunk.rows));
        }
        match self.spilled.get(piece - self.chunks.len()) {
            Some(&range) => decode(range, columns, scratch, work),
            None => Ok(()),
        }
    }
}

fn decode(
    range: ScratchRange,
    columns: Option<&[usize]>,
    scratch: Option<&Arc<Scratch>>,
    work: &mut dyn FnMut(Chunk) -> Result<()>,
) -> Result<()> {
    let scratch = scratch
        .ok_or_else(|| Error::internal("rows were spilled, but there is no scratch file"))?;
    let bytes = Cursor::new(scratch.read(range)?);
    for batch in StreamReader::try_new(bytes, columns.map(<[usize]>::to_vec))? {
        let batch = batch?;
        work(Chunk::new(batch.columns().to_vec(), batch.num_rows()))?;
    }
    Ok(())
}
