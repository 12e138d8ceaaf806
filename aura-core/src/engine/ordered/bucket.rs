//! The rows of one bucket in the order of actors and times.

use super::keys::mix;
use super::order::{Ids, sort_actors};
use super::plan::Plan;
use super::scatter::Slice;
use super::{ActorBlock, Column};
use crate::{Error, ErrorKind, Result};

/// Numbers actors by their keys; reused from bucket to bucket.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Number of the actor plus one, or 0.
    slots: Vec<u32>,
    keys: Vec<i128>,
}

impl Numbers {
    fn clear(&mut self, rows: usize) {
        // Half of the rows are of different actors at most, more often than not; it grows.
        let slots = (rows / 2).next_power_of_two().max(1_024);
        self.slots.clear();
        self.slots.resize(slots, 0);
        self.keys.clear();
    }

    fn number(&mut self, key: i128) -> u32 {
        let mask = self.slots.len() - 1;
        let mut slot = mix(key) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => break,
                number if self.keys[number as usize - 1] == key => return number - 1,
                _ => slot = (slot + 1) & mask,
            }
        }
        self.keys.push(key);
        self.slots[slot] = self.keys.len() as u32;
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        }
        self.keys.len() as u32 - 1
    }

    fn grow(&mut self) {
        let slots = self.slots.len() * 4;
        self.slots.clear();
        self.slots.resize(slots, 0);
        for (number, &key) in self.keys.iter().enumerate() {
            let mut slot = mix(key) as usize & (slots - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            self.slots[slot] = number as u32 + 1;
        }
    }
}

/// Puts the slices of a bucket together.
pub(super) fn concat(slices: &[Slice]) -> Result<Slice> {
    let rows = slices.iter().map(|s| s.times.len()).sum();
    let mut keys = Vec::with_capacity(rows);
    for slice in slices {
        keys.extend_from_slice(&slice.keys);
    }
    let (times, columns) = concat_columns(slices, rows)?;
    Ok(Slice {
        keys: keys.into(),
        times: times.into(),
        columns,
    })
}

fn concat_columns(slices: &[Slice], rows: usize) -> Result<(Vec<i64>, Vec<Column>)> {
    let mut times = Vec::with_capacity(rows);
    for slice in slices {
        times.extend_from_slice(&slice.times);
    }
    let width = slices.first().map_or(0, |s| s.columns.len());
    let mut columns = Vec::with_capacity(width);
    for place in 0..width {
        columns.push(Column::concat(
            slices.iter().filter_map(|s| s.columns.get(place)),
        )?);
    }
    Ok((times, columns))
}

/// Orders the rows of a bucket and gives them away in blocks. Returns false, and gives nothing, if event
/// ids are missing to decide a tie.
pub(super) fn order_bucket(
    plan: &Plan,
    ids: Ids,
    slices: &[Slice],
    numbers: &mut Numbers,
    parts: bool,
    sink: &mut dyn FnMut(&ActorBlock) -> Result<()>,
) -> Result<bool> {
    let rows: usize = slices.iter().map(|s| s.times.len()).sum();
    if rows == 0 {
        return Ok(true);
    }
    if u32::try_from(rows).is_err() {
        return Err(Error::new(
            ErrorKind::ResourceExhausted,
            format!(
                "{rows} rows fall into one part by actor; at most {} are possible",
                u32::MAX
            ),
        ));
    }
    numbers.clear(rows);
    let mut actor_of: Vec<u32> = Vec::with_capacity(rows);
    for slice in slices {
        actor_of.extend(slice.keys.iter().map(|&key| numbers.number(key)));
    }
    let mut starts = vec![0_u32; numbers.keys.len() + 1];
    for &actor in &actor_of {
        starts[actor as usize + 1] += 1;
    }
    for actor in 1..starts.len() {
        starts[actor] += starts[actor - 1];
    }
    let mut next = starts.clone();
    let mut order = vec![0_u32; rows];
    for (row, &actor) in actor_of.iter().enumerate() {
        let place = &mut next[actor as usize];
        order[*place as usize] = row as u32;
        *place += 1;
    }
    drop((actor_of, next));
    let (times, columns) = concat_columns(slices, rows)?;
    let actors = starts.windows(2).map(|w| w[0] as usize..w[1] as usize);
    if !sort_actors(plan, ids, actors, &mut order, &times, &columns)? {
        return Ok(false);
    }
    let times: Vec<i64> = order.iter().map(|&row| times[row as usize]).collect();
    let names = match plan.names.and_then(|place| columns.get(place)) {
        Some(Column::Codes { codes, texts }) => {
            let firsts = starts.iter().take(starts.len() - 1);
            let firsts = firsts.map(|&start| order[start as usize] as usize);
            Some(texts.of(firsts.map(|row| codes[row])))
        }
        _ => None,
    };
    let columns = columns
        .iter()
        .take(plan.asked)
        .map(|column| column.reorder(&order))
        .collect::<Result<_>>()?;
    let whole = ActorBlock {
        times: times.into(),
        columns,
        starts,
        names,
        begun: false,
        open: false,
    };
    in_blocks(&whole, plan.sizes.block, parts, sink)?;
    Ok(true)
}

/// Divides a large block between actors, and where it may (`parts`) within those with very many rows.
pub(super) fn in_blocks(
    whole: &ActorBlock,
    block_rows: usize,
    parts: bool,
    sink: &mut dyn FnMut(&ActorBlock) -> Result<()>,
) -> Result<()> {
    if whole.times.len() <= block_rows {
        return sink(whole);
    }
    let actors = whole.actors();
    let mut first = 0;
    while first < actors {
        let start = whole.starts[first];
        let fits =
            whole.starts[first + 1..].partition_point(|&end| (end - start) as usize <= block_rows);
        let next = first + fits.max(1);
        if parts && fits == 0 {
            in_parts(&whole.actors_of(first..next), block_rows, sink)?;
        } else {
            sink(&whole.actors_of(first..next))?;
        }
        first = next;
    }
    Ok(())
}

/// Divides the rows of one actor.
fn in_parts(
    actor: &ActorBlock,
    block_rows: usize,
    sink: &mut dyn FnMut(&ActorBlock) -> Result<()>,
) -> Result<()> {
    let rows = actor.times.len();
    let mut from = 0;
    while from < rows {
        let to = rows.min(from + block_rows.max(1));
        sink(&ActorBlock {
            times: actor.times.slice(from, to - from),
            columns: actor.columns.iter().map(|c| c.slice(&(from..to))).collect(),
            starts: vec![0, (to - from) as u32],
            names: actor.names.clone(),
            begun: from > 0,
            open: to < rows,
        })?;
        from = to;
    }
    Ok(())
}
