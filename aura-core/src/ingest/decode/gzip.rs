//! Gzip (RFC 1952), member by member.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Input, Step};
use crate::Result;

/// gzip members (RFC 1952). The container is read here and not by `flate2`, whose readers lose the
/// bytes before a fault.
pub(super) struct Gzip {
    inflate: Decompress,
    crc: Crc,
    in_member: bool,
    members: u64,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Gzip {
            inflate: Decompress::new(false),
            crc: Crc::new(),
            in_member: false,
            members: 0,
        }
    }

    pub(super) fn step(&mut self, input: &mut Input, out: &mut [u8]) -> Step {
        loop {
            if !self.in_member {
                match self.begin_member(input) {
                    Ok(true) => {}
                    Ok(false) => return Step::from(Ok(0)),
                    Err(e) => return Step::from(Err(e)),
                }
            }
            if let Err(e) = input.fill() {
                return Step::from(Err(e));
            }
            let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
            let at_end = input.available().is_empty();
            let status = self
                .inflate
                .decompress(input.available(), out, FlushDecompress::None);
            let made = (self.inflate.total_out() - out_before) as usize;
            input.consume((self.inflate.total_in() - in_before) as usize);
            self.crc.update(out.get(..made).unwrap_or_default());
            let fault = match status {
                Ok(Status::StreamEnd) => {
                    self.in_member = false;
                    self.end_member(input).err()
                }
                Ok(_) if made == 0 && at_end => Some(input.truncated("gzip")),
                Ok(_) => None,
                Err(e) => Some(input.corrupt("gzip", e)),
            };
            if made > 0 || fault.is_some() {
                return Step { made, fault };
            }
        }
    }

    /// Reads a member's header; `false` at the end of the source.
    fn begin_member(&mut self, input: &mut Input) -> Result<bool> {
        if self.members > 0 {
            // Tapes and some tools pad with zeros.
            loop {
                input.fill()?;
                match input.available().first() {
                    None => return Ok(false),
                    Some(0) => input.consume(1),
                    Some(_) => break,
                }
            }
        }
        let mut next = || input.byte()?.ok_or_else(|| input.truncated("gzip"));
        let mut known = true;
        for magic in [0x1f, 0x8b, 8] {
            known = known && next()? == magic;
        }
        let flags = if known { next()? } else { 0xff };
        if flags & 0xe0 != 0 {
            return Err(input.corrupt("gzip", "the header of a member was expected"));
        }
        // Time, level and system.
        for _ in 0..6 {
            next()?;
        }
        if flags & 4 != 0 {
            let extra = u16::from_le_bytes([next()?, next()?]);
            for _ in 0..extra {
                next()?;
            }
        }
        for text in [8, 16] {
            if flags & text != 0 {
                while next()? != 0 {}
            }
        }
        if flags & 2 != 0 {
            next()?;
            next()?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.in_member = true;
        self.members += 1;
        Ok(true)
    }

    fn end_member(&mut self, input: &mut Input) -> Result<()> {
        let mut trailer = [0; 8];
        for byte in &mut trailer {
            *byte = input.byte()?.ok_or_else(|| input.truncated("gzip"))?;
        }
        let [a, b, c, d, e, f, g, h] = trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum() {
            return Err(input.corrupt("gzip", "the checksum does not agree with the data"));
        }
        if u32::from_le_bytes([e, f, g, h]) != self.crc.amount() {
            return Err(input.corrupt("gzip", "the length does not agree with the data"));
        }
        Ok(())
    }
}
