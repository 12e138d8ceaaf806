//! Sessions.

use std::sync::Arc;

use crate::Result;
use crate::behavior::sessions::durations::{Durations, Percentile};
use crate::behavior::sessions::walk::{Carry, Marks, Rules, Session};
use crate::behavior::window::Window;
use crate::event::ACTOR;
use crate::metric::behaviour::{SessionMeasure, SessionsMetric};
use crate::metric::query::executor::Combinations;
use crate::metric::query::graph::Pass;

use super::follow::{Follow, Step};
use super::{Cells, Found, PassContext};

/// What is known of the sessions of a cell.
#[derive(Debug, Default)]
struct Counted {
    sessions: i64,
    events: u64,
    actors: u64,
    /// The last actor counted, from 1.
    last_actor: u64,
    duration: u128,
    zeros: u64,
    durations: Durations,
}

pub(super) async fn run(
    cx: &PassContext<'_>,
    pass: &Pass,
    metric: &SessionsMetric,
    combinations: &mut Combinations,
) -> Result<Found> {
    let windows = cx.spine.windows(None)?;
    let calendar = Arc::new(cx.spine.calendar().clone());
    let rules = Rules {
        gap: Window::new(Some(metric.gap), &calendar),
        max_length: Window::Endless,
    };
    // A session may begin long before the event that is seen of it, and end long after.
    let mut follow = Follow::new(vec![ACTOR], (i64::MIN, i64::MAX));
    follow.filters.extend(&pass.filter);
    follow.filters.extend(&metric.active);
    let median = metric.measure == SessionMeasure::MedianDuration;
    let mut cells: Cells<Counted> = Cells::new();
    let mut times = Vec::new();
    let mut actor = 0;
    let mut visit = |steps: &[Step]| -> Result<()> {
        actor += 1;
        times.clear();
        times.extend(steps.iter().map(|s| s.at));
        let mut counted = Ok(());
        let marks = Marks {
            belongs: |_| true,
            bounds: None::<(fn(usize) -> bool, fn(usize) -> bool)>,
        };
        rules.sessions(
            &times,
            marks,
            &mut Carry::default(),
            false,
            |session: &Session| {
                let Some(position) = windows.positions(session.start).next() else {
                    return;
                };
                let id = steps.get(session.first).map_or(0, |s| s.id);
                let cell = match cells.at(position, id) {
                    Ok(cell) => cell,
                    Err(e) => {
                        counted = Err(e);
                        return;
                    }
                };
                let duration = session.duration();
                cell.sessions += 1;
                cell.events += session.events;
                cell.actors += u64::from(cell.last_actor != actor);
                cell.last_actor = actor;
                cell.duration += u128::from(duration);
                cell.zeros += u64::from(duration == 0);
                if median && duration > 0 {
                    cell.durations.push(duration);
                }
            },
        );
        counted
    };
    let stats = follow.each(cx, combinations, &mut visit).await?;
    let sparse = match metric.measure {
        SessionMeasure::Count => cells.counts(|c| c.sessions),
        SessionMeasure::PerActor => cells.numbers(|c| Some(c.sessions as f64 / c.actors as f64)),
        SessionMeasure::MeanDuration => {
            cells.numbers(|c| Some(c.duration as f64 / 1e6 / c.sessions as f64))
        }
        SessionMeasure::MedianDuration => cells.numbers(|c| {
            let all = Percentile {
                zeros: c.zeros,
                durations: &c.durations,
            };
            all.seconds(&[50.0]).first().copied().flatten()
        }),
        SessionMeasure::EventsPerSession => {
            cells.numbers(|c| Some(c.events as f64 / c.sessions as f64))
        }
    };
    Ok(Found { sparse, stats })
}
