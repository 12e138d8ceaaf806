//! The tables, and how a connection is prepared.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::job::audit::AuditHead;
use crate::store::sql_error::sql_error as sql;
use crate::{Error, ErrorKind, Result};

/// Version of the tables. It grows when an older AURA could misread newer ones.
const VERSION: &str = "1";

/// How long a transaction of another process or of the store is waited for.
const BUSY: Duration = Duration::from_secs(30);
const BUSY_STEP: Duration = Duration::from_millis(1);

/// Opens a connection with the settings that the promises rest on.
pub(super) fn connect(path: &Path) -> Result<Connection> {
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|e| {
        sql(
            format_args!("cannot open the jobs in {}", path.display()),
            e,
        )
    })?;
    // SQLite's own waiting grows to 100 ms a step; transactions here take a few.
    conn.busy_handler(Some(|tries: i32| {
        std::thread::sleep(BUSY_STEP);
        u128::from(tries.unsigned_abs()) < BUSY.as_millis() / BUSY_STEP.as_millis()
    }))
    .map_err(|e| sql("cannot prepare the database of the jobs", e))?;
    // The page size is that of a store, whose database this is or may become. FULL: a commit is on the disk when it returns.
    // Checkpoints are run by the writer, between groups.
    conn.execute_batch(
        "PRAGMA page_size = 16384;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -65536;",
    )
    .map_err(|e| sql("cannot prepare the database of the jobs", e))?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Makes the tables if there are none.
///
/// # Errors
/// `Conflict` for tables of a newer version.
pub(super) fn create(conn: &Connection) -> Result<()> {
    let prepare = |e| sql("cannot make the tables of the jobs", e);
    conn.execute_batch("BEGIN IMMEDIATE").map_err(prepare)?;
    let made = create_in(conn);
    let end = match &made {
        Ok(()) => "COMMIT",
        Err(_) => "ROLLBACK",
    };
    conn.execute_batch(end).map_err(prepare)?;
    made
}

fn create_in(conn: &Connection) -> Result<()> {
    conn.execute_batch(
        "CREATE TABLE IF NOT EXISTS aura_job_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS aura_job (
             id INTEGER PRIMARY KEY,
             kind TEXT NOT NULL,
             spec TEXT NOT NULL,
             state INTEGER NOT NULL,
             priority INTEGER NOT NULL,
             attempt INTEGER NOT NULL,
             max_attempts INTEGER NOT NULL,
             run_at_us INTEGER NOT NULL,
             lease_until_us INTEGER,
             token INTEGER NOT NULL,
             worker TEXT,
             progress TEXT,
             error TEXT,
             result TEXT,
             cancel_requested INTEGER NOT NULL,
             timeout_ms INTEGER NOT NULL,
             retry_base_ms INTEGER NOT NULL,
             retry_cap_ms INTEGER NOT NULL,
             unique_key TEXT,
             idempotency_key TEXT,
             actor TEXT NOT NULL,
             request_id TEXT,
             created_at_us INTEGER NOT NULL,
             started_at_us INTEGER,
             finished_at_us INTEGER
         );
         -- Each index holds the jobs of one state only, so that finished ones cost the queue nothing.
         CREATE INDEX IF NOT EXISTS aura_job_ready ON aura_job (kind, priority, run_at_us) WHERE state = 0;
         CREATE INDEX IF NOT EXISTS aura_job_lease ON aura_job (lease_until_us) WHERE state = 1;
         CREATE INDEX IF NOT EXISTS aura_job_finished ON aura_job (state, finished_at_us) WHERE state >= 2;
         CREATE UNIQUE INDEX IF NOT EXISTS aura_job_idempotency_key ON aura_job (idempotency_key) WHERE idempotency_key IS NOT NULL;
         CREATE INDEX IF NOT EXISTS aura_job_unique_key ON aura_job (unique_key) WHERE unique_key IS NOT NULL;
         CREATE TABLE IF NOT EXISTS aura_job_count (
             kind TEXT PRIMARY KEY,
             queued INTEGER NOT NULL, processing INTEGER NOT NULL, done INTEGER NOT NULL,
             failed INTEGER NOT NULL, cancelled INTEGER NOT NULL
         ) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS aura_job_kind (
             kind TEXT PRIMARY KEY, settings TEXT NOT NULL, arrival_us INTEGER NOT NULL
         ) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS aura_job_schedule (
             name TEXT PRIMARY KEY, schedule TEXT NOT NULL, next_at_us INTEGER, last_at_us INTEGER
         ) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS aura_job_schedule_next ON aura_job_schedule (next_at_us) WHERE next_at_us IS NOT NULL;
         CREATE TABLE IF NOT EXISTS aura_audit (
             seq INTEGER PRIMARY KEY,
             at_us INTEGER NOT NULL,
             actor TEXT NOT NULL,
             action TEXT NOT NULL,
             object TEXT NOT NULL,
             outcome TEXT NOT NULL,
             request_id TEXT,
             detail TEXT,
             hash TEXT NOT NULL
         );",
    )
    .map_err(|e| sql("cannot make the tables of the jobs", e))?;
    let found = match meta(conn, "version")? {
        Some(found) => found,
        None => {
            let head = AuditHead::start();
            set_meta(conn, "version", VERSION)?;
            set_meta(conn, "next_id", "1")?;
            set_meta(conn, "audit_seq", &head.seq.to_string())?;
            set_meta(conn, "audit_hash", &head.hash)?;
            VERSION.to_owned()
        }
    };
    if found != VERSION {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the tables of the jobs have version {found}, this AURA knows version {VERSION}; upgrade this program"
            ),
        ));
    }
    Ok(())
}

/// Reads one of the values that stand beside the tables.
pub(super) fn meta(conn: &Connection, key: &str) -> Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM aura_job_meta WHERE key = ?1")
        .and_then(|mut s| s.query_row([key], |r| r.get(0)).optional())
        .map_err(|e| sql("cannot read the settings of the jobs", e))
}

/// Reads a number that every database of jobs has.
pub(super) fn meta_int(conn: &Connection, key: &str) -> Result<i64> {
    let text = meta(conn, key)?.unwrap_or_default();
    text.parse().map_err(|_| {
        Error::invalid_data(format!(
            "the tables of the jobs are damaged: aura_job_meta has \"{text}\" for `{key}`, expected an integer"
        ))
    })
}

pub(super) fn set_meta(conn: &Connection, key: &str, value: &str) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO aura_job_meta (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .and_then(|mut s| s.execute([key, value]))
    .map(|_| ())
    .map_err(|e| sql("cannot write the settings of the jobs", e))
}
