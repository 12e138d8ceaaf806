//! The condition of a scan, evaluated on batches as they are read.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::and;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;

use super::code::{is_text, to_dictionary};
use super::plan::Slot;
use super::row_value::{evaluate, passing, physical};
use crate::{Error, Result};

/// Conditions that all must be true.
#[derive(Debug, Default)]
pub(super) struct Filter {
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    expr: Arc<dyn PhysicalExpr>,
    columns: Vec<Slot>,
    schema: SchemaRef,
    /// It speaks of one text column alone, so that each text of a dictionary has one answer.
    by_text: bool,
}

/// Answers for the last dictionary of each condition.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<Option<(ArrayRef, BooleanBuffer, bool)>>);

impl Filter {
    /// Prepares a condition over the columns of the table `events`.
    pub(super) fn new(
        filter: &Expr,
        events: &SchemaRef,
        context: &SessionContext,
        mut find: impl FnMut(&str) -> Result<(Slot, DataType)>,
    ) -> Result<Self> {
        let mut conditions = Vec::new();
        for expr in split_conjunction_owned(filter.clone()) {
            let mut names: Vec<String> =
                expr.column_refs().iter().map(|c| c.name.clone()).collect();
            names.sort_unstable();
            names.dedup();
            let mut fields = Vec::new();
            let mut columns = Vec::new();
            for name in &names {
                let (slot, ty) = find(name)?;
                let nullable = events.field_with_name(name).is_ok_and(Field::is_nullable);
                fields.push(Field::new(name, ty, nullable || slot != Slot::Time));
                columns.push(slot);
            }
            let schema = Arc::new(Schema::new(fields));
            let by_text = match schema.fields().iter().as_slice() {
                [field] => is_text(field.data_type()) && !expr.is_volatile(),
                _ => false,
            };
            let named = DFSchema::try_from(Arc::clone(&schema))?;
            let expr = physical(expr, &named, context)?;
            conditions.push(Condition {
                expr,
                columns,
                schema,
                by_text,
            });
        }
        Ok(Filter { conditions })
    }

    /// Returns for each row whether all conditions are true (null is not). `column` gives the values
    /// of a slot.
    pub(super) fn passing(
        &self,
        rows: usize,
        known: &mut Known,
        column: impl Fn(&Slot) -> Result<ArrayRef>,
    ) -> Result<Option<BooleanArray>> {
        known.0.resize(self.conditions.len(), None);
        let mut all: Option<BooleanArray> = None;
        for (condition, known) in self.conditions.iter().zip(&mut known.0) {
            let arrays = condition.columns.iter().map(&column);
            let arrays = arrays.collect::<Result<Vec<_>>>()?;
            let passing = match arrays.as_slice() {
                [array]
                    if condition.by_text
                        && matches!(array.data_type(), DataType::Dictionary(..)) =>
                {
                    condition.by_text(array, known)?
                }
                _ => condition.by_row(&arrays, rows)?,
            };
            all = Some(match all {
                Some(all) => and(&all, &passing)?,
                None => passing,
            });
        }
        Ok(all)
    }
}

impl Condition {
    fn by_row(&self, arrays: &[ArrayRef], rows: usize) -> Result<BooleanArray> {
        let answers = evaluate(&*self.expr, &self.schema, arrays.to_vec(), rows)?;
        Ok(passing(&answers)?.into())
    }

    fn by_text(
        &self,
        array: &ArrayRef,
        known: &mut Option<(ArrayRef, BooleanBuffer, bool)>,
    ) -> Result<BooleanArray> {
        let column = to_dictionary(array)?;
        let encoded = column
            .as_dictionary_opt::<Int32Type>()
            .ok_or_else(|| Error::internal("a dictionary column changed its type"))?;
        let values = encoded.values();
        let same = known
            .as_ref()
            .is_some_and(|(k, ..)| k.to_data().ptr_eq(&values.to_data()));
        if !same {
            let answers = self.by_row(&[Arc::clone(values)], values.len())?;
            let null: ArrayRef = arrow::array::new_null_array(values.data_type(), 1);
            let of_null = self.by_row(&[null], 1)?.value(0);
            *known = Some((Arc::clone(values), answers.values().clone(), of_null));
        }
        let Some((_, answers, of_null)) = known else {
            return Err(Error::internal("the answers of a dictionary were lost"));
        };
        let answer = |key: i32| (key as usize) < answers.len() && answers.value(key as usize);
        let keys = encoded.keys();
        Ok(match keys.nulls() {
            None => BooleanBuffer::collect_bool(keys.len(), |row| answer(keys.value(row))),
            Some(nulls) => {
                BooleanBuffer::collect_bool(keys.len(), |row| match nulls.is_valid(row) {
                    true => answer(keys.value(row)),
                    false => *of_null,
                })
            }
        }
        .into())
    }
}
