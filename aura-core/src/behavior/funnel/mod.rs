//! Funnels: how many go through steps, where they stop, and how long it takes.

mod any;
mod carry;
mod cells;
mod kernel;
mod plan;
pub(crate) mod row;
mod step;
mod table;
pub(crate) mod walk;
mod ways;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::vectors;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use step::{Exclusion, Step};

use super::column_names::ColumnNames;
use super::common::{Common, common_methods, is_default, is_utc, is_yes, utc, yes};
use super::making::Making;
use super::pass::{Prepared, Spec};
use crate::Result;
use crate::calendar::{Calendar, Grain, Weekday};
use crate::time::Span;

/// How many go through steps, where they stop, and how long it takes.
///
/// **What is counted.** A *chain* is a series of events of one actor that meet the steps from the first one on: each event
/// stands for one step, each is later than the one before, the first lies in `[from, to)`, all lie within `within` of
/// the first and each within its step's own window of the one before (both ends included, also after `to`), and no
/// excluded event lies between. Each actor counts with one chain, the one that gets furthest; of several the one that
/// gets there first; and of these the one that took the shortest way there: it begins last, and from its last event
/// backwards each is the latest possible. A chain counts at each step it holds.
///
/// **Ties.** Events of one actor at the same microsecond are taken in the order of the steps they meet: first those of
/// the first step, those that meet none last; then those that meet fewer later steps; then by the values of the columns
/// of `by`, smallest first, null last.
///
/// **Shapes.** One row for each combination of `compare`, `by` and `grain` that occurs, and each step; ordered by these.
/// Without `by` and `grain` all steps are always there.
///
/// | column | type | |
/// |---|---|---|
/// | `segment` | text | with `compare`: the name of the segment |
/// | the columns of `by` | as they are, text as `Utf8` | null where the event has no value |
/// | `period` | timestamp, UTC microseconds | with `grain`: the start of the period in which the chain began |
/// | `step` | `Int32` | from 1 |
/// | `name` | text | the name of the step; in any order `1 of 3` |
/// | `count` | `Int64` | chains that hold the step |
/// | `from_first` | `Float64` | `count` over that of the first step, null over 0 |
/// | `from_first_low`, `from_first_high` | `Float64` | its 95 % interval after Wilson |
/// | `from_previous` | `Float64` | `count` over that of the last step before that is not optional; null at the first |
/// | `median_seconds`, `p95_seconds` | `Float64` | unless `times` is false: from the event before in the chain; null at the first step, and of none |
/// | `total_median_seconds`, `total_p95_seconds` | `Float64` | unless `times` is false: from the first event of the chain |
/// | `histogram` | list of `Int64` | with `histogram`: chains by the time from the event before |
/// | `difference`, `difference_low`, `difference_high` | `Float64` | with `compare`, at the second segment: `from_first` less that of the first segment, and its 95 % interval after Newcombe |
///
/// Percentiles are interpolated linearly between neighbours (type 7 of Hyndman and Fan).
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use arrow::array::{Int64Array, RecordBatch, StringArray};
/// use aura_core::behavior::{Funnel, Span};
/// use aura_core::engine::Events;
/// use aura_core::event::Roles;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let batch = RecordBatch::try_from_iter([
///     ("actor", Arc::new(StringArray::from(vec!["a", "b", "a", "b", "c"])) as _),
///     ("event", Arc::new(StringArray::from(vec!["view", "view", "buy", "leave", "buy"])) as _),
///     ("time", Arc::new(Int64Array::from(vec![1_767_225_600, 1_767_225_601, 1_767_225_690, 1_767_398_400, 1_767_398_401])) as _),
/// ])?;
/// let events = Events::from_batches(vec![batch], &Roles::new("actor", "event", "time"))?;
/// let funnel = Funnel::steps(["view", "buy"]).within(Span::days(7)?);
/// let table = events.run(&funnel).await?;
/// let batch = table.to_batch()?.project(&[0, 1, 2, 3, 7])?;
/// assert_eq!(arrow::util::pretty::pretty_format_batches(&[batch])?.to_string(), "\
/// +------+------+-------+------------+----------------+
/// | step | name | count | from_first | median_seconds |
/// +------+------+-------+------------+----------------+
/// | 1    | view | 2     | 1.0        |                |
/// | 2    | buy  | 1     | 0.5        | 90.0           |
/// +------+------+-------+------------+----------------+");
/// # Ok::<(), aura_core::Error>(()) }).unwrap();
/// ```
///
/// **Source.** The window is that of ClickHouse's `windowFunnel`; attribution and exclusions are after PostHog's funnels.
/// Differences: an event stands for one step only; a chain is never lost because a later event began another; see
/// `docs/behavior.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Funnel {
    /// The steps, from 2 to 50.
    pub steps: Vec<Step>,
    /// In which order the steps come.
    #[serde(default, skip_serializing_if = "is_default")]
    pub order: StepOrder,
    /// How long after the first event of a chain its last may be, both ends included. Days and longer units are steps of the
    /// calendar in the time zone; write `24 hours` for hours of the clock. By default without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Events that must not lie between steps, at most 14.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Exclusion>,
    /// Columns, at most 8, whose values must be the same in all events of a chain. Events where one is null are left
    /// out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<String>,
    /// What is counted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub count: FunnelCount,
    /// Which event of a chain gives the values of `by`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attribution: Attribution,
    /// The length of the periods for conversion over time; it takes `within`, which is at most 1,000 periods long. Actors
    /// count once in each period in which they begin a chain, with the chains that begin there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grain: Option<Grain>,
    /// See [`Calendar::week_start`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub week_start: Weekday,
    /// Bounds in seconds, rising, at most 1,000: adds counts of chains whose time from the event before is below
    /// the first bound, from the first to below the second, and so on, and from the last bound on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<u64>,
    /// Whether the result has percentiles of the times. All times are kept for them until the end, 8 bytes for the second
    /// step of each chain and 16 for every later one, which count against the memory limit of the session.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub times: bool,
    /// Two segments that are compared: a chain is of each whose condition its first event meets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<[FunnelSegment; 2]>,
    /// Columns to break the result down by, at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Which events count: a condition over columns, in the language of metrics. All others are as if they were not
    /// there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The first moment at which a chain may begin: a date or time in the time zone, or an instant with its offset. Events
    /// before it are not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment at which no chain begins any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// See [`Calendar::time_zone`].
    #[serde(default = "utc", skip_serializing_if = "is_utc")]
    pub time_zone: String,
    /// A column that takes the role of the actor: a team, an account. Events where it is null are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// In which order the steps of a [`Funnel`] come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOrder {
    /// In their order, with any other events between.
    #[default]
    Ordered,
    /// In their order, with no other event of the actor (of those that pass `filter`) between.
    Strict,
    /// In any order. Row k of the result tells how many met at least k of the steps; an event counts for every step
    /// it meets.
    Any,
}

/// What a [`Funnel`] counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FunnelCount {
    /// Actors, each once.
    #[default]
    Actors,
    /// Sessions, each once with the chains that lie in it: a pause longer than `gap` begins a new one. All events
    /// count that pass `filter`, from `from` on.
    Sessions {
        /// Hours or shorter units.
        gap: Span,
    },
    /// Attempts, one after the other. An attempt begins with the first event that meets the first step (in any order: any
    /// step) after the end of the attempt before; its chains all begin with this event. It ends with its last step; or
    /// right before the event by which it is lost, with which another may begin (an excluded event, in strict order any
    /// that does not go on); or when `within` is over.
    Totals,
}

/// Which event of a chain gives the values of the columns of [`by`](Funnel::by).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The first event of the chain that has one; of each column its own.
    #[default]
    First,
    /// The last event of the chain that has one; of each column its own.
    Last,
    /// The event of this step, from 1. Chains without it are left out.
    Step(usize),
    /// All of them: only events with the same values (null is one) make a chain, and each actor counts once for each
    /// combination of values.
    AllSteps,
}

/// A part of the chains of a [`Funnel`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelSegment {
    /// What it is called in the result.
    pub name: String,
    /// The condition over columns that the first event of the chain meets.
    pub r#where: String,
}

impl Funnel {
    /// Makes a funnel of steps, with the defaults of everything else.
    pub fn steps<S: Into<Step>>(steps: impl IntoIterator<Item = S>) -> Funnel {
        Funnel {
            steps: steps.into_iter().map(Into::into).collect(),
            order: StepOrder::default(),
            within: None,
            exclude: Vec::new(),
            same: Vec::new(),
            count: FunnelCount::default(),
            attribution: Attribution::default(),
            grain: None,
            week_start: Weekday::default(),
            histogram: Vec::new(),
            times: true,
            compare: None,
            by: Vec::new(),
            filter: None,
            from: None,
            to: None,
            time_zone: utc(),
            actor: None,
        }
    }

    /// Sets in which order the steps come.
    #[must_use]
    pub fn order(mut self, order: StepOrder) -> Self {
        self.order = order;
        self
    }

    /// Sets how long after its first event a chain may go on.
    #[must_use]
    pub fn within(mut self, span: Span) -> Self {
        self.within = Some(span);
        self
    }

    /// Adds events that must not lie between steps.
    #[must_use]
    pub fn exclude(mut self, events: impl Into<Exclusion>) -> Self {
        self.exclude.push(events.into());
        self
    }

    /// Adds a column, or several, whose value must be the same in all events of a chain.
    #[must_use]
    pub fn same(mut self, columns: impl Into<ColumnNames>) -> Self {
        self.same.extend(columns.into().0);
        self
    }

    /// Sets what is counted.
    #[must_use]
    pub fn count(mut self, count: FunnelCount) -> Self {
        self.count = count;
        self
    }

    /// Sets which event gives the values of `by`.
    #[must_use]
    pub fn attribution(mut self, attribution: Attribution) -> Self {
        self.attribution = attribution;
        self
    }

    /// Sets the length of the periods for conversion over time.
    #[must_use]
    pub fn grain(mut self, grain: Grain) -> Self {
        self.grain = Some(grain);
        self
    }

    /// Sets the day on which weeks begin.
    #[must_use]
    pub fn week_start(mut self, day: Weekday) -> Self {
        self.week_start = day;
        self
    }

    /// Sets the bounds of a histogram of the times between steps, in seconds.
    #[must_use]
    pub fn histogram(mut self, bounds: impl IntoIterator<Item = u64>) -> Self {
        self.histogram = bounds.into_iter().collect();
        self
    }

    /// Sets whether the result has percentiles of the times.
    #[must_use]
    pub fn times(mut self, times: bool) -> Self {
        self.times = times;
        self
    }

    /// Compares two segments, each a name and a condition.
    #[must_use]
    pub fn compare(mut self, first: (&str, &str), second: (&str, &str)) -> Self {
        self.compare = Some([first, second].map(|(name, condition)| FunnelSegment {
            name: name.to_owned(),
            r#where: condition.to_owned(),
        }));
        self
    }

    common_methods!();
}

impl Spec for Funnel {
    fn common(&self) -> Common<'_> {
        Common {
            by: &self.by,
            filter: self.filter.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            actor: self.actor.as_deref(),
            calendar: Calendar {
                week_start: self.week_start,
                ..Calendar::in_zone(&self.time_zone)
            },
        }
    }

    fn needs_extent(&self) -> bool {
        self.grain.is_some() && (self.from.is_none() || self.to.is_none())
    }

    fn prepare(&self, making: &mut Making<'_>) -> Result<Box<dyn Prepared>> {
        Ok(Box::new(plan::prepare(self, making)?))
    }
}
