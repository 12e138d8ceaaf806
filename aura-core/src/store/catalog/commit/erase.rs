//! The part of a commit that reaches every snapshot.

use rusqlite::{OptionalExtension, params};

use super::super::file::WrittenFile;
use super::super::inlined::DataTable;
use super::super::{maintain, quoted, signed};
use super::{Change, Commit, gone};
use crate::{Error, ErrorKind, Result};

impl Commit<'_> {
    /// Exchanges a file in every snapshot that sees it, or with `None` takes it out of all: nothing
    /// of the old file can be read afterwards. Returns the id of the new file.
    ///
    /// The new file takes over the begin, end and row ids of the old one. The old one and its
    /// deletions leave the catalog, so `new` must not have the rows that were deleted from it; in
    /// old snapshots they are missing then. If DuckDB merged the old one from several snapshots
    /// ([`DataFile::partial_max`](super::super::read::DataFile::partial_max)), the new one must have the
    /// [`SNAPSHOT_COLUMN`](super::super::file::SNAPSHOT_COLUMN) too.
    ///
    /// # Errors
    /// `Conflict` if the catalog has no such file; `Internal` as [`Commit::add_file`].
    pub(crate) fn replace_everywhere(
        &mut self,
        data_file_id: i64,
        new: Option<&WrittenFile>,
    ) -> Result<Option<i64>> {
        let found = self
            .tx
            .prepare_cached(
                "SELECT table_id, begin_snapshot, end_snapshot, row_id_start, partition_id, \
                 partial_max, (SELECT count(*) FROM ducklake_partition_column p \
                  WHERE p.partition_id = f.partition_id) \
                 FROM ducklake_data_file f WHERE data_file_id = ?1",
            )?
            .query_row([data_file_id], |row| {
                let partition: Option<i64> = row.get(4)?;
                let keys: i64 = row.get(6)?;
                Ok((
                    row.get::<_, i64>(0)?,
                    (row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?),
                    row.get::<_, Option<i64>>(3)?,
                    partition.map(|id| (id, usize::try_from(keys).unwrap_or(0))),
                    row.get::<_, Option<i64>>(5)?,
                ))
            })
            .optional()?;
        let Some((table_id, visible, row_id_start, partition, partial_max)) = found else {
            return Err(gone(data_file_id));
        };
        maintain::forget_data_file(self.tx, data_file_id, self.now_us)?;
        self.statistics_narrow(table_id)?;
        self.changes.insert((Change::DeletedFromTable, table_id));
        let Some(new) = new else {
            return Ok(None);
        };
        self.changes.insert((Change::InsertedIntoTable, table_id));
        // Without a first row id DuckDB looks for a column of row ids, which the new file has not.
        let row_id_start = match row_id_start {
            Some(start) => start,
            None => {
                let stats = &mut self.table(table_id)?.stats;
                stats.next_row_id += signed(new.record_count);
                stats.next_row_id - signed(new.record_count)
            }
        };
        let id = self.insert_file(table_id, new, visible, Some(row_id_start), partition)?;
        self.tx
            .prepare_cached(
                "UPDATE ducklake_data_file SET partial_max = ?2 WHERE data_file_id = ?1",
            )?
            .execute(params![id, partial_max])?;
        Ok(Some(id))
    }

    /// Removes inlined rows (by their [`InlinedRow::key`](super::super::inlined::InlinedRow::key)) from every snapshot.
    ///
    /// # Errors
    /// `Conflict` if one of them is not there.
    pub(crate) fn erase_inlined(
        &mut self,
        table_id: i64,
        table: &DataTable,
        keys: &[i64],
    ) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE rowid = ?1", quoted(&table.name));
        let mut statement = self.tx.prepare(&sql)?;
        for &key in keys {
            if statement.execute([key])? != 1 {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "row {key} of `{}` was changed by another commit: read the rows again",
                        table.name
                    ),
                ));
            }
        }
        self.statistics_narrow(table_id)?;
        self.changes.insert((Change::InlinedDelete, table_id));
        Ok(())
    }

    /// Notes that rows left every snapshot, so that the statistics are made anew at the end.
    fn statistics_narrow(&mut self, table_id: i64) -> Result<()> {
        self.table(table_id)?.recompute = true;
        // DuckDB caches statistics by this number.
        self.next_file_id += 1;
        Ok(())
    }
}
