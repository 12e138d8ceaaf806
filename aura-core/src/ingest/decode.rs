//! Bytes of a source, decompressed where its content says so, within limits.

mod gzip;
mod zstandard;

use std::fmt::Display;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gzip::Gzip;
use zstandard::Zstd;

use super::Limits;
use crate::{Error, ErrorKind, Result};

/// Decoded bytes looked at to recognise the format and the CSV dialect.
const HEAD_BYTES: usize = 64 << 10;
/// Compressed bytes read at once.
const INPUT_BYTES: usize = 256 << 10;
/// Output after which the compression ratio is looked at: short inputs may well be repetitive.
const RATIO_FROM: u64 = 64 << 20;

/// A byte source behind its compression.
///
/// gzip and zstd (also several members or frames after one another) are recognised by their first
/// bytes; anything else passes through. Every error comes after the bytes before it, so that the
/// caller decides what they are worth.
pub(crate) struct Decoder {
    input: Input,
    codec: Codec,
    /// The first decoded bytes, handed out again by `read`.
    head: Vec<u8>,
    head_at: usize,
    /// An error that waits until the bytes before it are read; `ended` once it was given.
    pending: Option<Error>,
    ended: bool,
    produced: u64,
    max_bytes: u64,
    max_ratio: u64,
}

enum Codec {
    Plain,
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

/// Bytes made by one step, and the fault found after them.
struct Step {
    made: usize,
    fault: Option<Error>,
}

impl Decoder {
    /// Begins to read `input`, called `source` in messages. Bytes read from it, as they are
    /// compressed, are added to `bytes_read`.
    ///
    /// # Errors
    /// `InvalidData` when the text is UTF-16. All else that is wrong with the source is reported by
    /// [`read`](Self::read), after the bytes before it.
    pub(crate) fn new(
        source: Arc<str>,
        input: Box<dyn Read + Send>,
        limits: &Limits,
        bytes_read: Arc<AtomicU64>,
    ) -> Result<Decoder> {
        let mut input = Input {
            source,
            inner: input,
            buf: vec![0; INPUT_BYTES],
            start: 0,
            end: 0,
            eof: false,
            consumed: 0,
            counter: bytes_read,
        };
        let mut pending = input.fill_to(4).err();
        let codec = match input.available() {
            [0x1f, 0x8b, ..] => Codec::Gzip(Box::new(Gzip::new())),
            // A zstd frame, or a skippable one before it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                match Zstd::new(&input.source) {
                    Ok(z) => Codec::Zstd(Box::new(z)),
                    Err(e) => {
                        pending = Some(e);
                        Codec::Plain
                    }
                }
            }
            _ => Codec::Plain,
        };
        let mut decoder = Decoder {
            input,
            codec,
            head: Vec::new(),
            head_at: 0,
            pending,
            ended: false,
            produced: 0,
            max_bytes: limits.max_decompressed_bytes,
            max_ratio: limits.max_compression_ratio,
        };
        decoder.read_head()?;
        Ok(decoder)
    }

    /// Name of the source.
    pub(crate) fn source(&self) -> &Arc<str> {
        &self.input.source
    }

    /// The first decoded bytes, at most 64 KiB, fewer only when there are no more.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the source is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        !matches!(self.codec, Codec::Plain)
    }

    /// Reads decoded bytes into `out`; 0 means the end (or that `out` is empty).
    ///
    /// # Errors
    /// `InvalidData` when the compressed stream is corrupt or cut off; `ResourceExhausted` when it
    /// expands beyond `max_decompressed_bytes` or `max_compression_ratio`; and what reading gives.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if let Some(rest) = self.head.get(self.head_at..).filter(|r| !r.is_empty()) {
            let n = copy(rest, out);
            self.head_at += n;
            return Ok(n);
        }
        self.read_decoded(out)
    }

    /// Reads until `out` is full or the source ends. The fault, if there is one, comes after the
    /// bytes that are counted.
    pub(crate) fn read_full(&mut self, out: &mut [u8]) -> (usize, Option<Error>) {
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|r| !r.is_empty()) {
            match self.read(rest) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) => return (filled, Some(e)),
            }
        }
        (filled, None)
    }

    fn read_head(&mut self) -> Result<()> {
        let mut head = vec![0; HEAD_BYTES];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|r| !r.is_empty()) {
            match self.read_decoded(rest) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) => {
                    self.pending = Some(e);
                    self.ended = false;
                    break;
                }
            }
        }
        head.truncate(filled);
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = head.as_slice() {
            return Err(Error::invalid_data(format!(
                "{}: the text is UTF-16 (it begins with its byte order mark); convert it to UTF-8",
                self.input.source
            )));
        }
        self.head = head;
        Ok(())
    }

    fn read_decoded(&mut self, out: &mut [u8]) -> Result<usize> {
        if let Some(e) = self.pending.take() {
            self.ended = true;
            return Err(e);
        }
        if self.ended || out.is_empty() {
            return Ok(0);
        }
        let step = match &mut self.codec {
            Codec::Plain => Step::from(self.input.read(out)),
            Codec::Gzip(gzip) => gzip.step(&mut self.input, out),
            Codec::Zstd(zstd) => zstd.step(&mut self.input, out),
        };
        self.produced += step.made as u64;
        self.pending = step.fault.or_else(|| self.over_limit());
        match self.pending.take() {
            Some(e) if step.made == 0 => {
                self.ended = true;
                Err(e)
            }
            fault => {
                self.pending = fault;
                self.ended = step.made == 0;
                Ok(step.made)
            }
        }
    }

    fn over_limit(&self) -> Option<Error> {
        if !self.is_compressed() {
            return None;
        }
        let (made, source) = (self.produced, &self.input.source);
        if made > self.max_bytes {
            return Some(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "{source}: the compressed source expands to more than {} bytes; if it is to be trusted, raise the limit `max_decompressed_bytes`",
                    self.max_bytes
                ),
            ));
        }
        let read = self.input.consumed.max(1);
        if made > RATIO_FROM && made / read > self.max_ratio {
            return Some(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "{source}: the first {read} compressed bytes expand to {made}, more than {} times as many; if it is to be trusted, raise the limit `max_compression_ratio`",
                    self.max_ratio
                ),
            ));
        }
        None
    }
}

impl Read for Decoder {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        Decoder::read(self, out).map_err(std::io::Error::other)
    }
}

impl From<Result<usize>> for Step {
    fn from(result: Result<usize>) -> Self {
        match result {
            Ok(made) => Step { made, fault: None },
            Err(e) => Step {
                made: 0,
                fault: Some(e),
            },
        }
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    to[..n].copy_from_slice(&from[..n]);
    n
}

/// The source as it is, with a buffer and a count.
struct Input {
    source: Arc<str>,
    inner: Box<dyn Read + Send>,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    eof: bool,
    /// Bytes taken out of the buffer: where the decoder stands in the source.
    consumed: u64,
    counter: Arc<AtomicU64>,
}

impl Input {
    fn available(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    fn consume(&mut self, n: usize) {
        self.start += n;
        self.consumed += n as u64;
    }

    /// Makes bytes available unless the source has ended.
    fn fill(&mut self) -> Result<()> {
        if self.start == self.end {
            self.fill_to(1)?;
        }
        Ok(())
    }

    /// Makes at least `n` bytes available, fewer only at the end of the source.
    fn fill_to(&mut self, n: usize) -> Result<()> {
        if self.end - self.start >= n || self.eof {
            return Ok(());
        }
        self.buf.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < n && !self.eof {
            let got = read_some(&self.source, &mut self.inner, &mut self.buf[self.end..])?;
            self.counter.fetch_add(got as u64, Ordering::Relaxed);
            self.eof = got == 0;
            self.end += got;
        }
        Ok(())
    }

    /// Reads without a second copy once the buffer is empty.
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let n = if self.start < self.end {
            let n = copy(self.available(), out);
            self.start += n;
            n
        } else if self.eof {
            0
        } else {
            let n = read_some(&self.source, &mut self.inner, out)?;
            self.counter.fetch_add(n as u64, Ordering::Relaxed);
            self.eof = n == 0;
            n
        };
        self.consumed += n as u64;
        Ok(n)
    }

    /// Takes one byte; `None` at the end of the source.
    fn byte(&mut self) -> Result<Option<u8>> {
        self.fill()?;
        let first = self.available().first().copied();
        if first.is_some() {
            self.consume(1);
        }
        Ok(first)
    }

    fn corrupt(&self, what: &str, why: impl Display) -> Error {
        Error::invalid_data(format!(
            "{}: the {what} stream is corrupt at byte {}: {why}",
            self.source, self.consumed
        ))
    }

    fn truncated(&self, what: &str) -> Error {
        Error::invalid_data(format!(
            "{}: the {what} stream is cut off: it ends at byte {} in the middle of its data",
            self.source, self.consumed
        ))
    }
}

fn read_some(source: &str, inner: &mut Box<dyn Read + Send>, out: &mut [u8]) -> Result<usize> {
    loop {
        match inner.read(out) {
            // A reader of a caller that claims more than fits must not break the buffer.
            Ok(n) => return Ok(n.min(out.len())),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => {
                return Err(match e.downcast::<Error>() {
                    Ok(own) => own,
                    Err(e) => Error::io(format_args!("reading {source}"), e),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
