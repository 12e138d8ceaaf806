//! Scales on which chance has the same size everywhere.

use super::sample::{Measure, Sample};

/// A transformation of values after which their variance is σ² over a known weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// √(y + 3/8), of counts; the variance of a Poisson count becomes 1/4 (Anscombe 1948).
    Root,
    /// asin √p, of shares; the variance of a binomial share becomes 1/(4 n) (Anscombe 1948).
    Angle,
    /// ln y, of positive values whose size changes.
    Log,
    /// The value itself.
    Plain,
}

impl Scale {
    /// Chooses the scale of a series.
    pub(crate) fn of(sample: &Sample) -> Scale {
        match sample.measure {
            Measure::Count => Scale::Root,
            Measure::Share => Scale::Angle,
            Measure::Mean => Scale::Plain,
            Measure::Level => {
                let mut any = false;
                let positive = sample.values.iter().flatten().all(|v| {
                    any = true;
                    *v > 0.0
                });
                match positive && any {
                    true => Scale::Log,
                    false => Scale::Plain,
                }
            }
        }
    }

    /// Takes a value (free of its season) to the scale; `weight` is its denominator.
    pub(crate) fn to(self, value: f64, weight: f64) -> f64 {
        match self {
            Scale::Root => (value.max(0.0) + 0.375).sqrt(),
            Scale::Angle => {
                let share = (value.clamp(0.0, 1.0) * weight + 0.375) / (weight + 0.75);
                share.sqrt().asin()
            }
            Scale::Log => value.max(f64::MIN_POSITIVE).ln(),
            Scale::Plain => value,
        }
    }

    /// Takes an expected value to the scale: what [`from`](Scale::from) takes back.
    pub(crate) fn level_of(self, value: f64) -> f64 {
        match self {
            Scale::Angle => value.clamp(0.0, 1.0).sqrt().asin(),
            other => other.to(value, 1.0),
        }
    }

    /// Takes a level on the scale back to a value.
    pub(crate) fn from(self, level: f64) -> f64 {
        match self {
            Scale::Root => (level.max(0.0).powi(2) - 0.375).max(0.0),
            Scale::Angle => level.clamp(0.0, std::f64::consts::FRAC_PI_2).sin().powi(2),
            Scale::Log => level.min(700.0).exp(),
            Scale::Plain => level,
        }
    }

    /// Returns the least standard deviation (at weight 1) that is believed: data that vary less are rounded or made up.
    pub(crate) fn least_sd(self, levels: &[f64]) -> f64 {
        match self {
            // Actors of a fixed number vary less than a Poisson count does, but not without end.
            Scale::Root | Scale::Angle => 0.2,
            Scale::Log => 0.002,
            Scale::Plain => {
                let mut sizes: Vec<f64> = levels.iter().map(|v| v.abs()).collect();
                let middle = super::order::median(&mut sizes).unwrap_or(0.0);
                (middle * 0.002).max(1e-12)
            }
        }
    }
}
