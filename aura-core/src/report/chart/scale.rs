//! From values to places, and the values that axes name.

use crate::metric::Format;
use crate::report::number::ValueFormat;

/// Values greater than this are not drawn: differences of two of them have no number.
const GREATEST: f64 = 1e300;

/// Returns a value that can be drawn.
pub(super) fn drawable(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite() && v.abs() <= GREATEST)
}

/// A linear scale with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
    pub(super) ticks: Vec<f64>,
}

/// What a scale must show besides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    /// Lengths stand for values: zero must be on the axis.
    Always,
    /// Places stand for values: zero is on the axis unless the values lie far from it and close together.
    WhenNear,
    /// Zero is a value as any other.
    Never,
}

impl Scale {
    /// Makes a scale for values, with about `count` ticks at numbers that are easily read.
    pub(super) fn of(
        values: impl IntoIterator<Item = Option<f64>>,
        zero: Zero,
        format: &ValueFormat,
        count: usize,
    ) -> Scale {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut whole = true;
        for value in values.into_iter().filter_map(drawable) {
            low = low.min(value);
            high = high.max(value);
            whole &= value.fract() == 0.0;
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let (nearest, furthest) = match high < 0.0 {
            true => (-high, -low),
            false => (low, high),
        };
        let near = nearest < 0.7 * furthest;
        if zero == Zero::Always || (zero == Zero::WhenNear && near) {
            low = low.min(0.0);
            high = high.max(0.0);
        }
        if low == high {
            // One value alone: from zero to it, or around zero.
            match low {
                0.0 => high = 1.0,
                v if v > 0.0 => low = 0.0,
                _ => high = 0.0,
            }
        }
        let step = step(high - low, count.max(2), format, whole);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // Rounding at the far end of the numbers may find no place; then the ends are the ticks.
        if !(last - first).is_finite() || last - first > 50.0 {
            return Scale {
                low,
                high,
                step: high - low,
                ticks: vec![low, high],
            };
        }
        let ticks: Vec<f64> = (0..=(last - first) as usize)
            .map(|k| (first + k as f64) * step)
            .collect();
        Scale {
            low: first * step,
            high: last * step,
            step,
            ticks,
        }
    }

    /// Returns where a value lies between the ends, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        let span = self.high - self.low;
        match span > 0.0 {
            true => ((value - self.low) / span).clamp(0.0, 1.0),
            false => 0.5,
        }
    }

    /// Returns the greatest absolute value of its ends.
    pub(super) fn greatest(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }
}

/// Returns a step between ticks that is easily read: 1, 2, 2.5 or 5 times a power of ten, or a whole part of a minute, hour
/// or day.
fn step(span: f64, count: usize, format: &ValueFormat, whole: bool) -> f64 {
    const CLOCK: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 10_800.0, 21_600.0, 43_200.0,
    ];
    let rough = span / count as f64;
    if format.style == Format::Duration {
        let unit = format.unit_seconds();
        let seconds = rough * unit;
        if (0.5..=43_200.0).contains(&seconds)
            && let Some(step) = CLOCK.iter().find(|s| **s >= seconds)
        {
            return step / unit;
        }
        if seconds > 43_200.0 {
            return decimal_step(seconds / 86_400.0).max(1.0) * 86_400.0 / unit;
        }
    }
    let step = decimal_step(rough);
    match whole && format.style == Format::Number {
        true if step < 1.0 => 1.0,
        true if step == 2.5 => 5.0,
        _ => step,
    }
}

fn decimal_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    if !power.is_normal() {
        return rough;
    }
    let nice = [1.0, 2.0, 2.5, 5.0, 10.0];
    let factor = nice.iter().find(|n| **n * power >= rough * (1.0 - 1e-9));
    factor.copied().unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests;
