//! A row that was not accepted, and why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a row was rejected. The text code is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// The row cannot be read in the format of the source.
    Malformed,
    /// The row is not valid UTF-8.
    Encoding,
    /// The row is longer than [`Limits::max_row_bytes`](super::Limits::max_row_bytes).
    TooLong,
    /// The row nests deeper than [`Limits::max_json_depth`](super::Limits::max_json_depth).
    TooDeep,
    /// A JSON object has the same key twice.
    DuplicateKey,
    /// The row has more or fewer fields than the header.
    ColumnCount,
    /// A role is missing, null or empty.
    MissingRole,
    /// The time cannot be read, is out of range, or has no zone where one must be stated.
    InvalidTime,
    /// The data contract forbids it.
    Contract,
}

impl RejectReason {
    /// Returns the stable text code, for example `"missing_role"`.
    pub fn code(self) -> &'static str {
        match self {
            RejectReason::Malformed => "malformed",
            RejectReason::Encoding => "encoding",
            RejectReason::TooLong => "too_long",
            RejectReason::TooDeep => "too_deep",
            RejectReason::DuplicateKey => "duplicate_key",
            RejectReason::ColumnCount => "column_count",
            RejectReason::MissingRole => "missing_role",
            RejectReason::InvalidTime => "invalid_time",
            RejectReason::Contract => "contract",
        }
    }
}

/// One row in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The file, or the name given to a stream or batch.
    pub source: Arc<str>,
    /// Number of the line (text sources) or row (tables) on which the row begins, from 1.
    pub row: u64,
    /// The column or key at fault, if it is one.
    pub field: Option<String>,
    /// Why, as a code.
    pub reason: RejectReason,
    /// Why, in words: the value found and what was expected.
    pub message: String,
    /// The row as it was read, cut to [`Limits::max_original_bytes`](super::Limits::max_original_bytes).
    pub original: Vec<u8>,
    /// Length of the row before it was cut, in bytes.
    pub original_len: u64,
}

impl Reject {
    /// About the bytes of memory that this takes.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Reject>()
            + self.field.as_ref().map_or(0, String::len)
            + self.message.len()
            + self.original.len()
    }
}
