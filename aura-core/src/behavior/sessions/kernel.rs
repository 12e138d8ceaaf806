//! The summary of sessions during a scan.

use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryPool;

use crate::behavior::charge::Charge;
use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::pass::{Kernel, Marked};
use crate::behavior::periods::Asked;
use crate::engine::Table;
use crate::engine::ordered::ActorRows;
use crate::{Error, ErrorKind, Result};

use super::durations::Durations;
use super::walk::{Carry, Marks, Rules, Session};

/// Most groups times periods.
const MAX_CELLS: usize = 1 << 20;

/// The bits of conditions; 0 where there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits {
    pub(super) belongs: u64,
    pub(super) starts: u64,
    pub(super) ends: u64,
}

/// Sessions, ready for a scan.
pub(super) struct SessionsKernel {
    pub(super) bits: Bits,
    pub(super) rules: Rules,
    pub(super) percentiles: Vec<f64>,
    pub(super) pool: Arc<dyn MemoryPool>,
    pub(super) by: Breakdown,
    pub(super) asked: Asked,
}

/// What a thread counts.
pub(super) struct State {
    pub(super) groups: Groups,
    /// By group, then by period.
    pub(super) cells: Vec<Cell>,
    periods: Vec<i32>,
    /// The actors so far.
    actors: u64,
    charge: Charge,
    carry: Carry,
}

/// The sessions of a group and period.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub(super) sessions: u64,
    pub(super) events: u64,
    pub(super) single: u64,
    pub(super) actors: u64,
    /// The number of the last actor counted, from 1.
    last_actor: u64,
    /// Microseconds.
    pub(super) duration: u128,
    /// Sessions whose first and last event are at the same time.
    pub(super) zeros: u64,
    pub(super) durations: Durations,
}

impl SessionsKernel {
    /// Passes over the sessions of an actor that start in the range; rows count within the actor.
    #[inline]
    pub(super) fn each(
        &self,
        times: &[i64],
        masks: &[u64],
        carry: &mut Carry,
        more: bool,
        mut work: impl FnMut(&Session),
    ) {
        let seen = match (self.asked.as_of, times.last()) {
            (Some(as_of), Some(last)) if *last > as_of => times.partition_point(|t| *t <= as_of),
            _ => times.len(),
        };
        let times = times.get(..seen).unwrap_or_default();
        let masks = masks.get(..seen).unwrap_or_default();
        let has = |row: usize, bits: u64| masks.get(row).is_some_and(|m| m & bits != 0);
        let bits = self.bits;
        let bounded = bits.starts | bits.ends != 0;
        let marks = Marks {
            belongs: |row| has(row, bits.belongs),
            bounds: bounded.then_some((|row| has(row, bits.starts), |row| has(row, bits.ends))),
        };
        let (from, to) = (self.asked.from, self.asked.to);
        self.rules.sessions(times, marks, carry, more, |session| {
            if (from..to).contains(&session.start) {
                work(session);
            }
        });
    }

    /// Returns the row of a block whose values are those of a moment: of the rows from `row` to `end` that belong to
    /// sessions and are at the time of `row` the one whose values come first.
    pub(super) fn first_of_ties(
        &self,
        groups: &Groups,
        marked: &Marked<'_>,
        row: usize,
        end: usize,
    ) -> usize {
        let times = &marked.block.times;
        let mut best = row;
        for other in row + 1..end {
            if times.get(other) != times.get(row) {
                break;
            }
            let mask = marked.masks.get(other).copied().unwrap_or(0);
            if mask & self.bits.belongs != 0 && groups.compare_rows(other, best).is_lt() {
                best = other;
            }
        }
        best
    }

    fn fit(&self, cells: &mut Vec<Cell>, groups: usize) -> Result<()> {
        let needed = groups.saturating_mul(self.asked.count());
        if needed > MAX_CELLS {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "the result has more than {MAX_CELLS} rows of group and period; take a longer period, a shorter range, or fewer columns in `by`"
                ),
            ));
        }
        if cells.len() < needed {
            cells.resize(needed, Cell::default());
        }
        Ok(())
    }
}

fn too_much() -> String {
    "percentiles: the durations of all sessions take more memory than may be used; raise `memory_limit`, ask for less (a filter, a \
     shorter range), or set `percentiles` to []"
        .to_owned()
}

impl Cell {
    /// Counts a session; returns how many bytes more are taken.
    #[inline]
    fn add(&mut self, session: &Session, actor: u64, keep: bool) -> usize {
        let duration = session.duration();
        self.sessions += 1;
        self.events += session.events;
        self.single += u64::from(session.events == 1);
        self.actors += u64::from(self.last_actor != actor);
        self.last_actor = actor;
        self.duration += u128::from(duration);
        self.zeros += u64::from(duration == 0);
        match keep && duration > 0 {
            true => self.durations.push(duration),
            false => 0,
        }
    }

    fn absorb(&mut self, from: Cell) {
        self.sessions += from.sessions;
        self.events += from.events;
        self.single += from.single;
        self.actors += from.actors;
        self.duration += from.duration;
        self.zeros += from.zeros;
        self.durations.absorb(from.durations);
    }
}

impl Kernel for SessionsKernel {
    type State = State;

    fn new_state(&self) -> Result<State> {
        Ok(State {
            groups: self.by.groups(),
            cells: Vec::new(),
            periods: Vec::new(),
            actors: 0,
            charge: Charge::new(&self.pool),
            carry: Carry::default(),
        })
    }

    fn block(&self, state: &mut State, marked: Marked<'_>) -> Result<()> {
        let State {
            groups,
            cells,
            periods,
            actors,
            charge,
            carry,
        } = state;
        let mut bytes = 0;
        let times = &marked.block.times[..];
        groups.begin(marked.block)?;
        periods.clear();
        if let Some(bucketer) = &self.asked.periods {
            periods.resize(times.len(), -1);
            bucketer.index_into(times, periods)?;
        }
        let count = self.asked.count();
        let keep = !self.percentiles.is_empty();
        self.fit(cells, groups.len())?;
        let mut failed: Option<Error> = None;
        for ActorRows { rows, begun, open } in marked.block.parts() {
            *actors += u64::from(!begun);
            let actor = *actors;
            let masks = &marked.masks[rows.clone()];
            self.each(&times[rows.clone()], masks, carry, open, |session| {
                let row = rows.start + session.first;
                let mut place = match periods.get(row) {
                    Some(period) => *period as usize,
                    None => 0,
                };
                if !self.by.is_empty() {
                    let group = groups.id(self.first_of_ties(groups, &marked, row, rows.end));
                    let group = group.and_then(|group| {
                        if (group as usize + 1) * count > cells.len() {
                            self.fit(cells, group as usize + 1)?;
                        }
                        Ok(group)
                    });
                    match group {
                        Ok(group) => place += group as usize * count,
                        Err(e) => {
                            failed.get_or_insert(e);
                            return;
                        }
                    }
                }
                if let Some(cell) = cells.get_mut(place) {
                    bytes += cell.add(session, actor, keep);
                }
            });
        }
        if let Some(error) = failed {
            return Err(error);
        }
        charge.add(bytes, too_much)
    }

    /// Rows of blocks before are not looked at again.
    fn takes_parts(&self) -> bool {
        self.by.is_empty() && self.asked.periods.is_none() && self.bits.starts | self.bits.ends == 0
    }

    fn combine(&self, mut into: State, from: State) -> Result<State> {
        let ids = into.groups.absorb(&from.groups)?;
        self.fit(&mut into.cells, into.groups.len())?;
        let count = self.asked.count();
        for (place, cell) in from.cells.into_iter().enumerate() {
            let (Some(group), Some(period)) = (place.checked_div(count), place.checked_rem(count))
            else {
                continue;
            };
            let Some(id) = ids.get(group) else {
                continue;
            };
            if let Some(own) = into.cells.get_mut(*id as usize * count + period) {
                own.absorb(cell);
            }
        }
        into.charge.absorb(from.charge);
        Ok(into)
    }

    fn finish(&self, mut state: State) -> Result<Table> {
        self.fit(&mut state.cells, state.groups.len())?;
        self.summary(&state)
    }
}
