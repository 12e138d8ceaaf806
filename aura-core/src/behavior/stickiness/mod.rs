//! How often actors are active.

mod kernel;
mod spec;

#[cfg(test)]
mod tests;

pub use spec::{Stickiness, StickinessOutput};
