//! The state machine: which state follows which, as types.
//!
//! A `Job<S>` is a job known to stand in the state `S`, and has the transitions of that state and no others: to complete a
//! job that is only queued does not compile. At the boundary, where the state is known at run time only, [`AnyJob`] sorts a
//! row into its type, and whoever needs another state gets `Conflict`.
//!
//! | from | transition | to |
//! |---|---|---|
//! | queued | claim | processing |
//! | queued | cancel | cancelled |
//! | processing | complete | done |
//! | processing | retry | queued |
//! | processing | fail | failed |
//! | processing | stop | cancelled |
//! | processing | release | queued |
//! | failed, cancelled | replay | queued |

use std::marker::PhantomData;

use super::row::Row;
use super::{JobError, JobState};
use crate::{Error, ErrorKind, Result};

/// The states as types.
#[derive(Debug)]
pub(crate) enum Queued {}
#[derive(Debug)]
pub(crate) enum Processing {}
#[derive(Debug)]
pub(crate) enum Done {}
#[derive(Debug)]
pub(crate) enum Failed {}
#[derive(Debug)]
pub(crate) enum Cancelled {}

/// A state from which a job is tried anew.
pub(crate) trait Replayable {}
impl Replayable for Failed {}
impl Replayable for Cancelled {}

/// A job in the state `S`.
#[derive(Debug)]
pub(crate) struct Job<S> {
    row: Row,
    state: PhantomData<S>,
}

/// A job in a state that is known at run time only.
#[derive(Debug)]
pub(crate) enum AnyJob {
    Queued(Job<Queued>),
    Processing(Job<Processing>),
    Done(Job<Done>),
    Failed(Job<Failed>),
    Cancelled(Job<Cancelled>),
}

impl From<Row> for AnyJob {
    fn from(row: Row) -> Self {
        match row.state {
            JobState::Queued => AnyJob::Queued(Job::of(row)),
            JobState::Processing => AnyJob::Processing(Job::of(row)),
            JobState::Done => AnyJob::Done(Job::of(row)),
            JobState::Failed => AnyJob::Failed(Job::of(row)),
            JobState::Cancelled => AnyJob::Cancelled(Job::of(row)),
        }
    }
}

impl<S> Job<S> {
    fn of(row: Row) -> Self {
        Job {
            row,
            state: PhantomData,
        }
    }

    fn become_state<T>(mut self, state: JobState) -> Job<T> {
        self.row.state = state;
        Job::of(self.row)
    }

    pub(crate) fn row(&self) -> &Row {
        &self.row
    }

    pub(crate) fn into_row(self) -> Row {
        self.row
    }

    fn finish<T>(mut self, state: JobState, now_us: i64) -> Job<T> {
        self.row.lease_until_us = None;
        self.row.finished_at_us = Some(now_us);
        self.become_state(state)
    }
}

impl Job<Queued> {
    /// A worker takes the job: the attempt is counted, the token grows.
    pub(crate) fn claim(mut self, worker: &str, now_us: i64, lease_us: i64) -> Job<Processing> {
        self.row.attempt = self.row.attempt.saturating_add(1);
        self.row.token += 1;
        self.row.worker = Some(worker.to_owned());
        self.row.lease_until_us = Some(now_us.saturating_add(lease_us));
        self.row.started_at_us = Some(now_us);
        self.row.progress = None;
        self.become_state(JobState::Processing)
    }

    /// The job is called off before anybody began it.
    pub(crate) fn cancel(mut self, now_us: i64) -> Job<Cancelled> {
        self.row.cancel_requested = true;
        self.finish(JobState::Cancelled, now_us)
    }
}

impl Job<Processing> {
    /// Asks for the holder of `token`.
    ///
    /// # Errors
    /// `Conflict` when another claim came after that with this token.
    pub(crate) fn held_by(self, token: i64) -> Result<Self> {
        if self.row.token == token {
            return Ok(self);
        }
        Err(stale(&self.row, token))
    }

    /// The worker is still at it.
    pub(crate) fn beat(mut self, now_us: i64, lease_us: i64, progress: Option<String>) -> Self {
        self.row.lease_until_us = Some(now_us.saturating_add(lease_us));
        if progress.is_some() {
            self.row.progress = progress;
        }
        self
    }

    /// Somebody wants the job to stop; its worker will see it.
    pub(crate) fn request_cancel(mut self) -> Self {
        self.row.cancel_requested = true;
        self
    }

    /// The attempt succeeded.
    pub(crate) fn complete(mut self, result: String, now_us: i64) -> Job<Done> {
        self.row.result = Some(result);
        self.row.error = None;
        self.finish(JobState::Done, now_us)
    }

    /// The attempt failed, and there will be another after `wait_us`.
    pub(crate) fn retry(mut self, error: JobError, now_us: i64, wait_us: i64) -> Job<Queued> {
        self.row.error = Some(error);
        self.row.lease_until_us = None;
        self.row.run_at_us = now_us.saturating_add(wait_us);
        self.become_state(JobState::Queued)
    }

    /// The attempt failed, and it was the last.
    pub(crate) fn fail(mut self, error: JobError, now_us: i64) -> Job<Failed> {
        self.row.error = Some(error);
        self.finish(JobState::Failed, now_us)
    }

    /// The worker stopped as it was asked to.
    pub(crate) fn stop(mut self, error: Option<JobError>, now_us: i64) -> Job<Cancelled> {
        self.row.error = error;
        self.finish(JobState::Cancelled, now_us)
    }

    /// The worker gives the job back, at its own wish: the attempt does not count.
    pub(crate) fn release(mut self, now_us: i64) -> Job<Queued> {
        self.row.attempt = self.row.attempt.saturating_sub(1);
        self.row.lease_until_us = None;
        self.row.run_at_us = now_us;
        self.become_state(JobState::Queued)
    }
}

impl<S: Replayable> Job<S> {
    /// The job is tried anew, with all its attempts. The token goes on growing.
    pub(crate) fn replay(mut self, now_us: i64) -> Job<Queued> {
        self.row.attempt = 0;
        self.row.cancel_requested = false;
        self.row.error = None;
        self.row.progress = None;
        self.row.finished_at_us = None;
        self.row.run_at_us = now_us;
        self.become_state(JobState::Queued)
    }
}

/// The error of an answer that comes too late.
fn stale(row: &Row, token: i64) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "job {} is held with token {}, not {token}: its lease ended and another worker has it; this answer is dropped",
            row.id, row.token
        ),
    )
}

impl AnyJob {
    /// Asks for a job that is being processed under `token`.
    ///
    /// # Errors
    /// `Conflict` in any other state, and for another token.
    pub(crate) fn processing(self, token: i64, action: &str) -> Result<Job<Processing>> {
        match self {
            AnyJob::Processing(job) => job.held_by(token),
            AnyJob::Queued(job) => Err(wrong_state(job.row(), action)),
            AnyJob::Done(job) => Err(wrong_state(job.row(), action)),
            AnyJob::Failed(job) => Err(wrong_state(job.row(), action)),
            AnyJob::Cancelled(job) => Err(wrong_state(job.row(), action)),
        }
    }
}

/// The error of a transition that the state of the job does not have.
pub(crate) fn wrong_state(row: &Row, action: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("job {} is {} and cannot {action}", row.id, row.state),
    )
}
