//! How many of those who did one thing did another within a window.

use std::collections::BTreeSet;

use crate::Result;
use crate::event::ACTOR;
use crate::metric::kind::{Calculation, Conversion};
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;
use crate::time::Span;

use super::follow::{Follow, Step};
use super::{Cells, Found, PassContext};

const BASE: u64 = 1;
const CONVERSION: u64 = 2;

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &Conversion,
    combinations: &mut Combinations,
) -> Result<Found> {
    let windows = cx.spine.windows(None)?;
    let calendar = cx.spine.calendar();
    let end = |us: i64, window: Option<Span>| match window {
        Some(window) => calendar.shift(us, window, false),
        None => Ok(i64::MAX - 1),
    };
    let last = end(windows.end_us(), metric.window)?;
    let mut follow = Follow::new(vec![ACTOR], (windows.first_us(), last.saturating_add(1)));
    follow.filters.extend(&pass.filter);
    follow.flags = vec![&metric.base, &metric.conversion];
    follow.key = metric
        .constant_properties
        .iter()
        .map(String::as_str)
        .collect();
    let mut cells: Cells<(i64, i64)> = Cells::new();
    let mut visit = |steps: &[Step]| -> Result<()> {
        let mut base: BTreeSet<(usize, u32)> = BTreeSet::new();
        let mut converted: BTreeSet<(usize, u32)> = BTreeSet::new();
        for run in steps.chunk_by(|a, b| a.key == b.key) {
            let times: Vec<i64> = run
                .iter()
                .filter(|s| s.flags & CONVERSION != 0 && s.whole)
                .map(|s| s.at)
                .collect();
            for step in run.iter().filter(|s| s.flags & BASE != 0) {
                let Some(position) = windows.positions(step.at).next() else {
                    continue;
                };
                base.insert((position, step.id));
                let own = usize::from(step.flags & CONVERSION != 0 && step.whole);
                let from = times.partition_point(|t| *t < step.at);
                let until = end(step.at, metric.window)?;
                let to = times.partition_point(|t| *t <= until);
                if step.whole && to.saturating_sub(from) > own {
                    converted.insert((position, step.id));
                }
            }
        }
        for (position, id) in base {
            cells.at(position, id)?.1 += 1;
        }
        for (position, id) in converted {
            cells.at(position, id)?.0 += 1;
        }
        Ok(())
    };
    let stats = follow.each(cx, combinations, &mut visit).await?;
    let sparse = match metric.calculation {
        Calculation::ConversionRate => cells.shares(|(above, below)| (*above as f64, *below)),
        Calculation::Conversions => cells.counts(|(above, _)| *above),
    };
    Ok(Found { sparse, stats })
}
