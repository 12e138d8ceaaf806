//! Columns of an Arrow table as columns of the canonical types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, StringBuilder};
use arrow::compute::{cast, is_not_null};
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};

use super::json_value;
use crate::event::PropertyType;
use crate::ingest::plan::ReadPlan;
use crate::ingest::times::to_micros;
use crate::ingest::value::parse_date;
use crate::{Error, Result};

/// Converts to text what may name an actor or an event: text, integers, booleans, UUID bytes.
pub(super) fn text(array: &ArrayRef) -> Result<StringArray> {
    let plain = match array.data_type() {
        DataType::Dictionary(_, value) => cast(array, value)?,
        _ => Arc::clone(array),
    };
    let plain = match plain.data_type() {
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => hex(&plain),
        DataType::Null => arrow::array::new_null_array(&DataType::Utf8, plain.len()),
        t if t.is_nested() => {
            return Err(Error::invalid_data(format!(
                "a role column has the type {t}; expected text, an integer or a dictionary of these"
            )));
        }
        _ => cast(&plain, &DataType::Utf8)?,
    };
    Ok(plain.as_string::<i32>().clone())
}

fn hex(array: &ArrayRef) -> ArrayRef {
    let mut out = StringBuilder::new();
    let bytes = cast(array, &DataType::LargeBinary)
        .unwrap_or_else(|_| arrow::array::new_null_array(&DataType::LargeBinary, array.len()));
    for value in bytes.as_binary::<i64>() {
        out.append_option(value.map(|b| b.iter().map(|x| format!("{x:02x}")).collect::<String>()));
    }
    Arc::new(out.finish())
}

pub(super) fn empty_to_null(values: StringArray) -> StringArray {
    if values.iter().all(|v| v != Some("")) {
        return values;
    }
    values.iter().map(|v| v.filter(|v| !v.is_empty())).collect()
}

/// Converts a property column; also gives the rows whose value does not fit the type (null there).
pub(super) fn convert(
    key: &str,
    array: &ArrayRef,
    ty: PropertyType,
    plan: &ReadPlan,
) -> Result<(ArrayRef, Vec<usize>)> {
    let plain = match array.data_type() {
        DataType::Dictionary(_, value) => cast(array, value)?,
        _ => Arc::clone(array),
    };
    let from = plain.data_type().clone();
    let is_text = matches!(
        from,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let converted: ArrayRef = match ty {
        PropertyType::Json if is_text => json_text(&plain)?,
        PropertyType::Json => {
            let mut out = StringBuilder::new();
            for row in 0..plain.len() {
                out.append_option(plain.is_valid(row).then(|| json_value(&plain, row)));
            }
            Arc::new(out.finish())
        }
        PropertyType::Timestamp => {
            let has_no_zone = matches!(
                from,
                DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64
            );
            if from.is_nested()
                || from == DataType::Boolean
                || (has_no_zone && plan.time_zone.is_none())
            {
                nulls(ty, plain.len())
            } else {
                Arc::new(to_micros(key, &plain, plan.time_zone.as_ref(), plan.time_unit)?.values)
            }
        }
        PropertyType::Integer if from.is_floating() => {
            let floats = cast(&plain, &DataType::Float64)?;
            let exact = |v: f64| v.fract() == 0.0 && v.abs() < 9_007_199_254_740_992.0;
            let ints: Int64Array = floats
                .as_primitive::<Float64Type>()
                .iter()
                .map(|v| v.filter(|v| exact(*v)).map(|v| v as i64))
                .collect();
            Arc::new(ints)
        }
        PropertyType::Integer if from == DataType::UInt64 => {
            let ints: Int64Array = plain
                .as_primitive::<UInt64Type>()
                .iter()
                .map(|v| v.and_then(|v| i64::try_from(v).ok()))
                .collect();
            Arc::new(ints)
        }
        PropertyType::Integer if from.is_integer() => cast(&plain, &DataType::Int64)?,
        PropertyType::Number
            if from.is_floating()
                || matches!(from, DataType::Decimal128(..) | DataType::Decimal256(..)) =>
        {
            cast(&plain, &DataType::Float64)?
        }
        PropertyType::Number if from.is_integer() => {
            let exact = |v: i64| v.unsigned_abs() <= 1 << 53;
            let ints = cast(&plain, &DataType::Int64)?;
            let floats: arrow::array::Float64Array = ints
                .as_primitive::<Int64Type>()
                .iter()
                .map(|v| v.filter(|v| exact(*v)).map(|v| v as f64))
                .collect();
            Arc::new(floats)
        }
        PropertyType::Boolean if from == DataType::Boolean => plain.clone(),
        PropertyType::Date if matches!(from, DataType::Date32 | DataType::Date64) => {
            cast(&plain, &DataType::Date32)?
        }
        PropertyType::Date if is_text => {
            let text = cast(&plain, &DataType::Utf8)?;
            let dates: arrow::array::Date32Array = text
                .as_string::<i32>()
                .iter()
                .map(|v| v.and_then(parse_date))
                .collect();
            Arc::new(dates)
        }
        PropertyType::String if is_text => cast(&plain, &DataType::Utf8)?,
        PropertyType::String
            if matches!(
                from,
                DataType::Binary
                    | DataType::LargeBinary
                    | DataType::BinaryView
                    | DataType::FixedSizeBinary(_)
            ) =>
        {
            hex(&plain)
        }
        PropertyType::String
            if from.is_temporal()
                || matches!(from, DataType::Decimal128(..) | DataType::Decimal256(..)) =>
        {
            cast(&plain, &DataType::Utf8)?
        }
        _ => nulls(ty, plain.len()),
    };
    if converted.null_count() == plain.logical_null_count() {
        return Ok((converted, Vec::new()));
    }
    let lost = is_not_null(&plain)?;
    let lost = (0..plain.len())
        .filter(|row| lost.value(*row) && converted.is_null(*row))
        .collect();
    Ok((converted, lost))
}

fn nulls(ty: PropertyType, rows: usize) -> ArrayRef {
    arrow::array::new_null_array(&ty.arrow_type(), rows)
}

/// Text that must be JSON: kept as it is where it is valid, null where it is not.
fn json_text(array: &ArrayRef) -> Result<ArrayRef> {
    let text = cast(array, &DataType::Utf8)?;
    let valid: StringArray = text
        .as_string::<i32>()
        .iter()
        .map(|v| v.filter(|v| serde_json::from_str::<serde::de::IgnoredAny>(v).is_ok()))
        .collect();
    Ok(Arc::new(valid))
}
