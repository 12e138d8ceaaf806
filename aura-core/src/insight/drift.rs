//! Mixes that changed: a count over the values of a dimension.

use crate::detect::{Measure, Mix, mix};
use crate::metric::LocalText;

use super::cube::SeriesOf;
use super::finding::{Change, Driver, Effect, FindingKind, Part, Severity};
use super::notes::Why;
use super::rule_kinds::DriftRule;
use super::state::{State, View, left_out};
use super::words::Words;

/// Values that are named as those that the change comes from.
const MOST_NAMED: usize = 3;

/// A mix that was tested.
pub(crate) struct Drifting {
    pub(crate) state: State,
    pub(crate) dimension: String,
    pub(crate) p_value: f64,
    pub(crate) is_large: bool,
}

/// Tests the mixes, and returns how many tests were made with all of them: their p-values are corrected together.
pub(crate) fn drifts(
    view: &View<'_>,
    rule: &DriftRule,
    notes: &mut Vec<LocalText>,
) -> (usize, Vec<Drifting>) {
    let span = view.span();
    let (usual_now, usual_before) = match span {
        1 => (4, 16),
        _ => (2, 8),
    };
    let blocks = |given: Option<u32>, usual: usize| {
        let given = given.map(|p| usize::try_from(p).unwrap_or(usize::MAX) / span);
        given.unwrap_or(usual).max(2)
    };
    let (now, before) = (
        blocks(rule.periods, usual_now),
        blocks(rule.reference, usual_before),
    );
    let mut made = Vec::new();
    for metric in metrics(view, rule, notes) {
        let range = view.cube.judged(metric);
        let known = (range.end - range.start) / span;
        if known < now.saturating_add(2) {
            let (needed, known) = (
                now.saturating_add(2).saturating_mul(span),
                range.end - range.start,
            );
            left_out(notes, &rule.name, Why::FewPeriods { needed, known });
            continue;
        }
        let length = known.min(now.saturating_add(before));
        let from = range.end - length * span;
        for dimension in view.cube.dimensions() {
            let asked = match &rule.by {
                Some(by) => by.iter().any(|d| d == dimension),
                None => !view.cube.turning.iter().any(|d| d == dimension),
            };
            if !asked {
                continue;
            }
            let rows: Vec<&SeriesOf> = view.values(metric, dimension);
            let sums = |series: &&SeriesOf| -> Vec<f64> {
                let some = series.values.get(from..range.end).unwrap_or_default();
                let blocks = some.chunks(span);
                blocks.map(|b| b.iter().flatten().sum()).collect()
            };
            let counts: Vec<Vec<f64>> = rows.iter().map(sums).collect();
            let total: f64 = counts.iter().flatten().sum();
            if total < view.least * (length * span) as f64 {
                continue;
            }
            let Some(found) = mix(&counts, now) else {
                continue;
            };
            let recent = (range.end - now * span, range.end);
            let per_period: f64 = counts
                .iter()
                .map(|row| row.iter().rev().take(now).sum::<f64>())
                .sum::<f64>()
                / (now * span) as f64;
            made.push(Drifting {
                state: state(rule, metric, dimension, &rows, &found, recent, per_period),
                dimension: dimension.to_owned(),
                p_value: found.p_value,
                is_large: found.psi >= rule.min_psi.unwrap_or(0.1),
            });
        }
    }
    (made.len(), made)
}

/// Returns the metrics of a rule whose segments add up.
fn metrics(view: &View<'_>, rule: &DriftRule, notes: &mut Vec<LocalText>) -> Vec<usize> {
    if rule.metrics.is_empty() {
        return view.cube.volume().into_iter().collect();
    }
    let mut found = Vec::new();
    for name in &rule.metrics {
        match view.metric(name) {
            Some((place, of)) if of.additive && of.measure == Measure::Count => found.push(place),
            Some(_) => {
                let metric = name.clone();
                left_out(notes, &rule.name, Why::NotAdditive { metric });
            }
            None => {}
        }
    }
    found
}

fn state(
    rule: &DriftRule,
    metric: usize,
    dimension: &str,
    rows: &[&SeriesOf],
    found: &Mix,
    (from, to): (usize, usize),
    per_period: f64,
) -> State {
    let mut moved: Vec<(Vec<Part>, f64, f64)> = rows
        .iter()
        .zip(found.before.iter().zip(&found.now))
        .map(|(row, (before, now))| (row.segment.clone(), *before, *now))
        .collect();
    moved.sort_by(|a, b| {
        let size = |m: &(Vec<Part>, f64, f64)| (m.2 - m.1).abs();
        size(b).total_cmp(&size(a)).then(a.0.cmp(&b.0))
    });
    moved.truncate(MOST_NAMED);
    let distance = found.distance.max(f64::MIN_POSITIVE);
    let driver = |(segment, before, now): &(Vec<Part>, f64, f64)| Driver {
        segment: segment.clone(),
        contribution: (now - before) * per_period,
        share: (now - before) / distance,
        effect: Effect::Mix,
    };
    let named = |(segment, before, now): &(Vec<Part>, f64, f64)| {
        let value = segment.first().and_then(|p| p.value.clone());
        (value, *before, *now)
    };
    State {
        kind: FindingKind::Drift,
        rule: rule.name.clone(),
        metric,
        segment: Vec::new(),
        // The window moves with every run, and the mix is the same one.
        key: Some(format!("by {dimension}")),
        from,
        to,
        over: true,
        observed: found.psi,
        expected: 0.0,
        direction: Change::None,
        good: None,
        absolute: found.distance * per_period,
        relative: Some(found.distance),
        confidence: 1.0,
        severity: match found.psi >= 0.25 {
            true => Severity::Medium,
            false => Severity::Low,
        },
        score: 20.0 * found.distance.sqrt(),
        numbers: vec![
            ("psi", found.psi),
            ("distance", found.distance),
            ("f", found.f),
            ("degrees_of_freedom", found.df),
            ("degrees_of_freedom_within", found.df_within),
            ("dispersion", found.dispersion),
            ("p_value", found.p_value),
        ],
        line: None,
        drivers: moved.iter().map(driver).collect(),
        words: Words::Drift {
            dimension: dimension.to_owned(),
            moved: moved.iter().map(named).collect(),
        },
    }
}
