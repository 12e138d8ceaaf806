//! Single values from text: times, dates, numbers and booleans. One rule for every text format.

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::fmt::{rfc2822, temporal};
use jiff::tz::TimeZone;

use crate::event::TimeUnit;

/// Why a text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    #[error("the time is empty; expected an ISO 8601 time such as `2026-02-28T12:00:00Z`")]
    Empty,
    #[error(
        "`{0}` is not a time; expected ISO 8601 (`2026-02-28T12:00:00Z`), RFC 2822 or a number"
    )]
    Unreadable(String),
    #[error("`{0}` is not a date")]
    NoSuchDate(String),
    #[error("`{0}` has a leap second, which no moment in UTC microseconds stands for")]
    LeapSecond(String),
    /// `lacks_zone` knows it by its words.
    #[error("`{0}` has no zone; state `time_zone`")]
    NoZone(String),
    #[error("`{0}` does not agree with its zone: {1}")]
    ZoneConflict(String, String),
    #[error("`{0}` is out of range: microseconds since 1970 must fit 64 bits")]
    OutOfRange(String),
}

const DAY_US: i64 = 86_400_000_000;

/// Reads a moment as UTC microseconds; smaller parts are rounded down.
///
/// Accepts ISO 8601 and RFC 3339 (`T` or a space; `Z`, `+hh:mm`, `+hhmm` or `+hh`; up to nine
/// digits of a second; a date alone is its midnight), RFC 9557 (`[Europe/Berlin]`), RFC 2822, and
/// numbers in `unit`. A time without zone is read in `zone`, where a time that the clock skips or
/// repeats is taken as RFC 5545 does (the offset before the change).
pub(crate) fn parse_time(
    text: &str,
    zone: Option<&TimeZone>,
    unit: TimeUnit,
) -> Result<i64, TimeError> {
    match parse_rfc3339(text.as_bytes()) {
        Some(micros) => Ok(micros),
        None => parse_unusual_time(text.trim_ascii(), zone, unit),
    }
}

/// Reads `YYYY-MM-DD[T ]HH:MM:SS[.f{1,9}](Z|±hh:mm)`; anything else, and any time that does not
/// exist, is `None`.
#[inline]
pub(crate) fn parse_rfc3339(text: &[u8]) -> Option<i64> {
    let (head, mut rest) = text.split_first_chunk::<19>()?;
    let mut micros = civil_micros(head)?;
    if let [b'.', tail @ ..] = rest {
        let mut fraction = 0;
        let mut digits = 0;
        while let Some(digit) = tail.get(digits).map(|b| b.wrapping_sub(b'0'))
            && digit <= 9
        {
            if digits < 6 {
                fraction = fraction * 10 + i64::from(digit);
            }
            digits += 1;
        }
        if digits == 0 || digits > 9 {
            return None;
        }
        micros += fraction * SCALE[digits.min(6)];
        rest = &tail[digits..];
    }
    match *rest {
        [b'Z'] => Some(micros),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = two_digits(h1, h2).filter(|&h| h <= 23)?;
            let minutes = two_digits(m1, m2).filter(|&m| m <= 59)?;
            let offset = i64::from(hours * 60 + minutes) * 60_000_000;
            Some(if sign == b'+' {
                micros - offset
            } else {
                micros + offset
            })
        }
        _ => None,
    }
}

/// What the digits of a fraction are worth in microseconds, by their number.
const SCALE: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// `YYYY-MM-DD[T ]HH:MM:SS` as microseconds since 1970 on the clock that it names.
#[inline(always)]
fn civil_micros(b: &[u8; 19]) -> Option<i64> {
    let day = days(b[0..10].first_chunk::<10>()?)?;
    if !matches!(b[10], b'T' | b' ' | b't') || b[13] != b':' || b[16] != b':' {
        return None;
    }
    let hour = two_digits(b[11], b[12])?;
    let minute = two_digits(b[14], b[15])?;
    let second = two_digits(b[17], b[18])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(i64::from(day) * DAY_US + i64::from(hour * 3_600 + minute * 60 + second) * 1_000_000)
}

#[inline(always)]
fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// `YYYY-MM-DD` as days since 1970.
#[inline(always)]
fn days(b: &[u8; 10]) -> Option<i32> {
    if b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let year = two_digits(b[0], b[1])? * 100 + two_digits(b[2], b[3])?;
    let month = two_digits(b[5], b[6])?;
    let day = two_digits(b[8], b[9])?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years begin in March, so that the leap day is the last one, and are counted from -400, so
    // that no term is negative.
    let shifted = year + 400 - u32::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let count = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + of_year;
    Some(count as i32 - 865_565)
}

/// Reads `YYYY-MM-DD` as days since 1970; `None` if there is no such day.
#[inline]
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    days(text.as_bytes().try_into().ok()?)
}

#[cold]
fn parse_unusual_time(
    text: &str,
    zone: Option<&TimeZone>,
    unit: TimeUnit,
) -> Result<i64, TimeError> {
    if text.is_empty() {
        return Err(TimeError::Empty);
    }
    if let Some(micros) = parse_rfc3339(text.as_bytes()) {
        return Ok(micros);
    }
    if let Some(number) = Decimal::parse(text.as_bytes()) {
        return time_of(number, unit).ok_or_else(|| TimeError::OutOfRange(cut(text)));
    }
    if has_leap_second(text) {
        return Err(TimeError::LeapSecond(cut(text)));
    }
    let Ok(pieces) = Pieces::parse(text) else {
        if let Ok(time) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
            return Ok(micros_of(time));
        }
        return Err(if looks_like_date(text) {
            TimeError::NoSuchDate(cut(text))
        } else {
            TimeError::Unreadable(cut(text))
        });
    };
    let offset = pieces.to_numeric_offset();
    // jiff reads offsets up to 25:59; RFC 3339 knows no more than 23:59.
    if offset.is_some_and(|o| o.seconds().unsigned_abs() >= 86_400) {
        return Err(TimeError::Unreadable(cut(text)));
    }
    let civil = DateTime::from_parts(pieces.date(), pieces.time().unwrap_or_default());
    if pieces.time_zone_annotation().is_some() {
        // Offset and zone together must agree; jiff holds the rule of RFC 9557.
        return temporal::DateTimeParser::new()
            .parse_zoned(text)
            .map(|zoned| micros_of(zoned.timestamp()))
            .map_err(|e| TimeError::ZoneConflict(cut(text), e.to_string()));
    }
    let moment = match (offset, zone) {
        (Some(offset), _) => offset.to_timestamp(civil),
        (None, Some(zone)) => zone.to_timestamp(civil),
        (None, None) => return Err(TimeError::NoZone(cut(text))),
    };
    moment
        .map(micros_of)
        .map_err(|_| TimeError::OutOfRange(cut(text)))
}

fn micros_of(time: jiff::Timestamp) -> i64 {
    // `as_microsecond` rounds towards zero, and moments are rounded down.
    time.as_nanosecond().div_euclid(1_000) as i64
}

/// Whether the seconds are written as 60, which jiff would take for 59.
fn has_leap_second(text: &str) -> bool {
    let b = text.as_bytes();
    let digit = |i: usize| b.get(i).is_some_and(u8::is_ascii_digit);
    let extended = b.windows(6).enumerate().any(|(i, w)| {
        w[0] == b':' && w[3..] == *b":60" && digit(i + 1) && digit(i + 2) && !digit(i + 6)
    });
    let basic = b.windows(7).enumerate().any(|(i, w)| {
        matches!(w[0], b'T' | b't' | b' ')
            && w[1..5].iter().all(u8::is_ascii_digit)
            && w[5..] == *b"60"
            && !digit(i + 7)
    });
    extended || basic
}

fn looks_like_date(text: &str) -> bool {
    text.get(..10).is_some_and(|t| {
        t.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        })
    }) && parse_date(text.get(..10).unwrap_or_default()).is_none()
}

/// Cuts a value for a message.
pub(crate) fn cut(text: &str) -> String {
    const SHOWN: usize = 100;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// Reads a number in `unit` since 1970 as UTC microseconds, rounded down.
///
/// A fraction is exact: `1767225600.123456` seconds is not taken through a float.
pub(crate) fn parse_numeric_time(text: &str, unit: TimeUnit) -> Result<i64, TimeError> {
    if let Some(whole) = parse_integer(text.as_bytes()) {
        return unit
            .to_micros(whole)
            .ok_or_else(|| TimeError::OutOfRange(cut(text)));
    }
    let number = Decimal::parse(text.as_bytes()).ok_or_else(|| TimeError::Unreadable(cut(text)))?;
    time_of(number, unit).ok_or_else(|| TimeError::OutOfRange(cut(text)))
}

fn time_of(number: Decimal<'_>, unit: TimeUnit) -> Option<i64> {
    // Down, so that the fraction left over is positive.
    let (scaled, exact) = number.scaled(9)?;
    let nanos = if number.negative {
        -scaled - i128::from(!exact)
    } else {
        scaled
    };
    let whole = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    let fraction = nanos.rem_euclid(1_000_000_000);
    let unit = match unit {
        TimeUnit::Auto => match whole.unsigned_abs() {
            0..100_000_000_000 => TimeUnit::Seconds,
            100_000_000_000..100_000_000_000_000 => TimeUnit::Milliseconds,
            100_000_000_000_000..100_000_000_000_000_000 => TimeUnit::Microseconds,
            _ => TimeUnit::Nanoseconds,
        },
        stated => stated,
    };
    let part = match unit {
        TimeUnit::Seconds => fraction / 1_000,
        TimeUnit::Milliseconds => fraction / 1_000_000,
        _ => 0,
    };
    unit.to_micros(whole)?.checked_add(part as i64)
}

/// Reads `true` or `false` in small, capital or leading capital letters.
#[inline]
pub(crate) fn parse_boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"true" | b"True" | b"TRUE" => Some(true),
        b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}

/// Reads `-?(0|[1-9][0-9]*)` if it fits 64 bits.
///
/// A sign `+` or a leading zero is refused, because the integer would not give the text back.
#[inline]
pub(crate) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 19 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let mut value = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit); // 19 digits fit 64 bits
    }
    if negative {
        0_i64.checked_sub_unsigned(value)
    } else {
        i64::try_from(value).ok()
    }
}

/// Reads an integer that may be written with fraction and exponent, such as `1.0` or `12e2`.
#[inline]
pub(crate) fn parse_integral(text: &[u8]) -> Option<i64> {
    parse_integer(text).or_else(|| {
        let number = Decimal::parse(text)?;
        match number.scaled(0)? {
            (value, true) => i64::try_from(if number.negative { -value } else { value }).ok(),
            _ => None,
        }
    })
}

/// Reads a decimal number as the nearest float.
///
/// `None` if it is no number, or if a float does not hold it: beyond the range of floats, or an
/// integer that the float would change. Fractions are rounded, as floats always are.
#[inline]
pub(crate) fn parse_number(text: &[u8]) -> Option<f64> {
    match short_number(text) {
        Some(value) => Some(value),
        None => long_number(text),
    }
}

const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Numbers whose digits fit 53 bits and have no exponent: both the digits and the power of ten
/// are exact as floats, so that one division rounds once, and correctly.
#[inline]
fn short_number(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 17 || matches!(digits, [b'0', b'0'..=b'9', ..]) {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut point = None;
    for (i, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + u64::from(digit);
        } else if *byte == b'.' && point.is_none() {
            point = Some(i);
        } else {
            return None;
        }
    }
    let places = match point {
        Some(_) if digits.len() == 1 => return None,
        Some(i) => digits.len() - i - 1,
        None => 0,
    };
    if mantissa > 1 << 53 {
        return None;
    }
    let value = mantissa as f64 / POWERS_OF_TEN.get(places)?;
    Some(if negative { -value } else { value })
}

#[cold]
fn long_number(text: &[u8]) -> Option<f64> {
    let number = Decimal::parse(text)?;
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    if !value.is_finite() || (value == 0.0 && !number.is_zero()) {
        return None;
    }
    // An integer written in full must come back; `1e23` is written as a rounded value anyway.
    let kept = !number.is_plain_integer()
        || number
            .scaled(0)
            .is_some_and(|(v, _)| v == value.abs() as i128);
    kept.then_some(value)
}

/// A decimal number in text: `-?digits[.digits][e±digits]`, without leading zeros.
#[derive(Debug, Clone, Copy)]
struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: Option<i64>,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (whole, text) = split_digits(text);
        let (fraction, text) = match text {
            [b'.', rest @ ..] => split_digits(rest),
            rest => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() || matches!(whole, [b'0', _, ..]) {
            return None;
        }
        let exponent = match text {
            [] => None,
            [b'e' | b'E', rest @ ..] => {
                let (down, rest) = match rest {
                    [b'-', rest @ ..] => (true, rest),
                    [b'+', rest @ ..] => (false, rest),
                    rest => (false, rest),
                };
                let (digits, []) = split_digits(rest) else {
                    return None;
                };
                if digits.is_empty() {
                    return None;
                }
                let size = digits.iter().fold(0_i64, |n, d| {
                    n.saturating_mul(10).saturating_add(i64::from(d - b'0'))
                });
                Some(if down { -size } else { size })
            }
            _ => return None,
        };
        Some(Decimal {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    fn is_zero(&self) -> bool {
        self.digits().all(|d| d == 0)
    }

    fn is_plain_integer(&self) -> bool {
        self.exponent.is_none() && self.fraction.is_empty()
    }

    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.iter().chain(self.fraction).map(|b| b - b'0')
    }

    /// Returns the absolute value times 10^`places`, rounded towards zero, and whether that is exact;
    /// `None` beyond 10^36.
    fn scaled(&self, places: i64) -> Option<(i128, bool)> {
        // Digits before this one are whole after scaling.
        let kept = (self.whole.len() as i64)
            .saturating_add(self.exponent.unwrap_or(0))
            .saturating_add(places);
        let mut value = 0_i128;
        let mut exact = true;
        let mut count = 0_i64;
        for digit in self.digits() {
            if count < kept {
                value = value * 10 + i128::from(digit);
                if value >= 10_i128.pow(36) {
                    return None;
                }
            } else if digit != 0 {
                exact = false;
                break;
            }
            count += 1;
        }
        if value != 0 {
            let missing = u32::try_from(kept.saturating_sub(count).max(0)).ok()?;
            value = value.checked_mul(10_i128.checked_pow(missing)?)?;
        }
        Some((value, exact))
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests;
