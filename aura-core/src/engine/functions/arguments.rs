//! Reading the arguments of functions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, IntervalUnit, Schema, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_plan::PhysicalExpr;

use crate::time::{Span, SpanUnit};
use crate::{Error, Result};

/// Most conditions of a function: the bits of a word.
pub(crate) const MAX_CONDITIONS: usize = 64;

/// The type of times.
pub(super) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn wrong(function: &str, number: usize, what: &str, found: &DataType) -> Error {
    Error::invalid_spec(format!(
        "{function}: argument {} is {found}; {what} is expected",
        number + 1
    ))
}

/// Checks that argument `number` is text, or (with `interval`) a length of time.
pub(super) fn constant(
    function: &str,
    types: &[DataType],
    number: usize,
    interval: bool,
) -> Result<DataType> {
    match types.get(number) {
        Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => Ok(DataType::Utf8),
        Some(DataType::Interval(_)) if interval => {
            Ok(DataType::Interval(IntervalUnit::MonthDayNano))
        }
        Some(DataType::Duration(_)) if interval => Ok(DataType::Duration(TimeUnit::Microsecond)),
        Some(other) if interval => Err(wrong(
            function,
            number,
            "a length of time such as '7 days' or INTERVAL '1 hour'",
            other,
        )),
        Some(other) => Err(wrong(function, number, "a text in single quotes", other)),
        None => Err(missing(function, types.len())),
    }
}

fn missing(function: &str, found: usize) -> Error {
    Error::invalid_spec(format!("{function}: {found} arguments are too few"))
}

/// Checks that argument `number` is a time.
pub(super) fn time(function: &str, types: &[DataType], number: usize) -> Result<DataType> {
    match types.get(number) {
        Some(DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Null) => {
            Ok(time_type())
        }
        Some(other) => Err(wrong(function, number, "a time", other)),
        None => Err(missing(function, types.len())),
    }
}

/// Checks that the arguments from `number` on are conditions, and that there are from `least` to 64 of them.
pub(super) fn conditions(
    function: &str,
    types: &[DataType],
    number: usize,
    least: usize,
) -> Result<Vec<DataType>> {
    let found = types.len().saturating_sub(number);
    if !(least..=MAX_CONDITIONS).contains(&found) {
        return Err(Error::invalid_spec(format!(
            "{function}: {found} conditions; from {least} to {MAX_CONDITIONS} are expected"
        )));
    }
    types
        .iter()
        .enumerate()
        .skip(number)
        .map(|(at, ty)| match ty {
            DataType::Boolean | DataType::Null => Ok(DataType::Boolean),
            other => Err(wrong(function, at, "a condition, true or false,", other)),
        })
        .collect()
}

/// Returns the value of a constant argument.
pub(super) fn value(
    function: &str,
    arguments: &[Arc<dyn PhysicalExpr>],
    number: usize,
) -> Result<ScalarValue> {
    let not_constant = || {
        Error::invalid_spec(format!(
            "{function}: argument {} must be the same for all rows: a constant",
            number + 1
        ))
    };
    let expr = arguments.get(number).ok_or_else(not_constant)?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let empty = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    match expr.evaluate(&empty) {
        Ok(ColumnarValue::Scalar(value)) => Ok(value),
        Ok(ColumnarValue::Array(_)) | Err(_) => Err(not_constant()),
    }
}

/// Returns the text of a constant argument.
pub(super) fn text(
    function: &str,
    arguments: &[Arc<dyn PhysicalExpr>],
    number: usize,
) -> Result<String> {
    match value(function, arguments, number)? {
        ScalarValue::Utf8(Some(text)) => Ok(text),
        _ => Err(Error::invalid_spec(format!(
            "{function}: argument {} is null; a text is expected",
            number + 1
        ))),
    }
}

/// Returns the microseconds of a constant length of time. Days have 24 hours here; months and longer units have no one
/// length and are refused.
pub(super) fn micros(
    function: &str,
    arguments: &[Arc<dyn PhysicalExpr>],
    number: usize,
) -> Result<i64> {
    const DAY_US: i64 = 86_400_000_000;
    let invalid =
        |why: String| Error::invalid_spec(format!("{function}: argument {}: {why}", number + 1));
    let us = match value(function, arguments, number)? {
        ScalarValue::Utf8(Some(text)) => {
            let span: Span = text.parse().map_err(|e: Error| invalid(e.to_string()))?;
            let days = match span.unit() {
                SpanUnit::Day => Some(1),
                SpanUnit::Week => Some(7),
                _ => None,
            };
            let days = days.map(|days| days * DAY_US * i64::from(span.count()));
            span.clock_us().or(days)
        }
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months == 0 => {
            let days = i64::from(interval.days).checked_mul(DAY_US);
            days.and_then(|days| days.checked_add(interval.nanoseconds / 1_000))
        }
        ScalarValue::DurationMicrosecond(us) => us,
        _ => None,
    };
    match us {
        Some(us) if us > 0 => Ok(us),
        Some(us) => Err(invalid(format!(
            "a length of {us} microseconds; a longer one than 0 is expected"
        ))),
        None => Err(invalid(
            "expected a length of time in weeks, days or shorter units, such as '7 days'"
                .to_owned(),
        )),
    }
}

/// Returns the times of a column that was cast to [`time_type`].
pub(super) fn times(
    columns: &[ArrayRef],
    number: usize,
) -> DfResult<&arrow::array::TimestampMicrosecondArray> {
    let times = columns.get(number);
    let times = times.and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
    Ok(times.ok_or_else(|| Error::internal("times of another type were given"))?)
}

/// Returns for each row which of the conditions from column `number` on are true: bit i is the i-th; null is not.
pub(super) fn masks(columns: &[ArrayRef], number: usize, rows: usize) -> DfResult<Vec<u64>> {
    let mut masks = vec![0; rows];
    for (bit, column) in columns.iter().skip(number).enumerate() {
        let column = column
            .as_boolean_opt()
            .ok_or_else(|| Error::internal("a condition of another type was given"))?;
        let met = match column.nulls() {
            Some(nulls) => column.values() & nulls.inner(),
            None => column.values().clone(),
        };
        for row in met.set_indices() {
            if let Some(mask) = masks.get_mut(row) {
                *mask |= 1 << bit;
            }
        }
    }
    Ok(masks)
}
