//! What is set aside before anything is judged: holidays, and dimensions whose values come and go.

use std::collections::BTreeMap;

use crate::detect::{AnomalyDetector, Detector, Profile};

use super::cube::Cube;

/// A weekend, or a holiday, has at most so much of the activity of a usual day.
const REST: f64 = 0.75;

/// Days off in a row.
const LONGEST: usize = 4;

/// Finds days that look like holidays: with weeks that have days of rest, a dip of at most four days, down to what
/// days of rest have (between half of that and 85 % of a usual day), alike in all segments. They are no news, and as outliers they would
/// hide what is.
///
/// An outage looks different: it goes to nothing, or some segments have more of it than others.
pub(crate) fn holidays(cube: &Cube) -> Vec<usize> {
    let mut found = Vec::new();
    let Some(metric) = cube.volume() else {
        return found;
    };
    let Some(all) = cube.find(metric, &[]) else {
        return found;
    };
    let Some((sample, begin)) = cube.sample(all) else {
        return found;
    };
    let Some(profile) = Profile::new(&sample) else {
        return found;
    };
    let least = profile
        .season
        .parts
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let most = profile.season.parts.iter().copied().fold(0.0, f64::max);
    if cube.cycle() != 7 || profile.season.parts.is_empty() || least > REST * most {
        return found;
    }
    for fact in AnomalyDetector.detect(&profile) {
        let dip = fact.observed / fact.expected.max(1e-9);
        let rest = least / most;
        let usual = (0.5 * rest..=0.85).contains(&dip);
        if fact.p_value > 1e-3 || fact.to - fact.from > LONGEST || !usual {
            continue;
        }
        let (from, to) = (fact.from + begin, fact.to + begin);
        if alike(cube, metric, from, to) {
            found.extend(from..to);
        }
    }
    found
}

/// Tells whether a dip is about the same in all segments: their shares in `from..to` are those of the four weeks around, but
/// for 8 % that sit elsewhere.
fn alike(cube: &Cube, metric: usize, from: usize, to: usize) -> bool {
    let around = from.saturating_sub(14)..(to + 14).min(cube.periods.len());
    cube.dimensions().into_iter().all(|dimension| {
        if cube.turning.iter().any(|t| t == dimension) {
            return true;
        }
        let sums: Vec<(f64, f64)> = cube
            .cut(metric, &[], dimension)
            .map(|s| {
                let value = |at: usize| s.values.get(at).copied().flatten().unwrap_or(0.0);
                let inside = (from..to).map(value).sum::<f64>();
                let outside = around.clone().filter(|at| !(from..to).contains(at));
                (inside, outside.map(value).sum::<f64>())
            })
            .collect();
        let inside: f64 = sums.iter().map(|s| s.0).sum();
        let outside: f64 = sums.iter().map(|s| s.1).sum();
        if inside <= 0.0 || outside <= 0.0 {
            return false;
        }
        let moved = sums.iter().map(|s| (s.0 / inside - s.1 / outside).abs());
        // Chance alone moves some: about the root of the number of values over that of events.
        let chance = (sums.len() as f64 / inside).sqrt();
        0.5 * moved.sum::<f64>() <= 0.08 + chance
    })
}

/// Finds the dimensions whose values come and go: more than a third of the volume is of values that begin or end within the
/// range.
pub(crate) fn turning(cube: &Cube) -> Vec<String> {
    let periods = cube.periods.len();
    let edge = (periods / 12).max(cube.cycle().min(7)).max(2);
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let Some(metric) = cube.volume() else {
        return Vec::new();
    };
    for series in cube
        .series()
        .iter()
        .filter(|s| s.metric == metric && !s.rest)
    {
        let [part] = series.segment.as_slice() else {
            continue;
        };
        let some = |v: &Option<f64>| v.is_some_and(|v| v > 0.0);
        let first = series.values.iter().position(some);
        let last = series.values.iter().rposition(some);
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        let volume: f64 = series.values.iter().flatten().sum();
        let entry = sums.entry(&part.dimension).or_default();
        entry.1 += volume;
        if first >= edge || last + edge < periods {
            entry.0 += volume;
        }
    }
    sums.into_iter()
        .filter(|(_, (turning, all))| *turning > *all / 3.0)
        .map(|(name, _)| name.to_owned())
        .collect()
}
