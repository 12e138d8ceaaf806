//! One group of operations on the tables.

use rusqlite::{Connection, OptionalExtension, params};

use super::read::{self, COLUMNS};
use super::schema::{meta_int, set_meta};
use crate::job::audit::{AuditEntry, Chain, Sealed};
use crate::job::kind::KindRow;
use crate::job::row::Row;
use crate::job::schedule::ScheduleRecord;
use crate::job::tx::{Counts, Tx};
use crate::job::{JobId, JobState};
use crate::store::sql_error::sql_error as sql;
use crate::{Error, Result};

/// A transaction of the writer. What changes with every operation (counts, the end of the log, the next number) is held here and
/// written once, by [`finish`](Self::finish).
pub(super) struct Transaction<'a> {
    conn: &'a Connection,
    chain: Option<Chain>,
    next_id: Option<i64>,
    counts: Counts,
}

fn write_error(e: rusqlite::Error) -> Error {
    sql("cannot write the jobs", e)
}

fn read_error(e: rusqlite::Error) -> Error {
    sql("cannot read the jobs", e)
}

impl<'a> Transaction<'a> {
    pub(super) fn new(conn: &'a Connection) -> Self {
        Transaction {
            conn,
            chain: None,
            next_id: None,
            counts: Counts::default(),
        }
    }

    /// Writes what was held back. Returns whether the log grew.
    pub(super) fn finish(self) -> Result<bool> {
        for (kind, [queued, processing, done, failed, cancelled]) in &self.counts.0 {
            self.conn
                .prepare_cached(
                    "INSERT INTO aura_job_count (kind, queued, processing, done, failed, cancelled)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (kind) DO UPDATE SET queued = queued + excluded.queued,
                         processing = processing + excluded.processing, done = done + excluded.done,
                         failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled",
                )
                .and_then(|mut s| {
                    s.execute(params![kind, queued, processing, done, failed, cancelled])
                })
                .map_err(write_error)?;
        }
        if let Some(next_id) = self.next_id {
            set_meta(self.conn, "next_id", &next_id.to_string())?;
        }
        let Some(chain) = self.chain else {
            return Ok(false);
        };
        set_meta(self.conn, "audit_seq", &chain.head.seq.to_string())?;
        set_meta(self.conn, "audit_hash", &chain.head.hash)?;
        Ok(true)
    }

    fn rows(&self, condition: &str, params: impl rusqlite::Params) -> Result<Vec<Row>> {
        let query = format!("SELECT {COLUMNS} FROM aura_job WHERE {condition}");
        read::jobs(self.conn, &query, params)
    }

    /// The next lower priority of a queued job of `kind`.
    fn priority_below(&self, kind: &str, priority: i64) -> Result<Option<i64>> {
        self.conn
            .prepare_cached(
                "SELECT max(priority) FROM aura_job WHERE state = 0 AND kind = ?1 AND priority < ?2",
            )
            .and_then(|mut s| s.query_row(params![kind, priority], |r| r.get(0)))
            .map_err(read_error)
    }
}

impl Tx for Transaction<'_> {
    fn get(&mut self, id: JobId) -> Result<Option<Row>> {
        read::get(self.conn, id)
    }

    fn insert(&mut self, mut row: Row) -> Result<Row> {
        let id = match self.next_id {
            Some(id) => id,
            None => meta_int(self.conn, "next_id")?,
        };
        self.next_id = Some(id + 1);
        row.id = JobId(id);
        self.conn
            .prepare_cached(
                "INSERT INTO aura_job (id, kind, spec, state, priority, attempt, max_attempts, run_at_us, token, cancel_requested, timeout_ms,
                     retry_base_ms, retry_cap_ms, unique_key, idempotency_key, actor, request_id, created_at_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    id,
                    row.kind,
                    row.spec,
                    row.state.code(),
                    row.priority,
                    row.attempt,
                    row.max_attempts,
                    row.run_at_us,
                    row.token,
                    row.cancel_requested,
                    row.timeout_ms as i64,
                    row.retry.base_ms as i64,
                    row.retry.cap_ms as i64,
                    row.unique_key,
                    row.idempotency_key,
                    row.actor,
                    row.request_id,
                    row.created_at_us,
                ])
            })
            .map_err(write_error)?;
        Ok(row)
    }

    fn update(&mut self, row: &Row) -> Result<()> {
        let error = row
            .error
            .as_ref()
            .map(serde_json::to_string)
            .transpose()
            .map_err(|e| Error::internal("an error cannot be written").with_source(e))?;
        let changed = self
            .conn
            .prepare_cached(
                "UPDATE aura_job SET state = ?2, attempt = ?3, run_at_us = ?4, lease_until_us = ?5, token = ?6, worker = ?7,
                     progress = ?8, error = ?9, result = ?10, cancel_requested = ?11, started_at_us = ?12, finished_at_us = ?13
                 WHERE id = ?1",
            )
            .and_then(|mut s| {
                s.execute(params![
                    row.id.0,
                    row.state.code(),
                    row.attempt,
                    row.run_at_us,
                    row.lease_until_us,
                    row.token,
                    row.worker,
                    row.progress,
                    error,
                    row.result,
                    row.cancel_requested,
                    row.started_at_us,
                    row.finished_at_us,
                ])
            })
            .map_err(write_error)?;
        match changed {
            1 => Ok(()),
            _ => Err(Error::internal(format!(
                "job {} vanished within a transaction",
                row.id
            ))),
        }
    }

    fn delete(&mut self, id: JobId) -> Result<()> {
        self.conn
            .prepare_cached("DELETE FROM aura_job WHERE id = ?1")
            .and_then(|mut s| s.execute([id.0]))
            .map(|_| ())
            .map_err(write_error)
    }

    fn by_idempotency_key(&mut self, key: &str) -> Result<Option<Row>> {
        Ok(self.rows("idempotency_key = ?1", [key])?.pop())
    }

    fn by_unique_key(
        &mut self,
        kind: &str,
        key: &str,
        states: &[JobState],
        after_us: Option<i64>,
    ) -> Result<Option<Row>> {
        let codes: Vec<String> = states.iter().map(|s| s.code().to_string()).collect();
        let condition = format!(
            "unique_key = ?1 AND kind = ?2 AND created_at_us > ?3 AND state IN ({}) ORDER BY id DESC LIMIT 1",
            codes.join(",")
        );
        let after = after_us.unwrap_or(i64::MIN);
        Ok(self.rows(&condition, params![key, kind, after])?.pop())
    }

    fn ready(&mut self, kind: &str, now_us: i64, limit: u64) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        let mut below = i64::MAX;
        while (found.len() as u64) < limit
            && let Some(priority) = self.priority_below(kind, below)?
        {
            let room = limit - found.len() as u64;
            let mut rows = self.rows(
                "state = 0 AND kind = ?1 AND priority = ?2 AND run_at_us <= ?3 ORDER BY run_at_us, id LIMIT ?4",
                params![kind, priority, now_us, room as i64],
            )?;
            found.append(&mut rows);
            below = priority;
        }
        Ok(found)
    }

    fn next_ready_us(&mut self, kind: &str) -> Result<Option<i64>> {
        let mut next: Option<i64> = None;
        let mut below = i64::MAX;
        while let Some(priority) = self.priority_below(kind, below)? {
            let at: Option<i64> = self
                .conn
                .prepare_cached(
                    "SELECT min(run_at_us) FROM aura_job WHERE state = 0 AND kind = ?1 AND priority = ?2",
                )
                .and_then(|mut s| s.query_row(params![kind, priority], |r| r.get(0)))
                .map_err(read_error)?;
            next = match (next, at) {
                (Some(next), Some(at)) => Some(next.min(at)),
                (next, at) => next.or(at),
            };
            below = priority;
        }
        Ok(next)
    }

    fn expired(&mut self, now_us: i64, limit: u64) -> Result<Vec<Row>> {
        self.rows(
            "state = 1 AND lease_until_us < ?1 ORDER BY lease_until_us, id LIMIT ?2",
            [now_us, limit as i64],
        )
    }

    fn finished(
        &mut self,
        state: JobState,
        before_us: i64,
        limit: u64,
    ) -> Result<Vec<(JobId, String)>> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT id, kind FROM aura_job
                 WHERE state >= 2 AND state = ?1 AND finished_at_us < ?2 ORDER BY finished_at_us, id LIMIT ?3",
            )
            .map_err(read_error)?;
        let rows = statement
            .query_map([state.code().into(), before_us, limit as i64], |r| {
                Ok((JobId(r.get(0)?), r.get(1)?))
            })
            .map_err(read_error)?;
        rows.collect::<rusqlite::Result<_>>().map_err(read_error)
    }

    fn failed(&mut self, kind: Option<&str>, limit: u64) -> Result<Vec<Row>> {
        self.rows(
            "state >= 2 AND state = 3 AND (?1 IS NULL OR kind = ?1) ORDER BY finished_at_us, id LIMIT ?2",
            params![kind, limit as i64],
        )
    }

    fn kind(&mut self, kind: &str) -> Result<Option<KindRow>> {
        let found: Option<(String, i64)> = self
            .conn
            .prepare_cached("SELECT settings, arrival_us FROM aura_job_kind WHERE kind = ?1")
            .and_then(|mut s| {
                s.query_row([kind], |r| Ok((r.get(0)?, r.get(1)?)))
                    .optional()
            })
            .map_err(read_error)?;
        found
            .map(|(text, arrival_us)| {
                Ok(KindRow {
                    settings: read::settings(kind, &text)?,
                    arrival_us,
                })
            })
            .transpose()
    }

    fn put_kind(&mut self, kind: &str, row: &KindRow) -> Result<()> {
        let settings = serde_json::to_string(&row.settings)
            .map_err(|e| Error::internal("settings cannot be written").with_source(e))?;
        self.conn
            .prepare_cached(
                "INSERT INTO aura_job_kind (kind, settings, arrival_us) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind) DO UPDATE SET settings = excluded.settings, arrival_us = excluded.arrival_us",
            )
            .and_then(|mut s| s.execute(params![kind, settings, row.arrival_us]))
            .map(|_| ())
            .map_err(write_error)
    }

    fn running(&mut self, kind: &str) -> Result<u64> {
        let stored: Option<i64> = self
            .conn
            .prepare_cached("SELECT processing FROM aura_job_count WHERE kind = ?1")
            .and_then(|mut s| s.query_row([kind], |r| r.get(0)).optional())
            .map_err(read_error)?;
        let running = stored.unwrap_or(0) + self.counts.of(kind, JobState::Processing);
        Ok(u64::try_from(running).unwrap_or(0))
    }

    fn count(&mut self, kind: &str, from: Option<JobState>, to: Option<JobState>) -> Result<()> {
        self.counts.note(kind, from, to);
        Ok(())
    }

    fn schedule(&mut self, name: &str) -> Result<Option<ScheduleRecord>> {
        Ok(read::schedules_where(self.conn, "name = ?1", [name])?.pop())
    }

    fn put_schedule(&mut self, record: &ScheduleRecord) -> Result<()> {
        let text = serde_json::to_string(&record.schedule)
            .map_err(|e| Error::internal("a schedule cannot be written").with_source(e))?;
        self.conn
            .prepare_cached(
                "INSERT INTO aura_job_schedule (name, schedule, next_at_us, last_at_us) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET schedule = excluded.schedule, next_at_us = excluded.next_at_us,
                     last_at_us = excluded.last_at_us",
            )
            .and_then(|mut s| {
                s.execute(params![
                    record.schedule.name,
                    text,
                    record.next_at_us,
                    record.last_at_us
                ])
            })
            .map(|_| ())
            .map_err(write_error)
    }

    fn delete_schedule(&mut self, name: &str) -> Result<bool> {
        self.conn
            .prepare_cached("DELETE FROM aura_job_schedule WHERE name = ?1")
            .and_then(|mut s| s.execute([name]))
            .map(|gone| gone > 0)
            .map_err(write_error)
    }

    fn due_schedules(&mut self, now_us: i64, limit: u64) -> Result<Vec<ScheduleRecord>> {
        read::schedules_where(
            self.conn,
            "next_at_us <= ?1 ORDER BY next_at_us, name LIMIT ?2",
            [now_us, limit as i64],
        )
    }

    fn audit(&mut self, at_us: i64, entry: AuditEntry) -> Result<()> {
        let chain = match &mut self.chain {
            Some(chain) => chain,
            empty => empty.insert(Chain {
                head: read::head(self.conn)?,
            }),
        };
        let record = chain.add(at_us, entry)?;
        self.conn
            .prepare_cached(
                "INSERT INTO aura_audit (seq, at_us, actor, action, object, outcome, request_id, detail, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    record.seq,
                    record.at_us,
                    record.actor,
                    record.action,
                    record.object,
                    record.outcome,
                    record.request_id,
                    record.detail,
                    record.hash,
                ])
            })
            .map(|_| ())
            .map_err(write_error)
    }

    fn seal(
        &mut self,
        up_to: i64,
        at_us: i64,
        actor: &str,
        request_id: Option<&str>,
    ) -> Result<u64> {
        let last: Option<Sealed> = self
            .conn
            .prepare_cached(
                "SELECT seq, hash FROM aura_audit WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
            )
            .and_then(|mut s| {
                s.query_row([up_to], |r| {
                    Ok(Sealed {
                        seq: r.get(0)?,
                        hash: r.get(1)?,
                    })
                })
                .optional()
            })
            .map_err(read_error)?;
        let Some(sealed) = last else {
            return Ok(0);
        };
        let gone = self
            .conn
            .prepare_cached("DELETE FROM aura_audit WHERE seq <= ?1")
            .and_then(|mut s| s.execute([sealed.seq]))
            .map_err(write_error)?;
        let text = serde_json::to_string(&sealed)
            .map_err(|e| Error::internal("a seal cannot be written").with_source(e))?;
        set_meta(self.conn, "audit_seal", &text)?;
        self.audit(at_us, sealed.entry(actor, request_id))?;
        Ok(gone as u64)
    }
}
