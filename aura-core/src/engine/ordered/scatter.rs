//! Dividing rows into buckets by a hash of their actor.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::ScalarBuffer;
use datafusion::execution::SpillFile;
use datafusion::execution::disk_manager::DiskManager;

use super::input::{Input, Piece};
use super::keys::{Keys, mix};
use super::plan::Plan;
use super::recent::Recent;
use super::stage::{Stage, Staged};
use super::workers::share_out;
use super::{Column, Kernel, RowBlock, spill};
use crate::ingest::CancelToken;
use crate::store::files::{Scratch, ScratchRange};
use crate::{Error, Result};

const MOST_BITS: u32 = 12;
/// Bits when the number of rows is not known.
const UNKNOWN_BITS: u32 = 8;

/// Rows of one bucket.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) keys: ScalarBuffer<i128>,
    pub(super) times: ScalarBuffer<i64>,
    /// The columns of [`Plan::out`].
    pub(super) columns: Vec<Column>,
}

/// A batch in the order of its buckets.
struct Part {
    /// Piece and number within it: the order of the source.
    at: (usize, usize),
    all: Slice,
    /// The rows of bucket b are `starts[b]..starts[b + 1]`.
    starts: Vec<u32>,
}

impl Part {
    fn slice(&self, bucket: usize) -> Option<Slice> {
        let (&start, &end) = self.starts.get(bucket).zip(self.starts.get(bucket + 1))?;
        let (start, end) = (start as usize, end as usize);
        (start < end).then(|| Slice {
            keys: self.all.keys.slice(start, end - start),
            times: self.all.times.slice(start, end - start),
            columns: self
                .all
                .columns
                .iter()
                .map(|c| c.slice(&(start..end)))
                .collect(),
        })
    }

    fn bytes(&self) -> usize {
        let of = |column: &Column| match column {
            Column::Codes { codes, .. } => 4 * codes.len(),
            Column::Values(values) => values.get_array_memory_size(),
        };
        24 * self.all.times.len() + self.all.columns.iter().map(of).sum::<usize>()
    }
}

/// All rows, divided.
pub(super) struct Scattered {
    parts: Vec<Part>,
    spilled: Spilled,
    buckets: usize,
}

#[derive(Default)]
struct Spilled {
    scratch: Option<(Scratch, Arc<dyn SpillFile>)>,
    /// For each bucket: where its rows are, and how many.
    ranges: Vec<Vec<ScratchRange>>,
    rows: Vec<u64>,
}

struct Waiting {
    parts: Vec<Part>,
    bytes: usize,
    spilled: Spilled,
}

/// What dividing depends on beside the rows.
pub(super) struct Settings<'a> {
    pub(super) threads: usize,
    /// Bytes that may wait in memory.
    pub(super) memory: usize,
    pub(super) disk: &'a Arc<DiskManager>,
    pub(super) cancel: &'a CancelToken,
    /// The buckets to keep, if not all.
    pub(super) only: Option<&'a [bool]>,
}

/// Reads all rows that `kernel` needs and divides them.
pub(super) fn scatter<K: Kernel + ?Sized>(
    input: &Input,
    pieces: &[Piece],
    plan: &Plan,
    settings: &Settings<'_>,
    kernel: &K,
) -> Result<Scattered> {
    let bits = input.rows().map_or(UNKNOWN_BITS, |rows| {
        rows.div_ceil(plan.sizes.bucket)
            .max(1)
            .next_power_of_two()
            .ilog2()
    });
    let bits = bits.min(MOST_BITS);
    let buckets = 1_usize << bits;
    let waiting = Mutex::new(Waiting {
        parts: Vec::new(),
        bytes: 0,
        spilled: Spilled::default(),
    });
    let state = || Thread {
        stage: Stage::new(plan),
        keys: Keys::default(),
        repeats: kernel
            .has_marks()
            .then(|| (kernel.new_state(), Recent::default(), Vec::new())),
    };
    share_out(
        settings.threads,
        pieces.len(),
        settings.cancel,
        state,
        |thread, task| {
            let mut number = 0;
            let Some(piece) = pieces.get(task) else {
                return Ok(());
            };
            input.read(piece, plan, plan.sizes.batch, &mut |(columns, rows)| {
                settings.cancel.check()?;
                let Some(staged) = thread.stage.stage(&columns, rows)? else {
                    return Ok(());
                };
                let all = thread.slice(staged)?;
                let needed = thread.needed(kernel, &all, plan.asked)?;
                let part = divide(all, bits, settings.only, needed, (task, number))?;
                number += 1;
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.bytes += part.bytes();
                waiting.parts.push(part);
                if waiting.bytes > settings.memory {
                    // The lock is held: nobody reads on while there is no room.
                    waiting.spill(buckets, settings.disk)?;
                }
                Ok(())
            })
        },
    )?;
    let mut waiting = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
    // In the order of the source, in which times mostly ascend.
    waiting.parts.sort_unstable_by_key(|part| part.at);
    Ok(Scattered {
        parts: waiting.parts,
        spilled: waiting.spilled,
        buckets,
    })
}

/// What one thread divides with.
struct Thread<'a, S> {
    stage: Stage<'a>,
    keys: Keys,
    /// For kernels with marks: what they come from, those met lately, and room for those of a batch.
    repeats: Option<(S, Recent, Vec<u64>)>,
}

impl<S> Thread<'_, S> {
    fn slice(&mut self, staged: Staged) -> Result<Slice> {
        let lacking = || Error::internal("a batch lacks its actors or times");
        Ok(Slice {
            keys: self.keys.of(&staged.actors.ok_or_else(lacking)?)?,
            times: staged.times.ok_or_else(lacking)?,
            columns: staged.columns,
        })
    }

    /// Returns the rows of a batch that say something new to the kernel; `None` if all may.
    fn needed<K: Kernel<State = S> + ?Sized>(
        &mut self,
        kernel: &K,
        all: &Slice,
        asked: usize,
    ) -> Result<Option<Vec<u32>>> {
        let Some((state, recent, marks)) = &mut self.repeats else {
            return Ok(None);
        };
        let rows = RowBlock {
            rows: all.times.len(),
            times: Some(all.times.clone()),
            columns: all.columns.iter().take(asked).cloned().collect(),
        };
        kernel.marks(state, &rows, marks)?;
        Ok(Some(recent.new_rows(&all.keys, marks)))
    }
}

/// Brings the rows of one batch (`needed` some, if it says so) into the order of their buckets.
fn divide(
    mut all: Slice,
    bits: u32,
    only: Option<&[bool]>,
    needed: Option<Vec<u32>>,
    at: (usize, usize),
) -> Result<Part> {
    if let Some(needed) = needed.filter(|needed| needed.len() < all.times.len()) {
        all = all.reorder(&needed)?;
    }
    if bits == 0 {
        return Ok(Part {
            at,
            starts: vec![0, all.times.len() as u32],
            all,
        });
    }
    let buckets: Vec<u16> = all
        .keys
        .iter()
        .map(|&key| (mix(key) >> (64 - bits)) as u16)
        .collect();
    let mut starts = vec![0_u32; (1 << bits) + 1];
    for &bucket in &buckets {
        starts[bucket as usize + 1] += 1;
    }
    for (count, kept) in starts.iter_mut().skip(1).zip(only.into_iter().flatten()) {
        *count *= u32::from(*kept);
    }
    for bucket in 1..starts.len() {
        starts[bucket] += starts[bucket - 1];
    }
    let mut next = starts.clone();
    let mut order = vec![0_u32; starts.last().map_or(0, |&rows| rows as usize)];
    for (row, &bucket) in buckets.iter().enumerate() {
        if only.is_some_and(|only| !only[bucket as usize]) {
            continue;
        }
        let place = &mut next[bucket as usize];
        order[*place as usize] = row as u32;
        *place += 1;
    }
    Ok(Part {
        at,
        all: all.reorder(&order)?,
        starts,
    })
}

impl Slice {
    fn reorder(&self, order: &[u32]) -> Result<Slice> {
        let (keys, times) = (&self.keys[..], &self.times[..]);
        let rows = order.iter();
        Ok(Slice {
            keys: rows
                .clone()
                .map(|&row| keys[row as usize])
                .collect::<Vec<_>>()
                .into(),
            times: rows
                .map(|&row| times[row as usize])
                .collect::<Vec<_>>()
                .into(),
            columns: self
                .columns
                .iter()
                .map(|column| column.reorder(order))
                .collect::<Result<_>>()?,
        })
    }
}

impl Waiting {
    fn spill(&mut self, buckets: usize, disk: &Arc<DiskManager>) -> Result<()> {
        self.parts.sort_unstable_by_key(|part| part.at);
        let parts = std::mem::take(&mut self.parts);
        self.bytes = 0;
        let scratch = match &self.spilled.scratch {
            Some((scratch, _)) => scratch,
            None => &self.spilled.scratch.insert(spill::scratch(disk)?).0,
        };
        self.spilled.ranges.resize_with(buckets, Vec::new);
        self.spilled.rows.resize(buckets, 0);
        let places = self.spilled.ranges.iter_mut().zip(&mut self.spilled.rows);
        for (bucket, (ranges, rows)) in places.enumerate() {
            let slices: Vec<Slice> = parts.iter().filter_map(|p| p.slice(bucket)).collect();
            if slices.is_empty() {
                continue;
            }
            let whole = super::bucket::concat(&slices)?;
            *rows += whole.times.len() as u64;
            ranges.extend(spill::write(scratch, &[whole])?);
        }
        Ok(())
    }
}

impl Scattered {
    pub(super) fn buckets(&self) -> usize {
        self.buckets
    }

    /// Returns the buckets, the largest first: one actor may have most of the events, and nothing
    /// should wait for that bucket at the end.
    pub(super) fn largest_first(&self) -> Vec<usize> {
        let mut rows = self.spilled.rows.clone();
        rows.resize(self.buckets, 0);
        for part in &self.parts {
            for (rows, ends) in rows.iter_mut().zip(part.starts.windows(2)) {
                *rows += u64::from(ends[1] - ends[0]);
            }
        }
        let mut order: Vec<usize> = (0..self.buckets).collect();
        order.sort_by_key(|&bucket| Reverse(rows[bucket]));
        order
    }

    /// Returns the rows of a bucket.
    pub(super) fn bucket(&self, bucket: usize, plan: &Plan) -> Result<Vec<Slice>> {
        let mut slices = Vec::new();
        if let Some((scratch, _)) = &self.spilled.scratch {
            for &range in self.spilled.ranges.get(bucket).into_iter().flatten() {
                spill::read(scratch, range, plan, &mut slices)?;
            }
        }
        slices.extend(self.parts.iter().filter_map(|part| part.slice(bucket)));
        Ok(slices)
    }
}
