//! The snapshots of a catalog.

use rusqlite::{Connection, OptionalExtension, Row};

use super::value::{parse_timestamp_us, timestamp_text};
use crate::{Error, ErrorKind, Result};

/// One state of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Grows by one with each commit; gaps appear when snapshots expire.
    pub id: i64,
    /// When it was made, microseconds since 1970.
    pub time_us: i64,
    /// Grows with each change of a table's columns, partitions or order.
    pub schema_version: i64,
    /// The next id of a table, partitioning or order.
    pub next_catalog_id: i64,
    /// The next id of a data or delete file. Files with this id or a larger one are newer than the
    /// snapshot, whatever their `begin_snapshot` says: DuckDB's compaction backdates files.
    pub next_file_id: i64,
    /// What it changed, in DuckLake's grammar, for example `inserted_into_table:1`.
    pub changes: String,
    /// Who made it, if that was said.
    pub author: Option<String>,
    /// Why, if that was said.
    pub message: Option<String>,
}

const SELECT: &str = "SELECT s.snapshot_id, s.snapshot_time, s.schema_version, s.next_catalog_id, \
     s.next_file_id, c.changes_made, c.author, c.commit_message \
     FROM ducklake_snapshot s LEFT JOIN ducklake_snapshot_changes c USING (snapshot_id)";

/// Returns the newest snapshot.
///
/// # Errors
/// `InvalidData` if the catalog has none.
pub(crate) fn latest(conn: &Connection) -> Result<Snapshot> {
    let sql = format!("{SELECT} ORDER BY s.snapshot_id DESC LIMIT 1");
    conn.prepare_cached(&sql)?
        .query_row([], read)
        .optional()?
        .ok_or_else(|| {
            Error::invalid_data("the DuckLake catalog has no snapshot; at least one is expected")
        })?
}

/// Returns all snapshots, oldest first.
pub(crate) fn snapshots(conn: &Connection) -> Result<Vec<Snapshot>> {
    let sql = format!("{SELECT} ORDER BY s.snapshot_id");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([], read)?;
    rows.map(|row| row?).collect()
}

/// Returns the snapshot with this id.
///
/// # Errors
/// `NotFound` if it never was or has expired.
pub(crate) fn snapshot(conn: &Connection, id: i64) -> Result<Snapshot> {
    let sql = format!("{SELECT} WHERE s.snapshot_id = ?1");
    match conn
        .prepare_cached(&sql)?
        .query_row([id], read)
        .optional()?
    {
        Some(found) => found,
        None => Err(Error::not_found(format!(
            "snapshot {id} does not exist or has expired; {}",
            range(&snapshots(conn)?)
        ))),
    }
}

/// Returns the snapshot that was the newest at a moment (microseconds since 1970): the one with the
/// largest time that is not after it.
///
/// # Errors
/// `NotFound` if the moment is before the first snapshot that is left.
pub(crate) fn snapshot_at(conn: &Connection, time_us: i64) -> Result<Snapshot> {
    let all = snapshots(conn)?;
    let message = range(&all);
    all.into_iter()
        .filter(|s| s.time_us <= time_us)
        .max_by_key(|s| (s.time_us, s.id))
        .ok_or_else(|| {
            Error::not_found(format!(
                "there is no snapshot at {} or before; {message}",
                timestamp_text(time_us)
            ))
        })
}

fn range(all: &[Snapshot]) -> String {
    match (all.first(), all.last()) {
        (Some(first), Some(last)) => format!(
            "the store has snapshots {} ({}) to {} ({})",
            first.id,
            timestamp_text(first.time_us),
            last.id,
            timestamp_text(last.time_us)
        ),
        _ => "the store has no snapshots".to_owned(),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<Snapshot>> {
    let id = row.get(0)?;
    let time: String = row.get(1)?;
    let Some(time_us) = parse_timestamp_us(&time) else {
        return Ok(Err(Error::new(
            ErrorKind::InvalidData,
            format!(
                "snapshot {id} of the DuckLake catalog has the time `{time}`; \
                 a time like `2026-01-31 23:00:00+00` is expected"
            ),
        )));
    };
    Ok(Ok(Snapshot {
        id,
        time_us,
        schema_version: row.get(2)?,
        next_catalog_id: row.get(3)?,
        next_file_id: row.get(4)?,
        changes: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
        author: row.get(6)?,
        message: row.get(7)?,
    }))
}
