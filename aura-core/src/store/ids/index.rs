//! The index as its users see it.

use std::path::PathBuf;
use std::sync::Arc;

use super::key::key_of;
use super::layer::Layer;
use super::pending::{Pending, mark_conflicts};
use super::state::{Shared, Tuning};

/// Settings of an [`IdIndex`].
#[derive(Debug, Clone)]
pub(crate) struct IdIndexOptions {
    /// Bytes of memory beyond which ids go to `spill_dir`. Exceeded for a moment by small
    /// transactions, by at most a quarter.
    pub(crate) memory_budget_bytes: usize,
    /// Directory of the spill files, which must exist. Without it nothing is spilled and the
    /// budget does not apply: an index in memory grows with the events, which are larger.
    pub(crate) spill_dir: Option<PathBuf>,
}

impl Default for IdIndexOptions {
    fn default() -> Self {
        IdIndexOptions {
            memory_budget_bytes: 192 << 20,
            spill_dir: None,
        }
    }
}

/// An exact set of event ids, given as hashes of one [`IdHasher`](super::IdHasher).
///
/// Ids enter through transactions. [`begin`](IdIndex::begin) opens one; its
/// [`insert_batch`](Pending::insert_batch) says which ids were there before, committed or in the
/// same transaction; ids of open transactions are not visible to others. Several may be open at
/// once. The store serialises commits, and a transaction learns at its commit which of its ids
/// others have committed since it inserted them ([`Pending::commit_checked`]).
///
/// All methods take the lock of the index for at most about a millisecond at a time, except the
/// commit of a large transaction while another large one is open (see [`Pending::commit`]).
pub(crate) struct IdIndex {
    shared: Arc<Shared>,
}

impl IdIndex {
    /// Makes an empty index. Touches no disk and starts no thread until the budget is used up.
    pub(crate) fn new(options: IdIndexOptions) -> Self {
        Self::with_tuning(options, Tuning::default())
    }

    pub(super) fn with_tuning(options: IdIndexOptions, tuning: Tuning) -> Self {
        let IdIndexOptions {
            memory_budget_bytes,
            spill_dir,
        } = options;
        IdIndex {
            shared: Arc::new(Shared::new(memory_budget_bytes, spill_dir, tuning)),
        }
    }

    /// Opens a transaction, which is rolled back when it is dropped.
    pub(crate) fn begin(&self) -> Pending {
        Pending::open(&self.shared)
    }

    /// Adds ids that are stored already, without saying which were known: to fill the index after
    /// opening or [`clear`](IdIndex::clear), or with what another process has committed.
    ///
    /// [`len`](IdIndex::len) is exact as long as no id is loaded twice.
    ///
    /// # Errors
    /// The first error of `batches`; `ResourceExhausted` when memory is used up and the disk is
    /// full. The ids before it stay loaded.
    pub(crate) fn bulk_load(
        &self,
        batches: impl IntoIterator<Item = crate::Result<Vec<u128>>>,
    ) -> crate::Result<()> {
        let mut hit = Vec::new();
        for batch in batches {
            let keys: Vec<u128> = batch?.into_iter().map(key_of).collect();
            for keys in keys.chunks(self.shared.tuning.chunk) {
                hit.clear();
                hit.resize(keys.len(), false);
                let mut state = self.shared.admit(false)?;
                state.open.iter_mut().for_each(|o| mark_conflicts(o, keys));
                state.committed.insert(keys, &mut hit, 0);
                state.committed_len += hit.iter().filter(|hit| !**hit).count() as u64;
                self.shared.plan(&mut state);
            }
        }
        Ok(())
    }

    /// Forgets all committed ids. Open transactions keep theirs.
    pub(crate) fn clear(&self) {
        let mut state = self.shared.lock();
        let old = std::mem::replace(&mut state.committed, Layer::table());
        state.committed_len = 0;
        drop(state);
        drop(old);
    }

    /// Returns the number of committed ids.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.shared.lock().committed_len
    }

    /// Says whether no id is committed.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of memory in use, open transactions included.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.shared.lock().memory_bytes()
    }

    /// Returns the bytes of the spill files in use, open transactions included. The files have no
    /// names, so that no listing shows them.
    #[cfg(test)]
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.shared.lock().disk_bytes()
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for IdIndex {
    fn drop(&mut self) {
        self.shared.shut_down();
    }
}
