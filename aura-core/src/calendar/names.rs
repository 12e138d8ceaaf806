//! The small vocabularies of a calendar, each with the same reading and writing.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub(super) use crate::document::nearest;
use crate::{Error, Result};

/// Gives an enum its names: `ALL`, `name`, `Display`, `FromStr` and `Deserialize`, the last two with
/// an error that lists the known names and suggests the nearest.
macro_rules! named {
    ($type:ident, $what:literal, [$($variant:ident => $name:literal),+ $(,)?]) => {
        impl $type {
            /// Every value, in its order.
            pub const ALL: [$type; [$($name),+].len()] = [$($type::$variant),+];

            /// Returns the name used in specs.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name),+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            /// Reads a name.
            ///
            /// # Errors
            /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for any other text; the message lists
            /// the names and suggests the nearest.
            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($name => Ok($type::$variant),)+
                    _ => Err(unknown($what, text, &[$($name),+])),
                }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

fn unknown(what: &str, found: &str, known: &[&str]) -> Error {
    let hint = nearest(found, known.iter().copied())
        .map(|name| format!(" Did you mean `{name}`?"))
        .unwrap_or_default();
    Error::invalid_spec(format!(
        "unknown {what} `{}`; known are {}.{hint}",
        clip(found),
        known.join(", ")
    ))
}

/// Cuts what a caller wrote to a length that fits into a message.
pub(super) fn clip(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain("…".chars()).collect()
}

/// The length of the periods into which a metric is cut. Ordered from short to long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// A minute of the local clock.
    Minute,
    /// An hour of the local clock.
    Hour,
    /// A calendar day: 24 hours, and 23 or 25 where the clocks change.
    Day,
    /// Seven days from the first day of the week.
    Week,
    /// A calendar month.
    Month,
    /// Three months, counted from the first month of the fiscal year.
    Quarter,
    /// Twelve months, from the first month of the fiscal year.
    Year,
}

named!(Grain, "grain", [
    Minute => "minute",
    Hour => "hour",
    Day => "day",
    Week => "week",
    Month => "month",
    Quarter => "quarter",
    Year => "year",
]);

/// The day on which weeks begin.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first day of the ISO 8601 week.
    #[default]
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

named!(Weekday, "day of the week", [
    Monday => "monday",
    Tuesday => "tuesday",
    Wednesday => "wednesday",
    Thursday => "thursday",
    Friday => "friday",
    Saturday => "saturday",
    Sunday => "sunday",
]);

/// The month in which fiscal years begin.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Month {
    /// The fiscal year is the calendar year.
    #[default]
    January,
    /// February.
    February,
    /// March.
    March,
    /// April.
    April,
    /// May.
    May,
    /// June.
    June,
    /// July.
    July,
    /// August.
    August,
    /// September.
    September,
    /// October.
    October,
    /// November.
    November,
    /// December.
    December,
}

named!(Month, "month", [
    January => "january",
    February => "february",
    March => "march",
    April => "april",
    May => "may",
    June => "june",
    July => "july",
    August => "august",
    September => "september",
    October => "october",
    November => "november",
    December => "december",
]);

/// Which calendar year names a fiscal year that lies in two.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FiscalYearLabel {
    /// The year in which it ends: July 2026 begins `FY2027`. Usual in the United
    /// States.
    #[default]
    EndYear,
    /// The year in which it begins: April 2026 begins `FY2026`. Usual in Japan.
    StartYear,
}

named!(FiscalYearLabel, "way to name fiscal years", [
    EndYear => "end_year",
    StartYear => "start_year",
]);
