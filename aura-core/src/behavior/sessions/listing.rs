//! The table of sessions.

use arrow::array::{Array, Int64Array, StringArray};
use arrow::datatypes::Field;

use crate::behavior::columns::Columns;
use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::pass::{Kernel, Marked};
use crate::engine::Table;
use crate::{Error, ErrorKind, Result};

use super::kernel::SessionsKernel;
use super::walk::{Carry, Session};

/// The list of sessions, ready for a scan.
pub(super) struct ListingKernel {
    pub(super) sessions: SessionsKernel,
    /// The column `event`.
    pub(super) event: Breakdown,
    pub(super) limit: u64,
}

/// A session with what the table says of it.
#[derive(Debug, Clone, Copy)]
struct Listed {
    /// The place of its actor in the names of the state.
    actor: u32,
    group: u32,
    first: u32,
    last: u32,
    number: u64,
    start: i64,
    end: i64,
    events: u64,
}

/// What a thread lists.
pub(super) struct ListState {
    groups: Groups,
    events: Groups,
    names: Vec<String>,
    listed: Vec<Listed>,
}

impl ListingKernel {
    fn check(&self, listed: usize) -> Result<()> {
        if listed as u64 <= self.limit {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::ResourceExhausted,
            format!(
                "limit: more than {} sessions start in the range; take a shorter range or a filter, or raise `limit`",
                self.limit
            ),
        ))
    }

    fn list(
        &self,
        state: &mut ListState,
        marked: &Marked<'_>,
        session: &Session,
        (rows, actor): (&std::ops::Range<usize>, u32),
    ) -> Result<()> {
        let kernel = &self.sessions;
        let (first, last) = (rows.start + session.first, rows.start + session.last);
        let group = match kernel.by.is_empty() {
            true => 0,
            false => {
                let row = kernel.first_of_ties(&state.groups, marked, first, rows.end);
                state.groups.id(row)?
            }
        };
        let first = kernel.first_of_ties(&state.events, marked, first, rows.end);
        // The first of the rows at the time of the last one that belongs to a session.
        let times = &marked.block.times;
        let mut at_end = last;
        while at_end > rows.start
            && let Some(before) = at_end.checked_sub(1)
            && times.get(before) == times.get(last)
        {
            at_end = before;
        }
        let belongs = |row: &usize| {
            let mask = marked.masks.get(*row).copied().unwrap_or(0);
            mask & kernel.bits.belongs != 0
        };
        let at_end = (at_end..=last).find(belongs).unwrap_or(last);
        let last = kernel.first_of_ties(&state.events, marked, at_end, rows.end);
        let (first, last) = (state.events.id(first)?, state.events.id(last)?);
        state.listed.push(Listed {
            actor,
            group,
            first,
            last,
            number: session.number + 1,
            start: session.start,
            end: session.end,
            events: session.events,
        });
        self.check(state.listed.len())
    }
}

impl Kernel for ListingKernel {
    type State = ListState;

    fn new_state(&self) -> Result<ListState> {
        Ok(ListState {
            groups: self.sessions.by.groups(),
            events: self.event.groups(),
            names: Vec::new(),
            listed: Vec::new(),
        })
    }

    fn block(&self, state: &mut ListState, marked: Marked<'_>) -> Result<()> {
        let block = marked.block;
        state.groups.begin(block)?;
        state.events.begin(block)?;
        let names = block
            .names
            .as_ref()
            .ok_or_else(|| Error::internal("the scan has no names of actors"))?;
        let mut failed: Option<Error> = None;
        for (at, rows) in block.rows().enumerate() {
            let times = &block.times[rows.clone()];
            let masks = &marked.masks[rows.clone()];
            let actor = state.names.len() as u32;
            let before = state.listed.len();
            self.sessions
                .each(times, masks, &mut Carry::default(), false, |session| {
                    if failed.is_none() {
                        failed = self.list(state, &marked, session, (&rows, actor)).err();
                    }
                });
            if state.listed.len() > before {
                let name = (at < names.len()).then(|| names.value(at).to_owned());
                state.names.push(name.unwrap_or_default());
            }
            if let Some(error) = failed.take() {
                return Err(error);
            }
        }
        Ok(())
    }

    fn combine(&self, mut into: ListState, from: ListState) -> Result<ListState> {
        self.check(into.listed.len() + from.listed.len())?;
        let groups = into.groups.absorb(&from.groups)?;
        let events = into.events.absorb(&from.events)?;
        let shift = into.names.len() as u32;
        into.names.extend(from.names);
        let id = |ids: &[u32], of: u32| ids.get(of as usize).copied().unwrap_or(0);
        into.listed.extend(from.listed.iter().map(|listed| Listed {
            actor: listed.actor + shift,
            group: id(&groups, listed.group),
            first: id(&events, listed.first),
            last: id(&events, listed.last),
            ..*listed
        }));
        Ok(into)
    }

    fn finish(&self, mut state: ListState) -> Result<Table> {
        let names = std::mem::take(&mut state.names);
        let name = |listed: &Listed| names.get(listed.actor as usize).map_or("", String::as_str);
        state
            .listed
            .sort_unstable_by(|a, b| name(a).cmp(name(b)).then(a.number.cmp(&b.number)));
        let rows = &state.listed;
        let ids = |of: fn(&Listed) -> u32| -> Vec<u32> { rows.iter().map(of).collect() };
        let mut columns = Columns::default();
        let actors: StringArray = rows.iter().map(|r| Some(name(r))).collect();
        columns.push_nullable("actor", actors, false);
        let numbers = rows.iter().map(|r| r.number as i64);
        columns.push_nullable("session", Int64Array::from_iter_values(numbers), false);
        let groups = state.groups.columns(&ids(|r| r.group))?;
        for (field, array) in self.sessions.by.fields().zip(groups) {
            columns.push_array(field, array);
        }
        columns.times("start", rows.iter().map(|r| r.start));
        columns.times("end", rows.iter().map(|r| r.end));
        let seconds = |r: &Listed| Some(r.end.abs_diff(r.start) as f64 / 1e6);
        columns.floats("duration", rows.iter().map(seconds), false);
        columns.counts("events", rows.iter().map(|r| r.events));
        let (first, last) = (ids(|r| r.first), ids(|r| r.last));
        for (name, ids) in [("first_event", first), ("last_event", last)] {
            for (field, array) in self.event.fields().zip(state.events.columns(&ids)?) {
                let nullable = field.is_nullable();
                columns.push_array(Field::new(name, field.data_type().clone(), nullable), array);
            }
        }
        let mut notes = Vec::new();
        if rows.is_empty() {
            notes.push("no session starts in the range".to_owned());
        }
        columns.table(notes)
    }
}
