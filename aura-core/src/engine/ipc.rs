//! Tables as Arrow IPC, the form in which they come from hosts that share no memory with this library, and go to them.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::ipc::reader::{FileReader, StreamDecoder};
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use super::{EngineSettings, Events, Table};
use crate::event::Roles;
use crate::ingest::messages::check_messages;
use crate::ingest::{Limits, parallel};
use crate::{Error, Result};

#[cfg(test)]
mod tests;

/// The first bytes of the file format; what else is a stream.
const FILE: &[u8] = b"ARROW1";

/// Reads a table from Arrow IPC, a stream or a file. There is at least one batch, which may be empty. Batches of a stream share
/// the memory of `bytes` where it is aligned as Arrow wants it.
///
/// # Errors
/// `InvalidData` for what is no Arrow IPC, ends too early or contradicts itself; `ResourceExhausted` for messages beyond
/// [`Limits::max_held_bytes`].
///
/// # Examples
/// ```
/// let error = aura_core::engine::read_ipc("no table").unwrap_err();
/// assert_eq!(error.kind(), aura_core::ErrorKind::InvalidData);
/// ```
pub fn read_ipc(bytes: impl Into<Bytes>) -> Result<Vec<RecordBatch>> {
    let bytes = bytes.into();
    check_messages("the table", Cursor::new(&bytes), &Limits::default())?;
    let read = || match bytes.starts_with(FILE) {
        true => file(&bytes),
        false => stream(bytes.clone()),
    };
    // The decoder panics over some of what contradicts itself.
    let (schema, mut batches) = parallel::caught(read).map_err(|e| {
        Error::invalid_data(format!(
            "the bytes are no table in the form of Arrow IPC: {}",
            e.message()
        ))
    })?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

fn file(bytes: &Bytes) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let reader = FileReader::try_new(Cursor::new(bytes), None)?;
    let schema = reader.schema();
    let batches = reader.collect::<std::result::Result<_, _>>()?;
    Ok((schema, batches))
}

fn stream(bytes: Bytes) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let mut left = Buffer::from(bytes);
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    while !left.is_empty() {
        let before = left.len();
        match decoder.decode(&mut left)? {
            Some(batch) => batches.push(batch),
            None if left.len() == before => break,
            None => {}
        }
    }
    decoder.finish()?;
    let schema = decoder
        .schema()
        .ok_or_else(|| Error::invalid_data("there is no schema"))?;
    Ok((schema, batches))
}

impl Events {
    /// Takes a table in the form of Arrow IPC, a stream or a file, as [`from_batches_with`](Events::from_batches_with) takes its
    /// batches.
    ///
    /// # Errors
    /// Those of [`read_ipc`] and of [`from_batches_with`](Events::from_batches_with).
    pub fn from_ipc(
        bytes: impl Into<Bytes>,
        roles: &Roles,
        settings: &EngineSettings,
    ) -> Result<Events> {
        Events::from_batches_with(read_ipc(bytes)?, roles, settings)
    }
}

impl Table {
    /// Writes the table as a stream of Arrow IPC, not compressed. The same table is the same bytes, and an empty one keeps its schema.
    ///
    /// # Errors
    /// `InvalidData` for a table that the format has no form for.
    ///
    /// # Examples
    /// ```
    /// use aura_core::engine::{EngineSettings, Events, read_ipc};
    /// use aura_core::event::Roles;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let rows = r#"[{"actor": "a", "event": "view", "time": "2026-01-01T00:00:00Z"}]"#;
    /// let events = Events::from_bytes("rows", rows, &Roles::default(), &EngineSettings::default()).await?;
    /// let none = events.sql("SELECT actor FROM events WHERE false").await?;
    /// assert_eq!(read_ipc(none.to_ipc()?)?[0].schema(), none.schema());
    /// # Ok::<(), aura_core::Error>(()) }).unwrap();
    /// ```
    pub fn to_ipc(&self) -> Result<Vec<u8>> {
        write(&self.schema(), self.batches().iter().cloned().map(Ok))
    }

    /// Writes the table as [`to_ipc`](Table::to_ipc) does, with types that every reader of Arrow knows: views of text and bytes
    /// become plain ones, and columns of runs are written out.
    ///
    /// # Errors
    /// `InvalidData` for a table that the format has no form for, and for more than 2³¹ bytes of text in a column of a batch.
    pub fn to_plain_ipc(&self) -> Result<Vec<u8>> {
        let plain = |field: &FieldRef| plain_field(field);
        let schema = self.schema();
        let fields: Vec<FieldRef> = schema.fields().iter().map(plain).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let batches = self.batches().iter().map(|batch| {
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| plain_column(column, field));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let options = arrow::record_batch::RecordBatchOptions::new()
                .with_row_count(Some(batch.num_rows()));
            Ok(RecordBatch::try_new_with_options(
                Arc::clone(&schema),
                columns,
                &options,
            )?)
        });
        write(&schema, batches)
    }
}

fn write(
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    for batch in batches {
        writer.write(&batch?)?;
    }
    Ok(writer.into_inner()?)
}

fn plain_column(column: &ArrayRef, field: &FieldRef) -> Result<ArrayRef> {
    Ok(match column.data_type() == field.data_type() {
        true => Arc::clone(column),
        false => cast(column, field.data_type())?,
    })
}

fn plain_field(field: &FieldRef) -> FieldRef {
    let plain = plain_type(field.data_type());
    match plain == *field.data_type() {
        true => Arc::clone(field),
        false => Arc::new(Field::clone(field).with_data_type(plain)),
    }
}

fn plain_type(of: &DataType) -> DataType {
    match of {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        DataType::List(item) | DataType::ListView(item) => DataType::List(plain_field(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => {
            DataType::LargeList(plain_field(item))
        }
        DataType::FixedSizeList(item, length) => {
            DataType::FixedSizeList(plain_field(item), *length)
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain_field).collect()),
        DataType::Dictionary(key, value) => {
            DataType::Dictionary(key.clone(), Box::new(plain_type(value)))
        }
        other => other.clone(),
    }
}
