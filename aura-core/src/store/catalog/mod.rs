//! The DuckLake catalog (specification 1.0) in SQLite.
//!
//! The functions take a connection and never begin or end a transaction of their own when one is
//! open, so that a change of the catalog shares one transaction with whatever else the caller
//! writes to the same database. Tables, texts and their order are those that DuckDB 1.5.5 writes
//! (its extension `ducklake` at commit d8a1881e).
//!
//! What the format asks of a writer, beyond its tables:
//!
//! - DuckDB caches statistics by `next_file_id` and schemas by `schema_version`: a commit that
//!   changes one must raise the other.
//! - The statistics of a table know no snapshots. They must cover every file that any snapshot
//!   still sees, and `record_count` may equal the number of live rows only while they are exact
//!   ([`stats`]).
//! - `changes_made` is what concurrent DuckDB transactions check for conflicts ([`commit`]).
//! - Rows that DuckDB inserts or deletes a few at a time are in tables of the database, not in
//!   files ([`inlined`]).

pub(crate) mod commit;
pub(crate) mod create;
pub(crate) mod file;
pub(crate) mod inlined;
pub(crate) mod maintain;
pub(crate) mod read;
pub(crate) mod snapshot;
pub(crate) mod stats;
pub(crate) mod table;
pub(crate) mod value;

#[cfg(test)]
mod interop;
#[cfg(test)]
mod tests;

use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};

/// The version of the DuckLake specification that this module reads and writes.
pub(crate) const VERSION: &str = "1.0";

/// Quotes an identifier for SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Reads a truth value: an integer where DuckDB or this library wrote it, text where another
/// program did.
fn truth(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<bool>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(i) => Ok(Some(i != 0)),
        ValueRef::Text(b"true" | b"1" | b"t") => Ok(Some(true)),
        ValueRef::Text(b"false" | b"0" | b"f") => Ok(Some(false)),
        other => Err(rusqlite::Error::InvalidColumnType(
            column,
            "a truth value".to_owned(),
            other.data_type(),
        )),
    }
}

/// Reads a count or size, which is never negative.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(unsigned_or_null(row, column)?.unwrap_or(0))
}

fn unsigned_or_null(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    let Some(n) = row.get::<_, Option<i64>>(column)? else {
        return Ok(None);
    };
    u64::try_from(n)
        .map(Some)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, n))
}

/// Turns a count into SQLite's integer; a count beyond it cannot occur (2⁶³ bytes or rows).
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The text of any value that DuckDB puts into a table of inlined rows.
fn text(value: ValueRef<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(match value {
        ValueRef::Null => None,
        ValueRef::Integer(i) => Some(i.to_string()),
        ValueRef::Real(f) => Some(f.to_string()),
        ValueRef::Text(bytes) => Some(
            std::str::from_utf8(bytes)
                .map_err(|e| rusqlite::Error::Utf8Error(column, e))?
                .to_owned(),
        ),
        ValueRef::Blob(_) => {
            return Err(rusqlite::Error::InvalidColumnType(
                column,
                "an inlined value".to_owned(),
                Type::Blob,
            ));
        }
    })
}
