//! Metrics: what a team measures, stated once, as data.
//!
//! A [`Registry`] holds [`MetricDefinition`]s, read from YAML or JSON and checked together at load: an unknown
//! name, a circle of formulas or a sum of different units is an error with line and column, not a wrong number
//! later. The expressions of a definition are SQL over an allow-list ([`expr`](crate::expr)). The metrics that come with AURA
//! ([`Registry::builtin`]) are data in the same format. The format is described for its users in
//! `docs/metrics.md`, the built-in metrics in `docs/metrics/reference.md`.

mod behaviour;
mod build;
mod definition;
mod file;
mod kind;
pub mod query;
mod reference;
mod registry;
mod schema;
mod unit;

pub use crate::expr::{
    Aggregate, AggregateFunction, AggregateKind, BinaryOperator, CastType, Column, Constant,
    DATE_PARTS, Expression, Formula, MetricReference, PlanContext, RowExpr, ScalarFunction, Term,
    Truth,
};
pub use crate::time::{Span, SpanUnit};

pub use behaviour::{
    Cohort, CollaborationMeasure, CollaborationMetric, FirstAttemptMetric, FunnelBase,
    FunnelMetric, LifecycleMetric, LifecycleState, RetentionMetric, RetentionMode, SessionMeasure,
    SessionsMetric, Statistic, StickinessMetric, TimeToConvertMetric,
};
pub use definition::{Direction, Fill, Format, LocalText, MetricDefinition};
pub use kind::{
    Calculation, Conversion, CumulativeRange, Derived, KindName, MetricInput, MetricKind, Operand,
};
pub use query::MetricQuery;
pub use reference::reference_page;
pub use registry::{Bindings, Dimension, Parameter, ParameterType, Registry, Template};
pub use unit::Unit;
