//! Retention during a scan.

use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::numbers::Number;
use crate::behavior::pass::{Distinct, Kernel, Marked};
use crate::calendar::{Bucketer, Period, PreparedCalendar};
use crate::engine::Table;
use crate::engine::ordered::ActorRows;
use crate::{Error, Result};

use super::cells::Cells;
use super::prepare::{MAX_CELLS, too_many_cells};
use super::spec::{Cohort, Retention, RetentionOutput};
use super::tally::{CellTally, LifeTally};
use super::walk::{Entry, Plan, Scratch, Windows};

/// Retention, ready for a scan.
pub(super) struct RetentionKernel {
    pub(super) spec: Retention,
    /// The bits of the conditions.
    pub(super) start: u64,
    pub(super) returning: u64,
    pub(super) value: Option<Number>,
    pub(super) by: Breakdown,
    pub(super) cohorts: Vec<Period>,
    /// Of the windows, if they are periods.
    pub(super) bucketer: Option<Bucketer>,
    pub(super) calendar: PreparedCalendar,
    /// How many of these are over.
    pub(super) ended: i64,
    pub(super) cells: Cells,
    pub(super) plan: Plan,
}

/// What a thread counts.
pub(super) struct State {
    pub(super) groups: Groups,
    pub(super) tallies: Tallies,
    periods: Vec<i32>,
    scratch: Scratch,
    /// Of an actor that comes in parts: the time and period of an event of each period so far.
    carried: (Vec<i64>, Vec<i32>),
}

/// By group.
pub(super) enum Tallies {
    Cells(Vec<CellTally>),
    Lives(Vec<LifeTally>),
}

impl RetentionKernel {
    /// Makes room for the groups that were met.
    fn fit(&self, tallies: &mut Tallies, groups: usize) -> Result<()> {
        match tallies {
            Tallies::Cells(tallies) => {
                let cohorts = self.cohorts.len();
                let size = cohorts * (self.cells.len() + 1);
                if groups.saturating_mul(size) > MAX_CELLS {
                    return Err(too_many_cells());
                }
                let values = self.value.is_some();
                tallies.resize_with(groups, || CellTally::new(cohorts, &self.cells, values));
            }
            Tallies::Lives(tallies) => tallies.resize_with(groups, LifeTally::default),
        }
        Ok(())
    }

    /// Returns the row whose values are those of a start: of several at the same time the one whose values come
    /// first.
    fn row_of(&self, groups: &Groups, marked: &Marked<'_>, row: usize, end: usize) -> usize {
        let times = &marked.block.times;
        let mut best = row;
        for other in row + 1..end {
            if times.get(other) != times.get(row) {
                break;
            }
            let starts = marked.masks.get(other).is_some_and(|m| m & self.start != 0);
            if starts && groups.compare_rows(other, best).is_lt() {
                best = other;
            }
        }
        best
    }
}

impl Kernel for RetentionKernel {
    type State = State;

    fn new_state(&self) -> Result<State> {
        Ok(State {
            groups: self.by.groups(),
            tallies: match self.spec.output {
                RetentionOutput::Matrix | RetentionOutput::Curve => Tallies::Cells(Vec::new()),
                RetentionOutput::Summary | RetentionOutput::Streaks | RetentionOutput::Survival => {
                    Tallies::Lives(Vec::new())
                }
            },
            periods: Vec::new(),
            scratch: Scratch::default(),
            carried: Default::default(),
        })
    }

    fn block(&self, state: &mut State, marked: Marked<'_>) -> Result<()> {
        if self.cohorts.is_empty() {
            return Ok(());
        }
        let block = marked.block;
        let times = &block.times[..];
        let State {
            groups,
            tallies,
            periods,
            scratch,
            carried,
        } = state;
        groups.begin(block)?;
        periods.clear();
        if let Some(bucketer) = &self.bucketer {
            periods.resize(times.len(), -1);
            bucketer.index_into(times, periods)?;
        }
        let values = match &self.value {
            Some(number) => Some(number.of(block)?),
            None => None,
        };
        let inactive = self.spec.inactive.unwrap_or(1);
        let mut failed: Option<Error> = None;
        for ActorRows { rows, begun, open } in block.parts() {
            let mut own_times = &times[rows.clone()];
            let mut own_periods = periods.get(rows.clone()).unwrap_or_default();
            let mut masks = &marked.masks[rows.clone()];
            if begun || open {
                let (kept_times, kept_periods) = &mut *carried;
                if !begun {
                    kept_times.clear();
                    kept_periods.clear();
                }
                for ((&time, &period), mask) in own_times.iter().zip(own_periods).zip(masks) {
                    if mask & self.start != 0 && kept_periods.last() != Some(&period) {
                        kept_times.push(time);
                        kept_periods.push(period);
                    }
                }
                if open {
                    continue;
                }
                (own_times, own_periods, masks) = (kept_times, kept_periods, &[]);
            }
            let meets = |row: usize, bit| match masks.get(row) {
                Some(mask) => mask & bit != 0,
                // Only events that meet it are carried.
                None => true,
            };
            let is_start = |row: usize| meets(row, self.start);
            let is_return = |row: usize| meets(row, self.returning);
            let work = |entry: &Entry, windows: &[u32]| {
                let group = match self.by.is_empty() {
                    true => Ok(0),
                    false => {
                        let row = rows.start + entry.row;
                        groups.id(self.row_of(groups, &marked, row, rows.end))
                    }
                };
                let known = match (group, &*tallies) {
                    (Ok(group), Tallies::Cells(t)) if (group as usize) < t.len() => Ok(group),
                    (Ok(group), Tallies::Lives(t)) if (group as usize) < t.len() => Ok(group),
                    (Ok(group), _) => {
                        let groups = group as usize + 1;
                        self.fit(tallies, groups).map(|()| group)
                    }
                    (Err(e), _) => Err(e),
                };
                let group = match known {
                    Ok(group) => group as usize,
                    Err(e) => {
                        failed.get_or_insert(e);
                        return;
                    }
                };
                match tallies {
                    Tallies::Cells(tallies) => {
                        let Some(tally) = tallies.get_mut(group) else {
                            return;
                        };
                        tally.add(&self.cells, self.spec.mode, entry, windows);
                        if let Some(values) = &values {
                            let value_of = |row: usize| values.get(rows.start + row);
                            let add = |window, value| {
                                tally.add_value(&self.cells, entry.cohort, window, value);
                            };
                            self.plan.values(
                                own_times,
                                own_periods,
                                entry,
                                is_return,
                                value_of,
                                add,
                            );
                        }
                    }
                    Tallies::Lives(tallies) => {
                        if let Some(tally) = tallies.get_mut(group) {
                            tally.add(entry, windows, inactive);
                        }
                    }
                }
            };
            self.plan
                .entries(own_times, own_periods, is_start, is_return, scratch, work);
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn takes_parts(&self) -> bool {
        self.distinct().is_some()
    }

    fn combine(&self, mut into: State, from: State) -> Result<State> {
        let ids = into.groups.absorb(&from.groups)?;
        self.fit(&mut into.tallies, into.groups.len())?;
        match (&mut into.tallies, from.tallies) {
            (Tallies::Cells(into), Tallies::Cells(from)) => {
                for (id, tally) in ids.iter().zip(&from) {
                    if let Some(own) = into.get_mut(*id as usize) {
                        own.absorb(tally);
                    }
                }
            }
            (Tallies::Lives(into), Tallies::Lives(from)) => {
                for (id, tally) in ids.iter().zip(&from) {
                    if let Some(own) = into.get_mut(*id as usize) {
                        own.absorb(tally);
                    }
                }
            }
            _ => return Err(Error::internal("two states of retention differ in kind")),
        }
        Ok(into)
    }

    fn finish(&self, mut state: State) -> Result<Table> {
        self.fit(&mut state.tallies, state.groups.len())?;
        match &state.tallies {
            Tallies::Cells(tallies) => self.cell_table(&state.groups, tallies),
            Tallies::Lives(tallies) => self.life_table(&state.groups, tallies),
        }
    }

    /// Where every start is a return and the reverse, and windows are the periods of cohorts, all follows from the
    /// periods in which an actor has an event: the first one, and the others.
    fn distinct(&self) -> Option<Distinct<'_>> {
        let of_cohorts =
            matches!(self.plan.windows, Windows::Calendar { of_cohorts, .. } if of_cohorts);
        let by_periods = of_cohorts
            && self.start == self.returning
            && self.spec.cohort != Cohort::Recurring
            && !self.plan.later
            && self.value.is_none()
            && self.by.is_empty();
        Some(Distinct {
            bit: self.start,
            periods: self.bucketer.as_ref().filter(|_| by_periods)?,
            within: None,
        })
    }
}

impl RetentionKernel {
    /// Tells whether the last window of a cell is over for every actor that can be in a cohort.
    pub(super) fn is_complete(&self, cohort: &Period, cell: usize) -> bool {
        let window = i64::from(self.cells.last(cell));
        let last_start = cohort.end_us() - 1;
        match &self.plan.windows {
            Windows::Rolling { length } => {
                let end = length.saturating_mul(window + 1).saturating_add(last_start);
                end <= self.plan.as_of
            }
            Windows::Calendar { .. } => match self.window_at(last_start) {
                Some(at) => at + window < self.ended,
                None => false,
            },
        }
    }

    /// Tells whether a cell has begun for any actor that can be in a cohort.
    pub(super) fn has_begun(&self, cohort: &Period, cell: usize) -> bool {
        let window = i64::from(self.cells.first(cell));
        match &self.plan.windows {
            Windows::Rolling { length } => {
                let begin = length
                    .saturating_mul(window)
                    .saturating_add(cohort.start_us());
                begin <= self.plan.as_of
            }
            Windows::Calendar { .. } => {
                let count = self.bucketer.as_ref().map_or(0, |b| b.len() as i64);
                let first = self.window_at(cohort.start_us());
                first.is_some_and(|at| at + window < count)
            }
        }
    }

    /// Returns the number of the period that holds a moment.
    fn window_at(&self, us: i64) -> Option<i64> {
        let found = self.bucketer.as_ref()?.index_of(&[us]);
        found
            .first()
            .filter(|at| **at >= 0)
            .map(|at| i64::from(*at))
    }
}
