//! Columns of numbers.

use arrow::array::{Array, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::making::Making;
use crate::engine::ordered::{ActorBlock, Column};
use crate::{Error, Result};

impl Making<'_> {
    /// Asks for a column of numbers; `field` is where it stands in the spec.
    ///
    /// # Errors
    /// As [`column`](Making::column), and for a column of another type.
    pub(crate) fn number(&mut self, field: &str, name: &str) -> Result<Number> {
        let place = self.column(field, name)?;
        let data_type = match self.source.events.field_with_name(name) {
            Ok(field) => field.data_type().clone(),
            Err(_) => DataType::Null,
        };
        Number::new(name, place, &data_type)
            .map_err(|e| Error::invalid_spec(format!("{field}: {}", e.message())))
    }
}

/// A column of numbers, read as `Float64`.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    place: usize,
}

/// Its values in a block.
pub(crate) struct Numbers(Float64Array);

impl Number {
    fn new(name: &str, place: usize, data_type: &DataType) -> Result<Number> {
        if data_type.is_numeric() || *data_type == DataType::Null {
            return Ok(Number { place });
        }
        Err(Error::invalid_spec(format!(
            "the column `{name}` has the type {data_type}; numbers are expected"
        )))
    }

    pub(crate) fn of(&self, block: &ActorBlock) -> Result<Numbers> {
        let column = block.columns.get(self.place).and_then(Column::values);
        let lost = || Error::internal("a column of numbers is none in the scan");
        let floats = cast(column.ok_or_else(lost)?, &DataType::Float64)?;
        Ok(Numbers(floats.as_primitive::<Float64Type>().clone()))
    }
}

impl Numbers {
    /// Returns the value of a row; `None` is null.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<f64> {
        (row < self.0.len() && self.0.is_valid(row)).then(|| self.0.value(row))
    }
}
