//! Funnels against naive ones.

mod naive;
mod random;
mod search;
mod tables;
pub(in crate::behavior) mod vectors;
