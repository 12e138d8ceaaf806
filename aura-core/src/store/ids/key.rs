//! The form in which the index keeps a hashed id: 92 bits, ordered.
//!
//! A key is a `u128` whose low 36 bits are zero. From the top: 12 bits choose the partition, which
//! no structure has to store; 64 bits are the *rest*, which orders a partition; 16 bits are the
//! *tag*, never zero so that zero can mean "empty". The 10 stored bytes thus tell 92 bits apart.
//!
//! Among `n` ids the chance that any two different ones agree is about `n² / 2⁹³`: 1e-10 for a
//! billion ids, 1e-8 for ten billion.

/// Partitions of every structure; a power of two.
pub(super) const PARTITIONS: usize = 1 << PARTITION_BITS;
const PARTITION_BITS: u32 = 12;
const TAG_SHIFT: u32 = 36;
const REST_SHIFT: u32 = TAG_SHIFT + 16;
const PARTITION_SHIFT: u32 = REST_SHIFT + 64;

/// Returns the key of a hash; a key is its own key.
#[inline]
pub(super) fn key_of(hash: u128) -> u128 {
    let key = hash >> TAG_SHIFT << TAG_SHIFT;
    // The tag zero is given the value one: half a bit less for one id in 32,768.
    if tag(key) == 0 {
        key | 1 << TAG_SHIFT
    } else {
        key
    }
}

/// Returns the partition, below [`PARTITIONS`].
#[inline]
pub(super) fn partition(key: u128) -> usize {
    (key >> PARTITION_SHIFT) as usize
}

/// Returns the bits that order a partition.
#[inline]
pub(super) fn rest(key: u128) -> u64 {
    (key >> REST_SHIFT) as u64
}

/// Returns the tag, which is not zero.
#[inline]
pub(super) fn tag(key: u128) -> u16 {
    (key >> TAG_SHIFT) as u16
}

/// Puts the parts of a key together again.
#[inline]
pub(super) fn join(partition: usize, rest: u64, tag: u16) -> u128 {
    (partition as u128) << PARTITION_SHIFT
        | u128::from(rest) << REST_SHIFT
        | u128::from(tag) << TAG_SHIFT
}

/// Maps `bits`, read as a fraction of 2⁶⁴, to `0..count`: monotone, and even for even bits.
#[inline]
pub(super) fn scale(bits: u64, count: usize) -> usize {
    ((u128::from(bits) * count as u128) >> 64) as usize
}
