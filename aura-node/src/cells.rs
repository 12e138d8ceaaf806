//! Values of Arrow columns as values of JavaScript, for results that are read without a library of tables.

use aura_core::arrow::array::{Array as ArrowArray, ArrayRef, AsArray};
use aura_core::arrow::compute::cast;
use aura_core::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, UInt64Type};
use aura_core::arrow::util::display::{ArrayFormatter, FormatOptions};
use aura_core::{Error, Result};
use napi::Env;
use napi::bindgen_prelude::{Array, BigInt, Buffer, Null, Object, ToNapiValue, Unknown};

use crate::error::OrReject;

/// The largest whole number up to which a number of JavaScript has all of them.
const SAFE: i64 = (1 << 53) - 1;
/// The largest moment of a `Date`, in milliseconds before and after 1970.
const FAR_MS: i128 = 8_640_000_000_000_000;

/// The values of a column that comes in pieces.
///
/// Booleans, floats and text are what they are called; whole numbers are numbers up to 2⁵³ and `bigint` beyond; bytes are a
/// `Buffer`; a timestamp or date is a `Date`, cut to milliseconds; a duration is a number of milliseconds; a list is an
/// array, a struct an object, null `null`. All other types, and moments that `Date` cannot hold, are text.
pub(crate) fn values<'env, 'a>(
    env: &'env Env,
    pieces: impl Iterator<Item = &'a ArrayRef> + Clone,
) -> napi::Result<Array<'env>> {
    let length = pieces.clone().map(|piece| piece.len()).sum::<usize>();
    let length = u32::try_from(length).map_err(|_| {
        Error::invalid_data(format!(
            "an array of JavaScript cannot hold {length} rows; take fewer, or take the table as Arrow IPC"
        ))
    });
    let mut all = env.create_array(length.or_reject()?)?;
    let mut at = 0;
    for piece in pieces {
        let cell = cells(piece).or_reject()?;
        for row in 0..piece.len() {
            all.set(at, read(&cell, piece, env, row)?)?;
            at += 1;
        }
    }
    Ok(all)
}

/// How the value of a row that is not null is made.
type Cell = Box<dyn for<'env> Fn(&'env Env, usize) -> napi::Result<Unknown<'env>>>;

fn read<'env>(
    cell: &Cell,
    column: &ArrayRef,
    env: &'env Env,
    row: usize,
) -> napi::Result<Unknown<'env>> {
    match column.is_null(row) {
        true => Null.into_unknown(env),
        false => cell(env, row),
    }
}

fn cells(column: &ArrayRef) -> Result<Cell> {
    let as_type = |to: &DataType| -> Result<ArrayRef> { Ok(cast(column, to)?) };
    Ok(match column.data_type() {
        DataType::Null => Box::new(|env, _| Null.into_unknown(env)),
        DataType::Boolean => {
            let values = column.as_boolean().clone();
            Box::new(move |env, row| values.value(row).into_unknown(env))
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let values = as_type(&DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>().clone();
            Box::new(move |env, row| whole(env, values.value(row)))
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            let values = as_type(&DataType::UInt64)?;
            let values = values.as_primitive::<UInt64Type>().clone();
            Box::new(move |env, row| match i64::try_from(values.value(row)) {
                Ok(small) => whole(env, small),
                Err(_) => BigInt::from(values.value(row)).into_unknown(env),
            })
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let values = as_type(&DataType::Float64)?;
            let values = values.as_primitive::<Float64Type>().clone();
            Box::new(move |env, row| values.value(row).into_unknown(env))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let values = as_type(&DataType::Utf8View)?;
            let values = values.as_string_view().clone();
            Box::new(move |env, row| values.value(row).into_unknown(env))
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => {
            let values = as_type(&DataType::LargeBinary)?;
            let values = values.as_binary::<i64>().clone();
            Box::new(move |env, row| Buffer::from(values.value(row)).into_unknown(env))
        }
        DataType::Timestamp(unit, _) => moments(column, per_second(*unit))?,
        DataType::Date64 => moments(column, 1_000)?,
        DataType::Date32 => days(column)?,
        DataType::Duration(unit) => {
            let per_ms = per_second(*unit) as f64 / 1e3;
            let values = as_type(&DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>().clone();
            Box::new(move |env, row| (values.value(row) as f64 / per_ms).into_unknown(env))
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let values = as_type(&DataType::LargeList(item.clone()))?;
            let values = values.as_list::<i64>().clone();
            Box::new(move |env, row| {
                let items = values.value(row);
                self::values(env, std::iter::once(&items))?.into_unknown(env)
            })
        }
        DataType::Struct(fields) => {
            let names: Vec<String> = fields.iter().map(|f| f.name().clone()).collect();
            let columns = column.as_struct().columns().to_vec();
            let inner = columns.iter().map(cells).collect::<Result<Vec<_>>>()?;
            Box::new(move |env, row| {
                let mut object = Object::new(env)?;
                for ((name, column), cell) in names.iter().zip(&columns).zip(&inner) {
                    object.set(name, read(cell, column, env, row)?)?;
                }
                object.into_unknown(env)
            })
        }
        DataType::Dictionary(_, value) => decoded(as_type(value)?)?,
        DataType::RunEndEncoded(_, value) => decoded(as_type(value.data_type())?)?,
        _ => text(column.clone())?,
    })
}

/// The values of a column that was encoded.
fn decoded(column: ArrayRef) -> Result<Cell> {
    let cell = cells(&column)?;
    Ok(Box::new(move |env, row| read(&cell, &column, env, row)))
}

fn whole(env: &Env, value: i64) -> napi::Result<Unknown<'_>> {
    match (-SAFE..=SAFE).contains(&value) {
        true => (value as f64).into_unknown(env),
        false => BigInt::from(value).into_unknown(env),
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Moments counted from 1970.
fn moments(column: &ArrayRef, per_second: i64) -> Result<Cell> {
    let per_second = i128::from(per_second);
    counted(column, move |value| {
        (i128::from(value) * 1_000).div_euclid(per_second)
    })
}

fn days(column: &ArrayRef) -> Result<Cell> {
    let narrow = cast(column, &DataType::Int32)?;
    let text = text(column.clone())?;
    dates(&cast(&narrow, &DataType::Int64)?, text, |day| {
        i128::from(day) * 86_400_000
    })
}

fn counted(column: &ArrayRef, ms: impl Fn(i64) -> i128 + 'static) -> Result<Cell> {
    let text = text(column.clone())?;
    dates(&cast(column, &DataType::Int64)?, text, ms)
}

fn dates(counts: &ArrayRef, text: Cell, ms: impl Fn(i64) -> i128 + 'static) -> Result<Cell> {
    let counts = counts.as_primitive::<Int64Type>().clone();
    Ok(Box::new(move |env, row| {
        let ms = ms(counts.value(row));
        match (-FAR_MS..=FAR_MS).contains(&ms) {
            true => env.create_date(ms as f64)?.into_unknown(env),
            false => text(env, row),
        }
    }))
}

/// Whatever the type is, as Arrow writes it.
fn text(column: ArrayRef) -> Result<Cell> {
    static OPTIONS: FormatOptions<'static> = FormatOptions::new();
    // Says now what it cannot write.
    ArrayFormatter::try_new(column.as_ref(), &OPTIONS)?;
    Ok(Box::new(move |env, row| {
        let formatter = ArrayFormatter::try_new(column.as_ref(), &OPTIONS);
        let formatter = formatter.map_err(Error::from).or_reject()?;
        formatter.value(row).to_string().into_unknown(env)
    }))
}
