//! The kinds of metrics that are aggregates of rows and formulas over them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::behaviour::{
    CollaborationMetric, FirstAttemptMetric, FunnelMetric, LifecycleMetric, RetentionMetric,
    SessionsMetric, StickinessMetric, TimeToConvertMetric,
};
use crate::calendar::Grain;
use crate::expr::{Formula, MetricReference, RowExpr};
use crate::time::Span;

/// The name of a kind, as in `kind: ratio`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindName {
    /// One expression over aggregates.
    Simple,
    /// A numerator over a denominator.
    Ratio,
    /// A formula over other metrics.
    Derived,
    /// An aggregate over a rolling window, or since the start of a longer period.
    Cumulative,
    /// How many of those who did one thing did another within a window.
    Conversion,
    /// How many of those who did the first step reached another.
    Funnel,
    /// How many of a cohort came back on a day.
    Retention,
    /// How large a part of a window those who are active in it are active.
    Stickiness,
    /// Sessions: events with no long gap between.
    Sessions,
    /// How long it takes from one event to another.
    TimeToConvert,
    /// Periods in which several actors act on one object.
    Collaboration,
    /// New, retained, resurrected or dormant actors.
    Lifecycle,
    /// How often the first attempt succeeds.
    FirstAttempt,
}

impl KindName {
    /// Every kind.
    pub const ALL: [KindName; 13] = [
        KindName::Simple,
        KindName::Ratio,
        KindName::Derived,
        KindName::Cumulative,
        KindName::Conversion,
        KindName::Funnel,
        KindName::Retention,
        KindName::Stickiness,
        KindName::Sessions,
        KindName::TimeToConvert,
        KindName::Collaboration,
        KindName::Lifecycle,
        KindName::FirstAttempt,
    ];

    /// Returns the name used in registries.
    pub fn name(self) -> &'static str {
        match self {
            KindName::Simple => "simple",
            KindName::Ratio => "ratio",
            KindName::Derived => "derived",
            KindName::Cumulative => "cumulative",
            KindName::Conversion => "conversion",
            KindName::Funnel => "funnel",
            KindName::Retention => "retention",
            KindName::Stickiness => "stickiness",
            KindName::Sessions => "sessions",
            KindName::TimeToConvert => "time_to_convert",
            KindName::Collaboration => "collaboration",
            KindName::Lifecycle => "lifecycle",
            KindName::FirstAttempt => "first_attempt",
        }
    }

    /// Tells whether computing it needs the events of each actor or object in the order of time.
    pub fn is_behavioural(self) -> bool {
        !matches!(
            self,
            KindName::Simple
                | KindName::Ratio
                | KindName::Derived
                | KindName::Cumulative
                | KindName::Conversion
        )
    }
}

/// How a metric is computed.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricKind {
    /// An expression over aggregates of the rows of a period and segment.
    Simple {
        /// The expression; it names no other metric.
        expr: Formula,
    },
    /// A numerator over a denominator; null where the denominator is null or zero.
    Ratio {
        /// What stands above.
        numerator: Operand,
        /// What stands below; a query also returns it, as `<name>_n`.
        denominator: Operand,
    },
    /// A formula over other metrics.
    Derived(Derived),
    /// An aggregate over more than one period.
    Cumulative {
        /// The expression; it names no other metric, and is computed over all rows of the window at once, so
        /// that an actor counts once however many periods it spans.
        expr: Formula,
        /// Over which rows.
        over: CumulativeRange,
    },
    /// How many of those who did one thing did another within a window.
    Conversion(Conversion),
    /// Behavioural: a funnel's step.
    Funnel(FunnelMetric),
    /// Behavioural: retention on a day.
    Retention(RetentionMetric),
    /// Behavioural: stickiness.
    Stickiness(StickinessMetric),
    /// Behavioural: sessions.
    Sessions(SessionsMetric),
    /// Behavioural: the time from one event to another.
    TimeToConvert(TimeToConvertMetric),
    /// Behavioural: periods of collaboration.
    Collaboration(CollaborationMetric),
    /// Behavioural: new, retained, resurrected, dormant.
    Lifecycle(LifecycleMetric),
    /// Behavioural: success of first attempts.
    FirstAttempt(FirstAttemptMetric),
}

/// A side of a ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// An expression over aggregates and over metrics in braces.
    pub expr: Formula,
    /// Which rows count for the aggregates of this side, beside the filter of the metric.
    pub filter: Option<RowExpr>,
}

/// A formula over other metrics. The form is that of dbt's MetricFlow (`type: derived` with `expr` and
/// `metrics: [{name, alias, filter, offset_window, offset_to_grain}]`), with metrics in braces.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The formula; it has no aggregate and names at least one metric, by its name or by an alias of
    /// [`inputs`](Derived::inputs).
    pub expr: Formula,
    /// Metrics that the formula takes in a special way.
    pub inputs: Vec<MetricInput>,
}

/// A metric as the input of a formula.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricInput {
    /// The name of the metric.
    pub name: String,
    /// The name in the formula; the name of the metric where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// How far back the value is taken: `1 week`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_window: Option<Span>,
    /// The value of the first period of this longer grain, of the one that the period lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_to_grain: Option<Grain>,
}

impl MetricInput {
    /// Returns the name in the formula.
    pub fn alias(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

impl From<&MetricReference> for MetricInput {
    /// The metric itself, with the offset written in the braces.
    fn from(reference: &MetricReference) -> Self {
        MetricInput {
            name: reference.name.clone(),
            alias: None,
            offset_window: reference.offset,
            offset_to_grain: None,
        }
    }
}

impl Derived {
    /// Returns the input that a name in the formula stands for: one of [`inputs`](Derived::inputs), or the
    /// metric itself, with the offset written in the braces.
    pub fn resolve(&self, reference: &MetricReference) -> MetricInput {
        let found = self.inputs.iter().find(|i| i.alias() == reference.name);
        match found {
            Some(input) => input.clone(),
            None => MetricInput::from(reference),
        }
    }
}

/// The rows of a cumulative metric. The value of a period is as of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CumulativeRange {
    /// The window that ends with the period: `28 days`.
    Window(Span),
    /// From the start of the longer period in which the period ends: `month` is month to date.
    ToDate(Grain),
    /// Everything until the end of the period.
    AllTime,
}

/// What a conversion or a funnel counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calculation {
    /// The share of actors.
    #[default]
    ConversionRate,
    /// How many actors.
    Conversions,
}

/// How many of those who did one thing did another within a window.
///
/// An actor is in the base of a period when it has a base event in it, and has converted when, for one of these,
/// a conversion event lies at the same time or later, at most the window later (inclusive), and is another
/// event. An actor counts once a period, in the period of the base event. Of a base event whose window has not
/// ended it is not known yet whether it converts.
///
/// The form is that of MetricFlow's `type: conversion`. Difference: MetricFlow counts each conversion event and
/// joins it to the last base event; here actors are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// Which events are the base.
    pub base: RowExpr,
    /// Which events are conversions.
    pub conversion: RowExpr,
    /// How long after the base event; `None` is without limit.
    pub window: Option<Span>,
    /// Properties that must be equal, and not null, in both events.
    pub constant_properties: Vec<String>,
    /// What is counted.
    pub calculation: Calculation,
}

impl MetricKind {
    /// Returns the name of the kind.
    pub fn name(&self) -> KindName {
        match self {
            MetricKind::Simple { .. } => KindName::Simple,
            MetricKind::Ratio { .. } => KindName::Ratio,
            MetricKind::Derived(_) => KindName::Derived,
            MetricKind::Cumulative { .. } => KindName::Cumulative,
            MetricKind::Conversion(_) => KindName::Conversion,
            MetricKind::Funnel(_) => KindName::Funnel,
            MetricKind::Retention(_) => KindName::Retention,
            MetricKind::Stickiness(_) => KindName::Stickiness,
            MetricKind::Sessions(_) => KindName::Sessions,
            MetricKind::TimeToConvert(_) => KindName::TimeToConvert,
            MetricKind::Collaboration(_) => KindName::Collaboration,
            MetricKind::Lifecycle(_) => KindName::Lifecycle,
            MetricKind::FirstAttempt(_) => KindName::FirstAttempt,
        }
    }

    /// Returns the metrics that it names, with aliases resolved, in the order of the text.
    pub fn inputs(&self) -> Vec<MetricInput> {
        let plain = |formula: &Formula| -> Vec<MetricInput> {
            let references = formula.references().into_iter();
            references.map(MetricInput::from).collect()
        };
        match self {
            MetricKind::Ratio {
                numerator,
                denominator,
            } => {
                let mut all = plain(&numerator.expr);
                all.extend(plain(&denominator.expr));
                all
            }
            MetricKind::Derived(derived) => {
                let references = derived.expr.references().into_iter();
                references.map(|r| derived.resolve(r)).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn needs_actor(&self) -> bool {
        self.name().is_behavioural() || matches!(self, MetricKind::Conversion(_))
    }

    pub(crate) fn for_each_column(&self, add: &mut dyn FnMut(&str)) {
        match self {
            MetricKind::Simple { expr } | MetricKind::Cumulative { expr, .. } => {
                expr.for_each_column(add);
            }
            MetricKind::Ratio {
                numerator,
                denominator,
            } => {
                for side in [numerator, denominator] {
                    side.expr.for_each_column(add);
                    if let Some(filter) = &side.filter {
                        filter.for_each_column(add);
                    }
                }
            }
            MetricKind::Derived(_) => {}
            MetricKind::Conversion(c) => {
                c.base.for_each_column(add);
                c.conversion.for_each_column(add);
                c.constant_properties.iter().for_each(|p| add(p));
            }
            MetricKind::Funnel(f) => {
                f.steps.iter().for_each(|s| s.for_each_column(add));
                f.constant_properties.iter().for_each(|p| add(p));
            }
            MetricKind::Retention(r) => {
                r.start.for_each_column(add);
                r.returning.for_each_column(add);
            }
            MetricKind::Stickiness(s) => each(&s.active, add),
            MetricKind::Sessions(s) => each(&s.active, add),
            MetricKind::TimeToConvert(t) => {
                t.from.for_each_column(add);
                t.to.for_each_column(add);
                t.constant_properties.iter().for_each(|p| add(p));
            }
            MetricKind::Collaboration(c) => {
                each(&c.active, add);
                add(&c.object);
            }
            MetricKind::Lifecycle(l) => each(&l.active, add),
            MetricKind::FirstAttempt(a) => {
                for condition in [&a.attempt, &a.success, &a.failure] {
                    condition.for_each_column(add);
                }
                a.key.iter().for_each(|p| add(p));
            }
        }
    }
}

impl MetricKind {
    /// Calls `visit` with each condition over rows, but for the filters of aggregates.
    pub(crate) fn for_each_condition<'a>(&'a self, visit: &mut dyn FnMut(&'a RowExpr)) {
        match self {
            MetricKind::Simple { .. } | MetricKind::Cumulative { .. } | MetricKind::Derived(_) => {}
            MetricKind::Ratio {
                numerator,
                denominator,
            } => {
                let filters = numerator.filter.iter().chain(&denominator.filter);
                filters.for_each(visit);
            }
            MetricKind::Conversion(c) => [&c.base, &c.conversion].into_iter().for_each(visit),
            MetricKind::Funnel(f) => f.steps.iter().for_each(visit),
            MetricKind::Retention(r) => [&r.start, &r.returning].into_iter().for_each(visit),
            MetricKind::Stickiness(s) => s.active.iter().for_each(visit),
            MetricKind::Sessions(s) => s.active.iter().for_each(visit),
            MetricKind::TimeToConvert(t) => [&t.from, &t.to].into_iter().for_each(visit),
            MetricKind::Collaboration(c) => c.active.iter().for_each(visit),
            MetricKind::Lifecycle(l) => l.active.iter().for_each(visit),
            MetricKind::FirstAttempt(a) => {
                [&a.attempt, &a.success, &a.failure]
                    .into_iter()
                    .for_each(visit);
            }
        }
    }
}

fn each(condition: &Option<RowExpr>, add: &mut dyn FnMut(&str)) {
    if let Some(condition) = condition {
        condition.for_each_column(add);
    }
}
