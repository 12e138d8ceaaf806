//! What the rules of jobs need of a store within a transaction.

use std::collections::BTreeMap;

use super::kind::KindRow;
use super::row::Row;
use super::schedule::ScheduleRecord;
use super::{AuditEntry, JobId, JobState};
use crate::Result;

/// A transaction. Errors are those of the store itself and end it; no rule is checked here.
pub(crate) trait Tx {
    fn get(&mut self, id: JobId) -> Result<Option<Row>>;
    /// Gives the row its number.
    fn insert(&mut self, row: Row) -> Result<Row>;
    fn update(&mut self, row: &Row) -> Result<()>;
    fn delete(&mut self, id: JobId) -> Result<()>;

    fn by_idempotency_key(&mut self, key: &str) -> Result<Option<Row>>;
    /// The latest job of `kind` with the key that stands in one of `states` and was made after `after_us`.
    fn by_unique_key(
        &mut self,
        kind: &str,
        key: &str,
        states: &[JobState],
        after_us: Option<i64>,
    ) -> Result<Option<Row>>;
    /// Queued jobs of `kind` with `run_at_us` up to `now_us`, in the order of [`Row::order`].
    fn ready(&mut self, kind: &str, now_us: i64, limit: u64) -> Result<Vec<Row>>;
    /// The earliest `run_at_us` of a queued job of `kind`.
    fn next_ready_us(&mut self, kind: &str) -> Result<Option<i64>>;
    /// Jobs being processed whose lease ended before `now_us`, the longest first.
    fn expired(&mut self, now_us: i64, limit: u64) -> Result<Vec<Row>>;
    /// The numbers and kinds of jobs that came to `state` before `before_us`.
    fn finished(
        &mut self,
        state: JobState,
        before_us: i64,
        limit: u64,
    ) -> Result<Vec<(JobId, String)>>;
    /// Failed jobs, those that failed first coming first.
    fn failed(&mut self, kind: Option<&str>, limit: u64) -> Result<Vec<Row>>;

    fn kind(&mut self, kind: &str) -> Result<Option<KindRow>>;
    fn put_kind(&mut self, kind: &str, row: &KindRow) -> Result<()>;
    /// Jobs of `kind` that are being processed.
    fn running(&mut self, kind: &str) -> Result<u64>;
    /// Notes that a job of `kind` went from one state to another; `None` is none at all.
    fn count(&mut self, kind: &str, from: Option<JobState>, to: Option<JobState>) -> Result<()>;

    fn schedule(&mut self, name: &str) -> Result<Option<ScheduleRecord>>;
    fn put_schedule(&mut self, record: &ScheduleRecord) -> Result<()>;
    fn delete_schedule(&mut self, name: &str) -> Result<bool>;
    fn due_schedules(&mut self, now_us: i64, limit: u64) -> Result<Vec<ScheduleRecord>>;

    fn audit(&mut self, at_us: i64, entry: AuditEntry) -> Result<()>;
    /// Removes the records up to `up_to` and keeps their seal. Returns how many went; 0 when there is nothing to seal.
    fn seal(
        &mut self,
        up_to: i64,
        at_us: i64,
        actor: &str,
        request_id: Option<&str>,
    ) -> Result<u64>;
}

/// How many jobs of each kind stand in each state (by the state's number).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts(pub(crate) BTreeMap<String, [i64; 5]>);

impl Counts {
    pub(crate) fn note(&mut self, kind: &str, from: Option<JobState>, to: Option<JobState>) {
        if !self.0.contains_key(kind) {
            self.0.insert(kind.to_owned(), [0; 5]);
        }
        if let Some(counts) = self.0.get_mut(kind) {
            for (state, step) in [(from, -1), (to, 1)] {
                if let Some(state) = state
                    && let Some(count) = counts.get_mut(usize::from(state.code().unsigned_abs()))
                {
                    *count += step;
                }
            }
        }
    }

    pub(crate) fn of(&self, kind: &str, state: JobState) -> i64 {
        self.0
            .get(kind)
            .and_then(|counts| counts.get(usize::from(state.code().unsigned_abs())))
            .copied()
            .unwrap_or(0)
    }
}
