//! Readers: from files, globs, bytes and tables to canonical batches of events.
//!
//! A text source is cut into [`Block`](block::Block)s at row boundaries; each block is parsed on its own by a
//! [`ReadPlan`](plan::ReadPlan) into a [`ParsedBlock`](block::ParsedBlock), so that blocks run in parallel and the result does
//! not depend on how many threads there are.

pub(crate) mod block;
pub(crate) mod builder;
pub(crate) mod check;
pub(crate) mod csv;
pub(crate) mod decode;
pub(crate) mod footer;
#[cfg(feature = "git")]
pub(crate) mod git;
pub(crate) mod infer;
pub(crate) mod json;
mod limits;
pub(crate) mod messages;
pub(crate) mod open;
mod options;
pub(crate) mod pages;
pub(crate) mod parallel;
pub(crate) mod plan;
pub(crate) mod plan_of;
pub(crate) mod preset;
mod preset_rows;
mod progress;
mod reject;
pub(crate) mod sniff;
pub(crate) mod source;
pub(crate) mod split;
pub(crate) mod tabular;
pub(crate) mod times;
pub(crate) mod value;

#[cfg(feature = "git")]
pub use git::{GitOptions, PseudonymKey};
pub use limits::Limits;
pub use options::{IngestOptions, IngestReport};
pub use preset::Preset;
pub use progress::{CancelToken, Progress, ProgressFn};
pub use reject::{Reject, RejectReason};
pub use sniff::Format;
pub use source::Source;
