//! From tallies to values for positions and combinations.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, UInt64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::measures::LaneState;
use super::sliding::Sliding;
use super::tally::{Output, State, Tally};
use crate::Result;
use crate::metric::query::executor::{Combinations, MAX_CELLS, Sparse, too_many};

impl Tally {
    /// Makes the values of all positions and combinations that have rows.
    pub(super) fn table(&self, state: &State, combinations: &mut Combinations) -> Result<Sparse> {
        let ids = self.ids(state, combinations)?;
        let mut rows = Rows::new(self);
        match self.cells.counts_in() {
            None => self.places(state, &ids, &mut rows),
            Some(counts_in) => self.windows(state, &ids, counts_in, &mut rows)?,
        }
        rows.finish(&self.outputs)
    }

    /// Returns the number of each combination of the state among those of the question.
    fn ids(&self, state: &State, combinations: &mut Combinations) -> Result<Vec<u32>> {
        let groups = &state.groups;
        let mut used = vec![false; groups.combinations()];
        for place in 1..groups.len() {
            if let Some(used) = used.get_mut(groups.of(place).0 as usize) {
                *used = true;
            }
        }
        let used: Vec<u32> = (0..)
            .zip(&used)
            .filter(|(_, u)| **u)
            .map(|(n, _)| n)
            .collect();
        let mut codes: Vec<Vec<u32>> = vec![Vec::with_capacity(used.len()); self.dimensions.len()];
        let mut one = Vec::new();
        for combination in &used {
            one.clear();
            groups.codes(*combination, self.dimensions.len(), &mut one);
            for (column, code) in codes.iter_mut().zip(&one) {
                column.push(*code);
            }
        }
        let parts = self.dimensions.iter().zip(&state.known).zip(codes);
        let columns = parts
            .map(|((dimension, known), codes)| dimension.array(known, codes))
            .collect::<Result<Vec<_>>>()?;
        let found = combinations.ids(&columns, used.len())?;
        let mut ids = vec![0; groups.combinations()];
        for (combination, id) in used.iter().zip(found) {
            if let Some(slot) = ids.get_mut(*combination as usize) {
                *slot = id;
            }
        }
        Ok(ids)
    }

    /// Cells are positions.
    fn places(&self, state: &State, ids: &[u32], rows: &mut Rows) {
        for place in 1..state.groups.len() {
            let (combination, cell) = state.groups.of(place);
            let id = ids.get(combination as usize).copied().unwrap_or(0);
            let first = place * self.actors.width();
            let actors = state.actors.get(first..first + self.actors.width());
            let values = Values {
                place,
                counts: &state.counts,
                actors: actors.unwrap_or_default(),
                lanes: &state.lanes,
            };
            rows.push(self, (id, cell), &values);
        }
    }

    /// Windows are cells in a row, which come and go from position to position.
    fn windows(
        &self,
        state: &State,
        ids: &[u32],
        counts_in: &[(u32, u32)],
        rows: &mut Rows,
    ) -> Result<()> {
        let mut places: Vec<(u32, u32, usize)> = (1..state.groups.len())
            .map(|place| {
                let (combination, cell) = state.groups.of(place);
                (combination, cell, place)
            })
            .collect();
        places.sort_unstable();
        let width = self.actors.width();
        for of_one in places.chunk_by(|a, b| a.0 == b.0) {
            let combination = of_one.first().map_or(0, |p| p.0 as usize);
            let id = ids.get(combination).copied().unwrap_or(0);
            let changes = state.changes.get(combination);
            let mut sliding = Sliding::new(self);
            let mut actors = vec![0_u64; width];
            let (mut come, mut gone) = (0, 0);
            let bound = |at: usize| {
                of_one
                    .get(at)
                    .and_then(|(_, cell, _)| counts_in.get(*cell as usize))
            };
            for position in 0..self.cells.positions() as u32 {
                while bound(come).is_some_and(|(from, _)| *from <= position) {
                    sliding.shift(self, state, of_one[come].2, true);
                    come += 1;
                }
                while gone < come && bound(gone).is_some_and(|(_, to)| *to <= position) {
                    sliding.shift(self, state, of_one[gone].2, false);
                    gone += 1;
                }
                for (slot, actors) in actors.iter_mut().enumerate() {
                    let at = position as usize * width + slot;
                    let change = changes.and_then(|c| c.get(at)).copied().unwrap_or(0);
                    *actors = actors.wrapping_add_signed(change);
                }
                if gone == come {
                    continue;
                }
                let values = Values {
                    place: 0,
                    counts: &sliding.counts,
                    actors: &actors,
                    lanes: &sliding.lanes,
                };
                rows.push(self, (id, position), &values);
            }
            if rows.positions.len() > MAX_CELLS {
                return Err(too_many(rows.positions.len()));
            }
        }
        Ok(())
    }
}

/// The rows of a result.
struct Rows {
    ids: Vec<u32>,
    positions: Vec<u32>,
    cells: Vec<Cells>,
}

/// The values of a column.
enum Cells {
    Counts(Vec<i64>),
    Integers(Vec<Option<i128>>),
    Floats(Vec<Option<f64>>),
}

impl Rows {
    fn new(tally: &Tally) -> Self {
        let is_float = |lane: &usize| {
            let lane = tally.lanes.get(*lane);
            lane.is_some_and(|lane| matches!(lane.state(), LaneState::Floats(_)))
        };
        let cells = tally.outputs.iter().map(|output| match output {
            Output::Count(_) | Output::Actors(_) => Cells::Counts(Vec::new()),
            Output::Mean(..) => Cells::Floats(Vec::new()),
            Output::Sum(lane, ..) | Output::Least(lane, ..) | Output::Most(lane, ..) => {
                match is_float(lane) {
                    true => Cells::Floats(Vec::new()),
                    false => Cells::Integers(Vec::new()),
                }
            }
        });
        Rows {
            ids: Vec::new(),
            positions: Vec::new(),
            cells: cells.collect(),
        }
    }

    /// Adds a row from what stands at a place.
    fn push(&mut self, tally: &Tally, (id, position): (u32, u32), of: &Values<'_>) {
        self.ids.push(id);
        self.positions.push(position);
        for (cells, output) in self.cells.iter_mut().zip(&tally.outputs) {
            match cells {
                Cells::Counts(counts) => counts.push(of.count(tally, output)),
                Cells::Integers(values) => values.push(of.integer(tally, output)),
                Cells::Floats(values) => values.push(of.float(tally, output)),
            }
        }
    }

    fn finish(self, outputs: &[Output]) -> Result<Sparse> {
        let columns = self.cells.into_iter().zip(outputs);
        let columns = columns.map(|(cells, output)| cells.column(output));
        Ok(Sparse {
            ids: self.ids,
            positions: self.positions,
            columns: columns.collect::<Result<_>>()?,
        })
    }
}

impl Cells {
    fn column(self, output: &Output) -> Result<ArrayRef> {
        let data_type = match output {
            Output::Count(_) | Output::Actors(_) => &DataType::Int64,
            Output::Mean(..) => &DataType::Float64,
            Output::Sum(.., data_type)
            | Output::Least(.., data_type)
            | Output::Most(.., data_type) => data_type,
        };
        let column: ArrayRef = match self {
            Cells::Counts(counts) => Arc::new(Int64Array::from(counts)),
            Cells::Floats(values) => Arc::new(Float64Array::from(values)),
            // A sum of more than 64 bits wraps, as it does in the engine.
            Cells::Integers(values) if *data_type == DataType::UInt64 => {
                let values = values.into_iter().map(|v| v.map(|v| v as u64));
                Arc::new(values.collect::<UInt64Array>())
            }
            Cells::Integers(values) => {
                let values = values.into_iter().map(|v| v.map(|v| v as i64));
                Arc::new(values.collect::<Int64Array>())
            }
        };
        let column = match data_type {
            DataType::Date32 => cast(&column, &DataType::Int32)?,
            _ => column,
        };
        Ok(cast(&column, data_type)?)
    }
}

/// What stands at a place.
struct Values<'a> {
    place: usize,
    counts: &'a [u64],
    /// By slot.
    actors: &'a [u64],
    lanes: &'a [LaneState],
}

impl Values<'_> {
    fn count(&self, tally: &Tally, output: &Output) -> i64 {
        let count = match output {
            Output::Count(bit) => {
                let at = self.place * tally.counts.width() + tally.counts.slot(*bit);
                self.counts.get(at)
            }
            Output::Actors(bit) => self.actors.get(tally.actors.slot(*bit)),
            _ => None,
        };
        count.map_or(0, |count| *count as i64)
    }

    /// Returns the measures of a lane, and where those of a test are.
    fn lane(&self, tally: &Tally, lane: usize, bit: u32) -> Option<(&LaneState, usize)> {
        let slots = &tally.lanes.get(lane)?.slots;
        let at = self.place * slots.width() + slots.slot(bit);
        Some((self.lanes.get(lane)?, at))
    }

    fn integer(&self, tally: &Tally, output: &Output) -> Option<i128> {
        let (Output::Sum(lane, bit, _) | Output::Least(lane, bit, _) | Output::Most(lane, bit, _)) =
            output
        else {
            return None;
        };
        let (LaneState::Integers(measures), at) = self.lane(tally, *lane, *bit)? else {
            return None;
        };
        measures.counts.get(at).filter(|count| **count > 0)?;
        match output {
            Output::Sum(..) => measures.sums.get(at),
            Output::Least(..) => measures.least.get(at),
            _ => measures.most.get(at),
        }
        .copied()
    }

    fn float(&self, tally: &Tally, output: &Output) -> Option<f64> {
        let (Output::Sum(lane, bit, _)
        | Output::Mean(lane, bit)
        | Output::Least(lane, bit, _)
        | Output::Most(lane, bit, _)) = output
        else {
            return None;
        };
        match self.lane(tally, *lane, *bit)? {
            (LaneState::Integers(measures), at) => {
                let count = measures.counts.get(at).filter(|count| **count > 0)?;
                Some(*measures.sums.get(at)? as f64 / *count as f64)
            }
            (LaneState::Floats(measures), at) => {
                let count = measures.counts.get(at).filter(|count| **count > 0)?;
                match output {
                    Output::Sum(..) => Some(measures.sums.get(at)?.value()),
                    Output::Mean(..) => Some(measures.sums.get(at)?.value() / *count as f64),
                    Output::Least(..) => measures.least.get(at).copied(),
                    _ => measures.most.get(at).copied(),
                }
            }
        }
    }
}
