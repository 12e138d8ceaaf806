//! Finds the bytes of CSV that mean something, 64 at a time.

#![allow(unsafe_code, reason = "SSE2 is part of every x86-64")]

/// Gives the positions of delimiters, line feeds, quotes and NUL bytes in ascending order.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    /// Position of the chunk that `mask` belongs to: a bit for each mark in it that was not given yet.
    base: usize,
    mask: u64,
}

const CHUNK: usize = 64;

impl<'a> Marks<'a> {
    pub(super) fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        let mut marks = Marks {
            bytes,
            delimiter,
            base: 0,
            mask: 0,
        };
        marks.load();
        marks
    }

    /// Returns the position of the next mark, or the length of the bytes when there is none.
    #[inline(always)]
    pub(super) fn next(&mut self) -> usize {
        while self.mask == 0 {
            if self.base + CHUNK >= self.bytes.len() {
                return self.bytes.len();
            }
            self.base += CHUNK;
            self.load();
        }
        let at = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        at
    }

    #[inline(always)]
    fn load(&mut self) {
        let rest = self.bytes.get(self.base..).unwrap_or_default();
        self.mask = match rest.first_chunk::<CHUNK>() {
            Some(chunk) => marks_of(chunk, self.delimiter),
            None => {
                let mut chunk = [b' '; CHUNK];
                chunk[..rest.len()].copy_from_slice(rest);
                let inside = (1_u64 << rest.len()) - 1;
                marks_of(&chunk, self.delimiter) & inside
            }
        };
    }
}

/// One bit for each byte, the first byte lowest.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
fn marks_of(chunk: &[u8; CHUNK], delimiter: u8) -> u64 {
    // SAFETY: this is compiled only where every machine has SSE2.
    unsafe { sse2_marks_of(chunk, delimiter) }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
#[target_feature(enable = "sse2")]
fn sse2_marks_of(chunk: &[u8; CHUNK], delimiter: u8) -> u64 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let delimiter = _mm_set1_epi8(delimiter as i8);
    let newline = _mm_set1_epi8(b'\n' as i8);
    let quote = _mm_set1_epi8(b'"' as i8);
    let nul = _mm_set1_epi8(0);
    let mut mask = 0;
    for (i, part) in chunk.as_chunks::<16>().0.iter().enumerate() {
        let word = u128::from_le_bytes(*part);
        let v = _mm_set_epi64x((word >> 64) as i64, word as i64);
        let found = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(v, delimiter), _mm_cmpeq_epi8(v, newline)),
            _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, nul)),
        );
        mask |= u64::from(_mm_movemask_epi8(found) as u32) << (16 * i);
    }
    mask
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline(always)]
fn marks_of(chunk: &[u8; CHUNK], delimiter: u8) -> u64 {
    portable_marks_of(chunk, delimiter)
}

/// Eight bytes at a time in a 64-bit word.
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
fn portable_marks_of(chunk: &[u8; CHUNK], delimiter: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let mut mask = 0;
    for (i, part) in chunk.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*part);
        // The high bit of each byte of `differs` that is zero only where the byte is the one looked for.
        let differs = |byte: u8| {
            let x = word ^ (LOW * u64::from(byte));
            ((x & SEVEN) + SEVEN) | x
        };
        let none = differs(delimiter) & differs(b'\n') & differs(b'"') & differs(0);
        let found = (!none & !SEVEN) >> 7;
        // Gathers the lowest bits of the eight bytes in the highest byte.
        mask |= (found.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_marks_are_found(
            bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'\n'), Just(b'"'), any::<u8>()], 0..300),
        ) {
            let expected: Vec<usize> = (0..bytes.len())
                .filter(|&i| matches!(bytes[i], b',' | b'\n' | b'"' | 0))
                .collect();
            let mut marks = Marks::new(&bytes, b',');
            let mut found = Vec::new();
            loop {
                match marks.next() {
                    end if end == bytes.len() => break,
                    at => found.push(at),
                }
            }
            prop_assert_eq!(found, expected);
            prop_assert_eq!(marks.next(), bytes.len());
        }

        #[test]
        fn the_portable_way_agrees(bytes: [u8; CHUNK], delimiter: u8) {
            prop_assert_eq!(marks_of(&bytes, delimiter), portable_marks_of(&bytes, delimiter));
        }
    }
}
