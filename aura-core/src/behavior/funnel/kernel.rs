//! A funnel over the actors of a scan.

use std::ops::Range;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryPool;

use super::any::AnyOrder;
use super::carry::Carried;
use super::cells::{Cells, Kept};
use super::row::{Chain, End, Marks, Row, SKIPPED};
use super::walk::{Begin, Steps, Walk};
use super::ways::Ways;
use super::{Attribution, StepOrder};
use crate::Result;
use crate::behavior::charge::Charge;
use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::pass::{Kernel, Marked};
use crate::calendar::Bucketer;
use crate::engine::Table;
use crate::engine::ordered::ActorRows;

/// A funnel, prepared.
pub(super) struct FunnelKernel {
    pub(super) names: Vec<String>,
    pub(super) order: StepOrder,
    pub(super) steps: Steps,
    pub(super) marks: Marks,
    /// The bits of rows that may begin a chain.
    pub(super) first: u64,
    /// The bit of rows that count as other events, where that matters.
    pub(super) all: u64,
    pub(super) count: Count,
    pub(super) attribution: Attribution,
    pub(super) by: Breakdown,
    pub(super) same: Breakdown,
    /// The name of each segment and the bit of its condition.
    pub(super) segments: Vec<(String, u64)>,
    /// The periods by which it is counted.
    pub(super) periods: Option<Bucketer>,
    pub(super) with_periods: bool,
    pub(super) kept: Kept,
    pub(super) pool: Arc<dyn MemoryPool>,
    /// When chains may begin.
    pub(super) range: Range<i64>,
    /// The first moment at which no event matters any more.
    pub(super) until: i64,
    pub(super) within: Option<crate::time::Span>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Actors,
    /// With the longest pause in microseconds.
    Sessions(i64),
    Totals,
}

/// An event of a chain: when, and its row in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) time: i64,
    pub(super) row: u32,
}

/// What a thread keeps.
pub(super) struct State {
    pub(super) groups: Groups,
    same: Groups,
    pub(super) search: Search,
    pub(super) rows: Vec<Row>,
    /// The period of each row of the block.
    periods: Vec<i32>,
    /// The periods in which the chains of a unit may begin.
    begins: Vec<i32>,
    /// The chain that counts, so far, of several parts.
    chosen: Vec<Option<Event>>,
    codes: Vec<u32>,
    pub(super) carried: Carried,
    pub(super) found: Found,
}

/// What a thread has found.
pub(super) struct Found {
    pub(super) cells: Cells,
    /// Chains that do not hold the step that gives their values.
    pub(super) left_out: u64,
    /// The beginning of the last chain that is not whole, and the time of the last event looked at.
    pub(super) last_open: Option<i64>,
    pub(super) last_event: Option<i64>,
}

pub(super) enum Search {
    InOrder(Walk),
    Optional(Ways),
    AnyOrder(AnyOrder),
}

impl Search {
    fn run(&mut self, steps: &Steps, rows: &[Row], begin: &Begin) -> End {
        match self {
            Search::InOrder(walk) => walk.search(steps, rows, begin),
            Search::Optional(ways) => ways.search(steps, rows, begin),
            Search::AnyOrder(any) => any.search(&steps.window, rows, begin),
        }
    }

    fn best(&self) -> &Chain {
        match self {
            Search::InOrder(walk) => &walk.best,
            Search::Optional(ways) => &ways.best,
            Search::AnyOrder(any) => &any.best,
        }
    }
}

impl Kernel for FunnelKernel {
    type State = State;

    fn new_state(&self) -> Result<State> {
        let steps = self.steps.len();
        Ok(State {
            groups: self.by.groups(),
            same: self.same.groups(),
            search: match self.order {
                StepOrder::Ordered | StepOrder::Strict if self.steps.optional != 0 => {
                    Search::Optional(Ways::new(steps))
                }
                StepOrder::Ordered | StepOrder::Strict => Search::InOrder(Walk::new(steps)),
                StepOrder::Any => Search::AnyOrder(AnyOrder::new(steps)),
            },
            rows: Vec::new(),
            periods: Vec::new(),
            begins: Vec::new(),
            chosen: Vec::with_capacity(steps),
            codes: Vec::new(),
            carried: Carried::default(),
            found: Found {
                cells: Cells::new(steps, self.kept.clone(), Charge::new(&self.pool)),
                left_out: 0,
                last_open: None,
                last_event: None,
            },
        })
    }

    fn block(&self, state: &mut State, marked: Marked<'_>) -> Result<()> {
        state.groups.begin(marked.block)?;
        state.same.begin(marked.block)?;
        if let Some(periods) = &self.periods {
            state.periods.resize(marked.block.times.len(), -1);
            periods.index_into(&marked.block.times, &mut state.periods)?;
        }
        for ActorRows { rows, begun, open } in marked.block.parts() {
            if begun || open {
                self.part(state, marked, rows, (begun, open))?;
                continue;
            }
            let masks = marked.masks.get(rows.clone()).unwrap_or_default();
            let met = masks.iter().fold(0, |all, mask| all | mask);
            // Most actors never begin.
            if met & self.first != 0 {
                self.gather(state, marked, rows)?;
                self.actor(state, marked.masks)?;
            }
        }
        Ok(())
    }

    /// Rows of blocks before are looked at by their time, marks and values alone.
    fn takes_parts(&self) -> bool {
        self.count == Count::Actors
            && self.same.is_empty()
            && self.segments.is_empty()
            && self.periods.is_none()
            && !self.with_periods
            && (self.by.is_empty() || self.attribution != Attribution::AllSteps)
    }

    fn combine(&self, mut into: State, mut from: State) -> Result<State> {
        if into.found.cells.cells.len() < from.found.cells.cells.len() {
            std::mem::swap(&mut into, &mut from);
        }
        let ids = into.groups.absorb(&from.groups)?;
        into.found.cells.absorb(from.found.cells, &ids)?;
        into.found.left_out += from.found.left_out;
        into.found.last_open = into.found.last_open.max(from.found.last_open);
        into.found.last_event = into.found.last_event.max(from.found.last_event);
        Ok(into)
    }

    fn finish(&self, state: State) -> Result<Table> {
        super::table::table(self, &state)
    }
}

impl FunnelKernel {
    /// Sets `state.rows` to the rows of an actor that matter, in order.
    fn gather(&self, state: &mut State, marked: Marked<'_>, rows: Range<usize>) -> Result<()> {
        let times = marked.block.times.get(rows.clone()).unwrap_or_default();
        let masks = marked.masks.get(rows.clone()).unwrap_or_default();
        state.rows.clear();
        // Nothing before the first row that may begin matters; others at its time may come after it.
        let first = masks.iter().zip(times);
        let first = first
            .filter(|(mask, time)| **mask & self.first != 0 && **time >= self.range.start)
            .map(|(_, time)| *time)
            .next();
        let Some(first) = first else {
            return Ok(());
        };
        let (mut session, mut last, mut ties) = (0_u64, None, false);
        let by_values = self.attribution == Attribution::AllSteps;
        for ((&time, &mask), row) in times.iter().zip(masks).zip(rows.start as u32..) {
            if time < first || mask & (self.marks.bits | self.all) == 0 {
                continue;
            }
            if time >= self.until {
                break;
            }
            if let (Count::Sessions(gap), Some(last)) = (self.count, last) {
                session += u64::from(time.saturating_sub(last) > gap);
            }
            ties |= last == Some(time);
            last = Some(time);
            let part = match self.same.is_empty() {
                true => 0,
                false => {
                    let mut columns = 0..self.same.len();
                    if columns.any(|column| state.same.code(column, row as usize) == 0) {
                        continue;
                    }
                    state.same.id(row as usize)?
                }
            };
            let values = match by_values {
                true => u64::from(state.groups.id(row as usize)?),
                false => 0,
            };
            state.rows.push(Row {
                time,
                marks: self.marks.of(mask),
                row,
                unit: session << 32 | values,
                part,
            });
        }
        if ties {
            self.order_ties(state, marked.masks);
        }
        if by_values || !self.same.is_empty() {
            // Stable: the order of time stays.
            state.rows.sort_by_key(|row| (row.unit, row.part));
        }
        Ok(())
    }

    /// Puts rows at the same time in the order that the funnel defines.
    pub(super) fn order_ties(&self, state: &mut State, masks: &[u64]) {
        let groups = &state.groups;
        let segments = |row: &Row| {
            let mask = masks.get(row.row as usize).copied().unwrap_or(0);
            let met = self.segments.iter().map(|(_, bit)| mask & bit == 0);
            met.fold(0, |all, missed| all << 1 | u8::from(missed))
        };
        for tie in state.rows.chunk_by_mut(|a, b| a.time == b.time) {
            tie.sort_unstable_by(|a, b| {
                let steps = a.marks.trailing_zeros().cmp(&b.marks.trailing_zeros());
                steps
                    .then(a.marks.cmp(&b.marks))
                    .then_with(|| segments(a).cmp(&segments(b)))
                    .then_with(|| groups.compare_rows(a.row as usize, b.row as usize))
            });
        }
    }

    /// Counts the chains of the actor whose rows were gathered.
    pub(super) fn actor(&self, state: &mut State, masks: &[u64]) -> Result<()> {
        let rows = std::mem::take(&mut state.rows);
        let counted = rows
            .chunk_by(|a, b| a.unit == b.unit)
            .try_for_each(|unit| self.unit(state, unit, masks));
        state.rows = rows;
        counted
    }

    fn unit(&self, state: &mut State, rows: &[Row], masks: &[u64]) -> Result<()> {
        if let Some(last) = rows.iter().map(|row| row.time).max() {
            state.found.last_event = state.found.last_event.max(Some(last));
        }
        match (self.count, &self.periods) {
            (Count::Totals, _) => {
                let mut parts = rows.chunk_by(|a, b| a.part == b.part);
                parts.try_for_each(|part| self.attempts(state, part, masks))
            }
            (Count::Actors, Some(periods)) => {
                let mut begins = std::mem::take(&mut state.begins);
                begins.clear();
                for row in rows {
                    let mask = masks.get(row.row as usize).copied().unwrap_or(0);
                    if mask & self.first != 0 && self.range.contains(&row.time) {
                        begins.extend(state.periods.get(row.row as usize).filter(|p| **p >= 0));
                    }
                }
                begins.sort_unstable();
                begins.dedup();
                for &period in &begins {
                    let Some(bounds) = periods.period(period as usize) else {
                        continue;
                    };
                    let range = self.range.start.max(bounds.start_us())
                        ..self.range.end.min(bounds.end_us());
                    self.once(state, rows, masks, range)?;
                }
                state.begins = begins;
                Ok(())
            }
            _ => self.once(state, rows, masks, self.range.clone()),
        }
    }

    /// Counts the one chain that begins in a range of time.
    fn once(
        &self,
        state: &mut State,
        rows: &[Row],
        masks: &[u64],
        range: Range<i64>,
    ) -> Result<()> {
        let begin = Begin::Times(range.clone());
        state.chosen.clear();
        // When and from which values the chosen chain came.
        let mut best: Option<(usize, i64, u32)> = None;
        for part in rows.chunk_by(|a, b| a.part == b.part) {
            let skipped = part.partition_point(|row| row.time < range.start);
            let part = part.get(skipped..).unwrap_or_default();
            state.search.run(&self.steps, part, &begin);
            let steps = &state.search.best().steps;
            let last = steps.last().and_then(|i| part.get(*i as usize));
            let Some(last) = last else {
                continue;
            };
            let better = match best {
                None => true,
                Some((length, time, row)) => {
                    let order = length.cmp(&steps.len()).then(last.time.cmp(&time));
                    let order = order
                        .then_with(|| state.same.compare_rows(last.row as usize, row as usize));
                    order.is_lt()
                }
            };
            if better {
                best = Some((steps.len(), last.time, last.row));
                events(steps, part, &mut state.chosen);
            }
        }
        match best {
            Some(_) => self.count(state, masks),
            None => Ok(()),
        }
    }

    /// Counts the attempts among rows of one part, one after the other.
    fn attempts(&self, state: &mut State, rows: &[Row], masks: &[u64]) -> Result<()> {
        let mut rest = rows;
        loop {
            let begins = |row: &Row| {
                let mask = masks.get(row.row as usize).copied().unwrap_or(0);
                mask & self.first != 0 && row.time >= self.range.start
            };
            let Some(start) = rest.iter().position(begins) else {
                return Ok(());
            };
            let Some((first, from)) = rest.get(start).zip(rest.get(start..)) else {
                return Ok(());
            };
            if first.time >= self.range.end {
                return Ok(());
            }
            let end = state.search.run(&self.steps, from, &Begin::First);
            events(&state.search.best().steps, from, &mut state.chosen);
            self.count(state, masks)?;
            let next = match end {
                End::Complete(i) => i + 1,
                End::Lost(i) | End::Over(i) => i,
            };
            // The first row is always of the attempt.
            rest = from.get(next.max(1)..).unwrap_or_default();
        }
    }

    /// Counts the chosen chain.
    fn count(&self, state: &mut State, masks: &[u64]) -> Result<()> {
        let State {
            groups,
            periods,
            chosen,
            codes,
            found,
            ..
        } = state;
        let Some(Some(first)) = chosen.first().copied() else {
            return Ok(());
        };
        if chosen.len() < self.steps.len() {
            found.last_open = found.last_open.max(Some(first.time));
        }
        let group = match self.attribution {
            _ if self.by.is_empty() => 0,
            Attribution::AllSteps => groups.id(first.row as usize)?,
            Attribution::Step(step) => match chosen.get(step - 1).copied().flatten() {
                Some(event) => groups.id(event.row as usize)?,
                None => {
                    found.left_out += 1;
                    return Ok(());
                }
            },
            Attribution::First | Attribution::Last => {
                codes.clear();
                for column in 0..self.by.len() {
                    let code = |event: &Event| groups.code(column, event.row as usize);
                    let mut known = chosen.iter().flatten().map(code).filter(|code| *code != 0);
                    codes.push(match self.attribution {
                        Attribution::Last => known.next_back().unwrap_or(0),
                        _ => known.next().unwrap_or(0),
                    });
                }
                groups.id_of(codes)?
            }
        };
        let period = match self.with_periods {
            true => periods.get(first.row as usize).copied().unwrap_or(0).max(0) as u32,
            false => 0,
        };
        if self.segments.is_empty() {
            return found.cells.add((group, period), chosen);
        }
        let mask = masks.get(first.row as usize).copied().unwrap_or(0);
        for (place, (_, bit)) in (0..).zip(&self.segments) {
            if mask & bit != 0 {
                let slot = period * self.segments.len() as u32 + place;
                found.cells.add((group, slot), chosen)?;
            }
        }
        Ok(())
    }
}

/// Turns the rows of a chain into events.
fn events(steps: &[u32], rows: &[Row], events: &mut Vec<Option<Event>>) {
    events.clear();
    events.extend(steps.iter().map(|&step| {
        let row = rows.get(step as usize).filter(|_| step != SKIPPED);
        row.map(|row| Event {
            time: row.time,
            row: row.row,
        })
    }));
}
