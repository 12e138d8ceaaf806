//! The question as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::behavior::EventFilter;
use crate::behavior::common::{common_methods, is_default, is_utc, utc};
use crate::calendar::{Calendar, FiscalYearLabel, Grain, Month, PeriodTable, Weekday};

/// Who comes back: the share of those who did one thing that later do another.
///
/// Each actor is put into a *cohort*, the period of its start event. From the start on time is cut into *windows*
/// that count from 0; the actor is *retained* in those in which it has a returning event. Without any field: of those
/// whose first event ever lies in a day, how many have an event on that day and on each day after.
///
/// **Returns.** An event is a return from the moment of the start on; the start event itself is one if it
/// meets `returning`. With [`RetentionMode::OnOrBefore`] only later events are.
///
/// **Result.** Which table comes says [`RetentionOutput`]. In all of them rows come by the columns of `by` (nulls last), then
/// by cohort, then by window. Only combinations and cohorts with an actor have rows, so no events give an empty table.
///
/// **Complete.** A cell is complete when its last window was over, at [`as_of`](Retention::as_of), for every actor that
/// can be in the cohort. The values of other cells can still grow.
///
/// # Examples
/// ```
/// use aura_core::behavior::{Retention, RetentionMode};
/// use aura_core::calendar::Grain;
///
/// let weekly = Retention::new("signup", "purchase").period(Grain::Week).mode(RetentionMode::OnOrAfter).by("plan");
/// let same: Retention = serde_json::from_str(
///     r#"{"start": "signup", "returning": "purchase", "period": "week", "mode": "on_or_after", "by": ["plan"]}"#)?;
/// assert_eq!(weekly, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Which events start; every event unless given.
    #[serde(skip_serializing_if = "is_default")]
    pub start: EventFilter,
    /// Which events are returns; those that start unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returning: Option<EventFilter>,
    /// Which start puts an actor into a cohort.
    #[serde(skip_serializing_if = "is_default")]
    pub cohort: Cohort,
    /// The length of a window of return.
    pub period: Grain,
    /// The length of the periods whose actors are a cohort; `period` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort_period: Option<Grain>,
    /// Whether windows are periods of the calendar or a length of time from the start of each actor.
    #[serde(skip_serializing_if = "is_default")]
    pub window: RetentionWindow,
    /// Which windows with a return count in a cell. Only for matrix and curve.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: RetentionMode,
    /// The last window, from 0 to 100,000; as far as the events reach unless given. Only for matrix and curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<u32>,
    /// Bounds of windows that are put together, ascending: `[0, 1, 7, 14]` is window 0, windows 1 to 6, and 7 to 13. Instead
    /// of `horizon`; only for matrix and curve.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brackets: Vec<u32>,
    /// A column of numbers whose values are added up over the returns: the value of a cohort over its life. Only for
    /// matrix and curve, and not of recurring starts, which would count a return several times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Which table comes.
    #[serde(skip_serializing_if = "is_default")]
    pub output: RetentionOutput,
    /// After how many windows without a return that are over an actor counts as gone, from 1; 1 unless given. Only for
    /// survival.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive: Option<u32>,
    /// Columns that the result is broken down by, at most 8: an actor is in the group of the values in its start event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Which events are looked at at all: a condition over columns, in the language of metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first moment of starts: a date (`2026-03-01`) or time in the zone of the question, or an instant with its offset
    /// (`2026-03-01T00:00:00Z`). The whole cohort period that holds it is asked for. The first event unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment after the starts, in the same forms; a cohort period that begins before it is asked for as a
    /// whole. Right after `as_of` unless given. Returns count after it as well.
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

/// Which start event puts an actor into a cohort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// The first one of the actor in all events. Actors whose first one lies before the range are in no cohort.
    #[default]
    FirstEver,
    /// The first one in the range.
    FirstInRange,
    /// The first one in each cohort period: an actor is in as many cohorts as it has periods with a start.
    Recurring,
}

/// What windows of return are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionWindow {
    /// Periods of the calendar: window *k* is the *k*-th period after the one of the start.
    #[default]
    Calendar,
    /// Multiples of 60 seconds, 1 hour, 24 hours or 7 × 24 hours from the start event on, half-open: window *k*
    /// begins *k* of them after it. The period is a minute, an hour, a day or a week.
    Rolling,
}

/// In which windows an actor must return to be retained in cell *k*.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionMode {
    /// In one of the windows of the cell (n-day, or bounded, retention).
    #[default]
    On,
    /// In one of the windows of the cell or later (unbounded retention).
    OnOrAfter,
    /// In one of the windows of the cell or earlier; only events later than the start are returns.
    OnOrBefore,
    /// In the cell and in every one before. The start counts as a return in window 0.
    Streak,
}

/// Which table comes. All have the columns of `by` first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionOutput {
    /// A row for each cohort and cell that has begun: `cohort` (timestamp), `cohort_label` (text), `offset` (`Int32`, the first
    /// window of the cell), `offset_last` (only with brackets), `actors` (of the cohort), `retained`, `share`
    /// (of the cohort), `value` (of the cell), `value_total` (up to its end), `value_per_actor` (that over the actors; these
    /// three only with a value), `complete`.
    #[default]
    Matrix,
    /// A row for each cell, over all cohorts: `offset`, `offset_last` (only with brackets), `actors` (for whom the last
    /// window of the cell was over), `retained` (of these), `share` (null without actors), and with a value
    /// `value_actors` (of the cohorts whose cell is complete), `value_total`, `value_per_actor` (of these).
    Curve,
    /// One row: `cohorts` (with an actor), `actors` (an actor counts once in each of its cohorts), `returned` (in window 1
    /// or later), `share`, `first_return_median` (the median of the first window from 1 on with a return, of the
    /// returned; null without), `active_windows_mean` (windows from 1 on with a return, of all), `streak_mean`,
    /// `streak_longest` (see streaks).
    Summary,
    /// A row for each length of a run of neighbouring windows with returns, from 0 to the longest: `length`,
    /// `longest` (actors whose longest run it is), `longest_share`, `current` (actors whose run goes on at `as_of`: its
    /// last window is that of `as_of` or the one before; length 0 are those whose run has ended), `current_share`. The start
    /// counts as a return in window 0.
    Streaks,
    /// The estimate of Kaplan and Meier of the share that is still there in window *k*, of all cohorts together:
    /// `offset`, `at_risk`, `left`, `censored`, `survival`, `low`, `high` (95 %). See [`Retention::inactive`].
    Survival,
}

impl Default for Retention {
    fn default() -> Self {
        Retention {
            start: EventFilter::any(),
            returning: None,
            cohort: Cohort::default(),
            period: Grain::Day,
            cohort_period: None,
            window: RetentionWindow::default(),
            mode: RetentionMode::default(),
            horizon: None,
            brackets: Vec::new(),
            value: None,
            output: RetentionOutput::default(),
            inactive: None,
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

impl Retention {
    /// Asks who does `returning` after `start`, with the defaults of everything else.
    pub fn new(start: impl Into<EventFilter>, returning: impl Into<EventFilter>) -> Retention {
        Retention {
            start: start.into(),
            returning: Some(returning.into()),
            ..Retention::default()
        }
    }

    /// Sets which start puts an actor into a cohort.
    #[must_use]
    pub fn cohort(mut self, cohort: Cohort) -> Self {
        self.cohort = cohort;
        self
    }

    /// Sets the length of a window, and of cohort periods unless they have one of their own.
    #[must_use]
    pub fn period(mut self, grain: Grain) -> Self {
        self.period = grain;
        self
    }

    /// Sets the length of cohort periods.
    #[must_use]
    pub fn cohort_period(mut self, grain: Grain) -> Self {
        self.cohort_period = Some(grain);
        self
    }

    /// Sets what windows are.
    #[must_use]
    pub fn window(mut self, window: RetentionWindow) -> Self {
        self.window = window;
        self
    }

    /// Sets which windows with a return count.
    #[must_use]
    pub fn mode(mut self, mode: RetentionMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the last window.
    #[must_use]
    pub fn horizon(mut self, window: u32) -> Self {
        self.horizon = Some(window);
        self
    }

    /// Puts windows together.
    #[must_use]
    pub fn brackets(mut self, bounds: impl IntoIterator<Item = u32>) -> Self {
        self.brackets = bounds.into_iter().collect();
        self
    }

    /// Sets the column whose values are added up.
    #[must_use]
    pub fn value(mut self, column: impl Into<String>) -> Self {
        self.value = Some(column.into());
        self
    }

    /// Sets which table comes.
    #[must_use]
    pub fn output(mut self, output: RetentionOutput) -> Self {
        self.output = output;
        self
    }

    /// Sets after how many windows without a return an actor counts as gone.
    #[must_use]
    pub fn inactive(mut self, windows: u32) -> Self {
        self.inactive = Some(windows);
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
