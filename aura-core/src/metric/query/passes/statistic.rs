//! One number of many.

use crate::expr::at_share;
use crate::metric::behaviour::Statistic;

/// Returns a statistic of numbers; `None` of none. Percentiles are interpolated linearly between neighbours (type 7
/// of Hyndman and Fan).
pub(super) fn of(statistic: Statistic, numbers: &mut [f64]) -> Option<f64> {
    match statistic {
        Statistic::Mean if numbers.is_empty() => None,
        Statistic::Mean => {
            // In one order, so that rounding does not depend on that of the events.
            numbers.sort_unstable_by(f64::total_cmp);
            Some(numbers.iter().sum::<f64>() / numbers.len() as f64)
        }
        Statistic::Min => at_share(numbers, 0.0),
        Statistic::Max => at_share(numbers, 1.0),
        Statistic::Percentile(p) => at_share(numbers, p / 100.0),
    }
}
