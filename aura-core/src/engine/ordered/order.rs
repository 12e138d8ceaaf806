//! The order of the rows of an actor: time, then the tie rule.

use std::cmp::Ordering;
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

/// Sorts the rows of each actor where they are not in order. `order` has the rows of all actors one
/// after the other; times and columns are in the order of the rows' numbers.
pub(super) fn sort_actors(
    plan: &Plan,
    starts: &[u32],
    order: &mut [u32],
    times: &[i64],
    columns: &[Column],
) -> Result<()> {
    if plan.order == Order::Any {
        return Ok(());
    }
    let time = |row: &u32| times[*row as usize];
    let mut ties: Option<Vec<Tie<'_>>> = None;
    for actor in starts.windows(2) {
        let rows = &mut order[actor[0] as usize..actor[1] as usize];
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
            if equal.len() > 1 {
                equal.sort_unstable_by(compare);
            }
        }
    }
    Ok(())
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
