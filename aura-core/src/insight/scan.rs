//! Every rule on every series, corrected for how many there were.

use crate::detect::{
    AnomalyDetector, Detector, Fact, FactKind, GapDetector, Measure, Profile, ShiftDetector,
    TrendDetector, q_values,
};

use super::cube::{Cube, SeriesOf};

/// A rule whose detector looks at single series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeriesRule {
    /// Its place among the rules of the run.
    pub(crate) number: usize,
    pub(crate) kind: FactKind,
    /// The least relative change that is news.
    pub(crate) min_change: f64,
    /// Metrics that it looks at; all where it is empty.
    pub(crate) metrics: Vec<String>,
    /// Dimensions that it looks at; all where there is none.
    pub(crate) by: Option<Vec<String>>,
}

/// What is too small to be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Least {
    /// The mean count of a period, or the mean denominator.
    pub(crate) per_period: f64,
}

/// A fact of a series.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// The place of the series in the cube.
    pub(crate) series: usize,
    pub(crate) rule: usize,
    /// Periods are counted from the first one of the cube.
    pub(crate) fact: Fact,
    /// The relative change that materiality is judged by: of shares against the smaller one of the share and its
    /// counterpart.
    pub(crate) change: f64,
    pub(crate) q_value: f64,
    /// The size of chance around the fact, in values.
    pub(crate) chance: Vec<(f64, f64)>,
}

/// What a scan found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scan {
    /// All facts that are beyond chance at the level of the run and large enough, by series and time.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) series: usize,
    pub(crate) tests: usize,
    /// Series too small or too short to be judged.
    pub(crate) small: usize,
    /// For each metric how much greater the variance of its counts is than that of Poisson's law, at least 1.
    pub(crate) phi: Vec<f64>,
}

/// Looks at all series. `level` is the greatest expected share of false facts; the result does not depend on
/// `threads`.
pub(crate) fn scan(
    cube: &Cube,
    rules: &[SeriesRule],
    least: Least,
    level: f64,
    threads: usize,
) -> Scan {
    let all: Vec<(usize, &SeriesOf)> = cube.series().iter().enumerate().collect();
    let size = all.len().div_ceil(threads.max(1)).max(1);
    let parts: Vec<Vec<Outcome>> = std::thread::scope(|scope| {
        let work: Vec<_> = all
            .chunks(size)
            .map(|chunk| {
                scope.spawn(move || {
                    let one = |(number, series): &(usize, &SeriesOf)| {
                        judge(cube, *number, series, rules, least)
                    };
                    chunk.iter().map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        work.into_iter()
            .map(|w| match w.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    let mut scan = Scan {
        phi: vec![1.0; cube.metrics.len()],
        ..Scan::default()
    };
    let mut found = Vec::new();
    for (outcome, series) in parts.into_iter().flatten().zip(cube.series()) {
        match outcome {
            Outcome::NotAsked => {}
            Outcome::Small => scan.small += 1,
            Outcome::Judged {
                tests,
                candidates,
                phi,
            } => {
                if series.segment.is_empty()
                    && let Some(slot) = scan.phi.get_mut(series.metric)
                {
                    *slot = phi.max(1.0);
                }
                scan.series += 1;
                scan.tests += tests.max(candidates.len());
                found.extend(candidates);
            }
        }
    }
    let p_values: Vec<f64> = found.iter().map(|c| c.fact.p_value).collect();
    for (candidate, q) in found.iter_mut().zip(q_values(&p_values, scan.tests)) {
        candidate.q_value = q;
    }
    let enough = |c: &Candidate| {
        let rule = rules.iter().find(|r| r.number == c.rule);
        c.q_value <= level && rule.is_some_and(|r| c.change.abs() >= r.min_change)
    };
    found.retain(enough);
    scan.candidates = found;
    scan
}

enum Outcome {
    NotAsked,
    Small,
    Judged {
        tests: usize,
        candidates: Vec<Candidate>,
        phi: f64,
    },
}

fn detector(kind: FactKind) -> &'static dyn Detector {
    match kind {
        FactKind::Shift => &ShiftDetector,
        FactKind::Trend => &TrendDetector,
        FactKind::Anomaly => &AnomalyDetector,
        FactKind::Missing => &GapDetector,
    }
}

fn judge(
    cube: &Cube,
    number: usize,
    series: &SeriesOf,
    rules: &[SeriesRule],
    least: Least,
) -> Outcome {
    let Some(metric) = cube.metrics.get(series.metric) else {
        return Outcome::NotAsked;
    };
    let turns = series
        .segment
        .iter()
        .any(|p| cube.turning.contains(&p.dimension));
    let of_counts = matches!(metric.measure, Measure::Count | Measure::Level);
    if series.rest || series.segment.len() > 1 || (turns && of_counts) {
        return Outcome::NotAsked;
    }
    let asked: Vec<&SeriesRule> = rules
        .iter()
        .filter(|r| r.metrics.is_empty() || r.metrics.contains(&metric.name))
        .filter(|r| {
            let by = |by: &Vec<String>| series.segment.iter().all(|p| by.contains(&p.dimension));
            r.by.as_ref().is_none_or(by)
        })
        .collect();
    if asked.is_empty() {
        return Outcome::NotAsked;
    }
    let Some((sample, begin)) = cube.sample(series) else {
        return Outcome::NotAsked;
    };
    let sizes: Vec<f64> = match metric.measure {
        Measure::Count => sample.values.iter().flatten().copied().collect(),
        Measure::Share | Measure::Mean => sample
            .weights
            .iter()
            .copied()
            .filter(|w| *w > 0.0)
            .collect(),
        Measure::Level => vec![f64::INFINITY],
    };
    let mean = sizes.iter().sum::<f64>() / sizes.len().max(1) as f64;
    if mean.is_nan() || mean < least.per_period {
        return Outcome::Small;
    }
    let Some(profile) = Profile::new(&sample) else {
        return Outcome::Small;
    };
    let mut candidates = Vec::new();
    for rule in &asked {
        for mut fact in detector(rule.kind).detect(&profile) {
            if few(&profile, &fact, least) {
                continue;
            }
            let change = change(metric.measure, &fact);
            let chance = band(&profile, &fact.curve, begin);
            fact.from += begin;
            fact.to += begin;
            let mut curve = vec![f64::NAN; begin];
            curve.append(&mut fact.curve);
            fact.curve = curve;
            candidates.push(Candidate {
                series: number,
                rule: rule.number,
                fact,
                change,
                q_value: 1.0,
                chance,
            });
        }
    }
    Outcome::Judged {
        tests: asked.len(),
        candidates,
        phi: phi(&profile, mean),
    }
}

/// Tells whether most denominators in the window of a fact are too small.
fn few(profile: &Profile, fact: &Fact, least: Least) -> bool {
    if !matches!(profile.sample.measure, Measure::Share | Measure::Mean) {
        return false;
    }
    let weights = profile.sample.weights.get(fact.from..fact.to);
    let enough = |w: &&f64| **w >= least.per_period;
    let weights = weights.unwrap_or_default();
    2 * weights.iter().filter(enough).count() < weights.len()
}

/// Returns how much greater the variance is than that of a Poisson count (or a binomial share), for sums over many
/// periods; `mean` is the mean count or denominator.
fn phi(profile: &Profile, mean: f64) -> f64 {
    let noise = profile.noise();
    let variance = noise.sd.powi(2) * noise.long_inflation();
    match profile.sample.measure {
        Measure::Count => 4.0 * variance,
        Measure::Share => 4.0 * variance * mean,
        Measure::Mean => {
            let level = profile.scale.from(profile.structure.level).abs();
            variance * mean / level.max(1e-12)
        }
        Measure::Level => 1.0,
    }
}

/// Returns the relative change.
fn change(measure: Measure, fact: &Fact) -> f64 {
    let base = match measure {
        Measure::Share => fact.expected.min(1.0 - fact.expected).max(0.005),
        _ => fact.expected.abs(),
    };
    match base > 0.0 {
        true => fact.absolute() / base,
        false => fact.absolute().signum() * 10.0,
    }
}

/// Returns the bounds of what is usual around a curve: 95 % of single values.
fn band(profile: &Profile, curve: &[f64], begin: usize) -> Vec<(f64, f64)> {
    let mut band = vec![(f64::NAN, f64::NAN); begin];
    for (at, expected) in curve.iter().enumerate() {
        // The curve is in values, with the season in it.
        let factor = match (profile.sample.measure, profile.season.at(at)) {
            (Measure::Count, Some(part)) => part,
            _ => 1.0,
        };
        let added = match profile.sample.measure {
            Measure::Count => 0.0,
            _ => profile.season.at(at).unwrap_or(0.0),
        };
        let level = match factor > 0.0 {
            true => profile.scale.level_of(expected / factor) - added,
            false => 0.0,
        };
        let sd = 1.96 * profile.sd_at(at);
        band.push((
            profile.value_of(level - sd, at),
            profile.value_of(level + sd, at),
        ));
    }
    band
}
