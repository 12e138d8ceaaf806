//! A series made ready, once, for every detector.

use super::noise::Noise;
use super::sample::{Measure, Sample};
use super::scale::Scale;
use super::season::Season;
use super::structure::{Lengths, Structure};

/// A series with its season, its scale and its structure.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) sample: Sample,
    pub(crate) season: Season,
    pub(crate) scale: Scale,
    /// The first period that counts: counts of what began later have no level before.
    pub(crate) begin: usize,
    /// Values without season on the scale, from `begin` on; 0 where the weight is.
    pub(crate) levels: Vec<f64>,
    /// The weights of `levels`; 0 where there is no value.
    pub(crate) weights: Vec<f64>,
    /// The mean denominator, which has the weight 1 in `weights`.
    pub(crate) mean_weight: f64,
    pub(crate) structure: Structure,
}

/// Periods that a series needs to be judged.
pub(crate) const LEAST_PERIODS: usize = 12;

impl Profile {
    /// Makes a series ready; `None` of fewer than twelve periods with a value, and of one whose values are all equal.
    pub(crate) fn new(sample: &Sample) -> Option<Profile> {
        let scale = Scale::of(sample);
        let begin = match sample.measure {
            Measure::Count => first_of(sample)?,
            _ => (0..sample.len())
                .find(|at| sample.value(*at).is_some() && sample.weight(*at) > 0.0)?,
        };
        let season = Season::estimate(sample, scale);
        let (mut levels, mut weights) = (Vec::new(), Vec::new());
        for at in begin..sample.len() {
            let (level, weight) = point(sample, scale, &season, at).unwrap_or((0.0, 0.0));
            levels.push(level);
            weights.push(weight);
        }
        let present = weights.iter().filter(|w| **w > 0.0).count();
        let mut values = sample.values.iter().skip(begin).flatten();
        let first = values.next()?;
        if present < LEAST_PERIODS || values.all(|v| v == first) {
            return None;
        }
        // Weights of mean 1, so that the size of chance is that of a usual period.
        let mean = weights.iter().sum::<f64>() / present as f64;
        for weight in &mut weights {
            *weight /= mean;
        }
        let least = match scale {
            Scale::Angle => scale.least_sd(&levels) / mean.sqrt(),
            _ => scale.least_sd(&levels),
        };
        let lengths = Lengths {
            slow: (2 * sample.cycle).max(5),
            side: sample.cycle.clamp(3, 4),
        };
        let structure = Structure::find(&levels, &weights, least, lengths);
        Some(Profile {
            sample: sample.clone(),
            season,
            scale,
            begin,
            levels,
            weights,
            mean_weight: mean,
            structure,
        })
    }

    /// Returns the size of chance.
    pub(crate) fn noise(&self) -> Noise {
        self.structure.noise
    }

    /// Returns the value that a level (on the scale) means in a period, with its season.
    pub(crate) fn value_of(&self, level: f64, at: usize) -> f64 {
        let season = self.season.at(at);
        match self.sample.measure {
            Measure::Count => self.scale.from(level) * season.unwrap_or(1.0),
            _ => self.scale.from(level + season.unwrap_or(0.0)),
        }
    }

    /// Returns the standard deviation of chance, on the scale, in a period.
    pub(crate) fn sd_at(&self, at: usize) -> f64 {
        let weight = at.checked_sub(self.begin).and_then(|i| self.weights.get(i));
        match weight {
            Some(weight) if *weight > 0.0 => self.noise().sd / weight.sqrt(),
            _ => self.noise().sd,
        }
    }

    /// Returns the level, on the scale, that lasts in a period, without the lasting changes that `leave_out` tells.
    pub(crate) fn level_at(&self, at: usize, leave_out: impl Fn(usize) -> bool) -> f64 {
        let place = at.saturating_sub(self.begin);
        let moved: f64 = self
            .structure
            .ramps
            .iter()
            .enumerate()
            .filter(|(number, _)| !leave_out(*number))
            .map(|(_, r)| r.delta * r.part(place))
            .sum();
        self.structure.level + moved
    }
}

/// Returns the first period with something in it, where what comes before is longer than chance explains.
fn first_of(sample: &Sample) -> Option<usize> {
    let some = |v: &Option<f64>| v.is_some_and(|v| v > 0.0);
    let first = sample.values.iter().position(some)?;
    let empty = sample
        .values
        .iter()
        .skip(first)
        .filter(|v| !some(v))
        .count();
    let rest = sample.len() - first;
    // Zeros that also come later are of a rare event, and not of one that had not begun.
    let usual = (empty as f64 + 0.5) / (rest as f64 + 1.0);
    match first as f64 * usual.ln() < 0.01f64.ln() {
        true => Some(first),
        false => Some(0),
    }
}

/// Returns the level and weight of a period.
fn point(sample: &Sample, scale: Scale, season: &Season, at: usize) -> Option<(f64, f64)> {
    let (value, weight) = (sample.value(at)?, sample.weight(at));
    if weight <= 0.0 {
        return None;
    }
    let part = season.at(at);
    match sample.measure {
        Measure::Count => {
            let factor = part.unwrap_or(1.0);
            // Where nearly nothing ever happens there is nothing to see.
            (factor > 0.02).then(|| (scale.to(value / factor, 1.0), factor))
        }
        _ => Some((scale.to(value, weight) - part.unwrap_or(0.0), weight)),
    }
}
