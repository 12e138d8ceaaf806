//! Budgets of errors that are spent too fast.

use crate::calendar::Grain;
use crate::detect::{Burn, Measure, Pace, burn};
use crate::metric::{Direction, LocalText};

use super::cube::SeriesOf;
use super::finding::{Change, FindingKind, Severity};
use super::notes::Why;
use super::rule_kinds::BurnRateRule;
use super::state::{State, View, left_out};
use super::words::Words;

/// The days of the budget that evidence tells the spent part of.
const BUDGET_DAYS: f64 = 30.0;
const DAY_US: f64 = 86_400_000_000.0;
/// A rate from which a budget of 30 days is gone in ten days or less is of high severity.
const FAST: f64 = 3.0;

/// The pairs of windows of the workbook at the grain of the run; the short ones of minutes become one period.
fn usual(grain: Grain) -> &'static [(usize, usize, f64)] {
    match grain {
        Grain::Minute => &[(60, 5, 14.4), (360, 30, 6.0)],
        Grain::Hour => &[(1, 1, 14.4), (6, 1, 6.0), (72, 6, 1.0)],
        Grain::Day => &[(1, 1, 3.0), (3, 1, 1.0)],
        Grain::Week | Grain::Month | Grain::Quarter | Grain::Year => &[(1, 1, 1.0)],
    }
}

/// Looks at the whole and the segments of a share for budgets that are spent too fast.
pub(crate) fn burn_rate(
    view: &View<'_>,
    rule: &BurnRateRule,
    notes: &mut Vec<LocalText>,
) -> Vec<State> {
    let Some((metric, of)) = view.metric(&rule.metric) else {
        return Vec::new();
    };
    if of.measure != Measure::Share {
        let metric = rule.metric.clone();
        left_out(notes, &rule.name, Why::NotAShare { metric });
        return Vec::new();
    }
    let is_bad = rule.bad.unwrap_or(of.direction == Direction::Down);
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let given = rule.windows.iter().map(|w| Pace {
        long: size(w.long),
        short: size(w.short),
        factor: w.factor,
    });
    let mut paces: Vec<Pace> = given.collect();
    if paces.is_empty() {
        let usual = usual(view.cube.grain).iter();
        paces.extend(usual.map(|(long, short, factor)| Pace {
            long: *long,
            short: *short,
            factor: *factor,
        }));
    }
    let end = view.cube.judged(metric).end;
    let needed = paces.iter().map(|p| p.long).min().unwrap_or(1);
    if end < needed {
        let why = Why::FewPeriods { needed, known: end };
        left_out(notes, &rule.name, why);
        return Vec::new();
    }
    let series = view.series(&rule.name, metric, &rule.by, notes);
    // Each series and pair is a test that chance could pass.
    let level = view.level / (series.len().max(1) * paces.len().max(1)) as f64;
    let one = |series: &SeriesOf| {
        let total = series.below.get(..end)?;
        let values = series.values.get(..end)?.iter().zip(total);
        let bad: Vec<f64> = values
            .map(|(value, total)| match (value, is_bad) {
                (Some(share), true) => share * total,
                (Some(share), false) => (1.0 - share) * total,
                (None, _) => 0.0,
            })
            .collect();
        let found = burn(&bad, total, rule.objective, &paces, level)?;
        let pace = paces.get(found.pace)?;
        state(view, rule, series, &found, pace, is_bad)
    };
    series.into_iter().filter_map(one).collect()
}

fn state(
    view: &View<'_>,
    rule: &BurnRateRule,
    series: &SeriesOf,
    found: &Burn,
    pace: &Pace,
    is_bad: bool,
) -> Option<State> {
    let end = view.cube.judged(series.metric).end;
    let share = |good: f64| if is_bad { 1.0 - good } else { good };
    let allowed = 1.0 - rule.objective;
    let (observed, expected) = (share(1.0 - found.long * allowed), share(rule.objective));
    let first = view.cube.periods.get(end.checked_sub(pace.long)?)?;
    let last = view.cube.periods.get(end.checked_sub(1)?)?;
    let days = (last.end_us - first.start_us) as f64 / DAY_US;
    Some(State {
        kind: FindingKind::BurnRate,
        rule: rule.name.clone(),
        metric: series.metric,
        segment: series.segment.clone(),
        key: None,
        from: found.from,
        to: end,
        over: false,
        observed,
        expected,
        direction: if is_bad { Change::Up } else { Change::Down },
        good: Some(false),
        absolute: observed - expected,
        relative: (expected != 0.0).then(|| (observed - expected) / expected),
        confidence: 1.0 - found.p_value,
        severity: match found.long >= FAST {
            true => Severity::High,
            false => Severity::Medium,
        },
        score: (40.0 + 10.0 * found.long.log2()).clamp(40.0, 90.0),
        numbers: vec![
            ("observed", observed),
            ("objective", rule.objective),
            ("burn_rate_long", found.long),
            ("burn_rate_short", found.short),
            ("factor", pace.factor),
            ("periods_long", pace.long as f64),
            ("periods_short", pace.short as f64),
            ("bad", found.bad),
            ("total", found.total),
            ("budget_spent_of_30_days", found.long * days / BUDGET_DAYS),
            ("p_value", found.p_value),
        ],
        line: Some(expected),
        drivers: Vec::new(),
        words: Words::Burn {
            rate: found.long,
            objective: expected,
        },
    })
}
