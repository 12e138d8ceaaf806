//! The way in: a handle on a store of jobs.

mod builder;
mod log;
mod upkeep;
mod work;

pub use builder::JobsBuilder;
pub use upkeep::{KindCounts, Prune};
pub use work::{Claim, Claimed, Heartbeat};

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::JobMetrics;
use super::op::{Answer, Context, NewRow, Op};
use super::store::JobStore;
use super::{JobFilter, JobId, JobRecord, JobSettings, JobSpec};
use crate::time::Clock;
use crate::{Error, ErrorKind, Result};

/// Where a fresh random number comes from.
pub(crate) type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A store of jobs. Clones share it; the last one closes it.
///
/// # Examples
/// ```
/// use aura_core::job::{Claim, JobSpec, JobState, Jobs};
/// use serde_json::json;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let jobs = Jobs::in_memory().open().await?;
/// let job = jobs.enqueue(&JobSpec::new("greet", json!({"name": "Ada"}))).await?.job;
/// assert_eq!(job.state, JobState::Queued);
///
/// // A worker: here step by step, otherwise a pool.
/// let mine = jobs.claim(&Claim::of(["greet"]).worker("w1")).await?.jobs.remove(0);
/// let done = jobs.complete(mine.id, mine.token, &json!("Hello, Ada")).await?;
/// assert_eq!((done.state, done.result), (JobState::Done, Some(json!("Hello, Ada"))));
/// # Ok::<(), aura_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
    actor: Arc<str>,
    request_id: Option<Arc<str>>,
}

struct Inner {
    store: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
    random: Random,
    settings: JobSettings,
    metrics: JobMetrics,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs")
            .field("store", &self.inner.store)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// A job that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Enqueued {
    /// The job.
    pub job: JobRecord,
    /// Whether it is new; otherwise its unique or idempotency key found one that was there.
    pub created: bool,
}

impl Jobs {
    /// Returns a handle on the same jobs for somebody else: `actor` is who the log names, `request_id` the request that it belongs to.
    #[must_use]
    pub fn acting(&self, actor: impl AsRef<str>, request_id: Option<&str>) -> Jobs {
        let cleaned = |text: &str| super::text::cleaned(text.to_owned(), 500);
        Jobs {
            inner: Arc::clone(&self.inner),
            actor: cleaned(actor.as_ref()).into(),
            request_id: request_id.map(|id| cleaned(id).into()),
        }
    }

    /// Returns the settings that the jobs were opened with.
    pub fn settings(&self) -> &JobSettings {
        &self.inner.settings
    }

    pub(crate) fn metrics(&self) -> &JobMetrics {
        &self.inner.metrics
    }

    pub(crate) fn store(&self) -> &dyn JobStore {
        &*self.inner.store
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            now_us: self.inner.clock.now_us(),
            actor: self.actor.to_string(),
            request_id: self.request_id.as_deref().map(str::to_owned),
            random: (self.inner.random)(),
        }
    }

    async fn run(&self, op: Op) -> Result<Answer> {
        self.inner.store.run(self.context(), op).await
    }

    /// Runs an operation on one job.
    async fn run_job(&self, op: Op) -> Result<JobRecord> {
        match self.run(op).await? {
            Answer::Row(row) => row.into_record(),
            other => Err(unexpected(&other)),
        }
    }

    /// Enqueues a job. It is durable when this returns.
    ///
    /// # Errors
    /// `InvalidSpec` for a spec out of its bounds; `ResourceExhausted` for one larger than
    /// [`max_spec_bytes`](JobSettings::max_spec_bytes), and on a full disk; `Conflict` when the idempotency key was used for another job;
    /// `Unavailable` when the store cannot be used now.
    pub async fn enqueue(&self, spec: &JobSpec) -> Result<Enqueued> {
        self.enqueue_all(std::slice::from_ref(spec))
            .await?
            .pop()
            .ok_or_else(|| Error::internal("a store of jobs answered with nothing"))
    }

    /// Enqueues jobs: all of them, or none.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_all(&self, specs: &[JobSpec]) -> Result<Vec<Enqueued>> {
        let context = self.context();
        let rows: Vec<NewRow> = specs
            .iter()
            .map(|job| {
                let spec = job.checked(self.inner.settings.max_spec_bytes)?;
                Ok(NewRow::of(job, spec, &context))
            })
            .collect::<Result<_>>()?;
        match self.inner.store.run(context, Op::Enqueue(rows)).await? {
            Answer::Enqueued(rows) => rows
                .into_iter()
                .map(|(row, created)| {
                    if created {
                        self.inner.metrics.enqueued(&row);
                    }
                    let job = row.into_record()?;
                    Ok(Enqueued { job, created })
                })
                .collect(),
            other => Err(unexpected(&other)),
        }
    }

    /// Returns a job as it stands now.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Unavailable` when the store cannot be used now.
    pub async fn status(&self, id: JobId) -> Result<JobRecord> {
        let row = self.inner.store.get(id).await?;
        row.ok_or_else(|| {
            Error::not_found(format!(
                "there is no job {id}; it was never enqueued here, or its record was pruned"
            ))
        })?
        .into_record()
    }

    /// Lists jobs, the latest first.
    ///
    /// # Errors
    /// `InvalidSpec` for a `limit` out of its bounds; `Unavailable` when the store cannot be used now.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>> {
        let limit = filter.limit.unwrap_or(100);
        if !(1..=1_000).contains(&limit) {
            return Err(Error::invalid_spec(format!(
                "list of jobs: `limit` is {limit}; expected 1 to 1000, and `before` for the next page"
            )));
        }
        let rows = self.inner.store.list(filter.clone()).await?;
        rows.into_iter().map(|row| row.into_record()).collect()
    }

    /// Waits until a job is done, failed or cancelled, and returns it.
    ///
    /// # Errors
    /// `Unavailable` when it is none of these after `timeout`; `NotFound` when there is no such job.
    pub async fn wait(&self, id: JobId, timeout: Option<Duration>) -> Result<JobRecord> {
        let signals = self.inner.store.signals();
        let _interest = signals.interest();
        let deadline = timeout.map(|timeout| tokio::time::Instant::now() + timeout);
        loop {
            let mut waiting = signals.wait_for(id);
            let job = self.status(id).await?;
            if job.state.is_final() {
                return Ok(job);
            }
            let now = tokio::time::Instant::now();
            if let (Some(deadline), Some(timeout)) = (deadline, timeout)
                && now >= deadline
            {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    format!(
                        "job {id} is {} after {timeout:?}; it goes on, wait again",
                        job.state
                    ),
                ));
            }
            // A look now and then, should a signal get lost.
            let look = deadline.unwrap_or(now + LOOK).min(now + LOOK);
            let _ = tokio::time::timeout_at(look, waiting.told()).await;
        }
    }

    /// Calls a job off. A queued one is cancelled at once; one that is being processed is asked to stop, and is cancelled when its worker
    /// does, or done if it was faster.
    ///
    /// # Errors
    /// `Conflict` when it is done or failed; `NotFound` when there is none.
    pub async fn cancel(&self, id: JobId) -> Result<JobRecord> {
        self.run_job(Op::Cancel(id)).await
    }

    /// Tries a failed or cancelled job anew, with all its attempts.
    ///
    /// # Errors
    /// `Conflict` when it is neither failed nor cancelled; `NotFound` when there is none.
    pub async fn replay(&self, id: JobId) -> Result<JobRecord> {
        self.run_job(Op::Replay(id)).await
    }
}

/// How often somebody who waits looks without a signal.
const LOOK: Duration = Duration::from_secs(1);

fn unexpected(answer: &Answer) -> Error {
    Error::internal(format!(
        "a store of jobs answered another question: {:?}",
        std::mem::discriminant(answer)
    ))
}
