//! Bounds and round numbers: not a matter of chance.

/// The stretch at the end of a series that lies beyond a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    /// The first period.
    pub(crate) from: usize,
    /// The first period after it: the length of the series.
    pub(crate) to: usize,
    /// The mean of its values, each with its weight.
    pub(crate) observed: f64,
}

/// Finds the last periods, at least `least` of them, whose values are all above (or, unless `above`, below) a bound. A period
/// without a value ends the stretch. `weights` are denominators; empty where there are none.
pub(crate) fn beyond(
    values: &[Option<f64>],
    weights: &[f64],
    bound: f64,
    above: bool,
    least: usize,
) -> Option<Stretch> {
    let is_beyond = |v: &&Option<f64>| v.is_some_and(|v| if above { v > bound } else { v < bound });
    let length = values.iter().rev().take_while(is_beyond).count();
    if length < least.max(1) {
        return None;
    }
    let from = values.len() - length;
    Some(Stretch {
        from,
        to: values.len(),
        observed: mean(values, weights, from, values.len())?,
    })
}

/// Returns the mean of the values of a window, each with its weight; `None` where there is none.
pub(crate) fn mean(values: &[Option<f64>], weights: &[f64], from: usize, to: usize) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for at in from..to {
        let Some(value) = values.get(at).copied().flatten() else {
            continue;
        };
        let weight = match weights.is_empty() {
            true => 1.0,
            false => weights.get(at).copied().unwrap_or(0.0).max(0.0),
        };
        sum += weight * value;
        total += weight;
    }
    (total > 0.0).then(|| sum / total)
}

/// Finds the greatest of 1, 2 and 5 times a power of ten, from 100 on, that the greatest value so far passed (reached from
/// below) within the last `recent` periods, and the first period at or above it. `None` where there are no earlier periods.
pub(crate) fn milestone(values: &[Option<f64>], recent: usize) -> Option<(usize, f64)> {
    let before = values.len().saturating_sub(recent);
    let most = |values: &[Option<f64>]| {
        let finite = values.iter().flatten().copied().filter(|v| v.is_finite());
        finite.fold(0.0, f64::max)
    };
    let (old, new) = (most(values.get(..before)?), most(values));
    let mut passed = None;
    let mut power = 100.0;
    while power <= new && before > 0 {
        for factor in [1.0, 2.0, 5.0] {
            let round = factor * power;
            if old < round && round <= new {
                passed = Some(round);
            }
        }
        power *= 10.0;
    }
    let round = passed?;
    let at = values.iter().position(|v| v.is_some_and(|v| v >= round))?;
    Some((at, round))
}
