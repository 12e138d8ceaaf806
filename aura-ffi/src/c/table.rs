//! Results, and how they leave.

use std::ffi::c_char;

use aura_core::Error;
use aura_core::arrow::ffi::FFI_ArrowSchema;
use aura_core::arrow::ffi_stream::FFI_ArrowArrayStream;

use super::arguments::{Out, handle, optional_handle, optional_text, out, release, text};
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::{guard, quietly};
use super::status::Status;
use crate::api::{Scan, Table, to_json};

/// What a question read.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct ScanStats {
    /// Data files of the tables that were asked.
    pub files_total: u64,
    /// Files that were read.
    pub files_read: u64,
    /// Bytes read from files.
    pub bytes_read: u64,
}

impl From<Scan> for ScanStats {
    fn from(scan: Scan) -> Self {
        ScanStats {
            files_total: scan.files_total,
            files_read: scan.files_read,
            bytes_read: scan.bytes_read,
        }
    }
}

/// Returns the number of rows; 0 for NULL.
///
/// Ownership: `table` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_row_count(table: *const Table) -> u64 {
    quietly(|| optional_handle(table).map_or(0, |table| table.num_rows()))
}

/// Returns the number of columns; 0 for NULL.
///
/// Ownership: `table` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_column_count(table: *const Table) -> usize {
    quietly(|| optional_handle(table).map_or(0, |table| table.table.schema().fields().len()))
}

/// Returns how much was read to answer; zeros for NULL.
///
/// Ownership: `table` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_scan(table: *const Table) -> ScanStats {
    quietly(|| optional_handle(table).map_or_else(ScanStats::default, |table| table.scan().into()))
}

/// Writes the schema.
///
/// Ownership: `*schema` goes to the caller, who calls its `release`; what was in it is overwritten. `*error` goes to the caller, who
/// frees it; `table` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_schema(
    table: *const Table,
    schema: *mut FFI_ArrowSchema,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = Out::new("schema", schema)?;
        let schema = handle("table", table)?.table.schema();
        out.put(FFI_ArrowSchema::try_from(schema.as_ref()).map_err(Error::from)?);
        Ok(())
    })
}

/// Writes a stream of the rows. They are shared with the table and not copied; the stream may outlive it, and there may be many of one
/// table.
///
/// Ownership: `*stream` goes to the caller, who calls its `release`; what was in it is overwritten. `*error` goes to the caller, who
/// frees it; `table` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_stream(
    table: *const Table,
    stream: *mut FFI_ArrowArrayStream,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = Out::new("stream", stream)?;
        let table = handle("table", table)?;
        out.put(FFI_ArrowArrayStream::new(table.table.clone().into_reader()));
        Ok(())
    })
}

/// Writes what a careful analyst would add: a JSON list of texts.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_notes(
    table: *const Table,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let table = handle("table", table)?;
        out.give_bytes(to_json(&table.notes())?);
        Ok(())
    })
}

/// Writes the table in the streaming format of Arrow IPC. One without rows keeps its columns.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_ipc(
    table: *const Table,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let table = handle("table", table)?;
        out.give_bytes(table.to_ipc()?);
        Ok(())
    })
}

/// Writes the table in a format of other tools: `csv` (formulas are guarded), `json`, `ndjson`, `parquet`, `arrow_ipc` (the file format), `xlsx`.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_export(
    table: *const Table,
    format: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let table = handle("table", table)?;
        let format = text("format", format)?;
        out.give_bytes(table.export(format)?);
        Ok(())
    })
}

/// Writes the table as CSV. `options` is JSON, NULL for the defaults: `delimiter` and `guard_formulas`.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_csv(
    table: *const Table,
    options: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let table = handle("table", table)?;
        let options = optional_text("options", options)?;
        out.give_bytes(table.to_csv(options)?);
        Ok(())
    })
}

/// Draws the first rows with lines, as text.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_text(
    table: *const Table,
    rows: u64,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let table = handle("table", table)?;
        out.give_bytes(table.draw(rows)?);
        Ok(())
    })
}

/// Lets go of a table. Streams of it go on.
///
/// Ownership: takes `table`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_table_free(table: *mut Table) {
    release(table);
}
