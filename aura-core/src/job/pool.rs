//! The embedded worker pool: it claims jobs, runs their handlers, keeps their leases, and takes their answers to the store.
//!
//! Claims, signs of life and timeouts run on a thread of their own, so that a handler that blocks the runtime does not cost others their
//! leases. Handlers run on the runtime in which the pool was started.

mod control;
mod running;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use super::spec::check_name;
use super::{BreakerSettings, Handler, Jobs};
use crate::{Error, Result};

/// Settings of a [`Pool`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PoolSettings {
    /// Jobs that run at a time, from 1 to 1,000 (default 4).
    pub concurrency: u32,
    /// The name of the worker, for people (default `pool`).
    pub worker: String,
    /// Milliseconds that a handler has to stop by itself after it was told to, before its attempt is ended (default 10,000).
    pub stop_grace_ms: u64,
    /// Seconds that done and cancelled jobs are kept (default 7 days); `None` keeps them.
    pub keep_done_s: Option<u64>,
    /// Seconds that failed jobs are kept (default 90 days); `None` keeps them.
    pub keep_failed_s: Option<u64>,
}

impl Default for PoolSettings {
    fn default() -> Self {
        PoolSettings {
            concurrency: 4,
            worker: "pool".to_owned(),
            stop_grace_ms: 10_000,
            keep_done_s: Some(7 * 86_400),
            keep_failed_s: Some(90 * 86_400),
        }
    }
}

/// A pool before it is started.
#[derive(Clone)]
pub struct PoolBuilder {
    jobs: Jobs,
    settings: PoolSettings,
    handlers: BTreeMap<String, (Arc<dyn Handler>, Option<BreakerSettings>)>,
}

impl std::fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("settings", &self.settings)
            .field("kinds", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

impl PoolBuilder {
    /// Sets the settings.
    #[must_use]
    pub fn settings(mut self, settings: PoolSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets who does the jobs of a kind.
    #[must_use]
    pub fn handler(self, kind: impl Into<String>, handler: impl Handler) -> Self {
        self.shared_handler(kind, Arc::new(handler))
    }

    /// Sets who does the jobs of a kind.
    #[must_use]
    pub fn shared_handler(mut self, kind: impl Into<String>, handler: Arc<dyn Handler>) -> Self {
        self.handlers.insert(kind.into(), (handler, None));
        self
    }

    /// Puts a breaker around the handler of a kind: one that calls out. Without a handler of this kind it does nothing.
    #[must_use]
    pub fn breaker(mut self, kind: &str, settings: BreakerSettings) -> Self {
        if let Some((_, breaker)) = self.handlers.get_mut(kind) {
            *breaker = Some(settings);
        }
        self
    }

    /// Starts the pool; its handlers run in the Tokio runtime of the caller.
    ///
    /// # Errors
    /// `InvalidSpec` for settings out of their bounds, a wrong kind, or a call outside of a runtime; `Unavailable` when no thread can be
    /// started.
    pub fn start(self) -> Result<Pool> {
        if !(1..=1_000).contains(&self.settings.concurrency) {
            return Err(Error::invalid_spec(format!(
                "pool: `concurrency` is {}; expected 1 to 1000",
                self.settings.concurrency
            )));
        }
        check_name("the pool's `worker`", &self.settings.worker, 200)?;
        for kind in self.handlers.keys() {
            check_name("a handler's kind", kind, 200)?;
        }
        let runtime = tokio::runtime::Handle::try_current().map_err(|e| {
            Error::invalid_spec(format!(
                "pool: it is started outside of a Tokio runtime ({e}); start it in one, in which its handlers shall run"
            ))
        })?;
        let counters = Arc::new(Counters::default());
        let (order, orders) = watch::channel(Order::Run);
        let (finished, done) = oneshot::channel();
        let control = control::Control::new(
            self.jobs,
            self.settings,
            self.handlers,
            runtime,
            Arc::clone(&counters),
            orders,
        )?;
        std::thread::Builder::new()
            .name("aura-pool".to_owned())
            .spawn(move || {
                control.run();
                let _ = finished.send(());
            })
            .map_err(|e| Error::io("cannot start the pool's thread", e))?;
        Ok(Pool {
            order,
            done: Some(done),
            counters,
        })
    }
}

/// What the pool shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Run,
    /// Claim no more; end when nothing runs, at the latest after this time.
    Shutdown(Duration),
}

#[derive(Debug, Default)]
struct Counters {
    running: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
    lost: AtomicU64,
    abandoned: AtomicU64,
}

/// What a pool has done, and does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PoolStats {
    /// Attempts that run now.
    pub running: u64,
    /// Attempts that were completed.
    pub completed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Attempts whose answer was dropped, because their lease had ended.
    pub lost: u64,
    /// Attempts that were ended before their handler stopped by itself; those of blocking handlers may still hold a thread.
    pub abandoned: u64,
}

/// A pool of workers in this process. Dropped, it gives its jobs back and ends.
#[derive(Debug)]
pub struct Pool {
    order: watch::Sender<Order>,
    done: Option<oneshot::Receiver<()>>,
    counters: Arc<Counters>,
}

impl Pool {
    /// Prepares a pool on a store of jobs.
    pub fn builder(jobs: &Jobs) -> PoolBuilder {
        PoolBuilder {
            jobs: jobs.clone(),
            settings: PoolSettings::default(),
            handlers: BTreeMap::new(),
        }
    }

    /// Returns what it has done, and does.
    pub fn stats(&self) -> PoolStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PoolStats {
            running: read(&self.counters.running),
            completed: read(&self.counters.completed),
            failed: read(&self.counters.failed),
            lost: read(&self.counters.lost),
            abandoned: read(&self.counters.abandoned),
        }
    }

    /// Ends the pool: it claims no more, waits up to `grace` for what runs, tells the rest to stop, and gives back what was not finished,
    /// without counting the attempt.
    pub async fn shutdown(mut self, grace: Duration) {
        self.order.send_replace(Order::Shutdown(grace));
        if let Some(done) = self.done.take() {
            let _ = done.await;
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.done.is_some() {
            self.order.send_replace(Order::Shutdown(Duration::ZERO));
        }
    }
}
