//! An attempt in the hands of a pool.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tracing::Instrument;

use crate::job::handler::{Stop, panicked};
use crate::job::{Handler, JobContext, JobError, JobId, JobRecord};

/// What a handler said.
pub(super) struct Outcome {
    pub(super) id: JobId,
    pub(super) token: i64,
    pub(super) result: Result<Value, JobError>,
}

/// How far an attempt is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// The handler works.
    Working,
    /// The handler was told to stop; at this time it is ended.
    Stopping(Instant),
    /// Its answer is on the way to the store.
    Answered,
}

/// Why an attempt is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Cancelled,
    Lost,
    Shutdown,
}

pub(super) struct Running {
    pub(super) token: i64,
    pub(super) kind: String,
    pub(super) deadline: Instant,
    pub(super) timeout_ms: u64,
    pub(super) phase: Phase,
    pub(super) why: Option<Why>,
    pub(super) context: JobContext,
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Starts the handler.
    pub(super) fn start(
        job: JobRecord,
        handler: Arc<dyn Handler>,
        runtime: &tokio::runtime::Handle,
        outcomes: UnboundedSender<Outcome>,
    ) -> Self {
        let stop = Stop::new();
        let (id, token, timeout_ms) = (job.id, job.token, job.timeout_ms);
        let kind = job.kind.clone();
        let span = tracing::info_span!("job", id = id.0, kind, attempt = job.attempt);
        let context = JobContext::new(job, stop.clone());
        let given = context.clone();
        let task = runtime.spawn(
            async move {
                let work = AssertUnwindSafe(async { handler.run(given).await });
                let result = work
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|panic| Err(panicked(&*panic)));
                let _ = outcomes.send(Outcome { id, token, result });
            }
            .instrument(span),
        );
        Running {
            token,
            kind,
            deadline: Instant::now() + Duration::from_millis(timeout_ms),
            timeout_ms,
            phase: Phase::Working,
            why: None,
            context,
            stop,
            task,
        }
    }

    /// Tells the handler to stop, and gives it some time for that.
    pub(super) fn tell(&mut self, why: Why, grace: Duration) {
        if self.phase == Phase::Working {
            self.phase = Phase::Stopping(Instant::now() + grace);
            self.why = Some(why);
            self.stop.tell();
        }
    }

    /// Ends the handler at its next point of waiting.
    pub(super) fn end(&mut self) {
        self.stop.tell();
        self.task.abort();
        self.phase = Phase::Answered;
    }

    /// When it must be looked at.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Working => Some(self.deadline),
            Phase::Stopping(at) => Some(at.min(self.deadline)),
            Phase::Answered => None,
        }
    }
}
