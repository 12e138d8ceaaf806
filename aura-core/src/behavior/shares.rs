//! Shares and how sure they are.

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Returns `part` of `whole`; `None` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Returns the 95 % interval of a share after Wilson (1927), without correction for continuity; `None` of nothing.
pub(crate) fn wilson(part: u64, whole: u64) -> Option<(f64, f64)> {
    let p = share(part, whole)?;
    let n = whole as f64;
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).max(0.0).sqrt();
    let below = 1.0 + z2 / n;
    // At the ends rounding could step beyond.
    let low = match part {
        0 => 0.0,
        _ => ((middle - half) / below).max(0.0),
    };
    let high = match part >= whole {
        true => 1.0,
        false => ((middle + half) / below).min(1.0),
    };
    Some((low, high))
}

/// Returns the first share less the second, each a part and its whole, with the 95 % interval after Newcombe (1998,
/// method 10): `(difference, low, high)`. `None` if one is of nothing.
pub(crate) fn difference(first: (u64, u64), second: (u64, u64)) -> Option<(f64, f64, f64)> {
    let (a, b) = (share(first.0, first.1)?, share(second.0, second.1)?);
    let (a_low, a_high) = wilson(first.0, first.1)?;
    let (b_low, b_high) = wilson(second.0, second.1)?;
    let low = a - b - (a - a_low).hypot(b_high - b);
    let high = a - b + (a_high - a).hypot(b - b_low);
    Some((a - b, low.max(-1.0), high.min(1.0)))
}
