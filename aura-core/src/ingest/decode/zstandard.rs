//! Zstandard (RFC 8878), frame by frame.

use zstd::stream::raw::{DParameter, Decoder as RawZstd, InBuffer, Operation, OutBuffer};

use super::{Input, Step};
use crate::{Error, ErrorKind, Result};

/// Largest zstd window that is accepted (128 MiB, what `zstd` itself accepts without `--long=31`).
const WINDOW_LOG_MAX: u32 = 27;

/// zstd frames (RFC 8878), skippable ones included.
pub(super) struct Zstd {
    raw: RawZstd<'static>,
    /// Bytes that the library asks for next.
    wanted: usize,
    frame_done: bool,
}

/// A frame's first bytes, from which its length is known.
const FRAME_PREFIX: usize = 5;

const BLOCK_HEADER: usize = 3;

impl Zstd {
    pub(super) fn new(source: &str) -> Result<Self> {
        let failed = |e: std::io::Error| {
            Error::new(
                ErrorKind::ResourceExhausted,
                format!("{source}: the zstd decoder could not be made: {e}"),
            )
        };
        let mut raw = RawZstd::new().map_err(failed)?;
        raw.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
            .map_err(failed)?;
        Ok(Zstd {
            raw,
            wanted: FRAME_PREFIX,
            frame_done: true,
        })
    }

    pub(super) fn step(&mut self, input: &mut Input, out: &mut [u8]) -> Step {
        loop {
            if let Err(e) = input.fill() {
                return Step::from(Err(e));
            }
            let at_end = input.available().is_empty();
            if at_end && self.frame_done {
                return Step::from(Ok(0));
            }
            // One block a call, without the header of the next: the library does not say how much
            // it wrote in a call that ends in an error, so nothing may be written before one.
            let take = match self.wanted {
                n if n > BLOCK_HEADER => n - BLOCK_HEADER,
                n => n.max(1),
            };
            let available = input.available();
            let mut from = InBuffer::around(available.get(..take).unwrap_or(available));
            let mut to = OutBuffer::around(&mut *out);
            let result = self.raw.run(&mut from, &mut to);
            let (read, made) = (from.pos(), to.pos());
            input.consume(read);
            let fault = match result {
                Ok(0) => {
                    self.frame_done = true;
                    self.wanted = FRAME_PREFIX;
                    None
                }
                Ok(wanted) => {
                    self.frame_done = false;
                    self.wanted = wanted;
                    (at_end && made == 0).then(|| input.truncated("zstd"))
                }
                Err(e) => Some(zstd_fault(input, &e.to_string())),
            };
            if made > 0 || fault.is_some() {
                return Step { made, fault };
            }
        }
    }
}

fn zstd_fault(input: &Input, why: &str) -> Error {
    if why.contains("too much memory") {
        return Error::new(
            ErrorKind::ResourceExhausted,
            format!(
                "{}: the zstd frame at byte {} needs a window above 128 MiB; compress it without `--long`",
                input.source, input.consumed
            ),
        );
    }
    input.corrupt("zstd", why)
}
