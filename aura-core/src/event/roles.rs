//! Which columns of a table are the actor, the event and the time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::nearest;

/// How an integer or a decimal number in the time column is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// By size: below 10¹¹ seconds, below 10¹⁴ milliseconds, below 10¹⁷ microseconds, else
    /// nanoseconds (of the absolute value). Right for any date from 1973 to 5138.
    #[default]
    Auto,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Microseconds since 1970.
    Microseconds,
    /// Nanoseconds since 1970.
    Nanoseconds,
}

impl TimeUnit {
    /// Converts an integer in this unit to microseconds; `None` beyond 64 bits.
    /// Nanoseconds are rounded down.
    pub fn to_micros(self, value: i64) -> Option<i64> {
        match self {
            TimeUnit::Auto => match value.unsigned_abs() {
                0..100_000_000_000 => value.checked_mul(1_000_000),
                100_000_000_000..100_000_000_000_000 => value.checked_mul(1_000),
                100_000_000_000_000..100_000_000_000_000_000 => Some(value),
                _ => Some(value.div_euclid(1_000)),
            },
            TimeUnit::Seconds => value.checked_mul(1_000_000),
            TimeUnit::Milliseconds => value.checked_mul(1_000),
            TimeUnit::Microseconds => Some(value),
            TimeUnit::Nanoseconds => Some(value.div_euclid(1_000)),
        }
    }
}

/// Maps the columns of a source to the three roles, and says how to read its times.
///
/// A role that is left out is looked for under the usual names, in this order; where none of them is
/// there as it stands, upper and lower case, spaces and punctuation do not matter (`USER_ID`, `User ID`):
///
/// * actor: `actor`, `actor_id`, `user_id`, `userId`, `distinct_id`, `uid`, `user`;
/// * event: `event`, `event_name`, `event_type`, `eventName`, `name`, `type`;
/// * time: `time`, `timestamp`, `ts`, `occurred_at`, `event_time`, `created_at`, `datetime`;
/// * event id: `event_id`, `eventId`, `insert_id`, `$insert_id`, `message_id`, `messageId`, `uuid`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Roles {
    /// Column that says who.
    pub actor: Option<String>,
    /// Column that says what.
    pub event: Option<String>,
    /// The event name of every row, for sources that have no such column.
    pub event_name: Option<String>,
    /// Column that says when.
    pub time: Option<String>,
    /// Column with an id that is unique per event; the same id counts once.
    pub event_id: Option<String>,
    /// IANA zone (for example `Europe/Berlin`) of times that carry none.
    pub time_zone: Option<String>,
    /// Unit of times given as numbers.
    pub time_unit: TimeUnit,
}

const ACTOR_NAMES: &[&str] = &[
    "actor",
    "actor_id",
    "user_id",
    "userId",
    "distinct_id",
    "uid",
    "user",
];
const EVENT_NAMES: &[&str] = &[
    "event",
    "event_name",
    "event_type",
    "eventName",
    "name",
    "type",
];
const TIME_NAMES: &[&str] = &[
    "time",
    "timestamp",
    "ts",
    "occurred_at",
    "event_time",
    "created_at",
    "datetime",
];
const EVENT_ID_NAMES: &[&str] = &[
    "event_id",
    "eventId",
    "insert_id",
    "$insert_id",
    "message_id",
    "messageId",
    "uuid",
];

/// The roles after looking them up in the columns of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedRoles {
    pub(crate) actor: String,
    /// `None` when every row has the name `event_name`.
    pub(crate) event: Option<String>,
    pub(crate) event_name: Option<String>,
    pub(crate) time: String,
    pub(crate) event_id: Option<String>,
}

impl Roles {
    /// Names the three role columns.
    pub fn new(
        actor: impl Into<String>,
        event: impl Into<String>,
        time: impl Into<String>,
    ) -> Self {
        Roles {
            actor: Some(actor.into()),
            event: Some(event.into()),
            time: Some(time.into()),
            ..Roles::default()
        }
    }

    /// Names the column of event ids.
    #[must_use]
    pub fn with_event_id(mut self, column: impl Into<String>) -> Self {
        self.event_id = Some(column.into());
        self
    }

    /// States the zone of times that carry none.
    #[must_use]
    pub fn with_time_zone(mut self, zone: impl Into<String>) -> Self {
        self.time_zone = Some(zone.into());
        self
    }

    /// States the unit of times given as numbers.
    #[must_use]
    pub fn with_time_unit(mut self, unit: TimeUnit) -> Self {
        self.time_unit = unit;
        self
    }

    /// Returns the stated zone.
    ///
    /// # Errors
    /// `InvalidSpec` when it is no IANA zone.
    pub(crate) fn zone(&self) -> crate::Result<Option<jiff::tz::TimeZone>> {
        let Some(name) = &self.time_zone else {
            return Ok(None);
        };
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Some(jiff::tz::TimeZone::UTC));
        }
        jiff::tz::TimeZone::get(name).map(Some).map_err(|e| {
            crate::Error::invalid_spec(format!(
                "`time_zone`: `{name}` is not an IANA time zone (expected a name such as \"UTC\" or \"Europe/Berlin\")"
            ))
            .with_source(e)
        })
    }

    /// Looks the roles up among `columns`.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when a named column does not exist, when a
    /// role that was left out has none of its usual names, or has one in two spellings, or when both
    /// `event` and `event_name` are given. The message lists the columns that exist.
    pub(crate) fn resolve(&self, columns: &[String]) -> crate::Result<ResolvedRoles> {
        if self.event.is_some() && self.event_name.is_some() {
            return Err(crate::Error::invalid_spec(
                "roles: both `event` (a column) and `event_name` (a fixed name) are given; give one",
            ));
        }
        let required = |role: &str, given: &Option<String>, usual: &[&str]| {
            find(role, given, usual, columns)?.ok_or_else(|| {
                crate::Error::invalid_spec(format!(
                    "roles: no column for `{role}`: none of {} is among the columns {}; name it with `{role}`",
                    usual.join(", "),
                    listed(columns),
                ))
            })
        };
        Ok(ResolvedRoles {
            actor: required("actor", &self.actor, ACTOR_NAMES)?,
            event: match self.event_name {
                Some(_) => None,
                None => Some(required("event", &self.event, EVENT_NAMES)?),
            },
            event_name: self.event_name.clone(),
            time: required("time", &self.time, TIME_NAMES)?,
            event_id: find("event_id", &self.event_id, EVENT_ID_NAMES, columns)?,
        })
    }
}

fn find(
    role: &str,
    given: &Option<String>,
    usual: &[&str],
    columns: &[String],
) -> crate::Result<Option<String>> {
    match given {
        Some(name) if columns.iter().any(|c| c == name) => Ok(Some(name.clone())),
        Some(name) => {
            let near = nearest(name, columns.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |n| format!("did you mean `{n}`? "));
            Err(crate::Error::invalid_spec(format!(
                "roles: column `{name}` given for `{role}` does not exist; {near}the columns are {}",
                listed(columns),
            )))
        }
        None => match usual.iter().find(|u| columns.iter().any(|c| c == *u)) {
            Some(exact) => Ok(Some((*exact).to_owned())),
            None => respelled(role, usual, columns),
        },
    }
}

/// Looks for the usual names in another spelling.
fn respelled(role: &str, usual: &[&str], columns: &[String]) -> crate::Result<Option<String>> {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let columns: Vec<(String, &String)> = columns.iter().map(|c| (plain(c), c)).collect();
    for name in usual.iter().map(|u| plain(u)) {
        let mut found = columns.iter().filter(|(c, _)| *c == name);
        match (found.next(), found.next()) {
            (None, _) => {}
            (Some((_, only)), None) => return Ok(Some((*only).clone())),
            (Some((_, one)), Some((_, other))) => {
                return Err(crate::Error::invalid_spec(format!(
                    "roles: `{one}` and `{other}` could both be the column for `{role}`; name it with `{role}`"
                )));
            }
        }
    }
    Ok(None)
}

fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 30;
    let mut text = columns
        .iter()
        .take(SHOWN)
        .map(|c| format!("`{c}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if columns.len() > SHOWN {
        text.push_str(&format!(" and {} more", columns.len() - SHOWN));
    }
    if text.is_empty() {
        "(none)".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
