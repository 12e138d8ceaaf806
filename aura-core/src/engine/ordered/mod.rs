//! The scan that hands events to kernels actor by actor, at the speed of memory.
//!
//! A [`Request`] names the columns; a [`Kernel`] sees [`ActorBlock`]s: whole actors, each with its
//! rows in the order of time. A [`RowKernel`] sees plain rows in any order, for questions that do not
//! need the events of an actor together. Text comes as codes that mean the same in the whole scan
//! (see [`Texts`]), so that kernels compare and index numbers.
//!
//! **Ties.** Rows of one actor at the same microsecond come in the order of `event_id` if the source
//! has one, then of `event` if it is asked for, then of the other asked columns in the order of
//! their names; text by its bytes, numbers by value, nulls first. So no result depends on the order
//! of rows in the source, on files or on threads.
//!
//! **Left out** are rows without an actor or a time (a store has none).
//!
//! How the rows get there: files that are sorted by actor are merged ([`merge`]); everything else is
//! divided into buckets by a hash of the actor, and ordered bucket by bucket ([`scatter`], [`bucket`]).

mod ahead;
mod block;
mod bucket;
mod code;
mod cursor;
mod extent;
mod filter;
mod input;
mod kernel;
mod keys;
mod loose;
mod merge;
mod order;
mod parquet_file;
mod plan;
mod ranges;
mod recent;
mod request;
mod row_tests;
mod row_value;
mod rows;
mod run;
mod scatter;
mod shape;
mod sizes;
mod spill;
mod stage;
mod texts;
mod workers;

/// Small kernels that the tests run.
#[cfg(test)]
mod counts;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod tests;

pub(crate) use block::{ActorBlock, ActorRows, Column, RowBlock};
pub(crate) use code::is_text;
pub(crate) use kernel::{Kernel, NO_MARK, RowKernel};
pub(crate) use request::{Order, Request};
pub(crate) use row_tests::{Answers, MOST_TESTS, RowTests};
pub(crate) use row_value::{RowValue, Rows};
pub(crate) use run::{CancelOnDrop, ScanSource, apart};
pub(crate) use shape::Shape;
pub(crate) use sizes::Sizes;
pub(crate) use texts::Texts;
