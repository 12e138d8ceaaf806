//! Funnels against naive ones.

mod naive;
mod search;
mod tables;
