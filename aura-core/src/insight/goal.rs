//! Targets by a date: reached, missed, or at risk.

use crate::Result;
use crate::detect::{LEAST_LINE, Line, Profile, mean};
use crate::metric::LocalText;

use super::cube::SeriesOf;
use super::finding::{Change, FindingKind, Severity};
use super::notes::Why;
use super::rule_kinds::GoalRule;
use super::state::{State, View, left_out};
use super::words::{Outcome, Words};

/// The furthest date, in periods.
const FURTHEST: usize = 10_000;
/// Stretches after the date in which a missed goal is news.
const NEWS: usize = 4;

/// What a goal says.
struct Target {
    value: f64,
    above: bool,
    /// The period in which it is judged, from the first one of the run.
    at: usize,
    /// The moment at which that period begins.
    us: i64,
    risk: f64,
}

impl Target {
    fn is_met(&self, value: f64) -> bool {
        if self.above {
            value >= self.value
        } else {
            value <= self.value
        }
    }
}

/// Judges the goal of the whole and the segments of a metric.
///
/// # Errors
/// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when the date is none in the calendar of the run.
pub(crate) fn goal(
    view: &View<'_>,
    rule: &GoalRule,
    notes: &mut Vec<LocalText>,
) -> Result<Vec<State>> {
    let Some((metric, _)) = view.metric(&rule.metric) else {
        return Ok(Vec::new());
    };
    let (value, above) = match (rule.at_least, rule.at_most) {
        (Some(value), _) => (value, true),
        (None, Some(value)) => (value, false),
        (None, None) => return Ok(Vec::new()),
    };
    let date = || rule.date.clone();
    let us = view.plan.calendar.instant(&rule.date)?;
    let Some(first) = view.plan.periods.first() else {
        return Ok(Vec::new());
    };
    if us < first.start_us() {
        left_out(notes, &rule.name, Why::NotYetBegun { date: date() });
        return Ok(Vec::new());
    }
    let furthest = i64::try_from(FURTHEST).unwrap_or(i64::MAX);
    if (us - first.start_us()) / first.length_us().max(1) > furthest {
        left_out(notes, &rule.name, Why::TooFar { date: date() });
        return Ok(Vec::new());
    }
    let of_date = view.plan.calendar.period_of(view.plan.grain, us)?;
    let until = view
        .plan
        .calendar
        .periods(view.plan.grain, first.start_us(), of_date.end_us())?;
    let target = Target {
        value,
        above,
        at: until.len().saturating_sub(1),
        us,
        risk: rule.risk.unwrap_or(0.5),
    };
    let mut states = Vec::new();
    for series in view.series(&rule.name, metric, &rule.by, notes) {
        let end = view.cube.judged(metric).end;
        let from = end.saturating_sub(view.span());
        if !series.segment.is_empty() && view.is_small(series, from, end) {
            continue;
        }
        match judge(view, rule, series, &target)? {
            Judged::State(state) => states.push(*state),
            Judged::OnTheWay => {}
            Judged::Unknown => {
                let metric = rule.metric.clone();
                left_out(notes, &rule.name, Why::NoForecast { metric });
            }
        }
    }
    Ok(states)
}

enum Judged {
    State(Box<State>),
    OnTheWay,
    Unknown,
}

fn judge(view: &View<'_>, rule: &GoalRule, series: &SeriesOf, target: &Target) -> Result<Judged> {
    let (span, end) = (view.span(), view.cube.judged(series.metric).end);
    let of = |to: usize| {
        let from = to.saturating_sub(span);
        mean(&series.values, &series.below, from, to.min(end))
    };
    let make = |to: usize, now: f64, outcome: Outcome, forecast: Option<&Forecast>| {
        let seen = (to.saturating_sub(span), to);
        state(view, rule, series, target, seen, now, outcome, forecast)
    };
    if target.at < end {
        let to = target.at + 1;
        let Some(value) = of(to) else {
            return Ok(Judged::Unknown);
        };
        if target.is_met(value) {
            return make(to, value, Outcome::Reached, None);
        }
        return match to + NEWS * span > end {
            true => make(to, value, Outcome::Missed, None),
            false => Ok(Judged::OnTheWay),
        };
    }
    let Some(now) = of(end) else {
        return Ok(Judged::Unknown);
    };
    let met = target.is_met(now);
    let Some(forecast) = Forecast::new(view, series, target) else {
        return match met {
            true => make(end, now, Outcome::Reached, None),
            false => Ok(Judged::Unknown),
        };
    };
    match (forecast.chance < target.risk, met) {
        (true, _) => make(end, now, Outcome::AtRisk, Some(&forecast)),
        (false, true) => make(end, now, Outcome::Reached, Some(&forecast)),
        (false, false) => Ok(Judged::OnTheWay),
    }
}

/// What is to be expected at the date.
struct Forecast {
    value: f64,
    lower: f64,
    upper: f64,
    /// The chance that the target is met.
    chance: f64,
    /// The first period, after those that are known, from which it is probably met (where it is not now) or no longer met
    /// (where it is).
    turns: Option<usize>,
}

/// The mean of a stretch, as a line forecasts it.
struct Ahead<'a> {
    profile: &'a Profile,
    line: Line,
    /// The first period of the sample in the run.
    begin: usize,
    span: usize,
}

impl Ahead<'_> {
    /// Returns the time, on the line, of the middle of the stretch that ends with a period.
    fn middle(&self, at: usize) -> f64 {
        let place = at as f64 - (self.begin + self.profile.begin) as f64;
        place - (self.span as f64 - 1.0) / 2.0
    }

    /// Returns the mean of the stretch that ends with a period when its level is by `off` (on the scale) another one.
    fn value(&self, at: usize, off: f64) -> f64 {
        let sum: f64 = (0..self.span)
            .map(|back| {
                let place = at.saturating_sub(back);
                let t = place as f64 - (self.begin + self.profile.begin) as f64;
                let level = self.line.at(t) + off;
                Line::value(self.profile, level, place.saturating_sub(self.begin))
            })
            .sum();
        sum / self.span as f64
    }

    /// Returns the chance that the mean of the stretch meets the target.
    fn chance(&self, at: usize, target: &Target) -> f64 {
        // The scale is monotone: by halving, how far the level is from the one whose values have the target as their mean.
        let error = self.line.error(self.middle(at));
        let (mut low, mut high) = (-60.0 * error, 60.0 * error);
        for _ in 0..80 {
            let off = 0.5 * (low + high);
            match self.value(at, off) < target.value {
                true => low = off,
                false => high = off,
            }
        }
        let level = self.line.at(self.middle(at)) + 0.5 * (low + high);
        let above = self.line.chance(self.middle(at), level);
        if target.above { above } else { 1.0 - above }
    }
}

impl Forecast {
    fn new(view: &View<'_>, series: &SeriesOf, target: &Target) -> Option<Forecast> {
        let span = view.span();
        let (sample, begin) = view.cube.sample(series)?;
        let profile = Profile::new(&sample)?;
        if profile.levels.len() < LEAST_LINE {
            return None;
        }
        let ahead = Ahead {
            line: Line::of(&profile, span)?,
            profile: &profile,
            begin,
            span,
        };
        let middle = ahead.middle(target.at);
        let (low, high) = ahead.line.interval(middle);
        let off = |level: f64| level - ahead.line.at(middle);
        let value = ahead.value(target.at, 0.0);
        let end = view.cube.judged(series.metric).end;
        let met = target.is_met(ahead.value(end.checked_sub(1)?, 0.0));
        let furthest = (target.at + 4 * (target.at - end + 1)).min(end + FURTHEST);
        let mut later = end..=furthest;
        let turns = later.find(|at| target.is_met(ahead.value(*at, 0.0)) != met);
        let forecast = Forecast {
            value,
            lower: ahead.value(target.at, off(low)),
            upper: ahead.value(target.at, off(high)),
            chance: ahead.chance(target.at, target),
            turns,
        };
        let all = [
            forecast.value,
            forecast.lower,
            forecast.upper,
            forecast.chance,
        ];
        all.iter().all(|v| v.is_finite()).then_some(forecast)
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "all of it is what one finding says"
)]
fn state(
    view: &View<'_>,
    rule: &GoalRule,
    series: &SeriesOf,
    target: &Target,
    (from, to): (usize, usize),
    now: f64,
    outcome: Outcome,
    forecast: Option<&Forecast>,
) -> Result<Judged> {
    let plan = view.plan;
    // The period that a number stands for, of those to come too.
    let moment = |at: usize| -> Result<i64> {
        if let Some(period) = plan.periods.get(at) {
            return Ok(period.start_us());
        }
        let Some(last) = plan.periods.last() else {
            return Ok(target.us);
        };
        let mut period = *last;
        for _ in plan.periods.len()..=at {
            period = plan.calendar.next(&period)?;
        }
        Ok(period.start_us())
    };
    let turns = match forecast.and_then(|f| f.turns) {
        Some(at) if outcome == Outcome::AtRisk => Some((at, moment(at)?)),
        _ => None,
    };
    let seen = match (outcome, forecast) {
        (Outcome::AtRisk, Some(forecast)) => forecast.value,
        _ => now,
    };
    let mut numbers = vec![("now", now), ("target", target.value)];
    if let Some(f) = forecast {
        numbers.extend([
            ("forecast", f.value),
            ("forecast_lower", f.lower),
            ("forecast_upper", f.upper),
            ("chance", f.chance),
        ]);
    }
    if let Some((at, _)) = turns {
        numbers.push(("periods_until_it_turns", (at + 1).saturating_sub(to) as f64));
    }
    let met = target.is_met(now);
    let words = Words::Goal {
        outcome,
        above: target.above,
        now,
        target: target.value,
        met,
        date: view.builder.local_of(target.us)?,
        interval: forecast.map(|f| (f.lower, f.upper)),
        turns: turns.map(|(_, us)| view.builder.local_of(us)).transpose()?,
    };
    let (severity, score) = match outcome {
        Outcome::Reached => (Severity::Low, 12.0),
        Outcome::AtRisk => (Severity::Medium, 50.0),
        Outcome::Missed => (Severity::High, 55.0),
    };
    Ok(Judged::State(Box::new(State {
        kind: FindingKind::Goal,
        rule: rule.name.clone(),
        metric: series.metric,
        segment: series.segment.clone(),
        key: Some(format!("{} {outcome:?}", rule.date)),
        from,
        to,
        over: true,
        observed: seen,
        expected: target.value,
        direction: match (outcome == Outcome::Reached) == target.above {
            true => Change::Up,
            false => Change::Down,
        },
        good: Some(outcome == Outcome::Reached),
        absolute: seen - target.value,
        relative: (target.value != 0.0).then(|| (seen - target.value) / target.value.abs()),
        confidence: match (outcome, forecast) {
            (Outcome::AtRisk, Some(forecast)) => 1.0 - forecast.chance,
            _ => 1.0,
        },
        severity,
        score,
        numbers,
        line: Some(target.value),
        drivers: Vec::new(),
        words,
    })))
}
