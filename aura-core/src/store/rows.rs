//! Batches in the shape of the catalog's columns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use super::catalog::inlined::InlinedRows;
use super::catalog::table::Column;
use super::catalog::value;
use crate::event::{ACTOR, EVENT, EVENT_ID, EXTRA, PropertyType, TIME};
use crate::{Error, Result};

/// Returns the Arrow schema of the catalog's columns, each field with its column id.
///
/// Columns that another program added with a type that AURA has no counterpart for are left out.
pub(crate) fn storage_schema(columns: &[Column]) -> SchemaRef {
    let fields = columns.iter().filter_map(|c| {
        let ty = value::property_type(&c.ty)?;
        let id = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), c.id.to_string())]);
        Some(Field::new(&c.name, ty.arrow_type(), true).with_metadata(id))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Lists the property columns of the table of events: all but roles and `extra`.
pub(crate) fn properties(columns: &[Column]) -> Vec<(String, PropertyType)> {
    columns
        .iter()
        .filter(|c| ![EVENT_ID, ACTOR, EVENT, TIME, EXTRA].contains(&c.name.as_str()))
        .filter_map(|c| Some((c.name.clone(), value::property_type(&c.ty)?)))
        .collect()
}

/// Brings a batch into the shape of `schema`: columns by name, in its order, null where the batch
/// has none.
///
/// # Errors
/// `Internal` when the batch has a column that the schema lacks, or of another type.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
            Some(column) => Err(Error::internal(format!(
                "column `{}` is {} in a batch and {} in the table",
                field.name(),
                column.data_type(),
                field.data_type()
            ))),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    for field in batch.schema().fields() {
        if schema.column_with_name(field.name()).is_none() {
            return Err(Error::internal(format!(
                "the table has no column `{}`",
                field.name()
            )));
        }
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Reads rows that another program keeps in the database (DuckDB does so with small inserts).
///
/// # Errors
/// `InvalidData` when a value is not of its column's type.
pub(crate) fn inlined_batch(
    inlined: &InlinedRows,
    columns: &[Column],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let arrays = schema
        .fields()
        .iter()
        .map(|field| {
            let column = columns.iter().find(|c| c.name == *field.name());
            let at = column.and_then(|c| inlined.columns.iter().position(|id| *id == c.id));
            let ty = column.and_then(|c| value::property_type(&c.ty));
            let (Some(at), Some(ty)) = (at, ty) else {
                return Ok(new_null_array(field.data_type(), inlined.rows.len()));
            };
            let texts = inlined
                .rows
                .iter()
                .map(|r| r.values.get(at).and_then(Option::as_deref));
            let array = parse_texts(ty, texts);
            let nulls = inlined
                .rows
                .iter()
                .filter(|r| r.values.get(at).is_none_or(Option::is_none))
                .count();
            if array.null_count() != nulls {
                return Err(Error::invalid_data(format!(
                    "a row of `{}` has a value in column `{}` that is no {}",
                    inlined.table.name,
                    field.name(),
                    ty.name()
                )));
            }
            Ok(array)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

fn parse_texts<'a>(ty: PropertyType, texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    match ty {
        PropertyType::String | PropertyType::Json => Arc::new(texts.collect::<StringArray>()),
        PropertyType::Integer => Arc::new(
            texts
                .map(|t| t.and_then(|t| t.parse().ok()))
                .collect::<Int64Array>(),
        ),
        PropertyType::Number => Arc::new(
            texts
                .map(|t| t.and_then(|t| t.parse().ok()))
                .collect::<Float64Array>(),
        ),
        PropertyType::Boolean => Arc::new(
            texts
                .map(|t| t.and_then(value::boolean))
                .collect::<BooleanArray>(),
        ),
        PropertyType::Timestamp => Arc::new(
            texts
                .map(|t| t.and_then(value::parse_timestamp_us))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        PropertyType::Date => Arc::new(
            texts
                .map(|t| {
                    t.and_then(value::parse_date_days)
                        .and_then(|d| i32::try_from(d).ok())
                })
                .collect::<Date32Array>(),
        ),
    }
}
