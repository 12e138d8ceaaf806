//! The keys of a definition as they stand in a file, one field each, and which of them belong to which kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::behaviour::{
    Cohort, CollaborationMeasure, FunnelBase, LifecycleState, RetentionMode, SessionMeasure,
    Statistic,
};
use super::definition::{Direction, Fill, Format, LocalText};
use super::kind::{Calculation, KindName, MetricInput};
use super::unit::Unit;
use crate::calendar::Grain;
use crate::time::Span;

/// Gives the struct of all keys, and the list of those that belong to kinds.
macro_rules! definition_file {
    ($($(#[$doc:meta])* $key:ident: $type:ty,)+) => {
        /// A metric: a row of a registry's `metrics`. Which keys below `kind` it has depends on `kind`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(rename = "MetricDefinition", transform = super::schema::keys_of_kinds)]
        pub(crate) struct DefinitionFile {
            /// The name: lower-case letters, digits and `_`, at most 64 characters, a letter first.
            pub(crate) name: String,
            /// The title for people.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) title: Option<LocalText>,
            /// The formula in words, its denominators and its edge cases.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) description: Option<LocalText>,
            /// Who answers for it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) owner: Option<String>,
            /// The unit.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) unit: Option<Unit>,
            /// Which way is good (default `neither`).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) direction: Option<Direction>,
            /// How values are shown (default `number`).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) format: Option<Format>,
            /// Digits after the decimal point, from 0 to 10.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) decimals: Option<u32>,
            /// Words to find it by.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub(crate) tags: Vec<String>,
            /// The grain of a query that names none, and the finest allowed (default `day`, or the longest
            /// one of the metrics it names).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) default_grain: Option<Grain>,
            /// The dimensions by which it may be cut; any column where the key is missing, none where the list is
            /// empty.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) dimensions: Option<Vec<String>>,
            /// Which rows count: a condition.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) filter: Option<String>,
            /// What stands in a period without any event (default `zero` for counts and sums, else `null`).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) fill: Option<Fill>,
            /// How it is computed.
            pub(crate) kind: KindName,
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub(crate) $key: Option<$type>,
            )+
        }

        impl DefinitionFile {
            /// Makes a definition without any key of its kind.
            pub(super) fn new(name: String, kind: KindName) -> Self {
                DefinitionFile {
                    name,
                    title: None,
                    description: None,
                    owner: None,
                    unit: None,
                    direction: None,
                    format: None,
                    decimals: None,
                    tags: Vec::new(),
                    default_grain: None,
                    dimensions: None,
                    filter: None,
                    fill: None,
                    kind,
                    $($key: None,)+
                }
            }

            /// The keys of kinds that are there.
            pub(super) fn given(&self) -> Vec<&'static str> {
                let mut given = Vec::new();
                $(if self.$key.is_some() {
                    given.push(stringify!($key));
                })+
                given
            }
        }
    };
}

definition_file! {
    /// `simple`, `cumulative`: an expression over aggregates. `derived`: a formula over metrics in braces.
    expr: String,
    /// `ratio`: what stands above, an expression over aggregates and metrics, or `{expr, filter}`.
    numerator: OperandFile,
    /// `ratio`: what stands below.
    denominator: OperandFile,
    /// `derived`: metrics that the formula takes in a special way.
    inputs: Vec<MetricInput>,
    /// `cumulative`: the rolling window. `conversion`, `funnel`, `time_to_convert`: the longest time between the
    /// events. `stickiness`: the long period (default `30 days`).
    window: Span,
    /// `cumulative`: from the start of the period of this grain.
    grain_to_date: Grain,
    /// `conversion`: which events are the base.
    base: String,
    /// `conversion`: which events are conversions.
    conversion: String,
    /// `conversion`, `funnel`, `time_to_convert`: properties that must be equal in all events.
    constant_properties: Vec<String>,
    /// `conversion`, `funnel`: what is counted (default `conversion_rate`).
    calculation: Calculation,
    /// `funnel`: two to fifty conditions.
    steps: Vec<String>,
    /// `funnel`: the step that is measured, from 1 (default the last).
    step: u32,
    /// `funnel`: the denominator (default `first`).
    of: FunnelBase,
    /// `retention`: which events start.
    start: String,
    /// `retention`: which events are a return (default those of `start`).
    returning: String,
    /// `retention`: the day, from 1 to 3,650.
    day: u32,
    /// `retention`: whether later days count (default `on`).
    mode: RetentionMode,
    /// `retention`: which start event counts (default `first_ever`).
    cohort: Cohort,
    /// `stickiness`, `sessions`, `collaboration`, `lifecycle`: which events are activity (default all).
    active: String,
    /// `stickiness`: the short period (default `day`).
    per: Grain,
    /// `sessions` (default `30 minutes`), `collaboration`: the longest gap.
    gap: Span,
    /// `sessions`, `collaboration`: what is measured.
    measure: String,
    /// `time_to_convert`: which events start.
    from: String,
    /// `time_to_convert`: which events end.
    to: String,
    /// `time_to_convert`: what is taken of the times.
    statistic: Statistic,
    /// `collaboration`: the column that names the object.
    object: String,
    /// `collaboration`: the least number of different actors (default 2).
    min_participants: u32,
    /// `lifecycle`: the state.
    state: LifecycleState,
    /// `first_attempt`: which events are attempts.
    attempt: String,
    /// `first_attempt`: which events are successes.
    success: String,
    /// `first_attempt`: which events are failures.
    failure: String,
    /// `first_attempt`: the columns that tell one thing attempted from another.
    key: Vec<String>,
}

/// A side of a ratio: its expression, or its expression and a filter.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OperandFile {
    /// The expression.
    Expr(String),
    /// The expression and which rows count for it.
    Filtered(FilteredFile),
}

/// An expression and which rows count for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilteredFile {
    /// The expression.
    pub(crate) expr: String,
    /// The condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
}

impl<'de> Deserialize<'de> for OperandFile {
    // By hand: an untagged enum forgets where in its input a fault is.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> serde::de::Visitor<'de> for Any {
            type Value = OperandFile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an expression, or a mapping with `expr` and `filter`")
            }

            fn visit_str<E>(self, v: &str) -> Result<OperandFile, E> {
                Ok(OperandFile::Expr(v.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<OperandFile, A::Error> {
                FilteredFile::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    .map(OperandFile::Filtered)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// The keys under which expressions stand: braces in them are bound as values, not replaced as text.
pub(super) const EXPRESSION_KEYS: [&str; 15] = [
    "expr",
    "filter",
    "numerator",
    "denominator",
    "base",
    "conversion",
    "steps",
    "start",
    "returning",
    "active",
    "from",
    "to",
    "attempt",
    "success",
    "failure",
];

/// Tells whether expressions stand under `key`.
pub(super) fn is_expression(key: &str) -> bool {
    EXPRESSION_KEYS.contains(&key)
}

/// The keys of a kind: those that must be there, and those that may.
pub(super) fn keys_of(kind: KindName) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        KindName::Simple => (&["expr"], &[]),
        KindName::Ratio => (&["numerator", "denominator"], &[]),
        KindName::Derived => (&["expr"], &["inputs"]),
        KindName::Cumulative => (&["expr"], &["window", "grain_to_date"]),
        KindName::Conversion => (
            &["base", "conversion"],
            &["window", "constant_properties", "calculation"],
        ),
        KindName::Funnel => (
            &["steps", "window"],
            &["step", "of", "constant_properties", "calculation"],
        ),
        KindName::Retention => (&["start", "day"], &["returning", "mode", "cohort"]),
        KindName::Stickiness => (&[], &["active", "per", "window"]),
        KindName::Sessions => (&["measure"], &["active", "gap"]),
        KindName::TimeToConvert => (
            &["from", "to", "window", "statistic"],
            &["constant_properties"],
        ),
        KindName::Collaboration => (
            &["object", "gap", "measure"],
            &["active", "min_participants"],
        ),
        KindName::Lifecycle => (&["state"], &["active"]),
        KindName::FirstAttempt => (&["attempt", "success", "failure", "key"], &[]),
    }
}

impl SessionMeasure {
    pub(super) const NAMES: [(&'static str, SessionMeasure); 5] = [
        ("count", SessionMeasure::Count),
        ("per_actor", SessionMeasure::PerActor),
        ("mean_duration", SessionMeasure::MeanDuration),
        ("median_duration", SessionMeasure::MedianDuration),
        ("events_per_session", SessionMeasure::EventsPerSession),
    ];
}

impl CollaborationMeasure {
    pub(super) const NAMES: [(&'static str, CollaborationMeasure); 6] = [
        ("count", CollaborationMeasure::Count),
        ("mean_participants", CollaborationMeasure::MeanParticipants),
        ("mean_duration", CollaborationMeasure::MeanDuration),
        ("median_duration", CollaborationMeasure::MedianDuration),
        ("actors", CollaborationMeasure::Actors),
        ("share_of_actors", CollaborationMeasure::ShareOfActors),
    ];
}
