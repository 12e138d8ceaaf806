//! Writes what a batch changed.

use tokio_postgres::types::ToSql;

use super::batch::Batch;
use super::link::Link;
use super::read::column;
use crate::job::audit::{AuditHead, Chain};
use crate::job::row::Row;
use crate::{Error, Result};

/// Rows as columns: an array for each.
#[derive(Default)]
struct Columns<'a> {
    id: Vec<i64>,
    kind: Vec<&'a str>,
    spec: Vec<&'a str>,
    state: Vec<i16>,
    priority: Vec<i16>,
    attempt: Vec<i64>,
    max_attempts: Vec<i64>,
    run_at_us: Vec<i64>,
    lease_until_us: Vec<Option<i64>>,
    token: Vec<i64>,
    worker: Vec<Option<&'a str>>,
    progress: Vec<Option<&'a str>>,
    error: Vec<Option<String>>,
    result: Vec<Option<&'a str>>,
    cancel_requested: Vec<bool>,
    timeout_ms: Vec<i64>,
    retry_base_ms: Vec<i64>,
    retry_cap_ms: Vec<i64>,
    unique_key: Vec<Option<&'a str>>,
    idempotency_key: Vec<Option<&'a str>>,
    actor: Vec<&'a str>,
    request_id: Vec<Option<&'a str>>,
    created_at_us: Vec<i64>,
    started_at_us: Vec<Option<i64>>,
    finished_at_us: Vec<Option<i64>>,
}

impl<'a> Columns<'a> {
    fn of(rows: impl Iterator<Item = &'a Row>) -> Result<Self> {
        let mut columns = Columns::default();
        for row in rows {
            let error = row
                .error
                .as_ref()
                .map(serde_json::to_string)
                .transpose()
                .map_err(|e| Error::internal("an error cannot be written").with_source(e))?;
            columns.id.push(row.id.0);
            columns.kind.push(&row.kind);
            columns.spec.push(&row.spec);
            columns.state.push(row.state.code());
            columns.priority.push(row.priority.into());
            columns.attempt.push(row.attempt.into());
            columns.max_attempts.push(row.max_attempts.into());
            columns.run_at_us.push(row.run_at_us);
            columns.lease_until_us.push(row.lease_until_us);
            columns.token.push(row.token);
            columns.worker.push(row.worker.as_deref());
            columns.progress.push(row.progress.as_deref());
            columns.error.push(error);
            columns.result.push(row.result.as_deref());
            columns.cancel_requested.push(row.cancel_requested);
            columns.timeout_ms.push(row.timeout_ms as i64);
            columns.retry_base_ms.push(row.retry.base_ms as i64);
            columns.retry_cap_ms.push(row.retry.cap_ms as i64);
            columns.unique_key.push(row.unique_key.as_deref());
            columns.idempotency_key.push(row.idempotency_key.as_deref());
            columns.actor.push(&row.actor);
            columns.request_id.push(row.request_id.as_deref());
            columns.created_at_us.push(row.created_at_us);
            columns.started_at_us.push(row.started_at_us);
            columns.finished_at_us.push(row.finished_at_us);
        }
        Ok(columns)
    }
}

/// Writes everything. `tell` says whether other processes shall look.
pub(super) async fn write(link: &mut Link, batch: &Batch, tell: bool) -> Result<()> {
    insert(link, batch).await?;
    update(link, batch).await?;
    if !batch.gone.is_empty() {
        let ids: Vec<i64> = batch.gone.iter().map(|id| id.0).collect();
        link.query("DELETE FROM aura_job WHERE id = ANY($1)", &[&ids])
            .await?;
    }
    settings(link, batch).await?;
    log(link, batch).await?;
    counts(link, batch).await?;
    if tell {
        let channel = link.place.channel();
        link.query("SELECT pg_notify($1, '')", &[&channel]).await?;
    }
    Ok(())
}

async fn insert(link: &mut Link, batch: &Batch) -> Result<()> {
    if batch.new.is_empty() {
        return Ok(());
    }
    let rows = batch.new.iter().filter_map(|id| batch.tables.jobs.get(id));
    let c = Columns::of(rows)?;
    let params: [&(dyn ToSql + Sync); 25] = [
        &c.id,
        &c.kind,
        &c.spec,
        &c.state,
        &c.priority,
        &c.attempt,
        &c.max_attempts,
        &c.run_at_us,
        &c.lease_until_us,
        &c.token,
        &c.worker,
        &c.progress,
        &c.error,
        &c.result,
        &c.cancel_requested,
        &c.timeout_ms,
        &c.retry_base_ms,
        &c.retry_cap_ms,
        &c.unique_key,
        &c.idempotency_key,
        &c.actor,
        &c.request_id,
        &c.created_at_us,
        &c.started_at_us,
        &c.finished_at_us,
    ];
    link.query(
        "INSERT INTO aura_job (id, kind, spec, state, priority, attempt, max_attempts, run_at_us, lease_until_us, token, worker, progress,
             error, result, cancel_requested, timeout_ms, retry_base_ms, retry_cap_ms, unique_key, idempotency_key, actor, request_id,
             created_at_us, started_at_us, finished_at_us)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[],
             $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::boolean[],
             $16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[],
             $24::bigint[], $25::bigint[])",
        &params,
    )
    .await?;
    Ok(())
}

async fn update(link: &mut Link, batch: &Batch) -> Result<()> {
    if batch.changed.is_empty() {
        return Ok(());
    }
    let rows = batch
        .changed
        .iter()
        .filter_map(|id| batch.tables.jobs.get(id));
    let c = Columns::of(rows)?;
    let params: [&(dyn ToSql + Sync); 13] = [
        &c.id,
        &c.state,
        &c.attempt,
        &c.run_at_us,
        &c.lease_until_us,
        &c.token,
        &c.worker,
        &c.progress,
        &c.error,
        &c.result,
        &c.cancel_requested,
        &c.started_at_us,
        &c.finished_at_us,
    ];
    link.query(
        "UPDATE aura_job AS j SET state = n.state, attempt = n.attempt, run_at_us = n.run_at_us, lease_until_us = n.lease_until_us,
             token = n.token, worker = n.worker, progress = n.progress, error = n.error, result = n.result,
             cancel_requested = n.cancel_requested, started_at_us = n.started_at_us, finished_at_us = n.finished_at_us
         FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
             $9::text[], $10::text[], $11::boolean[], $12::bigint[], $13::bigint[])
             AS n(id, state, attempt, run_at_us, lease_until_us, token, worker, progress, error, result, cancel_requested, started_at_us,
                 finished_at_us)
         WHERE j.id = n.id",
        &params,
    )
    .await?;
    Ok(())
}

async fn settings(link: &mut Link, batch: &Batch) -> Result<()> {
    let text = |e| Error::internal("settings cannot be written").with_source(e);
    for kind in &batch.changed_kinds {
        let Some(row) = batch.tables.kinds.get(kind) else {
            continue;
        };
        let settings = serde_json::to_string(&row.settings).map_err(text)?;
        link.query(
            "INSERT INTO aura_job_kind (kind, settings, arrival_us) VALUES ($1, $2, $3)
             ON CONFLICT (kind) DO UPDATE SET settings = excluded.settings, arrival_us = excluded.arrival_us",
            &[kind, &settings, &row.arrival_us],
        )
        .await?;
    }
    for name in &batch.changed_schedules {
        let Some(record) = batch.tables.schedules.get(name) else {
            continue;
        };
        let schedule = serde_json::to_string(&record.schedule).map_err(text)?;
        link.query(
            "INSERT INTO aura_job_schedule (name, schedule, next_at_us, last_at_us) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE SET schedule = excluded.schedule, next_at_us = excluded.next_at_us,
                 last_at_us = excluded.last_at_us",
            &[name, &schedule, &record.next_at_us, &record.last_at_us],
        )
        .await?;
    }
    if !batch.gone_schedules.is_empty() {
        link.query(
            "DELETE FROM aura_job_schedule WHERE name = ANY($1)",
            &[&batch.gone_schedules],
        )
        .await?;
    }
    Ok(())
}

/// Appends to the log. The lock on its end is the last that a transaction takes, and lasts until the commit: the log has one order.
async fn log(link: &mut Link, batch: &Batch) -> Result<()> {
    if batch.entries.is_empty() {
        return Ok(());
    }
    let rows = link
        .query(
            "SELECT audit_seq, audit_hash FROM aura_job_head FOR UPDATE",
            &[],
        )
        .await?;
    let row = rows.first().ok_or_else(|| {
        Error::invalid_data("the end of the audit log is not in PostgreSQL; its row was removed")
    })?;
    let mut chain = Chain {
        head: AuditHead {
            seq: column(row, 0)?,
            hash: column(row, 1)?,
        },
    };
    let records = batch
        .entries
        .iter()
        .map(|(at_us, entry)| chain.add(*at_us, entry.clone()))
        .collect::<Result<Vec<_>>>()?;
    let all = |of: fn(&crate::job::AuditRecord) -> &str| records.iter().map(of).collect::<Vec<_>>();
    let seqs: Vec<i64> = records.iter().map(|r| r.seq).collect();
    let times: Vec<i64> = records.iter().map(|r| r.at_us).collect();
    let requests: Vec<_> = records.iter().map(|r| r.request_id.as_deref()).collect();
    let details: Vec<_> = records.iter().map(|r| r.detail.as_deref()).collect();
    link.query(
        "INSERT INTO aura_audit (seq, at_us, actor, action, object, outcome, request_id, detail, hash)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
             $9::text[])",
        &[
            &seqs,
            &times,
            &all(|r| &r.actor),
            &all(|r| &r.action),
            &all(|r| &r.object),
            &all(|r| &r.outcome),
            &requests,
            &details,
            &all(|r| &r.hash),
        ],
    )
    .await?;
    link.query(
        "UPDATE aura_job_head SET audit_seq = $1, audit_hash = $2",
        &[&chain.head.seq, &chain.head.hash],
    )
    .await?;
    if let Some(sealed) = &batch.sealed {
        link.query("DELETE FROM aura_audit WHERE seq <= $1", &[&sealed.seq])
            .await?;
        link.query(
            "UPDATE aura_job_head SET sealed_seq = $1, sealed_hash = $2 WHERE coalesce(sealed_seq, 0) < $1",
            &[&sealed.seq, &sealed.hash],
        )
        .await?;
    }
    Ok(())
}

async fn counts(link: &mut Link, batch: &Batch) -> Result<()> {
    for (kind, [queued, processing, done, failed, cancelled]) in &batch.moved.0 {
        link.query(
            "INSERT INTO aura_job_count AS c (kind, queued, processing, done, failed, cancelled) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (kind) DO UPDATE SET queued = c.queued + excluded.queued, processing = c.processing + excluded.processing,
                 done = c.done + excluded.done, failed = c.failed + excluded.failed, cancelled = c.cancelled + excluded.cancelled",
            &[kind, queued, processing, done, failed, cancelled],
        )
        .await?;
    }
    Ok(())
}
