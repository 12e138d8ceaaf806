//! `retention(condition, …)`: which conditions a group meets, given that it meets the first.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::arguments;
use super::events::{list, lost};

pub(super) fn function() -> AggregateUDF {
    AggregateUDF::from(Retention {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Retention {
    signature: Signature,
}

impl AggregateUDFImpl for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        Ok(arguments::conditions(self.name(), types, 0, 1)?)
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::new_list(DataType::Int32, true))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Met {
            conditions: args.exprs.len(),
            met: 0,
        }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(MetByGroup {
            conditions: args.exprs.len(),
            met: Vec::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        let name = format!("{}[met]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::UInt64, true))])
    }
}

/// For each condition 1 if it is met, and the first one is, and otherwise 0.
fn numbers(met: u64, conditions: usize) -> impl Iterator<Item = i32> {
    (0..conditions).map(move |i| i32::from(met & 1 == 1 && met >> i & 1 == 1))
}

#[derive(Debug)]
struct Met {
    conditions: usize,
    /// Bit i: condition i was met.
    met: u64,
}

impl Accumulator for Met {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let rows = values.first().map_or(0, |c| c.len());
        let masks = arguments::masks(values, 0, rows)?;
        self.met |= masks.into_iter().fold(0, |all, mask| all | mask);
        Ok(())
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let met = numbers(self.met, self.conditions);
        Ok(list(Arc::new(Int32Array::from_iter_values(met))))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::UInt64(Some(self.met))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let states = states.first();
        let states = states.and_then(|c| c.as_primitive_opt::<UInt64Type>());
        let states = states.ok_or_else(lost)?.iter().flatten();
        self.met |= states.fold(0, |all, met| all | met);
        Ok(())
    }
}

/// What many groups met.
#[derive(Debug)]
struct MetByGroup {
    conditions: usize,
    /// Of each group; bit i: condition i was met.
    met: Vec<u64>,
}

impl MetByGroup {
    fn add(&mut self, group: usize, met: u64) {
        if let Some(known) = self.met.get_mut(group) {
            *known |= met;
        }
    }
}

impl GroupsAccumulator for MetByGroup {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DfResult<()> {
        self.met.resize(total_num_groups, 0);
        let masks = arguments::masks(values, 0, group_indices.len())?;
        for (row, (group, mask)) in group_indices.iter().zip(masks).enumerate() {
            if opt_filter.is_none_or(|f| f.is_valid(row) && f.value(row)) {
                self.add(*group, mask);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        let met = emit_to.take_needed(&mut self.met);
        let values = met.iter().flat_map(|met| numbers(*met, self.conditions));
        let field = Field::new_list_field(DataType::Int32, true);
        Ok(Arc::new(ListArray::try_new(
            Arc::new(field),
            OffsetBuffer::from_repeated_length(self.conditions, met.len()),
            Arc::new(Int32Array::from_iter_values(values)),
            None,
        )?))
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let met = emit_to.take_needed(&mut self.met);
        Ok(vec![Arc::new(UInt64Array::from(met))])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> DfResult<()> {
        self.met.resize(total_num_groups, 0);
        let states = values.first();
        let states = states.and_then(|c| c.as_primitive_opt::<UInt64Type>());
        for (group, met) in group_indices.iter().zip(states.ok_or_else(lost)?) {
            self.add(*group, met.unwrap_or(0));
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |column| column.len());
        let mut masks = arguments::masks(values, 0, rows)?;
        if let Some(filter) = opt_filter {
            for (row, mask) in masks.iter_mut().enumerate() {
                *mask *= u64::from(filter.is_valid(row) && filter.value(row));
            }
        }
        Ok(vec![Arc::new(UInt64Array::from(masks))])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.met.capacity() * size_of::<u64>()
    }
}
