//! Columns of times of any type to UTC microseconds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit as ArrowUnit, TimestampMicrosecondType};
use jiff::tz::TimeZone;

use super::value::parse_time;
use crate::event::TimeUnit;
use crate::{Error, Result};

/// Times as UTC microseconds, null where the source has null or the value cannot be read.
pub(crate) struct Times {
    pub(crate) values: TimestampMicrosecondArray,
    /// Rows whose value cannot be read, in order, with the reason.
    pub(crate) bad: Vec<(usize, String)>,
}

/// Converts a column to UTC microseconds.
///
/// Accepts timestamps of any unit, dates (midnight), integers and decimals (by `unit`), and text.
/// Values without a zone are taken in `zone`.
///
/// # Errors
/// `InvalidSpec` when the whole column is naive and no zone is stated; `InvalidData` when the
/// column's type can hold no time.
pub(crate) fn to_micros(
    name: &str,
    array: &ArrayRef,
    zone: Option<&TimeZone>,
    unit: TimeUnit,
) -> Result<Times> {
    match array.data_type() {
        DataType::Timestamp(_, Some(_)) => Ok(instants(array)),
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
            let zone = zone.ok_or_else(|| {
                Error::invalid_spec(format!(
                    "time column `{name}` has the type {}, which carries no zone; state the zone of its times with `time_zone` (for example \"UTC\" or \"Europe/Berlin\")",
                    array.data_type()
                ))
            })?;
            Ok(naive(array, zone))
        }
        DataType::Dictionary(_, value) => {
            let plain = cast(array, value)?;
            to_micros(name, &plain, zone, unit)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = cast(array, &DataType::Utf8)?;
            let text = text.as_string::<i32>();
            Ok(collect(text.len(), |row| {
                if text.is_null(row) {
                    return Ok(None);
                }
                let value = text.value(row).trim();
                if value.is_empty() {
                    return Ok(None);
                }
                parse_time(value, zone, unit)
                    .map(Some)
                    .map_err(|e| e.to_string())
            }))
        }
        t if t.is_integer() => {
            let bad_above = matches!(t, DataType::UInt64);
            let ints = cast(array, &DataType::Int64)?;
            let ints = ints.as_primitive::<Int64Type>();
            Ok(collect(ints.len(), |row| {
                if array.is_null(row) {
                    return Ok(None);
                }
                if bad_above && ints.is_null(row) {
                    return Err("the number is beyond 64 bits".to_owned());
                }
                let value = ints.value(row);
                unit.to_micros(value)
                    .map(Some)
                    .ok_or_else(|| format!("{value} is out of range for a time"))
            }))
        }
        t if t.is_floating()
            || matches!(t, DataType::Decimal128(..) | DataType::Decimal256(..)) =>
        {
            let floats = cast(array, &DataType::Float64)?;
            let floats = floats.as_primitive::<arrow::datatypes::Float64Type>();
            Ok(collect(floats.len(), |row| {
                if floats.is_null(row) {
                    return Ok(None);
                }
                parse_time(&floats.value(row).to_string(), zone, unit)
                    .map(Some)
                    .map_err(|e| e.to_string())
            }))
        }
        DataType::Null => Ok(Times {
            values: TimestampMicrosecondArray::new_null(array.len()).with_timezone("UTC"),
            bad: Vec::new(),
        }),
        other => Err(Error::invalid_data(format!(
            "time column `{name}` has the type {other}; expected a timestamp, a date, an integer or text"
        ))),
    }
}

fn collect(rows: usize, mut value: impl FnMut(usize) -> Result<Option<i64>, String>) -> Times {
    let mut bad = Vec::new();
    let values = TimestampMicrosecondArray::from_iter((0..rows).map(|row| match value(row) {
        Ok(v) => v,
        Err(message) => {
            bad.push((row, message));
            None
        }
    }));
    Times {
        values: values.with_timezone("UTC"),
        bad,
    }
}

/// A timestamp in its own unit as microseconds; `None` beyond 64 bits.
fn scaled(value: i64, unit: ArrowUnit) -> Option<i64> {
    match unit {
        ArrowUnit::Second => value.checked_mul(1_000_000),
        ArrowUnit::Millisecond => value.checked_mul(1_000),
        ArrowUnit::Microsecond => Some(value),
        ArrowUnit::Nanosecond => Some(value.div_euclid(1_000)),
    }
}

fn instants(array: &ArrayRef) -> Times {
    if let Some(micros) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        // Only the zone's name changes: the values are UTC already, and the buffer is shared.
        return Times {
            values: micros.clone().with_timezone("UTC"),
            bad: Vec::new(),
        };
    }
    let (raw, unit) = raw_ints(array);
    collect(raw.len(), |row| {
        if raw.is_null(row) {
            return Ok(None);
        }
        scaled(raw.value(row), unit)
            .map(Some)
            .ok_or_else(|| out_of_range(raw.value(row)))
    })
}

fn naive(array: &ArrayRef, zone: &TimeZone) -> Times {
    let (raw, unit) = raw_ints(array);
    let utc = *zone == TimeZone::UTC;
    collect(raw.len(), |row| {
        if raw.is_null(row) {
            return Ok(None);
        }
        let value = raw.value(row);
        let micros = scaled(value, unit).ok_or_else(|| out_of_range(value))?;
        if utc {
            return Ok(Some(micros));
        }
        let civil = jiff::Timestamp::from_microsecond(micros)
            .map_err(|_| out_of_range(value))?
            .to_zoned(TimeZone::UTC)
            .datetime();
        zone.to_ambiguous_timestamp(civil)
            .compatible()
            .map(|t| Some(t.as_microsecond()))
            .map_err(|e| e.to_string())
    })
}

fn out_of_range(value: i64) -> String {
    format!("{value} is out of range for a time")
}

/// The integers behind a timestamp or date column and their unit.
fn raw_ints(array: &ArrayRef) -> (Int64Array, ArrowUnit) {
    let reinterpreted = |unit| {
        let ints = cast(array, &DataType::Int64)
            .unwrap_or_else(|_| Arc::new(Int64Array::new_null(array.len())));
        (ints.as_primitive::<Int64Type>().clone(), unit)
    };
    match array.data_type() {
        DataType::Timestamp(unit, _) => reinterpreted(*unit),
        DataType::Date64 => reinterpreted(ArrowUnit::Millisecond),
        DataType::Date32 => {
            let (days, _) = reinterpreted(ArrowUnit::Second);
            let seconds = days.unary::<_, Int64Type>(|d| d * 86_400);
            (seconds, ArrowUnit::Second)
        }
        _ => (Int64Array::new_null(array.len()), ArrowUnit::Second),
    }
}
