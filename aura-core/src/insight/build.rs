//! From stories to findings: windows, sizes, severity, words.

mod state;

use jiff::tz::TimeZone;
use xxhash_rust::xxh3::xxh3_64;

use crate::calendar::{Grain, Period};
use crate::detect::{FactKind, Measure};
use crate::metric::{Direction, LocalText};
use crate::{Error, Result};

use super::analyse::Look;
use super::cause::Cause;
use super::collect::Collector;
use super::cut::condition;
use super::finding::{
    Change, Effect, Evidence, Finding, FindingKind, Named, Part, Related, Series, Severity, Size,
    Status, Window,
};
use super::run::moment;
use super::scan::Candidate;
use super::story::Story;
use super::words::{Language, Said, action, sentence};

/// Related findings that are named.
const MOST_RELATED: usize = 12;

/// What findings are made with.
pub(crate) struct Builder<'a> {
    pub(crate) collector: &'a Collector<'a>,
    pub(crate) zone: TimeZone,
    /// The names of the rules by their numbers.
    pub(crate) rules: Vec<String>,
}

impl Builder<'_> {
    /// Makes the finding of a story.
    pub(crate) fn finding(&self, look: &Look, story: &Story) -> Result<Finding> {
        let missing = || Error::internal("a story has no fact");
        let candidate = look.scan.candidates.get(story.head).ok_or_else(missing)?;
        let fact = &candidate.fact;
        let series = look
            .cube
            .series()
            .get(candidate.series)
            .ok_or_else(missing)?;
        let metric = look.cube.metrics.get(series.metric).ok_or_else(missing)?;
        let (first, last, grain) = self.window(fact.kind, fact.from, fact.to)?;
        let kind = kind_of(fact.kind);
        let direction = match fact.absolute() {
            d if d > 0.0 => Change::Up,
            d if d < 0.0 => Change::Down,
            _ => Change::None,
        };
        let good = good(metric.direction, direction);
        let without: Vec<Part> = match series.segment.as_slice() {
            // The series of a dimension has its other values left out already.
            [part] => look
                .cube
                .without
                .iter()
                .filter(|w| w.dimension != part.dimension)
                .cloned()
                .collect(),
            _ => look.cube.without.clone(),
        };
        let (observed, expected) = (fact.observed, fact.expected);
        let periods = self.count(first, last, grain)?;
        let ongoing = !fact.over;
        let drivers = story
            .cause
            .as_ref()
            .map_or(Vec::new(), |c| c.drivers.clone());
        let said = Said {
            kind,
            title: &metric.title,
            format: metric.format,
            decimals: metric.decimals,
            unit: metric.unit.as_deref(),
            counts: matches!(metric.measure, Measure::Count),
            segment: &series.segment,
            without: &without,
            direction,
            observed,
            expected,
            first: self.local(first)?,
            last: self.local(last)?,
            grain,
            per: look.cube.grain,
            periods,
            over: fact.over,
            drivers: &drivers,
        };
        let share = share(look, candidate);
        let reach = (candidate.change.abs() * share).min(1.0);
        let severity = severity(candidate.change.abs(), reach, share, story.q_value);
        let age = self.age(fact.to, ongoing);
        let score = score(candidate, reach, share, story, age, good);
        let sentence = both(&|language| sentence(&said, language));
        let action = both(&|language| action(&said, good, language));
        let name = &metric.name;
        let spec = self.collector.query(
            &[name],
            None,
            condition(
                &series.segment,
                &without,
                self.collector.spec.filter.as_deref(),
            ),
        );
        let spec = serde_json::to_value(&spec).map_err(|e| Error::internal(e.to_string()))?;
        let rule = self.rules.get(candidate.rule).cloned().unwrap_or_default();
        Ok(Finding {
            id: id(
                &rule,
                name,
                &series.segment,
                direction,
                &self.began(fact.from),
            ),
            rule,
            kind,
            metric: name.clone(),
            title: metric.title.clone(),
            format: metric.format,
            unit: metric.unit.clone(),
            segment: series.segment.clone(),
            window: self.shown(first, last, grain, periods)?,
            direction,
            good,
            size: Size {
                absolute: fact.absolute(),
                relative: fact.relative(),
                actors: None,
            },
            confidence: (1.0 - story.q_value).clamp(0.0, 1.0),
            severity,
            score,
            evidence: Evidence {
                numbers: numbers(candidate, story),
                spec,
                series: self.series(look, candidate, series.values.as_slice()),
            },
            drivers,
            action,
            sentence,
            status: Status::New,
            merged: self.related(look, story),
        })
    }

    fn local(&self, period: Period) -> Result<jiff::civil::DateTime> {
        let at = jiff::Timestamp::from_microsecond(period.start_us());
        at.map(|t| t.to_zoned(self.zone.clone()).datetime())
            .map_err(|e| Error::internal(e.to_string()))
    }

    fn shown(&self, first: Period, last: Period, grain: Grain, periods: u64) -> Result<Window> {
        let calendar = &self.collector.plan.calendar;
        Ok(Window {
            from: moment(first.start_us()),
            to: moment(last.end_us()),
            grain,
            first: calendar.label(&first)?,
            last: calendar.label(&last)?,
            periods,
        })
    }

    /// Returns the periods of a window: of slow changes longer ones, since their dates are not known to the day.
    fn window(&self, kind: FactKind, from: usize, to: usize) -> Result<(Period, Period, Grain)> {
        let plan = self.collector.plan;
        let missing = || Error::internal("a fact lies outside of the periods");
        let first = plan.periods.get(from).ok_or_else(missing)?;
        let last = plan.periods.get(to.saturating_sub(1)).ok_or_else(missing)?;
        let grain = match (kind, plan.grain, to - from) {
            (FactKind::Trend, Grain::Day, 60..) => Grain::Month,
            (FactKind::Trend, Grain::Day, _) => Grain::Week,
            (FactKind::Trend, Grain::Week, 26..) => Grain::Month,
            _ => plan.grain,
        };
        if grain == plan.grain {
            return Ok((*first, *last, grain));
        }
        Ok((
            plan.calendar.period_of(grain, first.start_us())?,
            plan.calendar.period_of(grain, last.start_us())?,
            grain,
        ))
    }

    fn count(&self, first: Period, last: Period, grain: Grain) -> Result<u64> {
        let periods =
            self.collector
                .plan
                .calendar
                .periods(grain, first.start_us(), last.end_us())?;
        Ok(periods.len() as u64)
    }

    /// Returns how long ago a fact was over, as a part of all periods; 0 while it lasts.
    fn age(&self, to: usize, ongoing: bool) -> f64 {
        let all = self.collector.plan.periods.len().max(1);
        if ongoing {
            0.0
        } else {
            (all.saturating_sub(to)) as f64 / all as f64
        }
    }

    fn began(&self, from: usize) -> String {
        let period = self.collector.plan.periods.get(from);
        period.map_or(String::new(), |p| moment(p.start_us()))
    }

    fn series(&self, look: &Look, candidate: &Candidate, values: &[Option<f64>]) -> Series {
        let finite = |v: f64| v.is_finite().then_some(v);
        let all = look.cube.periods.len();
        let padded = |of: &dyn Fn(usize) -> Option<f64>| (0..all).map(of).collect::<Vec<_>>();
        let fact = &candidate.fact;
        Series {
            periods: look.cube.periods.iter().map(|p| p.label.clone()).collect(),
            values: values.to_vec(),
            expected: padded(&|at| fact.curve.get(at).copied().and_then(finite)),
            lower: padded(&|at| candidate.chance.get(at).and_then(|c| finite(c.0))),
            upper: padded(&|at| candidate.chance.get(at).and_then(|c| finite(c.1))),
            marks: (fact.from..fact.to).map(|at| at as u64).collect(),
        }
    }

    fn related(&self, look: &Look, story: &Story) -> Vec<Related> {
        let mut related: Vec<Related> = Vec::new();
        for member in &story.members {
            let Some(candidate) = look.scan.candidates.get(*member) else {
                continue;
            };
            let Some(series) = look.cube.series().get(candidate.series) else {
                continue;
            };
            let Some(metric) = look.cube.metrics.get(series.metric) else {
                continue;
            };
            if related
                .iter()
                .any(|r| r.metric == metric.name && r.segment == series.segment)
            {
                continue;
            }
            let fact = &candidate.fact;
            let way = if fact.absolute() > 0.0 {
                Change::Up
            } else {
                Change::Down
            };
            let rule = self.rules.get(candidate.rule).map_or("", String::as_str);
            related.push(Related {
                id: id(
                    rule,
                    &metric.name,
                    &series.segment,
                    way,
                    &self.began(fact.from),
                ),
                metric: metric.name.clone(),
                segment: series.segment.clone(),
            });
            if related.len() == MOST_RELATED {
                break;
            }
        }
        related
    }
}

/// Makes a text in both languages.
fn both(make: &dyn Fn(Language) -> String) -> LocalText {
    LocalText {
        en: make(Language::En),
        ru: Some(make(Language::Ru)),
    }
}

/// Makes the id of a fact.
pub(crate) fn id(
    rule: &str,
    metric: &str,
    segment: &[Part],
    direction: Change,
    began: &str,
) -> String {
    let mut text = format!("{rule}\n{metric}\n{direction:?}\n{began}");
    for part in segment {
        text.push_str(&format!("\n{:?}={:?}", part.dimension, part.value));
    }
    format!("{:016x}", xxh3_64(text.as_bytes()))
}

fn kind_of(kind: FactKind) -> FindingKind {
    match kind {
        FactKind::Shift => FindingKind::Shift,
        FactKind::Trend => FindingKind::Trend,
        FactKind::Anomaly => FindingKind::Anomaly,
        FactKind::Missing => FindingKind::Missing,
    }
}

/// Tells whether a change is good.
pub(crate) fn good(wanted: Direction, direction: Change) -> Option<bool> {
    match (wanted, direction) {
        (Direction::Neither, _) | (_, Change::None) => None,
        (Direction::Up, way) => Some(way == Change::Up),
        (Direction::Down, way) => Some(way == Change::Down),
    }
}

/// Returns how much of the whole the segment is: of counts its part of what was expected, of ratios its part of the denominator.
fn share(look: &Look, candidate: &Candidate) -> f64 {
    let Some(series) = look.cube.series().get(candidate.series) else {
        return 0.0;
    };
    if series.segment.is_empty() {
        return 1.0;
    }
    let Some(all) = look.cube.find(series.metric, &[]) else {
        return 0.0;
    };
    let fact = &candidate.fact;
    let sum = |values: &dyn Fn(usize) -> f64| (fact.from..fact.to).map(values).sum::<f64>();
    let (part, whole) = match series.below.is_empty() {
        true => {
            let value = |s: &[Option<f64>], at: usize| s.get(at).copied().flatten().unwrap_or(0.0);
            let seen = sum(&|at| value(&series.values, at));
            let due = fact.expected * (fact.to - fact.from) as f64;
            let others = sum(&|at| value(&all.values, at)) - seen;
            (due, (others + due).max(due))
        }
        false => {
            let below = |s: &[f64], at: usize| s.get(at).copied().unwrap_or(0.0);
            (
                sum(&|at| below(&series.below, at)),
                sum(&|at| below(&all.below, at)),
            )
        }
    };
    if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// High: at least a fifth of the value of a segment that is at least 2 % of the whole, or 5 % of the whole, beyond
/// reasonable doubt. Medium: half of that.
fn severity(change: f64, reach: f64, share: f64, q_value: f64) -> Severity {
    let large = (change >= 0.2 && share >= 0.02) || reach >= 0.05;
    let some = (change >= 0.1 && share >= 0.01) || reach >= 0.02;
    match (large, some) {
        (true, _) if q_value <= 1e-3 => Severity::High,
        (_, true) | (true, _) => Severity::Medium,
        _ => Severity::Low,
    }
}

/// Orders findings: by the size of the change (a doubling counts 1), how much of the whole it reaches, how long it lasts, how
/// sure and how recent it is; what is bad comes first.
fn score(
    candidate: &Candidate,
    reach: f64,
    share: f64,
    story: &Story,
    age: f64,
    good: Option<bool>,
) -> f64 {
    let fact = &candidate.fact;
    let size = candidate.change.abs().ln_1p() / std::f64::consts::LN_2;
    let wide = 0.25 + 0.5 * share.sqrt() + 0.5 * reach.sqrt();
    let long = 1.0 + 0.15 * ((fact.to - fact.from) as f64).ln();
    let recent = 0.7 + 0.3 * (-3.0 * age).exp();
    let matters = match good {
        Some(false) => 1.2,
        Some(true) => 1.0,
        None => 0.9,
    };
    // A slow change is less of a surprise than one that comes at once.
    let surprise = if fact.kind == FactKind::Trend {
        0.8
    } else {
        1.0
    };
    let sure = (1.0 - story.q_value).clamp(0.0, 1.0)
        * (-story.q_value.max(1e-12).log10() / 6.0).clamp(0.4, 1.0);
    100.0 * size.clamp(0.05, 2.0) * wide * long * recent * matters * surprise * sure / 4.0
}

fn numbers(candidate: &Candidate, story: &Story) -> Vec<Named> {
    let fact = &candidate.fact;
    let mut numbers = vec![
        ("observed", fact.observed),
        ("expected", fact.expected),
        ("change", fact.absolute()),
    ];
    if let Some(relative) = fact.relative() {
        numbers.push(("change_relative", relative));
    }
    numbers.push(("p_value", fact.p_value));
    numbers.push(("q_value", story.q_value));
    numbers.push(("date_error_periods", fact.blur));
    if let Some(Cause { total, effect, .. }) = &story.cause {
        numbers.push(("explained_change", *total));
        numbers.push(("mix", f64::from(u8::from(*effect == Effect::Mix))));
    }
    let finite = |(_, value): &(&str, f64)| value.is_finite();
    let named = |(name, value): (&str, f64)| Named {
        name: name.to_owned(),
        value,
    };
    numbers.into_iter().filter(finite).map(named).collect()
}
