//! What can be asked of a store, as values: a store takes many at once and answers them after one commit.

use super::row::Row;
use super::schedule::ScheduleRecord;
use super::{AuditEntry, JobError, JobId, JobState, KindSettings, Schedule};

/// Who asks, when, and with what randomness. Stores read no clock and draw nothing.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) now_us: i64,
    pub(crate) actor: String,
    pub(crate) request_id: Option<String>,
    pub(crate) random: u64,
}

/// A job to be enqueued, checked and with its times set.
#[derive(Debug, Clone)]
pub(crate) struct NewRow {
    pub(crate) row: Row,
    /// States and microseconds back from now in which another job with the same unique key stands for this one.
    pub(crate) unique: Option<(Vec<JobState>, Option<i64>)>,
}

/// A sign of life of a worker for one of its jobs.
#[derive(Debug, Clone)]
pub(crate) struct Beat {
    pub(crate) id: JobId,
    pub(crate) token: i64,
    pub(crate) progress: Option<String>,
}

/// What a worker learns of a job that it holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Go on.
    Yes,
    /// Somebody wants it to stop: stop, and say so with `fail`.
    CancelRequested,
    /// Another worker has it, or it is finished: stop; no answer will be taken.
    Lost,
}

/// A question that changes something.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Enqueue(Vec<NewRow>),
    /// Rescues what lost its worker, and takes jobs.
    Claim {
        kinds: Vec<String>,
        limit: u32,
        lease_us: i64,
    },
    Beat {
        beats: Vec<Beat>,
        lease_us: i64,
    },
    Complete {
        id: JobId,
        token: i64,
        result: String,
    },
    Fail {
        id: JobId,
        token: i64,
        error: JobError,
    },
    Release {
        id: JobId,
        token: i64,
    },
    Cancel(JobId),
    Replay(JobId),
    ReplayFailed {
        kind: Option<String>,
        limit: u32,
    },
    Prune {
        states: Vec<JobState>,
        before_us: i64,
        limit: u32,
    },
    SetKind {
        kind: String,
        settings: KindSettings,
    },
    /// Pauses a kind, or lets it go on; its other settings stay.
    Pause {
        kind: String,
        paused: bool,
    },
    PutSchedule(Box<Schedule>),
    DeleteSchedule(String),
    /// Enqueues what schedules have due; each new row is made from its schedule's job.
    Tick,
    Audit(AuditEntry),
    Seal {
        up_to: i64,
    },
}

/// An answer to an [`Op`].
#[derive(Debug)]
pub(crate) enum Answer {
    /// The jobs, and of each whether it is new.
    Enqueued(Vec<(Row, bool)>),
    Claimed {
        rows: Vec<Row>,
        /// When there may be more, if nothing else happens.
        next_at_us: Option<i64>,
    },
    Held(Vec<Held>),
    Row(Box<Row>),
    Rows(Vec<Row>),
    Count(u64),
    Schedule(Box<ScheduleRecord>),
    Nothing,
}

/// What a transaction did that others wait for.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Jobs that came to a final state.
    pub(crate) finished: Vec<JobId>,
    /// Jobs being processed that shall stop.
    pub(crate) cancelled: Vec<JobId>,
    /// Whether a worker may find something to do that was not there before.
    pub(crate) work: bool,
    /// Attempts that ended by rescue.
    pub(crate) rescued: u64,
}
