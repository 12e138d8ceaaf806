//! The tables.

use super::link::Link;
use crate::job::audit::AuditHead;
use crate::{Error, ErrorKind, Result};

/// Version of the tables. It grows when an older AURA could misread newer ones.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS aura_job (
    id bigint PRIMARY KEY,
    kind text NOT NULL,
    spec text NOT NULL,
    state smallint NOT NULL,
    priority smallint NOT NULL,
    attempt bigint NOT NULL,
    max_attempts bigint NOT NULL,
    run_at_us bigint NOT NULL,
    lease_until_us bigint,
    token bigint NOT NULL,
    worker text,
    progress text,
    error text,
    result text,
    cancel_requested boolean NOT NULL,
    timeout_ms bigint NOT NULL,
    retry_base_ms bigint NOT NULL,
    retry_cap_ms bigint NOT NULL,
    unique_key text,
    idempotency_key text,
    actor text NOT NULL,
    request_id text,
    created_at_us bigint NOT NULL,
    started_at_us bigint,
    finished_at_us bigint
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Each index holds the jobs of one state only, so that finished ones cost the queue nothing.
CREATE INDEX IF NOT EXISTS aura_job_ready ON aura_job (kind, priority, run_at_us, id) WHERE state = 0;
CREATE INDEX IF NOT EXISTS aura_job_lease ON aura_job (lease_until_us) WHERE state = 1;
CREATE INDEX IF NOT EXISTS aura_job_finished ON aura_job (state, finished_at_us) WHERE state >= 2;
CREATE UNIQUE INDEX IF NOT EXISTS aura_job_idempotency_key ON aura_job (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS aura_job_unique_key ON aura_job (unique_key) WHERE unique_key IS NOT NULL;
CREATE SEQUENCE IF NOT EXISTS aura_job_id;
CREATE TABLE IF NOT EXISTS aura_job_count (
    kind text PRIMARY KEY,
    queued bigint NOT NULL, processing bigint NOT NULL, done bigint NOT NULL, failed bigint NOT NULL, cancelled bigint NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS aura_job_kind (kind text PRIMARY KEY, settings text NOT NULL, arrival_us bigint NOT NULL);
CREATE TABLE IF NOT EXISTS aura_job_schedule (name text PRIMARY KEY, schedule text NOT NULL, next_at_us bigint, last_at_us bigint);
CREATE TABLE IF NOT EXISTS aura_audit (
    seq bigint PRIMARY KEY,
    at_us bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    outcome text NOT NULL,
    request_id text,
    detail text,
    hash text NOT NULL
);
-- One row: the version of the tables, both ends of the audit log.
CREATE TABLE IF NOT EXISTS aura_job_head (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    version bigint NOT NULL,
    audit_seq bigint NOT NULL,
    audit_hash text NOT NULL,
    sealed_seq bigint,
    sealed_hash text
) WITH (fillfactor = 50);
";

/// Makes the schema and its tables if they are not there.
///
/// # Errors
/// `Conflict` for tables of a newer version; `Denied` without the right to make them.
pub(super) async fn create(link: &mut Link) -> Result<()> {
    let schema = link.place.schema.clone();
    let head = AuditHead::start();
    // The lock keeps two processes from making the same table at once, which `IF NOT EXISTS` does not.
    let text = format!(
        "BEGIN;
         SELECT pg_advisory_xact_lock(hashtextextended('aura_jobs {schema}', 0));
         CREATE SCHEMA IF NOT EXISTS {schema};
         {TABLES}
         INSERT INTO aura_job_head (version, audit_seq, audit_hash) VALUES ({VERSION}, {}, '{}') ON CONFLICT DO NOTHING;
         COMMIT;",
        head.seq, head.hash
    );
    if let Err(e) = link.batch(&text).await {
        link.close();
        return Err(e);
    }
    let rows = link.query("SELECT version FROM aura_job_head", &[]).await?;
    let found = rows.first().and_then(|row| row.try_get::<_, i64>(0).ok());
    if found != Some(VERSION) {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the tables of the jobs have version {}, this AURA knows version {VERSION}; upgrade this program",
                found.unwrap_or(0)
            ),
        ));
    }
    Ok(())
}
