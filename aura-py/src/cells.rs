//! Values of Arrow columns as Python values, for results that are read without a library of tables.

use aura_core::arrow::array::{Array, ArrayRef, AsArray};
use aura_core::arrow::compute::cast;
use aura_core::arrow::datatypes::{
    DataType, DurationMicrosecondType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    UInt64Type,
};
use aura_core::arrow::util::display::{ArrayFormatter, FormatOptions};
use aura_core::{Error, Result};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyList, PyTzInfo};

use crate::error::OrRaise;

const DAY_S: i64 = 86_400;
const SECOND_US: i64 = 1_000_000;

/// Appends the values of a column to a list.
///
/// Integers, floats, booleans, text and bytes are what they are called; a timestamp is a `datetime` (in UTC where the column
/// has a zone), a date a `date`, a duration a `timedelta`, a list a `list`, a struct a `dict`, null `None`. Nanoseconds are cut to
/// microseconds. All other types, and moments that `datetime` cannot hold, are text.
pub(crate) fn append(column: &ArrayRef, list: &mut Bound<'_, PyList>) -> PyResult<()> {
    let py = list.py();
    let cell = cells(py, column)?;
    for row in 0..column.len() {
        let value = match column.is_null(row) {
            true => py.None().into_bound(py),
            false => cell(row)?,
        };
        list.append(value)?;
    }
    Ok(())
}

/// How the value of a row that is not null is made.
type Cell<'a, 'py> = Box<dyn Fn(usize) -> PyResult<Bound<'py, PyAny>> + 'a>;

fn converted(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    Ok(cast(column, to)?)
}

fn cells<'a, 'py: 'a>(py: Python<'py>, column: &'a ArrayRef) -> PyResult<Cell<'a, 'py>> {
    let as_type = |to: &DataType| converted(column, to).or_raise(py);
    Ok(match column.data_type() {
        DataType::Null => Box::new(move |_| Ok(py.None().into_bound(py))),
        DataType::Boolean => {
            let values = column.as_boolean();
            Box::new(move |row| values.value(row).into_bound_py_any(py))
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let values = as_type(&DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>().clone();
            Box::new(move |row| values.value(row).into_bound_py_any(py))
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            let values = as_type(&DataType::UInt64)?;
            let values = values.as_primitive::<UInt64Type>().clone();
            Box::new(move |row| values.value(row).into_bound_py_any(py))
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let values = as_type(&DataType::Float64)?;
            let values = values.as_primitive::<Float64Type>().clone();
            Box::new(move |row| values.value(row).into_bound_py_any(py))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let values = as_type(&DataType::Utf8View)?;
            let values = values.as_string_view().clone();
            Box::new(move |row| values.value(row).into_bound_py_any(py))
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => {
            let values = as_type(&DataType::LargeBinary)?;
            let values = values.as_binary::<i64>().clone();
            Box::new(move |row| Ok(PyBytes::new(py, values.value(row)).into_any()))
        }
        DataType::Timestamp(_, zone) => moments(py, column, zone.is_some())?,
        DataType::Date32 | DataType::Date64 => moments(py, column, false)?,
        DataType::Duration(_) => {
            let values = as_type(&DataType::Duration(TimeUnit::Microsecond))?;
            let values = values.as_primitive::<DurationMicrosecondType>().clone();
            Box::new(move |row| Ok(delta(py, values.value(row))?.into_any()))
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let values = as_type(&DataType::LargeList(item.clone()))?;
            let values = values.as_list::<i64>().clone();
            Box::new(move |row| {
                let mut list = PyList::empty(py);
                append(&values.value(row), &mut list)?;
                Ok(list.into_any())
            })
        }
        DataType::Struct(fields) => {
            let values = column.as_struct();
            let inner = values.columns().iter().map(|column| cells(py, column));
            let inner = inner.collect::<PyResult<Vec<_>>>()?;
            Box::new(move |row| {
                let object = PyDict::new(py);
                let members = fields.iter().zip(values.columns()).zip(&inner);
                for ((field, column), cell) in members {
                    match column.is_null(row) {
                        true => object.set_item(field.name(), py.None())?,
                        false => object.set_item(field.name(), cell(row)?)?,
                    }
                }
                Ok(object.into_any())
            })
        }
        DataType::Dictionary(_, value) => decoded(py, &as_type(value)?)?,
        DataType::RunEndEncoded(_, value) => decoded(py, &as_type(value.data_type())?)?,
        _ => text(py, column)?,
    })
}

/// The values of a column that was encoded.
fn decoded<'a, 'py: 'a>(py: Python<'py>, column: &ArrayRef) -> PyResult<Cell<'a, 'py>> {
    let mut values = PyList::empty(py);
    append(column, &mut values)?;
    Ok(Box::new(move |row| values.get_item(row)))
}

/// Whatever the type is, as Arrow writes it.
fn text<'a, 'py: 'a>(py: Python<'py>, column: &'a ArrayRef) -> PyResult<Cell<'a, 'py>> {
    static OPTIONS: FormatOptions<'static> = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(column.as_ref(), &OPTIONS);
    let formatter = formatter.map_err(Error::from).or_raise(py)?;
    Ok(Box::new(move |row| {
        formatter.value(row).to_string().into_bound_py_any(py)
    }))
}

fn delta(py: Python<'_>, us: i64) -> PyResult<Bound<'_, PyDelta>> {
    let (s, us) = (us.div_euclid(SECOND_US), us.rem_euclid(SECOND_US));
    let (days, s) = (s.div_euclid(DAY_S), s.rem_euclid(DAY_S));
    let part = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
    PyDelta::new(py, part(days), part(s), part(us), false)
}

/// Timestamps, counted from 1970, and dates.
fn moments<'a, 'py: 'a>(
    py: Python<'py>,
    column: &'a ArrayRef,
    in_utc: bool,
) -> PyResult<Cell<'a, 'py>> {
    let is_date = matches!(column.data_type(), DataType::Date32 | DataType::Date64);
    let zone = match column.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let micros = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let values = converted(column, &micros).or_raise(py)?;
    let values = values.as_primitive::<TimestampMicrosecondType>().clone();
    let utc = PyTzInfo::utc(py)?;
    let zone = in_utc.then_some(&*utc);
    let epoch = match is_date {
        true => PyDate::new(py, 1970, 1, 1)?.into_any(),
        false => PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, zone)?.into_any(),
    };
    let as_text = text(py, column)?;
    Ok(Box::new(move |row| {
        let moment = delta(py, values.value(row)).and_then(|since| epoch.add(since));
        moment.or_else(|_| as_text(row))
    }))
}
