//! The durable home of events.
//!
//! One directory: a DuckLake catalog and AURA's own tables in `aura.db` (SQLite), Parquet files below
//! `events/` and `quarantine/`. An append is durable when it returns. See `docs/store.md` for the
//! layout and what is promised.

mod append;
mod bulk;
mod caller;
pub(crate) mod catalog;
mod db;
mod directory;
#[cfg(test)]
pub(crate) mod duckdb;
mod encode_pool;
pub(crate) mod files;
mod flush;
pub(crate) mod ids;
mod known;
mod maintain;
mod mention;
mod open;
pub(crate) mod parquet_out;
pub(crate) mod partition;
mod quarantine;
mod read;
mod rows;
mod settings;
pub(crate) mod sort;
pub(crate) mod sql_error;
mod staging;
mod stats;
#[cfg(test)]
mod tests;
mod wake;
mod writer;

pub use maintain::{CompactReport, EraseReport, ExpireReport};
pub use open::{Store, StoreBuilder};
pub use partition::PartitionGrain;
pub use read::{SnapshotAt, SnapshotInfo};
pub use settings::StoreSettings;
pub(crate) use sort::Interner;
pub use stats::StoreStats;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::SchemaRef;
use rusqlite::Connection;
use uuid::Uuid;

use crate::time::Clock;
use crate::{Error, Result};

/// Name of the table of events, in the catalog and in SQL.
const EVENTS: &str = "events";
/// Name of the table of rejected rows.
const QUARANTINE: &str = "quarantine";

/// What the threads of one open store share.
pub(crate) struct Shared {
    /// The directory; `None` in memory.
    dir: Option<PathBuf>,
    db: db::DbPath,
    settings: StoreSettings,
    /// How the store is divided, from when it was made.
    partition: PartitionGrain,
    clock: Arc<dyn Clock>,
    new_uuid: Arc<dyn Fn() -> Uuid + Send + Sync>,
    events: files::FileStore,
    quarantine: files::FileStore,
    events_table: i64,
    quarantine_table: i64,
    quarantine_schema: SchemaRef,
    ids: ids::IdIndex,
    /// The same for the rows of the quarantine.
    reject_ids: ids::IdIndex,
    hasher: ids::IdHasher,
    /// The connection for reading; writes go through the writer thread.
    reader: Mutex<Connection>,
    wake: wake::Wake,
    /// Events accepted by appends of this process.
    appended: AtomicU64,
    /// Files and bytes that queries of this process have read.
    scanned: read::Scanned,
}

impl Shared {
    /// Runs `f` with the connection for reading.
    fn read<R>(&self, f: impl FnOnce(&Connection) -> Result<R>) -> Result<R> {
        let conn = self
            .reader
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&conn)
    }

    /// Returns the columns of the table of events now.
    fn columns(&self, conn: &Connection) -> Result<Vec<catalog::table::Column>> {
        let latest = catalog::snapshot::latest(conn)?;
        catalog::table::columns_at(conn, self.events_table, latest.id)
    }

    /// Returns where a file of the catalog is, below the directory of events.
    fn event_path(&self, path: &catalog::read::CatalogPath) -> Result<String> {
        let below = path
            .path
            .strip_prefix("events/")
            .filter(|_| path.is_relative);
        below.map(str::to_owned).ok_or_else(|| {
            Error::invalid_data(format!(
                "the catalog lists the file `{}`, which is outside the store's directory; copy its rows in with INSERT instead",
                path.path
            ))
        })
    }
}
