//! What every store of jobs does: memory, SQLite, PostgreSQL.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::{AuditHead, AuditRecord, Sealed};
use super::op::{Answer, Context, Op};
use super::row::Row;
use super::schedule::ScheduleRecord;
use super::signals::Signals;
use super::tx::Counts;
use super::{JobId, JobState, KindSettings};
use crate::Result;

/// Which jobs to list. Without anything: the latest 100.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JobFilter {
    /// Only jobs in this state.
    pub state: Option<JobState>,
    /// Only jobs of this kind.
    pub kind: Option<String>,
    /// Only jobs before this one; for the next page the last of the page before.
    pub before: Option<JobId>,
    /// Most jobs, from 1 to 1,000 (default 100).
    pub limit: Option<u32>,
}

/// The little of a job that those look at who wait for it or work on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glance {
    pub(crate) id: JobId,
    pub(crate) state: JobState,
    pub(crate) token: i64,
    pub(crate) cancel_requested: bool,
}

/// A store of jobs.
#[async_trait]
pub(crate) trait JobStore: Send + Sync + std::fmt::Debug {
    /// Does `op`, and answers when that is durable.
    async fn run(&self, context: Context, op: Op) -> Result<Answer>;

    async fn get(&self, id: JobId) -> Result<Option<Row>>;

    /// Jobs, the latest first.
    async fn list(&self, filter: JobFilter) -> Result<Vec<Row>>;

    /// What of `ids` is there.
    async fn glance(&self, ids: Vec<JobId>) -> Result<Vec<Glance>>;

    async fn counts(&self) -> Result<Counts>;

    async fn kinds(&self) -> Result<Vec<(String, KindSettings)>>;

    async fn schedules(&self) -> Result<Vec<ScheduleRecord>>;

    /// Records after the place `after`, in their order.
    async fn audit_page(&self, after: i64, limit: u32) -> Result<Vec<AuditRecord>>;

    /// Both ends of the log.
    async fn audit_ends(&self) -> Result<(Option<Sealed>, AuditHead)>;

    fn signals(&self) -> &Signals;
}
