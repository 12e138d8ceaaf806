//! New, returning, resurrected and dormant actors.

mod kernel;
mod spec;

#[cfg(test)]
mod tests;

pub use spec::Lifecycle;
