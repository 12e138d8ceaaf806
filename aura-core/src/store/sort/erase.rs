//! Finding and removing the events of one actor in a file.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;

use super::input::{OpenFile, unreadable};
use crate::event::ACTOR;
use crate::ingest::CancelToken;
use crate::store::catalog::file::WrittenFile;
use crate::store::files::{FileStore, StoredFile};
use crate::store::parquet_out::{
    EventEncoder, EventWriter, LAYOUT_KEY, LAYOUT_SORTED, Profile, worth_a_dictionary,
};
use crate::{Error, Result};

const BATCH_ROWS: usize = 65_536;

/// What erasing an actor from a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Erased {
    /// The actor has no event in the file; nothing was written.
    Untouched,
    /// No other events were in the file: drop it. Nothing was written.
    Emptied {
        /// Rows that go with the file.
        removed_rows: u64,
    },
    /// `file` has all other rows, in the same order.
    Rewritten {
        /// Rows that are not in `file`.
        removed_rows: u64,
        /// Takes the place of the file.
        file: WrittenFile,
    },
}

/// Returns whether the file `path` has an event of `actor`. Reads only the pages that can.
///
/// # Errors
/// `NotFound` without such a file; `InvalidData` if it cannot be read.
pub(crate) fn contains_actor(files: &FileStore, path: &str, actor: &str) -> Result<bool> {
    let file = files.open(path)?;
    let options = ArrowReaderOptions::new()
        .with_skip_arrow_metadata(true)
        .with_page_index_policy(PageIndexPolicy::Optional);
    let loaded = ArrowReaderMetadata::load(&file, options).map_err(|e| unreadable(&file, e))?;
    let column = loaded
        .schema()
        .index_of(ACTOR)
        .map_err(|_| lacks_actor(&file))?;
    for group in 0..loaded.metadata().num_row_groups() {
        if let Some(selection) = candidates(loaded.metadata(), group, column, actor)
            && any_row_is(&file, &loaded, group, column, selection, actor)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns which rows of a row group may be the actor's, by the statistics of its pages; `None` if
/// none can be.
fn candidates(
    metadata: &ParquetMetaData,
    group: usize,
    column: usize,
    actor: &str,
) -> Option<RowSelection> {
    let actor = actor.as_bytes();
    let group_metadata = metadata.row_group(group);
    let rows = usize::try_from(group_metadata.num_rows()).unwrap_or(0);
    if let Some(Statistics::ByteArray(s)) = group_metadata
        .columns()
        .get(column)
        .and_then(|c| c.statistics())
        && (s.min_opt().is_some_and(|min| actor < min.data())
            || s.max_opt().is_some_and(|max| actor > max.data()))
    {
        return None;
    }
    let everything = || RowSelection::from(vec![RowSelector::select(rows)]);
    let place = |index: usize| index == column;
    let bounds = metadata
        .column_index()
        .and_then(|i| i.get(group)?.iter().enumerate().find(|(i, _)| place(*i)));
    let pages = metadata
        .offset_index()
        .and_then(|i| i.get(group)?.iter().enumerate().find(|(i, _)| place(*i)));
    let (Some((_, ColumnIndexMetaData::BYTE_ARRAY(bounds))), Some((_, pages))) = (bounds, pages)
    else {
        return Some(everything());
    };
    let starts: Vec<usize> = pages
        .page_locations()
        .iter()
        .map(|p| usize::try_from(p.first_row_index).unwrap_or(0))
        .collect();
    if starts.len() as u64 != bounds.num_pages() {
        return Some(everything());
    }
    let ends = starts.iter().skip(1).copied().chain([rows]);
    let mut selectors = Vec::new();
    let mut any = false;
    for (page, (&start, end)) in starts.iter().zip(ends).enumerate() {
        let possible = bounds.min_value(page).is_none_or(|min| actor >= min)
            && bounds.max_value(page).is_none_or(|max| actor <= max);
        any |= possible;
        let length = end.saturating_sub(start);
        selectors.push(if possible {
            RowSelector::select(length)
        } else {
            RowSelector::skip(length)
        });
    }
    any.then(|| RowSelection::from(selectors))
}

fn any_row_is(
    file: &StoredFile,
    loaded: &ArrowReaderMetadata,
    group: usize,
    column: usize,
    selection: RowSelection,
    actor: &str,
) -> Result<bool> {
    let mask = ProjectionMask::roots(loaded.metadata().file_metadata().schema_descr(), [column]);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), loaded.clone())
        .with_projection(mask)
        .with_row_groups(vec![group])
        .with_row_selection(selection)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|e| unreadable(file, e))?;
    for batch in reader {
        let batch = batch?;
        let actors = batch.column(0).as_string_opt::<i32>();
        let actors = actors.ok_or_else(|| lacks_actor(file))?;
        if actors.iter().any(|a| a == Some(actor)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn lacks_actor(file: &StoredFile) -> Error {
    Error::invalid_data(format!("{} has no text column {ACTOR}", file.path()))
}

/// Writes the rows of the file `input` that are not `actor`'s to the file `output`, in their order.
/// `deleted_rows` are positions of rows that are gone already, and are not counted.
///
/// # Errors
/// `NotFound` without such a file; `InvalidData` if it cannot be read; `Cancelled`;
/// `ResourceExhausted` when the disk is full.
#[allow(
    clippy::too_many_arguments,
    reason = "a file in, a file out, and what is between"
)]
pub(crate) fn rewrite_without_actor(
    files: &FileStore,
    input: &str,
    deleted_rows: Arc<[u64]>,
    actor: &str,
    schema: &SchemaRef,
    output: &str,
    partition_values: Vec<String>,
    cancel: &CancelToken,
) -> Result<Erased> {
    if !contains_actor(files, input, actor)? {
        return Ok(Erased::Untouched);
    }
    let source = OpenFile::open(files.open(input)?, schema, deleted_rows)?;
    let column = schema.index_of(ACTOR)?;
    let sorted = source
        .metadata
        .file_metadata()
        .key_value_metadata()
        .is_some_and(|all| {
            all.iter()
                .any(|kv| kv.key == LAYOUT_KEY && kv.value.as_deref() == Some(LAYOUT_SORTED))
        });
    let profile = if sorted {
        Profile::Compacted
    } else {
        Profile::Ingest
    };
    let mut removed_rows = 0;
    let mut writer: Option<(Arc<EventEncoder>, EventWriter)> = None;
    for group in 0..source.metadata.num_row_groups() {
        let mut kept = Vec::new();
        source.read(group, schema, BATCH_ROWS, &mut |columns, rows| {
            cancel.check()?;
            let actors = columns
                .get(column)
                .and_then(|c| c.as_string_opt::<i32>())
                .ok_or_else(|| lacks_actor(&source.file))?;
            let keep: BooleanArray = actors.iter().map(|a| Some(a != Some(actor))).collect();
            let left = keep.true_count();
            removed_rows += (rows - left) as u64;
            if left > 0 {
                let columns = columns
                    .iter()
                    .zip(schema.fields())
                    .map(|(c, field)| match c.data_type() {
                        DataType::Null => Ok(arrow::array::new_null_array(field.data_type(), left)),
                        _ => Ok(filter(c, &keep)?),
                    })
                    .collect::<Result<Vec<_>>>()?;
                let fields: Vec<Field> = columns
                    .iter()
                    .zip(schema.fields())
                    .map(|(c, f)| f.as_ref().clone().with_data_type(c.data_type().clone()))
                    .collect();
                kept.push(RecordBatch::try_new(
                    Arc::new(Schema::new(fields)),
                    columns,
                )?);
            }
            Ok(())
        })?;
        let Some(first) = kept.first() else {
            continue;
        };
        let (encoder, writer) = match &mut writer {
            Some(open) => open,
            None => {
                let dictionary: Vec<bool> =
                    first.columns().iter().map(worth_a_dictionary).collect();
                let encoder = Arc::new(EventEncoder::new(schema, profile, &dictionary)?);
                let begun = EventWriter::create(
                    files,
                    output,
                    partition_values.clone(),
                    Arc::clone(&encoder),
                )?;
                writer.insert((encoder, begun))
            }
        };
        writer.append(encoder.encode(&kept)?)?;
    }
    Ok(match writer {
        _ if removed_rows == 0 => Erased::Untouched,
        None => Erased::Emptied { removed_rows },
        Some((_, writer)) => Erased::Rewritten {
            removed_rows,
            file: writer.finish()?,
        },
    })
}
