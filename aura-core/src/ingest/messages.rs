//! Looks at the messages of an Arrow IPC file or stream before the decoder does.
//!
//! The decoder makes room for a message, and for each compressed buffer in it, as large as it is said to be. A lie would
//! end the process, since memory that cannot be had is no error that could be caught. So all lengths are compared
//! here first with the size of the source, and with the limit on what is held in memory. Columns of nulls and of runs
//! take no room at all, however many rows they are said to have; so the rows are compared with the bytes, too.
//!
//! **Source**: Apache Arrow, "Arrow columnar format", sections "Serialization and interprocess communication" and
//! "Compression".

use std::io::{Read, Seek, SeekFrom};

use arrow::ipc::{Block, Message, RecordBatch, root_as_footer, root_as_message};

use super::Limits;
use crate::{Error, ErrorKind, Result};

const MAGIC: &[u8] = b"ARROW1";
/// Length of the footer's length and of the magic bytes after it.
const TAIL: u64 = 10;
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Rows that a batch may have whatever its bytes: those of one piece.
const FREE_ROWS: u64 = super::tabular::PIECE_ROWS as u64;

/// Refuses a source whose messages are said to be longer than it, or than `max_held_bytes`, or to have more than
/// `max_compression_ratio` rows a byte.
///
/// Another fault is left to the decoder, which names it.
///
/// # Errors
/// `InvalidData` for a length that cannot be, `ResourceExhausted` for one beyond the limit; what reading gives.
pub(crate) fn check_messages<R: Read + Seek>(name: &str, input: R, limits: &Limits) -> Result<()> {
    let mut walk = Walk {
        name,
        input,
        size: 0,
        most: limits.max_held_bytes,
        most_rows_a_byte: limits.max_compression_ratio,
    };
    walk.size = walk.seek(SeekFrom::End(0))?;
    let head = walk.read(0, walk.size.min(MAGIC.len() as u64))?;
    match head == MAGIC {
        true => walk.file()?,
        false => walk.stream()?,
    }
    // A file is read from its position, and clones of it share that.
    walk.seek(SeekFrom::Start(0)).map(|_| ())
}

struct Walk<'a, R> {
    name: &'a str,
    input: R,
    size: u64,
    most: u64,
    most_rows_a_byte: u64,
}

impl<R: Read + Seek> Walk<'_, R> {
    fn stream(&mut self) -> Result<()> {
        let mut at = 0;
        while self.size - at >= 4 {
            let mut prefix = self.read(at, 4)?;
            at += 4;
            // Before version 0.15 of the format the length came first.
            if prefix == CONTINUATION {
                if self.size - at < 4 {
                    return Ok(());
                }
                prefix = self.read(at, 4)?;
                at += 4;
            }
            let length = prefix.first_chunk().map_or(0, |b| i32::from_le_bytes(*b));
            if length == 0 {
                return Ok(());
            }
            let metadata = self.span(at, length.into(), "the metadata of a message")?;
            let bytes = self.read(at, metadata)?;
            at += metadata;
            let Ok(message) = root_as_message(&bytes) else {
                return Ok(());
            };
            let body = self.span(at, message.bodyLength(), "the body of a message")?;
            self.buffers(&message, at, body)?;
            at += body;
        }
        Ok(())
    }

    fn file(&mut self) -> Result<()> {
        let Some(tail_at) = self.size.checked_sub(TAIL) else {
            return Ok(());
        };
        let tail = self.read(tail_at, TAIL)?;
        let (Some(length), Some(MAGIC)) = (tail.first_chunk::<4>(), tail.get(4..)) else {
            return Ok(());
        };
        let length = i32::from_le_bytes(*length);
        let Some(at) = u64::try_from(length)
            .ok()
            .and_then(|length| tail_at.checked_sub(length))
        else {
            return Err(self.lie("the footer", length.into(), tail_at));
        };
        let bytes = self.read(at, tail_at - at)?;
        let Ok(footer) = root_as_footer(&bytes) else {
            return Ok(());
        };
        let blocks: Vec<Block> = [footer.dictionaries(), footer.recordBatches()]
            .into_iter()
            .flatten()
            .flat_map(|blocks| blocks.iter().copied())
            .collect();
        for block in blocks {
            let start = self.span(0, block.offset(), "the space before a block")?;
            let metadata = self.span(start, block.metaDataLength().into(), "a block's metadata")?;
            let body_at = start + metadata;
            let body = self.span(body_at, block.bodyLength(), "the body of a block")?;
            let bytes = self.read(start, metadata)?;
            let skipped = if bytes.starts_with(&CONTINUATION) {
                8
            } else {
                4
            };
            if let Some(Ok(message)) = bytes.get(skipped..).map(root_as_message) {
                self.buffers(&message, body_at, body)?;
            }
        }
        Ok(())
    }

    /// Adds up what the compressed buffers of a message are said to become.
    fn buffers(&mut self, message: &Message<'_>, body_at: u64, body: u64) -> Result<()> {
        let batch: Option<RecordBatch<'_>> = message
            .header_as_record_batch()
            .or_else(|| message.header_as_dictionary_batch()?.data());
        let mut held = body;
        let compressed = batch.filter(|b| b.compression().is_some());
        for buffer in compressed.and_then(|b| b.buffers()).into_iter().flatten() {
            if buffer.length() < 8 {
                continue;
            }
            let at = self.span(body_at, buffer.offset(), "the space before a buffer")?;
            self.span(body_at + at, buffer.length(), "a buffer")?;
            let prefix = self.read(body_at + at, 8)?;
            let length = prefix.first_chunk().map_or(0, |b| i64::from_le_bytes(*b));
            // -1 says that the buffer was left as it was; other negative ones the decoder refuses.
            held = held.saturating_add(u64::try_from(length).unwrap_or(0));
        }
        if held > self.most {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "`{}`: a batch takes {held} bytes in memory, more than {}; write smaller batches, or raise the limit `max_held_bytes`",
                    self.name, self.most
                ),
            ));
        }
        let nodes = batch.and_then(|b| b.nodes()).into_iter().flatten();
        let lengths = nodes.map(|n| n.length());
        let lengths = lengths.chain(batch.map(|b| b.length()));
        let rows = lengths.max().map_or(0, |n| u64::try_from(n).unwrap_or(0));
        let most = held.saturating_mul(self.most_rows_a_byte).max(FREE_ROWS);
        if rows > most {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "`{}`: a batch of {held} bytes is said to have {rows} rows, more than {} a byte (limit `max_compression_ratio`); no honest source is like that",
                    self.name, self.most_rows_a_byte
                ),
            ));
        }
        Ok(())
    }

    /// A length that is stated for what begins at `at`.
    fn span(&self, at: u64, length: i64, what: &str) -> Result<u64> {
        let follow = self.size.saturating_sub(at);
        u64::try_from(length)
            .ok()
            .filter(|length| *length <= follow)
            .ok_or_else(|| self.lie(what, length, follow))
    }

    fn lie(&self, what: &str, length: i64, follow: u64) -> Error {
        Error::invalid_data(format!(
            "`{}` cannot be read as ArrowIpc: {what} is said to have {length} bytes; there are {follow}",
            self.name
        ))
    }

    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.input
            .seek(to)
            .map_err(|e| Error::io(format!("cannot read `{}`", self.name), e))
    }

    /// Reads bytes that the source has.
    fn read(&mut self, at: u64, bytes: u64) -> Result<Vec<u8>> {
        self.seek(SeekFrom::Start(at))?;
        let mut out = Vec::new();
        (&mut self.input)
            .take(bytes)
            .read_to_end(&mut out)
            .map_err(|e| Error::io(format!("cannot read `{}`", self.name), e))?;
        Ok(out)
    }
}
