//! Insights: what changed in the metrics, whether it matters, why, and what to do.
//!
//! [`Events::insights`](crate::engine::Events::insights) answers an [`Insights`] spec with [`Findings`]. What is looked for are
//! [`Rules`], data in YAML or JSON. How it works is described for its users in `docs/insights.md`.

mod analyse;
mod bounds;
mod build;
mod burn;
mod cause;
mod closed;
mod collect;
mod compare;
mod cube;
mod cut;
mod drift;
mod finding;
mod goal;
mod memory;
mod merge;
mod notes;
mod plan;
mod rule;
mod rule_kinds;
mod run;
mod scan;
mod spec;
mod state;
mod story;
mod words;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_states;

pub use finding::{
    Change, Driver, Effect, Evidence, Finding, FindingKind, Findings, Named, Part, Related, Series,
    Severity, Size, Status, Window,
};
pub use memory::{Feedback, Verdict};
pub use rule::{ChangeRule, Rule, Rules};
pub use rule_kinds::{
    BurnRateRule, BurnWindow, ComparisonRule, DriftRule, GoalRule, MilestoneRule, ThresholdRule,
};
pub use spec::Insights;
