//! The statistics of a whole table, which DuckDB plans with.
//!
//! They have no snapshots: DuckDB uses the same ones for the newest state and for old ones. So they
//! cover every row that the catalog still lists, and narrow only when files leave it. DuckDB
//! answers `min` and `max` from them when `record_count` equals the number of live rows, so that
//! number must be larger whenever the statistics cover a row that is not live: it counts the rows
//! that are listed, live or not.
//!
//! A column without a row here is one that nothing is known of. It must not get a row with empty
//! bounds, which DuckDB takes for "all null so far" and narrows with the next insert.

use std::cmp::Ordering;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::file::{ColumnStats, WrittenFile};
use super::inlined;
use super::table::{Column, columns_at};
use super::value::compare;
use super::{signed, truth};
use crate::Result;

/// What is known of the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Summary {
    /// `false` once anything came whose bounds are not known.
    known: bool,
    contains_null: bool,
    /// `None`: not a float, or not known.
    contains_nan: Option<bool>,
    /// Both or neither.
    bounds: Option<(String, String)>,
}

impl Summary {
    /// Of no rows.
    fn empty(ty: &str) -> Self {
        Summary {
            known: true,
            contains_null: false,
            contains_nan: is_float(ty).then_some(false),
            bounds: None,
        }
    }

    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (min, max): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
        Ok(Summary {
            known: min.is_some() == max.is_some(),
            contains_null: truth(row, 0)?.unwrap_or(true),
            contains_nan: truth(row, 1)?,
            bounds: min.zip(max),
        })
    }

    fn of_file(stats: &ColumnStats) -> Self {
        let bounds = stats.min.clone().zip(stats.max.clone());
        // NaN has no place in the bounds; DuckDB does not use them beside one.
        let known = stats.value_count == 0 || bounds.is_some() || stats.contains_nan == Some(true);
        Summary {
            known,
            contains_null: stats.null_count > 0,
            contains_nan: stats.contains_nan,
            bounds,
        }
    }

    fn merge(&mut self, ty: &str, other: Summary) {
        self.known &= other.known;
        self.contains_null |= other.contains_null;
        self.contains_nan = match (self.contains_nan, other.contains_nan) {
            (Some(a), Some(b)) => Some(a | b),
            _ => None,
        };
        let Some((min, max)) = other.bounds else {
            return;
        };
        let Some((own_min, own_max)) = &mut self.bounds else {
            // DuckDB cannot compare values of this type by text either way; a single one is fine.
            self.known &= compare(ty, &min, &max).is_some();
            self.bounds = Some((min, max));
            return;
        };
        match (compare(ty, &min, own_min), compare(ty, &max, own_max)) {
            (Some(low), Some(high)) => {
                if low == Ordering::Less {
                    *own_min = min;
                }
                if high == Ordering::Greater {
                    *own_max = max;
                }
            }
            _ => self.known = false,
        }
    }

    fn merge_value(&mut self, ty: &str, value: Option<String>) {
        let nan = match &value {
            Some(v) if is_float(ty) => Some(v.parse::<f64>().is_ok_and(f64::is_nan)),
            _ => is_float(ty).then_some(false),
        };
        let other = Summary {
            known: true,
            contains_null: value.is_none(),
            contains_nan: nan,
            bounds: value.filter(|_| nan != Some(true)).map(|v| (v.clone(), v)),
        };
        self.merge(ty, other);
    }
}

fn is_float(ty: &str) -> bool {
    matches!(ty, "float32" | "float64")
}

/// The row of `ducklake_table_stats`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TableStats {
    /// Rows that the catalog lists, live or not.
    pub record_count: u64,
    /// Row id of the next row; never goes back.
    pub next_row_id: i64,
    /// Bytes of the files of the newest snapshot.
    pub file_size_bytes: u64,
}

/// Returns the statistics of a table, `None` while it never had a row.
pub(crate) fn table_stats(conn: &Connection, table_id: i64) -> Result<Option<TableStats>> {
    Ok(conn
        .prepare_cached(
            "SELECT record_count, next_row_id, file_size_bytes FROM ducklake_table_stats \
             WHERE table_id = ?1",
        )?
        .query_row([table_id], |row| {
            Ok(TableStats {
                record_count: super::unsigned(row, 0)?,
                next_row_id: row.get::<_, Option<i64>>(1)?.unwrap_or(0),
                file_size_bytes: super::unsigned(row, 2)?,
            })
        })
        .optional()?)
}

/// Writes the statistics of a table.
pub(crate) fn set_table_stats(tx: &Connection, table_id: i64, stats: TableStats) -> Result<()> {
    let changed = tx
        .prepare_cached(
            "UPDATE ducklake_table_stats SET record_count = ?2, next_row_id = ?3, \
             file_size_bytes = ?4 WHERE table_id = ?1",
        )?
        .execute(params![
            table_id,
            signed(stats.record_count),
            stats.next_row_id,
            signed(stats.file_size_bytes)
        ])?;
    if changed == 0 {
        tx.execute(
            "INSERT INTO ducklake_table_stats VALUES (?1, ?2, ?3, ?4)",
            params![
                table_id,
                signed(stats.record_count),
                stats.next_row_id,
                signed(stats.file_size_bytes)
            ],
        )?;
    }
    Ok(())
}

/// Makes the statistics of a table's columns, of no rows yet.
pub(crate) fn begin(tx: &Connection, table_id: i64, columns: &[Column]) -> Result<()> {
    for column in columns {
        write(tx, table_id, column.id, &Summary::empty(&column.ty))?;
    }
    Ok(())
}

/// Makes the statistics of columns that were added: every row so far has null there.
pub(crate) fn add_columns(tx: &Connection, table_id: i64, columns: &[Column]) -> Result<()> {
    let Some(stats) = table_stats(tx, table_id)? else {
        return Ok(());
    };
    for column in columns {
        let mut summary = Summary::empty(&column.ty);
        summary.contains_null = stats.record_count > 0;
        write(tx, table_id, column.id, &summary)?;
    }
    Ok(())
}

/// Widens the statistics of a table's columns by a file.
pub(crate) fn widen(
    tx: &Connection,
    table_id: i64,
    columns: &[Column],
    file: &WrittenFile,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "SELECT contains_null, contains_nan, min_value, max_value \
         FROM ducklake_table_column_stats WHERE table_id = ?1 AND column_id = ?2",
    )?;
    for column in columns {
        let before = statement
            .query_row([table_id, column.id], Summary::of_row)
            .optional()?;
        // Nothing is known of the rows before, so nothing is known of all.
        let Some(mut summary) = before else { continue };
        match file.columns.iter().find(|s| s.column_id == column.id) {
            Some(stats) => summary.merge(&column.ty, Summary::of_file(stats)),
            None => summary.contains_null |= file.record_count > 0,
        }
        write(tx, table_id, column.id, &summary)?;
    }
    Ok(())
}

/// Makes the statistics of a table anew from what the catalog lists: as narrow as they can be.
pub(crate) fn recompute(tx: &Connection, table_id: i64) -> Result<()> {
    let Some(mut stats) = table_stats(tx, table_id)? else {
        return Ok(());
    };
    let newest: i64 = tx
        .prepare_cached(
            "SELECT coalesce(max(begin_snapshot), 0) FROM \
             (SELECT max(snapshot_id) AS begin_snapshot FROM ducklake_snapshot \
              UNION ALL SELECT max(begin_snapshot) FROM ducklake_column WHERE table_id = ?1)",
        )?
        .query_row([table_id], |row| row.get(0))?;
    let columns = columns_at(tx, table_id, newest)?;
    let mut summaries: Vec<Summary> = columns.iter().map(|c| Summary::empty(&c.ty)).collect();

    let (rows, bytes): (u64, u64) = tx
        .prepare_cached(
            "SELECT coalesce(sum(record_count), 0), \
             coalesce(sum(CASE WHEN end_snapshot IS NULL THEN file_size_bytes END), 0) \
             FROM ducklake_data_file WHERE table_id = ?1",
        )?
        .query_row([table_id], |row| {
            Ok((super::unsigned(row, 0)?, super::unsigned(row, 1)?))
        })?;
    stats.record_count = rows;
    stats.file_size_bytes = bytes;

    let mut statement = tx.prepare_cached(
        "SELECT c.null_count, c.value_count, c.min_value, c.max_value, c.contains_nan, \
         c.data_file_id IS NULL FROM ducklake_data_file f LEFT JOIN ducklake_file_column_stats c \
         ON c.data_file_id = f.data_file_id AND c.column_id = ?2 WHERE f.table_id = ?1",
    )?;
    for (column, summary) in columns.iter().zip(&mut summaries) {
        let mut rows = statement.query([table_id, column.id])?;
        while let Some(row) = rows.next()? {
            if row.get(5)? {
                summary.contains_null = true;
                continue;
            }
            let values = super::unsigned_or_null(row, 1)?;
            let nulls = super::unsigned_or_null(row, 0)?;
            let file = ColumnStats {
                column_id: column.id,
                size_bytes: 0,
                // Unknown counts are taken as "some".
                value_count: values.unwrap_or(1),
                null_count: nulls.unwrap_or(1),
                min: row.get(2)?,
                max: row.get(3)?,
                contains_nan: truth(row, 4)?,
            };
            summary.merge(&column.ty, Summary::of_file(&file));
        }
    }

    for table in inlined::rows(tx, table_id, None)? {
        stats.record_count += table.rows.len() as u64;
        for (column, summary) in columns.iter().zip(&mut summaries) {
            let index = table.columns.iter().position(|id| *id == column.id);
            for row in &table.rows {
                let value = index.and_then(|i| row.values.get(i).cloned().flatten());
                summary.merge_value(&column.ty, value);
            }
        }
    }

    tx.prepare_cached("DELETE FROM ducklake_table_column_stats WHERE table_id = ?1")?
        .execute([table_id])?;
    for (column, summary) in columns.iter().zip(&summaries) {
        write(tx, table_id, column.id, summary)?;
    }
    set_table_stats(tx, table_id, stats)
}

fn write(tx: &Connection, table_id: i64, column_id: i64, summary: &Summary) -> Result<()> {
    if !summary.known {
        tx.prepare_cached(
            "DELETE FROM ducklake_table_column_stats WHERE table_id = ?1 AND column_id = ?2",
        )?
        .execute([table_id, column_id])?;
        return Ok(());
    }
    let (min, max) = match &summary.bounds {
        Some((min, max)) => (Some(min), Some(max)),
        None => (None, None),
    };
    let changed = tx
        .prepare_cached(
            "UPDATE ducklake_table_column_stats SET contains_null = ?3, contains_nan = ?4, \
             min_value = ?5, max_value = ?6 WHERE table_id = ?1 AND column_id = ?2",
        )?
        .execute(params![
            table_id,
            column_id,
            summary.contains_null,
            summary.contains_nan,
            min,
            max
        ])?;
    if changed == 0 {
        tx.prepare_cached(
            "INSERT INTO ducklake_table_column_stats VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)",
        )?
        .execute(params![
            table_id,
            column_id,
            summary.contains_null,
            summary.contains_nan,
            min,
            max
        ])?;
    }
    Ok(())
}
