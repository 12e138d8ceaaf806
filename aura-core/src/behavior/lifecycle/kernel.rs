//! Lifecycle: from the spec to the table.

use crate::behavior::columns::Columns;
use crate::behavior::common::Common;
use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::making::Making;
use crate::behavior::pass::{Distinct, Kernel, Marked, Prepared, Spec};
use crate::behavior::periods::{Asked, incomplete};
use crate::behavior::visits::Visits;
use crate::calendar::Bucketer;
use crate::engine::Table;
use crate::{Error, ErrorKind, Result};

use super::spec::Lifecycle;

/// Most groups times periods.
const MAX_CELLS: usize = 1 << 22;
/// Numbers of periods: all earlier ones are 0, the one before the range 1.
const BEFORE: u64 = 1;
const FIRST: u64 = 2;

impl Spec for Lifecycle {
    fn common(&self) -> Common<'_> {
        Common {
            by: &self.by,
            filter: self.filter.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            actor: self.actor.as_deref(),
            calendar: self.calendar(),
        }
    }

    fn needs_extent(&self) -> bool {
        self.from.is_none() || self.as_of.is_none()
    }

    fn prepare(&self, making: &mut Making<'_>) -> Result<Box<dyn Prepared>> {
        let active = making.condition("events", &self.events)?;
        let by = making.by()?;
        making.any_order();
        let asked = Asked::new(making, Some(self.period), self.as_of.as_deref())?;
        making.reads(None, Some(asked.seen_to()));
        let first = asked.periods.as_ref().and_then(|p| p.period(0));
        // The calendar may begin with the range.
        let before = first.and_then(|first| asked.calendar.previous(&first).ok());
        let from = before.map_or(asked.from, |before| before.start_us());
        let numbers = asked.calendar.bucketer(self.period, from, asked.to)?;
        Ok(Box::new(LifecycleKernel {
            active,
            by,
            shift: if before.is_some() { BEFORE } else { FIRST },
            numbers,
            asked,
        }))
    }
}

struct LifecycleKernel {
    active: u64,
    by: Breakdown,
    asked: Asked,
    /// The periods of the range, and the one before.
    numbers: Bucketer,
    /// The number of the first of them.
    shift: u64,
}

struct State {
    groups: Groups,
    /// By group, then by period.
    cells: Vec<Cell>,
    periods: Vec<i32>,
    visits: Visits,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    new: u64,
    returning: u64,
    resurrected: u64,
    dormant: u64,
}

impl Cell {
    fn active(&self) -> u64 {
        self.new + self.returning + self.resurrected
    }
}

impl LifecycleKernel {
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

    /// Counts the visits of an actor in one group.
    fn count(&self, cells: &mut [Cell], visits: &[(u32, u64)]) {
        let count = self.asked.count();
        let mut at = |group: u32, number: u64, add: fn(&mut Cell)| {
            let period = number.checked_sub(FIRST).filter(|p| *p < count as u64);
            let place = period.map(|p| group as usize * count + p as usize);
            if let Some(cell) = place.and_then(|place| cells.get_mut(place)) {
                add(cell);
            }
        };
        let mut before = None;
        for (i, &(group, number)) in visits.iter().enumerate() {
            at(
                group,
                number,
                match before {
                    None => |c| c.new += 1,
                    Some(before) if before + 1 == number => |c| c.returning += 1,
                    Some(_) => |c| c.resurrected += 1,
                },
            );
            let next = visits.get(i + 1).map(|(_, number)| *number);
            if number >= BEFORE && next != Some(number + 1) {
                at(group, number + 1, |c| c.dormant += 1);
            }
            before = Some(number);
        }
    }
}

impl Kernel for LifecycleKernel {
    type State = State;

    fn new_state(&self) -> Result<State> {
        Ok(State {
            groups: self.by.groups(),
            cells: Vec::new(),
            periods: Vec::new(),
            visits: Visits::default(),
        })
    }

    fn block(&self, state: &mut State, marked: Marked<'_>) -> Result<()> {
        if self.asked.count() == 0 {
            return Ok(());
        }
        let State {
            groups,
            cells,
            periods,
            visits,
        } = state;
        let times = &marked.block.times[..];
        groups.begin(marked.block)?;
        periods.clear();
        periods.resize(times.len(), -1);
        self.numbers.index_into(times, periods)?;
        let end = self.asked.seen_to();
        for actor in marked.block.parts() {
            if !actor.begun {
                visits.clear();
            }
            for row in actor.rows {
                let (time, period) = (times[row], periods[row]);
                if time >= end {
                    continue;
                }
                if marked.masks[row] & self.active == 0 {
                    continue;
                }
                let group = match self.by.is_empty() {
                    true => 0,
                    false => groups.id(row)?,
                };
                let number = match u64::try_from(period) {
                    Ok(period) => period + self.shift,
                    Err(_) => 0,
                };
                visits.add(group, number);
            }
            if actor.open {
                continue;
            }
            self.fit(cells, groups.len())?;
            for visits in visits.by_group() {
                self.count(cells, visits);
            }
        }
        Ok(())
    }

    fn combine(&self, mut into: State, from: State) -> Result<State> {
        let ids = into.groups.absorb(&from.groups)?;
        self.fit(&mut into.cells, into.groups.len())?;
        let count = self.asked.count();
        for (id, cells) in ids.iter().zip(from.cells.chunks(count.max(1))) {
            let place = *id as usize * count;
            let own = into.cells.get_mut(place..).unwrap_or_default();
            for (own, cell) in own.iter_mut().zip(cells) {
                own.new += cell.new;
                own.returning += cell.returning;
                own.resurrected += cell.resurrected;
                own.dormant += cell.dormant;
            }
        }
        Ok(into)
    }

    fn takes_parts(&self) -> bool {
        true
    }

    fn distinct(&self) -> Option<Distinct<'_>> {
        self.by.is_empty().then_some(Distinct {
            bit: self.active,
            periods: &self.numbers,
            within: None,
        })
    }

    fn finish(&self, mut state: State) -> Result<Table> {
        self.fit(&mut state.cells, state.groups.len())?;
        let count = self.asked.count();
        let (mut ids, mut cells) = (Vec::new(), Vec::new());
        for id in state.groups.in_order() {
            let from = id as usize * count;
            let of_group = state.cells.get(from..from + count).unwrap_or_default();
            let met = of_group.iter().any(|c| c.active() + c.dormant > 0);
            // A group may be known of rows that do not count.
            if !met && !self.by.is_empty() {
                continue;
            }
            ids.resize(ids.len() + of_group.len(), id);
            cells.extend(of_group.iter().enumerate());
        }
        let mut columns = Columns::new(&self.by, &state.groups, &ids)?;
        let (labels, complete) = (self.asked.labels()?, self.asked.complete());
        let label = |period: usize| labels.get(period);
        let starts = cells.iter().map(|(p, _)| label(*p).map_or(0, |l| l.0));
        columns.times("period", starts);
        let texts = cells.iter().map(|(p, _)| label(*p).map_or("", |l| &l.1));
        columns.texts("period_label", texts);
        let each = || cells.iter().map(|(_, cell)| *cell);
        columns.counts("active", each().map(Cell::active));
        columns.counts("new", each().map(|c| c.new));
        columns.counts("returning", each().map(|c| c.returning));
        columns.counts("resurrected", each().map(|c| c.resurrected));
        columns.counts("dormant", each().map(|c| c.dormant));
        let of_row = |period: usize| complete.get(period).copied().unwrap_or(false);
        columns.flags("complete", cells.iter().map(|(p, _)| of_row(*p)));
        let notes = incomplete(&complete).into_iter().collect();
        columns.table(notes)
    }
}
