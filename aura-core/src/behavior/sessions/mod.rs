//! Sessions: events of an actor with no long gap between.

pub(crate) mod durations;
mod kernel;
mod listing;
mod prepare;
mod spec;
mod summary;
pub(crate) mod walk;

#[cfg(test)]
mod tests;

pub use spec::{Sessions, SessionsOutput};
