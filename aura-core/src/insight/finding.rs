//! What an insight says, as a value: what changed, by how much, how sure that is, why, and what to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::Grain;
use crate::metric::{Format, LocalText};

/// The answer of [`Events::insights`](crate::engine::Events::insights): findings with the most important first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// The findings by falling [`score`](Finding::score); those that the previous run had and this one no longer has come
    /// last, with [`Status::Resolved`].
    pub findings: Vec<Finding>,
    /// What a careful analyst would add: which series were too short or too small to judge, and why there is nothing where
    /// there is nothing.
    pub notes: Vec<LocalText>,
    /// The moment until which events were known (RFC 3339, UTC); `None` without events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// How many series (metric, segment, grain) were looked at.
    pub series: u64,
    /// How many tests were made in all; the findings are corrected for this number.
    pub tests: u64,
}

/// One thing that is worth knowing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Sixteen hexadecimal digits that are the same in every run that finds the same fact: a hash of rule, metric, segment,
    /// direction and the period in which it began.
    pub id: String,
    /// The name of the rule that found it.
    pub rule: String,
    /// What kind of fact it is.
    pub kind: FindingKind,
    /// The name of the metric.
    pub metric: String,
    /// The title of the metric for people.
    pub title: LocalText,
    /// How values of the metric are shown.
    #[serde(default)]
    pub format: Format,
    /// The unit of the metric as text (`events`, `actors`, `USD`, `share`), where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The segment: pairs of dimension and value in the order of the dimensions; empty for everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segment: Vec<Part>,
    /// When it happened.
    pub window: Window,
    /// Which way the value went.
    pub direction: Change,
    /// Whether that is good, where the metric says which way is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<bool>,
    /// How large it is.
    pub size: Size,
    /// How sure it is, from 0 to 1: 1 less the q-value, the expected share of false findings among those at least as sure.
    pub confidence: f64,
    /// How much it matters.
    pub severity: Severity,
    /// The order of findings; greater is more important. Feedback and snoozing are part of it.
    pub score: f64,
    /// The numbers behind it.
    pub evidence: Evidence,
    /// The segments that explain it, the largest contribution first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drivers: Vec<Driver>,
    /// What to do next, one sentence.
    pub action: LocalText,
    /// The fact in one sentence.
    pub sentence: LocalText,
    /// Whether the previous run knew it.
    pub status: Status,
    /// Other findings that tell the same story and are shown by this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Related>,
}

/// What kind of fact a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The level moved from one period to the next, and stayed.
    Shift,
    /// The value moves steadily.
    Trend,
    /// A few periods lie far off what was expected.
    Anomaly,
    /// Events stopped coming.
    Missing,
    /// The mix of the values of a dimension changed.
    Drift,
    /// The value is beyond a bound.
    Threshold,
    /// A target will be missed, or was reached.
    Goal,
    /// The budget of errors of a service level is spent too fast.
    BurnRate,
    /// A round number was passed for the first time.
    Milestone,
    /// A segment differs from all others together.
    Comparison,
}

/// A value of a dimension.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The name of the dimension.
    pub dimension: String,
    /// Its value as text; `None` is that of events without one.
    pub value: Option<String>,
}

/// A stretch of whole periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The first moment (RFC 3339, UTC).
    pub from: String,
    /// The first moment after it (RFC 3339, UTC).
    pub to: String,
    /// The length of the periods.
    pub grain: Grain,
    /// The label of the first period.
    pub first: String,
    /// The label of the last period.
    pub last: String,
    /// How many periods it has, from 1.
    pub periods: u64,
}

/// Which way a value went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is greater than it was or should be.
    Up,
    /// It is less.
    Down,
    /// Neither, as when a mix changes.
    None,
}

/// How large a finding is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// The value in the window less the value expected (or before), per period, in the unit of the metric.
    pub absolute: f64,
    /// That over the value expected, as a fraction: 0.25 is 25 %. `None` where that is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<f64>,
    /// Different actors with an event in the segment in the window, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actors: Option<f64>,
}

/// How much a finding matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a look.
    Medium,
    /// Worth acting on.
    High,
}

/// Whether the previous run knew a finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did not.
    #[default]
    New,
    /// It did.
    Ongoing,
    /// It did, and this run no longer finds it.
    Resolved,
}

/// The numbers behind a finding.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Numbers by name, in the order in which they are read, such as `expected`, `observed`, `p_value`.
    pub numbers: Vec<Named>,
    /// The [`MetricQuery`](crate::metric::MetricQuery) whose answer has these values.
    pub spec: serde_json::Value,
    /// The series for a chart.
    pub series: Series,
}

/// A number with its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// What it is, in snake case.
    pub name: String,
    /// The number; always finite.
    pub value: f64,
}

/// Values over time; all lists that are not empty have as many entries as `periods`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The labels of the periods, in order.
    pub periods: Vec<String>,
    /// The values; `None` where there is none.
    pub values: Vec<Option<f64>>,
    /// What was expected; empty where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Option<f64>>,
    /// The lower end of what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lower: Vec<Option<f64>>,
    /// The upper end of what is usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upper: Vec<Option<f64>>,
    /// The places (from 0) of the periods that the finding is about, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<u64>,
}

/// A segment that explains a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    /// The segment: one or two pairs of dimension and value.
    pub segment: Vec<Part>,
    /// Its part of [`Size::absolute`], in the unit of the metric.
    pub contribution: f64,
    /// That over the whole change: 0.8 is 80 %; above 1 where other segments went the other way.
    pub share: f64,
    /// How it works: by its own value, or by how much of the whole it is.
    pub effect: Effect,
}

/// How a segment changes the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The count or sum of the segment changed.
    Amount,
    /// The ratio within the segment changed.
    Rate,
    /// The segment became a larger or smaller part of the whole.
    Mix,
}

/// A finding that is shown by another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// Its id.
    pub id: String,
    /// Its metric.
    pub metric: String,
    /// Its segment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segment: Vec<Part>,
}
