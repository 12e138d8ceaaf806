//! Tests of questions and answers.

mod basic;
mod commits;
mod conformance;
mod random;
mod refused;
mod spec;
mod sql;
mod stored;
