//! Cuts a decoded source into blocks of whole rows, in bounded memory whatever the source holds.

mod array;
mod pool;
mod rows;

use std::sync::Arc;

use bytes::{Buf, Bytes};
use memchr::{memchr, memchr_iter};

use self::array::{ArrayCutter, ElementScan, Stop};
use self::pool::Pool;
pub(crate) use self::rows::{RowEnd, RowRule};
use super::block::Block;
use super::decode::Decoder;
use super::sniff::BOM;
use super::{Limits, Reject, RejectReason};
use crate::{Error, Result};

/// Rejects of the splitter that are kept before a block is given for them alone.
const MAX_REJECTS: usize = 256;
/// Most rows of a block, so that what becomes of very short rows is bounded as well; as many as are sampled, if that
/// is more.
const MAX_ROWS: usize = 65_536;

/// Where the rows of a text source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A row is a line (NDJSON).
    Lines,
    /// A row is a line, but for line ends in quoted fields.
    Csv {
        /// The byte between fields.
        delimiter: u8,
    },
    /// A row is an element of one JSON array; blocks of it have [`Block::spans`].
    JsonArray,
}

/// Reads the blocks of a text source.
///
/// A block ends at the last row that ends within `block_bytes` and the first 65,536 lines (or elements), or at the first row if that is longer. A row beyond
/// `max_row_bytes` becomes a reject in the next block. A quoted CSV field that is not closed within
/// `max_row_bytes`, or at all, rejects the row up to the end of the line on which it opened, and reading goes on
/// at the next line. A byte order mark at the start is skipped.
///
/// When the source fails, the whole rows before the fault are given, then the error; what is left of
/// the row in which it happened is not.
pub(crate) struct Splitter {
    decoder: Decoder,
    cutter: Cutter,
    block_bytes: usize,
    block_rows: usize,
    max_original: usize,
    max_row: usize,
    pool: Arc<Pool>,
    /// Bytes that were read and belong to no block yet, and the number of the line they begin on.
    window: Bytes,
    line: u64,
    /// No bytes follow the window.
    ended: bool,
    /// Why none follow, if it is not the end of the source.
    error: Option<Error>,
    started: bool,
    rejects: Vec<Reject>,
}

enum Cutter {
    Rows(RowRule),
    Array(ArrayCutter),
    /// The array has ended.
    Done,
}

enum Step {
    Block(Block),
    Again,
    /// The window holds nothing that could still be given.
    End,
}

impl Splitter {
    /// Begins to cut what `decoder` gives.
    pub(crate) fn new(decoder: Decoder, layout: Layout, limits: &Limits) -> Self {
        let block_bytes = limits.block_bytes.clamp(1, 512 << 20);
        Splitter {
            decoder,
            cutter: match layout {
                Layout::Lines => Cutter::Rows(RowRule::Line),
                Layout::Csv { delimiter } => Cutter::Rows(RowRule::Csv { delimiter }),
                Layout::JsonArray => Cutter::Array(ArrayCutter::new()),
            },
            block_bytes,
            block_rows: MAX_ROWS.max(limits.sample_rows),
            max_original: limits.max_original_bytes,
            max_row: limits.max_row_bytes.clamp(1, 1 << 30),
            pool: Pool::new(block_bytes),
            window: Bytes::new(),
            line: 1,
            ended: false,
            error: None,
            started: false,
            rejects: Vec::new(),
        }
    }

    /// Returns the next block; `None` at the end of the source. A block may have rejects only.
    ///
    /// # Errors
    /// What [`Decoder::read`] gives; and `InvalidData` when a JSON array does not begin.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>> {
        loop {
            if self.rejects.len() >= MAX_REJECTS {
                return Ok(Some(self.block(0)));
            }
            if self.window.is_empty() && !self.ended {
                self.refill();
                continue;
            }
            let step = match &mut self.cutter {
                Cutter::Rows(rule) => {
                    let rule = *rule;
                    self.next_rows(rule)
                }
                Cutter::Array(_) => self.next_elements()?,
                Cutter::Done => Step::End,
            };
            match step {
                Step::Block(block) => return Ok(Some(block)),
                Step::Again => {}
                Step::End => break,
            }
        }
        if !self.rejects.is_empty() {
            return Ok(Some(self.block(0)));
        }
        self.window = Bytes::new();
        self.cutter = Cutter::Done;
        self.error.take().map_or(Ok(None), Err)
    }

    /// Takes the first row that is not blank, without its line end, and the number of its line.
    ///
    /// # Errors
    /// Those of [`next_block`](Self::next_block); and `InvalidData` when the row is too long or has a
    /// quote that is never closed. Not for JSON arrays.
    pub(crate) fn take_row(&mut self) -> Result<Option<(u64, Bytes)>> {
        let Cutter::Rows(rule) = self.cutter else {
            return Err(Error::internal("an array has no rows to take"));
        };
        let source = Arc::clone(self.decoder.source());
        loop {
            if self.window.is_empty() && !self.ended {
                self.refill();
                continue;
            }
            if self.window.is_empty() {
                return self.error.take().map_or(Ok(None), Err);
            }
            match rule.first_end(&self.window, self.is_whole(), self.max_row) {
                RowEnd::At(end) => {
                    let line = self.line;
                    let mut row = self.take(end);
                    for end in [b'\n', b'\r'] {
                        if row.last() == Some(&end) {
                            row.truncate(row.len() - 1);
                        }
                    }
                    if !row.is_empty() {
                        return Ok(Some((line, row)));
                    }
                }
                RowEnd::NeedMore if self.ended => {
                    return self.error.take().map_or(Ok(None), Err);
                }
                RowEnd::NeedMore => self.refill(),
                RowEnd::TooLong => {
                    return Err(Error::invalid_data(format!(
                        "{source}: line {} is longer than {} bytes (limit `max_row_bytes`); a header row was expected",
                        self.line, self.max_row
                    )));
                }
                RowEnd::Unclosed { quote } => {
                    return Err(Error::invalid_data(format!(
                        "{source}: the quote opened at line {} is never closed; a header row was expected",
                        self.line + newlines(&self.window[..quote])
                    )));
                }
            }
        }
    }

    fn next_rows(&mut self, rule: RowRule) -> Step {
        if self.window.is_empty() {
            return Step::End;
        }
        let whole = self.is_whole();
        let near = self.window.len().min(self.block_bytes);
        let last_line = memchr_iter(b'\n', &self.window[..near]).nth(self.block_rows - 1);
        let near = last_line.map_or(near, |i| i + 1);
        let mut cut = rule.last_end(&self.window[..near], self.max_row);
        if whole && cut > 0 && near == self.window.len() {
            // The last row may lack its line end.
            let rest = &self.window[cut..];
            if let RowEnd::At(end) = rule.first_end(rest, true, self.max_row)
                && end == rest.len()
            {
                cut += end;
            }
        }
        if cut > 0 {
            return Step::Block(self.block(cut));
        }
        match rule.first_end(&self.window, whole, self.max_row) {
            RowEnd::At(end) => return Step::Block(self.block(end)),
            RowEnd::NeedMore if self.ended => return Step::End,
            RowEnd::NeedMore => self.refill(),
            RowEnd::TooLong => self.skip_line(),
            RowEnd::Unclosed { quote } => self.skip_unclosed(quote),
        }
        Step::Again
    }

    fn next_elements(&mut self) -> Result<Step> {
        let whole = self.is_whole();
        let (max, rows, line) = (self.max_row, self.block_rows, self.line);
        let Cutter::Array(cutter) = &mut self.cutter else {
            return Ok(Step::End);
        };
        let cut = cutter.cut(&self.window, line, whole, max, rows);
        let not_begun = cutter.not_begun();
        let block = if cut.spans.is_empty() {
            self.take(cut.used);
            None
        } else {
            let mut block = self.block(cut.used);
            block.spans = Some(cut.spans);
            Some(block)
        };
        match cut.stop {
            Stop::End => self.cutter = Cutter::Done,
            Stop::Malformed(why) if not_begun => {
                let source = self.decoder.source();
                return Err(Error::invalid_data(format!(
                    "{source}: this is not a JSON array: {why}"
                )));
            }
            // The elements before what stopped it go first; it is met again.
            _ if block.is_some() => {}
            Stop::Full => {}
            Stop::NeedMore if self.ended => return Ok(Step::End),
            Stop::NeedMore => self.refill(),
            Stop::TooLong => self.skip_element(),
            Stop::Malformed(why) => self.skip_rest(why),
        }
        Ok(block.map_or(Step::Again, Step::Block))
    }

    /// Whether the source ends, and ends well, where the window does.
    fn is_whole(&self) -> bool {
        self.ended && self.error.is_none()
    }

    /// Makes the window longer, up to what a block needs or, if it is a part of one long row, to what that needs.
    fn refill(&mut self) {
        if self.ended {
            return;
        }
        let kept = self.window.len();
        let most = self.block_bytes.max(self.max_row + 2);
        let want = match kept < self.block_bytes {
            true => self.block_bytes,
            // The limit stops every row before `most`; the rest keeps a mistake there from
            // becoming an endless loop.
            false => (2 * kept).min(most).max(kept + 4_096),
        };
        let mut buf = self.pool.take(want);
        buf[..kept].copy_from_slice(&self.window);
        let (read, error) = self.decoder.read_full(&mut buf[kept..want]);
        self.ended = error.is_some() || kept + read < want;
        self.error = error;
        self.window = self.pool.share(buf, kept + read);
        if !self.started {
            self.started = true;
            if self.window.starts_with(BOM) {
                self.window.advance(BOM.len());
            }
        }
    }

    fn take(&mut self, bytes: usize) -> Bytes {
        let taken = self.window.split_to(bytes);
        self.line += newlines(&taken);
        taken
    }

    fn block(&mut self, bytes: usize) -> Block {
        Block {
            source: Arc::clone(self.decoder.source()),
            first_line: self.line,
            bytes: self.take(bytes),
            rejects: std::mem::take(&mut self.rejects),
            spans: None,
        }
    }

    /// Takes bytes of a row that is skipped.
    fn skip(&mut self, bytes: usize, skipped: &mut Skipped) {
        let room = self.max_original.saturating_sub(skipped.original.len());
        let taken = self.take(bytes);
        skipped
            .original
            .extend_from_slice(&taken[..room.min(bytes)]);
        skipped.len += bytes as u64;
    }

    fn reject(&mut self, skipped: Skipped, reason: RejectReason, message: String) {
        self.rejects.push(Reject {
            source: Arc::clone(self.decoder.source()),
            row: skipped.line,
            field: None,
            reason,
            message,
            original: skipped.original,
            original_len: skipped.len,
        });
    }

    fn too_long(&self, what: &str, len: u64) -> String {
        format!(
            "the {what} has {len} bytes; at most {} are read (limit `max_row_bytes`)",
            self.max_row
        )
    }

    /// Skips what a row may have and then to the end of the line, whatever quotes there are.
    fn skip_line(&mut self) {
        let mut skipped = Skipped::from(self.line);
        self.skip(self.window.len().min(self.max_row), &mut skipped);
        loop {
            let end = memchr(b'\n', &self.window);
            self.skip(end.unwrap_or(self.window.len()), &mut skipped);
            if end.is_some() {
                self.take(1);
            }
            if end.is_some() || self.ended {
                break;
            }
            self.refill();
        }
        let message = self.too_long("row", skipped.len);
        self.reject(skipped, RejectReason::TooLong, message);
    }

    /// Rejects the row up to the end of the line on which `quote` opened a field.
    ///
    /// The text searched for the closing quote is not searched in vain again: all quotes in it are
    /// doubled, and what begins with a doubled quote on a later line is closed by it.
    fn skip_unclosed(&mut self, quote: usize) {
        let line_end = memchr(b'\n', &self.window[quote..]).map(|i| quote + i);
        let end = match line_end {
            Some(i) if i <= self.max_row => i,
            None if self.window.len() <= self.max_row => self.window.len(),
            _ => return self.skip_line(),
        };
        let opened = self.line + newlines(&self.window[..quote]);
        let (reason, searched) = if self.window.len() <= self.max_row {
            let searched = "before the end of the source".to_owned();
            (RejectReason::Malformed, searched)
        } else {
            let searched = format!("within {} bytes (limit `max_row_bytes`)", self.max_row);
            (RejectReason::TooLong, searched)
        };
        let message = format!(
            "the quote opened at line {opened} is never closed: no closing quote {searched}; reading goes on at the next line"
        );
        let mut skipped = Skipped::from(self.line);
        self.skip(end, &mut skipped);
        self.take(self.window.len().min(1));
        self.reject(skipped, reason, message);
    }

    /// Skips the element that begins the window, and rejects it.
    fn skip_element(&mut self) {
        let mut skipped = Skipped::from(self.line);
        let mut scan = ElementScan::new(self.window.first().copied().unwrap_or_default());
        let closed = loop {
            let end = scan.end(&self.window);
            self.skip(end.unwrap_or(self.window.len()), &mut skipped);
            if end.is_some() || self.ended {
                break end.is_some();
            }
            self.refill();
        };
        let mut message = self.too_long("element", skipped.len);
        if closed && let Cutter::Array(cutter) = &mut self.cutter {
            cutter.skipped_element();
        } else {
            message.push_str("; the array ends inside it");
            self.cutter = Cutter::Done;
        }
        self.reject(skipped, RejectReason::TooLong, message);
    }

    /// Rejects the rest of the source, which is no part of an array.
    fn skip_rest(&mut self, why: &str) {
        let mut skipped = Skipped::from(self.line);
        loop {
            self.skip(self.window.len(), &mut skipped);
            if self.ended {
                break;
            }
            self.refill();
        }
        self.cutter = Cutter::Done;
        let (len, line) = (skipped.len, skipped.line);
        let message = match len {
            0 => why.to_owned(),
            _ => {
                format!("{why}: the rest of the source, {len} bytes from line {line}, is not read")
            }
        };
        self.reject(skipped, RejectReason::Malformed, message);
    }
}

/// A row on its way to be a reject.
struct Skipped {
    line: u64,
    original: Vec<u8>,
    len: u64,
}

impl From<u64> for Skipped {
    fn from(line: u64) -> Self {
        Skipped {
            line,
            original: Vec::new(),
            len: 0,
        }
    }
}

impl Iterator for Splitter {
    type Item = Result<Block>;

    fn next(&mut self) -> Option<Result<Block>> {
        self.next_block().transpose()
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
