//! Tests of questions and answers.

mod basic;
mod commits;
mod conformance;
mod python;
mod random;
mod spec;
mod sql;
mod stored;
