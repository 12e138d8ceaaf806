//! How often the first attempt succeeds.

use crate::Result;
use crate::event::ACTOR;
use crate::metric::behaviour::FirstAttemptMetric;
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;

use super::follow::{Follow, Step};
use super::{Cells, Found, PassContext};

const ATTEMPT: u64 = 1;
const SUCCESS: u64 = 2;
const FAILURE: u64 = 4;

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &FirstAttemptMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let windows = cx.spine.windows(None)?;
    let mut follow = Follow::new(vec![ACTOR], (i64::MIN, i64::MAX));
    follow.filters.extend(&pass.filter);
    follow.flags = vec![&metric.attempt, &metric.success, &metric.failure];
    follow.key = metric.key.iter().map(String::as_str).collect();
    follow.whole_keys = true;
    let mut cells: Cells<(i64, i64)> = Cells::new();
    let mut visit = |steps: &[Step]| -> Result<()> {
        for run in steps.chunk_by(|a, b| a.key == b.key) {
            let Some(attempt) = run.iter().find(|s| s.flags & ATTEMPT != 0) else {
                continue;
            };
            let Some(position) = windows.positions(attempt.at).next() else {
                continue;
            };
            let mut after = run
                .iter()
                .filter(|s| s.at >= attempt.at && s.flags & (SUCCESS | FAILURE) != 0);
            let Some(outcome) = after.next() else {
                continue;
            };
            let failed = std::iter::once(outcome)
                .chain(after)
                .take_while(|s| s.at == outcome.at)
                .any(|s| s.flags & FAILURE != 0);
            let cell = cells.at(position, attempt.id)?;
            cell.0 += i64::from(!failed);
            cell.1 += 1;
        }
        Ok(())
    };
    let stats = follow.each(cx, combinations, &mut visit).await?;
    let sparse = cells.shares(|(above, below)| (*above as f64, *below));
    Ok(Found { sparse, stats })
}
