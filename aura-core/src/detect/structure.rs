//! What a series is made of: a level that changes now and then, stretches that leave it and return, and chance.

use super::noise::Noise;
use super::pelt::pelt;
use super::ramp::{Ramp, RampFit};
use super::special::student_two_sided;

/// A stretch that leaves the level and returns to it, or lies at the very end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Episode {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The mean of the stretch less what was expected, on the scale.
    pub(crate) delta: f64,
}

/// The parts of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Structure {
    /// The level before any change, on the scale.
    pub(crate) level: f64,
    /// Lasting changes in the order of time.
    pub(crate) ramps: Vec<Ramp>,
    /// Passing changes in the order of time.
    pub(crate) episodes: Vec<Episode>,
    pub(crate) noise: Noise,
}

/// Lasting changes that one series may have.
const MOST_RAMPS: usize = 3;

/// Rounds between passing and lasting changes; a third one changes nothing in nearly all series.
const ROUNDS: usize = 2;

/// A change that chance brings more often than this, in one series, is not made part of it.
const LEVEL: f64 = 0.05;

/// What may be found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths {
    /// The fewest periods of a slow change.
    pub(crate) slow: usize,
    /// The fewest periods on each side of a step; at the ends, shorter stretches are episodes.
    pub(crate) side: usize,
}

impl Structure {
    /// Takes a series apart. `values` are on a scale on which chance has the variance `sd²` over the weight; those of weight 0
    /// are not looked at.
    ///
    /// In turns, PELT finds stretches of equal level in what is left without lasting changes, of which those that return
    /// are episodes; and least squares finds the ramps in the values outside of episodes, one after the other as long as each is
    /// beyond chance. Then the size of chance is estimated again from what is left.
    pub(crate) fn find(
        values: &[f64],
        weights: &[f64],
        least_sd: f64,
        lengths: Lengths,
    ) -> Structure {
        let n = values.len();
        let mut noise = Noise::of_differences(values, weights, least_sd);
        let mut structure = Structure {
            level: mean(values, weights),
            ramps: Vec::new(),
            episodes: Vec::new(),
            noise,
        };
        for _ in 0..ROUNDS {
            let left: Vec<f64> = (0..n)
                .zip(values)
                .map(|(at, v)| v - structure.lasting(at))
                .collect();
            let variance = noise.sd.powi(2) * (0.5 + 0.5 * noise.long_inflation());
            let penalty = variance * 3.0 * (n.max(2) as f64).ln();
            let cuts = pelt(&left, weights, penalty, 1);
            structure.episodes = episodes(&left, weights, &cuts, noise, lengths);
            let masked = structure.masked(weights);
            structure.fit_ramps(values, &masked, noise, lengths);
            let residuals = structure.residuals(values, weights);
            noise = Noise::of_residuals(&residuals, weights, least_sd);
            structure.noise = noise;
        }
        structure
    }

    /// Returns the level of a period without episodes.
    pub(crate) fn lasting(&self, at: usize) -> f64 {
        let moved: f64 = self.ramps.iter().map(|r| r.delta * r.part(at)).sum();
        self.level + moved
    }

    /// Returns the residuals of everything.
    fn residuals(&self, values: &[f64], weights: &[f64]) -> Vec<f64> {
        let mut left: Vec<f64> = (0..values.len())
            .zip(values)
            .map(|(at, v)| v - self.lasting(at))
            .collect();
        for episode in &self.episodes {
            let range = episode.from..episode.to;
            let delta = match (left.get(range.clone()), weights.get(range.clone())) {
                (Some(left), Some(weights)) => mean(left, weights),
                _ => 0.0,
            };
            for value in left.get_mut(range).unwrap_or_default() {
                *value -= delta;
            }
        }
        left
    }

    /// Returns the weights with those of episodes set to 0.
    pub(crate) fn masked(&self, weights: &[f64]) -> Vec<f64> {
        let mut masked = weights.to_vec();
        for episode in &self.episodes {
            for weight in masked.get_mut(episode.from..episode.to).unwrap_or_default() {
                *weight = 0.0;
            }
        }
        masked
    }

    fn fit_ramps(&mut self, values: &[f64], masked: &[f64], noise: Noise, lengths: Lengths) {
        self.ramps.clear();
        self.level = mean(values, masked);
        let variance = noise.sd.powi(2) * noise.long_inflation();
        for _ in 0..MOST_RAMPS {
            let left = self.without(values, None);
            let Some(ramp) = best_change(&left, masked, variance, lengths) else {
                break;
            };
            let p = ramp_p_value(&ramp, noise, present(masked));
            if p > LEVEL || ramp.delta == 0.0 {
                break;
            }
            self.ramps.push(ramp);
            self.level = self.fitted_level(values, masked);
            // Each is found again without the others: the first ones were found when the later ones were not known.
            if self.ramps.len() > 1 {
                for _ in 0..2 {
                    for number in 0..self.ramps.len() {
                        let left = self.without(values, Some(number));
                        let again = best_change(&left, masked, variance, lengths);
                        if let (Some(slot), Some(again)) = (self.ramps.get_mut(number), again) {
                            *slot = again;
                        }
                        self.level = self.fitted_level(values, masked);
                    }
                }
            }
        }
        let least = |r: &Ramp| ramp_p_value(r, noise, present(masked)) <= LEVEL;
        self.ramps.retain(least);
        self.ramps.sort_by_key(|r| (r.from, r.to));
        self.level = self.fitted_level(values, masked);
    }

    fn fitted_level(&self, values: &[f64], masked: &[f64]) -> f64 {
        let moved: Vec<f64> = (0..values.len())
            .zip(values)
            .map(|(at, v)| v - (self.lasting(at) - self.level))
            .collect();
        mean(&moved, masked)
    }

    /// Returns the values without the lasting changes, but for one of them.
    fn without(&self, values: &[f64], but: Option<usize>) -> Vec<f64> {
        (0..values.len())
            .zip(values)
            .map(|(at, v)| {
                let others = self.ramps.iter().enumerate();
                let others = others.filter(|(i, _)| Some(*i) != but);
                v - others.map(|(_, r)| r.delta * r.part(at)).sum::<f64>()
            })
            .collect()
    }
}

/// Finds the best step or slow change. Each date inside of the series has to pay for itself (Schwarz 1978), so that what
/// lasts all the time is called that, and a step a step.
fn best_change(values: &[f64], weights: &[f64], variance: f64, lengths: Lengths) -> Option<Ramp> {
    let fit = RampFit::new(values, weights);
    let per_date = variance * 1.5 * (values.len().max(2) as f64).ln();
    let step = fit.best_step(lengths.side);
    let slow = fit.best_ramp(lengths.slow, per_date);
    let dates = |r: &Ramp| usize::from(r.from > 0) + usize::from(r.to < values.len());
    match (step, slow) {
        (Some(step), Some(slow)) => {
            let slow_worth = slow.gain - per_date * dates(&slow) as f64;
            Some(if slow_worth > step.gain - per_date {
                slow
            } else {
                step
            })
        }
        (step, slow) => step.or(slow),
    }
}

/// Returns by how many periods the date of a step may be wrong: the half of its 95 % interval.
///
/// **Source.** The place of the maximum of a two-sided Brownian motion with drift: ±11 σ²/δ² (Yao 1987).
pub(crate) fn blur(delta: f64, weight: f64, noise: Noise) -> f64 {
    let variance = noise.sd.powi(2) * noise.long_inflation();
    11.0 * variance / (delta * delta * weight.max(1e-12)).max(f64::MIN_POSITIVE)
}

/// Returns how often chance brings so much of a lasting change anywhere in a series of `n` values: the p-value of its
/// statistic times the number of places where it might have been.
pub(crate) fn ramp_p_value(ramp: &Ramp, noise: Noise, n: f64) -> f64 {
    let t = (ramp.gain / (noise.sd.powi(2) * noise.long_inflation())).sqrt();
    let df = (n / noise.long_inflation() - 2.0).max(3.0);
    let places = match ramp.is_step() {
        true => n,
        false => n * n.max(2.0).ln(),
    };
    (places * student_two_sided(t, df)).min(1.0)
}

/// Returns how often chance brings so much of an episode anywhere in a series of `n` values.
pub(crate) fn episode_p_value(episode: &Episode, weight: f64, noise: Noise, n: f64) -> f64 {
    let length = (episode.to - episode.from) as f64;
    let variance = noise.sd.powi(2) * noise.inflation(length) / weight.max(f64::MIN_POSITIVE);
    let t = episode.delta.abs() / variance.sqrt();
    let df = (n / noise.long_inflation() - 2.0).max(3.0);
    (places(n, episode.to - episode.from) * student_two_sided(t, df)).min(1.0)
}

/// Returns at how many places an episode of a length might have been, with the lengths that were tried.
pub(crate) fn places(n: f64, length: usize) -> f64 {
    n * (1.0 + (length as f64).ln())
}

pub(crate) fn present(weights: &[f64]) -> f64 {
    weights.iter().filter(|w| **w > 0.0).count() as f64
}

pub(crate) fn mean(values: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let sum: f64 = values.iter().zip(weights).map(|(v, w)| v * w).sum();
    if total > 0.0 { sum / total } else { 0.0 }
}

/// A stretch of equal level.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: usize,
    to: usize,
    level: f64,
    weight: f64,
    /// Periods that belong to it; fewer than its length where an episode was cut out of it.
    periods: usize,
}

impl Stretch {
    fn joined(self, other: Stretch) -> Stretch {
        let weight = self.weight + other.weight;
        let level = match weight > 0.0 {
            true => (self.level * self.weight + other.level * other.weight) / weight,
            false => self.level,
        };
        Stretch {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            level,
            weight,
            periods: self.periods + other.periods,
        }
    }
}

/// Finds the stretches that leave the level of their neighbours and return to it; the clearest first.
fn episodes(
    left: &[f64],
    weights: &[f64],
    cuts: &[usize],
    noise: Noise,
    lengths: Lengths,
) -> Vec<Episode> {
    let n = left.len();
    let ends = cuts.iter().copied().chain(std::iter::once(n));
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let mut stretches: Vec<Stretch> = starts
        .zip(ends)
        .filter(|(from, to)| from < to)
        .map(|(from, to)| {
            let (v, w) = (left.get(from..to), weights.get(from..to));
            let (v, w) = (v.unwrap_or_default(), w.unwrap_or_default());
            Stretch {
                from,
                to,
                level: mean(v, w),
                weight: w.iter().sum(),
                periods: to - from,
            }
        })
        .collect();
    let mut found = Vec::new();
    loop {
        let mut best: Option<(f64, usize, usize, f64)> = None;
        for first in 0..stretches.len() {
            for last in first..stretches.len().min(first + 3) {
                let Some((score, delta)) = leaves(&stretches, first, last, n, noise, lengths)
                else {
                    continue;
                };
                if best.is_none_or(|b| score > b.0) {
                    best = Some((score, first, last, delta));
                }
            }
        }
        let Some((_, first, last, delta)) = best else {
            break;
        };
        let (Some(from), Some(to)) = (stretches.get(first), stretches.get(last)) else {
            break;
        };
        found.push(Episode {
            from: from.from,
            to: to.to,
            delta,
        });
        let after = stretches.get(last + 1).copied();
        stretches.drain(first..=last);
        if let (Some(after), Some(before)) = (after, first.checked_sub(1)) {
            if let Some(before) = stretches.get_mut(before) {
                *before = before.joined(after);
            }
            stretches.remove(first);
        }
    }
    found.sort_by_key(|e| e.from);
    found
}

/// Tells how clearly, and by how much, the stretches `first..=last` leave a level to which the series returns.
fn leaves(
    stretches: &[Stretch],
    first: usize,
    last: usize,
    n: usize,
    noise: Noise,
    lengths: Lengths,
) -> Option<(f64, f64)> {
    let inside = stretches.get(first..=last)?;
    let run = inside.iter().copied().reduce(Stretch::joined)?;
    let before = first.checked_sub(1).and_then(|i| stretches.get(i)).copied();
    let after = stretches.get(last + 1).copied();
    if run.weight <= 0.0 {
        return None;
    }
    let base = match (before, after) {
        (Some(before), Some(after)) => {
            let base = before.joined(after);
            // A level lasts; a neighbour shorter than the stretch is none to return to.
            let short = run.periods.min(lengths.side);
            if before.periods < short || after.periods < short {
                return None;
            }
            if 3 * run.periods > n || run.periods >= base.periods {
                return None;
            }
            let delta = run.level - base.level;
            let variance = noise.sd.powi(2) * noise.long_inflation();
            let chance = (variance
                * (1.0 / before.weight.max(1e-12) + 1.0 / after.weight.max(1e-12)))
            .sqrt();
            let apart = (before.level - after.level).abs();
            if apart > (0.35 * delta.abs()).max((2.5 * chance).min(0.7 * delta.abs())) {
                return None;
            }
            base
        }
        // What begins or ends the series is an episode while it is too short to be a level.
        (Some(near), None) | (None, Some(near)) if run.periods < lengths.side => near,
        _ => return None,
    };
    let delta = run.level - base.level;
    let one_way = inside
        .iter()
        .all(|s| s.weight <= 0.0 || (s.level - base.level) * delta.signum() > 0.25 * delta.abs());
    one_way.then_some((delta * delta * run.weight, delta))
}
