//! Seasons: what every week (or year) brings again is not news.

use super::order::median;
use super::sample::{Measure, Sample};
use super::scale::Scale;
use super::special::chi2_upper;

/// A season of `cycle` periods: factors of counts, additions (on the scale) of everything else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Season {
    /// One entry for each place in the cycle; empty without a season.
    pub(crate) parts: Vec<f64>,
}

/// Less often than this the differences between places of the cycle come by chance.
const LEVEL: f64 = 0.001;

/// Cycles that a season is estimated from at least.
const CYCLES: usize = 3;

impl Season {
    /// Estimates the season: for each place in the cycle the median, over the cycles, of the value relative to the mean of
    /// the whole cycle around it. There is none when the places do not differ by the test of Kruskal and Wallis (1952) at
    /// 0.1 %, or with fewer than three whole cycles.
    ///
    /// A median over cycles is not moved by stories that last for less than half of them.
    pub(crate) fn estimate(sample: &Sample, scale: Scale) -> Season {
        let none = Season { parts: Vec::new() };
        let (cycle, n) = (sample.cycle, sample.len());
        if cycle < 2 || n < CYCLES * cycle {
            return none;
        }
        let factors = sample.measure == Measure::Count;
        let levels: Vec<Option<(f64, f64)>> = (0..n)
            .map(|at| {
                let (value, weight) = (sample.value(at)?, sample.weight(at));
                match factors {
                    true => Some((value, 1.0)),
                    false => (weight > 0.0).then(|| (scale.to(value, weight), weight)),
                }
            })
            .collect();
        let mut relative: Vec<(usize, f64)> = Vec::with_capacity(n);
        for at in cycle / 2..n.saturating_sub(cycle / 2) {
            let Some((level, _)) = levels.get(at).copied().flatten() else {
                continue;
            };
            let Some(around) = whole_cycle(&levels, at, cycle) else {
                continue;
            };
            match factors {
                true if around > 0.0 => relative.push((at % cycle, level / around)),
                true => {}
                false => relative.push((at % cycle, level - around)),
            }
        }
        if !differ(&relative, cycle) {
            return none;
        }
        let mut parts = Vec::with_capacity(cycle);
        for place in 0..cycle {
            let here = relative.iter().filter(|(p, _)| *p == place);
            let mut here: Vec<f64> = here.map(|(_, r)| *r).collect();
            match median(&mut here) {
                Some(part) => parts.push(part),
                None => return none,
            }
        }
        let mean = parts.iter().sum::<f64>() / cycle as f64;
        for part in &mut parts {
            match factors {
                true if mean > 0.0 => *part /= mean,
                true => return none,
                false => *part -= mean,
            }
        }
        Season { parts }
    }

    /// Returns the part of a period; `None` without a season.
    pub(crate) fn at(&self, period: usize) -> Option<f64> {
        match self.parts.len() {
            0 => None,
            cycle => self.parts.get(period % cycle).copied(),
        }
    }
}

/// Returns the mean over the whole cycle around a period; of even cycles the two ends count half.
fn whole_cycle(levels: &[Option<(f64, f64)>], at: usize, cycle: usize) -> Option<f64> {
    let half = cycle / 2;
    let (mut sum, mut weights) = (0.0, 0.0);
    for other in at - half..=at + half {
        let (level, weight) = levels.get(other).copied().flatten()?;
        let end = cycle.is_multiple_of(2) && other.abs_diff(at) == half;
        let weight = if end { 0.5 * weight } else { weight };
        sum += weight * level;
        weights += weight;
    }
    (weights > 0.0).then(|| sum / weights)
}

/// Tells whether the places differ, by the test of Kruskal and Wallis with its correction for ties.
fn differ(relative: &[(usize, f64)], cycle: usize) -> bool {
    let n = relative.len();
    if n < 2 * cycle {
        return false;
    }
    let mut order: Vec<usize> = (0..n).collect();
    let value = |i: usize| relative.get(i).map_or(0.0, |(_, v)| *v);
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut sums = vec![(0.0, 0.0); cycle];
    let mut ties = 0.0;
    let mut start = 0;
    while start < n {
        let first = order.get(start).map_or(0.0, |i| value(*i));
        let mut end = start + 1;
        while order.get(end).is_some_and(|i| value(*i) == first) {
            end += 1;
        }
        let rank = (start + end + 1) as f64 / 2.0;
        let same = (end - start) as f64;
        ties += same.powi(3) - same;
        for i in order.get(start..end).unwrap_or_default() {
            let place = relative.get(*i).map_or(0, |(p, _)| *p);
            if let Some((count, sum)) = sums.get_mut(place) {
                *count += 1.0;
                *sum += rank;
            }
        }
        start = end;
    }
    let n = n as f64;
    let between: f64 = sums
        .iter()
        .filter(|(count, _)| *count > 0.0)
        .map(|(count, sum)| sum * sum / count)
        .sum();
    let h = 12.0 / (n * (n + 1.0)) * between - 3.0 * (n + 1.0);
    let correction = 1.0 - ties / (n.powi(3) - n);
    correction > 0.0 && chi2_upper(h / correction, cycle as f64 - 1.0) < LEVEL
}
