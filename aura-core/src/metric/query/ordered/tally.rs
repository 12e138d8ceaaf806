//! The computation: all aggregates of a request in one pass.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use super::cells::{Cells, NO_CELL};
use super::dimension::{Dimension, Known};
use super::groups::{Codes, Groups};
use super::measures::{Lane, LaneState};
use super::slots::{ALL, Slots};
use crate::engine::ordered::{
    ActorBlock, ActorRows, Answers, Kernel, NO_MARK, RowBlock, RowKernel, RowTests, Rows,
};
use crate::{Error, ErrorKind, Result};

/// A mark has room for this many tests.
const MOST_MARKED: u32 = 32;

/// How an aggregate comes from what was tallied; tests by their bit.
#[derive(Debug, Clone)]
pub(super) enum Output {
    Count(u32),
    Actors(u32),
    Sum(usize, u32, DataType),
    Mean(usize, u32),
    Least(usize, u32, DataType),
    Most(usize, u32, DataType),
}

/// Counts, distinct actors, sums and extremes by combination and cell.
///
/// Conditions are bits of one word for each row, and all counts of one kind are one walk over the rows. Distinct actors
/// take no set: an actor's rows come together, so that each group remembers the last actor, and for which
/// tests it has been counted.
pub(super) struct Tally {
    pub(super) cells: Cells,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) tests: Option<RowTests>,
    /// Rows that pass none of these tests are in no group.
    pub(super) present_if: Option<u64>,
    pub(super) counts: Slots,
    /// Whether more is asked of a count than whether it is 0.
    pub(super) counts_exactly: bool,
    pub(super) actors: Slots,
    pub(super) lanes: Vec<Lane>,
    pub(super) outputs: Vec<Output>,
    pub(super) pool: Arc<dyn MemoryPool>,
}

/// The last actor counted in a group.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// By number within the state, from 1.
    actor: u64,
    bits: u64,
}

/// What one thread has tallied.
pub(super) struct State {
    pub(super) known: Vec<Known>,
    pub(super) groups: Groups,
    /// Of place p and slot s at p × width + s.
    pub(super) counts: Vec<u64>,
    pub(super) actors: Vec<u64>,
    /// For overlapping windows: by combination, for each position and slot how many more actors count than in the
    /// position before.
    pub(super) changes: Vec<Vec<i64>>,
    pub(super) lanes: Vec<LaneState>,
    answers: Answers,
    seen: Vec<Seen>,
    actor: u64,
    /// The groups of the actor at hand and the tests that it has newly passed there.
    met: Vec<(u32, u64)>,
    reservation: MemoryReservation,
    numbers: Vec<i32>,
    in_cells: Vec<u32>,
    places: Vec<u32>,
    masks: Vec<u64>,
}

impl Tally {
    pub(super) fn state(&self) -> State {
        State {
            known: self.dimensions.iter().map(|_| Known::default()).collect(),
            groups: Groups::new(
                self.dimensions.len(),
                self.cells.count(),
                self.cells.positions(),
            ),
            counts: Vec::new(),
            actors: Vec::new(),
            changes: Vec::new(),
            lanes: self.lanes.iter().map(Lane::state).collect(),
            answers: match &self.tests {
                Some(tests) => tests.new_answers(),
                None => Answers::default(),
            },
            seen: Vec::new(),
            actor: 0,
            met: Vec::new(),
            reservation: MemoryConsumer::new("metrics").register(&self.pool),
            numbers: Vec::new(),
            in_cells: Vec::new(),
            places: Vec::new(),
            masks: Vec::new(),
        }
    }

    /// Finds the place and the tests of each row, and tallies all but distinct actors.
    fn tally(&self, state: &mut State, rows: Rows<'_>) -> Result<()> {
        let times = rows
            .times()
            .ok_or_else(|| Error::internal("a scan by time has no times"))?;
        let cells = &mut state.in_cells;
        self.cells.find(times, &mut state.numbers, cells);
        if let Some(tests) = &self.tests {
            tests.masks(&mut state.answers, rows, &mut state.masks)?;
            if let Some(present_if) = self.present_if {
                for (cell, mask) in cells.iter_mut().zip(&state.masks) {
                    if mask & present_if == 0 {
                        *cell = NO_CELL;
                    }
                }
            }
            for mask in &mut state.masks {
                *mask |= 1 << ALL;
            }
        }
        let codes = self
            .dimensions
            .iter()
            .zip(&mut state.known)
            .map(|(dimension, known)| dimension.codes(known, rows))
            .collect::<Result<Vec<Codes<'_>>>>()?;
        let before = state.groups.len();
        state.groups.place(&codes, cells, &mut state.places)?;
        if state.groups.len() > before || state.counts.is_empty() {
            self.fit(state)?;
        }
        let (places, masks) = (&state.places[..], &state.masks[..]);
        self.counts.count(places, masks, &mut state.counts);
        let groups = state.groups.len();
        for (lane, measures) in self.lanes.iter().zip(&mut state.lanes) {
            lane.rows(measures, rows, places, masks, groups)?;
        }
        Ok(())
    }

    /// Makes room for all groups.
    fn fit(&self, state: &mut State) -> Result<()> {
        let groups = state.groups.len();
        state.counts.resize(groups * self.counts.width(), 0);
        if self.actors.width() > 0 {
            state.seen.resize(groups, Seen::default());
            if self.cells.counts_in().is_none() {
                state.actors.resize(groups * self.actors.width(), 0);
            }
        }
        for (lane, measures) in self.lanes.iter().zip(&mut state.lanes) {
            match measures {
                LaneState::Integers(measures) => measures.fit(lane, groups),
                LaneState::Floats(measures) => measures.fit(lane, groups),
            }
        }
        self.account(state)
    }

    /// Tells the session how much memory is taken.
    fn account(&self, state: &mut State) -> Result<()> {
        let lanes: usize = state.lanes.iter().map(LaneState::bytes).sum();
        let changes: usize = state.changes.iter().map(|c| c.capacity() * 8 + 24).sum();
        let bytes = state.groups.bytes()
            + (state.counts.capacity() + state.actors.capacity()) * 8
            + state.seen.capacity() * size_of::<Seen>()
            + changes
            + lanes;
        state.reservation.try_resize(bytes).map_err(|e| {
            Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "the {} groups of the metrics (period × combination of dimensions) take more memory than the \
                     session may use; raise `memory_limit`, or take a longer grain, a shorter range, fewer dimensions \
                     or a filter",
                    state.groups.len() - 1
                ),
            )
            .with_source(e)
        })
    }

    /// Counts the actors of a block in the positions that cells are.
    fn count_actors(&self, state: &mut State, block: &ActorBlock) {
        let width = self.actors.width();
        let all = self.actors.bits() == 1 << ALL;
        let State {
            seen,
            actors,
            places,
            masks,
            actor,
            ..
        } = state;
        for ActorRows { rows, begun, .. } in block.parts() {
            *actor += u64::from(!begun);
            if all {
                let mut last = 0;
                for &place in &places[rows] {
                    if place == last {
                        continue; // Neighbours are in the same group more often than not.
                    }
                    last = place;
                    let seen = &mut seen[place as usize];
                    actors[place as usize] += u64::from(seen.actor != *actor);
                    seen.actor = *actor;
                }
                continue;
            }
            for (&place, &mask) in places[rows.clone()].iter().zip(&masks[rows]) {
                let new =
                    newly_passed(&mut seen[place as usize], *actor, mask & self.actors.bits());
                let mut left = new;
                while left != 0 {
                    let slot = self.actors.slot(left.trailing_zeros());
                    actors[place as usize * width + slot] += 1;
                    left &= left - 1;
                }
            }
        }
    }

    /// Counts the actors of a block in windows: an actor counts in a position once, in however many of its cells it is
    /// met. The positions of a cell follow one another, and so do those of its next cell.
    fn count_in_windows(
        &self,
        state: &mut State,
        block: &ActorBlock,
        counts_in: &[(u32, u32)],
    ) -> Result<()> {
        let width = self.actors.width();
        let size = (self.cells.positions() + 1) * width;
        let mut grown = false;
        let mut until = vec![0; width];
        for actor in block.parts() {
            if !actor.begun {
                state.actor += 1;
                state.met.clear();
            }
            for row in actor.rows {
                let place = state.places[row];
                let mask = match state.masks.get(row) {
                    Some(mask) => mask & self.actors.bits(),
                    None => 1 << ALL,
                };
                let new = newly_passed(&mut state.seen[place as usize], state.actor, mask);
                if new != 0 && place != 0 {
                    state.met.push((place, new));
                }
            }
            if actor.open {
                continue;
            }
            let groups = &state.groups;
            state
                .met
                .sort_unstable_by_key(|(place, _)| groups.of(*place as usize));
            let mut last = None;
            for &(place, bits) in &state.met {
                let (combination, cell) = groups.of(place as usize);
                if last != Some(combination) {
                    last = Some(combination);
                    until.fill(0);
                }
                let at = combination as usize;
                if at >= state.changes.len() {
                    state.changes.resize_with(at + 1, Vec::new);
                }
                let changes = &mut state.changes[at];
                if changes.is_empty() {
                    changes.resize(size, 0);
                    grown = true;
                }
                let (from, to) = counts_in.get(cell as usize).copied().unwrap_or_default();
                let mut left = bits;
                while left != 0 {
                    let slot = self.actors.slot(left.trailing_zeros());
                    left &= left - 1;
                    let from = from.max(until[slot]);
                    if from < to {
                        changes[from as usize * width + slot] += 1;
                        changes[to as usize * width + slot] -= 1;
                        until[slot] = to;
                    }
                }
            }
        }
        match grown {
            true => self.account(state),
            false => Ok(()),
        }
    }

    /// Returns the tests that tell rows apart.
    fn marked(&self) -> u64 {
        (self.actors.bits() | self.counts.bits()) & !(1 << ALL)
    }

    /// Adds what another thread has tallied.
    pub(super) fn absorb(&self, into: State, from: State) -> Result<State> {
        match into.groups.len() < from.groups.len() {
            true => self.absorb_smaller(from, into),
            false => self.absorb_smaller(into, from),
        }
    }

    fn absorb_smaller(&self, mut into: State, mut from: State) -> Result<State> {
        let (places, combinations) = into.groups.absorb(&from.groups, self.dimensions.len())?;
        self.fit(&mut into)?;
        let add = |into: &mut [u64], from: &[u64], width: usize| {
            for (place, own) in places.iter().enumerate().skip(1) {
                for slot in 0..width {
                    into[*own as usize * width + slot] += from[place * width + slot];
                }
            }
        };
        add(&mut into.counts, &from.counts, self.counts.width());
        match self.cells.counts_in() {
            None => add(&mut into.actors, &from.actors, self.actors.width()),
            Some(_) => {
                for (changes, own) in from.changes.iter_mut().zip(&combinations) {
                    if changes.is_empty() {
                        continue;
                    }
                    let at = *own as usize;
                    if at >= into.changes.len() {
                        into.changes.resize_with(at + 1, Vec::new);
                    }
                    let own = &mut into.changes[at];
                    if own.is_empty() {
                        *own = std::mem::take(changes);
                    } else {
                        for (own, change) in own.iter_mut().zip(changes) {
                            *own += *change;
                        }
                    }
                }
            }
        }
        let lanes = self.lanes.iter().zip(&mut into.lanes).zip(&from.lanes);
        for ((lane, into), from) in lanes {
            let width = lane.slots.width();
            for (place, own) in places.iter().enumerate().skip(1) {
                for slot in 0..width {
                    let (to, at) = (*own as usize * width + slot, place * width + slot);
                    match (&mut *into, from) {
                        (LaneState::Integers(into), LaneState::Integers(from)) => {
                            into.merge(to, from, at);
                        }
                        (LaneState::Floats(into), LaneState::Floats(from)) => {
                            into.merge(to, from, at);
                        }
                        _ => return Err(Error::internal("an argument changed its type")),
                    }
                }
            }
        }
        let known = self.dimensions.iter().zip(into.known).zip(from.known);
        into.known = known.map(|((d, a), b)| d.join(a, b)).collect();
        into.actor += from.actor;
        Ok(into)
    }
}

/// Returns the bits for which an actor has not been counted in a group, and marks them.
#[inline]
fn newly_passed(seen: &mut Seen, actor: u64, bits: u64) -> u64 {
    let known = match seen.actor == actor {
        true => seen.bits,
        false => 0,
    };
    *seen = Seen {
        actor,
        bits: known | bits,
    };
    bits & !known
}

impl Kernel for Tally {
    type State = State;

    fn new_state(&self) -> State {
        self.state()
    }

    fn block(&self, state: &mut State, block: &ActorBlock) -> Result<()> {
        self.tally(state, block.into())?;
        match self.cells.counts_in() {
            _ if self.actors.width() == 0 => Ok(()),
            None => {
                self.count_actors(state, block);
                Ok(())
            }
            Some(counts_in) => self.count_in_windows(state, block, counts_in),
        }
    }

    fn combine(&self, into: State, from: State) -> Result<State> {
        self.absorb(into, from)
    }

    fn takes_parts(&self) -> bool {
        true
    }

    fn has_marks(&self) -> bool {
        let tests = self.marked();
        !self.counts_exactly && self.lanes.is_empty() && tests >> MOST_MARKED == 0
    }

    /// Rows differ by group and by the tests that they pass.
    fn marks(&self, state: &mut State, rows: &RowBlock, marks: &mut Vec<u64>) -> Result<()> {
        self.tally(state, rows.into())?;
        let bits = self.marked();
        marks.clear();
        marks.extend(state.places.iter().enumerate().map(|(row, &place)| {
            let passed = state.masks.get(row).map_or(0, |mask| mask & bits);
            match place {
                0 => NO_MARK,
                place => u64::from(place) << 32 | passed,
            }
        }));
        Ok(())
    }
}

impl RowKernel for Tally {
    type State = State;

    fn new_state(&self) -> State {
        self.state()
    }

    fn rows(&self, state: &mut State, block: &RowBlock) -> Result<()> {
        self.tally(state, block.into())
    }

    fn combine(&self, into: State, from: State) -> Result<State> {
        self.absorb(into, from)
    }
}
