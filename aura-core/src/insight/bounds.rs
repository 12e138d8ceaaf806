//! Bounds and milestones: rules whose numbers come from people.

use crate::Result;
use crate::detect::Measure;

use super::build::Builder;
use super::cube::Cube;
use super::finding::{Change, Finding, FindingKind};
use super::rule::{MilestoneRule, Rule, Rules, ThresholdRule};

/// How many of the last periods may have the one in which a milestone was passed.
const RECENT: usize = 7;

/// Where a value is beyond a bound.
pub(crate) struct Beyond {
    pub(crate) kind: FindingKind,
    pub(crate) rule: String,
    pub(crate) metric: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) bound: f64,
    pub(crate) observed: f64,
    pub(crate) direction: Change,
}

/// Looks at the whole of each metric that a rule names.
pub(crate) fn of_bounds(builder: &Builder<'_>, cube: &Cube, rules: &Rules) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for rule in &rules.rules {
        let beyond = match rule {
            Rule::Threshold(rule) => threshold(cube, rule),
            Rule::Milestone(rule) => milestone(cube, rule),
            Rule::Shift(_) | Rule::Trend(_) | Rule::Anomaly(_) | Rule::Missing(_) => None,
        };
        if let Some(beyond) = beyond {
            findings.push(builder.beyond(cube, &beyond)?);
        }
    }
    Ok(findings)
}

fn values<'a>(cube: &'a Cube, name: &str) -> Option<(usize, &'a [Option<f64>])> {
    let metric = cube.metrics.iter().position(|m| m.name == name)?;
    let range = cube.judged(metric);
    let series = cube.find(metric, &[])?;
    Some((metric, series.values.get(..range.end)?))
}

fn threshold(cube: &Cube, rule: &ThresholdRule) -> Option<Beyond> {
    let (metric, values) = values(cube, &rule.metric)?;
    let (bound, direction) = match (rule.above, rule.below) {
        (Some(bound), _) => (bound, Change::Up),
        (None, Some(bound)) => (bound, Change::Down),
        (None, None) => return None,
    };
    let beyond = |v: &&Option<f64>| {
        v.is_some_and(|v| {
            if direction == Change::Up {
                v > bound
            } else {
                v < bound
            }
        })
    };
    let length = values.iter().rev().take_while(beyond).count();
    if length == 0 || (length as u64) < u64::from(rule.periods) {
        return None;
    }
    let from = values.len() - length;
    let inside = values.get(from..)?.iter().flatten();
    let observed = inside.sum::<f64>() / length as f64;
    Some(Beyond {
        kind: FindingKind::Threshold,
        rule: rule.name.clone(),
        metric,
        from,
        to: values.len(),
        bound,
        observed,
        direction,
    })
}

fn milestone(cube: &Cube, rule: &MilestoneRule) -> Option<Beyond> {
    let (metric, values) = values(cube, &rule.metric)?;
    if cube.metrics.get(metric)?.measure != Measure::Count {
        return None;
    }
    let before = values.len().saturating_sub(RECENT);
    let most = |values: &[Option<f64>]| values.iter().flatten().copied().fold(0.0, f64::max);
    let (old, new) = (most(values.get(..before)?), most(values));
    let mut passed = None;
    let mut power = 100.0;
    while power <= new {
        for factor in [1.0, 2.0, 5.0] {
            let round = factor * power;
            if old < round && round <= new && before > 0 {
                passed = Some(round);
            }
        }
        power *= 10.0;
    }
    let bound = passed?;
    let from = values.iter().position(|v| v.is_some_and(|v| v >= bound))?;
    Some(Beyond {
        kind: FindingKind::Milestone,
        rule: rule.name.clone(),
        metric,
        from,
        to: from + 1,
        bound,
        observed: values.get(from).copied().flatten()?,
        direction: Change::Up,
    })
}
