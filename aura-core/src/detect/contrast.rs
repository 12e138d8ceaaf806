//! Two groups over the same periods: how much their rates or means differ.

use super::special::{student_quantile, student_two_sided};

/// What two groups differ by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Contrast {
    /// The rates, each period with the same weight in both, so that season and trend do not count as a difference.
    pub(crate) inside: f64,
    pub(crate) outside: f64,
    pub(crate) difference: f64,
    /// The standard error of the difference.
    pub(crate) error: f64,
    /// Degrees of freedom, from 2.
    pub(crate) df: f64,
    /// Of no difference, two-sided.
    pub(crate) p_value: f64,
    /// The ends of the 95 % interval of the difference.
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// Periods with events in both groups that a contrast needs.
pub(crate) const LEAST_PAIRS: usize = 8;

/// Compares two groups that have no event in common. `inside` and `outside` have a value and a denominator for each period;
/// periods where one of them has no denominator do not count. `None` of fewer than eight periods that count, and where nothing varies.
///
/// The difference is the mean of those of the periods, with the weights n₁n₂/(n₁ + n₂) of Mantel and Haenszel (Greenland and
/// Robins 1985 for the difference of risks). Its variance is that which the differences have from period to period,
/// Σ w²(d − D)²/(Σ w)² · k/(k − 1), so that chance larger than binomial is in it, times (1 + ρ)/(1 − ρ) where neighbours are alike
/// (ρ the autocorrelation of w(d − D) at one period, without its small-sample bias (1 + 3ρ)/k, from 0 to 0.8), and of shares at least
/// the binomial one. The test is Student's with (k − 1)(1 − ρ)/(1 + ρ) degrees of freedom, at least 2.
///
/// **Deviation.** It is about these actors in these periods: that the same few actors make most events of a small segment
/// is not part of the error.
pub(crate) fn contrast(
    inside: &[(f64, f64)],
    outside: &[(f64, f64)],
    shares: bool,
) -> Option<Contrast> {
    let (mut pairs, mut weights) = (Vec::new(), 0.0);
    let (mut sum_in, mut sum_out, mut binomial) = (0.0, 0.0, 0.0);
    for ((p, n), (q, m)) in inside.iter().copied().zip(outside.iter().copied()) {
        if !(n > 0.0 && m > 0.0 && p.is_finite() && q.is_finite()) {
            continue;
        }
        let w = n * m / (n + m);
        let both = (p * n + q * m) / (n + m);
        binomial += w * both * (1.0 - both);
        weights += w;
        sum_in += w * p;
        sum_out += w * q;
        pairs.push((w, p - q));
    }
    let k = pairs.len() as f64;
    if pairs.len() < LEAST_PAIRS || weights <= 0.0 {
        return None;
    }
    let difference = (sum_in - sum_out) / weights;
    let left: Vec<f64> = pairs.iter().map(|(w, d)| w * (d - difference)).collect();
    let squares: f64 = left.iter().map(|e| e * e).sum();
    let together: f64 = left
        .iter()
        .zip(left.iter().skip(1))
        .map(|(a, b)| a * b)
        .sum();
    let rho = if squares > 0.0 {
        together / squares
    } else {
        0.0
    };
    let rho = (rho + (1.0 + 3.0 * rho.max(0.0)) / k).clamp(0.0, 0.8);
    let wider = (1.0 + rho) / (1.0 - rho);
    let mut variance = squares / weights.powi(2) * k / (k - 1.0) * wider;
    if shares {
        variance = variance.max(binomial / weights.powi(2));
    }
    if !(variance > 0.0 && variance.is_finite() && difference.is_finite()) {
        return None;
    }
    let error = variance.sqrt();
    let df = ((k - 1.0) / wider).max(2.0);
    let half = student_quantile(0.05, df) * error;
    Some(Contrast {
        inside: sum_in / weights,
        outside: sum_out / weights,
        difference,
        error,
        df,
        p_value: student_two_sided(difference / error, df),
        lower: difference - half,
        upper: difference + half,
    })
}
