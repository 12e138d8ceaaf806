//! The rules of jobs, written once for all stores: each operation on a transaction.
//!
//! Whatever an operation refuses, it refuses before it writes, so that a refused one leaves nothing behind in the transaction that it
//! shares with others. An error of the store itself ends the whole transaction.

mod enqueue;
mod take;

pub(crate) use enqueue::micros;
#[cfg(feature = "postgres")]
pub(crate) use enqueue::{MOST_SCHEDULES, tick_key, ticks_due};
#[cfg(feature = "postgres")]
pub(crate) use take::MOST_RESCUED;

use super::backoff::mixed;
use super::kind::KindRow;
use super::op::{Answer, Beat, Context, Effects, Held, Op};
use super::row::Row;
use super::schedule::{Schedule, ScheduleRecord};
use super::state::{AnyJob, Job, Processing, wrong_state};
use super::tx::Tx;
use super::{AuditEntry, JobError, JobId, JobState, KindSettings};
use crate::{Error, Result};

/// Why an operation has no answer.
pub(crate) enum Fault {
    /// The caller's own fault: nothing was written, and the transaction goes on.
    Refused(Error),
    /// The store's: the transaction ends.
    Store(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Store(error)
    }
}

/// The kind that stands for all kinds.
pub(crate) const ALL_KINDS: &str = "*";

/// Runs one operation. The inner result is for its caller; an outer error ends the transaction.
pub(crate) fn execute(
    tx: &mut dyn Tx,
    context: &Context,
    op: Op,
    effects: &mut Effects,
) -> Result<Result<Answer>> {
    let mut run = Run {
        tx,
        context,
        effects,
    };
    match run.run(op) {
        Ok(answer) => Ok(Ok(answer)),
        Err(Fault::Refused(error)) => Ok(Err(error)),
        Err(Fault::Store(error)) => Err(error),
    }
}

struct Run<'a> {
    tx: &'a mut dyn Tx,
    context: &'a Context,
    effects: &'a mut Effects,
}

impl Run<'_> {
    fn run(&mut self, op: Op) -> Result<Answer, Fault> {
        match op {
            Op::Enqueue(rows) => self.enqueue(rows),
            Op::Claim {
                kinds,
                limit,
                lease_us,
            } => self.claim(&kinds, limit, lease_us),
            Op::Beat { beats, lease_us } => self.beat(beats, lease_us),
            Op::Complete { id, token, result } => self.complete(id, token, result),
            Op::Fail { id, token, error } => self.fail(id, token, error),
            Op::Release { id, token } => self.release(id, token),
            Op::Cancel(id) => self.cancel(id),
            Op::Replay(id) => self.replay(id),
            Op::ReplayFailed { kind, limit } => self.replay_failed(kind.as_deref(), limit),
            Op::Prune {
                states,
                before_us,
                limit,
            } => self.prune(&states, before_us, limit),
            Op::SetKind { kind, settings } => self.set_kind(&kind, settings),
            Op::Pause { kind, paused } => {
                let before = self.tx.kind(&kind)?.unwrap_or_default().settings;
                self.set_kind(&kind, KindSettings { paused, ..before })
            }
            Op::PutSchedule(schedule) => self.put_schedule(*schedule),
            Op::DeleteSchedule(name) => self.delete_schedule(&name),
            Op::Tick => self.tick(),
            Op::Audit(entry) => {
                self.tx.audit(self.context.now_us, entry)?;
                Ok(Answer::Nothing)
            }
            Op::Seal { up_to } => {
                let context = self.context;
                let gone = self.tx.seal(
                    up_to,
                    context.now_us,
                    &context.actor,
                    context.request_id.as_deref(),
                )?;
                Ok(Answer::Count(gone))
            }
        }
    }

    fn entry(&self, action: &str, object: String, outcome: &str) -> AuditEntry {
        AuditEntry {
            actor: self.context.actor.clone(),
            action: action.to_owned(),
            object,
            outcome: outcome.to_owned(),
            request_id: self.context.request_id.clone(),
            detail: None,
        }
    }

    fn audit(&mut self, entry: AuditEntry) -> Result<()> {
        self.tx.audit(self.context.now_us, entry)
    }

    /// Writes a job that came from the state `from`, with its record in the log.
    fn moved(
        &mut self,
        from: JobState,
        row: &Row,
        action: &str,
        detail: Option<String>,
    ) -> Result<()> {
        self.tx.update(row)?;
        self.tx.count(&row.kind, Some(from), Some(row.state))?;
        let entry = AuditEntry {
            detail,
            ..self.entry(action, format!("job:{}", row.id), row.state.name())
        };
        self.audit(entry)?;
        if row.state.is_final() {
            self.effects.finished.push(row.id);
        }
        // What stopped running may make room for another of its kind.
        if row.state == JobState::Queued || from == JobState::Processing {
            self.effects.work = true;
        }
        Ok(())
    }

    fn find(&mut self, id: JobId) -> Result<Row, Fault> {
        self.tx.get(id)?.ok_or_else(|| {
            Fault::Refused(Error::not_found(format!(
                "there is no job {id}; it was never enqueued here, or its record was pruned"
            )))
        })
    }

    fn held(&mut self, id: JobId, token: i64, action: &str) -> Result<Job<Processing>, Fault> {
        let row = self.find(id)?;
        AnyJob::from(row)
            .processing(token, action)
            .map_err(Fault::Refused)
    }

    fn beat(&mut self, beats: Vec<Beat>, lease_us: i64) -> Result<Answer, Fault> {
        let mut answers = Vec::with_capacity(beats.len());
        for beat in beats {
            let Some(row) = self.tx.get(beat.id)? else {
                answers.push(Held::Lost);
                continue;
            };
            let Ok(job) = AnyJob::from(row).processing(beat.token, "be extended") else {
                answers.push(Held::Lost);
                continue;
            };
            let job = job.beat(self.context.now_us, lease_us, beat.progress);
            self.tx.update(job.row())?;
            answers.push(match job.row().cancel_requested {
                true => Held::CancelRequested,
                false => Held::Yes,
            });
        }
        Ok(Answer::Held(answers))
    }

    fn complete(&mut self, id: JobId, token: i64, result: String) -> Result<Answer, Fault> {
        let row = self.find(id)?;
        // The same answer again: the first one's acknowledgement was lost on its way.
        if row.state == JobState::Done && row.token == token {
            return Ok(Answer::Row(Box::new(row)));
        }
        let job = AnyJob::from(row)
            .processing(token, "be completed")
            .map_err(Fault::Refused)?;
        let row = job.complete(result, self.context.now_us).into_row();
        self.moved(JobState::Processing, &row, "job.complete", None)?;
        Ok(Answer::Row(Box::new(row)))
    }

    fn fail(&mut self, id: JobId, token: i64, error: JobError) -> Result<Answer, Fault> {
        let job = self.held(id, token, "fail")?;
        let row = self.end_attempt(job, error, None)?;
        Ok(Answer::Row(Box::new(row)))
    }

    /// Ends an attempt that failed: another one, or none.
    fn end_attempt(
        &mut self,
        job: Job<Processing>,
        error: JobError,
        action: Option<&str>,
    ) -> Result<Row> {
        let now_us = self.context.now_us;
        let error = error.kept();
        let detail = Some(error.kind.clone());
        let (row, own_action) = {
            let row = job.row();
            if row.cancel_requested {
                (job.stop(Some(error), now_us).into_row(), "job.stop")
            } else if error.retryable && row.attempt < row.max_attempts {
                let random = mixed(self.context.random, row.id.0.unsigned_abs());
                let wait_ms = row.retry.wait_ms(row.attempt, random);
                let wait_us = i64::try_from(wait_ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
                (job.retry(error, now_us, wait_us).into_row(), "job.retry")
            } else {
                (job.fail(error, now_us).into_row(), "job.fail")
            }
        };
        self.moved(
            JobState::Processing,
            &row,
            action.unwrap_or(own_action),
            detail,
        )?;
        Ok(row)
    }

    fn release(&mut self, id: JobId, token: i64) -> Result<Answer, Fault> {
        let job = self.held(id, token, "be released")?;
        let now_us = self.context.now_us;
        let (row, action) = match job.row().cancel_requested {
            true => (job.stop(None, now_us).into_row(), "job.stop"),
            false => (job.release(now_us).into_row(), "job.release"),
        };
        self.moved(JobState::Processing, &row, action, None)?;
        Ok(Answer::Row(Box::new(row)))
    }

    fn cancel(&mut self, id: JobId) -> Result<Answer, Fault> {
        let row = self.find(id)?;
        let row = match AnyJob::from(row) {
            AnyJob::Queued(job) => {
                let row = job.cancel(self.context.now_us).into_row();
                self.moved(JobState::Queued, &row, "job.cancel", None)?;
                row
            }
            AnyJob::Processing(job) if job.row().cancel_requested => job.into_row(),
            AnyJob::Processing(job) => {
                let row = job.request_cancel().into_row();
                self.tx.update(&row)?;
                let entry = self.entry("job.request_cancel", format!("job:{id}"), row.state.name());
                self.audit(entry)?;
                self.effects.cancelled.push(id);
                row
            }
            AnyJob::Cancelled(job) => job.into_row(),
            AnyJob::Done(job) => {
                return Err(Fault::Refused(wrong_state(job.row(), "be cancelled")));
            }
            AnyJob::Failed(job) => {
                return Err(Fault::Refused(wrong_state(job.row(), "be cancelled")));
            }
        };
        Ok(Answer::Row(Box::new(row)))
    }

    fn replay(&mut self, id: JobId) -> Result<Answer, Fault> {
        let row = self.find(id)?;
        let from = row.state;
        let now_us = self.context.now_us;
        let row = match AnyJob::from(row) {
            AnyJob::Failed(job) => job.replay(now_us).into_row(),
            AnyJob::Cancelled(job) => job.replay(now_us).into_row(),
            AnyJob::Queued(job) => {
                return Err(Fault::Refused(wrong_state(job.row(), "be replayed")));
            }
            AnyJob::Processing(job) => {
                return Err(Fault::Refused(wrong_state(job.row(), "be replayed")));
            }
            AnyJob::Done(job) => {
                return Err(Fault::Refused(wrong_state(job.row(), "be replayed")));
            }
        };
        self.moved(from, &row, "job.replay", None)?;
        Ok(Answer::Row(Box::new(row)))
    }

    fn replay_failed(&mut self, kind: Option<&str>, limit: u32) -> Result<Answer, Fault> {
        let mut replayed = 0;
        for row in self.tx.failed(kind, limit.into())? {
            if let AnyJob::Failed(job) = AnyJob::from(row) {
                let row = job.replay(self.context.now_us).into_row();
                self.moved(JobState::Failed, &row, "job.replay", None)?;
                replayed += 1;
            }
        }
        Ok(Answer::Count(replayed))
    }

    fn prune(&mut self, states: &[JobState], before_us: i64, limit: u32) -> Result<Answer, Fault> {
        if let Some(state) = states.iter().find(|state| !state.is_final()) {
            return Err(Fault::Refused(Error::invalid_spec(format!(
                "prune: jobs that are {state} are not finished; expected done, failed and cancelled"
            ))));
        }
        let mut gone: u64 = 0;
        for state in states {
            let room = u64::from(limit).saturating_sub(gone);
            for (id, kind) in self.tx.finished(*state, before_us, room)? {
                self.tx.delete(id)?;
                self.tx.count(&kind, Some(*state), None)?;
                gone += 1;
            }
        }
        if gone > 0 {
            let names: Vec<&str> = states.iter().map(|state| state.name()).collect();
            let entry = AuditEntry {
                detail: Some(format!("{gone} finished before {before_us}")),
                ..self.entry("job.prune", format!("jobs:{}", names.join(",")), "removed")
            };
            self.audit(entry)?;
        }
        Ok(Answer::Count(gone))
    }

    fn set_kind(&mut self, kind: &str, settings: KindSettings) -> Result<Answer, Fault> {
        settings.check().map_err(Fault::Refused)?;
        if kind == ALL_KINDS && (settings.max_running.is_some() || settings.rate.is_some()) {
            return Err(Fault::Refused(Error::invalid_spec(
                "job kind `*`: all kinds together can be paused, and have no `max_running` and no `rate`; set them for each kind",
            )));
        }
        let before = self.tx.kind(kind)?.unwrap_or_default();
        let row = KindRow { settings, ..before };
        self.tx.put_kind(kind, &row)?;
        let detail = serde_json::to_string(&settings)
            .map_err(|e| Error::internal("settings cannot be written").with_source(e))?;
        let outcome = match settings.paused {
            true => "paused",
            false => "open",
        };
        let entry = AuditEntry {
            detail: Some(detail),
            ..self.entry("kind.set", format!("kind:{kind}"), outcome)
        };
        self.audit(entry)?;
        self.effects.work = true;
        Ok(Answer::Nothing)
    }

    fn put_schedule(&mut self, schedule: Schedule) -> Result<Answer, Fault> {
        let ticks = schedule.ticks().map_err(Fault::Refused)?;
        let before = self.tx.schedule(&schedule.name)?;
        // The same pattern keeps its place: a process that puts its schedules at every start skips no tick.
        let next_at_us = match &before {
            Some(before)
                if before.schedule.cron == schedule.cron
                    && before.schedule.time_zone == schedule.time_zone =>
            {
                before.next_at_us
            }
            _ => ticks.after(self.context.now_us),
        };
        let record = ScheduleRecord {
            next_at_us,
            last_at_us: before.as_ref().and_then(|before| before.last_at_us),
            schedule,
        };
        if before.as_ref() != Some(&record) {
            self.tx.put_schedule(&record)?;
            let entry = AuditEntry {
                detail: Some(record.schedule.cron.clone()),
                ..self.entry(
                    "schedule.put",
                    format!("schedule:{}", record.schedule.name),
                    "set",
                )
            };
            self.audit(entry)?;
            self.effects.work = true;
        }
        Ok(Answer::Schedule(Box::new(record)))
    }

    fn delete_schedule(&mut self, name: &str) -> Result<Answer, Fault> {
        if !self.tx.delete_schedule(name)? {
            return Err(Fault::Refused(Error::not_found(format!(
                "there is no schedule `{name}`"
            ))));
        }
        let entry = self.entry("schedule.delete", format!("schedule:{name}"), "removed");
        self.audit(entry)?;
        Ok(Answer::Nothing)
    }
}
