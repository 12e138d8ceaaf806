//! Numbers as people read them.

use super::Language;

/// Between a number and what belongs to it no line is broken.
pub(super) const NO_BREAK: char = '\u{a0}';

/// Writes a number with groups of three digits and `decimals` digits after the point.
pub(crate) fn number(value: f64, decimals: usize, language: Language) -> String {
    let (group, point) = match language {
        Language::En => (',', '.'),
        Language::Ru => (NO_BREAK, ','),
    };
    let text = format!("{:.*}", decimals.min(10), value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    // A zero has no sign, even one that was rounded to it.
    if value < 0.0 && text.chars().any(|c| c.is_ascii_digit() && c != '0') {
        out.push('-');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(group);
        }
        out.push(digit);
    }
    if !part.is_empty() {
        out.push(point);
        out.push_str(part);
    }
    out
}

/// Writes a number with about three significant digits.
pub(crate) fn short(value: f64, language: Language) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 || v == v.trunc() => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    number(value, decimals, language)
}

/// Writes a fraction as a percentage: whole from 10 % on.
pub(crate) fn percent(fraction: f64, language: Language) -> String {
    let value = 100.0 * fraction;
    let decimals = usize::from(value.abs() < 9.95 && value != value.trunc());
    let text = number(value, decimals, language);
    match language {
        Language::En => format!("{text}%"),
        Language::Ru => format!("{text}{NO_BREAK}%"),
    }
}
