//! Reading the columns of a result.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::Result;
use crate::engine::Table;

/// All rows of a table as one batch.
pub(crate) struct Rows {
    batch: RecordBatch,
}

impl Rows {
    pub(crate) fn of(table: &Table) -> Result<Rows> {
        Ok(Rows {
            batch: table.to_batch()?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    /// The columns with their names, in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&str, &ArrayRef)> {
        let names = self
            .batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().as_str());
        names
            .zip(self.batch.columns())
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// A column of numbers; nulls for one that is not there, and for values that are no number.
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>> {
        match self.batch.column_by_name(name) {
            Some(column) => numbers(column),
            None => Ok(vec![None; self.len()]),
        }
    }

    /// A column as whole numbers from 0; 0 where there is none.
    pub(crate) fn counts(&self, name: &str) -> Result<Vec<u64>> {
        let count = |value: Option<f64>| value.filter(|v| *v > 0.0).map_or(0, |v| v as u64);
        Ok(self.numbers(name)?.into_iter().map(count).collect())
    }

    /// A column as text; `None` for null, and for one that is not there.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<Option<String>>> {
        match self.batch.column_by_name(name) {
            Some(column) => texts(column),
            None => Ok(vec![None; self.len()]),
        }
    }

    /// A column of truth values; `absent` for null, and for one that is not there.
    pub(crate) fn flags(&self, name: &str, absent: bool) -> Vec<bool> {
        let column = self
            .batch
            .column_by_name(name)
            .and_then(|c| c.as_boolean_opt());
        (0..self.len())
            .map(|at| match column {
                Some(column) if column.is_valid(at) => column.value(at),
                _ => absent,
            })
            .collect()
    }
}

/// A column as numbers.
pub(crate) fn numbers(column: &ArrayRef) -> Result<Vec<Option<f64>>> {
    let column = arrow::compute::cast(column, &DataType::Float64)?;
    Ok(column.as_primitive::<Float64Type>().iter().collect())
}

/// A column as text; moments as `2026-03-01T00:00:00Z`.
pub(crate) fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>> {
    let column = match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => column.clone(),
        DataType::Timestamp(_, zone) if whole_seconds(column)? => {
            let seconds = DataType::Timestamp(TimeUnit::Second, zone.clone());
            arrow::compute::cast(column, &seconds)?
        }
        _ => column.clone(),
    };
    let options = FormatOptions::default();
    let format = ArrayFormatter::try_new(column.as_ref(), &options)?;
    (0..column.len())
        .map(|at| match column.is_valid(at) {
            true => Ok(Some(format.value(at).try_to_string()?)),
            false => Ok(None),
        })
        .collect()
}

/// Tells whether all moments are whole seconds.
fn whole_seconds(column: &ArrayRef) -> Result<bool> {
    let units = match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000_000,
        _ => 1_000_000_000,
    };
    let numbers = arrow::compute::cast(column, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<arrow::datatypes::Int64Type>();
    Ok(numbers.iter().flatten().all(|n| n % units == 0))
}
