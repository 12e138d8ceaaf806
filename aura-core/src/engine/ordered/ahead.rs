//! Row groups that are read ahead by threads that have nothing else to do.
//!
//! An actor with most of the events is merged by one thread. While that thread decodes a row group and gives it to the kernel,
//! the others decode those after it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use parquet::arrow::arrow_reader::RowSelection;

use super::cursor::Loaded;
use super::parquet_file::ParquetFile;
use super::plan::Plan;
use super::stage::Stage;
use crate::ingest::CancelToken;
use crate::ingest::parallel::caught;
use crate::{Error, Result};

/// How long a thread without work sleeps until it looks whether the scan was cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// Reads one row group.
pub(super) struct Group<'a> {
    pub(super) plan: &'a Plan,
    pub(super) file: &'a ParquetFile,
    pub(super) group: usize,
    pub(super) selection: Option<RowSelection>,
}

impl Group<'_> {
    fn read(self) -> Result<VecDeque<Loaded>> {
        let (plan, rows) = (self.plan, self.plan.sizes.batch);
        let reader = self
            .file
            .read(self.group, &plan.read, plan.actor, self.selection, rows)?;
        let mut stage = Stage::new(plan);
        let mut batches = VecDeque::new();
        for batch in reader {
            let (columns, rows) = batch?;
            if let Some(staged) = stage.stage(&columns, rows)? {
                batches.push_back(Loaded::new(staged)?);
            }
        }
        Ok(batches)
    }
}

enum State<'a> {
    Waiting(Group<'a>),
    Running,
    Read(Result<VecDeque<Loaded>>),
    Taken,
}

/// A row group that is asked for.
pub(super) struct Slot<'a> {
    state: Mutex<State<'a>>,
    read: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot<'_> {
    /// Reads the group if nobody has begun to.
    fn run(&self) {
        let group = {
            let mut state = lock(&self.state);
            match std::mem::replace(&mut *state, State::Running) {
                State::Waiting(group) => group,
                other => {
                    *state = other;
                    return;
                }
            }
        };
        let read = caught(|| group.read());
        *lock(&self.state) = State::Read(read);
        self.read.notify_all();
    }

    /// Makes it not worth reading.
    pub(super) fn forget(&self) {
        let mut state = lock(&self.state);
        if matches!(*state, State::Waiting(_)) {
            *state = State::Taken;
        }
    }
}

/// What threads without work read for the others.
pub(super) struct Ahead<'a> {
    slots: Mutex<VecDeque<Arc<Slot<'a>>>>,
    changed: Condvar,
    /// Threads without work.
    idle: AtomicUsize,
    /// Tasks that are not done.
    open: AtomicUsize,
}

impl<'a> Ahead<'a> {
    /// `tasks` call [`done`](Self::done) each.
    pub(super) fn new(tasks: usize) -> Self {
        Ahead {
            slots: Mutex::default(),
            changed: Condvar::new(),
            idle: AtomicUsize::new(0),
            open: AtomicUsize::new(tasks),
        }
    }

    /// Says whether a thread would read what is asked for.
    pub(super) fn has_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed) > 0
    }

    /// Asks for a row group.
    pub(super) fn ask(&self, group: Group<'a>) -> Arc<Slot<'a>> {
        let slot = Arc::new(Slot {
            state: Mutex::new(State::Waiting(group)),
            read: Condvar::new(),
        });
        lock(&self.slots).push_back(Arc::clone(&slot));
        self.changed.notify_one();
        slot
    }

    /// Returns the batches of a row group that was asked for. Reads it, or another one while a thread reads it.
    pub(super) fn take(&self, slot: &Slot<'a>) -> Result<VecDeque<Loaded>> {
        slot.run();
        loop {
            {
                let mut state = lock(&slot.state);
                match std::mem::replace(&mut *state, State::Taken) {
                    State::Read(batches) => return batches,
                    State::Running => *state = State::Running,
                    State::Waiting(_) | State::Taken => {
                        return Err(Error::internal("a row group was taken twice"));
                    }
                }
            }
            let other = lock(&self.slots).pop_front();
            if let Some(other) = other {
                other.run();
                continue;
            }
            let mut state = lock(&slot.state);
            while matches!(*state, State::Running) {
                state = slot
                    .read
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Says that a task is done, or that no other will be.
    pub(super) fn done(&self, task_failed: bool) {
        if task_failed {
            self.open.store(0, Ordering::Release);
        } else {
            let less = |open: usize| Some(open.saturating_sub(1));
            _ = self
                .open
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        }
        // A thread that has just looked is not asleep yet.
        drop(lock(&self.slots));
        self.changed.notify_all();
    }

    /// Reads what others ask for until all tasks are done.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(super) fn serve(&self, cancel: &CancelToken) -> Result<()> {
        self.idle.fetch_add(1, Ordering::Relaxed);
        let mut slots = lock(&self.slots);
        while self.open.load(Ordering::Acquire) > 0 {
            cancel.check()?;
            if let Some(slot) = slots.pop_front() {
                drop(slots);
                slot.run();
                slots = lock(&self.slots);
                continue;
            }
            let waited = self.changed.wait_timeout(slots, LOOK);
            slots = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

/// Says that a task is done when it is dropped; unless told otherwise, that it failed.
pub(super) struct Doing<'a, 'b> {
    pub(super) ahead: &'a Ahead<'b>,
    pub(super) failed: bool,
}

impl Drop for Doing<'_, '_> {
    fn drop(&mut self) {
        self.ahead.done(self.failed);
    }
}
