//! Retention: who comes back.

mod cells;
mod kernel;
mod prepare;
mod spec;
mod survival;
mod table;
mod tally;
pub(crate) mod walk;

#[cfg(test)]
mod tests;

pub use spec::{Cohort, Retention, RetentionMode, RetentionOutput, RetentionWindow};
