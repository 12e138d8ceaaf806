//! How much is worked on at once. Results do not depend on it.

/// Numbers of rows; tests take small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Of a batch as it is read. What is divided at once stays in the cache.
    pub(crate) batch: usize,
    /// Of a block, unless one actor has more.
    pub(crate) block: usize,
    /// Of a bucket by hash, on the average.
    pub(crate) bucket: u64,
    /// Least of a task of a merge: its ends are decoded twice, a page of each file.
    pub(crate) task: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            batch: 65_536,
            block: 65_536,
            bucket: 65_536,
            task: 524_288,
        }
    }
}
