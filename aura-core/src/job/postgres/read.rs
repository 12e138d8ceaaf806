//! What is read outside of transactions, and how rows become values.

use tokio_postgres::Row as PgRow;
use tokio_postgres::types::FromSql;

use super::link::Link;
use crate::job::audit::{AuditHead, AuditRecord, Sealed};
use crate::job::row::Row;
use crate::job::schedule::ScheduleRecord;
use crate::job::store::{Glance, JobFilter};
use crate::job::tx::Counts;
use crate::job::{JobId, JobState, KindSettings, Retry};
use crate::{Error, Result};

/// A query for jobs, with all their columns in the order of [`job`].
macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, spec, state, priority, attempt, max_attempts, run_at_us, lease_until_us, token, worker, progress, error, \
             result, cancel_requested, timeout_ms, retry_base_ms, retry_cap_ms, unique_key, idempotency_key, actor, request_id, \
             created_at_us, started_at_us, finished_at_us FROM aura_job ",
            $rest
        )
    };
}
pub(super) use select_jobs;

/// Reads a column.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a PgRow, at: usize) -> Result<T> {
    row.try_get(at).map_err(|e| {
        Error::invalid_data("the tables of the jobs in PostgreSQL are not as AURA made them")
            .with_source(e)
    })
}

/// Reads a job of [`select_jobs`].
pub(super) fn job(row: &PgRow) -> Result<Row> {
    let id = JobId(column(row, 0)?);
    let unsigned = |at: usize| Ok::<u64, Error>(column::<i64>(row, at)?.unsigned_abs());
    let count = |at: usize| Ok::<u32, Error>(u32::try_from(unsigned(at)?).unwrap_or(u32::MAX));
    let error: Option<&str> = column(row, 12)?;
    Ok(Row {
        id,
        kind: column(row, 1)?,
        spec: column(row, 2)?,
        state: JobState::from_code(column(row, 3)?)?,
        priority: i8::try_from(column::<i16>(row, 4)?).unwrap_or(0),
        attempt: count(5)?,
        max_attempts: count(6)?,
        run_at_us: column(row, 7)?,
        lease_until_us: column(row, 8)?,
        token: column(row, 9)?,
        worker: column(row, 10)?,
        progress: column(row, 11)?,
        error: error.map(serde_json::from_str).transpose().map_err(|e| {
            Error::invalid_data(format!("the error of job {id} is damaged: {e}")).with_source(e)
        })?,
        result: column(row, 13)?,
        cancel_requested: column(row, 14)?,
        timeout_ms: unsigned(15)?,
        retry: Retry {
            base_ms: unsigned(16)?,
            cap_ms: unsigned(17)?,
        },
        unique_key: column(row, 18)?,
        idempotency_key: column(row, 19)?,
        actor: column(row, 20)?,
        request_id: column(row, 21)?,
        created_at_us: column(row, 22)?,
        started_at_us: column(row, 23)?,
        finished_at_us: column(row, 24)?,
    })
}

pub(super) fn jobs(rows: &[PgRow]) -> Result<Vec<Row>> {
    rows.iter().map(job).collect()
}

pub(super) async fn get(link: &mut Link, id: JobId) -> Result<Option<Row>> {
    let rows = link.query(select_jobs!("WHERE id = $1"), &[&id.0]).await?;
    rows.first().map(job).transpose()
}

pub(super) async fn list(link: &mut Link, filter: JobFilter) -> Result<Vec<Row>> {
    let before = filter.before.map_or(i64::MAX, |id| id.0);
    let state = filter.state.map(JobState::code);
    let limit = i64::from(filter.limit.unwrap_or(100));
    let rows = link
        .query(
            select_jobs!(
                "WHERE id < $1 AND ($2::smallint IS NULL OR state = $2) AND ($3::text IS NULL OR kind = $3) ORDER BY id DESC LIMIT $4"
            ),
            &[&before, &state, &filter.kind, &limit],
        )
        .await?;
    jobs(&rows)
}

pub(super) async fn glance(link: &mut Link, ids: Vec<JobId>) -> Result<Vec<Glance>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = link
        .query(
            "SELECT id, state, token, cancel_requested FROM aura_job WHERE id = ANY($1)",
            &[&ids],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Glance {
                id: JobId(column(row, 0)?),
                state: JobState::from_code(column(row, 1)?)?,
                token: column(row, 2)?,
                cancel_requested: column(row, 3)?,
            })
        })
        .collect()
}

pub(super) async fn counts(link: &mut Link) -> Result<Counts> {
    let rows = link
        .query(
            "SELECT kind, queued, processing, done, failed, cancelled FROM aura_job_count",
            &[],
        )
        .await?;
    let counts = rows.iter().map(|row| {
        let of = |at| column(row, at);
        Ok((column(row, 0)?, [of(1)?, of(2)?, of(3)?, of(4)?, of(5)?]))
    });
    counts.collect::<Result<_>>().map(Counts)
}

pub(super) async fn kinds(link: &mut Link) -> Result<Vec<(String, KindSettings)>> {
    let rows = link
        .query(
            "SELECT kind, settings FROM aura_job_kind ORDER BY kind COLLATE \"C\"",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let kind: String = column(row, 0)?;
            let settings = settings(&kind, column(row, 1)?)?;
            Ok((kind, settings))
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

pub(super) async fn schedules(link: &mut Link) -> Result<Vec<ScheduleRecord>> {
    let rows = link
        .query(
            "SELECT name, schedule, next_at_us, last_at_us FROM aura_job_schedule ORDER BY name COLLATE \"C\"",
            &[],
        )
        .await?;
    rows.iter().map(schedule).collect()
}

/// Reads a schedule: its name, itself, its next and its last tick.
pub(super) fn schedule(row: &PgRow) -> Result<ScheduleRecord> {
    let name: &str = column(row, 0)?;
    let schedule = serde_json::from_str(column(row, 1)?).map_err(|e| {
        Error::invalid_data(format!("the schedule `{name}` is damaged: {e}")).with_source(e)
    })?;
    Ok(ScheduleRecord {
        schedule,
        next_at_us: column(row, 2)?,
        last_at_us: column(row, 3)?,
    })
}

pub(super) async fn audit_page(
    link: &mut Link,
    after: i64,
    limit: u32,
) -> Result<Vec<AuditRecord>> {
    let rows = link
        .query(
            "SELECT seq, at_us, actor, action, object, outcome, request_id, detail, hash
             FROM aura_audit WHERE seq > $1 ORDER BY seq LIMIT $2",
            &[&after, &i64::from(limit)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(AuditRecord {
                seq: column(row, 0)?,
                at_us: column(row, 1)?,
                actor: column(row, 2)?,
                action: column(row, 3)?,
                object: column(row, 4)?,
                outcome: column(row, 5)?,
                request_id: column(row, 6)?,
                detail: column(row, 7)?,
                hash: column(row, 8)?,
            })
        })
        .collect()
}

pub(super) async fn audit_ends(link: &mut Link) -> Result<(Option<Sealed>, AuditHead)> {
    let rows = link
        .query(
            "SELECT audit_seq, audit_hash, sealed_seq, sealed_hash FROM aura_job_head",
            &[],
        )
        .await?;
    let row = rows.first().ok_or_else(|| {
        Error::invalid_data("the end of the audit log is not in PostgreSQL; its row was removed")
    })?;
    let head = AuditHead {
        seq: column(row, 0)?,
        hash: column(row, 1)?,
    };
    let sealed = match (column(row, 2)?, column(row, 3)?) {
        (Some(seq), Some(hash)) => Some(Sealed { seq, hash }),
        _ => None,
    };
    Ok((sealed, head))
}
