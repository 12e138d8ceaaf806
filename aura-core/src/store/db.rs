//! The store's one database: how it is opened, and AURA's own tables beside the catalog's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction};

use super::sql_error::sql_error as sql;
use crate::{Error, ErrorKind, Result};

/// Version of the store's own format. It grows when an older AURA could misread a newer store.
pub(crate) const FORMAT_VERSION: i64 = 1;

/// How long a statement waits for another process's transaction. Transactions are short; the longest
/// is the commit of a bulk ingest.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the database is.
#[derive(Debug, Clone)]
pub(crate) enum DbPath {
    File(PathBuf),
    /// A database in memory that all connections of this store share under this name.
    Memory(String),
}

impl DbPath {
    /// Opens a connection with the settings that the store's guarantees rest on.
    pub(crate) fn connect(&self) -> Result<Connection> {
        let conn = match self {
            DbPath::File(path) => Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_WRITE
                    | OpenFlags::SQLITE_OPEN_CREATE
                    | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            ),
            DbPath::Memory(name) => Connection::open_with_flags(
                format!("file:/{name}?vfs=memdb"),
                OpenFlags::SQLITE_OPEN_READ_WRITE
                    | OpenFlags::SQLITE_OPEN_CREATE
                    | OpenFlags::SQLITE_OPEN_NO_MUTEX
                    | OpenFlags::SQLITE_OPEN_URI,
            ),
        }
        .map_err(|e| sql("cannot open the store's database", e))?;
        conn.busy_timeout(BUSY_TIMEOUT)
            .map_err(|e| sql("cannot set the busy timeout", e))?;
        // 16 KiB pages: staged batches are blobs of some 50 KiB, and a blob's pages form a chain
        // that is walked when it is freed. (Only a new database takes the size.)
        // FULL: a commit is on the disk when it returns. Checkpoints are run by the store itself,
        // off the path of an append.
        conn.execute_batch(
            "PRAGMA page_size = 16384;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA foreign_keys = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;",
        )
        .map_err(|e| sql("cannot prepare the store's database", e))?;
        Ok(conn)
    }

    /// Returns the size of the database with its log, in bytes; 0 in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            DbPath::File(path) => {
                let size = |p: &Path| std::fs::metadata(p).map_or(0, |m| m.len());
                size(path) + self.wal_bytes()
            }
            DbPath::Memory(_) => 0,
        }
    }

    /// Returns the size of the write-ahead log in bytes.
    pub(crate) fn wal_bytes(&self) -> u64 {
        match self {
            DbPath::File(path) => {
                let mut wal = path.clone().into_os_string();
                wal.push("-wal");
                std::fs::metadata(PathBuf::from(wal)).map_or(0, |m| m.len())
            }
            DbPath::Memory(_) => 0,
        }
    }
}

/// Creates AURA's own tables.
pub(crate) fn create_tables(tx: &Transaction<'_>, id_seed: u64) -> Result<()> {
    tx.execute_batch(
        "CREATE TABLE aura_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
         -- Batches that are durable and not yet in a Parquet file, as Arrow IPC streams.
         CREATE TABLE aura_staged (
             seq INTEGER PRIMARY KEY AUTOINCREMENT,
             table_name TEXT NOT NULL,
             row_count INTEGER NOT NULL,
             byte_count INTEGER NOT NULL,
             data BLOB NOT NULL
         );",
    )
    .map_err(|e| sql("cannot create the store's tables", e))?;
    set_meta(tx, "format_version", &FORMAT_VERSION.to_string())?;
    set_meta(tx, "id_seed", &id_seed.to_string())?;
    set_meta(tx, "flushed_seq", "0")?;
    Ok(())
}

/// Returns whether the database already holds a store.
///
/// # Errors
/// `Conflict` when its format is newer than this program's; `InvalidData` when the database holds
/// something else.
pub(crate) fn check_format(conn: &Connection) -> Result<bool> {
    let has_meta: Option<i64> = conn
        .query_row(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'aura_meta'",
            [],
            |r| r.get(0),
        )
        .optional()
        .map_err(|e| sql("cannot read the store's database", e))?;
    if has_meta.is_none() {
        let tables: i64 = conn
            .query_row(
                // Jobs may have been there first.
                "SELECT count(*) FROM sqlite_master
                 WHERE type = 'table' AND name NOT GLOB 'aura_job*' AND name <> 'aura_audit'",
                [],
                |r| r.get(0),
            )
            .map_err(|e| sql("cannot read the store's database", e))?;
        if tables > 0 {
            return Err(Error::invalid_data(
                "aura.db holds tables but no AURA store; open an empty directory, or one that AURA made",
            ));
        }
        return Ok(false);
    }
    let found: i64 = meta_int(conn, "format_version")?;
    if found != FORMAT_VERSION {
        let advice = if found > FORMAT_VERSION {
            "it was written by a newer AURA: upgrade this program"
        } else {
            "this program no longer reads it: open it once with the AURA version that made it and export it"
        };
        return Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the store has format version {found}, this AURA reads version {FORMAT_VERSION}; {advice}"
            ),
        ));
    }
    Ok(true)
}

/// Reads a setting of the store; `None` when it was never set.
pub(crate) fn meta(conn: &Connection, key: &str) -> Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM aura_meta WHERE key = ?1")
        .and_then(|mut s| s.query_row([key], |r| r.get(0)).optional())
        .map_err(|e| sql("cannot read the store's settings", e))
}

/// Reads an integer setting that every store has.
pub(crate) fn meta_int<T: std::str::FromStr>(conn: &Connection, key: &str) -> Result<T> {
    let text = meta(conn, key)?.unwrap_or_default();
    text.parse().map_err(|_| {
        Error::invalid_data(format!(
            "aura.db is damaged: aura_meta has `{text}` for `{key}`, expected an integer"
        ))
    })
}

/// Writes a setting of the store.
pub(crate) fn set_meta(conn: &Connection, key: &str, value: &str) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO aura_meta (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .and_then(|mut s| s.execute([key, value]))
    .map(|_| ())
    .map_err(|e| sql("cannot write the store's settings", e))
}
