//! Giving jobs to workers, and taking them back from workers that are gone.

use super::super::state::AnyJob;
use super::*;

/// Most orphans that one claim rescues.
pub(crate) const MOST_RESCUED: u64 = 100;

impl Run<'_> {
    pub(super) fn claim(
        &mut self,
        kinds: &[String],
        limit: u32,
        lease_us: i64,
    ) -> Result<Answer, Fault> {
        self.rescue()?;
        let now_us = self.context.now_us;
        let mut next_at_us: Option<i64> = None;
        let mut ready = Vec::new();
        let all_paused = self
            .tx
            .kind(ALL_KINDS)?
            .is_some_and(|all| all.settings.paused);
        let kinds = match all_paused {
            true => &[],
            false => kinds,
        };
        for kind in kinds {
            let wanted = u64::from(limit);
            let settings = self.tx.kind(kind)?;
            let room = match &settings {
                None => wanted,
                Some(settings) => settings.room(self.tx.running(kind)?, wanted, now_us),
            };
            let found = self.tx.ready(kind, now_us, room)?;
            if (found.len() as u64) < wanted
                && let Some(at) = self.tx.next_ready_us(kind)?
            {
                let at = match &settings {
                    // What is ready waits for room; when the rate makes some is known, the rest is told.
                    Some(settings) if at <= now_us => settings.next_start_us(now_us),
                    _ => at,
                };
                if at > now_us {
                    next_at_us = Some(next_at_us.map_or(at, |next| next.min(at)));
                }
            }
            ready.extend(found);
        }
        ready.sort_unstable_by_key(Row::order);
        ready.truncate(limit as usize);
        let mut rows = Vec::with_capacity(ready.len());
        for row in ready {
            let AnyJob::Queued(job) = AnyJob::from(row) else {
                return Err(Error::internal("a job that is not queued was ready").into());
            };
            let row = job.claim(&self.context.actor, now_us, lease_us).into_row();
            self.moved(
                JobState::Queued,
                &row,
                "job.claim",
                Some(format!("token {}", row.token)),
            )?;
            rows.push(row);
        }
        for kind in kinds {
            let started = rows.iter().filter(|row| row.kind == *kind).count() as u64;
            if started > 0
                && let Some(mut settings) = self.tx.kind(kind)?
                && settings.settings.rate.is_some()
            {
                settings.start(started, now_us);
                self.tx.put_kind(kind, &settings)?;
            }
        }
        Ok(Answer::Claimed { rows, next_at_us })
    }

    /// Takes the jobs back whose lease ended. Who held them does not matter.
    fn rescue(&mut self) -> Result<()> {
        for row in self.tx.expired(self.context.now_us, MOST_RESCUED)? {
            let AnyJob::Processing(job) = AnyJob::from(row) else {
                return Err(Error::internal(
                    "a job that is not being processed has a lease",
                ));
            };
            let held = job.row();
            let error = JobError::retryable(
                JobError::LEASE_EXPIRED,
                format!(
                    "attempt {} of {} was not finished: its worker {} was not heard of until its lease ended; it crashed, hung or lost its connection",
                    held.attempt,
                    held.max_attempts,
                    held.worker.as_deref().unwrap_or("(unknown)")
                ),
            );
            self.end_attempt(job, error, Some("job.rescue"))?;
            self.effects.rescued += 1;
        }
        Ok(())
    }
}
