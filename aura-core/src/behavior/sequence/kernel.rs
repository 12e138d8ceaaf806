//! Patterns over the actors of a scan.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use crate::Result;
use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::pass::{Kernel, Marked};
use crate::behavior::shares::{share, wilson};
use crate::engine::Table;
use crate::engine::functions::{Event, Item, able, first_match};
use crate::expr::at_share;

/// The columns of every result.
pub(super) const COLUMNS: [&str; 8] = [
    "actors",
    "matched",
    "share",
    "share_low",
    "share_high",
    "matches",
    "median_seconds",
    "p95_seconds",
];

/// A share of fewer than this many is called a share of few.
const FEW: u64 = 30;

/// A pattern, prepared.
pub(super) struct SequenceKernel {
    pattern: Vec<Item>,
    /// The bit of each condition in the words of the pass.
    bits: Vec<u64>,
    any: u64,
    /// The conditions without which the pattern fits nowhere.
    needed: u64,
    range: Range<i64>,
    by: Breakdown,
}

/// What a thread keeps.
pub(super) struct State {
    groups: Groups,
    cells: Vec<Cell>,
    /// The events of the actor at hand and their rows, in order.
    rows: Vec<(Event, usize)>,
    events: Vec<Event>,
}

/// What is counted in a group.
#[derive(Debug, Clone, Default)]
struct Cell {
    actors: u64,
    matched: u64,
    /// The microseconds that each match takes.
    times: Vec<i64>,
}

impl SequenceKernel {
    pub(super) fn new(
        pattern: Vec<Item>,
        bits: Vec<u64>,
        range: Range<i64>,
        by: Breakdown,
    ) -> Self {
        let named = pattern.iter().filter_map(|item| bits.get(item.condition?));
        SequenceKernel {
            any: bits.iter().fold(0, |all, bit| all | bit),
            needed: named.fold(0, |all, bit| all | bit),
            pattern,
            bits,
            range,
            by,
        }
    }

    fn gather(&self, state: &mut State, marked: Marked<'_>, rows: Range<usize>) -> u64 {
        state.rows.clear();
        let mut met = 0;
        let mut ties = false;
        let times = marked.block.times.get(rows.clone()).unwrap_or_default();
        let masks = marked.masks.get(rows.clone()).unwrap_or_default();
        for ((&time, &mask), row) in times.iter().zip(masks).zip(rows) {
            if mask & self.any == 0 || !self.range.contains(&time) {
                continue;
            }
            met |= mask;
            let bits = self.bits.iter().enumerate();
            let conditions = bits.fold(0, |all, (i, bit)| all | u64::from(mask & bit != 0) << i);
            ties |= state.rows.last().is_some_and(|(e, _)| e.time == time);
            let event = Event {
                time,
                mask: conditions,
            };
            state.rows.push((event, row));
        }
        if ties {
            let groups = &state.groups;
            for tie in state.rows.chunk_by_mut(|(a, _), (b, _)| a.time == b.time) {
                tie.sort_unstable_by(|(a, a_row), (b, b_row)| {
                    let first = a.mask.trailing_zeros().cmp(&b.mask.trailing_zeros());
                    first
                        .then(a.mask.cmp(&b.mask))
                        .then_with(|| groups.compare_rows(*a_row, *b_row))
                });
            }
        }
        met
    }
}

impl Kernel for SequenceKernel {
    type State = State;

    fn new_state(&self) -> Result<State> {
        Ok(State {
            groups: self.by.groups()?,
            cells: Vec::new(),
            rows: Vec::new(),
            events: Vec::new(),
        })
    }

    fn block(&self, state: &mut State, marked: Marked<'_>) -> Result<()> {
        state.groups.begin(marked.block)?;
        for rows in marked.block.rows() {
            let met = self.gather(state, marked, rows);
            let Some((_, first)) = state.rows.first() else {
                continue;
            };
            let group = state.groups.id(*first)? as usize;
            if state.cells.len() <= group {
                state.cells.resize(group + 1, Cell::default());
            }
            let Some(cell) = state.cells.get_mut(group) else {
                continue;
            };
            cell.actors += 1;
            if met & self.needed != self.needed {
                continue;
            }
            let events = &mut state.events;
            events.clear();
            events.extend(state.rows.iter().map(|(event, _)| *event));
            let able = able(&self.pattern, events);
            let mut from = 0;
            while let Some(places) = first_match(&self.pattern, &able, events, from) {
                let ends = places.first().zip(places.last());
                let Some((first, last)) = ends else {
                    break;
                };
                if let (Some(first), Some(last)) = (events.get(*first), events.get(*last)) {
                    cell.times.push(last.time.saturating_sub(first.time));
                }
                from = last + 1;
            }
            cell.matched += u64::from(from > 0);
        }
        Ok(())
    }

    fn combine(&self, mut into: State, mut from: State) -> Result<State> {
        if into.cells.len() < from.cells.len() {
            std::mem::swap(&mut into, &mut from);
        }
        let ids = into.groups.absorb(&from.groups)?;
        for (cell, id) in from.cells.into_iter().zip(ids) {
            let id = id as usize;
            if into.cells.len() <= id {
                into.cells.resize(id + 1, Cell::default());
            }
            if let Some(own) = into.cells.get_mut(id) {
                own.actors += cell.actors;
                own.matched += cell.matched;
                own.times.extend(cell.times);
            }
        }
        Ok(into)
    }

    fn finish(&self, state: State) -> Result<Table> {
        let empty = Cell::default();
        let cell = |id: u32| state.cells.get(id as usize).unwrap_or(&empty);
        let order = state.groups.in_order();
        // Without columns to break down by there is one row in any case.
        let order: Vec<u32> = order
            .into_iter()
            .filter(|id| self.by.is_empty() || cell(*id).actors > 0)
            .collect();
        let cells: Vec<&Cell> = order.iter().map(|id| cell(*id)).collect();
        let mut fields: Vec<Field> = self.by.fields().collect();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (field, column) in fields.iter().zip(state.groups.columns(&order)?) {
            columns.push(arrow::compute::cast(&column, field.data_type())?);
        }
        let mut count = |name: &str, of: fn(&Cell) -> u64| {
            fields.push(Field::new(name, DataType::Int64, false));
            let values = cells.iter().map(|cell| of(cell) as i64);
            columns.push(Arc::new(Int64Array::from_iter_values(values)));
        };
        count("actors", |cell| cell.actors);
        count("matched", |cell| cell.matched);
        let mut number = |name: &str, of: &dyn Fn(&Cell) -> Option<f64>| {
            fields.push(Field::new(name, DataType::Float64, true));
            let values: Float64Array = cells.iter().map(|cell| of(cell)).collect();
            columns.push(Arc::new(values));
        };
        number("share", &|cell| share(cell.matched, cell.actors));
        number("share_low", &|cell| {
            Some(wilson(cell.matched, cell.actors)?.0)
        });
        number("share_high", &|cell| {
            Some(wilson(cell.matched, cell.actors)?.1)
        });
        fields.push(Field::new("matches", DataType::Int64, false));
        let matches = cells.iter().map(|cell| cell.times.len() as i64);
        columns.push(Arc::new(Int64Array::from_iter_values(matches)));
        for (name, at) in [("median_seconds", 0.5), ("p95_seconds", 0.95)] {
            fields.push(Field::new(name, DataType::Float64, true));
            let values = cells.iter().map(|cell| {
                let seconds = cell.times.iter().map(|us| *us as f64 / 1e6);
                at_share(&mut seconds.collect::<Vec<f64>>(), at)
            });
            columns.push(Arc::new(values.collect::<Float64Array>()));
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let mut notes = Vec::new();
        if cells.iter().all(|cell| cell.actors == 0) {
            notes.push("no event meets any of the conditions".to_owned());
        }
        let few = cells
            .iter()
            .filter(|cell| (1..FEW).contains(&cell.actors))
            .count();
        if few > 0 {
            notes.push(format!(
                "fewer than {FEW} actors in {few} of {} rows; such shares vary by chance",
                cells.len()
            ));
        }
        Ok(Table::new(schema, vec![batch]).with_notes(notes))
    }
}
