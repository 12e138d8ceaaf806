//! How much values vary by chance, and how much neighbours are alike.

use super::order::{MAD_TO_SD, median, spread};

/// The size of chance on the scale of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Noise {
    /// The standard deviation of a value of weight 1.
    pub(crate) sd: f64,
    /// The correlation of neighbours, from 0 to 0.8. Alternation (below 0) is taken as independence.
    pub(crate) rho: f64,
}

/// Beyond this an autoregression cannot be told from a wandering level.
const MOST_RHO: f64 = 0.8;

impl Noise {
    /// Estimates from differences: shifts move only few of them, and slopes all by the same.
    ///
    /// The median absolute deviation of differences over a lag of one period has the variance 2σ²(1 − ρ), and over long lags
    /// 2σ², where chance is a first-order autoregression.
    pub(crate) fn of_differences(values: &[f64], weights: &[f64], least: f64) -> Noise {
        let near = differences(values, weights, 1);
        let far: f64 = (5..=8)
            .map(|lag| differences(values, weights, lag))
            .sum::<f64>()
            / 4.0;
        let sd = near.max(far).sqrt();
        let rho = if far > 0.0 { 1.0 - near / far } else { 0.0 };
        Noise {
            sd: sd.max(least),
            rho: rho.clamp(0.0, MOST_RHO),
        }
    }

    /// Estimates from what is left over by a fit; values of weight 0 are not looked at.
    pub(crate) fn of_residuals(residuals: &[f64], weights: &[f64], least: f64) -> Noise {
        let scaled: Vec<Option<f64>> = residuals
            .iter()
            .zip(weights)
            .map(|(r, w)| (*w > 0.0).then(|| r * w.sqrt()))
            .collect();
        let present: Vec<f64> = scaled.iter().flatten().copied().collect();
        let sd = spread(&present).max(least);
        let cut = |v: f64| v.clamp(-3.0 * sd, 3.0 * sd);
        let (mut together, mut alone, mut pairs) = (0.0, 0.0, 0.0);
        for (a, b) in scaled.iter().zip(scaled.iter().skip(1)) {
            if let (Some(a), Some(b)) = (a, b) {
                together += cut(*a) * cut(*b);
                alone += 0.5 * (cut(*a).powi(2) + cut(*b).powi(2));
                pairs += 1.0;
            }
        }
        // The mean that a fit has taken away makes neighbours look less alike than they are (Marriott and Pope 1954).
        let rho = if alone > 0.0 { together / alone } else { 0.0 };
        let rho = if pairs > 0.0 {
            rho + (1.0 + 3.0 * rho.max(0.0)) / pairs
        } else {
            rho
        };
        Noise {
            sd,
            rho: rho.clamp(0.0, MOST_RHO),
        }
    }

    /// Returns by how much the variance of a mean over `n` neighbours is greater than that of independent ones.
    pub(crate) fn inflation(&self, n: f64) -> f64 {
        let rho = self.rho;
        if rho <= 0.0 || n <= 1.0 {
            return 1.0;
        }
        let ends = (1.0 - rho.powf(n)) / (n * (1.0 - rho));
        1.0 + 2.0 * rho / (1.0 - rho) * (1.0 - ends)
    }

    /// Returns [`inflation`](Noise::inflation) of many neighbours.
    pub(crate) fn long_inflation(&self) -> f64 {
        (1.0 + self.rho) / (1.0 - self.rho)
    }
}

/// Returns a robust half variance, at weight 1, of the differences over a lag.
fn differences(values: &[f64], weights: &[f64], lag: usize) -> f64 {
    let both = values.iter().zip(weights);
    let later = values.iter().zip(weights).skip(lag);
    let mut found: Vec<f64> = both
        .zip(later)
        .filter(|((_, a), (_, b))| **a > 0.0 && **b > 0.0)
        .map(|((x, a), (y, b))| (y - x) / (1.0 / a + 1.0 / b).sqrt())
        .collect();
    let middle = median(&mut found).unwrap_or(0.0);
    for value in &mut found {
        *value = (*value - middle).abs();
    }
    (median(&mut found).unwrap_or(0.0) * MAD_TO_SD).powi(2)
}
