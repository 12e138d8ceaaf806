//! The columns of a result.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    RecordBatchOptions, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};

use super::groups::{Breakdown, Groups};
use crate::engine::Table;
use crate::{Error, Result};

/// The columns of a result, in their order.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
    rows: usize,
}

impl Columns {
    /// Begins with the columns of a breakdown; `ids` has the group of each row.
    pub(crate) fn new(breakdown: &Breakdown, groups: &Groups, ids: &[u32]) -> Result<Columns> {
        Ok(Columns {
            fields: breakdown.fields().collect(),
            arrays: groups.columns(ids)?,
            rows: ids.len(),
        })
    }

    pub(crate) fn push_array(&mut self, field: Field, array: ArrayRef) {
        self.rows = array.len();
        self.fields.push(field);
        self.arrays.push(array);
    }

    pub(crate) fn push_nullable(
        &mut self,
        name: &str,
        array: impl Array + 'static,
        nullable: bool,
    ) {
        let array: ArrayRef = Arc::new(array);
        let field = Field::new(name, array.data_type().clone(), nullable);
        self.push_array(field, array);
    }

    /// Adds counts.
    pub(crate) fn counts(&mut self, name: &str, values: impl IntoIterator<Item = u64>) {
        let values = values.into_iter().map(|n| n as i64);
        self.push_nullable(name, Int64Array::from_iter_values(values), false);
    }

    /// Adds small numbers, such as those of windows.
    pub(crate) fn numbers(&mut self, name: &str, values: impl IntoIterator<Item = u32>) {
        let values = values.into_iter().map(|n| n.min(i32::MAX as u32) as i32);
        self.push_nullable(name, Int32Array::from_iter_values(values), false);
    }

    pub(crate) fn floats(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = Option<f64>>,
        nullable: bool,
    ) {
        let values: Float64Array = values.into_iter().collect();
        self.push_nullable(name, values, nullable);
    }

    pub(crate) fn flags(&mut self, name: &str, values: impl IntoIterator<Item = bool>) {
        let values: Vec<bool> = values.into_iter().collect();
        self.push_nullable(name, BooleanArray::from(values), false);
    }

    pub(crate) fn times(&mut self, name: &str, values: impl IntoIterator<Item = i64>) {
        let values = TimestampMicrosecondArray::from_iter_values(values);
        self.push_nullable(name, values.with_timezone("UTC"), false);
    }

    pub(crate) fn texts<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        let values = StringArray::from_iter_values(values);
        self.push_nullable(name, values, false);
    }

    /// Makes the table.
    ///
    /// # Errors
    /// `InvalidSpec` when a column of the breakdown has the name of another column.
    pub(crate) fn table(self, notes: Vec<String>) -> Result<Table> {
        for (i, field) in self.fields.iter().enumerate() {
            if self.fields.iter().take(i).any(|f| f.name() == field.name()) {
                return Err(Error::invalid_spec(format!(
                    "by: the result has a column `{}` of its own; give the column another name",
                    field.name()
                )));
            }
        }
        let schema = Arc::new(Schema::new(self.fields));
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), self.arrays, &options)?;
        Ok(Table::new(schema, vec![batch]).with_notes(notes))
    }
}
