//! `sequence_match`, `sequence_count` and `sequence_match_events`.

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
use super::groups::{CollectGroups, Kept};
use super::matching::{count, longest, matches};
use super::pattern::{Item, parse};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Match,
    Count,
    Events,
}

pub(super) fn functions() -> Vec<AggregateUDF> {
    [Kind::Match, Kind::Count, Kind::Events]
        .into_iter()
        .map(|kind| {
            AggregateUDF::from(Sequence {
                kind,
                signature: Signature::user_defined(Volatility::Immutable),
            })
        })
        .collect()
}

/// `sequence_match(pattern, time, condition, …)` and its like.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sequence {
    kind: Kind,
    signature: Signature,
}

impl Sequence {
    fn matching(&self, args: &AccumulatorArgs<'_>) -> DfResult<Matching> {
        let name = self.name();
        let text = arguments::text(name, args.exprs, 0)?;
        Ok(Matching {
            kind: self.kind,
            pattern: parse(name, &text, args.exprs.len() - 2)?,
        })
    }
}

impl AggregateUDFImpl for Sequence {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Match => "sequence_match",
            Kind::Count => "sequence_count",
            Kind::Events => "sequence_match_events",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let name = self.name();
        let mut coerced = vec![
            arguments::constant(name, types, 0, false)?,
            arguments::time(name, types, 1)?,
        ];
        coerced.extend(arguments::conditions(name, types, 2, 1)?);
        Ok(coerced)
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(match self.kind {
            Kind::Match => DataType::Boolean,
            Kind::Count => DataType::Int64,
            Kind::Events => DataType::new_list(time_type(), true),
        })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Collect {
            time: 1,
            finish: self.matching(&args)?,
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
        Ok(Box::new(CollectGroups {
            time: 1,
            finish: self.matching(&args)?,
            result: self.return_type(&[])?,
            kept: Kept::default(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        Ok(state_fields(args.name))
    }
}

#[derive(Debug)]
struct Matching {
    kind: Kind,
    pattern: Vec<Item>,
}

impl Finish for Matching {
    fn takes_all(&self) -> bool {
        false
    }

    fn finish(&self, events: &[Event]) -> DfResult<ScalarValue> {
        Ok(match self.kind {
            Kind::Match => ScalarValue::Boolean(Some(matches(&self.pattern, events))),
            Kind::Count => ScalarValue::Int64(Some(count(&self.pattern, events) as i64)),
            Kind::Events => {
                let times = longest(&self.pattern, events);
                list(Arc::new(
                    TimestampMicrosecondArray::from(times).with_timezone("UTC"),
                ))
            }
        })
    }
}
