//! How many of the days of a window an active actor is active.

use crate::Result;
use crate::event::ACTOR;
use crate::metric::behaviour::StickinessMetric;
use crate::metric::kind::CumulativeRange;
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;
use crate::metric::query::period_of::Finder;
use crate::metric::query::spine::Windows;

use super::follow::{Follow, Step};
use super::{Cells, Found, PassContext};

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &StickinessMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let windows = cx
        .spine
        .windows(Some(CumulativeRange::Window(metric.window)))?;
    if windows.len() == 0 {
        return Ok(Found::default());
    }
    // Time is cut at the bounds of the short periods and of the windows; a cell lies in one of the former, and
    // in a window as a whole or not at all.
    let (from, to) = (windows.first_us(), windows.end_us());
    let short = cx.spine.calendar().bucketer(metric.per, from, to)?;
    let mut bounds: Vec<i64> = short.periods().map(|p| p.start_us().max(from)).collect();
    bounds.extend(&windows.starts);
    bounds.extend(&windows.ends);
    bounds.sort_unstable();
    bounds.dedup();
    let short_of = short.index_of(&bounds);
    let mut lengths = Vec::with_capacity(windows.len());
    for (start, end) in windows.starts.iter().zip(&windows.ends) {
        let ends = short.index_of(&[*start, *end - 1]);
        let [first, last] = ends.as_slice() else {
            continue;
        };
        lengths.push(i64::from(last - first + 1));
    }
    let cells_of_time = Windows {
        starts: bounds.iter().take(bounds.len() - 1).copied().collect(),
        ends: bounds.iter().skip(1).copied().collect(),
    };
    let mut follow = Follow::new(vec![ACTOR], (from, to));
    follow.by_dimensions = true;
    follow.filters.extend(&pass.filter);
    follow.filters.extend(&metric.active);
    follow.cells = Some(Finder::One(cells_of_time));
    let mut cells: Cells<(i64, i64)> = Cells::new();
    let mut visit = |steps: &[Step]| -> Result<()> {
        let starts: Vec<(i64, i32)> = steps
            .iter()
            .filter_map(|s| {
                let cell = usize::try_from(s.at).ok()?;
                Some((*bounds.get(cell)?, *short_of.get(cell)?))
            })
            .collect();
        let (Some(first), Some(last), Some(step)) = (starts.first(), starts.last(), steps.first())
        else {
            return Ok(());
        };
        let touched = windows.positions(first.0).start..windows.positions(last.0).end;
        for position in touched {
            let (Some(start), Some(end)) =
                (windows.starts.get(position), windows.ends.get(position))
            else {
                continue;
            };
            let from = starts.partition_point(|(us, _)| us < start);
            let to = starts.partition_point(|(us, _)| us < end);
            let inside = starts.get(from..to).unwrap_or_default();
            let days = inside.chunk_by(|a, b| a.1 == b.1).count();
            if days > 0 {
                let cell = cells.at(position, step.id)?;
                cell.0 += days as i64;
                cell.1 += 1;
            }
        }
        Ok(())
    };
    let stats = follow.each(cx, combinations, &mut visit).await?;
    let mut sparse = cells.shares(|(days, actors)| (*days as f64, *actors));
    // The mean number of the active of a short period is their sum over the number of these periods.
    if let Some(values) = sparse.columns.first_mut() {
        use arrow::array::{AsArray, Float64Array};
        use arrow::datatypes::Float64Type;
        let scaled: Float64Array = values
            .as_primitive::<Float64Type>()
            .iter()
            .zip(&sparse.positions)
            .map(|(value, position)| {
                let length = lengths.get(*position as usize).copied().unwrap_or(1).max(1);
                value.map(|v| v / length as f64)
            })
            .collect();
        *values = std::sync::Arc::new(scaled);
    }
    Ok(Found { sparse, stats })
}
