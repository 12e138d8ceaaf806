//! Sums of floating-point numbers without rounding.

#[cfg(test)]
mod tests;

/// The fraction bits of the part that holds ordinary numbers.
const FRACTION: i32 = 70;
/// Bits of a bin.
const BIN: i32 = 32;
/// Above this a bin hands on what belongs to the next one.
const FULL: u128 = 1 << 120;

/// The exact sum of numbers; it is rounded once, when it is asked for. So it depends neither on the order of the
/// numbers nor on how they were divided, and what was added can be taken off again.
///
/// Numbers of which no bit is below 2⁻⁷⁰ or above 2⁵⁵ are added as one integer; all others go to bins of 32 bits. NaN and
/// infinities are counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ExactSum {
    fixed: i128,
    rest: Option<Box<Rest>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Rest {
    /// Value times 2^(32 · bin), ordered by bin.
    bins: Vec<(i32, i128)>,
    nans: i64,
    infinite: i64,
    minus_infinite: i64,
}

impl ExactSum {
    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = ((bits >> 52) & 0x7FF) as i32;
        let fraction = bits & ((1 << 52) - 1);
        // The value is mantissa · 2^(exponent − 1075).
        let shift = exponent - 1_075 + FRACTION;
        if (0..=73).contains(&shift) {
            let mantissa = i128::from(fraction | (1 << 52)) << shift;
            let signed = if value < 0.0 { -mantissa } else { mantissa };
            match self.fixed.checked_add(signed) {
                Some(sum) => self.fixed = sum,
                None => {
                    self.spill();
                    self.fixed = signed;
                }
            }
        } else if value != 0.0 {
            self.add_to_rest(value, 1);
        }
    }

    pub(crate) fn merge(&mut self, other: &ExactSum) {
        self.combine(other, 1);
    }

    /// Takes off a sum that was merged before.
    pub(crate) fn remove(&mut self, other: &ExactSum) {
        self.combine(other, -1);
    }

    fn combine(&mut self, other: &ExactSum, sign: i128) {
        // Neither is as low as the least integer: its negative would not exist.
        let theirs = other.fixed.saturating_mul(sign);
        match self.fixed.checked_add(theirs) {
            Some(sum) => self.fixed = sum,
            None => {
                self.spill();
                self.fixed = theirs;
            }
        }
        if let Some(rest) = &other.rest {
            let own = self.rest.get_or_insert_default();
            for (bin, value) in &rest.bins {
                own.add(*bin, value * sign);
            }
            let sign = sign as i64;
            own.nans += rest.nans * sign;
            own.infinite += rest.infinite * sign;
            own.minus_infinite += rest.minus_infinite * sign;
        }
    }

    /// Moves the integer to the bins.
    fn spill(&mut self) {
        let fixed = std::mem::take(&mut self.fixed);
        let rest = self.rest.get_or_insert_default();
        rest.add_scaled(i128::from(fixed as u64), -FRACTION);
        rest.add_scaled(fixed >> 64, 64 - FRACTION);
    }

    #[cold]
    fn add_to_rest(&mut self, value: f64, sign: i64) {
        let rest = self.rest.get_or_insert_default();
        if value.is_nan() {
            rest.nans += sign;
        } else if value == f64::INFINITY {
            rest.infinite += sign;
        } else if value == f64::NEG_INFINITY {
            rest.minus_infinite += sign;
        } else {
            let bits = value.to_bits();
            let exponent = ((bits >> 52) & 0x7FF) as i32;
            let fraction = (bits & ((1 << 52) - 1)) as i128;
            let (mantissa, exponent) = match exponent {
                0 => (fraction, 1),
                _ => (fraction | 1 << 52, exponent),
            };
            let mantissa = if value < 0.0 { -mantissa } else { mantissa };
            rest.add_scaled(mantissa, exponent - 1_075);
        }
    }

    /// Returns the sum, rounded to the nearest number, halfway to the even one.
    pub(crate) fn value(&self) -> f64 {
        let Some(rest) = &self.rest else {
            // Exact but for the one rounding: powers of two do not round.
            return self.fixed as f64 * 2_f64.powi(-FRACTION);
        };
        if rest.nans > 0 || (rest.infinite > 0 && rest.minus_infinite > 0) {
            return f64::NAN;
        }
        if rest.infinite > 0 {
            return f64::INFINITY;
        }
        if rest.minus_infinite > 0 {
            return f64::NEG_INFINITY;
        }
        let mut wide = Wide::default();
        for (bin, value) in &rest.bins {
            wide.add(*value, bin * BIN);
        }
        wide.add(self.fixed, -FRACTION);
        wide.value()
    }
}

impl Rest {
    /// Adds `value` · 2^`exponent`; the value has at most 65 bits.
    fn add_scaled(&mut self, value: i128, exponent: i32) {
        self.add(exponent.div_euclid(BIN), value << exponent.rem_euclid(BIN));
    }

    fn add(&mut self, bin: i32, value: i128) {
        let at = match self.bins.binary_search_by_key(&bin, |(b, _)| *b) {
            Ok(at) => at,
            Err(at) => {
                self.bins.insert(at, (bin, 0));
                at
            }
        };
        let Some((_, sum)) = self.bins.get_mut(at) else {
            return;
        };
        // Both are below 2¹²⁰ and a little.
        *sum += value;
        if sum.unsigned_abs() > FULL {
            let carry = *sum >> BIN;
            *sum -= carry << BIN;
            self.add(bin + 1, carry);
        }
    }
}

/// Words of [`Wide`].
const WORDS: usize = 40;
/// The weight of its lowest bit, as a power of two.
const LOWEST: i32 = -1_152;

/// An integer in two's complement that has room for every sum, lowest word first.
struct Wide([u64; WORDS]);

impl Default for Wide {
    fn default() -> Self {
        Wide([0; WORDS])
    }
}

impl Wide {
    fn add(&mut self, value: i128, exponent: i32) {
        let offset = (exponent - LOWEST) as usize;
        let (word, bit) = (offset / 64, offset % 64);
        let low = (value as u128) << bit;
        // What is shifted out at the top, with the sign.
        let high = if bit == 0 {
            value >> 127
        } else {
            value >> (128 - bit)
        };
        let sign = (value >> 127) as u64;
        let parts = [low as u64, (low >> 64) as u64, high as u64];
        let mut carry = false;
        for (at, slot) in self.0.iter_mut().enumerate().skip(word) {
            let part = parts.get(at - word).copied().unwrap_or(sign);
            let (sum, over) = slot.overflowing_add(part);
            let (sum, more) = sum.overflowing_add(u64::from(carry));
            *slot = sum;
            carry = over || more;
        }
    }

    fn value(mut self) -> f64 {
        let negative = self.0.last().is_some_and(|word| word >> 63 == 1);
        if negative {
            let mut carry = true;
            for word in &mut self.0 {
                let (sum, over) = (!*word).overflowing_add(u64::from(carry));
                *word = sum;
                carry = over;
            }
        }
        let Some(top) = self.0.iter().rposition(|word| *word != 0) else {
            return 0.0;
        };
        let word = self.0.get(top).copied().unwrap_or(0);
        let highest = top as i32 * 64 + 63 - word.leading_zeros() as i32;
        // The lowest bit of the mantissa; numbers near zero have fewer bits.
        let lowest = (highest - 52).max(-1_074 - LOWEST).max(0);
        let mut mantissa = 0_u64;
        for bit in (lowest..=highest).rev() {
            mantissa = mantissa << 1 | u64::from(self.bit(bit));
        }
        let half = lowest > 0 && self.bit(lowest - 1);
        let more = (0..lowest - 1).any(|bit| self.bit(bit));
        if half && (more || mantissa & 1 == 1) {
            mantissa += 1;
        }
        let exponent = lowest + LOWEST;
        // In two steps, neither of which rounds: 2^exponent alone may be below all numbers.
        let part = exponent / 2;
        let value = mantissa as f64 * 2_f64.powi(part) * 2_f64.powi(exponent - part);
        if negative { -value } else { value }
    }

    fn bit(&self, at: i32) -> bool {
        let word = self.0.get(at as usize / 64).copied().unwrap_or(0);
        word >> (at as usize % 64) & 1 == 1
    }
}
