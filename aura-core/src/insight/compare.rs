//! Segments that differ from all others together.

use crate::detect::{Contrast, LEAST_PAIRS, Measure, contrast, q_values};
use crate::metric::LocalText;

use super::cube::SeriesOf;
use super::finding::{Change, FindingKind, Severity};
use super::notes::Why;
use super::rule_kinds::ComparisonRule;
use super::state::{State, View, left_out};
use super::words::Words;

/// A comparison that was made, of the rule with a least relative difference.
pub(crate) struct Compared {
    pub(crate) state: State,
    pub(crate) p_value: f64,
    pub(crate) is_large: bool,
}

/// Compares, and returns how many comparisons were made with all of them: their p-values are corrected together.
pub(crate) fn comparisons(
    view: &View<'_>,
    rule: &ComparisonRule,
    notes: &mut Vec<LocalText>,
) -> (usize, Vec<Compared>) {
    let usual = match view.span() {
        24 => 72,
        7 => 28,
        _ => 12,
    };
    let length = rule
        .periods
        .map_or(usual, |p| usize::try_from(p).unwrap_or(usize::MAX));
    let (mut made, mut small) = (Vec::new(), 0);
    for (number, metric) in view.cube.metrics.iter().enumerate() {
        let named = rule.metrics.contains(&metric.name);
        if !(named || rule.metrics.is_empty()) {
            continue;
        }
        if !matches!(metric.measure, Measure::Share | Measure::Mean) {
            if named {
                let metric = metric.name.clone();
                left_out(notes, &rule.name, Why::NoDenominator { metric });
            }
            continue;
        }
        let range = view.cube.judged(number);
        let from = range.end.saturating_sub(length).max(range.start);
        if range.end - from < LEAST_PAIRS {
            let (needed, known) = (LEAST_PAIRS, range.end - from);
            left_out(notes, &rule.name, Why::FewPeriods { needed, known });
            continue;
        }
        for dimension in view.cube.dimensions() {
            if rule
                .by
                .as_ref()
                .is_some_and(|by| !by.iter().any(|d| d == dimension))
            {
                continue;
            }
            let segments: Vec<&SeriesOf> = view.values(number, dimension);
            for series in told(&segments, from, range.end) {
                let (inside, outside) = groups(&segments, series, from, range.end);
                let mean = |group: &[(f64, f64)]| {
                    group.iter().map(|(_, n)| n).sum::<f64>() / group.len().max(1) as f64
                };
                if mean(&inside) < view.least || mean(&outside) < view.least {
                    small += 1;
                    continue;
                }
                if let Some(found) = contrast(&inside, &outside, metric.measure == Measure::Share) {
                    let share = mean(&inside) / (mean(&inside) + mean(&outside));
                    made.push(compared(
                        rule,
                        series,
                        &found,
                        (from, range.end),
                        metric.measure,
                        share,
                    ));
                }
            }
        }
    }
    if small > 0 {
        let (segments, least) = (small, view.least);
        left_out(notes, &rule.name, Why::Small { segments, least });
    }
    (made.len(), made)
}

/// Returns the segments that are compared: of two values, which say the same, the smaller one.
fn told<'a>(segments: &[&'a SeriesOf], from: usize, to: usize) -> Vec<&'a SeriesOf> {
    let size = |s: &SeriesOf| {
        s.below
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .sum::<f64>()
    };
    let filled = segments.iter().filter(|s| size(s) > 0.0).copied();
    let mut filled: Vec<&SeriesOf> = filled.collect();
    if filled.len() == 2 {
        filled.sort_by(|a, b| size(a).total_cmp(&size(b)).then(a.segment.cmp(&b.segment)));
        filled.truncate(1);
    }
    filled.retain(|s| !s.rest);
    filled
}

/// A value and a denominator for each period.
type Group = Vec<(f64, f64)>;

/// Returns value and denominator by period of a segment and of all others of its dimension together. An actor of several segments
/// counts in each.
fn groups(segments: &[&SeriesOf], part: &SeriesOf, from: usize, to: usize) -> (Group, Group) {
    let at = |s: &SeriesOf, at: usize| {
        let value = s.values.get(at).copied().flatten();
        let below = s.below.get(at).copied().unwrap_or(0.0).max(0.0);
        value.map_or((0.0, 0.0), |value| (value, below))
    };
    let rest = |place: usize| {
        let others = segments.iter().filter(|s| s.segment != part.segment);
        let (mut sum, mut total) = (0.0, 0.0);
        for (value, below) in others.map(|s| at(s, place)) {
            sum += value * below;
            total += below;
        }
        match total > 0.0 {
            true => (sum / total, total),
            false => (0.0, 0.0),
        }
    };
    let inside = (from..to).map(|place| at(part, place)).collect();
    (inside, (from..to).map(rest).collect())
}

fn compared(
    rule: &ComparisonRule,
    series: &SeriesOf,
    found: &Contrast,
    (from, to): (usize, usize),
    measure: Measure,
    share: f64,
) -> Compared {
    let base = match measure {
        Measure::Share => found.outside.min(1.0 - found.outside).max(0.005),
        _ => found.outside.abs(),
    };
    let change = if base > 0.0 {
        found.difference.abs() / base
    } else {
        10.0
    };
    let worth = change.min(3.0) * share.sqrt();
    let state = State {
        kind: FindingKind::Comparison,
        rule: rule.name.clone(),
        metric: series.metric,
        segment: series.segment.clone(),
        // The window moves with every run, and the difference is the same one.
        key: Some(String::new()),
        from,
        to,
        over: true,
        observed: found.inside,
        expected: found.outside,
        direction: if found.difference > 0.0 {
            Change::Up
        } else {
            Change::Down
        },
        good: None,
        absolute: found.difference,
        relative: (found.outside != 0.0).then(|| found.difference / found.outside.abs()),
        confidence: 1.0,
        severity: Severity::Low,
        // Whatever changed comes first: the least score of a change is greater.
        score: 0.04 * worth / (1.0 + worth),
        numbers: vec![
            ("observed", found.inside),
            ("expected", found.outside),
            ("change", found.difference),
            ("change_lower", found.lower),
            ("change_upper", found.upper),
            ("standard_error", found.error),
            ("degrees_of_freedom", found.df),
            ("p_value", found.p_value),
        ],
        line: Some(found.outside),
        drivers: Vec::new(),
        words: Words::Comparison {
            lower: found.lower,
            upper: found.upper,
        },
    };
    Compared {
        state,
        p_value: found.p_value,
        is_large: change >= rule.min_change.unwrap_or(0.1),
    }
}

/// Keeps what is beyond chance at a level among all that were compared, and large; the surest first.
pub(crate) fn kept(mut made: Vec<Compared>, level: f64) -> Vec<State> {
    let p_values: Vec<f64> = made.iter().map(|c| c.p_value).collect();
    let q_values = q_values(&p_values, made.len());
    for (one, q) in made.iter_mut().zip(&q_values) {
        one.state.confidence = 1.0 - q;
        one.state.numbers.push(("q_value", *q));
    }
    let mut sure: Vec<(f64, Compared)> = q_values
        .into_iter()
        .zip(made)
        .filter(|(q, one)| *q <= level && one.is_large)
        .collect();
    sure.sort_by(|a, b| {
        let by_size = b.1.state.score.total_cmp(&a.1.state.score);
        a.1.p_value.total_cmp(&b.1.p_value).then(by_size)
    });
    sure.into_iter().map(|(_, one)| one.state).collect()
}
