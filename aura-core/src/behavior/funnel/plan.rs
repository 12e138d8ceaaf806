//! From the spec of a funnel to what is computed, with all checks.

use std::sync::Arc;

use super::cells::Kept;
use super::kernel::{Count, FunnelKernel};
use super::row::{MAX_EXCLUSIONS, MAX_STEPS, Marks};
use super::walk::Steps;
use super::{Attribution, Exclusion, Funnel, FunnelCount, Step, StepOrder};
use crate::behavior::EventFilter;
use crate::behavior::making::Making;
use crate::behavior::window::Window;
use crate::calendar::{Bucketer, Grain, PreparedCalendar};
use crate::time::{Span, SpanUnit};
use crate::{Error, Result};

const MAX_SAME: usize = 8;
const MAX_BOUNDS: usize = 1_000;
/// Most periods that a window is long.
const MAX_WINDOW: i64 = 1_000;

/// The columns of every result.
const COLUMNS: [&str; 16] = [
    "segment",
    "period",
    "step",
    "name",
    "count",
    "from_first",
    "from_first_low",
    "from_first_high",
    "from_previous",
    "median_seconds",
    "p95_seconds",
    "total_median_seconds",
    "total_p95_seconds",
    "histogram",
    "difference",
    "difference_low",
];

fn invalid(message: String) -> Error {
    Error::invalid_spec(message)
}

pub(super) fn prepare(funnel: &Funnel, making: &mut Making<'_>) -> Result<FunnelKernel> {
    check_steps(funnel)?;
    check_rest(funnel)?;
    let calendar = Arc::new(making.scope().calendar.clone());
    let (from, to) = (making.scope().from, making.scope().to);
    let mut step_bits = Vec::with_capacity(funnel.steps.len());
    for (i, step) in funnel.steps.iter().enumerate() {
        step_bits.push(making.condition(&format!("steps[{i}]"), &step.events)?);
    }
    let mut exclusion_bits = Vec::with_capacity(funnel.exclude.len());
    let mut exclusions = Vec::with_capacity(funnel.exclude.len());
    for (i, exclusion) in funnel.exclude.iter().enumerate() {
        let field = format!("exclude[{i}]");
        exclusion_bits.push(making.condition(&field, &exclusion.events)?);
        exclusions.push(between(&field, exclusion, funnel)?);
    }
    let mut segments = Vec::new();
    for (i, segment) in funnel.compare.iter().flatten().enumerate() {
        let field = format!("compare[{i}].where");
        // Only events that meet a step are ever asked.
        let names = match making.needs_events() {
            true => all_names(funnel),
            false => Vec::new(),
        };
        let condition = EventFilter {
            events: names,
            condition: Some(segment.r#where.clone()),
        };
        segments.push((segment.name.clone(), making.condition(&field, &condition)?));
    }
    let sessions = matches!(funnel.count, FunnelCount::Sessions { .. });
    let all = match funnel.order == StepOrder::Strict || sessions {
        true => making.any()?,
        false => 0,
    };
    let within = Window::new(funnel.within, &calendar);
    let end = match (to, &within) {
        // No chain that begins before `to` ends after this.
        (Some(to), Window::Clock(_) | Window::Calendar { .. }) => {
            within.end(to).map(|end| end.saturating_add(1))
        }
        _ => None,
    };
    making.reads(from, end);
    let periods = match funnel.grain {
        Some(grain) => bucketer(grain, &calendar, from, to, making.extent())?,
        None => None,
    };
    let mut windows = Vec::with_capacity(funnel.steps.len());
    for step in &funnel.steps {
        windows.push(Window::new(step.within, &calendar));
    }
    let optional = funnel.steps.iter().enumerate();
    let optional = optional.fold(0, |all, (i, step)| all | u64::from(step.optional) << i);
    let marks = Marks::new(&step_bits, &exclusion_bits);
    Ok(FunnelKernel {
        names: names(funnel),
        order: funnel.order,
        first: match funnel.order {
            StepOrder::Any => step_bits.iter().fold(0, |all, bit| all | bit),
            _ => step_bits.first().copied().unwrap_or(0),
        },
        steps: Steps {
            windows,
            optional,
            exclusions,
            window: within,
            strict: funnel.order == StepOrder::Strict,
            step_windows: funnel.steps.iter().any(|s| s.within.is_some()),
        },
        marks,
        all,
        count: match &funnel.count {
            FunnelCount::Actors => Count::Actors,
            FunnelCount::Totals => Count::Totals,
            FunnelCount::Sessions { gap } => Count::Sessions(gap.clock_us().unwrap_or(0)),
        },
        attribution: funnel.attribution,
        by: making.by()?,
        same: making.breakdown("same", &funnel.same)?,
        segments,
        with_periods: funnel.grain.is_some(),
        periods,
        kept: Kept {
            percentiles: funnel.times,
            bounds: funnel.histogram.iter().map(|s| s * 1_000_000).collect(),
        },
        pool: making.memory_pool(),
        range: from.unwrap_or(i64::MIN)..to.unwrap_or(i64::MAX),
        until: end.unwrap_or(i64::MAX),
        within: funnel.within,
    })
}

/// All names of events that a step may have; none if any will do.
fn all_names(funnel: &Funnel) -> Vec<String> {
    let filters = funnel.steps.iter().map(|step| &step.events.events);
    match filters.clone().any(Vec::is_empty) {
        true => Vec::new(),
        false => filters.flatten().cloned().collect(),
    }
}

fn names(funnel: &Funnel) -> Vec<String> {
    let steps = funnel.steps.len();
    match funnel.order {
        StepOrder::Any => (1..=steps).map(|k| format!("{k} of {steps}")).collect(),
        _ => funnel.steps.iter().map(Step::title).collect(),
    }
}

fn bucketer(
    grain: Grain,
    calendar: &PreparedCalendar,
    from: Option<i64>,
    to: Option<i64>,
    extent: Option<(i64, i64)>,
) -> Result<Option<Bucketer>> {
    let first = from.or(extent.map(|(first, _)| first));
    let end = to.or(extent.map(|(_, last)| last.saturating_add(1)));
    match (first, end) {
        (Some(first), Some(end)) => Ok(Some(calendar.bucketer(grain, first, end.max(first))?)),
        // There are no events.
        _ => Ok(None),
    }
}

fn check_steps(funnel: &Funnel) -> Result<()> {
    let steps = &funnel.steps;
    if !(2..=MAX_STEPS).contains(&steps.len()) {
        return Err(invalid(format!(
            "steps: {} given; a funnel has from 2 to {MAX_STEPS}",
            steps.len()
        )));
    }
    let last = steps.len() - 1;
    let any = funnel.order == StepOrder::Any;
    for (i, step) in steps.iter().enumerate() {
        if step.within.is_some() && i == 0 {
            return Err(invalid(
                "steps[0].within: there is no step before the first; leave it out".to_owned(),
            ));
        }
        if step.within.is_some() && any {
            return Err(invalid(format!(
                "steps[{i}].within: in any order no step is before another; use `within` of the funnel"
            )));
        }
        if step.optional && (i == 0 || i == last) {
            return Err(invalid(format!(
                "steps[{i}].optional: the first and the last step of a funnel cannot be optional"
            )));
        }
        if step.optional && any {
            return Err(invalid(format!(
                "steps[{i}].optional: in any order every step is optional; leave it out"
            )));
        }
        let first = steps.iter().position(|s| s.events == step.events);
        if let (Some(first), true) = (first.filter(|first| *first < i), any) {
            return Err(invalid(format!(
                "steps[{i}]: the same events as steps[{first}]; in any order each step has events of its own"
            )));
        }
    }
    Ok(())
}

/// Returns between which steps an exclusion is, from 0.
fn between(field: &str, exclusion: &Exclusion, funnel: &Funnel) -> Result<(usize, usize)> {
    let steps = funnel.steps.len();
    let (after, before) = (
        exclusion.after.unwrap_or(1),
        exclusion.before.unwrap_or(steps),
    );
    if !(1 <= after && after < before && before <= steps) {
        return Err(invalid(format!(
            "{field}: after step {after} and before step {before}; two of the {steps} steps are expected, the first one before the other"
        )));
    }
    if funnel.order == StepOrder::Any && (after, before) != (1, steps) {
        return Err(invalid(format!(
            "{field}: in any order events are excluded between the first and the last step; leave out `after` and `before`"
        )));
    }
    Ok((after - 1, before - 1))
}

fn check_rest(funnel: &Funnel) -> Result<()> {
    if funnel.exclude.len() > MAX_EXCLUSIONS {
        return Err(invalid(format!(
            "exclude: {} given; at most {MAX_EXCLUSIONS} are possible, each of which may have several events",
            funnel.exclude.len()
        )));
    }
    if funnel.same.len() > MAX_SAME {
        return Err(invalid(format!(
            "same: {} columns; at most {MAX_SAME} are possible",
            funnel.same.len()
        )));
    }
    if let FunnelCount::Sessions { gap } = &funnel.count
        && gap.clock_us().is_none()
    {
        return Err(invalid(format!(
            "count.sessions.gap: `{gap}` is a step of the calendar; write hours or shorter units, such as \"24 hours\""
        )));
    }
    match funnel.attribution {
        Attribution::First => {}
        other if funnel.by.is_empty() => {
            return Err(invalid(format!(
                "attribution: {other:?} of no column; name columns in `by`"
            )));
        }
        Attribution::Step(step) if !(1..=funnel.steps.len()).contains(&step) => {
            return Err(invalid(format!(
                "attribution.step: there is no step {step}; the steps are 1 to {}",
                funnel.steps.len()
            )));
        }
        Attribution::Step(_) | Attribution::Last | Attribution::AllSteps => {}
    }
    if let Some(taken) = funnel.by.iter().find(|by| is_taken(by)) {
        return Err(invalid(format!(
            "by: the result has a column `{taken}` of its own"
        )));
    }
    if let Some([first, second]) = &funnel.compare
        && first.name == second.name
    {
        return Err(invalid(format!(
            "compare: both segments are named `{}`",
            first.name
        )));
    }
    check_histogram(&funnel.histogram)?;
    check_grain(funnel)
}

fn is_taken(column: &str) -> bool {
    COLUMNS.contains(&column) || column == "difference_high"
}

fn check_histogram(bounds: &[u64]) -> Result<()> {
    if bounds.len() > MAX_BOUNDS {
        return Err(invalid(format!(
            "histogram: {} bounds; at most {MAX_BOUNDS} are possible",
            bounds.len()
        )));
    }
    for pair in bounds.windows(2) {
        if let [a, b] = pair
            && a >= b
        {
            return Err(invalid(format!(
                "histogram: the bound {b} after {a}; rising bounds are expected"
            )));
        }
    }
    if let Some(largest) = bounds.last()
        && *largest > (i64::MAX / 1_000_000) as u64
    {
        return Err(invalid(format!(
            "histogram: the bound {largest} is longer than any time between events"
        )));
    }
    Ok(())
}

/// Conversion over time takes a window, which must not be long beside a period: an actor may be in the middle of a chain
/// of each of them.
fn check_grain(funnel: &Funnel) -> Result<()> {
    let Some(grain) = funnel.grain else {
        return Ok(());
    };
    let Some(within) = funnel.within else {
        return Err(invalid(
            "grain: conversion over time takes `within`, so that all periods have the same time to convert"
                .to_owned(),
        ));
    };
    let periods = seconds(within) / seconds(Span::new(1, SpanUnit::from(grain))?);
    if periods > MAX_WINDOW {
        return Err(invalid(format!(
            "grain: a window of {within} is longer than {MAX_WINDOW} periods of a {grain}; take a longer grain or a shorter window"
        )));
    }
    Ok(())
}

/// About how long a span is.
fn seconds(span: Span) -> i64 {
    let unit = match span.unit() {
        SpanUnit::Second => 1,
        SpanUnit::Minute => 60,
        SpanUnit::Hour => 3_600,
        SpanUnit::Day => 86_400,
        SpanUnit::Week => 7 * 86_400,
        SpanUnit::Month => 30 * 86_400,
        SpanUnit::Quarter => 91 * 86_400,
        SpanUnit::Year => 365 * 86_400,
    };
    unit * i64::from(span.count())
}
