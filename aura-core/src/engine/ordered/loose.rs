//! The few rows of a compacted store that are not sorted yet: staged batches and young files.

use std::sync::Mutex;
use std::sync::PoisonError;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt32Array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::DataType;

use super::Column;
use super::cursor::{Loaded, compare, prefix};
use super::input::{Input, Piece};
use super::plan::Plan;
use super::stage::{Stage, Staged};
use super::workers::share_out;
use crate::ingest::CancelToken;
use crate::store::sort::bucket_of_actor;
use crate::{Error, Result};

/// Reads the rows of `pieces` and sorts them by (bucket, actor, time). Returns the rows of each of 2^`bits`
/// buckets.
pub(super) fn sorted(
    input: &Input,
    pieces: &[Piece],
    plan: &Plan,
    bits: u32,
    threads: usize,
    cancel: &CancelToken,
) -> Result<Vec<Option<Loaded>>> {
    let all: Mutex<Vec<(usize, Staged)>> = Mutex::default();
    share_out(
        threads,
        pieces.len(),
        cancel,
        || Stage::new(plan),
        |stage, task| {
            let Some(piece) = pieces.get(task) else {
                return Ok(());
            };
            input.read(piece, plan, plan.sizes.batch, &mut |(columns, rows)| {
                cancel.check()?;
                if let Some(staged) = stage.stage(&columns, rows)? {
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push((task, staged));
                }
                Ok(())
            })
        },
    )?;
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|(task, _)| *task);
    let mut buckets = vec![None; 1 << bits];
    if all.is_empty() {
        return Ok(buckets);
    }
    let mut names: Vec<ArrayRef> = Vec::with_capacity(all.len());
    let mut times: Vec<i64> = Vec::new();
    let mut columns: Vec<Vec<Column>> = (0..plan.out.len()).map(|_| Vec::new()).collect();
    for (_, staged) in all {
        let lacking = || Error::internal("a batch lacks its actors or times");
        names.push(cast(&staged.actors.ok_or_else(lacking)?, &DataType::Utf8)?);
        times.extend_from_slice(&staged.times.ok_or_else(lacking)?);
        for (all, column) in columns.iter_mut().zip(staged.columns) {
            all.push(column);
        }
    }
    let names: Vec<&dyn Array> = names.iter().map(AsRef::as_ref).collect();
    let names = concat(&names)?;
    let names = names.as_string::<i32>();
    let columns = columns
        .into_iter()
        .map(|parts| Column::concat(parts.iter()))
        .collect::<Result<Vec<_>>>()?;
    let keys: Vec<(u32, u64)> = (0..names.len())
        .map(|row| {
            let name = names.value(row);
            (bucket_of_actor(name, bits) as u32, prefix(name.as_bytes()))
        })
        .collect();
    let mut order: Vec<u32> = (0..names.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        let (ka, kb) = (keys[a], keys[b]);
        let text = |row: usize| names.value(row).as_bytes();
        ka.0.cmp(&kb.0)
            .then_with(|| compare(ka.1, text(a), kb.1, text(b)))
            .then(times[a].cmp(&times[b]))
            .then(a.cmp(&b))
    });
    let mut start = 0;
    for (bucket, place) in buckets.iter_mut().enumerate() {
        let rest = &order[start..];
        let rows = rest.partition_point(|&row| keys[row as usize].0 as usize <= bucket);
        let rows = &rest[..rows];
        start += rows.len();
        if !rows.is_empty() {
            *place = Some(part(names, &times, &columns, rows)?);
        }
    }
    Ok(buckets)
}

fn part(names: &StringArray, times: &[i64], columns: &[Column], rows: &[u32]) -> Result<Loaded> {
    let order = UInt32Array::new(rows.to_vec().into(), None);
    let names = take(names, &order, None)?;
    let times: Vec<i64> = rows.iter().map(|&row| times[row as usize]).collect();
    let columns = columns
        .iter()
        .map(|c| c.reorder(rows))
        .collect::<Result<_>>()?;
    Ok(Loaded::plain(
        names.as_string::<i32>().clone(),
        times.into(),
        columns,
    ))
}
