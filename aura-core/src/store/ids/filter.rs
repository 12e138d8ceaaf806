//! A blocked Bloom filter whose blocks come in the order of the keys.
//!
//! A lookup reads one block of 64 bytes. The block of a key is a monotone function of the key, so
//! that whoever writes a sorted run writes its filter as a stream, whatever the size of the run.
//! A block in a file ends with a checksum of itself: a bit lost there would let an event in twice.

use std::fs::File;

use xxhash_rust::xxh3::xxh3_64;

use super::key::{rest, scale, tag};
use super::spill::read_exact_at;

/// Bits of a block that keys set; the last four bytes hold the checksum.
const BITS: u64 = 480;
/// Bits per key: 0.3 % of absent keys pass. Each such costs a read of a page, about 1 µs, so that
/// fewer bits cost more time than they save.
const BITS_PER_KEY: u64 = 14;
const PROBES: u32 = 6;
pub(super) const BLOCK_BYTES: usize = 64;

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Block([u64; 8]);

impl Block {
    /// Returns the bit positions of a key. They come from the low bits of the rest and from the
    /// tag, the block from the bits above: the two are independent up to 2³⁷ keys.
    #[inline]
    fn positions(key: u128) -> impl Iterator<Item = (usize, u32)> {
        let bits = rest(key) << 16 | u64::from(tag(key));
        (0..PROBES).map(move |i| {
            let at = (((bits >> (10 * i)) & 1023) * BITS) >> 10;
            ((at / 64) as usize, (at % 64) as u32)
        })
    }

    #[inline]
    fn set(&mut self, key: u128) {
        for (word, bit) in Self::positions(key) {
            self.0[word] |= 1 << bit;
        }
    }

    /// Says whether the key may be present. Free of branches: the answer is nearly always no, but
    /// which probe says so cannot be predicted.
    #[inline]
    fn may_contain(&self, key: u128) -> bool {
        Self::positions(key).fold(1, |all, (word, bit)| all & self.0[word] >> bit) & 1 == 1
    }

    fn to_bytes(self) -> [u8; BLOCK_BYTES] {
        let mut bytes = [0; BLOCK_BYTES];
        for (to, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        let (bits, sum) = bytes.split_at_mut(BLOCK_BYTES - 4);
        sum.copy_from_slice(&checksum(bits));
        bytes
    }

    /// Returns `None` when the checksum does not fit.
    fn from_bytes(bytes: &[u8; BLOCK_BYTES]) -> Option<Self> {
        let (bits, sum) = bytes.split_at(BLOCK_BYTES - 4);
        if checksum(bits) != sum {
            return None;
        }
        let mut block = Block::default();
        for (word, from) in block.0.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*from);
        }
        Some(block)
    }
}

fn checksum(bits: &[u8]) -> [u8; 4] {
    ((xxh3_64(bits) >> 32) as u32).to_le_bytes()
}

#[inline]
fn block_of(key: u128, blocks: usize) -> usize {
    scale((key >> 64) as u64, blocks)
}

/// Returns the number of blocks for `keys` keys; at least one.
pub(super) fn blocks_for(keys: u64) -> usize {
    usize::try_from((keys * BITS_PER_KEY).div_ceil(BITS))
        .unwrap_or(usize::MAX)
        .max(1)
}

/// Which keys a run may hold.
pub(super) enum Filter {
    Resident(Vec<Block>),
    /// In a file of its own, read block by block.
    File {
        file: File,
        blocks: usize,
    },
}

impl Filter {
    /// Appends to `candidates` the keys not marked in `hit` that may be present, with their place.
    pub(super) fn candidates(
        &self,
        keys: &[u128],
        hit: &[bool],
        candidates: &mut Vec<(u128, u32)>,
    ) -> crate::Result<()> {
        match self {
            Filter::Resident(blocks) => {
                for (i, (&key, &hit)) in keys.iter().zip(hit).enumerate() {
                    if !hit && blocks[block_of(key, blocks.len())].may_contain(key) {
                        candidates.push((key, i as u32));
                    }
                }
            }
            Filter::File { file, blocks } => {
                let mut bytes = [0; BLOCK_BYTES];
                for (i, (&key, &hit)) in keys.iter().zip(hit).enumerate() {
                    if hit {
                        continue;
                    }
                    let at = block_of(key, *blocks) as u64 * BLOCK_BYTES as u64;
                    read_exact_at(file, &mut bytes, at)?;
                    let block = Block::from_bytes(&bytes).ok_or_else(super::spill::damaged)?;
                    if block.may_contain(key) {
                        candidates.push((key, i as u32));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Filter::Resident(blocks) => blocks.len() * BLOCK_BYTES,
            Filter::File { .. } => 0,
        }
    }

    #[cfg(test)]
    pub(super) fn disk_bytes(&self) -> u64 {
        match self {
            Filter::Resident(_) => 0,
            Filter::File { blocks, .. } => (*blocks * BLOCK_BYTES) as u64,
        }
    }
}

/// Builds a filter from ascending keys.
pub(super) enum FilterWriter {
    Resident(Vec<Block>),
    File {
        out: super::spill::SpillWriter,
        blocks: usize,
        at: usize,
        block: Block,
    },
}

impl FilterWriter {
    /// Begins a filter for at most `keys` keys: in memory, or in `file`.
    pub(super) fn new(keys: u64, file: Option<super::spill::SpillWriter>) -> Self {
        let blocks = blocks_for(keys);
        match file {
            None => FilterWriter::Resident(vec![Block::default(); blocks]),
            Some(out) => FilterWriter::File {
                out,
                blocks,
                at: 0,
                block: Block::default(),
            },
        }
    }

    #[inline]
    pub(super) fn push(&mut self, key: u128) -> crate::Result<()> {
        match self {
            FilterWriter::Resident(all) => {
                let at = block_of(key, all.len());
                all[at].set(key);
            }
            FilterWriter::File {
                out,
                blocks,
                at,
                block,
            } => {
                let to = block_of(key, *blocks);
                while *at < to {
                    out.write(&std::mem::take(block).to_bytes())?;
                    *at += 1;
                }
                block.set(key);
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> crate::Result<Filter> {
        match self {
            FilterWriter::Resident(all) => Ok(Filter::Resident(all)),
            FilterWriter::File {
                mut out,
                blocks,
                mut at,
                mut block,
            } => {
                while at < blocks {
                    out.write(&std::mem::take(&mut block).to_bytes())?;
                    at += 1;
                }
                Ok(Filter::File {
                    file: out.finish()?,
                    blocks,
                })
            }
        }
    }
}
