//! Dividing a bucket that is too large to be sorted in memory.
//!
//! A few actors may have most of the events, and no hash divides one actor. So such a bucket is
//! divided by ranges of (actor, time) that are whole row groups, and the ranges are sorted one after
//! the other. The row groups are those that sorting the whole bucket would give.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, PrimitiveArray, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};

use super::bucket::{Buckets, Chunk, Slot};
use super::order::row_groups;
use super::text::{Coder, Interner};
use super::{Roles, in_parallel, panicked};
use crate::ingest::CancelToken;
use crate::store::files::Scratch;
use crate::{Error, Result};

/// How to write a bucket range by range.
pub(super) struct Ranges {
    /// For each column, whether it gets codes.
    pub(super) dictionaries: Vec<bool>,
    /// The row groups of each range, their rows counted from the first of the range.
    pub(super) row_groups: Vec<Vec<Range<usize>>>,
    actors: Interner,
    /// For each actor's code, the range that its first row is in.
    range_of: Vec<usize>,
    /// For the codes of actors that are in more than one range, the times that the later ones begin
    /// with.
    borders: HashMap<u32, Vec<i64>>,
}

impl Ranges {
    /// Passes over the rows of a bucket, and divides them into ranges of about `range_bytes`.
    pub(super) fn plan(
        waiting: &Waiting<'_>,
        schema: &SchemaRef,
        roles: Roles,
        range_bytes: u64,
        row_group_rows: usize,
    ) -> Result<Self> {
        let (counted, dictionaries) = std::thread::scope(|scope| {
            let counting = scope.spawn(|| waiting.count_actors(roles));
            let dictionaries = waiting.dictionaries(schema, roles);
            (
                counting.join().unwrap_or_else(|_| Err(panicked())),
                dictionaries,
            )
        });
        let ((actors, counts), dictionaries) = (counted?, dictionaries?);

        // Where to cut an actor depends on its times.
        let mut times: HashMap<u32, Vec<i64>> = (0_u32..)
            .zip(&counts)
            .filter(|&(_, &count)| count > row_group_rows)
            .map(|(code, &count)| (code, Vec::with_capacity(count)))
            .collect();
        if !times.is_empty() {
            waiting.each(&[roles.actor, roles.time], &mut |chunk| {
                let all = times_of(&chunk, 1)?;
                for (actor, &time) in actors_of(&chunk, 0)?.iter().flatten().zip(all) {
                    if let Some(code) = actors.find(actor)
                        && let Some(times) = times.get_mut(&code)
                    {
                        times.push(time);
                    }
                }
                Ok(())
            })?;
            times.values_mut().for_each(|t| t.sort_unstable());
        }

        let ranked = actors.in_order();
        let groups = row_groups(
            row_group_rows,
            ranked
                .iter()
                .map(|&code| (actors.value(code).len(), counts[code as usize])),
            |rank, offset| {
                let times = times.get(&ranked[rank]).map_or(&[] as &[i64], |t| t);
                let last = times[offset - 1];
                offset + times[offset..].partition_point(|&t| t == last)
            },
        );
        let rows_at_most = usize::try_from(range_bytes / waiting.row_bytes()).unwrap_or(usize::MAX);
        let mut starts: Vec<usize> = Vec::new();
        let mut per_range: Vec<Vec<Range<usize>>> = Vec::new();
        for group in groups {
            match (starts.last(), per_range.last_mut()) {
                (Some(&start), Some(range)) if group.end - start <= rows_at_most => {
                    range.push(group.start - start..group.end - start);
                }
                _ => {
                    starts.push(group.start);
                    per_range.push(std::iter::once(0..group.len()).collect());
                }
            }
        }

        let mut range_of = vec![0; counts.len()];
        let mut borders = HashMap::new();
        let mut row = 0;
        for &code in &ranked {
            let end = row + counts[code as usize];
            let first = starts.partition_point(|&s| s <= row) - 1;
            let later = starts.partition_point(|&s| s < end);
            range_of[code as usize] = first;
            if let Some(times) = times.get(&code).filter(|_| later > first + 1) {
                let begin = |s: &usize| times[s - row];
                borders.insert(code, starts[first + 1..later].iter().map(begin).collect());
            }
            row = end;
        }
        Ok(Ranges {
            dictionaries,
            row_groups: per_range,
            actors,
            range_of,
            borders,
        })
    }

    /// Moves the rows of the bucket to `into`, one slot for each range, on `threads` threads.
    pub(super) fn divide(
        &self,
        waiting: &Waiting<'_>,
        roles: Roles,
        into: &Buckets<'_>,
        threads: usize,
    ) -> Result<()> {
        let Waiting {
            slot,
            scratch,
            cancel,
        } = waiting;
        in_parallel(threads, slot.pieces(), cancel, |piece| {
            slot.piece(piece, None, *scratch, &mut |chunk| {
                let actors = actors_of(&chunk, roles.actor)?.clone();
                let times = times_of(&chunk, roles.time)?.clone();
                into.scatter(chunk, |row| self.range_of(actors.value(row), times[row]))
            })
        })
    }

    fn range_of(&self, actor: &str, time: i64) -> usize {
        let Some(code) = self.actors.find(actor) else {
            return 0;
        };
        let borders = self.borders.get(&code).map_or(&[] as &[i64], |b| b);
        self.range_of[code as usize] + borders.partition_point(|&border| border <= time)
    }
}

/// The rows of a bucket, wherever they are.
pub(super) struct Waiting<'a> {
    pub(super) slot: &'a Slot,
    pub(super) scratch: Option<&'a Arc<Scratch>>,
    pub(super) cancel: &'a CancelToken,
}

impl Waiting<'_> {
    fn each(&self, columns: &[usize], work: &mut dyn FnMut(Chunk) -> Result<()>) -> Result<()> {
        for piece in 0..self.slot.pieces() {
            self.cancel.check()?;
            self.slot.piece(piece, Some(columns), self.scratch, work)?;
        }
        Ok(())
    }

    /// Returns the actors, and for the code of each the number of its rows.
    fn count_actors(&self, roles: Roles) -> Result<(Interner, Vec<usize>)> {
        let mut actors = Interner::new();
        let mut counts: Vec<usize> = Vec::new();
        self.each(&[roles.actor], &mut |chunk| {
            for actor in actors_of(&chunk, 0)?.iter().flatten() {
                let code = actors.intern(actor) as usize;
                if code == counts.len() {
                    counts.push(0);
                }
                counts[code] += 1;
            }
            Ok(())
        })?;
        Ok((actors, counts))
    }

    /// Says for each column whether it gets codes.
    fn dictionaries(&self, schema: &SchemaRef, roles: Roles) -> Result<Vec<bool>> {
        let rows = usize::try_from(self.slot.rows).unwrap_or(usize::MAX);
        let text: Vec<usize> = (0..schema.fields().len())
            .filter(|&i| schema.field(i).data_type() == &DataType::Utf8)
            .filter(|&i| i != roles.actor && i != roles.event_id)
            .collect();
        let mut coders: Vec<Option<Coder>> = text.iter().map(|_| Some(Coder::new())).collect();
        self.each(&text, &mut |chunk| {
            for (place, column) in coders.iter_mut().zip(&chunk.columns) {
                if let Some(coder) = place {
                    coder.codes(column)?;
                    if !coder.pays(rows) {
                        *place = None;
                    }
                }
            }
            Ok(())
        })?;
        let mut dictionaries = vec![false; schema.fields().len()];
        for (i, coder) in text.into_iter().zip(&coders) {
            dictionaries[i] = coder.is_some();
        }
        dictionaries[roles.actor] = true;
        Ok(dictionaries)
    }

    fn row_bytes(&self) -> u64 {
        (self.slot.total_bytes / self.slot.rows.max(1)).max(1)
    }
}

fn actors_of(chunk: &Chunk, column: usize) -> Result<&StringArray> {
    let column = chunk.columns.get(column);
    column
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| Error::internal("the actor column of a chunk is not text"))
}

fn times_of(chunk: &Chunk, column: usize) -> Result<&ScalarBuffer<i64>> {
    let column = chunk.columns.get(column);
    column
        .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
        .map(PrimitiveArray::values)
        .ok_or_else(|| Error::internal("the time column of a chunk is not a timestamp"))
}
