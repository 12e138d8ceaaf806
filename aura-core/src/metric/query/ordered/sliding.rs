//! The measures of a window that moves over cells.

use std::collections::VecDeque;

use super::measures::{Lane, LaneState, Measures, Number};
use super::tally::{State, Tally};

/// What the cells of a window have together, as the only place of a state. What comes is added and what goes is taken
/// off, which is exact: integers, and sums that do not round.
pub(super) struct Sliding {
    pub(super) counts: Vec<u64>,
    pub(super) lanes: Vec<LaneState>,
    /// By lane and slot.
    queues: Vec<Vec<Queues>>,
}

/// The places of cells whose value is the least (greatest) of their own and all later ones in the window, in the
/// order of time: the first one holds the extreme.
#[derive(Debug, Clone, Default)]
struct Queues {
    least: VecDeque<usize>,
    most: VecDeque<usize>,
}

impl Sliding {
    pub(super) fn new(tally: &Tally) -> Self {
        let mut lanes: Vec<LaneState> = tally.lanes.iter().map(Lane::state).collect();
        for (lane, state) in tally.lanes.iter().zip(&mut lanes) {
            match state {
                LaneState::Integers(measures) => measures.fit(lane, 1),
                LaneState::Floats(measures) => measures.fit(lane, 1),
            }
        }
        let queues = tally.lanes.iter();
        Sliding {
            counts: vec![0; tally.counts.width()],
            queues: queues
                .map(|lane| vec![Queues::default(); lane.slots.width()])
                .collect(),
            lanes,
        }
    }

    /// Takes the cell at a place in, or lets it go.
    pub(super) fn shift(&mut self, tally: &Tally, state: &State, place: usize, comes: bool) {
        let width = tally.counts.width();
        for (slot, count) in self.counts.iter_mut().enumerate() {
            let change = state.counts.get(place * width + slot).copied().unwrap_or(0);
            match comes {
                true => *count += change,
                false => *count -= change,
            }
        }
        let lanes = self
            .lanes
            .iter_mut()
            .zip(&state.lanes)
            .zip(&mut self.queues);
        for ((own, state), queues) in lanes {
            match (own, state) {
                (LaneState::Integers(own), LaneState::Integers(state)) => {
                    slide(own, state, queues, place, comes);
                }
                (LaneState::Floats(own), LaneState::Floats(state)) => {
                    slide(own, state, queues, place, comes);
                }
                _ => {}
            }
        }
    }
}

fn slide<N: Number>(
    own: &mut Measures<N>,
    state: &Measures<N>,
    queues: &mut [Queues],
    place: usize,
    comes: bool,
) {
    let width = queues.len();
    for (slot, queues) in queues.iter_mut().enumerate() {
        own.shift(slot, state, place * width + slot, comes);
        let there = |place: usize| state.counts.get(place * width + slot) > Some(&0);
        let least = |place: usize| state.least.get(place * width + slot).copied();
        let most = |place: usize| state.most.get(place * width + slot).copied();
        if !comes {
            for queue in [&mut queues.least, &mut queues.most] {
                if queue.front() == Some(&place) {
                    queue.pop_front();
                }
            }
        } else if there(place) {
            if let Some(new) = least(place) {
                let beaten = |old: usize| least(old).is_some_and(|old| !old.is_less(new));
                enqueue(&mut queues.least, place, beaten);
            }
            if let Some(new) = most(place) {
                let beaten = |old: usize| most(old).is_some_and(|old| !new.is_less(old));
                enqueue(&mut queues.most, place, beaten);
            }
        }
        if let Some(own) = own.least.get_mut(slot) {
            *own = queues
                .least
                .front()
                .and_then(|p| least(*p))
                .unwrap_or(N::LAST);
        }
        if let Some(own) = own.most.get_mut(slot) {
            *own = queues
                .most
                .front()
                .and_then(|p| most(*p))
                .unwrap_or(N::FIRST);
        }
    }
}

fn enqueue(queue: &mut VecDeque<usize>, place: usize, beaten: impl Fn(usize) -> bool) {
    while queue.back().is_some_and(|old| beaten(*old)) {
        queue.pop_back();
    }
    queue.push_back(place);
}
