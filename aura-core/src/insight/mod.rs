//! Insights: what changed in the metrics, whether it matters, why, and what to do.
//!
//! [`Events::insights`](crate::engine::Events::insights) answers an [`Insights`] spec with [`Findings`]. What is looked for are
//! [`Rules`], data in YAML or JSON. How it works is described for its users in `docs/insights.md`.

mod analyse;
mod bounds;
mod build;
mod cause;
mod closed;
mod collect;
mod cube;
mod cut;
mod finding;
mod memory;
mod notes;
mod plan;
mod rule;
mod run;
mod scan;
mod spec;
mod story;
mod words;

#[cfg(test)]
mod tests;

pub use finding::{
    Change, Driver, Effect, Evidence, Finding, FindingKind, Findings, Named, Part, Related, Series,
    Severity, Size, Status, Window,
};
pub use memory::{Feedback, Verdict};
pub use rule::{ChangeRule, MilestoneRule, Rule, Rules, ThresholdRule};
pub use spec::Insights;
