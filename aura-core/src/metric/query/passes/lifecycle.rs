//! New, retained, resurrected and dormant actors.

use crate::Result;
use crate::event::ACTOR;
use crate::metric::behaviour::{LifecycleMetric, LifecycleState};
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;
use crate::metric::query::period_of::Finder;

use super::follow::Follow;
use super::{Cells, Found, PassContext};

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &LifecycleMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let (spine, calendar) = (cx.spine, cx.spine.calendar());
    let (Some(first), Some(last)) = (spine.periods().first(), spine.periods().last()) else {
        return Ok(Found::default());
    };
    // All periods from the first event to the last one asked for, and the positions among them.
    let from = cx.extent.0.min(first.start_us());
    let all = calendar.bucketer(spine.grain(), from, last.end_us())?;
    let mut position_of = vec![None; all.len() + 1];
    for (number, period) in all.periods().enumerate() {
        if let Some(slot) = position_of.get_mut(number) {
            *slot = spine.position(&period);
        }
    }
    let mut follow = Follow::new(vec![ACTOR], (i64::MIN, last.end_us()));
    follow.by_dimensions = true;
    follow.filters.extend(&pass.filter);
    follow.filters.extend(&metric.active);
    follow.cells = Some(Finder::Bucketer(all));
    let mut cells: Cells<i64> = Cells::new();
    let state = metric.state;
    let mut visit = |steps: &[super::follow::Step]| -> Result<()> {
        let mut count = |number: i64, id: u32| -> Result<()> {
            let position = usize::try_from(number)
                .ok()
                .and_then(|n| position_of.get(n));
            if let Some(Some(position)) = position {
                *cells.at(*position, id)? += 1;
            }
            Ok(())
        };
        for (i, step) in steps.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|b| steps.get(b)).map(|s| s.at);
            let found = match before {
                None => LifecycleState::New,
                Some(before) if before == step.at - 1 => LifecycleState::Retained,
                Some(_) => LifecycleState::Resurrected,
            };
            if state == found {
                count(step.at, step.id)?;
            }
            let next = steps.get(i + 1).map(|s| s.at);
            if state == LifecycleState::Dormant && next != Some(step.at + 1) {
                count(step.at + 1, step.id)?;
            }
        }
        Ok(())
    };
    let stats = follow.each(cx, combinations, &mut visit).await?;
    Ok(Found {
        sparse: cells.counts(|n| *n),
        stats,
    })
}
