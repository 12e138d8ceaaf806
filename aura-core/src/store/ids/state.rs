//! What callers and the background thread share, and the rules by which memory goes to disk.
//!
//! One lock guards the state. Tables change only under it; parts never change, so that lookups in
//! them, the writing of runs and merging all go on without it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::{Error, ErrorKind};

use super::filter;
use super::key::PARTITIONS;
use super::layer::{Layer, Part};
use super::run::{Run, RunWriter, merge};
use super::table::Table;

/// Runs of one size class that are merged into one. Classes grow by this factor.
const FAN_IN: usize = 4;
/// Runs of a layer above which the smallest are merged whatever their class.
const MAX_RUNS: usize = 10;

/// Sizes that only tests change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Keys up to which a pending transaction needs no table, and is committed in one piece.
    pub(super) small_limit: usize,
    /// Keys inserted under one hold of the lock, about 1 ms.
    pub(super) chunk: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            small_limit: 32 << 10,
            chunk: 16 << 10,
        }
    }
}

/// A transaction that is not yet committed.
pub(super) struct Open {
    pub(super) id: u64,
    pub(super) layer: Layer,
    pub(super) len: u64,
    /// Keys of this transaction that others have committed since.
    pub(super) conflicts: Vec<u128>,
    /// Set when the search for conflicts could not read a run.
    pub(super) failure: Option<Arc<Error>>,
}

pub(super) struct State {
    pub(super) committed: Layer,
    pub(super) committed_len: u64,
    pub(super) open: Vec<Open>,
    pub(super) next_id: u64,
    worker: Option<JoinHandle<()>>,
    /// The worker waits for work.
    idle: bool,
    /// The worker was woken since it last looked for work.
    wanted: bool,
    /// A caller waits for memory: spill whatever there is.
    force: bool,
    /// Spills tried so far.
    attempts: u64,
    /// Why the last spill failed.
    failure: Option<Arc<Error>>,
    /// After a failed spill: bytes of tables at which to try again unasked.
    retry_at: usize,
    /// After a failed merge: runs from which on to try again.
    merge_at: usize,
}

pub(super) struct Shared {
    pub(super) budget: usize,
    pub(super) dir: Option<PathBuf>,
    pub(super) tuning: Tuning,
    state: Mutex<State>,
    /// Tells the worker that there may be work.
    wake: Condvar,
    /// Tells waiting callers that a spill has ended.
    done: Condvar,
    stop: AtomicBool,
}

impl State {
    fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.committed).chain(self.open.iter().map(|open| &open.layer))
    }

    fn layers_mut(&mut self) -> impl Iterator<Item = &mut Layer> {
        std::iter::once(&mut self.committed).chain(self.open.iter_mut().map(|open| &mut open.layer))
    }

    pub(super) fn table_bytes(&self) -> usize {
        self.layers().map(Layer::table_bytes).sum()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.table_bytes() + self.layers().map(Layer::other_bytes).sum::<usize>()
    }

    #[cfg(test)]
    pub(super) fn disk_bytes(&self) -> u64 {
        self.layers()
            .flat_map(Layer::runs)
            .map(|r| r.disk_bytes())
            .sum()
    }

    fn run_bytes(&self) -> usize {
        self.layers()
            .flat_map(Layer::runs)
            .map(|r| r.memory_bytes())
            .sum()
    }

    /// Bytes that tables may take beside the resident filters.
    fn table_budget(&self, budget: usize) -> usize {
        budget.saturating_sub(self.run_bytes()).max(budget / 3)
    }

    fn spill_due(&self, budget: usize) -> bool {
        let (bytes, budget) = (self.table_bytes(), self.table_budget(budget));
        self.force || bytes >= self.retry_at.max(budget / 5 * 3)
    }

    /// Freezes a table to be written, if it is time.
    fn next_spill(&mut self, budget: usize) -> Option<Arc<Table>> {
        if !self.spill_due(budget) {
            return None;
        }
        // A table whose writing failed comes first.
        if let Some(waiting) = self.layers().flat_map(Layer::tables).next() {
            return Some(Arc::clone(waiting));
        }
        let least = match self.force {
            true => 1,
            false => self.table_budget(budget) / 8,
        };
        let largest = self.layers_mut().max_by_key(|l| l.freezable_bytes())?;
        (largest.freezable_bytes() >= least)
            .then(|| largest.freeze())
            .flatten()
    }

    /// Says whether a spill could free memory.
    fn spillable(&self) -> bool {
        self.layers()
            .any(|l| l.freezable_bytes() > 0 || l.tables().next().is_some())
    }

    /// Chooses runs of one layer to be merged.
    fn next_merge(&self) -> Option<Vec<Arc<Run>>> {
        let count: usize = self.layers().map(|l| l.runs().count()).sum();
        if count < self.merge_at {
            return None;
        }
        let class = |run: &Arc<Run>| run.len().max(1).ilog(FAN_IN as u64);
        self.layers().find_map(|layer| {
            let mut runs: Vec<&Arc<Run>> = layer.runs().collect();
            runs.sort_by_key(|run| run.len());
            let same = runs
                .chunk_by(|a, b| class(a) == class(b))
                .find(|same| same.len() >= FAN_IN);
            let chosen = match same {
                Some(same) => &same[..same.len().min(2 * FAN_IN)],
                None if runs.len() > MAX_RUNS => &runs[..FAN_IN],
                None => return None,
            };
            Some(chosen.iter().map(|&run| Arc::clone(run)).collect())
        })
    }

    /// Says whether the filter of a new run of `keys` keys that replaces `old` stays in memory.
    fn resident_filter(&self, keys: u64, old: &[Arc<Run>], budget: usize) -> bool {
        let freed: usize = old.iter().map(|run| run.memory_bytes()).sum();
        let new = filter::blocks_for(keys).saturating_mul(filter::BLOCK_BYTES);
        self.run_bytes()
            .saturating_sub(freed)
            .saturating_add(new)
            .le(&(budget / 3))
    }

    /// Puts a run in the place of what it was made from, wherever that is by now, and returns what
    /// is to be dropped without the lock. Its transaction may have been rolled back meanwhile.
    fn replace(&mut self, old: &[Part], run: Run) -> Vec<Part> {
        let mut new = Part::Run(Arc::new(run));
        for layer in self.layers_mut() {
            match layer.replace(old, new) {
                Ok(gone) => return gone,
                Err(back) => new = back,
            }
        }
        vec![new]
    }
}

impl Shared {
    pub(super) fn new(budget: usize, dir: Option<PathBuf>, tuning: Tuning) -> Self {
        Shared {
            budget,
            dir,
            tuning,
            state: Mutex::new(State {
                committed: Layer::table(),
                committed_len: 0,
                open: Vec::new(),
                next_id: 0,
                worker: None,
                idle: false,
                wanted: false,
                force: false,
                attempts: 0,
                failure: None,
                retry_at: 0,
                merge_at: 0,
            }),
            wake: Condvar::new(),
            done: Condvar::new(),
            stop: AtomicBool::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Locks the state when there is memory for a chunk more, and waits for a spill if there is
    /// not. Small transactions go a quarter beyond, so that bulk work does not hold them up.
    ///
    /// # Errors
    /// `ResourceExhausted` when memory is used up and a spill, tried now, fails.
    pub(super) fn admit(self: &Arc<Self>, small: bool) -> crate::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if self.dir.is_none() {
            return Ok(state);
        }
        let mut tried_at = None;
        loop {
            let budget = state.table_budget(self.budget);
            let limit = budget + if small { budget / 4 } else { 0 };
            if state.table_bytes() <= limit || self.stopped() || !state.spillable() {
                return Ok(state);
            }
            if tried_at.is_some_and(|n| state.attempts > n)
                && let Some(cause) = &state.failure
            {
                return Err(Error::new(
                    ErrorKind::ResourceExhausted,
                    format!(
                        "event-id index: its {} bytes of memory are used up and it cannot spill to \
                         disk: {}; free disk space or raise its memory budget",
                        self.budget,
                        cause.message(),
                    ),
                )
                .with_source(Arc::clone(cause)));
            }
            tried_at = Some(state.attempts);
            state.force = true;
            self.start(&mut state)?;
            state = self
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes the background thread if there is work for it.
    pub(super) fn plan(self: &Arc<Self>, state: &mut State) {
        if self.dir.is_some()
            && (state.spill_due(self.budget) || state.next_merge().is_some())
            && let Err(e) = self.start(state)
        {
            // Told to the caller who runs out of memory.
            state.failure = Some(Arc::new(e));
        }
    }

    fn start(self: &Arc<Self>, state: &mut State) -> crate::Result<()> {
        if state.worker.is_none() && !self.stopped() {
            let shared = Arc::clone(self);
            let worker = std::thread::Builder::new()
                .name("aura-event-ids".to_owned())
                .spawn(move || {
                    if no_panic(|| shared.work()).is_err() {
                        // Without a worker nothing is spilled, but nobody waits for it either.
                        shared.stop.store(true, Ordering::Relaxed);
                        shared.done.notify_all();
                    }
                })
                .map_err(|e| Error::io("starting the thread of the event-id index", e))?;
            state.worker = Some(worker);
        }
        state.wanted = true;
        self.wake.notify_one();
        Ok(())
    }

    /// Says whether the background thread has done all there was to do.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.worker.is_none() || state.idle && !state.wanted
    }

    /// Ends the background thread and waits for it.
    pub(super) fn shut_down(&self) {
        let mut state = self.lock();
        self.stop.store(true, Ordering::Relaxed);
        let worker = state.worker.take();
        self.wake.notify_all();
        self.done.notify_all();
        drop(state);
        if let Some(worker) = worker {
            // A panic there was already made an error.
            let _ = worker.join();
        }
    }

    fn work(&self) -> crate::Result<()> {
        while !self.stopped() {
            self.lock().wanted = false;
            if self.spill() || self.merge() {
                continue;
            }
            let mut state = self.lock();
            if state.force {
                // There was nothing to spill: let the callers look again.
                state.force = false;
                state.attempts += 1;
                self.done.notify_all();
            }
            if !state.wanted && !self.stopped() {
                state.idle = true;
                let mut state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.idle = false;
            }
        }
        Ok(())
    }

    /// Writes one table to a run, if it is time; says whether there was one.
    fn spill(&self) -> bool {
        let mut state = self.lock();
        let (Some(dir), Some(table)) = (&self.dir, state.next_spill(self.budget)) else {
            return false;
        };
        let resident = state.resident_filter(table.len() as u64, &[], self.budget);
        drop(state);
        let written = no_panic(|| {
            let mut writer = RunWriter::new(dir, table.len() as u64, resident)?;
            let mut keys = Vec::new();
            for number in 0..PARTITIONS {
                table.sorted_partition(number, &mut keys);
                keys.iter().try_for_each(|&key| writer.push(key))?;
                if self.stopped() {
                    return Ok(None);
                }
            }
            writer.finish().map(Some)
        });
        let mut state = self.lock();
        let mut garbage = Vec::new();
        state.force = false;
        state.attempts += 1;
        match written {
            Ok(Some(run)) => {
                state.failure = None;
                state.retry_at = 0;
                garbage = state.replace(&[Part::Table(Arc::clone(&table))], run);
            }
            Ok(None) => {}
            Err(e) => {
                state.failure = Some(Arc::new(e));
                state.retry_at = state.table_bytes() + self.budget / 16;
            }
        }
        self.done.notify_all();
        drop(state);
        drop((garbage, table));
        true
    }

    /// Merges runs, if it is time, and spills in between; says whether there was anything.
    fn merge(&self) -> bool {
        let state = self.lock();
        let (Some(dir), Some(runs)) = (&self.dir, state.next_merge()) else {
            return false;
        };
        let keys = runs.iter().map(|run| run.len()).sum();
        let resident = state.resident_filter(keys, &runs, self.budget);
        drop(state);
        let merged = no_panic(|| {
            merge(&runs, dir, resident, || {
                self.spill();
                self.stopped()
            })
        });
        let old: Vec<Part> = runs.into_iter().map(Part::Run).collect();
        let mut state = self.lock();
        let mut garbage = Vec::new();
        match merged {
            Ok(Some(run)) => {
                state.merge_at = 0;
                garbage = state.replace(&old, run);
            }
            Ok(None) => {}
            // The old runs still serve. More of them make it worth another try.
            Err(_) => {
                let count: usize = state.layers().map(|l| l.runs().count()).sum();
                state.merge_at = count + 1;
            }
        }
        drop(state);
        drop((garbage, old));
        true
    }
}

/// Makes a panic of the background thread an error, so that no caller waits for ever.
fn no_panic<T>(work: impl FnOnce() -> crate::Result<T>) -> crate::Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::internal(
            "event-id index: the background thread panicked",
        ))
    })
}
