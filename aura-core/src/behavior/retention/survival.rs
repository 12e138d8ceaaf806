//! The estimate of Kaplan and Meier.

/// The normal quantile of 0.975.
const Z: f64 = 1.959_963_984_540_054;

/// One window of the estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// Those who had neither left nor been censored before.
    pub(crate) at_risk: u64,
    pub(crate) left: u64,
    /// Of those still there: nothing more is known of them.
    pub(crate) censored: u64,
    /// The share still there.
    pub(crate) survival: f64,
    /// The limits of the interval of 95 %.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Returns the estimate for each window from those who left in it and those of whom nothing is known after it.
///
/// The interval is that of Greenwood's variance on the scale log(−log S), which stays between 0 and 1.
pub(crate) fn survival(left: &[u64], censored: &[u64]) -> Vec<Step> {
    let count = left.len().max(censored.len());
    let at = |counts: &[u64], k: usize| counts.get(k).copied().unwrap_or(0);
    let mut at_risk: u64 = left.iter().chain(censored).sum();
    let (mut survival, mut variance) = (1.0_f64, 0.0_f64);
    let mut steps = Vec::with_capacity(count);
    for k in 0..count {
        let (gone, unknown) = (at(left, k), at(censored, k));
        if gone > 0 {
            let (n, d) = (at_risk as f64, gone as f64);
            survival *= (n - d) / n;
            variance += d / (n * (n - d));
        }
        let (low, high) = match survival > 0.0 && survival < 1.0 {
            true => {
                let error = Z * variance.sqrt() / survival.ln().abs();
                (survival.powf(error.exp()), survival.powf((-error).exp()))
            }
            false => (survival, survival),
        };
        steps.push(Step {
            at_risk,
            left: gone,
            censored: unknown,
            survival,
            low,
            high,
        });
        at_risk -= gone + unknown;
    }
    steps
}
