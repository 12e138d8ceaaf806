//! A job as stores hold it: JSON stays text until somebody looks at it.

use serde_json::Value;

use super::{JobError, JobId, JobRecord, JobState, Retry};
use crate::{Error, Result};

/// A job in a store. What its fields mean is said at [`JobRecord`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: JobId,
    pub(crate) kind: String,
    pub(crate) spec: String,
    pub(crate) state: JobState,
    pub(crate) priority: i8,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    pub(crate) run_at_us: i64,
    pub(crate) lease_until_us: Option<i64>,
    pub(crate) token: i64,
    pub(crate) worker: Option<String>,
    pub(crate) progress: Option<String>,
    pub(crate) error: Option<JobError>,
    pub(crate) result: Option<String>,
    pub(crate) cancel_requested: bool,
    pub(crate) timeout_ms: u64,
    pub(crate) retry: Retry,
    pub(crate) unique_key: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) actor: String,
    pub(crate) request_id: Option<String>,
    pub(crate) created_at_us: i64,
    pub(crate) started_at_us: Option<i64>,
    pub(crate) finished_at_us: Option<i64>,
}

impl Row {
    /// Reads the JSON.
    pub(crate) fn into_record(self) -> Result<JobRecord> {
        let id = self.id;
        let json = |what: &str, text: &str| -> Result<Value> {
            serde_json::from_str(text).map_err(|e| {
                Error::invalid_data(format!("the {what} of job {id} is damaged: {e}"))
                    .with_source(e)
            })
        };
        Ok(JobRecord {
            spec: json("spec", &self.spec)?,
            progress: self
                .progress
                .map(|text| json("progress", &text))
                .transpose()?,
            result: self.result.map(|text| json("result", &text)).transpose()?,
            id,
            kind: self.kind,
            state: self.state,
            priority: self.priority,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            run_at_us: self.run_at_us,
            lease_until_us: self.lease_until_us,
            token: self.token,
            worker: self.worker,
            error: self.error,
            cancel_requested: self.cancel_requested,
            timeout_ms: self.timeout_ms,
            unique_key: self.unique_key,
            idempotency_key: self.idempotency_key,
            actor: self.actor,
            request_id: self.request_id,
            created_at_us: self.created_at_us,
            started_at_us: self.started_at_us,
            finished_at_us: self.finished_at_us,
        })
    }

    /// Whether a worker in need of a job would take this one before the other.
    pub(crate) fn order(&self) -> (i16, i64, JobId) {
        (-i16::from(self.priority), self.run_at_us, self.id)
    }
}
