//! Events to Parquet: row groups are encoded on any thread, and appended to a file in order.

mod stats;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, PARQUET_FIELD_ID_META_KEY};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescPtr};

use super::catalog::file::WrittenFile;
use super::files::{FileStore, NewFile};
use crate::event::{ACTOR, EVENT, EVENT_ID, TIME};
use crate::{Error, Result};
use stats::Gathered;

/// Rows of a full row group of a compacted file. Small enough that two cores share a file and that
/// the dictionary of actors stays in the cache, large enough that a page is worth compressing.
pub(crate) const ROW_GROUP_ROWS: usize = 524_288;
/// A dictionary grows to this many bytes at most in a column that is not the actor.
pub(crate) const DICTIONARY_BYTES: usize = 1 << 20;
/// Rows of a page: what is decoded at least to find one actor.
const PAGE_ROWS: usize = 32_768;
/// Longest text that is kept in the statistics; longer ones leave them unknown.
const STATISTICS_BYTES: usize = 256;
/// Key of the file's metadata that says how it is laid out.
pub(crate) const LAYOUT_KEY: &str = "aura.layout";
/// Value of [`LAYOUT_KEY`] in a file sorted by (actor, time, event_id).
pub(crate) const LAYOUT_SORTED: &str = "actor,time,event_id";

/// What a file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Little work for the writer; rows come in any order.
    Ingest,
    /// Small and quick to read; rows come sorted by (actor, time, event_id).
    Compacted,
}

/// Encodes row groups of one schema. Shared by the threads that encode for one file, or for many.
#[derive(Debug)]
pub(crate) struct EventEncoder {
    schema: SchemaRef,
    parquet: SchemaDescPtr,
    properties: WriterPropertiesPtr,
    factory: ArrowRowGroupWriterFactory,
    column_ids: Vec<i64>,
}

/// Rows in the form they have in a file.
#[derive(Debug)]
pub(crate) struct EncodedRowGroup {
    chunks: Vec<ArrowColumnChunk>,
    has_nan: Vec<bool>,
}

impl EventEncoder {
    /// Prepares to write `schema`, whose fields carry their column id in the metadata key
    /// `PARQUET:field_id`. `dictionary` says for each column whether its values are worth a
    /// dictionary.
    ///
    /// # Errors
    /// `Internal` if a field has no column id or a type that events do not have.
    pub(crate) fn new(schema: &SchemaRef, profile: Profile, dictionary: &[bool]) -> Result<Self> {
        let column_ids = schema
            .fields()
            .iter()
            .map(|f| column_id(f))
            .collect::<Result<_>>()?;
        let properties = Arc::new(properties(schema, profile, dictionary)?);
        let parquet = Arc::new(
            ArrowSchemaConverter::new()
                .schema_root("schema")
                .convert(schema)?,
        );
        // The factory wants a file writer only to learn the schema and the properties.
        let writer = SerializedFileWriter::new(
            io::sink(),
            parquet.root_schema_ptr(),
            Arc::clone(&properties),
        )?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema));
        Ok(EventEncoder {
            schema: Arc::clone(schema),
            parquet,
            properties,
            factory,
            column_ids,
        })
    }

    /// Prepares to write batches like `sample`: a text column gets a dictionary if few of its first
    /// values differ.
    pub(crate) fn like(schema: &SchemaRef, profile: Profile, sample: &RecordBatch) -> Result<Self> {
        let dictionary: Vec<bool> = sample.columns().iter().map(worth_a_dictionary).collect();
        EventEncoder::new(schema, profile, &dictionary)
    }

    /// Encodes `batches` as one row group. Text columns may be dictionary arrays.
    pub(crate) fn encode(&self, batches: &[RecordBatch]) -> Result<EncodedRowGroup> {
        let mut writers = self.factory.create_column_writers(0)?.into_iter();
        let mut chunks = Vec::with_capacity(self.schema.fields().len());
        let mut has_nan = Vec::with_capacity(self.schema.fields().len());
        for (i, field) in self.schema.fields().iter().enumerate() {
            let mut writer = writers
                .next()
                .ok_or_else(|| Error::internal(format!("no writer for column {}", field.name())))?;
            let mut nan = false;
            for batch in batches {
                let column = batch.columns().get(i).ok_or_else(|| {
                    Error::internal(format!("a batch lacks the column {}", field.name()))
                })?;
                nan |= contains_nan(column);
                for leaf in compute_leaves(field, column)? {
                    writer.write(&leaf)?;
                }
            }
            chunks.push(writer.close()?);
            has_nan.push(nan);
        }
        Ok(EncodedRowGroup { chunks, has_nan })
    }
}

impl EncodedRowGroup {
    /// Returns the number of rows.
    pub(crate) fn rows(&self) -> u64 {
        self.chunks.first().map_or(0, |c| c.close().rows_written)
    }
}

/// Writes one file of events. Dropping it without [`finish`](Self::finish) leaves no file.
pub(crate) struct EventWriter {
    encoder: Arc<EventEncoder>,
    writer: SerializedFileWriter<Tail>,
    gathered: Vec<Gathered>,
    path: String,
    partition_values: Vec<String>,
}

impl EventWriter {
    /// Begins the file `path` of a partition with the values `partition_values`.
    pub(crate) fn create(
        files: &FileStore,
        path: &str,
        partition_values: Vec<String>,
        encoder: Arc<EventEncoder>,
    ) -> Result<Self> {
        let file = files.create(path)?;
        let writer = SerializedFileWriter::new(
            Tail::new(file),
            encoder.parquet.root_schema_ptr(),
            Arc::clone(&encoder.properties),
        )
        .map_err(|e| failed(path, e))?;
        Ok(EventWriter {
            gathered: encoder
                .schema
                .fields()
                .iter()
                .map(|f| Gathered::new(f.data_type()))
                .collect(),
            encoder,
            writer,
            path: path.to_owned(),
            partition_values,
        })
    }

    /// Appends a row group made by the encoder that this file was created with. No rows add nothing.
    pub(crate) fn append(&mut self, group: EncodedRowGroup) -> Result<()> {
        if group.rows() == 0 {
            return Ok(());
        }
        for ((chunk, gathered), nan) in group
            .chunks
            .iter()
            .zip(&mut self.gathered)
            .zip(group.has_nan)
        {
            gathered.add(&chunk.close().metadata, nan);
        }
        let fail = |e| failed(&self.path, e);
        let mut out = self.writer.next_row_group().map_err(fail)?;
        for chunk in group.chunks {
            chunk.append_to_row_group(&mut out).map_err(fail)?;
        }
        out.close().map_err(fail)?;
        Ok(())
    }

    /// Returns another handle of the file, for [`Writeback`](super::files::Writeback).
    pub(crate) fn handle(&self) -> Option<std::fs::File> {
        self.writer.inner().file.as_ref()?.handle()
    }

    /// Encodes `batch` as one row group and appends it.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let group = self.encoder.encode(std::slice::from_ref(batch))?;
        self.append(group)
    }

    /// Writes the footer and makes the file durable.
    pub(crate) fn finish(mut self) -> Result<WrittenFile> {
        let meta = self.writer.finish().map_err(|e| failed(&self.path, e))?;
        let tail = self.writer.inner_mut();
        let file_size_bytes = tail.length;
        let footer_size = tail.footer_size();
        if let Some(file) = tail.file.take() {
            file.finish()?;
        }
        Ok(WrittenFile {
            path: self.path,
            record_count: u64::try_from(meta.file_metadata().num_rows()).unwrap_or(0),
            file_size_bytes,
            footer_size,
            columns: self
                .gathered
                .into_iter()
                .zip(&self.encoder.column_ids)
                .map(|(g, &id)| g.finish(id))
                .collect(),
            partition_values: self.partition_values,
        })
    }
}

/// Returns the DuckLake column id of a field.
pub(crate) fn column_id(field: &Field) -> Result<i64> {
    field
        .metadata()
        .get(PARQUET_FIELD_ID_META_KEY)
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| {
            Error::internal(format!(
                "column {} has no id; its field's metadata must have {PARQUET_FIELD_ID_META_KEY}",
                field.name()
            ))
        })
}

/// Says whether a text column repeats itself enough for a dictionary, from its first rows.
pub(crate) fn worth_a_dictionary(column: &ArrayRef) -> bool {
    const LOOKED_AT: usize = 4_096;
    if matches!(column.data_type(), DataType::Dictionary(..)) {
        return true;
    }
    let Some(text) = column.as_string_opt::<i32>() else {
        return false;
    };
    let looked_at = text.len().min(LOOKED_AT);
    let distinct: hashbrown::HashSet<_> = text.iter().take(looked_at).flatten().collect();
    distinct.len() <= 16 || distinct.len() * 8 <= looked_at
}

fn properties(schema: &Schema, profile: Profile, dictionary: &[bool]) -> Result<WriterProperties> {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1)?);
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("aura ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(zstd)
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        // Pages end by rows; this only stops pages of very long texts.
        .set_data_page_size_limit(4 << 20)
        .set_write_batch_size(8_192)
        .set_dictionary_enabled(false)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES));
    if profile == Profile::Compacted {
        let place = |name: &str| {
            schema
                .index_of(name)
                .ok()
                .and_then(|i| i32::try_from(i).ok())
        };
        let order: Option<Vec<_>> = [ACTOR, TIME, EVENT_ID]
            .iter()
            .map(|name| {
                Some(SortingColumn {
                    column_idx: place(name)?,
                    descending: false,
                    nulls_first: false,
                })
            })
            .collect();
        builder = builder
            .set_sorting_columns(order)
            .set_key_value_metadata(Some(vec![KeyValue::new(
                LAYOUT_KEY.to_owned(),
                LAYOUT_SORTED.to_owned(),
            )]));
    }
    for (i, field) in schema.fields().iter().enumerate() {
        let path = ColumnPath::from(field.name().as_str());
        let repeats = dictionary.get(i).copied().unwrap_or(false);
        let sorted = profile == Profile::Compacted;
        match field.data_type() {
            DataType::Utf8 => {
                let name = field.name().as_str();
                let (repeats, encoding) = match (name, sorted) {
                    // Distinct by definition; neighbours share a prefix more often than not.
                    (EVENT_ID, _) => (false, Encoding::DELTA_BYTE_ARRAY),
                    // Sorted actors repeat in runs, and readers want the runs as codes. Row groups
                    // are cut so that the dictionary never overflows.
                    (ACTOR, true) => {
                        builder =
                            builder.set_column_dictionary_page_size_limit(path.clone(), usize::MAX);
                        (true, Encoding::DELTA_BYTE_ARRAY)
                    }
                    (EVENT, true) => (true, Encoding::DELTA_LENGTH_BYTE_ARRAY),
                    _ => (repeats, Encoding::DELTA_LENGTH_BYTE_ARRAY),
                };
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), repeats)
                    .set_column_encoding(path.clone(), encoding);
            }
            DataType::Timestamp(..) | DataType::Int64 | DataType::Date32 => {
                builder = builder.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
                if field.name() == TIME {
                    // Already packed: zstd would find nothing, and cost a quarter of the reading.
                    builder =
                        builder.set_column_compression(path.clone(), Compression::UNCOMPRESSED);
                }
            }
            DataType::Float64 | DataType::Boolean => {}
            other => {
                return Err(Error::internal(format!(
                    "column {} has the type {other}, which events do not have",
                    field.name()
                )));
            }
        }
        // Readers look for an actor, or for a span of time, page by page.
        if matches!(field.name().as_str(), ACTOR | TIME) {
            builder = builder.set_column_statistics_enabled(path, EnabledStatistics::Page);
        }
    }
    Ok(builder.build())
}

fn contains_nan(column: &ArrayRef) -> bool {
    column
        .as_primitive_opt::<Float64Type>()
        .is_some_and(|floats| floats.iter().flatten().any(f64::is_nan))
}

/// Names the file in an error of the Parquet crate, and keeps the kind of an I/O error.
pub(crate) fn failed(path: &str, e: ParquetError) -> Error {
    match e {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(io) => Error::io(format!("writing {path}"), *io),
            Err(inner) => Error::from(ParquetError::External(inner)),
        },
        e => Error::from(e),
    }
}

/// Counts what passes, and keeps the end of it, where Parquet says how long its footer is.
struct Tail {
    /// `None` once it is finished.
    file: Option<NewFile>,
    length: u64,
    last: [u8; 8],
}

impl Tail {
    fn new(file: NewFile) -> Self {
        Tail {
            file: Some(file),
            length: 0,
            last: [0; 8],
        }
    }

    /// The last 8 bytes are the length of the footer and the magic.
    fn footer_size(&self) -> u64 {
        let [a, b, c, d, ..] = self.last;
        u64::from(u32::from_le_bytes([a, b, c, d]))
    }
}

impl Write for Tail {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut();
        let n = file
            .ok_or_else(|| io::Error::other("the file is finished"))?
            .write(buf)?;
        self.length += n as u64;
        for &byte in buf.iter().take(n).skip(n.saturating_sub(8)) {
            self.last.rotate_left(1);
            self.last[7] = byte;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}
