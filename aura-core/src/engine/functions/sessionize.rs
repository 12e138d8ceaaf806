//! `sessionize(time, gap) OVER (PARTITION BY actor ORDER BY time)`: the number of the session of each row.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};

use super::arguments;
use crate::Error;

const NAME: &str = "sessionize";

pub(super) fn function() -> WindowUDF {
    WindowUDF::from(Sessionize {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sessionize {
    signature: Signature,
}

impl WindowUDFImpl for Sessionize {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        if types.len() != 2 {
            return Err(Error::invalid_spec(format!(
                "{NAME}: {} arguments; a time and the longest pause are expected",
                types.len()
            ))
            .into());
        }
        Ok(vec![
            arguments::time(NAME, types, 0)?,
            arguments::constant(NAME, types, 1, true)?,
        ])
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs<'_>,
    ) -> DfResult<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Sessions {
            gap_us: arguments::micros(NAME, args.input_exprs(), 1)?,
        }))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> DfResult<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }
}

#[derive(Debug)]
struct Sessions {
    gap_us: i64,
}

impl PartitionEvaluator for Sessions {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> DfResult<ArrayRef> {
        let times = arguments::times(values, 0)?;
        let mut last: Option<i64> = None;
        let mut session = 0_i64;
        let mut sessions = Vec::with_capacity(times.len());
        for time in times {
            let Some(time) = time else {
                sessions.push(None);
                continue;
            };
            match last {
                Some(last) if time < last => {
                    return Err(Error::invalid_spec(format!(
                        "{NAME}: the times do not rise; write OVER (PARTITION BY … ORDER BY …) with the same time"
                    ))
                    .into());
                }
                Some(last) if time.saturating_sub(last) <= self.gap_us => {}
                _ => session += 1,
            }
            last = Some(time);
            sessions.push(Some(session));
        }
        Ok(Arc::new(Int64Array::from(sessions)))
    }
}
