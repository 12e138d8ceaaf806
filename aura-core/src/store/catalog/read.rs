//! What a table holds in a snapshot.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::inlined::{self, InlinedRows};
use super::snapshot::{Snapshot, latest, snapshot};
use super::table::{Column, columns_at};
use super::{truth, unsigned, unsigned_or_null};
use crate::{Error, Result};

/// A path as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogPath {
    /// Below the catalog's data path, or absolute. `/` between its parts.
    pub path: String,
    pub is_relative: bool,
}

impl CatalogPath {
    /// Returns a path below this directory; an absolute one stays as it is.
    pub(crate) fn join(&self, path: &str, is_relative: bool) -> CatalogPath {
        if is_relative {
            CatalogPath {
                path: format!("{}{path}", self.path),
                is_relative: self.is_relative,
            }
        } else {
            CatalogPath {
                path: path.to_owned(),
                is_relative: false,
            }
        }
    }
}

/// A table as a snapshot sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableState {
    pub table_id: i64,
    pub snapshot: Snapshot,
    /// Its directory, with `/` at the end.
    pub directory: CatalogPath,
    pub columns: Vec<Column>,
    /// Keys of the current partitioning: column id and transform.
    pub partition: Vec<(i64, String)>,
    /// In the order of their ids.
    pub files: Vec<DataFile>,
    /// Rows that are in the database and not in files.
    pub inlined: Vec<InlinedRows>,
}

/// A Parquet file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub id: i64,
    pub begin_snapshot: i64,
    pub path: CatalogPath,
    /// Rows in the file, deleted ones included.
    pub record_count: u64,
    pub file_size_bytes: u64,
    pub footer_size: Option<u64>,
    /// Row id of the first row; without it the file has a column `_ducklake_internal_row_id`.
    pub row_id_start: Option<i64>,
    /// Set for files that DuckDB merged: they have a column `_ducklake_internal_snapshot_id`
    /// (field id 2147483539), and a snapshot smaller than this sees only the rows in which that
    /// column is at most its own id.
    pub partial_max: Option<i64>,
    /// Set for files that another program made without field ids: their columns go by name.
    pub mapping_id: Option<i64>,
    /// Values of the keys of the partitioning that the file was written under.
    pub partition_values: Vec<Option<String>>,
    /// One for each column that was asked for; `None` if the file has no such column or its
    /// statistics are not known.
    pub stats: Vec<Option<FileStats>>,
    /// Files with deleted positions (at most one in what DuckDB writes).
    pub delete_files: Vec<DeleteFile>,
    /// Positions deleted from the file by rows of the database, ascending, from 0.
    pub deleted_positions: Vec<u64>,
}

/// Statistics of one column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileStats {
    pub null_count: Option<u64>,
    pub min: Option<String>,
    pub max: Option<String>,
}

/// A file with the positions of deleted rows of a data file: Parquet with `file_path`, `pos`, and
/// where DuckDB merged several `_ducklake_internal_snapshot_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeleteFile {
    pub id: i64,
    pub path: CatalogPath,
    /// `parquet`; another program may write `puffin`.
    pub format: String,
    pub delete_count: u64,
    /// As in [`DataFile::partial_max`].
    pub partial_max: Option<i64>,
}

/// Returns the id of a table of schema `main` in a snapshot.
///
/// # Errors
/// `NotFound` if the snapshot has no such table.
pub(crate) fn table_id(conn: &Connection, name: &str, snapshot_id: i64) -> Result<i64> {
    conn.prepare_cached(
        "SELECT table_id FROM ducklake_table t JOIN ducklake_schema s USING (schema_id) \
         WHERE s.schema_name = 'main' AND t.table_name = ?1 AND t.begin_snapshot <= ?2 \
         AND (t.end_snapshot IS NULL OR t.end_snapshot > ?2)",
    )?
    .query_row(params![name, snapshot_id], |row| row.get(0))
    .optional()?
    .ok_or_else(|| {
        Error::not_found(format!(
            "the catalog has no table `{name}` in snapshot {snapshot_id}"
        ))
    })
}

/// Returns what a table of schema `main` holds in a snapshot, by default the newest, with the
/// statistics of the columns named in `stats_of` (a name that is no column has none).
///
/// Everything is read in one transaction: the caller's, or one of its own.
///
/// # Errors
/// `NotFound` if there is no such snapshot or table.
pub(crate) fn load_table(
    conn: &Connection,
    name: &str,
    snapshot_id: Option<i64>,
    stats_of: &[&str],
) -> Result<TableState> {
    let own = if conn.is_autocommit() {
        Some(conn.unchecked_transaction()?)
    } else {
        None
    };
    let snapshot = match snapshot_id {
        Some(id) => snapshot(conn, id)?,
        None => latest(conn)?,
    };
    let table_id = table_id(conn, name, snapshot.id)?;
    let columns = columns_at(conn, table_id, snapshot.id)?;
    let stats_of: Vec<Option<i64>> = stats_of
        .iter()
        .map(|name| columns.iter().find(|c| c.name == *name).map(|c| c.id))
        .collect();
    let state = TableState {
        table_id,
        directory: table_directory(conn, table_id)?,
        partition: partition_keys(conn, table_id, snapshot.id)?,
        files: files(conn, table_id, snapshot.id, &stats_of)?,
        inlined: inlined::rows(conn, table_id, Some(snapshot.id))?,
        columns,
        snapshot,
    };
    if let Some(own) = own {
        own.commit()?;
    }
    Ok(state)
}

/// Returns the ids of the data files that entered the catalog after a snapshot (given its
/// `next_file_id`), in their order, also those that are gone from the newest snapshot again.
///
/// Not all of them bring new rows: compaction, and DuckDB's flushing of inlined rows, write old rows
/// anew.
pub(crate) fn files_since(conn: &Connection, table_id: i64, next_file_id: i64) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(
        "SELECT data_file_id FROM ducklake_data_file \
         WHERE table_id = ?1 AND data_file_id >= ?2 ORDER BY data_file_id",
    )?;
    let rows = statement.query_map([table_id, next_file_id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the directory of a table, with `/` at its end.
pub(crate) fn table_directory(conn: &Connection, table_id: i64) -> Result<CatalogPath> {
    let (schema, table) = conn
        .prepare_cached(
            "SELECT s.path, s.path_is_relative, t.path, t.path_is_relative FROM ducklake_table t \
             JOIN ducklake_schema s USING (schema_id) WHERE t.table_id = ?1 \
             ORDER BY t.begin_snapshot DESC LIMIT 1",
        )?
        .query_row([table_id], |row| {
            let schema = (row.get::<_, String>(0)?, truth(row, 1)?.unwrap_or(true));
            Ok((
                schema,
                (row.get::<_, String>(2)?, truth(row, 3)?.unwrap_or(true)),
            ))
        })?;
    let root = CatalogPath {
        path: String::new(),
        is_relative: true,
    };
    Ok(root.join(&schema.0, schema.1).join(&table.0, table.1))
}

fn partition_keys(
    conn: &Connection,
    table_id: i64,
    snapshot_id: i64,
) -> Result<Vec<(i64, String)>> {
    let mut statement = conn.prepare_cached(
        "SELECT column_id, \"transform\" FROM ducklake_partition_column c \
         JOIN ducklake_partition_info i USING (partition_id) \
         WHERE i.table_id = ?1 AND i.begin_snapshot <= ?2 \
         AND (i.end_snapshot IS NULL OR i.end_snapshot > ?2) ORDER BY partition_key_index",
    )?;
    let rows = statement.query_map([table_id, snapshot_id], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Begins before or in the snapshot `?2`, and does not end until after it.
const VISIBLE: &str = "f.table_id = ?1 AND f.begin_snapshot <= ?2 \
     AND (f.end_snapshot IS NULL OR f.end_snapshot > ?2)";

fn files(
    conn: &Connection,
    table_id: i64,
    snapshot_id: i64,
    stats_of: &[Option<i64>],
) -> Result<Vec<DataFile>> {
    let directory = table_directory(conn, table_id)?;
    let mut files = BTreeMap::new();
    let mut statement = conn.prepare_cached(&format!(
        "SELECT data_file_id, begin_snapshot, path, path_is_relative, record_count, \
         file_size_bytes, footer_size, row_id_start, partial_max, mapping_id, file_format, \
         encryption_key IS NOT NULL FROM ducklake_data_file f WHERE {VISIBLE}"
    ))?;
    let mut rows = statement.query([table_id, snapshot_id])?;
    while let Some(row) = rows.next()? {
        let path: String = row.get(2)?;
        let format: String = row.get(10)?;
        if format != "parquet" || row.get(11)? {
            return Err(Error::invalid_data(format!(
                "`{path}` in the catalog has the format `{format}` or is encrypted; \
                 Parquet without encryption is expected"
            )));
        }
        let file = DataFile {
            id: row.get(0)?,
            begin_snapshot: row.get(1)?,
            path: directory.join(&path, truth(row, 3)?.unwrap_or(true)),
            record_count: unsigned(row, 4)?,
            file_size_bytes: unsigned(row, 5)?,
            footer_size: unsigned_or_null(row, 6)?,
            row_id_start: row.get(7)?,
            partial_max: row.get(8)?,
            mapping_id: row.get(9)?,
            partition_values: Vec::new(),
            stats: vec![None; stats_of.len()],
            delete_files: Vec::new(),
            deleted_positions: Vec::new(),
        };
        files.insert(file.id, file);
    }

    let mut statement = conn.prepare_cached(&format!(
        "SELECT v.data_file_id, v.partition_value FROM ducklake_file_partition_value v \
         JOIN ducklake_data_file f USING (data_file_id) WHERE {VISIBLE} \
         ORDER BY v.data_file_id, v.partition_key_index"
    ))?;
    let mut rows = statement.query([table_id, snapshot_id])?;
    while let Some(row) = rows.next()? {
        if let Some(file) = files.get_mut(&row.get(0)?) {
            file.partition_values.push(row.get(1)?);
        }
    }

    let mut statement = conn.prepare_cached(&format!(
        "SELECT c.data_file_id, c.null_count, c.min_value, c.max_value \
         FROM ducklake_file_column_stats c JOIN ducklake_data_file f USING (data_file_id) \
         WHERE {VISIBLE} AND c.column_id = ?3"
    ))?;
    for (index, column_id) in stats_of.iter().enumerate() {
        let Some(column_id) = column_id else { continue };
        let mut rows = statement.query([table_id, snapshot_id, *column_id])?;
        while let Some(row) = rows.next()? {
            let stats = FileStats {
                null_count: unsigned_or_null(row, 1)?,
                min: row.get(2)?,
                max: row.get(3)?,
            };
            let slot = files
                .get_mut(&row.get(0)?)
                .and_then(|file| file.stats.get_mut(index));
            if let Some(slot) = slot {
                *slot = Some(stats);
            }
        }
    }

    let mut statement = conn.prepare_cached(&format!(
        "SELECT delete_file_id, data_file_id, path, path_is_relative, format, delete_count, \
         partial_max FROM ducklake_delete_file f WHERE {VISIBLE} ORDER BY delete_file_id"
    ))?;
    let mut rows = statement.query([table_id, snapshot_id])?;
    while let Some(row) = rows.next()? {
        let path: String = row.get(2)?;
        let deletes = DeleteFile {
            id: row.get(0)?,
            path: directory.join(&path, truth(row, 3)?.unwrap_or(true)),
            format: row.get(4)?,
            delete_count: unsigned(row, 5)?,
            partial_max: row.get(6)?,
        };
        if let Some(file) = files.get_mut(&row.get(1)?) {
            file.delete_files.push(deletes);
        }
    }

    for (id, positions) in inlined::deleted_positions(conn, table_id, snapshot_id)? {
        if let Some(file) = files.get_mut(&id) {
            file.deleted_positions = positions;
        }
    }
    Ok(files.into_values().collect())
}
