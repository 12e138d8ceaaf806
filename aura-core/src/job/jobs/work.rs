//! What a worker asks: for work, for more time, and to take its answer.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Jobs, unexpected};
use crate::job::execute::micros;
use crate::job::op::{Answer, Beat, Op};
use crate::job::spec::{LONGEST_MS, check_name, check_size};
use crate::job::{Held, JobError, JobId, JobRecord};
use crate::{Error, Result};

/// A worker's request for jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The kinds that it can do, at most 1,000.
    pub kinds: Vec<String>,
    /// Most jobs, from 1 to 1,000 (default 1).
    #[serde(default = "one")]
    pub limit: u32,
    /// The worker's name, for people.
    #[serde(default)]
    pub worker: String,
    /// Milliseconds until the first sign of life is due, from 100 to 31 days (default that of the settings).
    #[serde(default)]
    pub lease_ms: Option<u64>,
}

fn one() -> u32 {
    1
}

impl Claim {
    /// Asks for one job of these kinds.
    pub fn of<K: Into<String>>(kinds: impl IntoIterator<Item = K>) -> Self {
        Claim {
            kinds: kinds.into_iter().map(Into::into).collect(),
            limit: 1,
            worker: String::new(),
            lease_ms: None,
        }
    }

    /// Sets how many.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the worker's name.
    #[must_use]
    pub fn worker(mut self, worker: impl Into<String>) -> Self {
        self.worker = worker.into();
        self
    }

    /// Sets the length of the lease.
    #[must_use]
    pub fn lease_ms(mut self, lease_ms: u64) -> Self {
        self.lease_ms = Some(lease_ms);
        self
    }
}

/// Jobs that a worker got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claimed {
    /// The jobs, in their order. Each is held under its `token` until its `lease_until_us`.
    pub jobs: Vec<JobRecord>,
    /// When there may be more if nothing else happens, in microseconds since 1970-01-01T00:00:00Z: a job that waits for its time, or for the rate
    /// of its kind.
    pub next_at_us: Option<i64>,
}

/// A worker's sign of life for one of its jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The job.
    pub id: JobId,
    /// The token under which it is held.
    pub token: i64,
    /// How far it is, in the words of its operation.
    #[serde(default)]
    pub progress: Option<Value>,
}

impl Jobs {
    /// Takes jobs to work on: the highest priority first, then the one that waits longest. Jobs whose worker is gone are taken back first.
    ///
    /// # Errors
    /// `InvalidSpec` for a request out of its bounds; `Unavailable` when the store cannot be used now.
    pub async fn claim(&self, claim: &Claim) -> Result<Claimed> {
        if !(1..=1_000).contains(&claim.limit) || claim.kinds.len() > 1_000 {
            return Err(Error::invalid_spec(format!(
                "claim: {} jobs of {} kinds; expected 1 to 1000 jobs of at most 1000 kinds",
                claim.limit,
                claim.kinds.len()
            )));
        }
        let mut kinds = claim.kinds.clone();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in &kinds {
            check_name("a claim's kind", kind, 200)?;
        }
        let lease_us = self.lease_us(claim.lease_ms)?;
        let mut context = self.context();
        if !claim.worker.is_empty() {
            check_name("a claim's `worker`", &claim.worker, 200)?;
            context.actor.clone_from(&claim.worker);
        }
        let op = Op::Claim {
            kinds,
            limit: claim.limit,
            lease_us,
        };
        match self.store().run(context, op).await? {
            Answer::Claimed { rows, next_at_us } => {
                let now_us = self.clock().now_us();
                for row in &rows {
                    self.metrics().claimed(row, now_us);
                }
                let jobs = rows.into_iter().map(|row| row.into_record());
                Ok(Claimed {
                    jobs: jobs.collect::<Result<_>>()?,
                    next_at_us,
                })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Takes jobs as [`claim`](Self::claim) does, and waits up to `longest` for some when there are none. This is the loop of a worker that steps
    /// by hand.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub async fn claim_within(&self, claim: &Claim, longest: Duration) -> Result<Claimed> {
        let signals = self.store().signals();
        let _interest = signals.interest();
        let mut work = signals.work();
        let deadline = tokio::time::Instant::now() + longest;
        loop {
            work.mark_unchanged();
            let claimed = self.claim(claim).await?;
            let now = tokio::time::Instant::now();
            if !claimed.jobs.is_empty() || now >= deadline {
                return Ok(claimed);
            }
            // A look now and then, for leases that end.
            let mut look = deadline.min(now + super::LOOK);
            if let Some(at) = claimed.next_at_us {
                let wait = at.saturating_sub(self.clock().now_us()).max(1_000);
                look = look.min(now + Duration::from_micros(wait.unsigned_abs()));
            }
            let _ = tokio::time::timeout_at(look, work.changed()).await;
        }
    }

    pub(crate) fn lease_us(&self, lease_ms: Option<u64>) -> Result<i64> {
        let lease_ms = lease_ms.unwrap_or(self.settings().lease_ms);
        if !(100..=LONGEST_MS).contains(&lease_ms) {
            return Err(Error::invalid_spec(format!(
                "`lease_ms` is {lease_ms}; expected 100 to {LONGEST_MS}"
            )));
        }
        Ok(micros(lease_ms))
    }

    /// Gives signs of life for jobs, and holds each for another lease. Returns for each whether it is still held; without `lease_ms` the
    /// lease is that of the settings.
    ///
    /// # Errors
    /// `ResourceExhausted` for a progress larger than [`max_result_bytes`](crate::job::JobSettings::max_result_bytes); `Unavailable` when the
    /// store cannot be used now.
    pub async fn heartbeat(&self, beats: &[Heartbeat], lease_ms: Option<u64>) -> Result<Vec<Held>> {
        let lease_us = self.lease_us(lease_ms)?;
        let beats = beats
            .iter()
            .map(|beat| {
                let progress = beat.progress.as_ref().map(|p| self.json("progress", p));
                Ok(Beat {
                    id: beat.id,
                    token: beat.token,
                    progress: progress.transpose()?,
                })
            })
            .collect::<Result<_>>()?;
        match self.run(Op::Beat { beats, lease_us }).await? {
            Answer::Held(held) => Ok(held),
            other => Err(unexpected(&other)),
        }
    }

    fn json(&self, what: &str, value: &Value) -> Result<String> {
        let text = serde_json::to_string(value).map_err(|e| {
            Error::invalid_spec(format!("job: the {what} cannot be written as JSON: {e}"))
        })?;
        check_size(what, &text, self.settings().max_result_bytes)?;
        Ok(text)
    }

    /// Ends a job with its result. Said twice with the same token, it is taken once.
    ///
    /// # Errors
    /// `Conflict` when the job is not held under `token` any more: the answer is dropped; `ResourceExhausted` for a result larger than
    /// [`max_result_bytes`](crate::job::JobSettings::max_result_bytes); `NotFound` when there is no such job.
    pub async fn complete(&self, id: JobId, token: i64, result: &Value) -> Result<JobRecord> {
        let result = self.json("result", result)?;
        self.end(Op::Complete { id, token, result }).await
    }

    /// Ends an attempt with an error: the job is queued again after its backoff if the error is retryable and attempts are left, cancelled
    /// if somebody asked for that, and failed otherwise.
    ///
    /// # Errors
    /// `Conflict` when the job is not held under `token` any more; `NotFound` when there is no such job.
    pub async fn fail(&self, id: JobId, token: i64, error: &JobError) -> Result<JobRecord> {
        let error = error.clone();
        self.end(Op::Fail { id, token, error }).await
    }

    /// Gives a job back unfinished, as a worker does that shuts down. The attempt does not count.
    ///
    /// # Errors
    /// As [`fail`](Self::fail).
    pub async fn release(&self, id: JobId, token: i64) -> Result<JobRecord> {
        self.end(Op::Release { id, token }).await
    }

    /// Ends an attempt.
    async fn end(&self, op: Op) -> Result<JobRecord> {
        match self.run(op).await? {
            Answer::Row(row) => {
                self.metrics().ended(&row, self.clock().now_us());
                row.into_record()
            }
            other => Err(unexpected(&other)),
        }
    }
}
