//! The question as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::behavior::EventFilter;
use crate::behavior::common::{common_methods, is_default, is_utc, utc};
use crate::calendar::{Calendar, FiscalYearLabel, Grain, Month, PeriodTable, Weekday};

/// How many actors are new, come back, are awake again or have fallen asleep, period by period.
///
/// An actor is *new* in the first period in which it is ever active, *returning* when active in the period and in the one
/// before, *resurrected* when active in the period, not in the one before, but earlier, and *dormant* when active in the period
/// before and not in the period. New, returning and resurrected together are the active actors. Events before the range are
/// looked at; who was active before the first event known appears as new.
///
/// **Result.** A row for each group and period, groups in the order of their values (nulls last): the columns of `by`; `period`
/// (timestamp), `period_label` (text), `active`, `new`, `returning`, `resurrected`, `dormant` (`Int64`), `complete` (the period was over
/// at `as_of`; before, some who are dormant may still come). Every group has a row in every period of the range. No events give
/// an empty table.
///
/// # Examples
/// ```
/// use aura_core::behavior::Lifecycle;
/// use aura_core::calendar::Grain;
///
/// let weekly = Lifecycle::new().period(Grain::Week).from("2026-01-01");
/// let same: Lifecycle = serde_json::from_str(r#"{"period": "week", "from": "2026-01-01"}"#)?;
/// assert_eq!(weekly, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lifecycle {
    /// Which events are activity; every event unless given.
    #[serde(skip_serializing_if = "is_default")]
    pub events: EventFilter,
    /// The length of the periods; days unless given.
    pub period: Grain,
    /// Columns that the result is broken down by, at most 8. Each combination of values is followed on its own, as if
    /// there were no other events: an actor counts in every one that it has an event of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Which events are looked at at all: a condition over columns, in the language of metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first moment: a date (`2026-03-01`) or time in the zone of the question, or an instant with its offset
    /// (`2026-03-01T00:00:00Z`). The whole period that holds it is asked for. The first event unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment no longer asked for, in the same forms; a period that begins before it is asked for as a
    /// whole. Right after `as_of` unless given; what has not begun then is left out in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The moment until which events are known; later ones are not looked at. The last event unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// The column that is the actor instead: a team, an account. Rows in which it is null do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// See [`Calendar::time_zone`].
    #[serde(skip_serializing_if = "is_utc")]
    pub time_zone: String,
    /// See [`Calendar::week_start`].
    #[serde(skip_serializing_if = "is_default")]
    pub week_start: Weekday,
    /// See [`Calendar::fiscal_year_start`].
    #[serde(skip_serializing_if = "is_default")]
    pub fiscal_year_start: Month,
    /// See [`Calendar::fiscal_year_label`].
    #[serde(skip_serializing_if = "is_default")]
    pub fiscal_year_label: FiscalYearLabel,
    /// See [`Calendar::periods`].
    #[serde(skip_serializing_if = "PeriodTable::is_empty")]
    pub periods: PeriodTable,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Lifecycle {
            events: EventFilter::any(),
            period: Grain::Day,
            by: Vec::new(),
            filter: None,
            from: None,
            to: None,
            as_of: None,
            actor: None,
            time_zone: utc(),
            week_start: Weekday::default(),
            fiscal_year_start: Month::default(),
            fiscal_year_label: FiscalYearLabel::default(),
            periods: PeriodTable::default(),
        }
    }
}

impl Lifecycle {
    /// Asks day by day.
    pub fn new() -> Lifecycle {
        Lifecycle::default()
    }

    /// Sets which events are activity.
    #[must_use]
    pub fn events(mut self, events: impl Into<EventFilter>) -> Self {
        self.events = events.into();
        self
    }

    /// Sets the length of the periods.
    #[must_use]
    pub fn period(mut self, grain: Grain) -> Self {
        self.period = grain;
        self
    }

    /// Sets the moment until which events are known.
    #[must_use]
    pub fn as_of(mut self, moment: impl Into<String>) -> Self {
        self.as_of = Some(moment.into());
        self
    }

    common_methods!();

    /// Returns the calendar of the question.
    pub fn calendar(&self) -> Calendar {
        Calendar {
            time_zone: self.time_zone.clone(),
            week_start: self.week_start,
            fiscal_year_start: self.fiscal_year_start,
            fiscal_year_label: self.fiscal_year_label,
            periods: self.periods.clone(),
        }
    }
}
