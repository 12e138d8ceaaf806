//! A piece of a text source, and what comes out of parsing it.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use super::Reject;

/// A piece of a text source that begins at a row and ends at the end of a row.
///
/// Where blocks end depends on the bytes of the source and on `Limits` alone, never on timing.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Name of the source, for rejects.
    pub(crate) source: Arc<str>,
    /// The whole rows.
    pub(crate) bytes: Bytes,
    /// Number of the line that the block begins with, from 1.
    pub(crate) first_line: u64,
    /// Rows that the splitter itself had to reject (too long, too deep), placed before `bytes`.
    pub(crate) rejects: Vec<Reject>,
}

/// Where an accepted row came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Line or row number, from 1.
    pub(crate) row: u64,
    /// Byte range in the block; empty for tables.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A value that does not have the type of its column. The column holds null there; the value itself
/// is in `extra` under the source's key, so that nothing is lost if the row is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Row of `ParsedBlock::batch`.
    pub(crate) row: u32,
    /// Column of `ParsedBlock::batch`.
    pub(crate) column: u32,
    /// The value as text, cut to 100 characters for the message.
    pub(crate) found: String,
}

/// The rows of one block in canonical form.
#[derive(Debug)]
pub(crate) struct ParsedBlock {
    /// Columns exactly as `ReadPlan::schema`, rows in the order of the source.
    /// `event_id` is nullable here: null where the source gave none.
    pub(crate) batch: RecordBatch,
    /// One for each row of `batch`.
    pub(crate) origins: Vec<Origin>,
    /// Sorted by (row, column).
    pub(crate) misfits: Vec<Misfit>,
    /// In the order of the source.
    pub(crate) rejects: Vec<Reject>,
    /// Rows seen: `batch.num_rows() + rejects.len()`. Blank lines are not rows.
    pub(crate) rows_read: u64,
}
