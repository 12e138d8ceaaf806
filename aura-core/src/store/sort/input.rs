//! Reading what is to be compacted: any number of files and batches, in the form of one schema.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, NullArray, RecordBatch};
use arrow::compute::{cast, filter};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::ConvertedType;
use parquet::file::metadata::ParquetMetaData;

use crate::event::{ACTOR, EVENT_ID};
use crate::store::files::{FileStore, StoredFile};
use crate::store::parquet_out::column_id;
use crate::{Error, Result};

/// A column whose compressed dictionary page is larger is read as plain text: its codes would hold
/// on to more than they save.
const DICTIONARY_PAGE_BYTES: i64 = 64 << 10;

/// Rows to compact.
#[derive(Debug, Clone)]
pub(crate) enum CompactInput {
    /// A Parquet file of the store.
    File {
        /// Path relative to the data directory.
        path: String,
        /// Positions of rows to leave out, from 0, in ascending order.
        deleted_rows: Arc<[u64]>,
    },
    /// Rows in memory, with the canonical columns.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the tests sort rows that are in no file")
    )]
    Batch(RecordBatch),
}

impl CompactInput {
    /// All rows of a file.
    #[cfg(test)]
    pub(crate) fn file(path: impl Into<String>) -> Self {
        CompactInput::File {
            path: path.into(),
            deleted_rows: Arc::new([]),
        }
    }
}

/// What is called with the columns of the target schema and their number of rows.
pub(super) type Sink<'a> = dyn FnMut(Vec<ArrayRef>, usize) -> Result<()> + 'a;

/// All inputs, opened.
pub(super) struct Source {
    schema: SchemaRef,
    files: Vec<OpenFile>,
    batches: Vec<Matched>,
    /// (file, row group)
    row_groups: Vec<(usize, usize)>,
    rows: u64,
}

struct Matched {
    batch: RecordBatch,
    places: Vec<Option<usize>>,
}

/// A Parquet file with its columns matched to a target schema.
pub(super) struct OpenFile {
    pub(super) file: StoredFile,
    pub(super) metadata: Arc<ParquetMetaData>,
    arrow: SchemaRef,
    /// For each column of the target, the column of the file.
    places: Vec<Option<usize>>,
    deleted_rows: Arc<[u64]>,
}

impl Source {
    pub(super) fn open(
        inputs: Vec<CompactInput>,
        schema: &SchemaRef,
        files: &FileStore,
    ) -> Result<Self> {
        let mut source = Source {
            schema: Arc::clone(schema),
            files: Vec::new(),
            batches: Vec::new(),
            row_groups: Vec::new(),
            rows: 0,
        };
        for input in inputs {
            match input {
                CompactInput::File { path, deleted_rows } => {
                    let file = OpenFile::open(files.open(&path)?, schema, deleted_rows)?;
                    let index = source.files.len();
                    source
                        .row_groups
                        .extend((0..file.metadata.num_row_groups()).map(|g| (index, g)));
                    source.rows += file.rows();
                    source.files.push(file);
                }
                CompactInput::Batch(batch) => {
                    source.rows += batch.num_rows() as u64;
                    let places = match_columns(schema, &batch.schema())?;
                    source.batches.push(Matched { batch, places });
                }
            }
        }
        Ok(source)
    }

    /// Returns about how many rows there are: exactly, unless a deleted row was named twice.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the number of pieces that can be read independently.
    pub(super) fn tasks(&self) -> usize {
        self.row_groups.len() + self.batches.len()
    }

    /// Reads piece number `task`.
    pub(super) fn read(&self, task: usize, batch_rows: usize, sink: &mut Sink<'_>) -> Result<()> {
        if let Some(&(file, group)) = self.row_groups.get(task) {
            return match self.files.get(file) {
                Some(file) => file.read(group, &self.schema, batch_rows, sink),
                None => Ok(()),
            };
        }
        let Some(Matched { batch, places }) = self.batches.get(task - self.row_groups.len()) else {
            return Ok(());
        };
        let mut start = 0;
        while start < batch.num_rows() {
            let part = batch.slice(start, batch_rows.min(batch.num_rows() - start));
            let columns = conform(
                &self.schema,
                places,
                part.columns(),
                part.num_rows(),
                "a batch",
            )?;
            sink(columns, part.num_rows())?;
            start += part.num_rows();
        }
        Ok(())
    }
}

impl OpenFile {
    pub(super) fn open(
        file: StoredFile,
        schema: &Schema,
        deleted_rows: Arc<[u64]>,
    ) -> Result<Self> {
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let loaded = ArrowReaderMetadata::load(&file, options).map_err(|e| unreadable(&file, e))?;
        Ok(OpenFile {
            places: match_columns(schema, loaded.schema())?,
            metadata: Arc::clone(loaded.metadata()),
            arrow: Arc::clone(loaded.schema()),
            file,
            deleted_rows,
        })
    }

    fn rows(&self) -> u64 {
        let all = u64::try_from(self.metadata.file_metadata().num_rows()).unwrap_or(0);
        all.saturating_sub(self.deleted_rows.len() as u64)
    }

    /// Reads one row group in the form of `schema`.
    pub(super) fn read(
        &self,
        group: usize,
        schema: &Schema,
        batch_rows: usize,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let fail = |e| unreadable(&self.file, e);
        let options = ArrowReaderOptions::new().with_schema(self.hint(group));
        let loaded =
            ArrowReaderMetadata::try_new(Arc::clone(&self.metadata), options).map_err(fail)?;
        let mut wanted: Vec<usize> = self.places.iter().flatten().copied().collect();
        wanted.sort_unstable();
        let places: Vec<_> = self
            .places
            .iter()
            .map(|p| p.and_then(|p| wanted.binary_search(&p).ok()))
            .collect();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), loaded)
            .with_projection(ProjectionMask::roots(
                self.metadata.file_metadata().schema_descr(),
                wanted,
            ))
            .with_row_groups(vec![group])
            .with_batch_size(batch_rows)
            .build()
            .map_err(fail)?;
        let mut row = self.first_row(group);
        for batch in reader {
            let batch = batch?;
            let rows = batch.num_rows();
            let mut columns = conform(schema, &places, batch.columns(), rows, self.file.path())?;
            let mut kept = rows;
            if let Some(keep) = self.without_deleted(row, rows) {
                kept = keep.true_count();
                columns = columns
                    .iter()
                    .map(|c| filter(c, &keep))
                    .collect::<Result<_, _>>()?;
            }
            row += rows as u64;
            if kept > 0 {
                sink(columns, kept)?;
            }
        }
        Ok(())
    }

    /// Asks for codes instead of text where the file has a small dictionary.
    fn hint(&self, group: usize) -> SchemaRef {
        let columns = self.metadata.row_group(group).columns();
        let fields = self.arrow.fields().iter().enumerate().map(|(i, field)| {
            let small = columns.get(i).is_some_and(|column| {
                // The reader makes text of codes only where the type is said in the old way, too.
                column.column_descr().converted_type() == ConvertedType::UTF8
                    && column.dictionary_page_offset().is_some_and(|start| {
                        column.data_page_offset() - start <= DICTIONARY_PAGE_BYTES
                    })
            });
            let ordering = matches!(field.name().as_str(), ACTOR | EVENT_ID);
            if field.data_type() == &DataType::Utf8 && small && !ordering {
                let codes =
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                Arc::new(field.as_ref().clone().with_data_type(codes))
            } else {
                Arc::clone(field)
            }
        });
        // A nested column would shift the numbers of its successors; events have none.
        if columns.len() == self.arrow.fields().len() {
            Arc::new(Schema::new(fields.collect::<Vec<_>>()))
        } else {
            Arc::clone(&self.arrow)
        }
    }

    fn first_row(&self, group: usize) -> u64 {
        self.metadata
            .row_groups()
            .iter()
            .take(group)
            .map(|g| u64::try_from(g.num_rows()).unwrap_or(0))
            .sum()
    }

    /// Returns which of the rows from `first` on are kept, or `None` if all are.
    fn without_deleted(&self, first: u64, rows: usize) -> Option<BooleanArray> {
        let end = first + rows as u64;
        let from = self.deleted_rows.partition_point(|&d| d < first);
        let deleted: Vec<u64> = self
            .deleted_rows
            .iter()
            .skip(from)
            .take_while(|&&d| d < end)
            .map(|d| d - first)
            .collect();
        if deleted.is_empty() {
            return None;
        }
        let mut keep = vec![true; rows];
        for d in deleted {
            if let Some(k) = usize::try_from(d).ok().and_then(|d| keep.get_mut(d)) {
                *k = false;
            }
        }
        Some(keep.into())
    }
}

pub(super) fn unreadable(file: &StoredFile, e: parquet::errors::ParquetError) -> Error {
    let e = crate::store::parquet_out::failed(file.path(), e);
    let message = format!("reading {}: {}", file.path(), e.message());
    Error::new(e.kind(), message).with_source(e)
}

/// Finds each column of `target` in `found`: by id, or by name where `found` has no ids at all.
fn match_columns(target: &Schema, found: &Schema) -> Result<Vec<Option<usize>>> {
    let ids: Vec<Option<i64>> = found.fields().iter().map(|f| column_id(f).ok()).collect();
    let by_name = ids.iter().all(Option::is_none);
    target
        .fields()
        .iter()
        .map(|field| {
            if by_name {
                return Ok(found.index_of(field.name()).ok());
            }
            let id = column_id(field)?;
            Ok(ids.iter().position(|&i| i == Some(id)))
        })
        .collect()
}

/// Brings the columns of one batch into the form of `schema`. Text may stay dictionary-encoded, and
/// a column without any value is a `NullArray`.
fn conform(
    schema: &Schema,
    places: &[Option<usize>],
    columns: &[ArrayRef],
    rows: usize,
    what: &str,
) -> Result<Vec<ArrayRef>> {
    schema
        .fields()
        .iter()
        .zip(places)
        .map(|(field, place)| {
            let column = place.and_then(|p| columns.get(p));
            let nulls = column.map_or(rows, |c| c.logical_null_count());
            if nulls > 0 && !field.is_nullable() {
                return Err(Error::invalid_data(format!(
                    "{what} has no value for the required column {} in {nulls} of {rows} rows",
                    field.name()
                )));
            }
            match column {
                Some(column) if nulls < rows => {
                    let codes = matches!(column.data_type(), DataType::Dictionary(k, v)
                        if **k == DataType::Int32 && **v == DataType::Utf8)
                        && field.data_type() == &DataType::Utf8
                        && !matches!(field.name().as_str(), ACTOR | EVENT_ID);
                    if codes || column.data_type() == field.data_type() {
                        Ok(Arc::clone(column))
                    } else {
                        Ok(cast(column, field.data_type())?)
                    }
                }
                _ => Ok(Arc::new(NullArray::new(rows)) as ArrayRef),
            }
        })
        .collect()
}
