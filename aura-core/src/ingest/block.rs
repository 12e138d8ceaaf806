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
    /// Where the rows are, if they are not the lines of `bytes`: the elements of a JSON array, which
    /// may span lines. Read through [`Block::rows`].
    pub(crate) spans: Option<Vec<RowSpan>>,
}

/// The place of one row in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowSpan {
    /// Number of the line on which the row begins, from 1.
    pub(crate) line: u64,
    /// Byte range in the block, without the line end.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Block {
    /// Returns the rows in order: the spans if there are any, else the lines of `bytes`.
    ///
    /// Lines come without their `\n` or `\r\n`. Blank lines (empty or only white space) are
    /// counted, but are not rows.
    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows {
            spans: self.spans.as_deref(),
            bytes: &self.bytes,
            line: self.first_line,
            at: 0,
        }
    }
}

/// Iterator of [`Block::rows`].
#[derive(Debug, Clone)]
pub(crate) struct Rows<'a> {
    spans: Option<&'a [RowSpan]>,
    bytes: &'a [u8],
    line: u64,
    at: usize,
}

impl Iterator for Rows<'_> {
    type Item = RowSpan;

    #[inline]
    fn next(&mut self) -> Option<RowSpan> {
        if let Some(spans) = &mut self.spans {
            let (first, rest) = spans.split_first()?;
            *spans = rest;
            return Some(*first);
        }
        loop {
            let rest = self.bytes.get(self.at..).filter(|r| !r.is_empty())?;
            let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (start, line) = (self.at, self.line);
            self.at += len + 1;
            self.line += 1;
            let row = rest.get(..len).unwrap_or(rest);
            let kept = row.strip_suffix(b"\r").unwrap_or(row);
            if !kept.iter().all(u8::is_ascii_whitespace) {
                return Some(RowSpan {
                    line,
                    start: start as u32,
                    end: (start + kept.len()) as u32,
                });
            }
        }
    }
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
