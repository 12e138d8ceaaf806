//! Sessions: events of an actor with no long gap between.

mod durations;
mod kernel;
mod listing;
mod prepare;
mod spec;
mod summary;
mod walk;

#[cfg(test)]
mod tests;

pub use spec::{Sessions, SessionsOutput};
