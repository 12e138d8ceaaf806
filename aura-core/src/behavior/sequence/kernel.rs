//! Patterns over the actors of a scan.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::memory_pool::MemoryPool;

use crate::Result;
use crate::behavior::charge::Charge;
use crate::behavior::funnel::row::Marks;
use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::pass::{Kernel, Marked};
use crate::behavior::sessions::durations::{Durations, Percentile};
use crate::behavior::shares::{share, wilson};
use crate::engine::Table;
use crate::engine::functions::{Event, Item, Matcher};
use crate::engine::ordered::ActorRows;

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
    /// From the words of the pass to conditions.
    conditions: Marks,
    /// The conditions without which the pattern fits nowhere.
    needed: u64,
    range: Range<i64>,
    by: Breakdown,
    /// Whether times are kept for percentiles.
    times: bool,
    pool: Arc<dyn MemoryPool>,
}

/// What a thread keeps.
pub(super) struct State {
    groups: Groups,
    cells: Vec<Cell>,
    /// The events of the actor at hand and their rows, in order.
    rows: Vec<(Event, usize)>,
    /// The bits that any of them has, and whether some share a time.
    met: u64,
    ties: bool,
    events: Vec<Event>,
    matcher: Matcher,
    charge: Charge,
}

/// What is counted in a group.
#[derive(Debug, Clone, Default)]
struct Cell {
    actors: u64,
    matched: u64,
    matches: u64,
    /// The microseconds that each match takes.
    times: Durations,
}

impl SequenceKernel {
    pub(super) fn new(
        pattern: Vec<Item>,
        bits: &[u64],
        range: Range<i64>,
        by: Breakdown,
        times: bool,
        pool: Arc<dyn MemoryPool>,
    ) -> Self {
        let named = pattern.iter().filter_map(|item| bits.get(item.condition?));
        SequenceKernel {
            conditions: Marks::new(bits, &[]),
            needed: named.fold(0, |all, bit| all | bit),
            pattern,
            range,
            by,
            times,
            pool,
        }
    }

    /// Adds the rows of an actor that matter; puts them in order when all are there.
    fn gather(&self, state: &mut State, marked: Marked<'_>, part: ActorRows) {
        let ActorRows { rows, begun, open } = part;
        if !begun {
            state.rows.clear();
            (state.met, state.ties) = (0, false);
        }
        let (mut met, mut ties) = (state.met, state.ties);
        let times = marked.block.times.get(rows.clone()).unwrap_or_default();
        let masks = marked.masks.get(rows.clone()).unwrap_or_default();
        for ((&time, &mask), row) in times.iter().zip(masks).zip(rows) {
            if mask & self.conditions.bits == 0 || !self.range.contains(&time) {
                continue;
            }
            met |= mask;
            ties |= state.rows.last().is_some_and(|(e, _)| e.time == time);
            let event = Event {
                time,
                mask: self.conditions.of(mask),
            };
            state.rows.push((event, row));
        }
        (state.met, state.ties) = (met, ties);
        if ties && !open {
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
    }
}

impl Kernel for SequenceKernel {
    type State = State;

    fn new_state(&self) -> Result<State> {
        Ok(State {
            groups: self.by.groups(),
            cells: Vec::new(),
            rows: Vec::new(),
            met: 0,
            ties: false,
            events: Vec::new(),
            matcher: Matcher::default(),
            charge: Charge::new(&self.pool),
        })
    }

    fn block(&self, state: &mut State, marked: Marked<'_>) -> Result<()> {
        state.groups.begin(marked.block)?;
        for part in marked.block.parts() {
            let open = part.open;
            self.gather(state, marked, part);
            if open {
                continue;
            }
            let Some((_, first)) = state.rows.first() else {
                continue;
            };
            let group = state.groups.id(*first)? as usize;
            if state.cells.len() <= group {
                let more = group + 1 - state.cells.len();
                state.charge.add(more * size_of::<Cell>(), too_much)?;
                state.cells.resize(group + 1, Cell::default());
            }
            let Some(cell) = state.cells.get_mut(group) else {
                continue;
            };
            cell.actors += 1;
            if state.met & self.needed != self.needed {
                continue;
            }
            let events = &mut state.events;
            events.clear();
            events.extend(state.rows.iter().map(|(event, _)| *event));
            if !state.matcher.fits(&self.pattern, events) {
                continue;
            }
            let (mut from, mut bytes) = (0, 0);
            while let Some(places) = state.matcher.first(&self.pattern, events, from) {
                let ends = places.first().zip(places.last());
                let Some((first, last)) = ends else {
                    break;
                };
                cell.matches += 1;
                if self.times
                    && let (Some(first), Some(last)) = (events.get(*first), events.get(*last))
                {
                    let time = last.time.saturating_sub(first.time);
                    bytes += cell.times.push(time.max(0) as u64);
                }
                from = last + 1;
            }
            if bytes > 0 {
                state.charge.add(bytes, too_much)?;
            }
            cell.matched += u64::from(from > 0);
        }
        Ok(())
    }

    /// Values of rows of blocks before are not known any more.
    fn takes_parts(&self) -> bool {
        self.by.is_empty()
    }

    fn combine(&self, mut into: State, mut from: State) -> Result<State> {
        if into.cells.len() < from.cells.len() {
            std::mem::swap(&mut into, &mut from);
        }
        let ids = into.groups.absorb(&from.groups)?;
        into.charge.absorb(from.charge);
        for (cell, id) in from.cells.into_iter().zip(ids) {
            let id = id as usize;
            if into.cells.len() <= id {
                into.cells.resize(id + 1, Cell::default());
            }
            if let Some(own) = into.cells.get_mut(id) {
                own.actors += cell.actors;
                own.matched += cell.matched;
                own.matches += cell.matches;
                own.times.absorb(cell.times);
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
        let matches = cells.iter().map(|cell| cell.matches as i64);
        columns.push(Arc::new(Int64Array::from_iter_values(matches)));
        if self.times {
            let seconds = cells.iter().map(|cell| {
                let all = Percentile {
                    zeros: 0,
                    durations: &cell.times,
                };
                all.seconds(&[50.0, 95.0])
            });
            let seconds: Vec<Vec<Option<f64>>> = seconds.collect();
            for (i, name) in ["median_seconds", "p95_seconds"].into_iter().enumerate() {
                fields.push(Field::new(name, DataType::Float64, true));
                let values = seconds.iter().map(|s| s.get(i).copied().flatten());
                columns.push(Arc::new(values.collect::<Float64Array>()));
            }
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

fn too_much() -> String {
    "times: those of all matches take more memory than the session may use; raise `memory_limit`, ask for less (a filter, a \
     shorter range, fewer groups), or set `times` to false"
        .to_owned()
}
