//! `window_funnel` and `window_funnel_events`.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility,
};

use super::arguments::{self, time_type};
use super::events::{Collect, Event, Finish, list, state_fields};
use super::funnel::{Modes, Search};
use super::groups::{CollectGroups, Kept};

pub(super) fn functions() -> Vec<AggregateUDF> {
    [false, true]
        .into_iter()
        .map(|events| {
            AggregateUDF::from(WindowFunnel {
                events,
                signature: Signature::user_defined(Volatility::Immutable),
            })
        })
        .collect()
}

/// `window_funnel(window, [modes,] time, condition, …)`: how many of the conditions are met one after the other.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowFunnel {
    /// Whether the times of the events are given.
    events: bool,
    signature: Signature,
}

impl WindowFunnel {
    /// Returns the place of the times.
    fn time_at(types: &[DataType]) -> usize {
        match types.get(1) {
            Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => 2,
            _ => 1,
        }
    }

    /// Returns the place of the times and what is computed.
    fn rules(&self, args: &AccumulatorArgs<'_>) -> DfResult<(usize, Rules)> {
        let name = self.name();
        let types: Vec<DataType> = args
            .expr_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let time = Self::time_at(&types);
        let modes = match time {
            2 => Modes::parse(&arguments::text(name, args.exprs, 1)?)?,
            _ => Modes::default(),
        };
        let rules = Rules {
            conditions: args.exprs.len() - time - 1,
            window_us: arguments::micros(name, args.exprs, 0)?,
            modes,
            events: self.events,
        };
        Ok((time, rules))
    }
}

impl AggregateUDFImpl for WindowFunnel {
    fn name(&self) -> &str {
        match self.events {
            true => "window_funnel_events",
            false => "window_funnel",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let name = self.name();
        let at = Self::time_at(types);
        let mut coerced = vec![arguments::constant(name, types, 0, true)?];
        if at == 2 {
            coerced.push(DataType::Utf8);
        }
        coerced.push(arguments::time(name, types, at)?);
        coerced.extend(arguments::conditions(name, types, at + 1, 1)?);
        Ok(coerced)
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(match self.events {
            true => DataType::new_list(time_type(), true),
            false => DataType::Int32,
        })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        let (time, finish) = self.rules(&args)?;
        Ok(Box::new(Collect {
            time,
            finish,
            events: Vec::new(),
        }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> DfResult<Box<dyn GroupsAccumulator>> {
        let (time, finish) = self.rules(&args)?;
        Ok(Box::new(CollectGroups {
            time,
            finish,
            result: self.return_type(&[])?,
            kept: Kept::default(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        Ok(state_fields(args.name))
    }
}

#[derive(Debug)]
struct Rules {
    conditions: usize,
    window_us: i64,
    modes: Modes,
    events: bool,
}

impl Finish for Rules {
    fn takes_all(&self) -> bool {
        self.modes.strict_order
    }

    fn finish(&self, events: &[Event]) -> DfResult<ScalarValue> {
        let found = Search {
            conditions: self.conditions,
            window_us: self.window_us,
            modes: self.modes,
            events,
            with_times: self.events,
        }
        .run();
        Ok(match self.events {
            true => {
                let times = TimestampMicrosecondArray::from(found.times).with_timezone("UTC");
                list(Arc::new(times))
            }
            false => ScalarValue::Int32(Some(found.level as i32)),
        })
    }
}
