//! Where a series will be: its level and its trend with their error.
//!
//! Counts are taken back from their scale, on which what grows evenly would bend: a line through roots grows ever faster.

use super::profile::Profile;
use super::sample::Measure;
use super::special::{student_quantile, student_two_sided};

/// A line through the levels of the last stretch, on the scale of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// Where the middle of the weights lies, in periods.
    pub(crate) middle: f64,
    /// The level there.
    pub(crate) level: f64,
    /// The change of the level from a period to the next.
    pub(crate) slope: f64,
    /// Σ w and Σ w (t − middle)².
    pub(crate) weight: f64,
    pub(crate) spread: f64,
    /// The variance of a value of weight 1, widened for neighbours that are alike.
    pub(crate) variance: f64,
    /// The variance of the mean of the season that is forecast.
    pub(crate) of_season: f64,
    pub(crate) df: f64,
}

/// Periods that a line needs.
pub(crate) const LEAST_LINE: usize = 8;

/// Fits a line by weighted least squares to the levels from `from` on. `sd` and `rho` say how large chance is and how
/// much neighbours are alike, `cycle` of how many periods the mean is forecast. `None` of fewer than eight periods with weight.
///
/// The variance of a forecast is σ²((1 + ρ)/(1 − ρ) (1/Σw + (t − m)²/Σw(t − m)²) + 1/cycle · (1 + ρ)/(1 − ρ)), with Student's
/// distribution of n − 2 degrees of freedom (ordinary least squares as in Draper and Smith 1998, section 3.1).
///
/// **Deviations.** The trend goes on as it is: whether it will, no series says. ρ widens the errors as it does for long means, and the
/// chance of counts is that of their mean level also where they will be greater.
pub(crate) fn line(
    levels: &[f64],
    weights: &[f64],
    from: usize,
    (sd, rho): (f64, f64),
    cycle: usize,
) -> Option<Line> {
    let points = || {
        let both = levels.iter().copied().zip(weights.iter().copied());
        let numbered = both.enumerate().skip(from);
        numbered
            .filter(|(_, (_, w))| *w > 0.0)
            .map(|(t, (y, w))| (t as f64, y, w))
    };
    let n = points().count();
    if n < LEAST_LINE {
        return None;
    }
    let weight: f64 = points().map(|(_, _, w)| w).sum();
    let middle = points().map(|(t, _, w)| w * t).sum::<f64>() / weight;
    let level = points().map(|(_, y, w)| w * y).sum::<f64>() / weight;
    let spread: f64 = points().map(|(t, _, w)| w * (t - middle).powi(2)).sum();
    let along: f64 = points()
        .map(|(t, y, w)| w * (t - middle) * (y - level))
        .sum();
    let variance = sd.powi(2) * (1.0 + rho) / (1.0 - rho);
    let good = spread > 0.0 && variance.is_finite() && level.is_finite() && along.is_finite();
    good.then(|| Line {
        middle,
        level,
        slope: along / spread,
        weight,
        spread,
        variance,
        of_season: variance / cycle.max(1) as f64,
        df: n as f64 - 2.0,
    })
}

impl Line {
    /// Fits the line of a series: from where its last lasting change is over, or has begun when it still goes on; passing
    /// changes have no weight. Periods are counted from [`Profile::begin`].
    pub(crate) fn of(profile: &Profile, cycle: usize) -> Option<Line> {
        let n = profile.levels.len();
        let ramps = profile.structure.ramps.iter();
        let begun = ramps.map(|r| {
            if r.to < n || r.is_step() {
                r.to.saturating_sub(1)
            } else {
                r.from
            }
        });
        let latest = begun.filter(|at| at + LEAST_LINE <= n).max().unwrap_or(0);
        let noise = profile.noise();
        let weights = profile.structure.masked(&profile.weights);
        let (levels, sd) = match profile.sample.measure {
            Measure::Count => {
                let values: Vec<f64> = profile
                    .levels
                    .iter()
                    .map(|l| profile.scale.from(*l))
                    .collect();
                let total: f64 = weights.iter().sum();
                let mean = values.iter().zip(&weights).map(|(v, w)| v * w).sum::<f64>() / total;
                // The derivative of the square is twice the root.
                (values, noise.sd * 2.0 * (mean.max(0.0) + 0.375).sqrt())
            }
            _ => (profile.levels.clone(), noise.sd),
        };
        let chance = (sd, noise.rho);
        line(&levels, &weights, latest, chance, cycle)
            .or_else(|| line(&levels, &weights, 0, chance, cycle))
    }

    /// Returns the value that a level of the line of a series means in a period, with its season.
    pub(crate) fn value(profile: &Profile, level: f64, at: usize) -> f64 {
        match profile.sample.measure {
            Measure::Count => level.max(0.0) * profile.season.at(at).unwrap_or(1.0),
            _ => profile.value_of(level, at),
        }
    }

    /// Returns the level, on the scale, that is expected at a time.
    pub(crate) fn at(&self, t: f64) -> f64 {
        self.level + self.slope * (t - self.middle)
    }

    /// Returns the standard error of the mean of a season around a time.
    pub(crate) fn error(&self, t: f64) -> f64 {
        let of_line = 1.0 / self.weight + (t - self.middle).powi(2) / self.spread;
        (self.variance * of_line + self.of_season).sqrt()
    }

    /// Returns the chance that the mean of a season around a time is at or above a level.
    pub(crate) fn chance(&self, t: f64, level: f64) -> f64 {
        let z = (self.at(t) - level) / self.error(t);
        let tail = 0.5 * student_two_sided(z, self.df);
        if z >= 0.0 { 1.0 - tail } else { tail }
    }

    /// Returns the interval, on the scale, that has the mean of a season around a time with 90 %.
    pub(crate) fn interval(&self, t: f64) -> (f64, f64) {
        let half = student_quantile(0.1, self.df) * self.error(t);
        (self.at(t) - half, self.at(t) + half)
    }
}
