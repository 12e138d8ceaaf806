//! Funnels against naive ones.

mod naive;
mod search;
mod tables;
pub(in crate::behavior) mod vectors;
