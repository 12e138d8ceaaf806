//! Upkeep: snapshots that expire, files that are no longer needed, a directory that moved.

use rusqlite::{Connection, params};

use super::create::metadata;
use super::snapshot::{Snapshot, snapshots};
use super::value::{parse_timestamp_us, timestamp_text};
use super::{inlined, quoted, read, stats, truth};
use crate::{Error, Result};

/// What [`expire_snapshots`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expired {
    /// Snapshots that are gone.
    pub snapshots: Vec<i64>,
    /// Files that no snapshot needs any more, now scheduled for deletion.
    pub files: usize,
}

/// A file that no snapshot needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheduled {
    /// Id that the data or delete file had; the two share one sequence.
    pub id: i64,
    /// Path relative to the catalog's data path, or absolute.
    pub path: String,
    pub path_is_relative: bool,
    /// Since when it waits, microseconds since 1970.
    pub since_us: i64,
}

/// A snapshot is visible in `[begin, end)`. Nothing is ended without a snapshot of that number, so
/// a row with an end that no snapshot falls before is needed by none.
const UNSEEN: &str = "end_snapshot IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ducklake_snapshot s \
     WHERE s.snapshot_id >= begin_snapshot AND s.snapshot_id < end_snapshot)";

/// Removes snapshots that are older than a moment (microseconds since 1970), never the newest
/// `keep_latest` (at least one), and schedules the files that none of those left needs.
///
/// Rows of the catalog that only the removed snapshots saw go with them, and the statistics of the
/// tables become as narrow as the rest allows.
pub(crate) fn expire_snapshots(
    tx: &Connection,
    now_us: i64,
    older_than_us: i64,
    keep_latest: usize,
) -> Result<Expired> {
    let mut all: Vec<Snapshot> = snapshots(tx)?;
    all.truncate(all.len().saturating_sub(keep_latest.max(1)));
    let mut expired = Expired::default();
    for old in all.iter().filter(|s| s.time_us < older_than_us) {
        for table in ["ducklake_snapshot", "ducklake_snapshot_changes"] {
            tx.prepare_cached(&format!("DELETE FROM {table} WHERE snapshot_id = ?1"))?
                .execute([old.id])?;
        }
        expired.snapshots.push(old.id);
    }
    if expired.snapshots.is_empty() {
        return Ok(expired);
    }

    for id in ids(
        tx,
        &format!("SELECT data_file_id FROM ducklake_data_file WHERE {UNSEEN}"),
    )? {
        expired.files += forget_data_file(tx, id, now_us)?;
    }
    for id in ids(
        tx,
        &format!("SELECT delete_file_id FROM ducklake_delete_file WHERE {UNSEEN}"),
    )? {
        expired.files += forget_delete_file(tx, id, now_us)?;
    }
    for table_id in ids(tx, "SELECT DISTINCT table_id FROM ducklake_table_stats")? {
        for table in inlined::data_tables(tx, table_id)? {
            tx.execute(
                &format!("DELETE FROM {} WHERE {UNSEEN}", quoted(&table.name)),
                [],
            )?;
        }
        inlined::drop_superseded(tx, table_id)?;
        stats::recompute(tx, table_id)?;
    }
    Ok(expired)
}

/// Removes every trace of a data file and of its deletions from the catalog, and schedules the
/// files. Returns how many.
pub(crate) fn forget_data_file(tx: &Connection, id: i64, now_us: i64) -> Result<usize> {
    let mut files = 0;
    for delete_file in ids_of(
        tx,
        "SELECT delete_file_id FROM ducklake_delete_file WHERE data_file_id = ?1",
        id,
    )? {
        files += forget_delete_file(tx, delete_file, now_us)?;
    }
    let table_id: i64 = tx
        .prepare_cached("SELECT table_id FROM ducklake_data_file WHERE data_file_id = ?1")?
        .query_row([id], |row| row.get(0))?;
    schedule(tx, "ducklake_data_file", "data_file_id", id, now_us)?;
    for table in [
        "ducklake_data_file",
        "ducklake_file_column_stats",
        "ducklake_file_variant_stats",
        "ducklake_file_partition_value",
    ] {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE data_file_id = ?1"))?
            .execute([id])?;
    }
    if let Some(table) = inlined::delete_table(tx, table_id)? {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE file_id = ?1"))?
            .execute([id])?;
    }
    Ok(files + 1)
}

fn forget_delete_file(tx: &Connection, id: i64, now_us: i64) -> Result<usize> {
    schedule(tx, "ducklake_delete_file", "delete_file_id", id, now_us)?;
    tx.prepare_cached("DELETE FROM ducklake_delete_file WHERE delete_file_id = ?1")?
        .execute([id])?;
    Ok(1)
}

fn schedule(tx: &Connection, table: &str, id_column: &str, id: i64, now_us: i64) -> Result<()> {
    let (table_id, path, relative): (i64, String, bool) = tx
        .prepare_cached(&format!(
            "SELECT table_id, path, path_is_relative FROM {table} WHERE {id_column} = ?1"
        ))?
        .query_row([id], |row| {
            Ok((row.get(0)?, row.get(1)?, truth(row, 2)?.unwrap_or(true)))
        })?;
    // A schedule outlives the table, so its paths are relative to the data path.
    let path = read::table_directory(tx, table_id)?.join(&path, relative);
    tx.prepare_cached("INSERT INTO ducklake_files_scheduled_for_deletion VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            id,
            path.path,
            path.is_relative,
            timestamp_text(now_us)
        ])?;
    Ok(())
}

/// Returns the files that have been waiting for deletion since before a moment (microseconds since
/// 1970), longest first. Delete each, then [`unschedule`] it.
pub(crate) fn scheduled(conn: &Connection, before_us: i64) -> Result<Vec<Scheduled>> {
    let mut statement = conn.prepare_cached(
        "SELECT data_file_id, path, path_is_relative, schedule_start \
         FROM ducklake_files_scheduled_for_deletion",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let since: String = row.get(3)?;
        let file = Scheduled {
            id: row.get(0)?,
            path: row.get(1)?,
            path_is_relative: truth(row, 2)?.unwrap_or(true),
            since_us: parse_timestamp_us(&since).ok_or_else(|| {
                Error::invalid_data(format!(
                    "a file scheduled for deletion has the time `{since}`; \
                     a time like `2026-01-31 23:00:00+00` is expected"
                ))
            })?,
        };
        if file.since_us < before_us {
            found.push(file);
        }
    }
    found.sort_by_key(|f| (f.since_us, f.id));
    Ok(found)
}

/// Takes files off the schedule, once they are deleted.
pub(crate) fn unschedule(tx: &Connection, ids: &[i64]) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "DELETE FROM ducklake_files_scheduled_for_deletion WHERE data_file_id = ?1",
    )?;
    for id in ids {
        statement.execute([id])?;
    }
    Ok(())
}

/// Sets the catalog's data path to `dir` (absolute), where the store was opened. Returns whether it
/// had to.
///
/// DuckDB takes a relative data path from its own working directory, not from the catalog's, so
/// that only an absolute one works for all; it is wrong after the directory moved until the store
/// is opened again. All other paths of the catalog are relative to it and survive. Before that,
/// DuckDB needs `ATTACH … (DATA_PATH '…', OVERRIDE_DATA_PATH true)`.
pub(crate) fn fix_data_path(tx: &Connection, dir: &str) -> Result<bool> {
    let dir = directory(dir);
    if metadata(tx, "data_path")?.as_deref() == Some(dir.as_str()) {
        return Ok(false);
    }
    tx.execute(
        "DELETE FROM ducklake_metadata WHERE \"key\" = 'data_path' AND \"scope\" IS NULL",
        [],
    )?;
    tx.execute(
        "INSERT INTO ducklake_metadata VALUES ('data_path', ?1, NULL, NULL)",
        [dir],
    )?;
    Ok(true)
}

/// A directory as the catalog writes it: `/` between its parts and one at the end.
pub(crate) fn directory(path: &str) -> String {
    let path = if std::path::MAIN_SEPARATOR == '\\' {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    };
    format!("{}/", path.trim_end_matches('/'))
}

fn ids(conn: &Connection, sql: &str) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn ids_of(conn: &Connection, sql: &str, id: i64) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
