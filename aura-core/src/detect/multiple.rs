//! Many tests at once.

/// Returns the q-values of p-values among `tests` tests in all (those that are not given had p-values of 1): the least
/// expected share of false ones among all that are at least as sure.
///
/// **Source.** Benjamini and Hochberg (1995), *Controlling the false discovery rate*; as `p.adjust(…, "BH")` of R, where
/// the p-values that are not given are 1.
pub(crate) fn q_values(p_values: &[f64], tests: usize) -> Vec<f64> {
    let tests = tests.max(p_values.len()) as f64;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    let value = |i: usize| p_values.get(i).copied().unwrap_or(1.0);
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut q = vec![1.0; p_values.len()];
    let mut least: f64 = 1.0;
    for (place, i) in order.iter().enumerate().rev() {
        least = least.min(value(*i) * tests / (place + 1) as f64);
        if let Some(slot) = q.get_mut(*i) {
            *slot = least;
        }
    }
    q
}
