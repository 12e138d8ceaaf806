//! The share of a cohort that returns on a day.

use crate::Result;
use crate::behavior::retention::walk::{Entry, Plan, Scratch, Windows};
use crate::behavior::retention::{Cohort as Start, RetentionMode as Mode};
use crate::calendar::Grain;
use crate::event::ACTOR;
use crate::metric::behaviour::{Cohort, RetentionMetric, RetentionMode};
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;

use super::follow::{Follow, Step};
use super::{Cells, Found, PassContext};

const START: u64 = 1;
const RETURN: u64 = 2;

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &RetentionMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let (spine, calendar) = (cx.spine, cx.spine.calendar());
    let (Some(first), Some(last)) = (spine.periods().first(), spine.periods().last()) else {
        return Ok(Found::default());
    };
    // What is not known yet has no cohort.
    if cx.as_of < first.start_us() {
        return Ok(Found::default());
    }
    let cohorts = calendar.periods(spine.grain(), first.start_us(), last.end_us())?;
    let positions: Vec<Option<usize>> = cohorts.iter().map(|p| spine.position(p)).collect();
    let mut bounds: Vec<i64> = cohorts.iter().map(|p| p.start_us()).collect();
    bounds.push(last.end_us());
    let days = calendar.bucketer(Grain::Day, first.start_us(), cx.as_of.saturating_add(1))?;
    let ended = days.periods().filter(|d| d.is_complete(cx.as_of)).count();
    let mode = match metric.mode {
        RetentionMode::On => Mode::On,
        RetentionMode::OnOrAfter => Mode::OnOrAfter,
    };
    let plan = Plan {
        cohorts: bounds,
        windows: Windows::Calendar {
            ended: ended as i64,
            of_cohorts: spine.grain() == Grain::Day,
        },
        as_of: cx.as_of,
        cohort: match metric.cohort {
            Cohort::FirstEver => Start::FirstEver,
            Cohort::Recurring => Start::Recurring,
        },
        later: false,
    };
    let from = match metric.cohort {
        Cohort::FirstEver => i64::MIN,
        Cohort::Recurring => first.start_us(),
    };
    let mut follow = Follow::new(vec![ACTOR], (from, cx.as_of.saturating_add(1)));
    follow.filters.extend(&pass.filter);
    follow.flags = vec![&metric.start, &metric.returning];
    let mut cells: Cells<(i64, i64)> = Cells::new();
    let mut scratch = Scratch::default();
    let (mut times, mut numbers) = (Vec::new(), Vec::new());
    let mut visit = |steps: &[Step]| -> Result<()> {
        times.clear();
        times.extend(steps.iter().map(|s| s.at));
        numbers.clear();
        numbers.resize(times.len(), -1);
        days.index_into(&times, &mut numbers)?;
        let has = |row: usize, flag: u64| steps.get(row).is_some_and(|s| s.flags & flag != 0);
        let mut counted = Ok(());
        let count = |entry: &Entry, windows: &[u32]| {
            let position = positions.get(entry.cohort).copied().flatten();
            // Day n must be over.
            let (Some(position), true) = (position, entry.ended > metric.day) else {
                return;
            };
            let retained = match mode {
                Mode::On => windows.binary_search(&metric.day).is_ok(),
                _ => windows.last().is_some_and(|last| *last >= metric.day),
            };
            let id = steps.get(entry.row).map_or(0, |s| s.id);
            match cells.at(position, id) {
                Ok(cell) => {
                    cell.0 += i64::from(retained);
                    cell.1 += 1;
                }
                Err(e) => counted = Err(e),
            }
        };
        plan.entries(
            &times,
            &numbers,
            |row| has(row, START),
            |row| has(row, RETURN),
            &mut scratch,
            count,
        );
        counted
    };
    let stats = follow.each(cx, combinations, &mut visit).await?;
    Ok(Found {
        sparse: cells.shares(|(retained, actors)| (*retained as f64, *actors)),
        stats,
    })
}
