//! The order of the rows of a bucket: by actor, then time, then event id.

use std::cmp::Ordering;
use std::ops::Range;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::TimestampMicrosecondType;

use super::Roles;
use super::bucket::Chunk;
use super::text::Interner;
use crate::{Error, Result};

/// Most bytes of different actors in one row group, so that its dictionary stays one page of
/// reasonable size.
const ACTOR_BYTES: usize = 16 << 20;

/// Where a row is: chunk and row, packed.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(u64);

impl At {
    pub(super) fn new(chunk: usize, row: usize) -> Self {
        At((chunk as u64) << 32 | row as u64)
    }

    pub(super) fn chunk(self) -> usize {
        (self.0 >> 32) as usize
    }

    pub(super) fn row(self) -> usize {
        self.0 as u32 as usize
    }
}

/// A row in its final place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) time: i64,
    pub(super) at: At,
}

/// The rows of a bucket in order.
pub(super) struct Sorted {
    pub(super) rows: Vec<Row>,
    actors: Interner,
    /// Codes of the actors in their order.
    ranked: Vec<u32>,
    /// The rows of the actor of rank r are `starts[r]..starts[r + 1]`.
    starts: Vec<usize>,
}

/// The rows of one row group, and the ranks of the actors that are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) rows: Range<usize>,
    pub(super) ranks: Range<usize>,
}

/// Sorts the rows of `chunks`.
pub(super) fn sort(chunks: &[Chunk], roles: Roles) -> Result<Sorted> {
    let total: usize = chunks.iter().map(|c| c.rows).sum();
    let mut times = Vec::with_capacity(chunks.len());
    let mut ids = Vec::with_capacity(chunks.len());
    let mut actors = Interner::new();
    let mut actor_of: Vec<u32> = Vec::with_capacity(total);
    for chunk in chunks {
        times.push(
            chunk
                .columns
                .get(roles.time)
                .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
                .ok_or_else(|| wrong("time", "a timestamp in microseconds"))?,
        );
        ids.push(text(chunk, roles.event_id, "event_id")?);
        let column = text(chunk, roles.actor, "actor")?;
        let mut last: Option<(&str, u32)> = None;
        for row in 0..column.len() {
            let actor = column.value(row);
            let code = match last {
                Some((same, code)) if same == actor => code,
                _ => actors.intern(actor),
            };
            last = Some((actor, code));
            actor_of.push(code);
        }
    }

    let ranked = actors.in_order();
    let mut rank_of = vec![0_u32; ranked.len()];
    for (rank, &code) in ranked.iter().enumerate() {
        rank_of[code as usize] = rank as u32;
    }
    // A counting sort by rank. Where rows come in the order of time, it is all the sorting there is.
    let mut starts = vec![0_usize; ranked.len() + 1];
    for &code in &actor_of {
        starts[rank_of[code as usize] as usize + 1] += 1;
    }
    for rank in 1..starts.len() {
        starts[rank] += starts[rank - 1];
    }
    let mut next = starts.clone();
    let empty = Row {
        time: 0,
        at: At::new(0, 0),
    };
    let mut rows = vec![empty; total];
    let mut codes = actor_of.iter();
    for (chunk, times) in times.iter().enumerate() {
        for ((row, &time), &code) in times.values().iter().enumerate().zip(&mut codes) {
            let place = &mut next[rank_of[code as usize] as usize];
            rows[*place] = Row {
                time,
                at: At::new(chunk, row),
            };
            *place += 1;
        }
    }
    drop((actor_of, rank_of, next));

    let by_time_and_id = |a: &Row, b: &Row| -> Ordering {
        a.time.cmp(&b.time).then_with(|| {
            let id = |at: At| ids[at.chunk()].value(at.row());
            id(a.at).cmp(id(b.at))
        })
    };
    for actor in starts.windows(2) {
        let events = &mut rows[actor[0]..actor[1]];
        if !events.is_sorted_by(|a, b| a.time < b.time) {
            events.sort_unstable_by(by_time_and_id);
        }
    }
    Ok(Sorted {
        rows,
        actors,
        ranked,
        starts,
    })
}

impl Sorted {
    /// Returns the actor of a rank.
    pub(super) fn actor(&self, rank: usize) -> &str {
        self.actors.value(self.ranked[rank])
    }

    /// Returns the rows of a rank.
    pub(super) fn rows_of(&self, rank: usize) -> Range<usize> {
        self.starts[rank]..self.starts[rank + 1]
    }

    /// Divides the rows into row groups.
    pub(super) fn row_groups(&self, most_rows: usize) -> Vec<Range<usize>> {
        let actors = (0..self.ranked.len()).map(|r| (self.actor(r).len(), self.rows_of(r).len()));
        row_groups(most_rows, actors, |rank, offset| {
            let rows = &self.rows[self.rows_of(rank)];
            let last = rows[offset - 1].time;
            offset + rows[offset..].partition_point(|r| r.time == last)
        })
    }

    /// Returns `rows` with the ranks that they are of.
    pub(super) fn cut(&self, rows: Range<usize>) -> Cut {
        let first = self.starts.partition_point(|&s| s <= rows.start);
        let end = self.starts.partition_point(|&s| s < rows.end);
        Cut {
            rows,
            ranks: first.saturating_sub(1)..end,
        }
    }
}

/// Divides sorted rows into row groups of about `most_rows` (at least 1), given the length of the name and the number of rows of each
/// actor in their order.
///
/// An actor is in one row group, unless it fills more than one alone: then its full ones hold nobody
/// else. Those end only where the time changes: `time_change` gives the first row of an actor from a
/// row on, both counted from 0, whose time is not that of the row before.
pub(super) fn row_groups(
    most_rows: usize,
    actors: impl Iterator<Item = (usize, usize)>,
    time_change: impl Fn(usize, usize) -> usize,
) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let (mut first, mut start, mut bytes) = (0, 0, 0);
    for (rank, (length, rows)) in actors.enumerate() {
        let end = start + rows;
        let length = length + 4;
        if start > first && (end - first > most_rows || bytes + length > ACTOR_BYTES) {
            groups.push(first..start);
            (first, bytes) = (start, 0);
        }
        bytes += length;
        while end - first > most_rows {
            let next = start + time_change(rank, first - start + most_rows);
            if next >= end {
                break;
            }
            groups.push(first..next);
            first = next;
        }
        start = end;
    }
    if first < start {
        groups.push(first..start);
    }
    groups
}

fn text<'a>(chunk: &'a Chunk, column: usize, name: &str) -> Result<&'a StringArray> {
    chunk
        .columns
        .get(column)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| wrong(name, "text"))
}

fn wrong(name: &str, expected: &str) -> Error {
    Error::internal(format!("the {name} column of a chunk is not {expected}"))
}
