//! Rows that DuckDB keeps in the database itself: small inserts, and small deletions from files.
//!
//! `ducklake_inlined_data_T_V` has the rows inserted into table `T` while its schema had version
//! `V`, each with the snapshots that begin and end it. `ducklake_inlined_delete_T` has deleted rows
//! of files; its `row_id` is the position in the file, from 0, not DuckLake's row id.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::table::{Column, columns_at};
use super::{quoted, text};
use crate::{Error, Result};

/// Names that an inlined table has for itself; DuckDB inlines nothing into a table with a column
/// of such a name.
const RESERVED: [&str; 5] = [
    "row_id",
    "begin_snapshot",
    "end_snapshot",
    "_ducklake_internal_snapshot_id",
    "_ducklake_internal_row_id",
];

/// A table of inlined rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataTable {
    /// Its name in the database.
    pub name: String,
    pub schema_version: i64,
}

/// The inlined rows of one [`DataTable`] that a snapshot sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InlinedRows {
    pub table: DataTable,
    /// Column ids, in the order of [`InlinedRow::values`].
    pub columns: Vec<i64>,
    pub rows: Vec<InlinedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InlinedRow {
    /// Identity of this row in its table, for [`super::commit::Commit::erase_inlined`]. An updated row has several versions with one
    /// `row_id`.
    pub key: i64,
    /// DuckLake's row id.
    pub row_id: i64,
    pub begin_snapshot: i64,
    /// Values as text: truth values `0` and `1`, floats like `1e+300`, `nan`, `-inf`, moments like
    /// `2026-01-31 23:00:00.5+00` (see [`super::value`]).
    pub values: Vec<Option<String>>,
}

/// Returns the tables of inlined rows of a table, oldest schema first.
pub(crate) fn data_tables(conn: &Connection, table_id: i64) -> Result<Vec<DataTable>> {
    let mut statement = conn.prepare_cached(
        "SELECT table_name, schema_version FROM ducklake_inlined_data_tables \
         WHERE table_id = ?1 ORDER BY schema_version",
    )?;
    let rows = statement.query_map([table_id], |row| {
        Ok(DataTable {
            name: row.get(0)?,
            schema_version: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the inlined rows that a snapshot sees, in the order of their row ids; with
/// `snapshot_id` `None` those of all snapshots. Tables without such rows are left out.
pub(crate) fn rows(
    conn: &Connection,
    table_id: i64,
    snapshot_id: Option<i64>,
) -> Result<Vec<InlinedRows>> {
    let mut found = Vec::new();
    for table in data_tables(conn, table_id)? {
        let columns = columns_of(conn, table_id, &table)?;
        let mut list = String::from("rowid, row_id, begin_snapshot");
        for column in &columns {
            list.push_str(", ");
            list.push_str(&quoted(&column.name));
        }
        let sql = format!(
            "SELECT {list} FROM {} WHERE ?1 IS NULL OR (begin_snapshot <= ?1 AND \
             (end_snapshot IS NULL OR end_snapshot > ?1)) ORDER BY row_id, begin_snapshot",
            quoted(&table.name)
        );
        let mut statement = conn.prepare(&sql)?;
        let rows = statement.query_map([snapshot_id], |row| {
            let values = (3..3 + columns.len())
                .map(|i| text(row.get_ref(i)?, i))
                .collect::<rusqlite::Result<_>>()?;
            Ok(InlinedRow {
                key: row.get(0)?,
                row_id: row.get(1)?,
                begin_snapshot: row.get(2)?,
                values,
            })
        })?;
        let rows: Vec<InlinedRow> = rows.collect::<rusqlite::Result<_>>()?;
        if !rows.is_empty() {
            found.push(InlinedRows {
                table,
                columns: columns.iter().map(|c| c.id).collect(),
                rows,
            });
        }
    }
    Ok(found)
}

/// The columns of an inlined table: those that its table had when the schema version began, under
/// the names of that time.
fn columns_of(conn: &Connection, table_id: i64, table: &DataTable) -> Result<Vec<Named>> {
    let began: Option<i64> = conn
        .prepare_cached(
            "SELECT begin_snapshot FROM ducklake_schema_versions \
             WHERE table_id = ?1 AND schema_version = ?2",
        )?
        .query_row([table_id, table.schema_version], |row| row.get(0))
        .optional()?;
    // DuckDB may make a table of inlined rows late, without an entry, when the first row comes.
    let known = match began {
        Some(began) => columns_at(conn, table_id, began)?,
        None => Vec::new(),
    };
    let mut names = conn.prepare_cached("SELECT name FROM pragma_table_info(?1) WHERE cid >= 3")?;
    let names = names.query_map([&table.name], |row| row.get::<_, String>(0))?;
    let mut found = Vec::new();
    for name in names {
        let name = name?;
        let id = match known.iter().find(|c| c.name == name) {
            Some(column) => Some(column.id),
            None => conn
                .prepare_cached(
                    "SELECT column_id FROM ducklake_column WHERE table_id = ?1 \
                     AND column_name = ?2 AND parent_column IS NULL \
                     ORDER BY begin_snapshot DESC LIMIT 1",
                )?
                .query_row(params![table_id, name], |row| row.get(0))
                .optional()?,
        };
        let Some(id) = id else {
            return Err(Error::invalid_data(format!(
                "`{}` of the DuckLake catalog has a column `{name}` that its table never had",
                table.name
            )));
        };
        found.push(Named { id, name });
    }
    Ok(found)
}

/// A column of an inlined table.
struct Named {
    id: i64,
    name: String,
}

/// Creates the table for rows inlined under a schema version, as DuckDB does with each change of
/// the columns: it would put rows of the new columns into the old table otherwise.
pub(crate) fn create_table(
    tx: &Connection,
    table_id: i64,
    schema_version: i64,
    columns: &[Column],
) -> Result<()> {
    let reserved = |c: &Column| RESERVED.iter().any(|r| r.eq_ignore_ascii_case(&c.name));
    if columns.iter().any(reserved) {
        return Ok(());
    }
    let name = format!("ducklake_inlined_data_{table_id}_{schema_version}");
    let mut list = String::new();
    for column in columns {
        let ty = match column.ty.as_str() {
            "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "boolean" => {
                "BIGINT"
            }
            // Floats too: SQLite has no NaN.
            _ => "VARCHAR",
        };
        list.push_str(&format!(", {} {ty}", quoted(&column.name)));
    }
    tx.execute_batch(&format!(
        "CREATE TABLE {}(row_id BIGINT, begin_snapshot BIGINT, end_snapshot BIGINT{list})",
        quoted(&name)
    ))?;
    tx.execute(
        "INSERT INTO ducklake_inlined_data_tables VALUES (?1, ?2, ?3)",
        params![table_id, name, schema_version],
    )?;
    Ok(())
}

/// Drops the tables of inlined rows that are empty and not of the newest schema version.
pub(crate) fn drop_superseded(tx: &Connection, table_id: i64) -> Result<()> {
    let mut tables = data_tables(tx, table_id)?;
    tables.pop();
    for table in tables {
        let name = quoted(&table.name);
        let empty: bool = tx.query_row(
            &format!("SELECT NOT EXISTS (SELECT 1 FROM {name})"),
            [],
            |row| row.get(0),
        )?;
        if empty {
            tx.execute(
                "DELETE FROM ducklake_inlined_data_tables WHERE table_id = ?1 AND table_name = ?2",
                params![table_id, table.name],
            )?;
            tx.execute_batch(&format!("DROP TABLE {name}"))?;
        }
    }
    Ok(())
}

/// Returns the name of the table of inlined deletions, quoted, if DuckDB has made it.
pub(crate) fn delete_table(conn: &Connection, table_id: i64) -> Result<Option<String>> {
    let name = format!("ducklake_inlined_delete_{table_id}");
    let exists: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)",
        )?
        .query_row([&name], |row| row.get(0))?;
    Ok(exists.then(|| quoted(&name)))
}

/// Returns the positions deleted from each file, ascending, that a snapshot sees.
pub(crate) fn deleted_positions(
    conn: &Connection,
    table_id: i64,
    snapshot_id: i64,
) -> Result<BTreeMap<i64, Vec<u64>>> {
    let mut found: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    let Some(table) = delete_table(conn, table_id)? else {
        return Ok(found);
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT DISTINCT file_id, row_id FROM {table} WHERE begin_snapshot <= ?1 \
         ORDER BY file_id, row_id"
    ))?;
    let mut rows = statement.query([snapshot_id])?;
    while let Some(row) = rows.next()? {
        let position = super::unsigned(row, 1)?;
        found.entry(row.get(0)?).or_default().push(position);
    }
    Ok(found)
}
