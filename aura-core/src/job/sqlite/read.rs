//! What is read outside of transactions, and how rows become values.

use rusqlite::{Connection, OptionalExtension, params};

use super::schema::{meta, meta_int};
use crate::job::audit::{AuditHead, AuditRecord, Sealed};
use crate::job::row::Row;
use crate::job::schedule::ScheduleRecord;
use crate::job::store::{Glance, JobFilter};
use crate::job::tx::Counts;
use crate::job::{JobId, JobState, KindSettings, Retry};
use crate::store::sql_error::sql_error as sql;
use crate::{Error, Result};

/// The columns of a job, in the order of [`job`].
pub(super) const COLUMNS: &str = "id, kind, spec, state, priority, attempt, max_attempts, run_at_us, lease_until_us, token, worker, \
     progress, error, result, cancel_requested, timeout_ms, retry_base_ms, retry_cap_ms, unique_key, idempotency_key, actor, request_id, \
     created_at_us, started_at_us, finished_at_us";

fn read_error(e: rusqlite::Error) -> Error {
    sql("cannot read the jobs", e)
}

/// A row of the table; the state is checked by [`finish`].
fn job(r: &rusqlite::Row<'_>) -> rusqlite::Result<(Row, i16, Option<String>)> {
    let row = Row {
        id: JobId(r.get(0)?),
        kind: r.get(1)?,
        spec: r.get(2)?,
        state: JobState::Queued,
        priority: r.get(4)?,
        attempt: r.get(5)?,
        max_attempts: r.get(6)?,
        run_at_us: r.get(7)?,
        lease_until_us: r.get(8)?,
        token: r.get(9)?,
        worker: r.get(10)?,
        progress: r.get(11)?,
        error: None,
        result: r.get(13)?,
        cancel_requested: r.get(14)?,
        timeout_ms: r.get::<_, i64>(15)?.unsigned_abs(),
        retry: Retry {
            base_ms: r.get::<_, i64>(16)?.unsigned_abs(),
            cap_ms: r.get::<_, i64>(17)?.unsigned_abs(),
        },
        unique_key: r.get(18)?,
        idempotency_key: r.get(19)?,
        actor: r.get(20)?,
        request_id: r.get(21)?,
        created_at_us: r.get(22)?,
        started_at_us: r.get(23)?,
        finished_at_us: r.get(24)?,
    };
    Ok((row, r.get(3)?, r.get(12)?))
}

fn finish((mut row, state, error): (Row, i16, Option<String>)) -> Result<Row> {
    row.state = JobState::from_code(state)?;
    row.error = error
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| {
            Error::invalid_data(format!("the error of job {} is damaged: {e}", row.id))
                .with_source(e)
        })?;
    Ok(row)
}

/// Runs a query whose columns are [`COLUMNS`].
pub(super) fn jobs(
    conn: &Connection,
    query: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<Row>> {
    let mut statement = conn.prepare_cached(query).map_err(read_error)?;
    let rows = statement.query_map(params, job).map_err(read_error)?;
    rows.map(|row| row.map_err(read_error).and_then(finish))
        .collect()
}

pub(super) fn get(conn: &Connection, id: JobId) -> Result<Option<Row>> {
    let found = conn
        .prepare_cached(&format!("SELECT {COLUMNS} FROM aura_job WHERE id = ?1"))
        .and_then(|mut s| s.query_row([id.0], job).optional())
        .map_err(read_error)?;
    found.map(finish).transpose()
}

pub(super) fn list(conn: &Connection, filter: &JobFilter) -> Result<Vec<Row>> {
    // The state is part of the text: only a literal lets SQLite take the index of that state.
    let state = filter
        .state
        .map(|state| format!("AND state = {}", state.code()))
        .unwrap_or_default();
    let kind = match filter.kind {
        Some(_) => "AND kind = ?2",
        None => "AND ?2 IS NULL",
    };
    let query = format!(
        "SELECT {COLUMNS} FROM aura_job WHERE id < ?1 {state} {kind} ORDER BY id DESC LIMIT ?3"
    );
    let before = filter.before.map_or(i64::MAX, |id| id.0);
    let limit = filter.limit.unwrap_or(100);
    jobs(conn, &query, params![before, filter.kind, limit])
}

pub(super) fn glance(conn: &Connection, ids: &[JobId]) -> Result<Vec<Glance>> {
    let mut found = Vec::with_capacity(ids.len());
    let mut statement = conn
        .prepare_cached("SELECT state, token, cancel_requested FROM aura_job WHERE id = ?1")
        .map_err(read_error)?;
    for id in ids {
        let row: Option<(i16, i64, bool)> = statement
            .query_row([id.0], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
            .optional()
            .map_err(read_error)?;
        if let Some((state, token, cancel_requested)) = row {
            found.push(Glance {
                id: *id,
                state: JobState::from_code(state)?,
                token,
                cancel_requested,
            });
        }
    }
    Ok(found)
}

pub(super) fn counts(conn: &Connection) -> Result<Counts> {
    let mut statement = conn
        .prepare_cached(
            "SELECT kind, queued, processing, done, failed, cancelled FROM aura_job_count",
        )
        .map_err(read_error)?;
    let rows = statement
        .query_map([], |r| {
            let counts = [r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?];
            Ok((r.get(0)?, counts))
        })
        .map_err(read_error)?;
    Ok(Counts(
        rows.collect::<rusqlite::Result<_>>().map_err(read_error)?,
    ))
}

pub(super) fn kinds(conn: &Connection) -> Result<Vec<(String, KindSettings)>> {
    let mut statement = conn
        .prepare_cached("SELECT kind, settings FROM aura_job_kind ORDER BY kind")
        .map_err(read_error)?;
    let rows = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .map_err(read_error)?;
    rows.map(|row| {
        let (kind, text): (String, String) = row.map_err(read_error)?;
        Ok((kind.clone(), settings(&kind, &text)?))
    })
    .collect()
}

pub(super) fn settings(kind: &str, text: &str) -> Result<KindSettings> {
    serde_json::from_str(text).map_err(|e| {
        Error::invalid_data(format!(
            "the settings of the jobs of kind `{kind}` are damaged: {e}"
        ))
        .with_source(e)
    })
}

pub(super) fn schedules(conn: &Connection) -> Result<Vec<ScheduleRecord>> {
    schedules_where(conn, "1 ORDER BY name", [])
}

/// The schedules that fit a condition.
pub(super) fn schedules_where(
    conn: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<ScheduleRecord>> {
    let query = format!(
        "SELECT name, schedule, next_at_us, last_at_us FROM aura_job_schedule WHERE {condition}"
    );
    let mut statement = conn.prepare_cached(&query).map_err(read_error)?;
    let rows = statement
        .query_map(params, |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .map_err(read_error)?;
    rows.map(|row| {
        let (name, text, next_at_us, last_at_us): (String, String, _, _) =
            row.map_err(read_error)?;
        let schedule = serde_json::from_str(&text).map_err(|e| {
            Error::invalid_data(format!("the schedule `{name}` is damaged: {e}")).with_source(e)
        })?;
        Ok(ScheduleRecord {
            schedule,
            next_at_us,
            last_at_us,
        })
    })
    .collect()
}

pub(super) fn audit_page(conn: &Connection, after: i64, limit: u32) -> Result<Vec<AuditRecord>> {
    let read_error = |e| sql("cannot read the audit log", e);
    let mut statement = conn
        .prepare_cached(
            "SELECT seq, at_us, actor, action, object, outcome, request_id, detail, hash
             FROM aura_audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .map_err(read_error)?;
    let rows = statement
        .query_map([after, limit.into()], |r| {
            Ok(AuditRecord {
                seq: r.get(0)?,
                at_us: r.get(1)?,
                actor: r.get(2)?,
                action: r.get(3)?,
                object: r.get(4)?,
                outcome: r.get(5)?,
                request_id: r.get(6)?,
                detail: r.get(7)?,
                hash: r.get(8)?,
            })
        })
        .map_err(read_error)?;
    rows.collect::<rusqlite::Result<_>>().map_err(read_error)
}

pub(super) fn head(conn: &Connection) -> Result<AuditHead> {
    Ok(AuditHead {
        seq: meta_int(conn, "audit_seq")?,
        hash: meta(conn, "audit_hash")?.unwrap_or_default(),
    })
}

pub(super) fn audit_ends(conn: &Connection) -> Result<(Option<Sealed>, AuditHead)> {
    // Both from one state of the database.
    let tx = conn.unchecked_transaction().map_err(read_error)?;
    let sealed = meta(&tx, "audit_seal")?
        .map(|text| {
            serde_json::from_str(&text).map_err(|e| {
                Error::invalid_data(format!("the seal of the audit log is damaged: {e}"))
                    .with_source(e)
            })
        })
        .transpose()?;
    Ok((sealed, head(&tx)?))
}
