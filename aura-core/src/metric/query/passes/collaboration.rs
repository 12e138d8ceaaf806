//! Periods in which several actors act on one object.

use std::collections::BTreeSet;

use crate::Result;
use crate::engine::ScanStats;
use crate::event::ACTOR;
use crate::metric::behaviour::{CollaborationMeasure, CollaborationMetric, Statistic};
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;
use crate::metric::query::period_of::Finder;
use crate::metric::query::spine::Windows;

use super::follow::{Follow, Step};
use super::statistic::of;
use super::{Cells, Found, PassContext};

/// What is known of the sessions of a cell.
#[derive(Debug, Default)]
struct Sessions {
    count: i64,
    participants: i64,
    seconds: Vec<f64>,
    actors: BTreeSet<u32>,
}

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &CollaborationMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let windows = cx.spine.windows(None)?;
    // A session may begin long before the event that is seen of it, and end long after.
    let mut follow = Follow::new(vec![metric.object.as_str()], (i64::MIN, i64::MAX));
    follow.by_dimensions = true;
    follow.who = Some(ACTOR);
    follow.filters.extend(&pass.filter);
    follow.filters.extend(&metric.active);
    let calendar = cx.spine.calendar();
    let mut cells: Cells<Sessions> = Cells::new();
    let mut visit = |steps: &[Step]| -> Result<()> {
        let mut from = 0;
        for (i, step) in steps.iter().enumerate() {
            let goes_on = match steps.get(i + 1) {
                Some(next) => next.at <= calendar.shift(step.at, metric.gap, false)?,
                None => false,
            };
            if goes_on {
                continue;
            }
            let stretch = steps.get(from..=i).unwrap_or_default();
            from = i + 1;
            let Some(first) = stretch.first() else {
                continue;
            };
            let actors: BTreeSet<u32> = stretch.iter().map(|s| s.who).collect();
            if actors.len() < metric.min_participants as usize {
                continue;
            }
            let Some(position) = windows.positions(first.at).next() else {
                continue;
            };
            let cell = cells.at(position, first.id)?;
            cell.count += 1;
            cell.participants += actors.len() as i64;
            match metric.measure {
                CollaborationMeasure::MeanDuration | CollaborationMeasure::MedianDuration => {
                    cell.seconds.push((step.at - first.at) as f64 / 1e6);
                }
                CollaborationMeasure::Actors | CollaborationMeasure::ShareOfActors => {
                    cell.actors.extend(actors);
                }
                CollaborationMeasure::Count | CollaborationMeasure::MeanParticipants => {}
            }
        }
        Ok(())
    };
    let (actors, stats) = follow
        .each_with_actors(cx, combinations, &mut visit)
        .await?;
    let sparse = match metric.measure {
        CollaborationMeasure::Count => cells.counts(|s| s.count),
        CollaborationMeasure::Actors => cells.counts(|s| s.actors.len() as i64),
        CollaborationMeasure::MeanParticipants => {
            cells.numbers(|s| Some(s.participants as f64 / s.count as f64))
        }
        CollaborationMeasure::MeanDuration => {
            cells.numbers(|s| of(Statistic::Mean, &mut s.seconds))
        }
        CollaborationMeasure::MedianDuration => {
            cells.numbers(|s| of(Statistic::Percentile(50.0), &mut s.seconds))
        }
        CollaborationMeasure::ShareOfActors => {
            return share(
                cx,
                pass,
                metric,
                combinations,
                &windows,
                cells,
                actors,
                stats,
            )
            .await;
        }
    };
    Ok(Found { sparse, stats })
}

/// Counts the actors with an event in the period, and those of them that take part in its sessions.
#[expect(
    clippy::too_many_arguments,
    reason = "what the sessions have found, and what is asked"
)]
async fn share(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &CollaborationMetric,
    combinations: &mut Combinations,
    windows: &Windows,
    sessions: Cells<Sessions>,
    actors: super::follow::Actors,
    mut stats: ScanStats,
) -> Result<Found> {
    let range = (windows.first_us(), windows.end_us());
    let mut follow = Follow::new(vec![ACTOR], range);
    follow.by_dimensions = true;
    follow.who = Some(ACTOR);
    follow.known = actors;
    follow.filters.extend(&pass.filter);
    follow.filters.extend(&metric.active);
    follow.cells = Some(Finder::One(windows.clone()));
    let mut cells: Cells<(i64, i64)> = Cells::new();
    let mut visit = |steps: &[Step]| -> Result<()> {
        for step in steps {
            let Ok(position) = usize::try_from(step.at) else {
                continue;
            };
            let takes_part = sessions
                .find(position, step.id)
                .is_some_and(|s| s.actors.contains(&step.who));
            let cell = cells.at(position, step.id)?;
            cell.0 += i64::from(takes_part);
            cell.1 += 1;
        }
        Ok(())
    };
    let more = follow.each(cx, combinations, &mut visit).await?;
    stats = super::sum(stats, more);
    let sparse = cells.shares(|(above, below)| (*above as f64, *below));
    Ok(Found { sparse, stats })
}
