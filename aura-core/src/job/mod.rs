//! Jobs: work that is written down before it is begun, and is finished whatever happens to the process that began it.
//!
//! A job names an operation and its spec, and goes from `queued` over `processing` to `done`, `failed` or `cancelled`. A worker holds it
//! under a lease; when the worker is not heard of any more, another takes it. Only the latest holder's answer is kept. Every transition is
//! written to an audit log in the same transaction. See `docs/jobs.md`.
//!
//! This room runs and records operations, and computes none of them.

mod audit;
mod backoff;
mod breaker;
mod execute;
mod handler;
mod jobs;
mod kind;
mod memory;
mod metrics;
mod op;
mod operations;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod row;
mod schedule;
mod settings;
mod signals;
mod spec;
mod sqlite;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod text;
mod tx;

pub use audit::{AuditEntry, AuditHead, AuditRecord, AuditReport};
pub use breaker::BreakerSettings;
pub use handler::{Handler, JobContext, blocking};
pub use jobs::{Claim, Claimed, Enqueued, Heartbeat, Jobs, JobsBuilder, KindCounts, Prune};
pub use kind::{KindSettings, Rate};
pub use op::Held;
pub use operations::{
    AnalysisJob, IngestJob, InsightsJob, MetricsJob, ReportJob, SqlJob, TableResult, operations,
};
pub use pool::{Pool, PoolBuilder, PoolSettings, PoolStats};
pub use record::{JobError, JobId, JobRecord, JobState};
pub use schedule::{CatchUp, Schedule, ScheduleRecord};
pub use settings::JobSettings;
pub use spec::{JobSpec, Retry, Unique};
pub use store::JobFilter;

/// The example of the page on jobs, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/jobs.md")]
pub struct Page;
