//! Whether a series goes one way: the test of Mann and Kendall, and the slope of Theil and Sen.

use super::order::median;
use super::special::normal_upper;

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MannKendall {
    /// The number of pairs that rise less that of those that fall.
    pub(crate) s: f64,
    /// The variance of `s` without a trend, with ties and dependence of neighbours taken into account.
    pub(crate) variance: f64,
    /// `s`, less one towards zero, over the root of its variance.
    pub(crate) z: f64,
    /// How often so much of a trend, either way, comes by chance.
    pub(crate) p_value: f64,
    /// The median of the slopes between all pairs, per period.
    pub(crate) slope: f64,
}

/// Tests for a trend.
///
/// Ties lessen the variance by Kendall's correction. Neighbours that are alike make it greater: by the factor of Hamed and
/// Rao (1998), from the autocorrelations of the ranks of the series without its Theil–Sen trend, over those lags (of the
/// first `lags`) whose autocorrelation is beyond 1.96/√n. It is not taken below 1: swings that alternate would else make
/// the test bolder than of independent values. `None` of fewer than four values.
///
/// **Source.** Mann (1945), Kendall (1975), Sen (1968), Hamed and Rao (1998), *A modified Mann–Kendall trend test for
/// autocorrelated data*; as `hamed_rao_modification_test` of pymannkendall computes it, but for the floor.
pub(crate) fn mann_kendall(values: &[f64], lags: usize) -> Option<MannKendall> {
    let n = values.len();
    if n < 4 {
        return None;
    }
    let mut s = 0.0;
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate().skip(i + 1) {
            s += match b.total_cmp(a) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Less => -1.0,
                std::cmp::Ordering::Equal => 0.0,
            };
            slopes.push((b - a) / (j - i) as f64);
        }
    }
    let slope = median(&mut slopes).unwrap_or(0.0);
    let size = n as f64;
    let mut variance = size * (size - 1.0) * (2.0 * size + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    for run in sorted.chunk_by(|a, b| a == b) {
        let ties = run.len() as f64;
        variance -= ties * (ties - 1.0) * (2.0 * ties + 5.0);
    }
    variance = variance / 18.0 * dependence(values, slope, lags);
    let z = match s {
        _ if variance <= 0.0 => 0.0,
        s if s > 0.0 => (s - 1.0) / variance.sqrt(),
        s if s < 0.0 => (s + 1.0) / variance.sqrt(),
        _ => 0.0,
    };
    Some(MannKendall {
        s,
        variance,
        z,
        p_value: (2.0 * normal_upper(z.abs())).min(1.0),
        slope,
    })
}

/// Returns the factor of Hamed and Rao, at least 1.
fn dependence(values: &[f64], slope: f64, lags: usize) -> f64 {
    let n = values.len();
    let without: Vec<f64> = (0..n)
        .zip(values)
        .map(|(i, v)| v - slope * (i + 1) as f64)
        .collect();
    let ranks = ranks(&without);
    let size = n as f64;
    let mean = ranks.iter().sum::<f64>() / size;
    let total: f64 = ranks.iter().map(|r| (r - mean).powi(2)).sum();
    if total <= 0.0 {
        return 1.0;
    }
    let mut sum = 0.0;
    for lag in 1..lags.min(n - 3) + 1 {
        let pairs = ranks.iter().zip(ranks.iter().skip(lag));
        let together: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
        let r = together / total;
        if r.abs() > 1.96 / size.sqrt() {
            let left = size - lag as f64;
            sum += left * (left - 1.0) * (left - 2.0) * r;
        }
    }
    (1.0 + 2.0 / (size * (size - 1.0) * (size - 2.0)) * sum).max(1.0)
}

/// Returns ranks from 1; equal values share their mean rank.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let value = |i: usize| values.get(i).copied().unwrap_or(0.0);
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for run in order.chunk_by(|a, b| value(*a) == value(*b)) {
        let rank = start as f64 + (run.len() as f64 + 1.0) / 2.0;
        for i in run {
            if let Some(slot) = ranks.get_mut(*i) {
                *slot = rank;
            }
        }
        start += run.len();
    }
    ranks
}
