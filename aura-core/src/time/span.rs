//! Lengths of time, as people write them: `7 days`, `30m`, `1 month`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::Grain;
use crate::document::shortened;
use crate::{Error, Result};

/// The unit of a [`Span`], from short to long.
///
/// Seconds, minutes and hours are lengths of the clock; days and longer units are steps of the calendar in
/// the zone of the question, so that `1 day` may have 23 or 25 hours where `24 hours` has 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpanUnit {
    /// A second of the clock.
    Second,
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
    /// A calendar day.
    Day,
    /// Seven calendar days.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// Twelve calendar months.
    Year,
}

/// Each unit: its name, its abbreviations, and the seconds that the shortest one lasts, the clocks left alone.
const UNITS: [(SpanUnit, &str, &[&str], u64); 8] = [
    (SpanUnit::Second, "second", &["s", "sec", "secs"], 1),
    (SpanUnit::Minute, "minute", &["m", "min", "mins"], 60),
    (SpanUnit::Hour, "hour", &["h", "hr", "hrs"], 3_600),
    (SpanUnit::Day, "day", &["d"], 86_400),
    (SpanUnit::Week, "week", &["w", "wk"], 604_800),
    (SpanUnit::Month, "month", &["mo", "mon"], 2_419_200),
    (SpanUnit::Quarter, "quarter", &["q"], 7_776_000),
    (SpanUnit::Year, "year", &["y", "yr"], 31_536_000),
];

/// Most units of a span.
const MAX_COUNT: u32 = 1_000_000;

/// A length of time: how many of which unit. Written `7 days`, `7d`, `30 minutes`, `30m`, `1 month`, `1mo`.
///
/// The count is from 1 to 1,000,000. In JSON and YAML it is text; `Display` writes `7 days`.
///
/// # Examples
/// ```
/// use aura_core::metric::Span;
///
/// assert_eq!("30m".parse::<Span>()?, Span::minutes(30)?);
/// assert_eq!(Span::days(1)?.to_string(), "1 day");
/// # Ok::<(), aura_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    count: u32,
    unit: SpanUnit,
}

impl Span {
    /// 30 minutes.
    pub(crate) const HALF_HOUR: Span = Span {
        count: 30,
        unit: SpanUnit::Minute,
    };

    /// Makes a span.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when `count` is 0 or above 1,000,000.
    pub fn new(count: u32, unit: SpanUnit) -> Result<Span> {
        if (1..=MAX_COUNT).contains(&count) {
            return Ok(Span { count, unit });
        }
        Err(Error::invalid_spec(format!(
            "{count} is not a length of time; the count is from 1 to {MAX_COUNT}"
        )))
    }

    /// Makes a span of seconds.
    ///
    /// # Errors
    /// As [`new`](Span::new).
    pub fn seconds(count: u32) -> Result<Span> {
        Span::new(count, SpanUnit::Second)
    }

    /// Makes a span of minutes.
    ///
    /// # Errors
    /// As [`new`](Span::new).
    pub fn minutes(count: u32) -> Result<Span> {
        Span::new(count, SpanUnit::Minute)
    }

    /// Makes a span of hours.
    ///
    /// # Errors
    /// As [`new`](Span::new).
    pub fn hours(count: u32) -> Result<Span> {
        Span::new(count, SpanUnit::Hour)
    }

    /// Makes a span of calendar days.
    ///
    /// # Errors
    /// As [`new`](Span::new).
    pub fn days(count: u32) -> Result<Span> {
        Span::new(count, SpanUnit::Day)
    }

    /// Returns how many units.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Returns the unit.
    pub fn unit(self) -> SpanUnit {
        self.unit
    }

    /// Returns the length in microseconds, if it is one of the clock and not of the calendar.
    pub fn clock_us(self) -> Option<i64> {
        let seconds = match self.unit {
            SpanUnit::Second => 1,
            SpanUnit::Minute => 60,
            SpanUnit::Hour => 3_600,
            _ => return None,
        };
        Some(i64::from(self.count) * seconds * 1_000_000)
    }

    /// Tells whether the span is shorter than any period of `grain`.
    pub fn is_shorter_than(self, grain: Grain) -> bool {
        let grain = SpanUnit::from(grain);
        self.unit < grain && self.least_seconds() < least_seconds(grain)
    }

    fn least_seconds(self) -> u64 {
        least_seconds(self.unit).saturating_mul(u64::from(self.count))
    }
}

fn least_seconds(unit: SpanUnit) -> u64 {
    UNITS
        .iter()
        .find(|(u, ..)| *u == unit)
        .map_or(0, |(_, _, _, seconds)| *seconds)
}

impl SpanUnit {
    /// Returns the name, for example `"day"`.
    pub fn name(self) -> &'static str {
        UNITS
            .iter()
            .find(|(unit, ..)| *unit == self)
            .map_or("", |(_, name, ..)| *name)
    }
}

impl From<Grain> for SpanUnit {
    fn from(grain: Grain) -> Self {
        match grain {
            Grain::Minute => SpanUnit::Minute,
            Grain::Hour => SpanUnit::Hour,
            Grain::Day => SpanUnit::Day,
            Grain::Week => SpanUnit::Week,
            Grain::Month => SpanUnit::Month,
            Grain::Quarter => SpanUnit::Quarter,
            Grain::Year => SpanUnit::Year,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.count, self.unit.name())
    }
}

impl FromStr for Span {
    type Err = Error;

    /// Reads a count and a unit, with or without a space between.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for any other text.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid_spec(format!(
                "\"{}\" is not a length of time; write a count and a unit, such as \"7 days\", \"30m\" or \"1 month\"",
                shortened(text)
            ))
        };
        let trimmed = text.trim();
        let digits = trimmed.chars().take_while(char::is_ascii_digit).count();
        let (count, unit) = trimmed.split_at_checked(digits).ok_or_else(wrong)?;
        let count: u32 = count.parse().map_err(|_| wrong())?;
        let unit = unit.trim_start().to_lowercase();
        let (unit, ..) = UNITS
            .iter()
            .find(|(_, name, short, _)| {
                unit.strip_suffix('s').unwrap_or(&unit) == *name || short.contains(&unit.as_str())
            })
            .ok_or_else(wrong)?;
        Span::new(count, *unit)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A length of time: a count and a unit, such as `7 days`, `30m` or `1 month`.",
            "pattern": "^[0-9]+ *[A-Za-z]+$",
        })
    }
}
