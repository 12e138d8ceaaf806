//! Values written in a contract: the entries of `enum`, and the ends of a range.

use std::fmt;

use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use crate::document::shortened;
use crate::event::PropertyType;

/// A value written in a contract. Moments and days are text.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Literal {
    /// True or false.
    Boolean(bool),
    /// An integer of 64 bits.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// Text.
    String(String),
}

impl Literal {
    /// The whole text, for comparing; `Display` cuts it.
    pub(super) fn full(&self) -> String {
        match self {
            Literal::String(v) => format!("\"{v}"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Boolean(v) => write!(f, "{v}"),
            Literal::Integer(v) => write!(f, "{v}"),
            Literal::Number(v) => write!(f, "{v}"),
            Literal::String(v) => write!(f, "\"{}\"", shortened(v)),
        }
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Literal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, text, true or false")
            }

            fn visit_bool<E>(self, v: bool) -> Result<Literal, E> {
                Ok(Literal::Boolean(v))
            }

            fn visit_i64<E>(self, v: i64) -> Result<Literal, E> {
                Ok(Literal::Integer(v))
            }

            fn visit_u64<E>(self, v: u64) -> Result<Literal, E> {
                // Beyond 64 bits with sign it can only be meant for a `number`.
                Ok(i64::try_from(v).map_or(Literal::Number(v as f64), Literal::Integer))
            }

            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Literal, E> {
                if v.is_finite() {
                    Ok(Literal::Number(v))
                } else {
                    Err(E::custom(format!("found {v}, expected a finite number")))
                }
            }

            fn visit_str<E>(self, v: &str) -> Result<Literal, E> {
                Ok(Literal::String(v.to_owned()))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Literal, E> {
                Err(E::custom("found nothing (null), expected a value"))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl From<bool> for Literal {
    fn from(v: bool) -> Self {
        Literal::Boolean(v)
    }
}

impl From<i64> for Literal {
    fn from(v: i64) -> Self {
        Literal::Integer(v)
    }
}

impl From<f64> for Literal {
    fn from(v: f64) -> Self {
        Literal::Number(v)
    }
}

impl From<&str> for Literal {
    fn from(v: &str) -> Self {
        Literal::String(v.to_owned())
    }
}

/// A literal as the columns hold it: moments are microseconds, days are days since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Typed {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl Literal {
    /// Converts the literal to what a column of `ty` holds; says what is wrong if it does not fit.
    pub(super) fn typed(&self, ty: PropertyType) -> Result<Typed, String> {
        // Beyond this a float does not say which integer it means.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let wrong = |expected: &str| Err(format!("{self} is not {expected}"));
        match (ty, self) {
            (PropertyType::String, Literal::String(v)) => Ok(Typed::Text(v.clone())),
            (PropertyType::String, _) => {
                Err(format!("{self} is not text; put it in quotes: \"{self}\""))
            }
            (PropertyType::Integer, Literal::Integer(v)) => Ok(Typed::Integer(*v)),
            // Some writers of JSON write every number with a fraction.
            (PropertyType::Integer, Literal::Number(v)) if v.fract() == 0.0 && v.abs() < EXACT => {
                Ok(Typed::Integer(*v as i64))
            }
            (PropertyType::Integer, _) => wrong("an integer of 64 bits"),
            (PropertyType::Number, Literal::Integer(v)) => Ok(Typed::Number(*v as f64)),
            (PropertyType::Number, Literal::Number(v)) if v.is_finite() => Ok(Typed::Number(*v)),
            (PropertyType::Number, _) => wrong("a finite number"),
            (PropertyType::Boolean, Literal::Boolean(v)) => Ok(Typed::Boolean(*v)),
            (PropertyType::Boolean, _) => wrong("true or false"),
            (PropertyType::Timestamp, Literal::String(v)) => match v.parse::<jiff::Timestamp>() {
                Ok(t) => Ok(Typed::Integer(t.as_microsecond())),
                Err(_) => wrong("a moment with its zone, such as \"2026-01-31T00:00:00Z\""),
            },
            (PropertyType::Timestamp, _) => {
                wrong("a moment in text, such as \"2026-01-31T00:00:00Z\"")
            }
            (PropertyType::Date, Literal::String(v)) => match day(v) {
                Some(days) => Ok(Typed::Integer(days)),
                None => wrong("a day, such as \"2026-01-31\""),
            },
            (PropertyType::Date, _) => wrong("a day in text, such as \"2026-01-31\""),
            (PropertyType::Json, _) => Err("values of json have no limits".to_owned()),
        }
    }
}

/// Reads `YYYY-MM-DD`, and nothing longer, as days since 1970.
fn day(text: &str) -> Option<i64> {
    if text.len() != 10 {
        return None;
    }
    let date = text.parse::<jiff::civil::Date>().ok()?;
    let epoch = jiff::civil::date(1970, 1, 1);
    Some(i64::from(epoch.until(date).ok()?.get_days()))
}

/// Writes microseconds since 1970 as a moment.
pub(super) fn moment_text(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .map_or_else(|_| format!("{micros} µs since 1970"), |t| t.to_string())
}

/// Writes days since 1970 as a day.
pub(super) fn day_text(days: i64) -> String {
    let date = i32::try_from(days)
        .ok()
        .and_then(|d| jiff::Span::new().try_days(d).ok())
        .and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span).ok());
    date.map_or_else(|| format!("{days} days since 1970"), |d| d.to_string())
}
