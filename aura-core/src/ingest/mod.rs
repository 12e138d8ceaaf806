//! Readers: from files, globs, bytes and tables to canonical batches of events.
//!
//! A text source is cut into [`Block`](block::Block)s at row boundaries; each block is parsed on its own by a
//! [`ReadPlan`](plan::ReadPlan) into a [`ParsedBlock`](block::ParsedBlock), so that blocks run in parallel and the result does
//! not depend on how many threads there are.

pub(crate) mod block;
pub(crate) mod builder;
pub(crate) mod csv;
pub(crate) mod decode;
pub(crate) mod infer;
pub(crate) mod json;
mod limits;
pub(crate) mod plan;
mod progress;
mod reject;
pub(crate) mod sniff;
pub(crate) mod split;
pub(crate) mod value;

pub use limits::Limits;
pub use progress::{CancelToken, Progress, ProgressFn};
pub use reject::{Reject, RejectReason};
pub use sniff::Format;
