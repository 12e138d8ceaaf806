//! Kinds, schedules, and what becomes of old jobs.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Jobs, unexpected};
use crate::job::execute::ALL_KINDS;
use crate::job::op::{Answer, Op};
use crate::job::spec::check_name;
use crate::job::{JobRecord, JobState, KindSettings, Schedule, ScheduleRecord};
use crate::{Error, ErrorKind, Result};

/// Which finished jobs to remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prune {
    /// Those that finished before this time, in microseconds since 1970-01-01T00:00:00Z.
    pub before_us: i64,
    /// Those in these states (default done and cancelled, so that failed ones stay for a look).
    #[serde(default = "done_and_cancelled")]
    pub states: Vec<JobState>,
    /// Most jobs in one transaction, from 1 to 100,000 (default 1,000).
    #[serde(default = "thousand")]
    pub limit: u32,
}

fn done_and_cancelled() -> Vec<JobState> {
    vec![JobState::Done, JobState::Cancelled]
}

fn thousand() -> u32 {
    1_000
}

impl Prune {
    /// Asks for done and cancelled jobs that finished before `before_us`.
    pub fn before_us(before_us: i64) -> Self {
        Prune {
            before_us,
            states: done_and_cancelled(),
            limit: thousand(),
        }
    }

    /// Sets the states.
    #[must_use]
    pub fn states(mut self, states: impl IntoIterator<Item = JobState>) -> Self {
        self.states = states.into_iter().collect();
        self
    }

    /// Sets the most jobs.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }
}

/// How many jobs of a kind stand in each state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KindCounts {
    /// The kind.
    pub kind: String,
    /// Queued jobs, those that wait for their time included.
    pub queued: u64,
    /// Jobs being processed.
    pub processing: u64,
    /// Done jobs that were not pruned.
    pub done: u64,
    /// Failed jobs that were not pruned.
    pub failed: u64,
    /// Cancelled jobs that were not pruned.
    pub cancelled: u64,
}

impl Jobs {
    /// Counts the jobs of each kind. The counts are kept with every change, so that asking costs nothing however many jobs there are.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn counts(&self) -> Result<Vec<KindCounts>> {
        let counts = self.store().counts().await?;
        let counts = counts.0.into_iter();
        Ok(counts
            .map(|(kind, counts)| {
                let [queued, processing, done, failed, cancelled] =
                    counts.map(|n| u64::try_from(n).unwrap_or(0));
                KindCounts {
                    kind,
                    queued,
                    processing,
                    done,
                    failed,
                    cancelled,
                }
            })
            .collect())
    }

    /// Sets what holds for all jobs of a kind, in all processes.
    ///
    /// # Errors
    /// `InvalidSpec` for settings out of their bounds; `Unavailable` when the store cannot be used now.
    pub async fn set_kind(&self, kind: &str, settings: KindSettings) -> Result<()> {
        check_name("the kind", kind, 200)?;
        let kind = kind.to_owned();
        self.run(Op::SetKind { kind, settings }).await.map(|_| ())
    }

    /// Returns the settings of the kinds that have any; the kind `*` stands for all.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn kinds(&self) -> Result<Vec<(String, KindSettings)>> {
        self.store().kinds().await
    }

    /// Gives no more jobs of `kind` (of any kind without) to workers, in all processes. Those that run go on.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn pause(&self, kind: Option<&str>) -> Result<()> {
        self.set_paused(kind, true).await
    }

    /// Undoes [`pause`](Self::pause).
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn resume(&self, kind: Option<&str>) -> Result<()> {
        self.set_paused(kind, false).await
    }

    async fn set_paused(&self, kind: Option<&str>, paused: bool) -> Result<()> {
        let kind = kind.unwrap_or(ALL_KINDS);
        check_name("the kind", kind, 200)?;
        let kind = kind.to_owned();
        self.run(Op::Pause { kind, paused }).await.map(|_| ())
    }

    /// Pauses, and waits until no job of `kind` (of any kind without) is being processed.
    ///
    /// # Errors
    /// `Unavailable` when some still are after `timeout`; the pause stays.
    pub async fn drain(&self, kind: Option<&str>, timeout: Duration) -> Result<()> {
        self.pause(kind).await?;
        let signals = self.store().signals();
        let _interest = signals.interest();
        let mut changed = signals.changed();
        let empty = async {
            loop {
                changed.mark_unchanged();
                let counts = self.store().counts().await?;
                let running: i64 = match kind {
                    Some(kind) => counts.of(kind, JobState::Processing),
                    None => counts
                        .0
                        .keys()
                        .map(|kind| counts.of(kind, JobState::Processing))
                        .sum(),
                };
                if running <= 0 {
                    return Ok(());
                }
                let _ = tokio::time::timeout(super::LOOK, changed.changed()).await;
            }
        };
        tokio::time::timeout(timeout, empty)
            .await
            .unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Unavailable,
                    format!(
                        "some jobs are still being processed after {timeout:?}; the pause stays"
                    ),
                ))
            })
    }

    /// Removes finished jobs. Returns how many; fewer than `limit` means that none are left. Their records in the audit log stay.
    ///
    /// # Errors
    /// `InvalidSpec` for states that are not final, or a limit out of its bounds; `Unavailable` when the store cannot be used now.
    pub async fn prune(&self, prune: &Prune) -> Result<u64> {
        if !(1..=100_000).contains(&prune.limit) {
            return Err(Error::invalid_spec(format!(
                "prune: `limit` is {}; expected 1 to 100000",
                prune.limit
            )));
        }
        let op = Op::Prune {
            states: prune.states.clone(),
            before_us: prune.before_us,
            limit: prune.limit,
        };
        self.count(op).await
    }

    /// Tries failed jobs (of one kind) anew, those that failed first coming first. Returns how many.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn replay_failed(&self, kind: Option<&str>, limit: u32) -> Result<u64> {
        let kind = kind.map(str::to_owned);
        self.count(Op::ReplayFailed { kind, limit }).await
    }

    pub(super) async fn count(&self, op: Op) -> Result<u64> {
        match self.run(op).await? {
            Answer::Count(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }

    /// Sets a schedule. Under a name that is there, it replaces that schedule; with the same pattern and zone it keeps its next tick, so that
    /// a program may put its schedules whenever it starts.
    ///
    /// # Errors
    /// `InvalidSpec` for a wrong name, pattern, zone or job; `Unavailable` when the store cannot be used now.
    pub async fn put_schedule(&self, schedule: &Schedule) -> Result<ScheduleRecord> {
        schedule.job.checked(self.settings().max_spec_bytes)?;
        let op = Op::PutSchedule(Box::new(schedule.clone()));
        match self.run(op).await? {
            Answer::Schedule(record) => Ok(*record),
            other => Err(unexpected(&other)),
        }
    }

    /// Removes a schedule. Jobs that it has enqueued stay.
    ///
    /// # Errors
    /// `NotFound` when there is none of this name; `Unavailable` when the store cannot be used now.
    pub async fn delete_schedule(&self, name: &str) -> Result<()> {
        self.run(Op::DeleteSchedule(name.to_owned()))
            .await
            .map(|_| ())
    }

    /// Returns the schedules, by name.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn schedules(&self) -> Result<Vec<ScheduleRecord>> {
        self.store().schedules().await
    }

    /// Enqueues what schedules have due now, and returns those jobs. A pool does this by itself; who steps by hand calls it now and then.
    /// However many processes do, each tick gets one job.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be used now.
    pub async fn tick(&self) -> Result<Vec<JobRecord>> {
        match self.run(Op::Tick).await? {
            Answer::Rows(rows) => rows.into_iter().map(|row| row.into_record()).collect(),
            other => Err(unexpected(&other)),
        }
    }
}
