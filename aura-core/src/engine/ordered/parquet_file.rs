//! One Parquet file of a scan: its footer, what of it may hold asked rows, and reading a row group.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::basic::{ConvertedType, Encoding};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;

use super::code::codes_type;
use crate::engine::files_table::{ScanFile, without};
use crate::ingest::parallel::caught;
use crate::store::files::StoredFile;
use crate::store::parquet_out::{LAYOUT_KEY, LAYOUT_SORTED};
use crate::store::sort::bucket_of_path;
use crate::{Error, Result};

/// A text column without statistics of its page encodings is taken in codes if its compressed
/// dictionary page is no larger.
const SMALL_DICTIONARY_BYTES: i64 = 64 << 10;

/// A file that counts what is read of it.
#[derive(Debug, Clone)]
struct Counted {
    file: StoredFile,
    bytes: Arc<AtomicU64>,
}

impl Length for Counted {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Counted {
    type T = <StoredFile as ChunkReader>::T;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        self.file.get_bytes(start, length)
    }
}

/// A file, opened.
#[derive(Debug)]
pub(super) struct ParquetFile {
    file: Counted,
    metadata: Arc<ParquetMetaData>,
    arrow: SchemaRef,
    deleted: Vec<u64>,
    /// The bucket and the bits that the name tells, if the footer says that rows are in order.
    pub(super) bucket: Option<(usize, u32)>,
    pub(super) time_range: Option<(i64, i64)>,
}

/// What is read of a row group.
pub(super) type Batch = (Vec<Option<ArrayRef>>, usize);

impl ParquetFile {
    /// Opens a file; `bytes` counts what is read.
    pub(super) fn open(file: StoredFile, scan: &ScanFile, bytes: &Arc<AtomicU64>) -> Result<Self> {
        let file = Counted {
            file,
            bytes: Arc::clone(bytes),
        };
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_page_index_policy(PageIndexPolicy::Optional);
        let loaded = caught(|| {
            ArrowReaderMetadata::load(&file, options).map_err(|e| unreadable(file.file.path(), e))
        })
        .map_err(|e| damaged(file.file.path(), e))?;
        let metadata = Arc::clone(loaded.metadata());
        let pairs = metadata.file_metadata().key_value_metadata();
        let sorted = pairs.is_some_and(|pairs| {
            pairs
                .iter()
                .any(|p| p.key == LAYOUT_KEY && p.value.as_deref() == Some(LAYOUT_SORTED))
        });
        Ok(ParquetFile {
            bucket: bucket_of_path(file.file.path()).filter(|_| sorted),
            file,
            arrow: Arc::clone(loaded.schema()),
            metadata,
            deleted: scan.deleted.clone(),
            time_range: scan.time_range,
        })
    }

    pub(super) fn path(&self) -> &str {
        self.file.file.path()
    }

    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.file_metadata().num_rows()).unwrap_or(0)
    }

    pub(super) fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    pub(super) fn group_rows(&self, group: usize) -> usize {
        usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or(0)
    }

    fn column(&self, group: usize, name: &str) -> Option<(usize, &ColumnChunkMetaData)> {
        let place = self.arrow.index_of(name).ok()?;
        let columns = self.metadata.row_group(group).columns();
        // A nested column would shift the numbers of its successors.
        (columns.len() == self.arrow.fields().len()).then_some(())?;
        Some((place, columns.get(place)?))
    }

    /// Returns the pages of a column of a row group: first row, and smallest and largest value as
    /// `bound` reads them; `None` without an index.
    fn pages<T>(
        &self,
        group: usize,
        name: &str,
        bound: impl Fn(&ColumnIndexMetaData, usize) -> Option<(T, T)>,
    ) -> Option<Vec<Page<T>>> {
        let (place, _) = self.column(group, name)?;
        let index = self.metadata.column_index()?.get(group)?;
        let index = index.iter().enumerate().find(|(i, _)| *i == place)?.1;
        let offsets = self.metadata.offset_index()?.get(group)?;
        let offsets = offsets.iter().enumerate().find(|(i, _)| *i == place)?.1;
        let pages = offsets.page_locations();
        Some(
            pages
                .iter()
                .enumerate()
                .map(|(page, at)| {
                    let first = usize::try_from(at.first_row_index).unwrap_or(0);
                    (first, bound(index, page))
                })
                .collect(),
        )
    }

    /// Returns the pages of a text column: first row, smallest and largest value. One page if there
    /// is no index, without bounds if there are no statistics.
    pub(super) fn text_pages(&self, group: usize, name: &str) -> Vec<TextPage> {
        let bound = |index: &ColumnIndexMetaData, page: usize| match index {
            ColumnIndexMetaData::BYTE_ARRAY(values) => Some((
                Bytes::copy_from_slice(values.min_value(page)?),
                Bytes::copy_from_slice(values.max_value(page)?),
            )),
            _ => None,
        };
        if let Some(pages) = self.pages(group, name, bound) {
            return pages;
        }
        let statistics = self.column(group, name).and_then(|(_, c)| c.statistics());
        vec![(
            0,
            match statistics {
                Some(Statistics::ByteArray(s)) => s.min_opt().zip(s.max_opt()).map(|(a, b)| {
                    let copy = |b: &[u8]| Bytes::copy_from_slice(b);
                    (copy(a.data()), copy(b.data()))
                }),
                _ => None,
            },
        )]
    }

    fn is_micros(&self, place: usize) -> bool {
        matches!(
            self.arrow.field(place).data_type(),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_))
        )
    }

    /// Returns the first and the last time of a row group, if its statistics tell what is not deleted.
    pub(super) fn time_bounds(&self, group: usize, time: &str) -> Option<(i64, i64)> {
        let (place, column) = self.column(group, time)?;
        match column.statistics() {
            Some(Statistics::Int64(s))
                if self.deleted.is_empty()
                    && self.is_micros(place)
                    && s.min_is_exact()
                    && s.max_is_exact() =>
            {
                s.min_opt().copied().zip(s.max_opt().copied())
            }
            _ => None,
        }
    }

    /// Returns which rows of a row group may lie in `from..to`: `None` if none do, `Some(None)` if
    /// all may.
    pub(super) fn in_time(
        &self,
        group: usize,
        time: &str,
        from: i64,
        to: i64,
    ) -> Option<Option<RowSelection>> {
        let Some((place, column)) = self.column(group, time) else {
            return Some(None);
        };
        if !self.is_micros(place) || (from == i64::MIN && to == i64::MAX) {
            return Some(None);
        }
        let overlaps = |(min, max): (i64, i64)| max >= from && min < to;
        if let Some(Statistics::Int64(s)) = column.statistics()
            && let Some(range) = s.min_opt().copied().zip(s.max_opt().copied())
        {
            if !overlaps(range) {
                return None;
            }
            if range.0 >= from && range.1 < to {
                return Some(None);
            }
        }
        let pages = self.pages(group, time, |index, page| match index {
            ColumnIndexMetaData::INT64(values) => {
                Some((*values.min_value(page)?, *values.max_value(page)?))
            }
            _ => None,
        });
        let Some(pages) = pages else {
            return Some(None);
        };
        let ends = pages.iter().skip(1).map(|(first, _)| *first);
        let ends = ends.chain([self.group_rows(group)]);
        let selectors: Vec<RowSelector> = pages
            .iter()
            .zip(ends)
            .map(|((first, bounds), end)| RowSelector {
                row_count: end.saturating_sub(*first),
                skip: bounds.is_some_and(|b| !overlaps(b)),
            })
            .collect();
        if selectors.iter().all(|s| s.skip) {
            return None;
        }
        if selectors.iter().all(|s| !s.skip) {
            return Some(None);
        }
        Some(Some(RowSelection::from(selectors)))
    }

    /// Reads the columns `read` of a row group, of the rows in `selection` if it is given, without
    /// those that are deleted.
    pub(super) fn read(
        &self,
        group: usize,
        read: &[String],
        actor: Option<usize>,
        selection: Option<RowSelection>,
        batch_rows: usize,
    ) -> Result<GroupReader> {
        let fail = |e| unreadable(self.path(), e);
        let places: Vec<_> = read.iter().map(|n| self.arrow.index_of(n).ok()).collect();
        let actor = actor.and_then(|a| places.get(a).copied().flatten());
        let mut wanted: Vec<usize> = places.iter().flatten().copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let options = ArrowReaderOptions::new().with_schema(self.hint(group, actor));
        let loaded =
            ArrowReaderMetadata::try_new(Arc::clone(&self.metadata), options).map_err(fail)?;
        let schema = self.metadata.file_metadata().schema_descr();
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), loaded)
                .with_projection(ProjectionMask::roots(schema, wanted.iter().copied()))
                .with_row_groups(vec![group])
                .with_batch_size(batch_rows);
        let rows = self.group_rows(group) as u64;
        let first: u64 = (0..group).map(|g| self.group_rows(g) as u64).sum();
        let from = self.deleted.partition_point(|&d| d < first);
        let until = self.deleted.partition_point(|&d| d < first + rows);
        let deleted = self.deleted.get(from..until).unwrap_or_default();
        let selection = if deleted.is_empty() {
            selection
        } else {
            let deleted: Vec<u64> = deleted.iter().map(|d| d - first).collect();
            let kept = without(&deleted, rows);
            Some(match selection {
                Some(selection) => selection.intersection(&kept),
                None => kept,
            })
        };
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        let place = |p: usize| wanted.binary_search(&p).ok();
        Ok(GroupReader {
            reader: builder.build().map_err(fail)?,
            places: places.into_iter().map(|p| p.and_then(place)).collect(),
            path: Arc::from(self.path()),
        })
    }

    /// Asks for codes where the file has nothing else, and for views of other text.
    fn hint(&self, group: usize, actor: Option<usize>) -> SchemaRef {
        let columns = self.metadata.row_group(group).columns();
        let flat = columns.len() == self.arrow.fields().len();
        let fields = self.arrow.fields().iter().enumerate().map(|(i, field)| {
            if field.data_type() != &DataType::Utf8 {
                return Arc::clone(field);
            }
            let coded = flat
                && columns
                    .get(i)
                    .is_some_and(|column| in_codes(column, actor == Some(i)));
            let ty = if coded {
                codes_type()
            } else {
                DataType::Utf8View
            };
            Arc::new(Field::clone(field).with_data_type(ty))
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// First row of a page, and its smallest and largest value where they are known.
type Page<T> = (usize, Option<(T, T)>);
pub(super) type TextPage = Page<Bytes>;

/// Says whether a text column is read as codes: where it has no other pages.
fn in_codes(column: &ColumnChunkMetaData, actor: bool) -> bool {
    // The reader makes text of codes only where the type is said in the old way, too.
    if column.column_descr().converted_type() != ConvertedType::UTF8 {
        return false;
    }
    let Some(start) = column.dictionary_page_offset() else {
        return false;
    };
    match column.page_encoding_stats_mask() {
        Some(mask) => {
            mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
        }
        None => !actor && column.data_page_offset() - start <= SMALL_DICTIONARY_BYTES,
    }
}

/// The batches of a row group.
pub(super) struct GroupReader {
    reader: ParquetRecordBatchReader,
    places: Vec<Option<usize>>,
    path: Arc<str>,
}

impl Iterator for GroupReader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        // The reader of the Parquet crate panics on some damaged pages.
        let batch = caught(|| self.reader.next().transpose().map_err(Error::from));
        match batch.map_err(|e| damaged(&self.path, e)) {
            Ok(None) => None,
            Err(e) => Some(Err(e)),
            Ok(Some(batch)) => {
                let column = |p: &Option<usize>| batch.columns().get((*p)?).cloned();
                Some(Ok((
                    self.places.iter().map(column).collect(),
                    batch.num_rows(),
                )))
            }
        }
    }
}

fn unreadable(path: &str, e: parquet::errors::ParquetError) -> Error {
    damaged(path, Error::from(e))
}

fn damaged(path: &str, e: Error) -> Error {
    let kind = match e.kind() {
        crate::ErrorKind::Internal => crate::ErrorKind::InvalidData,
        other => other,
    };
    Error::new(
        kind,
        format!("`{path}` cannot be read as Parquet: {}", e.message()),
    )
    .with_source(e)
}
