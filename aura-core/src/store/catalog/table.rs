//! Tables, their columns, partitions and order.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::commit::Commit;
use super::value::type_name;
use super::{inlined, quoted, stats, truth};
use crate::event::PropertyType;
use crate::{Error, ErrorKind, Result};

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Unique in the table for ever; the field id in Parquet files.
    pub id: i64,
    pub name: String,
    /// DuckLake's type, for example `timestamptz`; columns that AURA made have the types of
    /// [`type_name`].
    pub ty: String,
    pub nullable: bool,
}

/// A column to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewColumn {
    pub name: String,
    pub ty: PropertyType,
    pub nullable: bool,
}

/// One key of a partitioning: a column and what is taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionKey {
    pub column: String,
    /// `identity`, `year`, `month`, `day`, `hour` or `bucket(N)`.
    pub transform: String,
}

/// One key of the order within files: ascending, nulls last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortKey {
    pub column: String,
}

/// A table to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewTable {
    pub name: String,
    pub uuid: Uuid,
    /// Directory below the schema's, for example `events/`.
    pub path: String,
    pub columns: Vec<NewColumn>,
    pub partition: Vec<PartitionKey>,
    pub sort: Vec<SortKey>,
}

/// Makes a table in schema `main`. Returns its id and columns.
///
/// # Errors
/// `Conflict` if there is one of this name; `InvalidSpec` if two columns have one name (DuckDB
/// ignores case) or a key names no column.
pub(crate) fn create_table(
    commit: &mut Commit<'_>,
    table: &NewTable,
) -> Result<(i64, Vec<Column>)> {
    let tx = commit.connection();
    let taken: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM ducklake_table WHERE schema_id = 0 AND end_snapshot IS NULL \
         AND table_name = ?1 COLLATE NOCASE)",
        [&table.name],
        |row| row.get(0),
    )?;
    if taken {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!("the catalog already has a table `{}`", table.name),
        ));
    }
    check_names(&[], &table.columns)?;
    let table_id = commit.next_catalog_id();
    let snapshot_id = commit.snapshot_id();
    tx.execute(
        "INSERT INTO ducklake_table VALUES (?1, ?2, ?3, NULL, 0, ?4, ?5, 1)",
        params![
            table_id,
            table.uuid.to_string(),
            snapshot_id,
            table.name,
            table.path
        ],
    )?;
    let columns = insert_columns(tx, snapshot_id, table_id, 1, &table.columns)?;
    let find = |name: &str| {
        columns.iter().find(|c| c.name == name).ok_or_else(|| {
            Error::invalid_spec(format!(
                "table `{}` has no column `{name}` to divide or order by",
                table.name
            ))
        })
    };
    if !table.partition.is_empty() {
        let partition_id = commit.next_catalog_id();
        tx.execute(
            "INSERT INTO ducklake_partition_info VALUES (?1, ?2, ?3, NULL)",
            [partition_id, table_id, snapshot_id],
        )?;
        for (index, key) in (0_i64..).zip(&table.partition) {
            tx.execute(
                "INSERT INTO ducklake_partition_column VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    partition_id,
                    table_id,
                    index,
                    find(&key.column)?.id,
                    key.transform
                ],
            )?;
        }
    }
    if !table.sort.is_empty() {
        let sort_id = commit.next_catalog_id();
        tx.execute(
            "INSERT INTO ducklake_sort_info VALUES (?1, ?2, ?3, NULL)",
            [sort_id, table_id, snapshot_id],
        )?;
        for (index, key) in (0_i64..).zip(&table.sort) {
            tx.execute(
                "INSERT INTO ducklake_sort_expression \
                 VALUES (?1, ?2, ?3, ?4, 'duckdb', 'ASC', 'NULLS_LAST')",
                params![sort_id, table_id, index, quoted(&find(&key.column)?.name)],
            )?;
        }
    }
    let schema_version = commit.new_schema_version(table_id)?;
    inlined::create_table(tx, table_id, schema_version, &columns)?;
    commit.created(&table.name);
    Ok((table_id, columns))
}

/// Adds columns to a table. Returns them with their ids. Files written before have null there.
///
/// # Errors
/// `InvalidSpec` if the table already has a column of the name (DuckDB ignores case), or two have
/// one name, or one may not be null.
pub(crate) fn add_columns(
    commit: &mut Commit<'_>,
    table_id: i64,
    columns: &[NewColumn],
) -> Result<Vec<Column>> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let tx = commit.connection();
    let snapshot_id = commit.snapshot_id();
    let mut all = columns_at(tx, table_id, snapshot_id)?;
    check_names(&all, columns)?;
    if let Some(column) = columns.iter().find(|c| !c.nullable) {
        return Err(Error::invalid_spec(format!(
            "column `{}` cannot be added as not null: the rows before it have no value for it",
            column.name
        )));
    }
    let (schema_version, fresh) = commit.altered(table_id)?;
    // An id is never used twice, not even after its column was dropped.
    let first: i64 = tx.query_row(
        "SELECT coalesce(max(column_id), 0) + 1 FROM ducklake_column WHERE table_id = ?1",
        [table_id],
        |row| row.get(0),
    )?;
    let added = insert_columns(tx, snapshot_id, table_id, first, columns)?;
    stats::add_columns(tx, table_id, &added)?;
    all.extend_from_slice(&added);
    if !fresh {
        // The columns of this commit share one table of inlined rows.
        let name = format!("ducklake_inlined_data_{table_id}_{schema_version}");
        tx.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&name)))?;
        tx.execute(
            "DELETE FROM ducklake_inlined_data_tables WHERE table_name = ?1",
            [&name],
        )?;
    }
    inlined::create_table(tx, table_id, schema_version, &all)?;
    Ok(added)
}

fn check_names(present: &[Column], new: &[NewColumn]) -> Result<()> {
    let mut seen: std::collections::BTreeSet<String> =
        present.iter().map(|c| c.name.to_lowercase()).collect();
    for column in new {
        if column.name.is_empty() || !seen.insert(column.name.to_lowercase()) {
            return Err(Error::invalid_spec(format!(
                "column name `{}` is empty or taken; names must differ in more than case",
                column.name
            )));
        }
    }
    Ok(())
}

fn insert_columns(
    tx: &Connection,
    snapshot_id: i64,
    table_id: i64,
    first_id: i64,
    columns: &[NewColumn],
) -> Result<Vec<Column>> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO ducklake_column VALUES \
         (?1, ?2, NULL, ?3, ?1, ?4, ?5, NULL, 'NULL', ?6, NULL, 'literal', 'duckdb')",
    )?;
    let mut made = Vec::with_capacity(columns.len());
    for (id, column) in (first_id..).zip(columns) {
        let ty = type_name(column.ty);
        statement.execute(params![
            id,
            snapshot_id,
            table_id,
            column.name,
            ty,
            column.nullable
        ])?;
        made.push(Column {
            id,
            name: column.name.clone(),
            ty: ty.to_owned(),
            nullable: column.nullable,
        });
    }
    Ok(made)
}

/// Returns the columns of a table in a snapshot, in their order. Fields of nested columns, which
/// AURA does not make, are left out.
pub(crate) fn columns_at(
    conn: &Connection,
    table_id: i64,
    snapshot_id: i64,
) -> Result<Vec<Column>> {
    let mut statement = conn.prepare_cached(
        "SELECT column_id, column_name, column_type, nulls_allowed FROM ducklake_column \
         WHERE table_id = ?1 AND parent_column IS NULL AND begin_snapshot <= ?2 \
         AND (end_snapshot IS NULL OR end_snapshot > ?2) ORDER BY column_order, column_id",
    )?;
    let rows = statement.query_map([table_id, snapshot_id], |row| {
        Ok(Column {
            id: row.get(0)?,
            name: row.get(1)?,
            ty: row.get(2)?,
            nullable: truth(row, 3)?.unwrap_or(true),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
