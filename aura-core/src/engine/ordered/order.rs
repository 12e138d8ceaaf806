//! The order of the rows of an actor: time, then the tie rule.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{DynComparator, make_comparator};
use arrow::compute::SortOptions;

use super::plan::Plan;
use super::{Column, Order};
use crate::Result;

/// Decides between rows of an actor at the same time.
enum Tie<'a> {
    /// Codes, and the rank of each in the order of the texts.
    Codes(&'a [u32], Arc<Vec<u32>>),
    Values(DynComparator),
}

/// What is known about ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// The columns decide.
    Decided,
    /// The event ids decide, and they are not among the columns.
    Missing,
}

/// Sorts the rows of each of `actors` where they are not in order. `order` has the rows of all actors
/// one after the other; times and columns are in the order of the rows' numbers.
///
/// Returns false if event ids are missing to decide between rows that differ.
pub(super) fn sort_actors(
    plan: &Plan,
    ids: Ids,
    actors: impl Iterator<Item = Range<usize>>,
    order: &mut [u32],
    times: &[i64],
    columns: &[Column],
) -> Result<bool> {
    if plan.order == Order::Any {
        return Ok(true);
    }
    let time = |row: &u32| times[*row as usize];
    let mut ties: Option<Vec<Tie<'_>>> = None;
    for actor in actors {
        let rows = &mut order[actor];
        if rows.is_sorted_by(|a, b| time(a) < time(b)) {
            continue;
        }
        if !rows.is_sorted_by_key(time) {
            rows.sort_by_key(time);
        }
        if plan.ties.is_empty() {
            continue;
        }
        let ties = match &mut ties {
            Some(ties) => ties,
            None => ties.insert(of_columns(plan, columns)?),
        };
        let compare = |a: &u32, b: &u32| {
            let mut orders = ties.iter().map(|tie| tie.compare(*a as usize, *b as usize));
            orders.find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        };
        for equal in rows.chunk_by_mut(|a, b| time(a) == time(b)) {
            if equal.len() < 2 {
                continue;
            }
            if ids == Ids::Decided {
                equal.sort_unstable_by(compare);
            } else if equal.windows(2).any(|w| compare(&w[0], &w[1]).is_ne()) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn of_columns<'a>(plan: &Plan, columns: &'a [Column]) -> Result<Vec<Tie<'a>>> {
    let nulls_first = SortOptions {
        descending: false,
        nulls_first: true,
    };
    let columns = plan.ties.iter().filter_map(|&place| columns.get(place));
    columns
        .map(|column| {
            Ok(match column {
                Column::Codes { codes, texts } => Tie::Codes(codes, texts.ranks()),
                Column::Values(values) => {
                    Tie::Values(make_comparator(values, values, nulls_first)?)
                }
            })
        })
        .collect()
}

impl Tie<'_> {
    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Tie::Codes(codes, ranks) => {
                let rank = |row: usize| ranks.get(codes[row] as usize);
                rank(a).cmp(&rank(b))
            }
            Tie::Values(compare) => compare(a, b),
        }
    }
}
