//! The exact percentile. DataFusion's own rounds the place between two neighbours down to a millionth.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

/// The percentile of `Float64` at a share, nulls left out, interpolated linearly.
#[derive(Debug)]
struct Percentile {
    share: f64,
    signature: Signature,
}

/// Makes the aggregate function of one argument.
pub(super) fn percentile(share: f64) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Percentile {
        share,
        signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable),
    }))
}

impl PartialEq for Percentile {
    fn eq(&self, other: &Self) -> bool {
        self.share.to_bits() == other.share.to_bits()
    }
}

impl Eq for Percentile {}

impl Hash for Percentile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.share.to_bits().hash(state);
    }
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        "aura_percentile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Numbers {
            share: self.share,
            numbers: Vec::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        let item = DataType::new_list(DataType::Float64, true);
        let name = format!("{}[numbers]", args.name);
        Ok(vec![Arc::new(Field::new(name, item, true))])
    }
}

#[derive(Debug)]
struct Numbers {
    share: f64,
    numbers: Vec<f64>,
}

impl Accumulator for Numbers {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        if let Some(column) = values
            .first()
            .and_then(|c| c.as_primitive_opt::<Float64Type>())
        {
            self.numbers.extend(column.iter().flatten());
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        Ok(ScalarValue::Float64(at_share(
            &mut self.numbers,
            self.share,
        )))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.numbers.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let numbers: ArrayRef = Arc::new(Float64Array::from(std::mem::take(&mut self.numbers)));
        let list = arrow::array::ListArray::new(
            Arc::new(Field::new_list_field(DataType::Float64, true)),
            arrow::buffer::OffsetBuffer::from_lengths([numbers.len()]),
            numbers,
            None,
        );
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let Some(lists) = states.first().and_then(|c| c.as_list_opt::<i32>()) else {
            return Ok(());
        };
        for list in lists.iter().flatten() {
            self.update_batch(&[list])?;
        }
        Ok(())
    }
}

/// Returns the value at a share of the way from the least to the greatest number, between neighbours by linear
/// interpolation (type 7 of Hyndman and Fan); `None` of no numbers.
pub(crate) fn at_share(numbers: &mut [f64], share: f64) -> Option<f64> {
    let place = numbers.len().checked_sub(1)? as f64 * share;
    let (low, part) = (place.floor() as usize, place.fract());
    let (_, below, above) = numbers.select_nth_unstable_by(low, f64::total_cmp);
    let below = *below;
    if part == 0.0 {
        return Some(below);
    }
    let above = above
        .iter()
        .copied()
        .min_by(f64::total_cmp)
        .unwrap_or(below);
    Some(below + (above - below) * part)
}
