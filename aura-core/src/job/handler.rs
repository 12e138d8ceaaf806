//! What does the work: a handler for each kind of jobs.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::{JobError, JobId, JobRecord};
use crate::ingest::CancelToken;

/// Does the jobs of a kind. A function `Fn(JobContext) -> impl Future<Output = Result<Value, JobError>>` is one; [`blocking`] makes one of a
/// function that blocks.
///
/// A job may be run more than once: its process may die after the work and before the answer is kept. What a handler changes elsewhere
/// must bear that, for example by naming the job's id and token there.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Does one attempt of a job, and returns its result. A panic ends the attempt with the kind [`JobError::PANIC`].
    async fn run(&self, job: JobContext) -> Result<Value, JobError>;
}

#[async_trait]
impl<F, R> Handler for F
where
    F: Fn(JobContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, JobError>> + Send,
{
    async fn run(&self, job: JobContext) -> Result<Value, JobError> {
        self(job).await
    }
}

/// Makes a handler of a function that blocks; each attempt has a thread of its own. Such an attempt cannot be ended from outside: after its
/// timeout its job goes on without it, and the thread stays until the function returns, which it should when
/// [`JobContext::is_cancelled`].
pub fn blocking<F>(run: F) -> impl Handler
where
    F: Fn(JobContext) -> Result<Value, JobError> + Send + Sync + 'static,
{
    Blocking(Arc::new(run))
}

type BlockingFn = dyn Fn(JobContext) -> Result<Value, JobError> + Send + Sync;

struct Blocking(Arc<BlockingFn>);

#[async_trait]
impl Handler for Blocking {
    async fn run(&self, job: JobContext) -> Result<Value, JobError> {
        let (reply, answer) = oneshot::channel();
        let run = Arc::clone(&self.0);
        std::thread::Builder::new()
            .name(format!("aura-job-{}", job.id()))
            .spawn(move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| run(job)));
                let _ = reply.send(outcome.unwrap_or_else(|panic| Err(panicked(&*panic))));
            })
            .map_err(|e| JobError::from(crate::Error::io("cannot start a thread", e)))?;
        answer
            .await
            .unwrap_or_else(|_| Err(JobError::fatal("INTERNAL", "a handler's thread vanished")))
    }
}

/// The error of an attempt that panicked.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> JobError {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    JobError::retryable(JobError::PANIC, format!("the handler panicked: {said}"))
}

/// How a worker tells the handler to stop.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    token: CancelToken,
    told: watch::Sender<bool>,
}

impl Stop {
    pub(crate) fn new() -> Self {
        Stop {
            token: CancelToken::new(),
            told: watch::Sender::new(false),
        }
    }

    pub(crate) fn tell(&self) {
        self.token.cancel();
        self.told.send_replace(true);
    }
}

/// A job in the hands of its handler.
#[derive(Debug, Clone)]
pub struct JobContext {
    job: Arc<JobRecord>,
    stop: Stop,
    progress: Arc<Mutex<Option<Value>>>,
}

impl JobContext {
    pub(crate) fn new(job: JobRecord, stop: Stop) -> Self {
        JobContext {
            job: Arc::new(job),
            stop,
            progress: Arc::default(),
        }
    }

    /// Returns the job as it was claimed.
    pub fn job(&self) -> &JobRecord {
        &self.job
    }

    /// Returns its number.
    pub fn id(&self) -> JobId {
        self.job.id
    }

    /// Returns what the operation shall do.
    pub fn spec(&self) -> &Value {
        &self.job.spec
    }

    /// Reads what the operation shall do as a value.
    ///
    /// # Errors
    /// `INVALID_SPEC`, which is not retried, when the spec is none.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, JobError> {
        T::deserialize(&self.job.spec).map_err(|e| {
            JobError::fatal(
                "INVALID_SPEC",
                format!("the spec of `{}`: {e}", self.job.kind),
            )
        })
    }

    /// Says how far the work is; it is kept with the next sign of life.
    pub fn progress(&self, progress: Value) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }

    pub(crate) fn take_progress(&self) -> Option<Value> {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Tells whether the work shall stop: somebody cancelled the job, it took too long, another worker has it, or the pool shuts down.
    pub fn is_cancelled(&self) -> bool {
        self.stop.token.is_cancelled()
    }

    /// Returns when the work shall stop.
    pub async fn cancelled(&self) {
        let mut told = self.stop.told.subscribe();
        // The sender lives as long as this context.
        let _ = told.wait_for(|told| *told).await;
    }

    /// Returns the token to hand to operations of the library.
    pub fn cancel_token(&self) -> CancelToken {
        self.stop.token.clone()
    }
}
