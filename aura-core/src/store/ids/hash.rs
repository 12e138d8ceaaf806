//! From the text of an id to its key.

use arrow::array::StringArray;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::key::key_of;

/// Hashes event ids with XXH3-128 under a seed that is secret to one store.
///
/// The seed keeps a sender from choosing ids that collide. The index tells 92 bits of a hash apart,
/// and the hasher gives no more: equal results are the same id to the index, and back. The chance
/// that any two of `n` different ids agree is about `n² / 2⁹³` (1e-10 for a billion ids).
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdHasher {
    seed: u64,
}

impl IdHasher {
    /// Makes the hasher of the store whose secret is `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        IdHasher { seed }
    }

    /// Hashes one id.
    #[inline]
    pub(crate) fn hash(&self, id: &[u8]) -> u128 {
        key_of(xxh3_128_with_seed(id, self.seed))
    }

    /// Hashes a column of ids, in order. A null is hashed like the empty text; the column is
    /// expected to have none.
    pub(crate) fn hash_all(&self, ids: &StringArray) -> Vec<u128> {
        let bytes = ids.value_data();
        ids.value_offsets()
            .windows(2)
            .map(|ends| self.hash(bytes.get(ends[0] as usize..ends[1] as usize).unwrap_or(&[])))
            .collect()
    }
}
