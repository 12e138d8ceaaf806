//! One commit: a new snapshot and everything that it changes.
//!
//! `changes_made` says what a commit did, and is what DuckDB checks a transaction of its own
//! against when it commits after ours. SQLite has one writer at a time, so a commit of ours always
//! sees the state that it changes. The words are chosen so that DuckDB refuses what would be lost:
//!
//! | commit | words | a concurrent DuckDB transaction that is refused |
//! |---|---|---|
//! | files added | `inserted_into_table` | deletes |
//! | files removed | `deleted_from_table` | inserts, compaction |
//! | files rewritten with the same rows | `inserted_into_table`, `rewrite_delete` | deletes, compaction |
//! | an actor erased | `inserted_into_table`, `deleted_from_table` | inserts, deletes, compaction |
//! | columns added | `altered_table` | inserts, deletes, other changes of columns |
//!
//! In SQLite the words are the second line of defence: DuckDB holds one state of the database
//! through its transaction, and SQLite refuses to let it write (`database is locked`) once there is
//! a newer one.

mod erase;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::file::WrittenFile;
use super::snapshot::{Snapshot, latest};
use super::stats::{self, TableStats};
use super::table::{Column, columns_at};
use super::value::timestamp_text;
use super::{inlined, quoted, signed};
use crate::{Error, ErrorKind, Result};

/// Words of DuckLake's `changes_made`, in the order in which DuckDB writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    InsertedIntoTable,
    DeletedFromTable,
    AlteredTable,
    InlinedDelete,
    RewriteDelete,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Change::InsertedIntoTable => "inserted_into_table",
            Change::DeletedFromTable => "deleted_from_table",
            Change::AlteredTable => "altered_table",
            Change::InlinedDelete => "inlined_delete",
            Change::RewriteDelete => "rewrite_delete",
        }
    }
}

/// A table as the commit knows it.
struct Pending {
    columns: Vec<Column>,
    /// Partitioning of new files, with its number of keys.
    partition: Option<(i64, usize)>,
    stats: TableStats,
    recompute: bool,
}

/// A commit being made. Nothing of it counts until [`Commit::finish`]; without that the caller must
/// roll its transaction back.
#[must_use = "a commit takes effect with `finish`"]
pub(crate) struct Commit<'c> {
    tx: &'c Connection,
    now_us: i64,
    base: Snapshot,
    snapshot_id: i64,
    schema_version: i64,
    next_catalog_id: i64,
    next_file_id: i64,
    created: Vec<String>,
    changes: BTreeSet<(Change, i64)>,
    tables: BTreeMap<i64, Pending>,
    author: Option<String>,
    message: Option<String>,
}

impl<'c> Commit<'c> {
    /// Begins the snapshot after the newest. `tx` must be in a transaction that may write
    /// (`BEGIN IMMEDIATE`), so that no other process commits in between.
    ///
    /// # Errors
    /// `Internal` outside a transaction.
    pub(crate) fn begin(tx: &'c Connection, now_us: i64) -> Result<Self> {
        if tx.is_autocommit() {
            return Err(Error::internal(
                "a commit to the catalog was begun outside a transaction",
            ));
        }
        let base = latest(tx)?;
        Ok(Commit {
            tx,
            // Times grow with ids even if the clock goes back, so that a moment names one snapshot.
            now_us: now_us.max(base.time_us.saturating_add(1)),
            snapshot_id: base.id + 1,
            schema_version: base.schema_version,
            next_catalog_id: base.next_catalog_id,
            next_file_id: base.next_file_id,
            base,
            created: Vec::new(),
            changes: BTreeSet::new(),
            tables: BTreeMap::new(),
            author: None,
            message: None,
        })
    }

    /// Sets who made the snapshot and why; both are shown by `ducklake_snapshots`.
    pub(crate) fn describe(mut self, author: Option<&str>, message: Option<&str>) -> Self {
        self.author = author.map(str::to_owned);
        self.message = message.map(str::to_owned);
        self
    }

    /// Returns the id that the snapshot will have.
    pub(crate) fn snapshot_id(&self) -> i64 {
        self.snapshot_id
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.tx
    }

    pub(super) fn next_catalog_id(&mut self) -> i64 {
        self.next_catalog_id += 1;
        self.next_catalog_id - 1
    }

    pub(super) fn created(&mut self, table: &str) {
        self.created
            .push(format!("created_table:\"main\".{}", quoted(table)));
    }

    /// Notes that a table's columns changed. Returns the schema version of this commit, and whether
    /// it is new to the table.
    pub(super) fn altered(&mut self, table_id: i64) -> Result<(i64, bool)> {
        // The table is read again, with its new columns, when a file is added.
        if let Some(table) = self.tables.remove(&table_id) {
            self.write_stats(table_id, &table)?;
        }
        let fresh = !self.tx.query_row(
            "SELECT EXISTS (SELECT 1 FROM ducklake_schema_versions \
             WHERE table_id = ?1 AND begin_snapshot = ?2)",
            [table_id, self.snapshot_id],
            |row| row.get::<_, bool>(0),
        )?;
        self.changes.insert((Change::AlteredTable, table_id));
        let version = self.new_schema_version(table_id)?;
        Ok((version, fresh))
    }

    /// One commit makes one schema version, however many tables it changes.
    pub(super) fn new_schema_version(&mut self, table_id: i64) -> Result<i64> {
        self.schema_version = self.base.schema_version + 1;
        self.tx.execute(
            "INSERT INTO ducklake_schema_versions SELECT ?1, ?2, ?3 WHERE NOT EXISTS \
             (SELECT 1 FROM ducklake_schema_versions WHERE begin_snapshot = ?1 AND table_id = ?3)",
            [self.snapshot_id, self.schema_version, table_id],
        )?;
        Ok(self.schema_version)
    }

    /// Checks that what the caller read of these files in snapshot `read_at` is still so: each is
    /// there, did not end since, and no row was deleted from it since. For compaction and erasure,
    /// which write their rows anew: a deletion in between would be undone otherwise.
    ///
    /// # Errors
    /// `Conflict` naming the first file that changed.
    pub(crate) fn ensure_unchanged(&self, file_ids: &[i64], read_at: i64) -> Result<()> {
        let mut file = self.tx.prepare_cached(
            "SELECT table_id FROM ducklake_data_file \
             WHERE data_file_id = ?1 AND (end_snapshot IS NULL OR end_snapshot <= ?2)",
        )?;
        // DuckDB adds later deletions to a file of earlier ones, which keeps its begin.
        let mut delete_file = self.tx.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM ducklake_delete_file \
             WHERE data_file_id = ?1 AND (begin_snapshot > ?2 OR partial_max > ?2))",
        )?;
        for &id in file_ids {
            let table_id: Option<i64> =
                file.query_row([id, read_at], |row| row.get(0)).optional()?;
            let changed = match table_id {
                None => true,
                Some(table_id) => {
                    let mut changed: bool =
                        delete_file.query_row([id, read_at], |row| row.get(0))?;
                    if let Some(table) = inlined::delete_table(self.tx, table_id)? {
                        changed |= self
                            .tx
                            .prepare_cached(&format!(
                                "SELECT EXISTS (SELECT 1 FROM {table} \
                                 WHERE file_id = ?1 AND begin_snapshot > ?2)"
                            ))?
                            .query_row([id, read_at], |row| row.get::<_, bool>(0))?;
                    }
                    changed
                }
            };
            if changed {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "data file {id} was changed by another commit after snapshot {read_at}, \
                         in which it was read: read it again"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Adds a file to a table. Returns its id. The file must be complete and durable.
    ///
    /// # Errors
    /// `Internal` if its partition values or columns are not those of the table.
    pub(crate) fn add_file(&mut self, table_id: i64, file: &WrittenFile) -> Result<i64> {
        let (row_id_start, partition) = {
            let table = self.table(table_id)?;
            (table.stats.next_row_id, table.partition)
        };
        let id = self.insert_file(
            table_id,
            file,
            (self.snapshot_id, None),
            Some(row_id_start),
            partition,
        )?;
        let tx = self.tx;
        let table = self.table(table_id)?;
        table.stats.record_count += file.record_count;
        table.stats.next_row_id += signed(file.record_count);
        table.stats.file_size_bytes += file.file_size_bytes;
        stats::widen(tx, table_id, &table.columns, file)?;
        self.changes.insert((Change::InsertedIntoTable, table_id));
        Ok(id)
    }

    /// Takes a file out of the table from this snapshot on; older snapshots keep it.
    ///
    /// # Errors
    /// `Conflict` if the newest snapshot has no such file.
    pub(crate) fn remove_file(&mut self, data_file_id: i64) -> Result<()> {
        let table_id = self.end_file(data_file_id)?;
        self.changes.insert((Change::DeletedFromTable, table_id));
        Ok(())
    }

    /// Exchanges files for others with the same live rows, as compaction does. Returns the ids of
    /// the new ones. Call [`Commit::ensure_unchanged`] before.
    ///
    /// # Errors
    /// As [`Commit::remove_file`] and [`Commit::add_file`].
    pub(crate) fn rewrite_files(
        &mut self,
        table_id: i64,
        old: &[i64],
        new: &[WrittenFile],
    ) -> Result<Vec<i64>> {
        for &id in old {
            self.end_file(id)?;
        }
        let before = self.table(table_id)?.stats.record_count;
        let ids = new
            .iter()
            .map(|file| self.add_file(table_id, file))
            .collect::<Result<Vec<_>>>()?;
        // The rows are the same, so the number that the statistics stand for is too. If some were
        // deleted, the old number stays larger than that of the live rows, which tells DuckDB that
        // the bounds may be too wide.
        self.table(table_id)?.stats.record_count = before;
        self.changes.insert((Change::InsertedIntoTable, table_id));
        self.changes.insert((Change::RewriteDelete, table_id));
        Ok(ids)
    }

    /// Writes the snapshot. Returns it, or the newest one if the commit changed nothing.
    pub(crate) fn finish(mut self) -> Result<Snapshot> {
        if self.created.is_empty() && self.changes.is_empty() {
            return Ok(self.base);
        }
        let tables = std::mem::take(&mut self.tables);
        for (&table_id, table) in &tables {
            self.write_stats(table_id, table)?;
        }
        let words = self
            .changes
            .iter()
            .map(|(change, table_id)| format!("{}:{table_id}", change.word()));
        let changes = self
            .created
            .iter()
            .cloned()
            .chain(words)
            .collect::<Vec<_>>()
            .join(",");
        self.tx
            .prepare_cached("INSERT INTO ducklake_snapshot VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                self.snapshot_id,
                timestamp_text(self.now_us),
                self.schema_version,
                self.next_catalog_id,
                self.next_file_id
            ])?;
        self.tx
            .prepare_cached("INSERT INTO ducklake_snapshot_changes VALUES (?1, ?2, ?3, ?4, NULL)")?
            .execute(params![
                self.snapshot_id,
                changes,
                self.author,
                self.message
            ])?;
        Ok(Snapshot {
            id: self.snapshot_id,
            time_us: self.now_us,
            schema_version: self.schema_version,
            next_catalog_id: self.next_catalog_id,
            next_file_id: self.next_file_id,
            changes,
            author: self.author,
            message: self.message,
        })
    }

    fn write_stats(&self, table_id: i64, table: &Pending) -> Result<()> {
        stats::set_table_stats(self.tx, table_id, table.stats)?;
        if table.recompute {
            stats::recompute(self.tx, table_id)?;
        }
        Ok(())
    }

    /// Ends a file and its deletions. Returns its table.
    fn end_file(&mut self, data_file_id: i64) -> Result<i64> {
        let found = self
            .tx
            .prepare_cached(
                "UPDATE ducklake_data_file SET end_snapshot = ?2 WHERE data_file_id = ?1 \
                 AND end_snapshot IS NULL AND begin_snapshot < ?2 \
                 RETURNING table_id, file_size_bytes",
            )?
            .query_row([data_file_id, self.snapshot_id], |row| {
                Ok((row.get(0)?, super::unsigned(row, 1)?))
            })
            .optional()?;
        let Some((table_id, bytes)) = found else {
            return Err(gone(data_file_id));
        };
        self.tx
            .prepare_cached(
                "UPDATE ducklake_delete_file SET end_snapshot = ?2 \
                 WHERE data_file_id = ?1 AND end_snapshot IS NULL",
            )?
            .execute([data_file_id, self.snapshot_id])?;
        let stats = &mut self.table(table_id)?.stats;
        stats.file_size_bytes = stats.file_size_bytes.saturating_sub(bytes);
        Ok(table_id)
    }

    fn insert_file(
        &mut self,
        table_id: i64,
        file: &WrittenFile,
        (begin, end): (i64, Option<i64>),
        row_id_start: Option<i64>,
        partition: Option<(i64, usize)>,
    ) -> Result<i64> {
        let keys = partition.map_or(0, |(_, keys)| keys);
        if file.partition_values.len() != keys {
            return Err(Error::internal(format!(
                "file `{}` has {} partition values, and its table is divided by {keys} keys",
                file.path,
                file.partition_values.len()
            )));
        }
        let columns = &self.table(table_id)?.columns;
        let strange = file
            .columns
            .iter()
            .find(|s| !columns.iter().any(|c| c.id == s.column_id));
        // A replaced file may have columns that were dropped since.
        if let (Some(strange), true) = (strange, begin == self.snapshot_id) {
            return Err(Error::internal(format!(
                "file `{}` has a column {} that its table has not",
                file.path, strange.column_id
            )));
        }
        let id = self.next_file_id;
        self.next_file_id += 1;
        self.tx
            .prepare_cached(
                "INSERT INTO ducklake_data_file VALUES (?1, ?2, ?3, ?4, NULL, ?5, 1, 'parquet', \
                 ?6, ?7, ?8, ?9, ?10, NULL, NULL, NULL)",
            )?
            .execute(params![
                id,
                table_id,
                begin,
                end,
                file.path,
                signed(file.record_count),
                signed(file.file_size_bytes),
                signed(file.footer_size),
                row_id_start,
                partition.map(|(id, _)| id)
            ])?;
        let mut statement = self.tx.prepare_cached(
            "INSERT INTO ducklake_file_column_stats \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)",
        )?;
        for column in &file.columns {
            statement.execute(params![
                id,
                table_id,
                column.column_id,
                signed(column.size_bytes),
                signed(column.value_count),
                signed(column.null_count),
                column.min,
                column.max,
                column.contains_nan
            ])?;
        }
        let mut statement = self
            .tx
            .prepare_cached("INSERT INTO ducklake_file_partition_value VALUES (?1, ?2, ?3, ?4)")?;
        for (index, value) in (0_i64..).zip(&file.partition_values) {
            statement.execute(params![id, table_id, index, value])?;
        }
        Ok(id)
    }

    fn table(&mut self, table_id: i64) -> Result<&mut Pending> {
        use std::collections::btree_map::Entry;
        match self.tables.entry(table_id) {
            Entry::Occupied(found) => Ok(found.into_mut()),
            Entry::Vacant(slot) => {
                let columns = columns_at(self.tx, table_id, self.snapshot_id)?;
                let partition = self
                    .tx
                    .prepare_cached(
                        "SELECT partition_id, count(*) FROM ducklake_partition_info \
                         JOIN ducklake_partition_column c USING (partition_id, table_id) \
                         WHERE table_id = ?1 AND end_snapshot IS NULL GROUP BY partition_id",
                    )?
                    .query_row([table_id], |row| {
                        let keys: i64 = row.get(1)?;
                        Ok((row.get(0)?, usize::try_from(keys).unwrap_or(0)))
                    })
                    .optional()?;
                let stats = match stats::table_stats(self.tx, table_id)? {
                    Some(stats) => stats,
                    None => {
                        stats::begin(self.tx, table_id, &columns)?;
                        TableStats::default()
                    }
                };
                Ok(slot.insert(Pending {
                    columns,
                    partition,
                    stats,
                    recompute: false,
                }))
            }
        }
    }
}

fn gone(data_file_id: i64) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "data file {data_file_id} is not in the newest snapshot: another commit removed or \
             replaced it"
        ),
    )
}
