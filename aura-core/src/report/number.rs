//! Numbers as people of a language write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::language::Language;
use crate::metric::Format;

#[cfg(test)]
mod tests;

/// How values are written: as the metric that they are of says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ValueFormat {
    /// A number, a percentage of a share, a length of time, or money.
    pub style: Format,
    /// The unit: the currency of money, the unit of a length of time (seconds unless given).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Digits after the point, from 0 to 10; without it as many as the value needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
}

/// Space that does not break: groups of Russian numbers, and before units.
pub(crate) const NBSP: char = '\u{a0}';

/// What stands for a value that is not there.
pub(crate) const ABSENT: &str = "–";

/// Thousands and what they are called.
const SCALES: [(f64, &str, &str); 4] = [
    (1e12, "T", "трлн"),
    (1e9, "B", "млрд"),
    (1e6, "M", "млн"),
    (1e3, "K", "тыс."),
];

/// Units of time in seconds, with their short names.
const TIMES: [(f64, &str, &str); 4] = [
    (86_400.0, "d", "д"),
    (3_600.0, "h", "ч"),
    (60.0, "min", "мин"),
    (1.0, "s", "с"),
];

impl ValueFormat {
    /// Writes plain numbers.
    pub fn number() -> ValueFormat {
        ValueFormat::default()
    }

    /// Writes shares as percentages.
    pub fn percent() -> ValueFormat {
        ValueFormat {
            style: Format::Percent,
            ..ValueFormat::default()
        }
    }

    /// Writes seconds as lengths of time.
    pub fn duration() -> ValueFormat {
        ValueFormat {
            style: Format::Duration,
            ..ValueFormat::default()
        }
    }

    /// Writes a value; `–` for one that is no number.
    ///
    /// # Examples
    /// ```
    /// use aura_core::report::{Language, ValueFormat};
    ///
    /// assert_eq!(ValueFormat::number().text(1234.5, Language::English), "1,234.5");
    /// assert_eq!(ValueFormat::percent().text(0.125, Language::Russian), "12,5\u{a0}%");
    /// assert_eq!(ValueFormat::duration().text(7500.0, Language::English), "2\u{a0}h 5\u{a0}min");
    /// ```
    pub fn text(&self, value: f64, language: Language) -> String {
        if !value.is_finite() {
            return ABSENT.to_owned();
        }
        match self.style {
            Format::Number => fixed(
                value,
                self.decimals.unwrap_or_else(|| decimals_of(value)),
                language,
            ),
            Format::Percent => percent(value, self.decimals.unwrap_or(1), language),
            Format::Duration => duration(value * self.unit_seconds(), self.decimals, language),
            Format::Currency => self.money(value, self.decimals.unwrap_or(2), language),
        }
    }

    /// Writes a value that may be missing.
    pub(crate) fn optional(&self, value: Option<f64>, language: Language) -> String {
        value.map_or_else(|| ABSENT.to_owned(), |v| self.text(v, language))
    }

    /// Writes a value of an axis whose ticks are `step` apart and reach to `greatest`.
    pub(crate) fn tick(&self, value: f64, step: f64, greatest: f64, language: Language) -> String {
        match self.style {
            Format::Percent => percent(value, decimals_of_step(step * 100.0), language),
            Format::Duration => duration(value * self.unit_seconds(), None, language),
            Format::Number => compact(value, step, greatest, language),
            Format::Currency => {
                let number = compact(value, step, greatest, language);
                with_currency(&number, self.unit.as_deref(), language)
            }
        }
    }

    fn money(&self, value: f64, decimals: u8, language: Language) -> String {
        let sign = if value < 0.0 { "-" } else { "" };
        let number = fixed(value.abs(), decimals, language);
        format!(
            "{sign}{}",
            with_currency(&number, self.unit.as_deref(), language)
        )
    }

    /// How many seconds the unit is.
    pub(crate) fn unit_seconds(&self) -> f64 {
        match self.unit.as_deref() {
            Some("microseconds") => 1e-6,
            Some("milliseconds") => 1e-3,
            Some("minutes") => 60.0,
            Some("hours") => 3_600.0,
            Some("days") => 86_400.0,
            Some("weeks") => 604_800.0,
            _ => 1.0,
        }
    }
}

/// Writes a whole number.
pub(crate) fn whole(value: u64, language: Language) -> String {
    grouped(&value.to_string(), language)
}

fn percent(value: f64, decimals: u8, language: Language) -> String {
    let number = fixed(value * 100.0, decimals, language);
    match language {
        Language::English => format!("{number}%"),
        Language::Russian => format!("{number}{NBSP}%"),
    }
}

fn with_currency(number: &str, unit: Option<&str>, language: Language) -> String {
    let sign = match unit {
        Some("USD") => "$",
        Some("EUR") => "€",
        Some("GBP") => "£",
        Some("JPY") => "¥",
        Some("RUB") => "₽",
        Some(code) => code,
        None => return number.to_owned(),
    };
    let (minus, number) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number),
    };
    match language {
        Language::Russian => format!("{minus}{number}{NBSP}{sign}"),
        Language::English if sign.chars().count() > 1 => format!("{minus}{sign}{NBSP}{number}"),
        Language::English => format!("{minus}{sign}{number}"),
    }
}

/// How many digits after the point show three digits of a value.
fn decimals_of(value: f64) -> u8 {
    let size = value.abs();
    match size {
        _ if value.fract() == 0.0 => 0,
        _ if size >= 1_000.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.1 => 3,
        _ if size >= 0.001 => 5,
        _ => 10,
    }
}

/// How many digits after the point tell multiples of a step apart.
fn decimals_of_step(step: f64) -> u8 {
    let mut decimals = 0_u8;
    let mut rest = step.abs();
    while decimals < 10 && (rest - rest.round()).abs() > 1e-6 * rest.max(1e-9) {
        rest *= 10.0;
        decimals += 1;
    }
    decimals
}

fn compact(value: f64, step: f64, greatest: f64, language: Language) -> String {
    let scale = SCALES
        .iter()
        .find(|(size, ..)| greatest.abs() >= 10.0 * size);
    match scale {
        // Nothing is nothing, whatever the scale.
        Some(_) if value == 0.0 => "0".to_owned(),
        Some((size, en, ru)) => {
            let number = fixed(value / size, decimals_of_step(step / size), language);
            match language {
                Language::English => format!("{number}{en}"),
                Language::Russian => format!("{number}{NBSP}{ru}"),
            }
        }
        None => fixed(value, decimals_of_step(step), language),
    }
}

fn duration(seconds: f64, decimals: Option<u8>, language: Language) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    let name = |at: usize| {
        let (_, en, ru) = TIMES.get(at).copied().unwrap_or((1.0, "s", "с"));
        match language {
            Language::English => en,
            Language::Russian => ru,
        }
    };
    if seconds < 60.0 {
        let decimals = decimals.unwrap_or(if seconds.fract() == 0.0 { 0 } else { 1 });
        let text = fixed(seconds, decimals, language);
        // 59.97 s is a minute.
        if text != "60" && !text.starts_with("60.") && !text.starts_with("60,") {
            return format!("{sign}{text}{NBSP}{}", name(3));
        }
    }
    // The greatest unit and the one below it, rounded once to the lesser one.
    let at = match seconds {
        s if s.round() < 3_600.0 => 2,
        s if (s / 60.0).round() < 1_440.0 => 1,
        _ => 0,
    };
    let size = |at: usize| TIMES.get(at).map_or(1.0, |t| t.0);
    let (major, minor) = (size(at), size(at + 1));
    let minors = (seconds / minor).round();
    let each = major / minor;
    let (majors, rest) = ((minors / each).floor(), minors % each);
    let major = format!("{}{NBSP}{}", fixed(majors, 0, language), name(at));
    match rest {
        0.0 => format!("{sign}{major}"),
        _ => format!(
            "{sign}{major} {}{NBSP}{}",
            fixed(rest, 0, language),
            name(at + 1)
        ),
    }
}

/// Writes a number with so many digits after the point, and groups of thousands.
pub(crate) fn fixed(value: f64, decimals: u8, language: Language) -> String {
    if value.abs() >= 1e15 {
        let text = format!("{value:.3e}");
        return match language {
            Language::English => text,
            Language::Russian => text.replace('.', ","),
        };
    }
    let text = format!("{:.*}", usize::from(decimals), value.abs());
    let (units, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let nothing = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    let sign = if value < 0.0 && !nothing { "-" } else { "" };
    let point = match language {
        Language::English => '.',
        Language::Russian => ',',
    };
    let units = grouped(units, language);
    match fraction.is_empty() {
        true => format!("{sign}{units}"),
        false => format!("{sign}{units}{point}{fraction}"),
    }
}

fn grouped(digits: &str, language: Language) -> String {
    let separator = match language {
        Language::English => ',',
        Language::Russian => NBSP,
    };
    let count = digits.len();
    let mut text = String::with_capacity(count + count / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (count - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}
