//! The functions of the engine that find the positions of moments.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, TimestampMicrosecondType};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::Error;
use crate::calendar::Bucketer;

use super::spine::Windows;

/// How moments become positions.
#[derive(Debug)]
pub(crate) enum Finder {
    /// The number of the period of a calendar.
    Bucketer(Bucketer),
    /// The one position whose window holds the moment.
    One(Windows),
    /// All positions whose windows hold it.
    All(Windows),
}

/// A function from a moment to `Int32`, null where there is no position; [`Finder::All`] gives a list of them.
#[derive(Debug)]
struct PeriodOf {
    finder: Arc<Finder>,
    signature: Signature,
}

/// Returns the position of the moment `time`.
pub(crate) fn period_of(finder: Finder, time: Expr) -> Expr {
    let function = PeriodOf {
        finder: Arc::new(finder),
        signature: Signature::any(1, Volatility::Immutable),
    };
    ScalarUDF::from(function).call(vec![time])
}

impl PartialEq for PeriodOf {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.finder, &other.finder)
    }
}

impl Eq for PeriodOf {}

impl Hash for PeriodOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.finder).hash(state);
    }
}

impl PeriodOf {
    fn find(&self, times: &[i64], nulls: Option<&NullBuffer>) -> ArrayRef {
        let valid = |row: usize| nulls.is_none_or(|n| n.is_valid(row));
        match &*self.finder {
            Finder::Bucketer(bucketer) => {
                let found = bucketer.index_of(times);
                let found = found.iter().enumerate();
                Arc::new(
                    found
                        .map(|(row, p)| (*p >= 0 && valid(row)).then_some(*p))
                        .collect::<Int32Array>(),
                )
            }
            Finder::One(windows) => {
                let found = times.iter().enumerate().map(|(row, us)| {
                    let first = windows.positions(*us).next();
                    first.filter(|_| valid(row)).map(|p| p as i32)
                });
                Arc::new(found.collect::<Int32Array>())
            }
            Finder::All(windows) => {
                let mut values: Vec<i32> = Vec::new();
                let mut lengths = Vec::with_capacity(times.len());
                for (row, us) in times.iter().enumerate() {
                    let found = match valid(row) {
                        true => windows.positions(*us),
                        false => 0..0,
                    };
                    lengths.push(found.len());
                    values.extend(found.map(|p| p as i32));
                }
                Arc::new(ListArray::new(
                    Arc::new(Field::new_list_field(DataType::Int32, true)),
                    OffsetBuffer::from_lengths(lengths),
                    Arc::new(Int32Array::from(values)),
                    None,
                ))
            }
        }
    }
}

impl ScalarUDFImpl for PeriodOf {
    fn name(&self) -> &str {
        match *self.finder {
            Finder::All(_) => "aura_periods",
            Finder::Bucketer(_) | Finder::One(_) => "aura_period",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(match *self.finder {
            Finder::All(_) => DataType::new_list(DataType::Int32, true),
            Finder::Bucketer(_) | Finder::One(_) => DataType::Int32,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let times = arrays
            .first()
            .and_then(|a| a.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| {
                Error::internal("the position of a moment is asked of a column of another type")
            })?;
        Ok(ColumnarValue::Array(
            self.find(times.values(), times.nulls()),
        ))
    }
}
