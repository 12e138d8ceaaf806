//! Rules about how things stand rather than how they changed: bounds, goals, budgets, mixes and comparisons.

use crate::calendar::Grain;
use crate::detect::Measure;
use crate::metric::LocalText;
use crate::{Error, Result};

use super::bounds::{milestone, threshold};
use super::build::Builder;
use super::burn::burn_rate;
use super::compare::comparisons;
use super::cube::{Cube, MetricOf, SeriesOf};
use super::drift::drifts;
use super::finding::{Change, Driver, FindingKind, Findings, Part, Severity};
use super::goal::goal;
use super::merge::merge;
use super::notes::{Notes, Why, note};
use super::plan::Plan;
use super::rule::{Rule, Rules};
use super::words::Words;

/// What a rule of these kinds found; a finding before it has words.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) kind: FindingKind,
    pub(crate) rule: String,
    pub(crate) metric: usize,
    pub(crate) segment: Vec<Part>,
    /// What makes its id besides rule, metric, direction and segment; the first moment of the window unless given.
    pub(crate) key: Option<String>,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) over: bool,
    pub(crate) observed: f64,
    pub(crate) expected: f64,
    pub(crate) direction: Change,
    /// Whether it is good, where that is not a matter of the direction that the metric wants.
    pub(crate) good: Option<bool>,
    pub(crate) absolute: f64,
    pub(crate) relative: Option<f64>,
    pub(crate) confidence: f64,
    pub(crate) severity: Severity,
    pub(crate) score: f64,
    pub(crate) numbers: Vec<(&'static str, f64)>,
    /// What a chart shows as expected in every period.
    pub(crate) line: Option<f64>,
    pub(crate) drivers: Vec<Driver>,
    pub(crate) words: Words,
}

/// What these rules look at.
pub(crate) struct View<'a> {
    pub(crate) builder: &'a Builder<'a>,
    pub(crate) cube: &'a Cube,
    pub(crate) plan: &'a Plan,
    pub(crate) level: f64,
    pub(crate) least: f64,
}

/// Checks that the dimensions that rules name are among those of the run.
///
/// # Errors
/// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) with the rule, the dimension and what was probably meant.
pub(crate) fn check_by(rules: &Rules, dimensions: &[String]) -> Result<()> {
    for rule in &rules.rules {
        for name in rule.by() {
            if dimensions.contains(name) {
                continue;
            }
            let names = dimensions.iter().map(String::as_str);
            let hint = match crate::document::nearest(name, names) {
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => format!("; those of the run are: {}", dimensions.join(", ")),
            };
            return Err(Error::invalid_spec(format!(
                "rules: `{}`: by: `{}` is not a dimension of the run{hint}",
                rule.name(),
                crate::document::shortened(name)
            )));
        }
    }
    Ok(())
}

/// Looks by all rules of these kinds, adds what they find to the findings and what they cannot judge to the notes, and returns how
/// many tests were made.
pub(crate) fn of_states(view: &View<'_>, rules: &Rules, findings: &mut Findings) -> Result<usize> {
    let notes = &mut findings.notes;
    let mut states = Vec::new();
    let mut compared = Vec::new();
    let (mut drifting, mut tests) = (Vec::new(), 0);
    for rule in &rules.rules {
        for metric in rule.metrics() {
            if view.metric(metric).is_none() {
                let metric = metric.to_owned();
                left_out(notes, rule.name(), Why::LeftOut { metric });
            }
        }
        match rule {
            Rule::Threshold(rule) => states.extend(threshold(view, rule, notes)),
            Rule::Milestone(rule) => states.extend(milestone(view, rule, notes)),
            Rule::Goal(rule) => states.extend(goal(view, rule, notes)?),
            Rule::BurnRate(rule) => states.extend(burn_rate(view, rule, notes)),
            Rule::Comparison(rule) => {
                let (tried, found) = comparisons(view, rule, notes);
                tests += tried;
                compared.extend(found);
            }
            Rule::Drift(rule) => {
                let (tried, found) = drifts(view, rule, notes);
                tests += tried;
                drifting.extend(found);
            }
            Rule::Shift(_) | Rule::Trend(_) | Rule::Anomaly(_) | Rule::Missing(_) => {}
        }
    }
    for state in &states {
        findings
            .findings
            .push(view.builder.state(view.cube, state)?);
    }
    merge(view, findings, drifting, compared)?;
    Ok(tests)
}

/// Says why a rule does not judge something.
pub(crate) fn left_out(notes: &mut Vec<LocalText>, rule: &str, why: Why) {
    let rule = rule.to_owned();
    note(notes, Notes::NotJudged { rule, why });
}

impl View<'_> {
    /// Returns a metric of the run with its place.
    pub(crate) fn metric(&self, name: &str) -> Option<(usize, &MetricOf)> {
        let mut all = self.cube.metrics.iter().enumerate();
        all.find(|(_, m)| m.name == name)
    }

    /// Returns the series of a metric: the whole, and the values of each of the dimensions but what is left together.
    pub(crate) fn series(
        &self,
        rule: &str,
        metric: usize,
        by: &[String],
        notes: &mut Vec<LocalText>,
    ) -> Vec<&SeriesOf> {
        let mut found: Vec<&SeriesOf> = self.cube.find(metric, &[]).into_iter().collect();
        for dimension in by {
            let before = found.len();
            found.extend(
                self.values(metric, dimension)
                    .into_iter()
                    .filter(|s| !s.rest),
            );
            if found.len() == before {
                let name = self.cube.metrics.get(metric).map(|m| m.name.clone());
                let why = Why::NotCut {
                    metric: name.unwrap_or_default(),
                    dimension: dimension.clone(),
                };
                left_out(notes, rule, why);
            }
        }
        found
    }

    /// Returns the series of a metric by one dimension.
    pub(crate) fn values(&self, metric: usize, dimension: &str) -> Vec<&SeriesOf> {
        let of = |s: &&SeriesOf| {
            s.metric == metric && matches!(s.segment.as_slice(), [p] if p.dimension == dimension)
        };
        self.cube.series().iter().filter(of).collect()
    }

    /// Tells whether the mean denominator of a window is too small; never of counts and amounts.
    pub(crate) fn is_small(&self, series: &SeriesOf, from: usize, to: usize) -> bool {
        let measure = self.cube.metrics.get(series.metric).map(|m| m.measure);
        if !matches!(measure, Some(Measure::Share | Measure::Mean)) {
            return false;
        }
        let some = series.below.get(from..to).unwrap_or_default();
        some.iter().sum::<f64>() < self.least * some.len().max(1) as f64
    }

    /// Returns how many periods make the stretch whose mean is judged, and in which mixes are counted: a day of hours, a week of days.
    pub(crate) fn span(&self) -> usize {
        match self.cube.grain {
            Grain::Hour => 24,
            Grain::Day => 7,
            _ => 1,
        }
    }
}
