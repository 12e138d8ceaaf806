//! The kinds of metrics that follow each actor, or each object, through time. Their parameters are checked at
//! load; the analyses themselves live in the room of behaviour.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::kind::Calculation;
use crate::calendar::Grain;
use crate::expr::RowExpr;
use crate::time::Span;
use crate::{Error, Result};

/// The share (or the number) of actors that reach a step of an ordered funnel.
///
/// An actor enters in each period in which it has an event of step 1, and reaches step *k* in it when some chain of
/// its events that begins in the period holds steps 1 to *k* in this order, each with an event of its own, other events
/// between them allowed, the last at most `window` after the first (inclusive, also after the period). Denominator: the
/// actors that enter, or those that reach the step before with `of: previous`. An actor counts once a period; with
/// dimensions once in each combination in which it has an event of step 1, with the chains that begin there. Events at
/// the same time are taken in the order of the first step they meet.
///
/// It is the [`Funnel`](crate::behavior::Funnel) of behaviour with the grain of the question.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelMetric {
    /// Two to fifty conditions.
    pub steps: Vec<RowExpr>,
    /// The step that is measured, from 1; the last where none is given.
    pub step: usize,
    /// The denominator.
    pub of: FunnelBase,
    /// How long the funnel may take.
    pub window: Span,
    /// Properties that must be equal in all steps. Events in which one is null are left out.
    pub constant_properties: Vec<String>,
    /// What is counted.
    pub calculation: Calculation,
}

/// The denominator of a funnel's step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunnelBase {
    /// Those who did step 1.
    #[default]
    First,
    /// Those who reached the step before.
    Previous,
}

/// The share of a cohort that returns on a day.
///
/// The cohort of a period are the actors whose start event lies in it: the first one of the actor ever, or, with
/// `cohort: recurring`, the first one in the period. An actor is retained on day *n* when it has a returning event on
/// the *n*-th calendar day after the day of its start event, in the zone of the question; with `on_or_after`, on
/// that day or any later one. Denominator: the actors of the cohort for whom day *n* has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionMetric {
    /// Which events start.
    pub start: RowExpr,
    /// Which events are a return; the start events where none is given.
    pub returning: RowExpr,
    /// The day, from 1 to 3,650.
    pub day: u32,
    /// Whether later days count.
    pub mode: RetentionMode,
    /// Which start event counts.
    pub cohort: Cohort,
}

/// Which days count as a return.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionMode {
    /// The day itself (n-day, or bounded, retention).
    #[default]
    On,
    /// The day and all after it (unbounded retention).
    OnOrAfter,
}

/// Which start event puts an actor into a cohort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// The first one of the actor in all events.
    #[default]
    FirstEver,
    /// The first one in each period.
    Recurring,
}

/// How many of the days of a window an actor is active, as a share, for those active in it at all: DAU/MAU.
///
/// The mean over the periods of grain `per` in the window of the actors active in each, over the actors active in
/// the window. The window ends with the period of the question. From 1/n to 1, where n periods lie in the window;
/// null when nobody was active.
#[derive(Debug, Clone, PartialEq)]
pub struct StickinessMetric {
    /// Which events are activity; all where none is given.
    pub active: Option<RowExpr>,
    /// The short period (default day).
    pub per: Grain,
    /// The long one (default 30 days).
    pub window: Span,
}

/// Sessions: the events of an actor with no gap longer than `gap` between neighbours.
///
/// A session belongs to the period in which it starts. A gap of exactly `gap` does not end a session. Its
/// duration is the time from its first to its last event; of a single event it is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionsMetric {
    /// Which events belong to sessions; all where none is given.
    pub active: Option<RowExpr>,
    /// The longest gap inside of a session (default 30 minutes).
    pub gap: Span,
    /// What is measured.
    pub measure: SessionMeasure,
}

/// What is measured of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionMeasure {
    /// How many.
    Count,
    /// How many for each actor that has one.
    PerActor,
    /// The mean duration in seconds.
    MeanDuration,
    /// The median duration in seconds.
    MedianDuration,
    /// The mean number of events.
    EventsPerSession,
}

/// How long it takes from one event to another, in seconds.
///
/// For each actor (and each combination of the constant properties) and each `from` event that has no other `from`
/// event between itself and the next `to` event: the time until that `to` event, at the same time or later, if it
/// is at most `window`. A `to` event ends one such span only. A span belongs to the period of its `from` event;
/// those that do not end count nowhere.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeToConvertMetric {
    /// Which events start.
    pub from: RowExpr,
    /// Which events end.
    pub to: RowExpr,
    /// The longest time that counts.
    pub window: Span,
    /// Properties that must be equal, and not null, in both events.
    pub constant_properties: Vec<String>,
    /// What is taken of the times.
    pub statistic: Statistic,
}

/// One number of many: `mean`, `median`, `min`, `max`, or a percentile such as `p95` or `p99.9`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The exact percentile from 0 to 100, both inclusive, interpolated linearly; `median` is 50.
    Percentile(f64),
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statistic::Mean => f.write_str("mean"),
            Statistic::Min => f.write_str("min"),
            Statistic::Max => f.write_str("max"),
            Statistic::Percentile(50.0) => f.write_str("median"),
            Statistic::Percentile(p) => write!(f, "p{p}"),
        }
    }
}

impl FromStr for Statistic {
    type Err = Error;

    /// Reads a name.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for any other text.
    fn from_str(text: &str) -> Result<Self> {
        let percentile = || {
            let digits = text.strip_prefix('p')?;
            let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
            let number = digits.parse::<f64>().ok().filter(|_| plain)?;
            (0.0..=100.0)
                .contains(&number)
                .then_some(Statistic::Percentile(number))
        };
        match text {
            "mean" => Ok(Statistic::Mean),
            "min" => Ok(Statistic::Min),
            "max" => Ok(Statistic::Max),
            "median" => Ok(Statistic::Percentile(50.0)),
            _ => percentile().ok_or_else(|| {
                Error::invalid_spec(format!(
                    "\"{}\" is not a statistic; known are `mean`, `median`, `min`, `max` and percentiles such as `p95`",
                    crate::document::shortened(text)
                ))
            }),
        }
    }
}

impl Serialize for Statistic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Statistic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Statistic {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Statistic".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`mean`, `median`, `min`, `max`, or a percentile such as `p95`.",
            "pattern": "^(mean|median|min|max|p[0-9]+(\\.[0-9]+)?)$",
        })
    }
}

/// Periods in which several actors act on one object.
///
/// The events of one object (rows in which `object` is not null) in the order of time form *stretches*: a new one
/// begins where more than `gap` has passed since the event before, of whichever actor; a gap of exactly `gap`
/// does not divide. A stretch is a collaboration session when at least `min_participants` different actors act in
/// it. A session belongs to the period in which it starts; its duration is the time from its first to its last event.
#[derive(Debug, Clone, PartialEq)]
pub struct CollaborationMetric {
    /// The column that names the object.
    pub object: String,
    /// Which events count; all where none is given.
    pub active: Option<RowExpr>,
    /// The longest gap inside of a session.
    pub gap: Span,
    /// The least number of different actors, from 2.
    pub min_participants: u32,
    /// What is measured.
    pub measure: CollaborationMeasure,
}

/// What is measured of collaboration sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollaborationMeasure {
    /// How many sessions.
    Count,
    /// The mean number of different actors in a session.
    MeanParticipants,
    /// The mean duration in seconds.
    MeanDuration,
    /// The median duration in seconds.
    MedianDuration,
    /// How many different actors take part in a session that starts in the period.
    Actors,
    /// Those of them that have an event that counts in the period itself, as a share of all actors that have
    /// one, on whatever object or none.
    ShareOfActors,
}

/// How many actors are in a state of their life with the product.
///
/// A period is of the grain of the question. An actor is *new* in the first period in which it is ever active,
/// *retained* when active in the period and in the one before, *resurrected* when active in the period, not in the one
/// before, but in an earlier one, and *dormant* when active in the period before and not in the period. New, retained
/// and resurrected together are the active actors of the period. Actors that were active before the first event
/// known appear as new.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleMetric {
    /// Which events are activity; all where none is given.
    pub active: Option<RowExpr>,
    /// The state.
    pub state: LifecycleState,
}

/// A state in the life of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleState {
    /// Active for the first time.
    New,
    /// Active now and in the period before.
    Retained,
    /// Active now, not in the period before, but earlier.
    Resurrected,
    /// Active in the period before and not now.
    Dormant,
}

/// The share of first attempts that succeed.
///
/// The events are followed for each combination of actor and `key` (rows with a null in `key` do not count). The
/// first attempt is the first `attempt` event; its outcome is the first `success` or `failure` event at the same
/// time or later. Where an event of each lies at the same time, it is a failure. Denominator: first attempts that
/// have an outcome, in the period of the attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstAttemptMetric {
    /// Which events are attempts.
    pub attempt: RowExpr,
    /// Which events are successes.
    pub success: RowExpr,
    /// Which events are failures.
    pub failure: RowExpr,
    /// The columns that tell one thing attempted from another.
    pub key: Vec<String>,
}
