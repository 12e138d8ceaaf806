//! Change points: PELT.

/// Sums over the first periods, from which the cost of any stretch follows.
struct Sums {
    weight: Vec<f64>,
    value: Vec<f64>,
    square: Vec<f64>,
}

impl Sums {
    fn new(values: &[f64], weights: &[f64]) -> Sums {
        let mut sums = Sums {
            weight: vec![0.0],
            value: vec![0.0],
            square: vec![0.0],
        };
        // Around their middle the sums of squares lose no digits.
        let total: f64 = weights.iter().sum();
        let weighed = values.iter().zip(weights).map(|(v, w)| v * w);
        let middle = if total > 0.0 {
            weighed.sum::<f64>() / total
        } else {
            0.0
        };
        let (mut w, mut wv, mut wvv) = (0.0, 0.0, 0.0);
        for (value, weight) in values.iter().zip(weights) {
            let value = value - middle;
            w += weight;
            wv += weight * value;
            wvv += weight * value * value;
            sums.weight.push(w);
            sums.value.push(wv);
            sums.square.push(wvv);
        }
        sums
    }

    /// Returns the weighted sum of squared deviations from the mean of `from..to`.
    fn cost(&self, from: usize, to: usize) -> f64 {
        let part = |sums: &[f64]| match (sums.get(from), sums.get(to)) {
            (Some(a), Some(b)) => b - a,
            _ => 0.0,
        };
        let weight = part(&self.weight);
        if weight <= 0.0 {
            return 0.0;
        }
        (part(&self.square) - part(&self.value).powi(2) / weight).max(0.0)
    }
}

/// Cuts a series into stretches of equal level: the cut with the least sum of squared deviations (each value with its
/// weight) plus `penalty` for each change, among all whose stretches have at least `least` periods. Returns the first
/// periods of all stretches but the first, ascending. A value of weight 0 is not looked at.
///
/// **Source.** Killick, Fearnhead, Eckley (2012), *Optimal detection of changepoints with a linear computational cost*; the
/// cut is the exact optimum. With `least` above 1 a start is dropped `least` periods after it was found beaten, as
/// `ruptures` does.
pub(crate) fn pelt(values: &[f64], weights: &[f64], penalty: f64, least: usize) -> Vec<usize> {
    let n = values.len();
    let least = least.max(1);
    if n < 2 * least {
        return Vec::new();
    }
    let sums = Sums::new(values, weights);
    let mut best = vec![f64::INFINITY; n + 1];
    let mut before = vec![0usize; n + 1];
    if let Some(first) = best.first_mut() {
        *first = -penalty;
    }
    // Starts that may still be the best, with the period after which they are not looked at any more.
    let mut open: Vec<(usize, usize)> = vec![(0, usize::MAX)];
    for end in least..=n {
        if end >= 2 * least {
            open.push((end - least, usize::MAX));
        }
        let (mut least_cost, mut least_start) = (f64::INFINITY, 0);
        let mut costs = Vec::with_capacity(open.len());
        for (start, _) in &open {
            let without =
                best.get(*start).copied().unwrap_or(f64::INFINITY) + sums.cost(*start, end);
            costs.push(without);
            if without + penalty < least_cost {
                (least_cost, least_start) = (without + penalty, *start);
            }
        }
        if let (Some(cost), Some(start)) = (best.get_mut(end), before.get_mut(end)) {
            (*cost, *start) = (least_cost, least_start);
        }
        let mut number = 0;
        open.retain_mut(|(_, until)| {
            let beaten = costs.get(number).is_some_and(|c| *c > least_cost);
            number += 1;
            if beaten && *until == usize::MAX {
                *until = end + least;
            }
            end < *until || *until == usize::MAX
        });
    }
    let mut cuts = Vec::new();
    let mut end = n;
    while end > 0 {
        end = before.get(end).copied().unwrap_or(0);
        if end > 0 {
            cuts.push(end);
        }
    }
    cuts.reverse();
    cuts
}
