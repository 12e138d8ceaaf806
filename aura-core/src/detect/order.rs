//! Medians and quantiles: what a few wild values cannot move.

/// The standard deviation of a normal distribution over its median absolute deviation.
pub(crate) const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// Returns the quantile `q` (0 to 1) of values, linear between neighbours (type 7 of Hyndman and Fan); `None` of none.
pub(crate) fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let place = q.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let below = place.floor() as usize;
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let part = place - below as f64;
    if part == 0.0 {
        return Some(low);
    }
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    Some(low + part * (high - low))
}

/// Returns the median; `None` of no values.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Returns a standard deviation around 0 that outliers hardly move: the greater one of the estimates by the median and by
/// the 90 % quantile of absolute values, so that tails heavier than normal widen it.
pub(crate) fn spread(residuals: &[f64]) -> f64 {
    /// The 90 % quantile of |Z|.
    const Q90: f64 = 1.644_853_626_951_472_7;
    let mut absolute: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
    // Estimates of few values are too small: the factor of Croux and Rousseeuw (1992) for the median.
    let n = absolute.len() as f64;
    let few = if n > 1.0 { n / (n - 0.8) } else { 1.0 };
    let by_median = median(&mut absolute).unwrap_or(0.0) * MAD_TO_SD;
    let by_tail = quantile(&mut absolute, 0.9).unwrap_or(0.0) / Q90;
    few * by_median.max(by_tail)
}
