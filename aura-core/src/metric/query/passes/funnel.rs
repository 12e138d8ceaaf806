//! How many of those who did the first step of a funnel reached another.

use std::ops::Range;
use std::sync::Arc;

use crate::Result;
use crate::behavior::funnel::row::Row;
use crate::behavior::funnel::walk::{Begin, Steps, Walk};
use crate::behavior::window::Window;
use crate::event::ACTOR;
use crate::metric::behaviour::{FunnelBase, FunnelMetric};
use crate::metric::kind::Calculation;
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;

use super::follow::{Follow, Step};
use super::{Cells, Found, PassContext};

/// The first step.
const FIRST: u64 = 1;

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &FunnelMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let windows = cx.spine.windows(None)?;
    let calendar = Arc::new(cx.spine.calendar().clone());
    let last = calendar.shift(windows.end_us(), metric.window, false)?;
    let mut follow = Follow::new(vec![ACTOR], (windows.first_us(), last.saturating_add(1)));
    follow.filters.extend(&pass.filter);
    follow.flags = metric.steps.iter().collect();
    follow.key = metric
        .constant_properties
        .iter()
        .map(String::as_str)
        .collect();
    follow.whole_keys = true;
    // Who counts below: those who reach this many steps.
    let base = match metric.of {
        FunnelBase::First => 1,
        FunnelBase::Previous => metric.step - 1,
    };
    let mut search = Search::new(Steps {
        windows: vec![Window::Endless; metric.steps.len()],
        optional: 0,
        exclusions: Vec::new(),
        window: Window::new(Some(metric.window), &calendar),
        strict: false,
        step_windows: false,
    });
    let mut cells: Cells<(i64, i64)> = Cells::new();
    // The combination and the position of each first step.
    let mut begins: Vec<(u32, usize)> = Vec::new();
    let mut visit = |steps: &[Step]| -> Result<()> {
        begins.clear();
        let first = steps.iter().filter(|s| s.flags & FIRST != 0);
        begins.extend(first.filter_map(|s| Some((s.id, windows.positions(s.at).next()?))));
        begins.sort_unstable();
        begins.dedup();
        for of_one in begins.chunk_by(|a, b| a.0 == b.0) {
            let Some((id, _)) = of_one.first() else {
                continue;
            };
            search.take(steps, *id);
            for (id, position) in of_one {
                let bounds = windows
                    .starts
                    .get(*position)
                    .zip(windows.ends.get(*position));
                let Some((start, end)) = bounds else {
                    continue;
                };
                let reached = search.furthest(*start..*end);
                let cell = cells.at(*position, *id)?;
                cell.0 += i64::from(reached >= metric.step);
                cell.1 += i64::from(reached >= base);
            }
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

/// The search of the funnels of [`behavior`](crate::behavior), over the rows of one actor.
struct Search {
    steps: Steps,
    walk: Walk,
    /// By part and time.
    rows: Vec<Row>,
}

impl Search {
    fn new(steps: Steps) -> Search {
        Search {
            walk: Walk::new(steps.len()),
            steps,
            rows: Vec::new(),
        }
    }

    /// Takes the rows of an actor, of which those of the combination `id` may begin a chain.
    fn take(&mut self, steps: &[Step], id: u32) {
        let rows = steps.iter().zip(0..).map(|(step, row)| Row {
            time: step.at,
            marks: match step.id == id {
                true => step.flags,
                false => step.flags & !FIRST,
            },
            row,
            unit: 0,
            part: step.key,
        });
        self.rows.clear();
        self.rows.extend(rows.filter(|row| row.marks != 0));
        // The order of ties is that of funnels.
        self.rows.sort_by_key(|row| {
            let first = row.marks.trailing_zeros();
            (row.part, row.time, first, row.marks)
        });
    }

    /// Returns how many steps the longest chain has that begins in a range of time.
    fn furthest(&mut self, range: Range<i64>) -> usize {
        let mut furthest = 0;
        let begin = Begin::Times(range.clone());
        for part in self.rows.chunk_by(|a, b| a.part == b.part) {
            let skipped = part.partition_point(|row| row.time < range.start);
            let part = part.get(skipped..).unwrap_or_default();
            self.walk.search(&self.steps, part, &begin);
            furthest = furthest.max(self.walk.best.steps.len());
        }
        furthest
    }
}
