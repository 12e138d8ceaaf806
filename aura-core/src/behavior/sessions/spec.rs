//! The question as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::behavior::EventFilter;
use crate::behavior::common::{common_methods, is_default, is_utc, utc};
use crate::calendar::{Calendar, FiscalYearLabel, Grain, Month, PeriodTable, Weekday};
use crate::time::Span;

/// Sessions: the events of an actor with no gap longer than [`gap`](Sessions::gap) between neighbours.
///
/// An event begins a session when it is the first of its actor, when it comes more than `gap` after the one before, more
/// than `max_length` after the start of the session, after an event that ends a session, or when it is one that
/// starts a session. A gap of exactly `gap`, and a length of exactly `max_length`, do not. The *duration* is the time from the
/// first to the last event; that of a single event is 0.
///
/// **Ties.** Events of one actor at the same microsecond are in one session. If one of them starts sessions, the session
/// begins with all of them; if one of them ends sessions, it ends after all of them. The first and the last event, and the
/// values of `by`, are then those that come first in their order.
///
/// **Range.** A session counts when it starts in the range; what lies before and after is looked at as well, so that
/// sessions are whole and have the same numbers whatever the range.
///
/// # Examples
/// ```
/// use aura_core::behavior::Sessions;
/// use aura_core::calendar::Grain;
///
/// let daily = Sessions::new().gap("30m".parse()?).period(Grain::Day).by("plan");
/// let same: Sessions = serde_json::from_str(r#"{"gap": "30m", "period": "day", "by": ["plan"]}"#).unwrap();
/// assert_eq!(daily, same);
/// # Ok::<(), aura_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Which events belong to sessions; every event unless given. Those of `start_on` and `end_on` do in any case.
    #[serde(skip_serializing_if = "is_default")]
    pub events: EventFilter,
    /// The longest gap inside of a session; 30 minutes unless given.
    pub gap: Span,
    /// How long after its first event a session may go on; without end unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<Span>,
    /// Events that start a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_on: Option<EventFilter>,
    /// Events that end the session they are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_on: Option<EventFilter>,
    /// Which table comes.
    #[serde(skip_serializing_if = "is_default")]
    pub output: SessionsOutput,
    /// The periods of the summary, by the start of sessions; the whole range unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Grain>,
    /// Which percentiles of the duration the summary has, each from 0 to 100, at most 20; the median and the 95th unless
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentiles: Option<Vec<f64>>,
    /// The most sessions that are listed, from 1 to 10,000,000; 1,000,000 unless given. More are an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Columns that the result is broken down by, at most 8: by the values in the first event of a session.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Which events are looked at at all: a condition over columns, in the language of metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first moment: a date (`2026-03-01`) or time in the zone of the question, or an instant with its offset
    /// (`2026-03-01T00:00:00Z`). With `period` the whole period that holds it is asked for. The first event unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment no longer asked for, in the same forms; with `period` a period that begins before it is asked
    /// for as a whole. Right after the last event unless given.
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

/// Which table comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionsOutput {
    /// A row for each group and period, groups in the order of their values (nulls last): the columns of `by`; `period`
    /// (timestamp) and `period_label` (text) with [`Sessions::period`]; `sessions`, `actors` (with a session), `events`,
    /// `single_event` (sessions of one event), `sessions_per_actor`, `events_per_session`, `single_event_share`, `duration_mean`
    /// and `duration_median`, `duration_p95` or what `percentiles` says, in seconds, exact, between two durations
    /// interpolated linearly; `complete` with a period: it was over at `as_of`. Means and shares of no session are null.
    ///
    /// Every group with a session has a row in every period; without `by` there is one group.
    #[default]
    Summary,
    /// A row for each session, by actor (as text, in the order of its bytes) and number: `actor`, `session` (`Int64`, from
    /// 1 among all sessions of the actor), the columns of `by`, `start`, `end` (of its first and last event), `duration`
    /// (seconds), `events`, `first_event`, `last_event`.
    Table,
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions {
            events: EventFilter::any(),
            gap: Span::HALF_HOUR,
            max_length: None,
            start_on: None,
            end_on: None,
            output: SessionsOutput::default(),
            period: None,
            percentiles: None,
            limit: None,
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

impl Sessions {
    /// Asks for the sessions of all events, with gaps of at most 30 minutes.
    pub fn new() -> Sessions {
        Sessions::default()
    }

    /// Sets which events belong to sessions.
    #[must_use]
    pub fn events(mut self, events: impl Into<EventFilter>) -> Self {
        self.events = events.into();
        self
    }

    /// Sets the longest gap.
    #[must_use]
    pub fn gap(mut self, gap: Span) -> Self {
        self.gap = gap;
        self
    }

    /// Sets how long a session may go on.
    #[must_use]
    pub fn max_length(mut self, length: Span) -> Self {
        self.max_length = Some(length);
        self
    }

    /// Sets which events start a session.
    #[must_use]
    pub fn start_on(mut self, events: impl Into<EventFilter>) -> Self {
        self.start_on = Some(events.into());
        self
    }

    /// Sets which events end their session.
    #[must_use]
    pub fn end_on(mut self, events: impl Into<EventFilter>) -> Self {
        self.end_on = Some(events.into());
        self
    }

    /// Sets which table comes.
    #[must_use]
    pub fn output(mut self, output: SessionsOutput) -> Self {
        self.output = output;
        self
    }

    /// Sets the periods of the summary.
    #[must_use]
    pub fn period(mut self, grain: Grain) -> Self {
        self.period = Some(grain);
        self
    }

    /// Sets the percentiles of the summary.
    #[must_use]
    pub fn percentiles(mut self, percentiles: impl IntoIterator<Item = f64>) -> Self {
        self.percentiles = Some(percentiles.into_iter().collect());
        self
    }

    /// Sets the most sessions that are listed.
    #[must_use]
    pub fn limit(mut self, sessions: u64) -> Self {
        self.limit = Some(sessions);
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
