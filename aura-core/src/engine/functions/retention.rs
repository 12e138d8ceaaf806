//! `retention(condition, …)`: which conditions a group meets, given that it meets the first.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
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

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        let name = format!("{}[met]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::UInt64, true))])
    }
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
        let begun = self.met & 1 == 1;
        let met = (0..self.conditions).map(|i| i32::from(begun && self.met >> i & 1 == 1));
        Ok(list(Arc::new(
            met.collect::<Vec<_>>()
                .into_iter()
                .map(Some)
                .collect::<Int32Array>(),
        )))
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
