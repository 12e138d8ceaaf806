//! Whether the mix of a count over the values of a dimension is another one than before.

use super::special::f_upper;

/// How a mix changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mix {
    /// The population stability index: Σ (p₁ − p₀) ln(p₁/p₀), with half an event added to each value.
    pub(crate) psi: f64,
    /// The part of events that would have to move to another value, from 0 to 1: half of Σ |p₁ − p₀|.
    pub(crate) distance: f64,
    /// χ² of the two windows over its degrees of freedom and over the dispersion.
    pub(crate) f: f64,
    /// How much greater chance is than that of drawing events one by one, at least 1.
    pub(crate) dispersion: f64,
    pub(crate) df: f64,
    /// The degrees of freedom of the dispersion.
    pub(crate) df_within: f64,
    pub(crate) p_value: f64,
    /// The shares of the values before and now.
    pub(crate) before: Vec<f64>,
    pub(crate) now: Vec<f64>,
}

/// Compares the last `now` blocks with all earlier ones. `counts` has a row for each value with one sum for each block; a block is a
/// season, so that what differs by the day of the week is no drift. `None` of fewer than two blocks on either
/// side, of fewer than two values with events, and of a side without events.
///
/// The test is that of homogeneity of Pearson with the dispersion φ estimated from how the mix differs between the blocks of
/// each side (Pearson's χ² within over its degrees of freedom): (χ²/df)/φ has the distribution F of Fisher (McCullagh and Nelder
/// 1989, section 4.5, quasi-likelihood for overdispersed counts). Where the values are not dispersed alike, both degrees of freedom are
/// divided by 1 + c², with c the coefficient of variation of their dispersions (the second correction of Rao and Scott 1984).
///
/// **Deviation.** φ is at least 1, and events of the same actor count by how they cluster in blocks only. The index is that of the
/// credit industry (Siddiqi 2006), where 0.1 is some and 0.25 a large change; it has no test of its own.
pub(crate) fn mix(counts: &[Vec<f64>], now: usize) -> Option<Mix> {
    let blocks = counts.iter().map(Vec::len).min().unwrap_or(0);
    let first = blocks.checked_sub(now)?;
    if now < 2 || first < 2 {
        return None;
    }
    let part = |row: &Vec<f64>, from: usize, to: usize| -> f64 {
        let some = row.get(from..to).unwrap_or_default();
        some.iter().map(|v| v.max(0.0)).sum()
    };
    let total: Vec<f64> = (0..blocks)
        .map(|at| counts.iter().map(|row| part(row, at, at + 1)).sum())
        .collect();
    let sides = [(0, first), (first, blocks)];
    let sums = sides.map(|(from, to)| part(&total, from, to));
    let all = sums[0] + sums[1];
    let kept: Vec<&Vec<f64>> = counts
        .iter()
        .filter(|row| part(row, 0, blocks) > 0.0)
        .collect();
    if kept.len() < 2 || sums.iter().any(|s| *s <= 0.0) || !all.is_finite() {
        return None;
    }
    let filled = sides.map(|(from, to)| {
        let some = (from..to).filter(|at| total.get(*at).is_some_and(|t| *t > 0.0));
        some.count() as f64
    });
    let (mut between, mut within, mut df_within) = (0.0, 0.0, 0.0);
    // The dispersion of each value by itself.
    let mut own = Vec::new();
    for row in &kept {
        let whole = part(row, 0, blocks);
        let (mut within_row, mut df_row) = (0.0, 0.0);
        for (((from, to), side), filled) in sides.into_iter().zip(sums).zip(filled) {
            let (seen, due) = (part(row, from, to), whole / all * side);
            between += (seen - due).powi(2) / due;
            if seen <= 0.0 {
                continue;
            }
            for at in from..to {
                let due = seen / side * total.get(at).copied().unwrap_or(0.0);
                if due > 0.0 {
                    within_row += (part(row, at, at + 1) - due).powi(2) / due;
                }
            }
            df_row += filled - 1.0;
        }
        within += within_row;
        df_within += df_row;
        if df_row > 0.0 && whole < all {
            own.push(within_row / df_row / (1.0 - whole / all));
        }
    }
    // The shares of each side add up to one.
    df_within -= filled[0] + filled[1] - 2.0;
    if df_within < 1.0 {
        return None;
    }
    let values = own.len() as f64;
    let mean = own.iter().sum::<f64>() / values;
    let uneven = match mean > 0.0 {
        true => own.iter().map(|v| (v / mean - 1.0).powi(2)).sum::<f64>() / values,
        false => 0.0,
    };
    let dispersion = (within / df_within).max(1.0);
    let f = between / (kept.len() as f64 - 1.0) / dispersion;
    let df = (kept.len() as f64 - 1.0) / (1.0 + uneven);
    let df_within = df_within / (1.0 + uneven);
    let shares = |side: usize| -> Vec<f64> {
        let (from, to) = sides.get(side).copied().unwrap_or((0, 0));
        let whole = sums.get(side).copied().unwrap_or(1.0);
        counts
            .iter()
            .map(|row| part(row, from, to) / whole)
            .collect()
    };
    let (before, now) = (shares(0), shares(1));
    let values = kept.len() as f64;
    let smooth = |share: f64, whole: f64| (share * whole + 0.5) / (whole + 0.5 * values);
    let both = || before.iter().copied().zip(now.iter().copied());
    let seen = both().filter(|(a, b)| a + b > 0.0);
    let psi = seen
        .map(|(a, b)| {
            let (a, b) = (smooth(a, sums[0]), smooth(b, sums[1]));
            (b - a) * (b / a).ln()
        })
        .sum();
    let distance = 0.5 * both().map(|(a, b)| (b - a).abs()).sum::<f64>();
    Some(Mix {
        psi,
        distance,
        f,
        dispersion,
        df,
        df_within,
        p_value: f_upper(f, df, df_within),
        before,
        now,
    })
}
