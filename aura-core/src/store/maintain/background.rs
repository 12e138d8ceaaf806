//! What the upkeep thread does by itself.

use std::sync::Arc;

use rusqlite::Connection;

use super::compaction::{compact_partitions, needs_soon};
use super::expiry::{delete_scheduled, expire_snapshots};
use super::{Orphans, before};
use crate::Result;
use crate::store::flush::flush_all;
use crate::store::sql_error::sql_error as sql;
use crate::store::writer::{WriterHandle, wait};
use crate::store::{EVENTS, Shared, staging};

/// The state of the upkeep thread.
pub(crate) struct Upkeep {
    staged_since_us: Option<i64>,
    /// The snapshot whose partitions were looked at.
    compacted: Option<i64>,
    tidied_us: i64,
    orphans: Orphans,
}

/// How often old snapshots and files are looked for.
const TIDY_EVERY_US: i64 = 60_000_000;

/// Size of the log beyond which it is copied into the database.
const CHECKPOINT_BYTES: u64 = 64 << 20;

impl Upkeep {
    pub(crate) fn new(shared: &Shared, orphans: Orphans) -> Self {
        Upkeep {
            staged_since_us: None,
            compacted: None,
            tidied_us: shared.clock.now_us(),
            orphans,
        }
    }

    /// Does what is due.
    pub(crate) fn step(
        &mut self,
        shared: &Arc<Shared>,
        writer: &WriterHandle,
        conn: &Connection,
    ) -> Result<()> {
        let now = shared.clock.now_us();
        let (rows, bytes) = staging::pending(conn, EVENTS)?;
        if rows == 0 {
            self.staged_since_us = None;
        } else {
            let since = *self.staged_since_us.get_or_insert(now);
            let waited_s = u64::try_from((now - since) / 1_000_000).unwrap_or(0);
            if bytes >= shared.settings.flush_bytes || waited_s >= shared.settings.flush_after_s {
                self.staged_since_us = None;
                flush_all(shared, writer, conn)?;
            }
        }
        // Files come by flushes, by ingests, and from other processes.
        let latest = conn
            .query_row(
                "SELECT max(snapshot_id) FROM ducklake_snapshot",
                [],
                |row| row.get(0),
            )
            .map_err(|e| sql("cannot read the snapshots", e))?;
        if self.compacted != latest {
            compact_partitions(shared, writer, conn, needs_soon)?;
            self.compacted = latest;
        }
        if shared.db.wal_bytes() > CHECKPOINT_BYTES {
            // The bulk is copied here, beside the appends; the rest, which is small, by the writer,
            // so that the log can begin anew.
            let passive = "PRAGMA wal_checkpoint(PASSIVE)";
            conn.query_row(passive, [], |_| Ok(()))
                .map_err(|e| sql("cannot checkpoint", e))?;
            wait(writer.run(move |w| {
                w.conn
                    .query_row(passive, [], |_| Ok(()))
                    .map_err(|e| sql("cannot checkpoint", e))
            })?)?;
        }
        if now - self.tidied_us >= TIDY_EVERY_US {
            self.tidied_us = now;
            expire_snapshots(writer, before(now, shared.settings.history_s))?;
            let grace = before(now, shared.settings.delete_grace_s);
            delete_scheduled(shared, writer, conn, grace)?;
            self.orphans.sweep(shared)?;
        }
        Ok(())
    }
}
