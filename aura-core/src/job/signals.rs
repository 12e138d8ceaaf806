//! How those who wait learn of what happened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{broadcast, oneshot, watch};

use super::JobId;
use super::op::Effects;
use super::store::Glance;

/// The signals of one open store. They tell that something may have happened; what did, the store knows.
#[derive(Debug)]
pub(crate) struct Signals {
    /// There may be something for workers.
    work: watch::Sender<u64>,
    /// The log has grown.
    changed: watch::Sender<u64>,
    /// Jobs that shall stop.
    cancelled: broadcast::Sender<JobId>,
    /// Another process changed something.
    elsewhere: watch::Sender<u64>,
    waiting: Mutex<HashMap<JobId, Vec<oneshot::Sender<()>>>>,
    interested: AtomicUsize,
}

/// Keeps the store looking for what other processes do, while it lives.
#[derive(Debug)]
pub(crate) struct Interest<'a>(&'a Signals);

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        self.0.interested.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Somebody who waits for a job.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    signals: &'a Signals,
    id: JobId,
    told: oneshot::Receiver<()>,
}

impl Waiting<'_> {
    /// Returns when the job may have come to a final state.
    pub(crate) async fn told(&mut self) {
        let _ = (&mut self.told).await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.told.close();
        let mut waiting = self
            .signals
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(waiters) = waiting.get_mut(&self.id) {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                waiting.remove(&self.id);
            }
        }
    }
}

impl Signals {
    pub(crate) fn new() -> Self {
        Signals {
            work: watch::Sender::new(0),
            changed: watch::Sender::new(0),
            cancelled: broadcast::Sender::new(1_024),
            elsewhere: watch::Sender::new(0),
            waiting: Mutex::default(),
            interested: AtomicUsize::new(0),
        }
    }

    pub(crate) fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn cancelled(&self) -> broadcast::Receiver<JobId> {
        self.cancelled.subscribe()
    }

    pub(crate) fn elsewhere(&self) -> watch::Receiver<u64> {
        self.elsewhere.subscribe()
    }

    /// Somebody wants to know what other processes do.
    pub(crate) fn interest(&self) -> Interest<'_> {
        self.interested.fetch_add(1, Ordering::Relaxed);
        Interest(self)
    }

    pub(crate) fn anybody_interested(&self) -> bool {
        self.interested.load(Ordering::Relaxed) > 0
    }

    /// Waits for the job to come to a final state.
    pub(crate) fn wait_for(&self, id: JobId) -> Waiting<'_> {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(id).or_default().push(tell);
        Waiting {
            signals: self,
            id,
            told,
        }
    }

    /// The jobs that somebody waits for.
    pub(crate) fn waited_for(&self) -> Vec<JobId> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids: Vec<JobId> = waiting.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    fn finished(&self, ids: impl Iterator<Item = JobId>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            for waiter in waiting.remove(&id).unwrap_or_default() {
                let _ = waiter.send(());
            }
        }
    }

    /// Tells what a transaction of this process did, after its commit.
    pub(crate) fn tell(&self, effects: &Effects, log_grew: bool) {
        if !effects.finished.is_empty() {
            self.finished(effects.finished.iter().copied());
        }
        for id in &effects.cancelled {
            let _ = self.cancelled.send(*id);
        }
        if effects.work {
            self.work.send_modify(|n| *n = n.wrapping_add(1));
        }
        if log_grew {
            self.changed.send_modify(|n| *n = n.wrapping_add(1));
        }
    }

    /// Tells that another process changed something; `seen` is what became of the jobs that are waited for.
    pub(crate) fn tell_elsewhere(&self, seen: &[Glance]) {
        self.finished(seen.iter().filter(|g| g.state.is_final()).map(|g| g.id));
        for signal in [&self.elsewhere, &self.work, &self.changed] {
            signal.send_modify(|n| *n = n.wrapping_add(1));
        }
    }
}
