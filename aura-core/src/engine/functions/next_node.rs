//! `sequence_next_node`: which event comes after (or before) a series of events.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use super::arguments;
use super::events::{list, lost};
use crate::{Error, Result};

const NAME: &str = "sequence_next_node";

pub(super) fn function() -> AggregateUDF {
    AggregateUDF::from(NextNode {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

/// `sequence_next_node(direction, base, time, event, base_condition, condition, …)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NextNode {
    signature: Signature,
}

/// Where the series begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// At the first event of the group.
    Head,
    /// At the last one.
    Tail,
    /// At the first event that meets the base condition and the first condition.
    FirstMatch,
    /// At the last such event.
    LastMatch,
}

/// The rule of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) forward: bool,
    pub(super) base: Base,
    pub(super) conditions: usize,
}

/// An event of a group, in the order in which they are taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) time: i64,
    pub(super) event: String,
    pub(super) is_base: bool,
    pub(super) mask: u64,
}

impl AggregateUDFImpl for NextNode {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let mut coerced = vec![
            arguments::constant(NAME, types, 0, false)?,
            arguments::constant(NAME, types, 1, false)?,
            arguments::time(NAME, types, 2)?,
            DataType::Utf8,
        ];
        let base = types.get(4).map(std::slice::from_ref).unwrap_or_default();
        coerced.extend(arguments::conditions(NAME, base, 0, 1)?);
        coerced.extend(arguments::conditions(NAME, types, 5, 0)?);
        Ok(coerced)
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        let direction = arguments::text(NAME, args.exprs, 0)?;
        let base = arguments::text(NAME, args.exprs, 1)?;
        Ok(Box::new(Nodes {
            rule: rule(&direction, &base, args.exprs.len().saturating_sub(5))?,
            nodes: Vec::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        let list = |part: &str, item: DataType| {
            let name = format!("{}[{part}]", args.name);
            Arc::new(Field::new(name, DataType::new_list(item, true), true))
        };
        Ok(vec![
            list("times", DataType::Int64),
            list("events", DataType::Utf8),
            list("bases", DataType::Boolean),
            list("conditions", DataType::UInt64),
        ])
    }
}

fn rule(direction: &str, base: &str, conditions: usize) -> Result<Rule> {
    let forward = match direction {
        "forward" => true,
        "backward" => false,
        other => {
            return Err(Error::invalid_spec(format!(
                "{NAME}: the direction is `{other}`; forward or backward is expected"
            )));
        }
    };
    let base = match (base, forward) {
        ("head", true) => Base::Head,
        ("tail", false) => Base::Tail,
        ("first_match", _) => Base::FirstMatch,
        ("last_match", _) => Base::LastMatch,
        (other, _) => {
            return Err(Error::invalid_spec(format!(
                "{NAME}: the base is `{other}`; head (forward only), tail (backward only), first_match or last_match is expected"
            )));
        }
    };
    if conditions == 0 && matches!(base, Base::FirstMatch | Base::LastMatch) {
        return Err(Error::invalid_spec(format!(
            "{NAME}: a match takes at least one condition after the base condition"
        )));
    }
    Ok(Rule {
        forward,
        base,
        conditions,
    })
}

impl Rule {
    /// Returns the event after the series, of nodes in their order.
    pub(super) fn next<'a>(&self, nodes: &'a [Node]) -> Option<&'a str> {
        let matched = |node: &Node| node.is_base && node.mask & 1 == 1;
        let base = match self.base {
            Base::Head => nodes.first().filter(|n| n.is_base).map(|_| 0),
            Base::Tail => nodes.last().filter(|n| n.is_base).map(|_| nodes.len() - 1),
            Base::FirstMatch => nodes.iter().position(matched),
            Base::LastMatch => nodes.iter().rposition(matched),
        }?;
        let at = |steps: usize| match self.forward {
            true => base.checked_add(steps),
            false => base.checked_sub(steps),
        };
        for condition in 0..self.conditions {
            let node = nodes.get(at(condition)?)?;
            if node.mask >> condition & 1 == 0 {
                return None;
            }
        }
        Some(nodes.get(at(self.conditions)?)?.event.as_str())
    }
}

#[derive(Debug)]
struct Nodes {
    rule: Rule,
    nodes: Vec<Node>,
}

impl Accumulator for Nodes {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let times = arguments::times(values, 2)?;
        let events = values.get(3).and_then(|c| c.as_string_opt::<i32>());
        let events = events.ok_or_else(lost)?;
        let bases = values.get(4).map(std::slice::from_ref).unwrap_or_default();
        let bases = arguments::masks(bases, 0, times.len())?;
        let masks = arguments::masks(values, 5, times.len())?;
        let columns = times
            .iter()
            .zip(events.iter())
            .zip(bases.into_iter().zip(masks));
        for ((time, event), (base, mask)) in columns {
            if let (Some(time), Some(event)) = (time, event) {
                self.nodes.push(Node {
                    time,
                    event: event.to_owned(),
                    is_base: base == 1,
                    mask,
                });
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        self.nodes.sort_unstable();
        let next = self.rule.next(&self.nodes);
        Ok(ScalarValue::Utf8(next.map(str::to_owned)))
    }

    fn size(&self) -> usize {
        let texts: usize = self.nodes.iter().map(|n| n.event.capacity()).sum();
        size_of_val(self) + self.nodes.capacity() * size_of::<Node>() + texts
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let nodes = std::mem::take(&mut self.nodes);
        let times: Int64Array = nodes.iter().map(|n| Some(n.time)).collect();
        let events: StringArray = nodes.iter().map(|n| Some(n.event.as_str())).collect();
        let bases: BooleanArray = nodes.iter().map(|n| Some(n.is_base)).collect();
        let masks: UInt64Array = nodes.iter().map(|n| Some(n.mask)).collect();
        Ok(vec![
            list(Arc::new(times)),
            list(Arc::new(events)),
            list(Arc::new(bases)),
            list(Arc::new(masks)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let rows = states.first().map_or(0, |c| c.len());
        for row in 0..rows {
            let part = |at: usize| -> DfResult<ArrayRef> {
                let lists = states.get(at).and_then(|c| c.as_list_opt::<i32>());
                Ok(lists.ok_or_else(lost)?.value(row))
            };
            let (times, events, bases, masks) = (part(0)?, part(1)?, part(2)?, part(3)?);
            let times = times.as_primitive_opt::<Int64Type>().ok_or_else(lost)?;
            let events = events.as_string_opt::<i32>().ok_or_else(lost)?;
            let bases = bases.as_boolean_opt().ok_or_else(lost)?;
            let masks = masks.as_primitive_opt::<UInt64Type>().ok_or_else(lost)?;
            let columns = times.values().iter().zip(events.iter());
            for ((time, event), (base, mask)) in columns.zip(bases.iter().zip(masks.values())) {
                self.nodes.push(Node {
                    time: *time,
                    event: event.unwrap_or_default().to_owned(),
                    is_base: base.unwrap_or_default(),
                    mask: *mask,
                });
            }
        }
        Ok(())
    }
}
