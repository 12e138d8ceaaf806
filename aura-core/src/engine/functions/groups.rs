//! The functions over sequences for many groups at once: one store of events for all of them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, UInt64Array, new_empty_array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Int64Type, UInt64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::arguments::{masks, times};
use super::events::{Event, Finish, lost, sort};
use crate::{Error, ErrorKind};

/// Keeps the events of all groups until the end.
#[derive(Debug)]
pub(super) struct CollectGroups<F> {
    /// The place of the times among the arguments; conditions follow.
    pub(super) time: usize,
    pub(super) finish: F,
    /// The type of the result.
    pub(super) result: DataType,
    pub(super) kept: Kept,
}

/// The events of groups, as they come.
#[derive(Debug, Default)]
pub(super) struct Kept {
    events: Vec<Event>,
    /// The group of each event.
    groups: Vec<u32>,
    /// How many groups there are.
    count: usize,
}

impl Kept {
    fn push(&mut self, group: usize, event: Event) {
        self.events.push(event);
        self.groups.push(group as u32);
    }

    /// Makes room for groups.
    fn fit(&mut self, groups: usize) -> DfResult<()> {
        if groups > u32::MAX as usize {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!("{groups} groups; at most {} are possible", u32::MAX),
            )
            .into());
        }
        self.count = self.count.max(groups);
        Ok(())
    }

    /// Takes out the first groups: their events one group after the other, and where each group begins and the last one ends.
    fn take(&mut self, emit_to: EmitTo) -> (Vec<Event>, Vec<usize>) {
        let all = std::mem::take(self);
        let taken = match emit_to {
            EmitTo::All => all.count,
            EmitTo::First(n) => n.min(all.count),
        };
        self.count = all.count - taken;
        let mut bounds = vec![0_usize; taken + 1];
        for group in &all.groups {
            if let Some(bound) = bounds.get_mut(*group as usize + 1) {
                *bound += 1;
            }
        }
        let mut sum = 0;
        for bound in &mut bounds {
            sum += *bound;
            *bound = sum;
        }
        let nothing = Event { time: 0, mask: 0 };
        let mut sorted = vec![nothing; sum];
        let mut next = bounds.clone();
        for (event, group) in all.events.into_iter().zip(all.groups) {
            match next
                .get_mut(group as usize)
                .filter(|_| (group as usize) < taken)
            {
                Some(place) => {
                    if let Some(slot) = sorted.get_mut(*place) {
                        *slot = event;
                    }
                    *place += 1;
                }
                None => self.push(group as usize - taken, event),
            }
        }
        (sorted, bounds)
    }

    fn size(&self) -> usize {
        self.events.capacity() * size_of::<Event>() + self.groups.capacity() * size_of::<u32>()
    }
}

/// Makes the state of groups: the times and the conditions of each as lists.
fn state(events: &[Event], bounds: &[usize]) -> DfResult<Vec<ArrayRef>> {
    let mut offsets = Vec::with_capacity(bounds.len());
    for bound in bounds {
        let offset = i32::try_from(*bound).map_err(|_| {
            Error::new(
                ErrorKind::ResourceExhausted,
                "the events of the groups at hand are more than a list can hold; take fewer threads, or filter",
            )
        })?;
        offsets.push(offset);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let list = |values: ArrayRef| -> DfResult<ArrayRef> {
        let field = Field::new_list_field(values.data_type().clone(), true);
        let list = ListArray::try_new(Arc::new(field), offsets.clone(), values, None)?;
        Ok(Arc::new(list))
    };
    let times = Int64Array::from_iter_values(events.iter().map(|e| e.time));
    let masks = UInt64Array::from_iter_values(events.iter().map(|e| e.mask));
    Ok(vec![list(Arc::new(times))?, list(Arc::new(masks))?])
}

impl<F: Finish> CollectGroups<F> {
    /// Passes over the events of rows that matter, with the number of the row.
    fn each(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
        mut work: impl FnMut(usize, Event),
    ) -> DfResult<()> {
        let times = times(values, self.time)?;
        let masks = masks(values, self.time + 1, times.len())?;
        let all = self.finish.takes_all();
        for (row, (time, mask)) in times.iter().zip(masks).enumerate() {
            let passes = filter.is_none_or(|f| f.is_valid(row) && f.value(row));
            if let Some(time) = time
                && passes
                && (all || mask != 0)
            {
                work(row, Event { time, mask });
            }
        }
        Ok(())
    }
}

impl<F: Finish> GroupsAccumulator for CollectGroups<F> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DfResult<()> {
        let mut kept = std::mem::take(&mut self.kept);
        kept.fit(total_num_groups)?;
        self.each(values, opt_filter, |row, event| {
            if let Some(group) = group_indices.get(row) {
                kept.push(*group, event);
            }
        })?;
        self.kept = kept;
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        let (mut events, bounds) = self.kept.take(emit_to);
        let mut results = Vec::with_capacity(bounds.len());
        for pair in bounds.windows(2) {
            if let [from, to] = pair
                && let Some(events) = events.get_mut(*from..*to)
            {
                sort(events);
                results.push(self.finish.finish(events)?);
            }
        }
        match results.is_empty() {
            true => Ok(new_empty_array(&self.result)),
            false => ScalarValue::iter_to_array(results),
        }
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let (events, bounds) = self.kept.take(emit_to);
        state(&events, &bounds)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> DfResult<()> {
        self.kept.fit(total_num_groups)?;
        let lists = |at: usize| values.get(at).and_then(|c| c.as_list_opt::<i32>());
        let (times, masks) = lists(0).zip(lists(1)).ok_or_else(lost)?;
        let all_times = times.values().as_primitive_opt::<Int64Type>();
        let all_masks = masks.values().as_primitive_opt::<UInt64Type>();
        let (all_times, all_masks) = all_times.zip(all_masks).ok_or_else(lost)?;
        for (row, group) in group_indices.iter().enumerate() {
            let range = |list: &ListArray| {
                let bounds = list
                    .value_offsets()
                    .get(row)
                    .zip(list.value_offsets().get(row + 1));
                bounds.map_or(0..0, |(from, to)| *from as usize..*to as usize)
            };
            let times = all_times.values().get(range(times)).unwrap_or_default();
            let masks = all_masks.values().get(range(masks)).unwrap_or_default();
            for (time, mask) in times.iter().zip(masks) {
                self.kept.push(
                    *group,
                    Event {
                        time: *time,
                        mask: *mask,
                    },
                );
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        let rows = values.get(self.time).map_or(0, |column| column.len());
        let mut events = Vec::with_capacity(rows);
        let mut bounds = vec![0];
        self.each(values, opt_filter, |row, event| {
            bounds.resize(row + 1, events.len());
            events.push(event);
        })?;
        bounds.resize(rows + 1, events.len());
        state(&events, &bounds)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.size()
    }
}
