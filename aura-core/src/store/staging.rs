//! Batches that are durable in the database and not yet in a Parquet file.

use std::io::Cursor;

use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;
use rusqlite::Connection;

use super::db::{meta_int, set_meta};
use super::sql_error::sql_error as sql;
use crate::{Error, Result};

/// One staged batch.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    pub(crate) seq: i64,
    pub(crate) table: String,
    pub(crate) batch: RecordBatch,
}

/// Encodes a batch as an Arrow IPC stream with zstd.
pub(crate) fn encode(batch: &RecordBatch) -> Result<Vec<u8>> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options)?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

fn decode(seq: i64, data: &[u8]) -> Result<RecordBatch> {
    let damaged = |e: &dyn std::fmt::Display| {
        Error::invalid_data(format!(
            "aura.db is damaged: staged batch {seq} cannot be read: {e}"
        ))
    };
    let mut reader = StreamReader::try_new(Cursor::new(data), None).map_err(|e| damaged(&e))?;
    match reader.next() {
        Some(batch) => batch.map_err(|e| damaged(&e)),
        None => Err(damaged(&"it is empty")),
    }
}

/// Adds a batch. It is durable when the transaction commits.
pub(crate) fn insert(conn: &Connection, table: &str, rows: usize, data: &[u8]) -> Result<i64> {
    conn.prepare_cached(
        "INSERT INTO aura_staged (table_name, row_count, byte_count, data) VALUES (?1, ?2, ?3, ?4)",
    )
    .and_then(|mut s| s.insert((table, rows as i64, data.len() as i64, data)))
    .map_err(|e| sql("cannot stage a batch", e))
}

/// Returns the number of the last batch that was ever staged.
pub(crate) fn last_seq(conn: &Connection) -> Result<i64> {
    conn.prepare_cached(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'aura_staged'), 0)",
    )
    .and_then(|mut s| s.query_row([], |r| r.get(0)))
    .map_err(|e| sql("cannot read the staged batches", e))
}

/// Returns the number up to which batches are in files, so that their rows here no longer count.
pub(crate) fn flushed_seq(conn: &Connection) -> Result<i64> {
    meta_int(conn, "flushed_seq")
}

/// Notes that all batches up to `seq` are in files now.
pub(crate) fn set_flushed_seq(conn: &Connection, seq: i64) -> Result<()> {
    set_meta(conn, "flushed_seq", &seq.to_string())
}

/// Reads the staged batches with `after < seq`, at most about `max_bytes` of them.
pub(crate) fn read(
    conn: &Connection,
    table: Option<&str>,
    after: i64,
    max_bytes: u64,
) -> Result<Vec<Staged>> {
    let mut statement = conn
        .prepare_cached(
            "SELECT seq, table_name, data FROM aura_staged
             WHERE seq > ?1 AND (?2 IS NULL OR table_name = ?2) ORDER BY seq",
        )
        .map_err(|e| sql("cannot read the staged batches", e))?;
    let mut rows = statement
        .query((after, table))
        .map_err(|e| sql("cannot read the staged batches", e))?;
    let mut found = Vec::new();
    let mut bytes = 0u64;
    while let Some(row) = rows
        .next()
        .map_err(|e| sql("cannot read the staged batches", e))?
    {
        let data = row
            .get_ref(2)?
            .as_blob()
            .map_err(|e| Error::invalid_data(e.to_string()))?;
        let seq = row.get(0)?;
        found.push(Staged {
            seq,
            table: row.get(1)?,
            batch: decode(seq, data)?,
        });
        bytes += data.len() as u64;
        if bytes >= max_bytes {
            break;
        }
    }
    Ok(found)
}

/// Rows and bytes of the batches that count, of one table.
pub(crate) fn pending(conn: &Connection, table: &str) -> Result<(u64, u64)> {
    conn.prepare_cached(
        "SELECT coalesce(sum(row_count), 0), coalesce(sum(byte_count), 0) FROM aura_staged
         WHERE seq > (SELECT CAST(value AS INTEGER) FROM aura_meta WHERE key = 'flushed_seq')
           AND table_name = ?1",
    )
    .and_then(|mut s| s.query_row([table], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?))))
    .map(|(rows, bytes)| (rows as u64, bytes as u64))
    .map_err(|e| sql("cannot read the staged batches", e))
}

/// Deletes at most `most` batches that are in files. A blob's pages form a chain that is walked when
/// it is freed, so this is done in small steps beside other commits. Returns how many were deleted.
pub(crate) fn sweep(conn: &Connection, most: usize) -> Result<usize> {
    conn.prepare_cached(
        "DELETE FROM aura_staged WHERE seq IN (
             SELECT seq FROM aura_staged
             WHERE seq <= (SELECT CAST(value AS INTEGER) FROM aura_meta WHERE key = 'flushed_seq')
             ORDER BY seq LIMIT ?1)",
    )
    .and_then(|mut s| s.execute([most as i64]))
    .map_err(|e| sql("cannot remove flushed batches", e))
}
