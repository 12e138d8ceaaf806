//! Dividing a bucket that is too large to be sorted in memory.
//!
//! A few actors may have most of the events, and no hash divides one actor. So such a bucket is
//! divided by ranges of (actor, time) that are whole row groups, and the ranges are sorted one after
//! the other. The row groups are those that sorting the whole bucket would give.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};

use super::Roles;
use super::bucket::{Buckets, Chunk, Slot};
use super::order::row_groups;
use super::text::{Coder, Interner};
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
        slot: &Slot,
        scratch: Option<&Arc<Scratch>>,
        schema: &SchemaRef,
        roles: Roles,
        range_bytes: u64,
        row_group_rows: usize,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let total = usize::try_from(slot.rows).unwrap_or(usize::MAX);
        let mut actors = Interner::new();
        let mut counts: Vec<usize> = Vec::new();
        let mut coders: Vec<Option<Coder>> = schema
            .fields()
            .iter()
            .enumerate()
            .map(|(i, field)| {
                let text = field.data_type() == &DataType::Utf8;
                (text && i != roles.actor && i != roles.event_id).then(Coder::new)
            })
            .collect();
        slot.each(scratch, &mut |chunk| {
            cancel.check()?;
            for actor in actors_of(&chunk, roles)?.iter().flatten() {
                let code = actors.intern(actor) as usize;
                if code == counts.len() {
                    counts.push(0);
                }
                counts[code] += 1;
            }
            for (place, column) in coders.iter_mut().zip(&chunk.columns) {
                if let Some(coder) = place {
                    coder.codes(column)?;
                    if !coder.pays(total) {
                        *place = None;
                    }
                }
            }
            Ok(())
        })?;
        let dictionaries = coders
            .iter()
            .enumerate()
            .map(|(i, coder)| coder.is_some() || i == roles.actor)
            .collect();
        drop(coders);

        // Where to cut an actor depends on its times.
        let mut times: HashMap<u32, Vec<i64>> = (0_u32..)
            .zip(&counts)
            .filter(|&(_, &count)| count > row_group_rows)
            .map(|(code, &count)| (code, Vec::with_capacity(count)))
            .collect();
        if !times.is_empty() {
            slot.each(scratch, &mut |chunk| {
                cancel.check()?;
                let all = times_of(&chunk, roles)?;
                for (actor, &time) in actors_of(&chunk, roles)?.iter().flatten().zip(all) {
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
        let rows_at_most =
            usize::try_from(range_bytes / (slot.total_bytes / slot.rows.max(1)).max(1))
                .unwrap_or(usize::MAX);
        let mut starts: Vec<usize> = Vec::new();
        let mut per_range: Vec<Vec<Range<usize>>> = Vec::new();
        for group in groups {
            match (starts.last(), per_range.last_mut()) {
                (Some(&start), Some(range)) if group.end - start <= rows_at_most => {
                    range.push(group.start - start..group.end - start);
                }
                _ => {
                    starts.push(group.start);
                    per_range.push(vec![0..group.len()]);
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

    /// Moves the rows of the bucket to `into`, one slot for each range.
    pub(super) fn divide(
        &self,
        slot: Slot,
        scratch: Option<&Arc<Scratch>>,
        roles: Roles,
        into: &Buckets<'_>,
        cancel: &CancelToken,
    ) -> Result<()> {
        slot.each(scratch, &mut |chunk| {
            cancel.check()?;
            let actors = actors_of(&chunk, roles)?.clone();
            let times = times_of(&chunk, roles)?.to_vec();
            into.scatter(chunk, |row| {
                let Some(code) = self.actors.find(actors.value(row)) else {
                    return 0;
                };
                let later = self
                    .borders
                    .get(&code)
                    .map_or(0, |b| b.partition_point(|&border| border <= times[row]));
                self.range_of[code as usize] + later
            })
        })
    }
}

fn actors_of(chunk: &Chunk, roles: Roles) -> Result<&StringArray> {
    let column = chunk.columns.get(roles.actor);
    column
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| Error::internal("the actor column of a chunk is not text"))
}

fn times_of(chunk: &Chunk, roles: Roles) -> Result<&[i64]> {
    let column = chunk.columns.get(roles.time);
    column
        .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
        .map(|c| c.values().as_ref())
        .ok_or_else(|| Error::internal("the time column of a chunk is not a timestamp"))
}
