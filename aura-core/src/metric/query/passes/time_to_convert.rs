//! How long it takes from one event to another.

use crate::Result;
use crate::event::ACTOR;
use crate::metric::behaviour::TimeToConvertMetric;
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;

use super::follow::{Follow, Step};
use super::statistic::of;
use super::{Cells, Found, PassContext};

const FROM: u64 = 1;
const TO: u64 = 2;

/// At one time, rows that only start come first, then those that end and start, then those that only end.
fn rank(step: &Step) -> u8 {
    match (step.flags & FROM != 0, step.flags & TO != 0) {
        (true, false) => 0,
        (true, true) => 1,
        _ => 2,
    }
}

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &TimeToConvertMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let windows = cx.spine.windows(None)?;
    let calendar = cx.spine.calendar();
    let last = calendar.shift(windows.end_us(), metric.window, false)?;
    let mut follow = Follow::new(vec![ACTOR], (windows.first_us(), last + 1));
    follow.filters.extend(&pass.filter);
    follow.flags = vec![&metric.from, &metric.to];
    follow.key = metric
        .constant_properties
        .iter()
        .map(String::as_str)
        .collect();
    follow.whole_keys = true;
    let mut cells: Cells<Vec<f64>> = Cells::new();
    let mut visit = |steps: &[Step]| -> Result<()> {
        for run in steps.chunk_by(|a, b| a.key == b.key) {
            let mut sorted = run.to_vec();
            sorted.sort_by_key(|s| (s.at, rank(s)));
            let mut open: Option<Step> = None;
            for step in sorted {
                if step.flags & TO != 0
                    && let Some(from) = open.take()
                    && step.at <= calendar.shift(from.at, metric.window, false)?
                    && let Some(position) = windows.positions(from.at).next()
                {
                    let seconds = (step.at - from.at) as f64 / 1e6;
                    cells.at(position, from.id)?.push(seconds);
                }
                if step.flags & FROM != 0 {
                    open = Some(step);
                }
            }
        }
        Ok(())
    };
    let stats = follow.each(cx, combinations, &mut visit).await?;
    let sparse = cells.numbers(|times| of(metric.statistic, times));
    Ok(Found { sparse, stats })
}
