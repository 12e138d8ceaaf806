//! New jobs: those that somebody asks for, and those of schedules.

use super::super::op::NewRow;
use super::super::row::Row;
use super::super::schedule::{CatchUp, MOST_TICKS, ScheduleRecord, Ticks};
use super::super::{JobId, JobState};
use super::*;

impl Run<'_> {
    pub(super) fn enqueue(&mut self, rows: Vec<NewRow>) -> Result<Answer, Fault> {
        self.refuse_other_jobs(&rows)?;
        let mut answers = Vec::with_capacity(rows.len());
        for new in rows {
            answers.push(self.enqueue_one(new)?);
        }
        Ok(Answer::Enqueued(answers))
    }

    /// A key that was used for another job is a fault of the caller.
    fn refuse_other_jobs(&mut self, rows: &[NewRow]) -> Result<(), Fault> {
        for (at, new) in rows.iter().enumerate() {
            let Some(key) = &new.row.idempotency_key else {
                continue;
            };
            let earlier = rows
                .iter()
                .take(at)
                .map(|new| &new.row)
                .find(|row| row.idempotency_key.as_ref() == Some(key));
            let differs = |row: &Row| row.kind != new.row.kind || row.spec != new.row.spec;
            let other = match earlier {
                Some(row) => differs(row).then(|| "another job of the same call".to_owned()),
                None => self
                    .tx
                    .by_idempotency_key(key)?
                    .filter(differs)
                    .map(|row| format!("job {}, which is another `{}`", row.id, row.kind)),
            };
            if let Some(other) = other {
                return Err(Fault::Refused(Error::new(
                    crate::ErrorKind::Conflict,
                    format!(
                        "the idempotency key \"{key}\" was used for {other}; the same key asks for the same kind and spec, a new job takes a new key"
                    ),
                )));
            }
        }
        Ok(())
    }

    fn enqueue_one(&mut self, new: NewRow) -> Result<(Row, bool), Fault> {
        if let Some(key) = &new.row.idempotency_key
            && let Some(there) = self.tx.by_idempotency_key(key)?
        {
            return Ok((there, false));
        }
        if let Some(key) = &new.row.unique_key
            && let Some((states, period_us)) = &new.unique
        {
            let after_us = period_us.map(|period| self.context.now_us.saturating_sub(period));
            if let Some(there) = self
                .tx
                .by_unique_key(&new.row.kind, key, states, after_us)?
            {
                return Ok((there, false));
            }
        }
        let row = self.tx.insert(new.row)?;
        self.tx.count(&row.kind, None, Some(JobState::Queued))?;
        let entry = AuditEntry {
            actor: row.actor.clone(),
            request_id: row.request_id.clone(),
            detail: Some(row.kind.clone()),
            ..self.entry("job.enqueue", format!("job:{}", row.id), row.state.name())
        };
        self.audit(entry)?;
        self.effects.work = true;
        Ok((row, true))
    }

    pub(super) fn tick(&mut self) -> Result<Answer, Fault> {
        let mut enqueued = Vec::new();
        let due_now = self.tx.due_schedules(self.context.now_us, MOST_SCHEDULES)?;
        for mut record in due_now {
            // A pattern that an older version could read, or that somebody wrote into the table: it must not stop the others.
            let Ok(ticks) = record.schedule.ticks() else {
                record.next_at_us = None;
                self.tx.put_schedule(&record)?;
                let entry = self.entry(
                    "schedule.stop",
                    format!("schedule:{}", record.schedule.name),
                    "unreadable",
                );
                self.audit(entry)?;
                continue;
            };
            for tick_us in due(&record, &ticks, self.context.now_us) {
                let new = self.row_of(&record, tick_us)?;
                let (row, _) = self.enqueue_one(new)?;
                enqueued.push(row);
                record.last_at_us = Some(tick_us);
                record.next_at_us = ticks.after(tick_us);
            }
            self.tx.put_schedule(&record)?;
        }
        Ok(Answer::Rows(enqueued))
    }

    fn row_of(&self, record: &ScheduleRecord, tick_us: i64) -> Result<NewRow> {
        let schedule = &record.schedule;
        let spec = serde_json::to_string(&schedule.job.spec)
            .map_err(|e| Error::internal("a spec cannot be written").with_source(e))?;
        let mut new = NewRow::of(&schedule.job, spec, self.context);
        new.row.run_at_us = tick_us;
        new.row.actor = format!("schedule:{}", schedule.name);
        new.row.idempotency_key = Some(tick_key(record, tick_us));
        Ok(new)
    }
}

/// Most schedules that one look serves.
pub(crate) const MOST_SCHEDULES: u64 = 100;

/// The idempotency key of the job of a tick.
pub(crate) fn tick_key(record: &ScheduleRecord, tick_us: i64) -> String {
    format!("schedule:{}:{tick_us}", record.schedule.name)
}

/// The ticks of a schedule for which there shall be jobs now; none when its pattern cannot be read.
#[cfg(feature = "postgres")]
pub(crate) fn ticks_due(record: &ScheduleRecord, now_us: i64) -> Vec<i64> {
    match record.schedule.ticks() {
        Ok(ticks) => due(record, &ticks, now_us),
        Err(_) => Vec::new(),
    }
}

/// The ticks of a schedule for which there shall be jobs now.
fn due(record: &ScheduleRecord, ticks: &Ticks, now_us: i64) -> Vec<i64> {
    let Some(first) = record.next_at_us.filter(|at| *at <= now_us) else {
        return Vec::new();
    };
    match record.schedule.catch_up {
        CatchUp::Latest => vec![ticks.up_to(now_us).map_or(first, |last| last.max(first))],
        CatchUp::All => std::iter::successors(Some(first), |at| ticks.after(*at))
            .take_while(|at| *at <= now_us)
            .take(MOST_TICKS)
            .collect(),
    }
}

impl NewRow {
    /// The row of a spec that was checked; `spec` is its spec as text.
    pub(crate) fn of(job: &super::super::JobSpec, spec: String, context: &Context) -> Self {
        let now_us = context.now_us;
        let delay_us = job.delay_ms.map_or(0, micros);
        NewRow {
            unique: job
                .unique
                .as_ref()
                .map(|unique| (unique.states.clone(), unique.period_ms.map(micros))),
            row: Row {
                id: JobId(0),
                kind: job.kind.clone(),
                spec,
                state: JobState::Queued,
                priority: job.priority,
                attempt: 0,
                max_attempts: job.max_attempts,
                run_at_us: job.run_at_us.unwrap_or(now_us.saturating_add(delay_us)),
                lease_until_us: None,
                token: 0,
                worker: None,
                progress: None,
                error: None,
                result: None,
                cancel_requested: false,
                timeout_ms: job.timeout_ms,
                retry: job.retry,
                unique_key: job.unique.as_ref().map(|unique| unique.key.clone()),
                idempotency_key: job.idempotency_key.clone(),
                actor: context.actor.clone(),
                request_id: context.request_id.clone(),
                created_at_us: now_us,
                started_at_us: None,
                finished_at_us: None,
            },
        }
    }
}

/// Milliseconds as microseconds.
pub(crate) fn micros(ms: u64) -> i64 {
    i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX)
}
