//! What the functions over sequences keep of a group: its events, each a time and the conditions that it meets.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::arguments::{masks, times};
use crate::Error;

/// An event of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) time: i64,
    /// Bit i: condition i is met.
    pub(crate) mask: u64,
}

/// Puts events in order: by time, then by the first condition they meet (those that meet none come first), then by the
/// number whose bits are the conditions.
pub(super) fn sort(events: &mut [Event]) {
    let key = |e: &Event| (e.time, e.mask.trailing_zeros().wrapping_add(1) % 65, e.mask);
    events.sort_unstable_by_key(key);
}

/// From the events of a group, in order, to the result.
pub(super) trait Finish: Debug + Send + Sync + 'static {
    /// Whether events that meet no condition matter.
    fn takes_all(&self) -> bool;

    fn finish(&self, events: &[Event]) -> DfResult<ScalarValue>;
}

/// Keeps the events of a group until the end.
#[derive(Debug)]
pub(super) struct Collect<F> {
    /// The place of the times among the arguments; conditions follow.
    pub(super) time: usize,
    pub(super) finish: F,
    pub(super) events: Vec<Event>,
}

/// The fields of the state of [`Collect`].
pub(super) fn state_fields(name: &str) -> Vec<FieldRef> {
    let list = |part: &str, item: DataType| {
        let list = DataType::new_list(item, true);
        Arc::new(Field::new(format!("{name}[{part}]"), list, true))
    };
    vec![
        list("times", DataType::Int64),
        list("conditions", DataType::UInt64),
    ]
}

/// Makes a list of one state.
pub(super) fn list(values: ArrayRef) -> ScalarValue {
    ScalarValue::List(Arc::new(ListArray::new(
        Arc::new(Field::new_list_field(values.data_type().clone(), true)),
        OffsetBuffer::from_lengths([values.len()]),
        values,
        None,
    )))
}

pub(super) fn lost() -> Error {
    Error::internal("the state of another function was given")
}

impl<F: Finish> Accumulator for Collect<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let times = times(values, self.time)?;
        let masks = masks(values, self.time + 1, times.len())?;
        let all = self.finish.takes_all();
        let events = times.iter().zip(masks);
        let events = events.filter_map(|(time, mask)| Some(Event { time: time?, mask }));
        self.events.extend(events.filter(|e| all || e.mask != 0));
        Ok(())
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        sort(&mut self.events);
        self.finish.finish(&self.events)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.events.capacity() * size_of::<Event>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let events = std::mem::take(&mut self.events);
        let times: Int64Array = events.iter().map(|e| Some(e.time)).collect();
        let masks: UInt64Array = events.iter().map(|e| Some(e.mask)).collect();
        Ok(vec![list(Arc::new(times)), list(Arc::new(masks))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let lists = |at: usize| states.get(at).and_then(|c| c.as_list_opt::<i32>());
        let (times, masks) = lists(0).zip(lists(1)).ok_or_else(lost)?;
        for (times, masks) in times.iter().zip(masks.iter()) {
            let (Some(times), Some(masks)) = (times, masks) else {
                continue;
            };
            let times = times.as_primitive_opt::<Int64Type>().ok_or_else(lost)?;
            let masks = masks.as_primitive_opt::<UInt64Type>().ok_or_else(lost)?;
            let pairs = times.values().iter().zip(masks.values());
            self.events.extend(pairs.map(|(time, mask)| Event {
                time: *time,
                mask: *mask,
            }));
        }
        Ok(())
    }
}
