//! The question as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::behavior::EventFilter;
use crate::behavior::common::{common_methods, is_default, is_utc, utc};
use crate::calendar::{Calendar, FiscalYearLabel, Grain, Month, PeriodTable, Weekday};

/// How often actors are active: how many of them on how many days of a month.
///
/// Without any field: of those active in the time of the events, how many on how many days.
///
/// **Result.** Rows come by the columns of `by` (nulls last), then by interval, then by number of periods. No events give
/// an empty table, and so does an interval in which nobody is active have no rows.
///
/// # Examples
/// ```
/// use aura_core::behavior::{Stickiness, StickinessOutput};
/// use aura_core::calendar::Grain;
///
/// let dau_mau = Stickiness::new().within(Grain::Month).output(StickinessOutput::Ratio);
/// let same: Stickiness = serde_json::from_str(r#"{"within": "month", "output": "ratio"}"#)?;
/// assert_eq!(dau_mau, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stickiness {
    /// Which events are activity; every event unless given.
    #[serde(skip_serializing_if = "is_default")]
    pub events: EventFilter,
    /// The periods that are counted; days unless given.
    pub period: Grain,
    /// The intervals in which they are counted, longer than `period`; the whole range is one unless given. A period that
    /// lies in two of them (a week in two months) counts in both, each time with the activity in that interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Grain>,
    /// Which table comes.
    #[serde(skip_serializing_if = "is_default")]
    pub output: StickinessOutput,
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

/// Which table comes. Both have the columns of `by` first, then, with [`Stickiness::within`], `interval` (timestamp) and
/// `interval_label` (text).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StickinessOutput {
    /// A row for each number of periods from 1 to that of the interval: `active_periods`, `actors` (active in exactly so
    /// many), `share` (of the actors active in the interval), `at_least` (active in so many or more), `at_least_share`,
    /// `complete` (the interval was over at `as_of`).
    #[default]
    Distribution,
    /// A row for each interval: `periods` (those of it that have begun), `actors` (active in the interval), `active_mean` (the
    /// mean number of actors active in a period), `stickiness` (that over `actors`: DAU/MAU), `complete`.
    Ratio,
}

impl Default for Stickiness {
    fn default() -> Self {
        Stickiness {
            events: EventFilter::any(),
            period: Grain::Day,
            within: None,
            output: StickinessOutput::default(),
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

impl Stickiness {
    /// Asks on how many days actors are active.
    pub fn new() -> Stickiness {
        Stickiness::default()
    }

    /// Sets which events are activity.
    #[must_use]
    pub fn events(mut self, events: impl Into<EventFilter>) -> Self {
        self.events = events.into();
        self
    }

    /// Sets the periods that are counted.
    #[must_use]
    pub fn period(mut self, grain: Grain) -> Self {
        self.period = grain;
        self
    }

    /// Sets the intervals in which they are counted.
    #[must_use]
    pub fn within(mut self, grain: Grain) -> Self {
        self.within = Some(grain);
        self
    }

    /// Sets which table comes.
    #[must_use]
    pub fn output(mut self, output: StickinessOutput) -> Self {
        self.output = output;
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
