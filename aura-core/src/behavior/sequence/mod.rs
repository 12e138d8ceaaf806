//! Sequences: whose events fit a pattern, how often, and how long it takes.

mod kernel;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EventFilter;
use super::common::{Common, common_methods, is_utc, is_yes, utc, yes};
use super::making::Making;
use super::pass::{Prepared, Spec};
use crate::calendar::Calendar;
use crate::engine::functions::{MAX_CONDITIONS, parse};
use crate::{Error, Result};

/// Whose events fit a pattern, how often, and how long it takes.
///
/// **The pattern** is made of
///
/// - `(?N)`: an event that meets condition N of `events`, from 1;
/// - `.`: an event that meets any of them;
/// - nothing between two events: they follow one another, of those that meet any condition;
/// - `.*` between two events: any others may lie between;
/// - `(?t<=S)`, `(?t<S)`, `(?t>=S)`, `(?t>S)`, `(?t==S)` between two events: so many seconds pass from one to the other, and any
///   others may lie between. Several all hold.
///
/// The first match begins as early as possible, and each of its events is the earliest possible; the next one begins after its
/// end. Events of one actor at the same microsecond come in the order of the first condition they meet, then of the number
/// whose bits are the conditions, then of the values of `by`.
///
/// **Shapes.** One row for each combination of `by` that occurs, in their order, null last; one row without `by`.
///
/// | column | type | |
/// |---|---|---|
/// | the columns of `by` | as they are, text as `Utf8` | of the actor's first event that meets any condition |
/// | `actors` | `Int64` | actors with an event that meets any condition |
/// | `matched` | `Int64` | actors whose events fit the pattern |
/// | `share` | `Float64` | `matched` over `actors`, null over 0 |
/// | `share_low`, `share_high` | `Float64` | its 95 % interval after Wilson |
/// | `matches` | `Int64` | matches of all actors |
/// | `median_seconds`, `p95_seconds` | `Float64` | unless `times` is false: from the first to the last event of a match; null of none |
///
/// # Examples
/// ```
/// use aura_core::behavior::{Analysis, Sequence};
///
/// let again = Sequence::new("(?1)(?t<=3600)(?2).*(?1)", ["view", "order"]).by("plan");
/// let same: Analysis = serde_json::from_str(
///     r#"{"sequence": {"pattern": "(?1)(?t<=3600)(?2).*(?1)", "events": ["view", "order"], "by": ["plan"]}}"#,
/// )?;
/// assert_eq!(Analysis::from(again), same);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// **Source.** ClickHouse's `sequenceMatch` and `sequenceCount`; the differences are in `docs/behavior.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// The pattern, of at most 256 events.
    pub pattern: String,
    /// The conditions that the pattern names by their numbers, from 1 to 64 of them.
    pub events: Vec<EventFilter>,
    /// Whether the result has percentiles of the times. All times are kept for them until the end, 8 bytes for each match,
    /// which count against the memory limit of the session.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub times: bool,
    /// Columns to break the result down by, at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Which events count: a condition over columns, in the language of metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first moment that is looked at: a date or time in the time zone, or an instant with its offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment no longer looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// See [`Calendar::time_zone`].
    #[serde(default = "utc", skip_serializing_if = "is_utc")]
    pub time_zone: String,
    /// A column that takes the role of the actor: a team, an account. Events where it is null are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

impl Sequence {
    /// Makes a pattern over conditions, with the defaults of everything else.
    pub fn new<E: Into<EventFilter>>(
        pattern: impl Into<String>,
        events: impl IntoIterator<Item = E>,
    ) -> Sequence {
        Sequence {
            pattern: pattern.into(),
            events: events.into_iter().map(Into::into).collect(),
            times: true,
            by: Vec::new(),
            filter: None,
            from: None,
            to: None,
            time_zone: utc(),
            actor: None,
        }
    }

    /// Sets whether the result has percentiles of the times.
    #[must_use]
    pub fn times(mut self, times: bool) -> Self {
        self.times = times;
        self
    }

    common_methods!();
}

impl Spec for Sequence {
    fn common(&self) -> Common<'_> {
        Common {
            by: &self.by,
            filter: self.filter.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            actor: self.actor.as_deref(),
            calendar: Calendar::in_zone(&self.time_zone),
        }
    }

    fn prepare(&self, making: &mut Making<'_>) -> Result<Box<dyn Prepared>> {
        let conditions = self.events.len();
        if !(1..=MAX_CONDITIONS).contains(&conditions) {
            return Err(Error::invalid_spec(format!(
                "events: {conditions} given; from 1 to {MAX_CONDITIONS} are expected"
            )));
        }
        let pattern = parse("pattern", &self.pattern, conditions)?;
        if let Some(taken) = self
            .by
            .iter()
            .find(|by| kernel::COLUMNS.contains(&by.as_str()))
        {
            return Err(Error::invalid_spec(format!(
                "by: the result has a column `{taken}` of its own"
            )));
        }
        let mut bits = Vec::with_capacity(conditions);
        for (i, events) in self.events.iter().enumerate() {
            bits.push(making.condition(&format!("events[{i}]"), events)?);
        }
        let (from, to) = (making.scope().from, making.scope().to);
        Ok(Box::new(kernel::SequenceKernel::new(
            pattern,
            &bits,
            from.unwrap_or(i64::MIN)..to.unwrap_or(i64::MAX),
            making.by()?,
            self.times,
            making.memory_pool(),
        )))
    }
}
