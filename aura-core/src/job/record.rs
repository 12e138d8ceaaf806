//! A job as it is kept: what was asked, where it stands, what came of it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text::{MESSAGE_BYTES, cleaned};
use crate::{Error, ErrorKind};

/// The number of a job in its store. Numbers grow, are never used twice, and may have gaps; they fit the integers of JSON in
/// every language (below 2^53).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a job stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker, or for its time.
    Queued,
    /// A worker holds it under a lease.
    Processing,
    /// Finished, with a result.
    Done,
    /// Given up: its error was not to be retried, or its attempts were used up.
    Failed,
    /// Called off before it was done.
    Cancelled,
}

impl JobState {
    /// Every state, in the order of their numbers in a store.
    pub const ALL: [JobState; 5] = [
        JobState::Queued,
        JobState::Processing,
        JobState::Done,
        JobState::Failed,
        JobState::Cancelled,
    ];

    /// Returns the name as in JSON, for example `"queued"`.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Processing => "processing",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    /// Tells whether nothing more happens to a job in this state by itself.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            JobState::Done | JobState::Failed | JobState::Cancelled
        )
    }

    /// The number of the state in a store; never changed or used again.
    pub(crate) fn code(self) -> i16 {
        match self {
            JobState::Queued => 0,
            JobState::Processing => 1,
            JobState::Done => 2,
            JobState::Failed => 3,
            JobState::Cancelled => 4,
        }
    }

    pub(crate) fn from_code(code: i16) -> crate::Result<JobState> {
        JobState::ALL
            .into_iter()
            .find(|state| state.code() == code)
            .ok_or_else(|| {
                Error::invalid_data(format!(
                    "the table of jobs is damaged: {code} is no state; expected 0 to 4"
                ))
            })
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an attempt of a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobError {
    /// The code of an [`ErrorKind`](crate::ErrorKind) such as `UNAVAILABLE`, one of `PANIC`, `TIMEOUT` and `LEASE_EXPIRED`, or a
    /// word of the host.
    pub kind: String,
    /// What went wrong; at most 16 KiB, longer text is cut.
    pub message: String,
    /// Whether another attempt may succeed.
    #[serde(default)]
    pub retryable: bool,
}

impl JobError {
    /// The kind of an attempt whose handler panicked.
    pub const PANIC: &'static str = "PANIC";
    /// The kind of an attempt that took longer than the timeout of its job.
    pub const TIMEOUT: &'static str = "TIMEOUT";
    /// The kind of an attempt whose worker was not heard of until its lease ended.
    pub const LEASE_EXPIRED: &'static str = "LEASE_EXPIRED";

    /// Makes an error that no further attempt would cure.
    pub fn fatal(kind: impl Into<String>, message: impl Into<String>) -> Self {
        JobError {
            kind: kind.into(),
            message: message.into(),
            retryable: false,
        }
    }

    /// Makes an error that another attempt may cure.
    pub fn retryable(kind: impl Into<String>, message: impl Into<String>) -> Self {
        JobError {
            kind: kind.into(),
            message: message.into(),
            retryable: true,
        }
    }

    /// Makes an error of a message that may be no UTF-8, as it comes from a C host or another program; what is none is replaced by
    /// U+FFFD.
    pub fn from_bytes(kind: impl Into<String>, message: &[u8], retryable: bool) -> Self {
        JobError {
            kind: kind.into(),
            message: String::from_utf8_lossy(message).into_owned(),
            retryable,
        }
    }

    /// The error as it is kept: without NUL, which PostgreSQL refuses, and of bounded length.
    pub(crate) fn kept(self) -> Self {
        JobError {
            kind: cleaned(self.kind, 200),
            message: cleaned(self.message, MESSAGE_BYTES),
            retryable: self.retryable,
        }
    }
}

impl From<&Error> for JobError {
    /// Passing faults, reached limits and conflicts with other writers may be retried; the rest may not.
    fn from(error: &Error) -> Self {
        let retryable = match error.kind() {
            ErrorKind::Unavailable | ErrorKind::ResourceExhausted | ErrorKind::Conflict => true,
            ErrorKind::InvalidSpec
            | ErrorKind::InvalidData
            | ErrorKind::NotFound
            | ErrorKind::Denied
            | ErrorKind::Cancelled
            | ErrorKind::Internal => false,
        };
        JobError {
            kind: error.kind().code().to_owned(),
            message: error.message().to_owned(),
            retryable,
        }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        JobError::from(&error)
    }
}

/// A job. All times are microseconds since 1970-01-01T00:00:00Z by the clock of who wrote them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobRecord {
    /// The number of the job.
    pub id: JobId,
    /// The name of the operation.
    pub kind: String,
    /// What the operation shall do.
    pub spec: Value,
    /// Where the job stands.
    pub state: JobState,
    /// From -10 to 10; higher runs first.
    pub priority: i8,
    /// Attempts that were begun. Counted when a worker claims the job, so that a job that kills its process counts, too.
    pub attempt: u32,
    /// Attempts after which the job fails for good.
    pub max_attempts: u32,
    /// The earliest time at which the job, if queued, may be claimed.
    pub run_at_us: i64,
    /// Until when its worker holds it; while processing only.
    pub lease_until_us: Option<i64>,
    /// The fencing token: it grows with each claim, and only its holder's answers are taken. 0 before the first claim.
    pub token: i64,
    /// Who claimed it last; for people, nothing depends on it.
    pub worker: Option<String>,
    /// What the worker last said of its progress.
    pub progress: Option<Value>,
    /// Why the last attempt failed; kept while the job is tried again, gone when it is done.
    pub error: Option<JobError>,
    /// What came out; of a done job only.
    pub result: Option<Value>,
    /// Whether somebody wants it to stop; its worker has been or will be told.
    pub cancel_requested: bool,
    /// Milliseconds that an attempt may take.
    pub timeout_ms: u64,
    /// The key under which it is unique.
    pub unique_key: Option<String>,
    /// The key of the request that made it.
    pub idempotency_key: Option<String>,
    /// Who asked for it.
    pub actor: String,
    /// The request it belongs to.
    pub request_id: Option<String>,
    /// When it was enqueued.
    pub created_at_us: i64,
    /// When the latest attempt began.
    pub started_at_us: Option<i64>,
    /// When it came to a final state.
    pub finished_at_us: Option<i64>,
}
