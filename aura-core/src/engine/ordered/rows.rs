//! The pass over plain rows.

use super::input::{Input, Piece};
use super::kernel::RowKernel;
use super::plan::Plan;
use super::stage::Stage;
use super::workers::share_out;
use super::{Request, RowBlock};
use crate::Result;

/// Runs a kernel over the rows of all pieces; returns the states.
pub(super) fn pass<K: RowKernel + ?Sized>(
    input: &Input,
    pieces: &[Piece],
    plan: &Plan,
    request: &Request,
    threads: usize,
    kernel: &K,
) -> Result<Vec<K::State>> {
    let state = || (Stage::new(plan), kernel.new_state());
    let states = share_out(
        threads,
        pieces.len(),
        &request.cancel,
        state,
        |(stage, state), task| {
            let Some(piece) = pieces.get(task) else {
                return Ok(());
            };
            input.read(piece, plan, plan.sizes.batch, &mut |(columns, rows)| {
                request.cancel.check()?;
                let Some(mut staged) = stage.stage(&columns, rows)? else {
                    return Ok(());
                };
                staged.columns.truncate(plan.asked);
                let block = RowBlock {
                    rows: staged.rows,
                    times: staged.times.filter(|_| request.times),
                    columns: staged.columns,
                };
                kernel.rows(state, &block)
            })
        },
    )?;
    Ok(states.into_iter().map(|(_, state)| state).collect())
}
