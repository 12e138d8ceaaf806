//! Bounds and milestones: rules whose numbers come from people.

use crate::detect::{Measure, beyond, milestone as passed};
use crate::metric::LocalText;

use super::cube::SeriesOf;
use super::finding::{Change, FindingKind, Severity};
use super::notes::Why;
use super::rule_kinds::{MilestoneRule, ThresholdRule};
use super::state::{State, View, left_out};
use super::words::Words;

/// How many of the last periods may have the one in which a milestone was passed.
const RECENT: usize = 7;

/// Looks at the whole and the segments of a metric for the last periods beyond a bound.
pub(crate) fn threshold(
    view: &View<'_>,
    rule: &ThresholdRule,
    notes: &mut Vec<LocalText>,
) -> Vec<State> {
    let Some((metric, _)) = view.metric(&rule.metric) else {
        return Vec::new();
    };
    let (bound, above) = match (rule.above, rule.below) {
        (Some(bound), _) => (bound, true),
        (None, Some(bound)) => (bound, false),
        (None, None) => return Vec::new(),
    };
    let end = view.cube.judged(metric).end;
    let least = usize::try_from(rule.periods).unwrap_or(usize::MAX);
    let one = |series: &SeriesOf| {
        let values = series.values.get(..end)?;
        let stretch = beyond(values, &series.below, bound, above, least)?;
        if !series.segment.is_empty() && view.is_small(series, stretch.from, stretch.to) {
            return None;
        }
        let direction = if above { Change::Up } else { Change::Down };
        Some(State {
            kind: FindingKind::Threshold,
            severity: Severity::High,
            score: 60.0,
            ..bounded(
                rule.name.clone(),
                series,
                (stretch.from, stretch.to),
                (stretch.observed, bound),
                direction,
            )
        })
    };
    let series = view.series(&rule.name, metric, &rule.by, notes);
    series.into_iter().filter_map(one).collect()
}

/// Looks at the whole and the segments of a count for a round number passed lately.
pub(crate) fn milestone(
    view: &View<'_>,
    rule: &MilestoneRule,
    notes: &mut Vec<LocalText>,
) -> Vec<State> {
    let Some((metric, of)) = view.metric(&rule.metric) else {
        return Vec::new();
    };
    if of.measure != Measure::Count {
        let metric = rule.metric.clone();
        left_out(notes, &rule.name, Why::NotACount { metric });
        return Vec::new();
    }
    let end = view.cube.judged(metric).end;
    let one = |series: &SeriesOf| {
        let values = series.values.get(..end)?;
        let (at, round) = passed(values, RECENT)?;
        let observed = values.get(at).copied().flatten()?;
        Some(State {
            kind: FindingKind::Milestone,
            over: true,
            ..bounded(
                rule.name.clone(),
                series,
                (at, at + 1),
                (observed, round),
                Change::Up,
            )
        })
    };
    let series = view.series(&rule.name, metric, &rule.by, notes);
    series.into_iter().filter_map(one).collect()
}

/// Not a matter of chance: somebody has said what the bound is.
fn bounded(
    rule: String,
    series: &SeriesOf,
    (from, to): (usize, usize),
    (observed, bound): (f64, f64),
    direction: Change,
) -> State {
    State {
        kind: FindingKind::Threshold,
        rule,
        metric: series.metric,
        segment: series.segment.clone(),
        key: None,
        from,
        to,
        over: false,
        observed,
        expected: bound,
        direction,
        good: None,
        absolute: observed - bound,
        relative: (bound != 0.0).then(|| (observed - bound) / bound.abs()),
        confidence: 1.0,
        severity: Severity::Low,
        score: 10.0,
        numbers: vec![("observed", observed), ("bound", bound)],
        line: Some(bound),
        drivers: Vec::new(),
        words: Words::Bound,
    }
}
