//! Transactions on the index.

use std::sync::Arc;

use crate::Error;

use super::key::key_of;
use super::layer::{Layer, Part};
use super::state::{Open, Shared, State};

/// An open transaction: ids that others do not see before [`commit`](Pending::commit).
///
/// Holds up to any number of ids; past the memory budget they go to disk. Dropping it rolls it
/// back.
pub(crate) struct Pending {
    shared: Arc<Shared>,
    id: u64,
}

impl Pending {
    pub(super) fn open(shared: &Arc<Shared>) -> Self {
        let mut state = shared.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.open.push(Open {
            id,
            layer: Layer::small(),
            len: 0,
            conflicts: Vec::new(),
            failure: None,
        });
        drop(state);
        Pending {
            shared: Arc::clone(shared),
            id,
        }
    }

    /// Says how many ids are likely to come: room is made for them at once (to a limit), which costs less than to
    /// grow. Has no effect after the first ids.
    pub(crate) fn expect(&mut self, ids: u64) {
        /// Of a key in a table that is filled to 80 %.
        const BYTES: usize = 13;
        let most = self.shared.budget / 4 / BYTES;
        if let Ok(open) = self.shared.lock().open_mut(self.id) {
            open.layer.expected = usize::try_from(ids).map_or(most, |ids| ids.min(most));
        }
    }

    /// Adds ids, and makes `duplicate` say for each whether it was committed before, is in this
    /// transaction, or came earlier in `hashes`. Such an id is not added again.
    ///
    /// # Errors
    /// `ResourceExhausted` when memory is used up and the disk is full; `Unavailable` when a spill
    /// file cannot be read. A part of `hashes` may have been added: roll back. The index stays
    /// usable.
    pub(crate) fn insert_batch(
        &mut self,
        hashes: &[u128],
        duplicate: &mut Vec<bool>,
    ) -> crate::Result<()> {
        duplicate.clear();
        duplicate.resize(hashes.len(), false);
        let keys: Vec<u128> = hashes.iter().map(|&hash| key_of(hash)).collect();

        // Parts never change: look there first, without the lock.
        let (seen, small) = {
            let state = self.shared.lock();
            let open = state.open(self.id)?;
            let parts = state.committed.parts.iter().chain(&open.layer.parts);
            let small = open.len as usize + keys.len() <= self.shared.tuning.small_limit;
            (parts.cloned().collect::<Vec<Part>>(), small)
        };
        seen.iter()
            .try_for_each(|part| part.probe(&keys, duplicate))?;

        let chunk = self.shared.tuning.chunk;
        for (keys, hit) in keys.chunks(chunk).zip(duplicate.chunks_mut(chunk)) {
            let mut guard = self.shared.admit(small)?;
            let state = &mut *guard;
            let Some(open) = state.open.iter_mut().find(|open| open.id == self.id) else {
                return Err(gone());
            };
            // What left a table since is in a part that is new since.
            let parts = state.committed.parts.iter().chain(&open.layer.parts);
            for part in parts.filter(|part| !seen.iter().any(|s| s.is(part))) {
                part.probe(keys, hit)?;
            }
            state.committed.probe_head(keys, hit);
            let known = count(hit);
            open.layer.insert(keys, hit, self.shared.tuning.small_limit);
            open.len += (hit.len() - known) as u64;
            open.len -= (count(hit) - known) as u64;
            // Faster than transactions can bring new tables to be drained.
            state.committed.drain(2 * keys.len());
            self.shared.plan(state);
        }
        Ok(())
    }

    /// Returns the number of ids added by this transaction.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        let state = self.shared.lock();
        state.open(self.id).map_or(0, |open| open.len)
    }

    /// Returns, ascending, the ids of this transaction that others have committed since it
    /// inserted them. They are as `IdHasher` gave them.
    ///
    /// # Errors
    /// `Unavailable` when a spill file could not be read, so that the answer is not known: roll
    /// back.
    pub(crate) fn conflicts(&self) -> crate::Result<Vec<u128>> {
        self.shared.lock().open_mut(self.id)?.sorted_conflicts()
    }

    /// Makes the ids visible to all. Cannot fail, so that it may follow the commit of the events.
    ///
    /// Takes about a millisecond, whatever the size: what is in files or in a large table is
    /// handed over as it is. But each other open transaction is told the ids that both have, for
    /// which the smaller of the two is looked up in the larger: about 50 ns an id, under the lock.
    pub(crate) fn commit(self) {
        let mut state = self.shared.lock();
        if let Some(at) = state.position(self.id) {
            commit(&self.shared, &mut state, at);
        }
    }

    /// Commits, and returns what [`conflicts`](Pending::conflicts) would have returned.
    ///
    /// # Errors
    /// As [`conflicts`](Pending::conflicts); the transaction is rolled back then.
    #[cfg(test)]
    pub(crate) fn commit_checked(self) -> crate::Result<Vec<u128>> {
        let mut state = self.shared.lock();
        let at = state.position(self.id).ok_or_else(gone)?;
        let conflicts = state.open_mut(self.id)?.sorted_conflicts()?;
        commit(&self.shared, &mut state, at);
        Ok(conflicts)
    }
}

/// Commits the open transaction at place `at`.
fn commit(shared: &Arc<Shared>, state: &mut State, at: usize) {
    let mut closed = state.open.swap_remove(at);
    for other in &mut state.open {
        if closed.len <= other.len {
            let told = closed.layer.walk(|keys| {
                mark_conflicts(other, keys);
                Ok(())
            });
            if let Err(e) = told {
                other.failure = Some(Arc::new(e));
            }
        } else {
            tell_smaller(&closed.layer, other);
        }
    }
    closed.sort_conflicts();
    let conflicts = closed.conflicts.len() as u64;
    state.committed_len += closed.len - conflicts.min(closed.len);
    let inline_limit = shared.tuning.small_limit;
    state.committed.absorb(closed.layer, inline_limit);
    shared.plan(state);
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        // After a commit it is not there.
        let at = state.position(self.id);
        let closed = at.map(|at| state.open.swap_remove(at));
        // Freeing memory and files takes time that others need not wait.
        drop(state);
        drop(closed);
    }
}

impl State {
    fn position(&self, id: u64) -> Option<usize> {
        self.open.iter().position(|open| open.id == id)
    }

    fn open(&self, id: u64) -> crate::Result<&Open> {
        self.open.iter().find(|open| open.id == id).ok_or_else(gone)
    }

    fn open_mut(&mut self, id: u64) -> crate::Result<&mut Open> {
        let open = self.open.iter_mut().find(|open| open.id == id);
        open.ok_or_else(gone)
    }
}

impl Open {
    fn sort_conflicts(&mut self) {
        self.conflicts.sort_unstable();
        self.conflicts.dedup();
    }

    fn sorted_conflicts(&mut self) -> crate::Result<Vec<u128>> {
        if let Some(cause) = &self.failure {
            let told = Error::new(cause.kind(), cause.message().to_owned());
            return Err(told.with_source(Arc::clone(cause)));
        }
        self.sort_conflicts();
        Ok(self.conflicts.clone())
    }
}

fn gone() -> Error {
    Error::internal("event-id index: the transaction is not open any more")
}

fn count(hit: &[bool]) -> usize {
    hit.iter().filter(|hit| **hit).count()
}

/// Notes which of `keys`, just committed by somebody else, are in `open`.
pub(super) fn mark_conflicts(open: &mut Open, keys: &[u128]) {
    if open.len == 0 {
        return;
    }
    let mut hit = vec![false; keys.len()];
    match open.layer.probe(keys, &mut hit) {
        Ok(()) => {
            let both = keys.iter().zip(&hit).filter(|(_, hit)| **hit);
            open.conflicts.extend(both.map(|(key, _)| *key));
        }
        Err(e) => open.failure = Some(Arc::new(e)),
    }
}

/// Notes which keys of `open` are in `committed`.
fn tell_smaller(committed: &Layer, open: &mut Open) {
    let conflicts = &mut open.conflicts;
    let mut hit = Vec::new();
    let told = open.layer.walk(|keys| {
        hit.clear();
        hit.resize(keys.len(), false);
        committed.probe(keys, &mut hit)?;
        let both = keys.iter().zip(&hit).filter(|(_, hit)| **hit);
        conflicts.extend(both.map(|(key, _)| *key));
        Ok(())
    });
    if let Err(e) = told {
        open.failure = Some(Arc::new(e));
    }
}
