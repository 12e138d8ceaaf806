//! Bringing the columns of a bucket into their final order, one row group at a time.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, BooleanBuilder, DictionaryArray,
    Int32Array, NullBufferBuilder, PrimitiveArray, StringArray, StringBuilder,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int32Type, Int64Type, Schema, SchemaRef,
    TimestampMicrosecondType,
};

use super::bucket::Chunk;
use super::order::{At, Cut, Row, Sorted};
use super::text::{self, Interned, NULL};
use super::{Roles, in_parallel};
use crate::ingest::CancelToken;
use crate::{Error, Result};

/// The columns of a bucket, in the order of the chunks.
pub(super) struct Columns {
    columns: Vec<Column>,
    schema: SchemaRef,
}

enum Column {
    /// Taken from the sorted rows.
    Actor,
    /// Taken from the sorted rows.
    Time,
    Codes(Interned),
    /// One array for each chunk.
    Plain(Vec<ArrayRef>),
}

impl Columns {
    /// Takes the columns of `chunks` over, and gives repeated text codes, on `threads` threads.
    /// `decided` says for each column whether to give codes, where that is known already.
    pub(super) fn prepare(
        mut chunks: Vec<Chunk>,
        target: &SchemaRef,
        roles: Roles,
        decided: Option<&[bool]>,
        threads: usize,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let places: Vec<Mutex<Column>> = (0..target.fields().len())
            .map(|i| {
                Mutex::new(if i == roles.actor {
                    Column::Actor
                } else if i == roles.time {
                    Column::Time
                } else {
                    Column::Plain(chunks.iter_mut().map(|chunk| chunk.take(i)).collect())
                })
            })
            .collect();
        drop(chunks);
        in_parallel(threads, places.len(), cancel, |i| {
            let text = target.field(i).data_type() == &DataType::Utf8 && i != roles.event_id;
            let decided = decided.and_then(|d| d.get(i).copied());
            let Some(place) = places.get(i).filter(|_| text && decided != Some(false)) else {
                return Ok(());
            };
            let mut column = place.lock().unwrap_or_else(PoisonError::into_inner);
            if let Column::Plain(arrays) = &*column
                && let Some(interned) = text::intern(arrays, decided == Some(true))?
            {
                *column = Column::Codes(interned);
            }
            Ok(())
        })?;
        let columns: Vec<Column> = places
            .into_iter()
            .map(|c| c.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        let fields = columns
            .iter()
            .zip(target.fields())
            .map(|(c, field)| match c {
                Column::Actor | Column::Codes(_) => {
                    Field::new(field.name(), codes_type(), field.is_nullable())
                }
                _ => field.as_ref().clone(),
            });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(Columns { columns, schema })
    }

    /// Returns the schema of what [`gather`](Self::gather) gives.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Says for each column whether it is in codes.
    pub(super) fn dictionaries(&self) -> Vec<bool> {
        self.columns
            .iter()
            .map(|c| matches!(c, Column::Actor | Column::Codes(_)))
            .collect()
    }

    /// Returns the columns of one row group.
    pub(super) fn gather(&self, sorted: &Sorted, cut: &Cut) -> Result<Vec<ArrayRef>> {
        let rows = sorted.rows.get(cut.rows.clone()).unwrap_or_default();
        self.columns
            .iter()
            .zip(self.schema.fields())
            .map(|(column, field)| match column {
                Column::Actor => actors(sorted, cut),
                Column::Time => Ok(Arc::new(
                    TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.time))
                        .with_data_type(field.data_type().clone()),
                ) as ArrayRef),
                Column::Codes(interned) => codes(interned, rows),
                Column::Plain(arrays) => plain(arrays, rows, field.data_type()),
            })
            .collect()
    }
}

fn codes_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn actors(sorted: &Sorted, cut: &Cut) -> Result<ArrayRef> {
    let mut keys: Vec<i32> = Vec::with_capacity(cut.rows.len());
    for (code, rank) in cut.ranks.clone().enumerate() {
        // The first and the last actor may have rows in other row groups, too.
        let rows = sorted.rows_of(rank);
        let here = rows.end.min(cut.rows.end) - rows.start.max(cut.rows.start);
        keys.resize(keys.len() + here, code as i32);
    }
    let values: StringArray = cut.ranks.clone().map(|r| Some(sorted.actor(r))).collect();
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        keys.into(),
        Arc::new(values),
    )?))
}

fn codes(interned: &Interned, rows: &[Row]) -> Result<ArrayRef> {
    let mut any_null = false;
    let keys: Vec<i32> = rows
        .iter()
        .map(|row| {
            let code = interned.codes[row.at.chunk()][row.at.row()];
            any_null |= code == NULL;
            code as i32
        })
        .collect();
    let keys = if any_null {
        keys.into_iter().map(|k| (k >= 0).then_some(k)).collect()
    } else {
        Int32Array::from(keys)
    };
    let values = Arc::clone(&interned.values) as ArrayRef;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        keys, values,
    )?))
}

fn plain(arrays: &[ArrayRef], rows: &[Row], ty: &DataType) -> Result<ArrayRef> {
    match ty {
        DataType::Utf8 => texts(arrays, rows),
        DataType::Boolean => booleans(arrays, rows),
        DataType::Int64 => numbers::<Int64Type>(arrays, rows, ty),
        DataType::Float64 => numbers::<Float64Type>(arrays, rows, ty),
        DataType::Date32 => numbers::<Date32Type>(arrays, rows, ty),
        DataType::Timestamp(..) => numbers::<TimestampMicrosecondType>(arrays, rows, ty),
        other => Err(Error::internal(format!(
            "the type {other} is none that events have"
        ))),
    }
}

/// Returns each chunk's array in its own type, or `None` for chunks without any value.
fn typed<'a, A: 'static>(arrays: &'a [ArrayRef], ty: &DataType) -> Result<Vec<Option<&'a A>>> {
    arrays
        .iter()
        .map(|array| match array.as_any().downcast_ref::<A>() {
            Some(array) => Ok(Some(array)),
            None if array.data_type() == &DataType::Null => Ok(None),
            None => Err(Error::internal(format!(
                "a chunk has the type {} where {ty} is expected",
                array.data_type()
            ))),
        })
        .collect()
}

fn numbers<T: ArrowPrimitiveType>(
    arrays: &[ArrayRef],
    rows: &[Row],
    ty: &DataType,
) -> Result<ArrayRef> {
    let chunks = typed::<PrimitiveArray<T>>(arrays, ty)?;
    if chunks.iter().all(Option::is_none) {
        return Ok(new_null_array(ty, rows.len()));
    }
    if chunks
        .iter()
        .all(|c| c.is_some_and(|c| c.null_count() == 0))
    {
        let values: Vec<&[T::Native]> = chunks
            .iter()
            .map(|c| c.map_or(&[] as &[T::Native], |c| c.values()))
            .collect();
        let values: ScalarBuffer<T::Native> = rows
            .iter()
            .map(|row| values[row.at.chunk()][row.at.row()])
            .collect();
        let array = PrimitiveArray::<T>::try_new(values, None)?;
        return Ok(Arc::new(array.with_data_type(ty.clone())));
    }
    let mut values = Vec::with_capacity(rows.len());
    let mut valid = NullBufferBuilder::new(rows.len());
    for row in rows {
        let value = chunks[row.at.chunk()]
            .filter(|c| c.is_valid(row.at.row()))
            .map(|c| c.value(row.at.row()));
        valid.append(value.is_some());
        values.push(value.unwrap_or_default());
    }
    let array = PrimitiveArray::<T>::try_new(values.into(), valid.finish())?;
    Ok(Arc::new(array.with_data_type(ty.clone())))
}

fn booleans(arrays: &[ArrayRef], rows: &[Row]) -> Result<ArrayRef> {
    let chunks = typed::<BooleanArray>(arrays, &DataType::Boolean)?;
    let mut out = BooleanBuilder::with_capacity(rows.len());
    for row in rows {
        out.append_option(
            chunks[row.at.chunk()]
                .filter(|c| c.is_valid(row.at.row()))
                .map(|c| c.value(row.at.row())),
        );
    }
    Ok(Arc::new(out.finish()))
}

enum Text<'a> {
    None,
    Plain(&'a StringArray),
    Codes(&'a DictionaryArray<Int32Type>, &'a StringArray),
}

impl<'a> Text<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self> {
        if let Some(text) = array.as_string_opt::<i32>() {
            return Ok(Text::Plain(text));
        }
        if let Some(codes) = array.as_dictionary_opt::<Int32Type>()
            && let Some(values) = codes.values().as_string_opt::<i32>()
        {
            return Ok(Text::Codes(codes, values));
        }
        if array.data_type() == &DataType::Null {
            return Ok(Text::None);
        }
        Err(Error::internal(format!(
            "a chunk has the type {} where text is expected",
            array.data_type()
        )))
    }

    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Text::None => None,
            Text::Plain(text) => text.is_valid(row).then(|| text.value(row)),
            Text::Codes(codes, values) => codes.key(row).map(|key| values.value(key)),
        }
    }
}

fn texts(arrays: &[ArrayRef], rows: &[Row]) -> Result<ArrayRef> {
    let chunks: Vec<Text<'_>> = arrays.iter().map(Text::of).collect::<Result<_>>()?;
    let of = |at: At| chunks[at.chunk()].get(at.row());
    let bytes: usize = rows.iter().filter_map(|r| of(r.at)).map(str::len).sum();
    if i32::try_from(bytes).is_err() {
        return Err(Error::new(
            crate::ErrorKind::ResourceExhausted,
            format!(
                "{bytes} bytes of text in one column of {} rows are more than a row group can hold",
                rows.len()
            ),
        ));
    }
    let mut out = StringBuilder::with_capacity(rows.len(), bytes);
    for row in rows {
        out.append_option(of(row.at));
    }
    Ok(Arc::new(out.finish()))
}
