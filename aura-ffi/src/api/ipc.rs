//! Tables as bytes of Arrow IPC.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aura_core::arrow::compute::concat_batches;
use aura_core::arrow::error::ArrowError;
use aura_core::arrow::ipc::reader::{FileReader, StreamReader};
use aura_core::arrow::ipc::writer::StreamWriter;
use aura_core::arrow::record_batch::{RecordBatch, RecordBatchReader};
use aura_core::{Error, Result, engine};

/// Writes a table in the streaming format. One without rows keeps its schema.
pub(super) fn write(table: &engine::Table) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema())?;
    for batch in table.batches() {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?)
}

/// Reads the batches of the streaming or the file format; there is at least one, which may be empty.
///
/// # Errors
/// `InvalidData` for bytes that are no table.
pub(super) fn read(bytes: Vec<u8>) -> Result<Vec<RecordBatch>> {
    // The decoder is other people's code, and bytes that lie can make it panic.
    catch_unwind(AssertUnwindSafe(|| decode(bytes)))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("the bytes are damaged".to_owned())))
        .map_err(|e| Error::invalid_data(format!("the bytes are no table of Arrow IPC: {e}")))
}

/// Reads all rows as one batch.
///
/// # Errors
/// As [`read`], and for rows that do not fit one batch.
pub(super) fn read_one(bytes: Vec<u8>) -> Result<RecordBatch> {
    let batches = read(bytes)?;
    let schema = batches.first().map(RecordBatch::schema);
    let schema = schema.ok_or_else(|| Error::internal("a table has no batch"))?;
    Ok(concat_batches(&schema, &batches)?)
}

fn decode(bytes: Vec<u8>) -> Result<Vec<RecordBatch>, ArrowError> {
    if bytes.starts_with(b"ARROW1") {
        collected(FileReader::try_new(Cursor::new(bytes), None)?)
    } else {
        collected(StreamReader::try_new(Cursor::new(bytes), None)?)
    }
}

fn collected(reader: impl RecordBatchReader) -> Result<Vec<RecordBatch>, ArrowError> {
    let schema = reader.schema();
    let mut batches = reader.collect::<Result<Vec<_>, _>>()?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}
