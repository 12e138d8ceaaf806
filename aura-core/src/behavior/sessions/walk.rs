//! From the events of one actor to its sessions.

use crate::behavior::window::Window;

/// A session: some of the rows of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    /// From 0, among those of the actor.
    pub(crate) number: u64,
    /// Its first and last row; not every row between need belong to it.
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) events: u64,
}

impl Session {
    /// Returns the duration in microseconds.
    pub(crate) fn duration(&self) -> u64 {
        self.end.abs_diff(self.start)
    }
}

/// What divides events into sessions.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The longest gap.
    pub(crate) gap: Window,
    pub(crate) max_length: Window,
}

/// Which rows belong to sessions, start and end them.
pub(crate) struct Marks<M, S, E> {
    pub(crate) belongs: M,
    /// `None` where no event starts or ends one.
    pub(crate) bounds: Option<(S, E)>,
}

impl Rules {
    /// Passes over the sessions of an actor, whose `times` ascend. Where it has more rows later, its last session stays in
    /// `carry`, which goes into the next call; that takes no bounds.
    #[inline]
    pub(crate) fn sessions<M, S, E>(
        &self,
        times: &[i64],
        marks: Marks<M, S, E>,
        carry: &mut Carry,
        more: bool,
        work: impl FnMut(&Session),
    ) where
        M: Fn(usize) -> bool,
        S: Fn(usize) -> bool,
        E: Fn(usize) -> bool,
    {
        let us = |window: &Window| match window {
            Window::Endless => Some(i64::MAX),
            Window::Clock(us) => Some(*us),
            Window::Calendar { .. } => None,
        };
        match (us(&self.gap), us(&self.max_length)) {
            (Some(gap), Some(most)) => {
                divide(times, marks, carry, more, work, |start, last, time| {
                    time.saturating_sub(last) <= gap && time.saturating_sub(start) <= most
                })
            }
            _ => divide(times, marks, carry, more, work, |start, last, time| {
                self.gap.holds(last, time) && self.max_length.holds(start, time)
            }),
        }
    }
}

/// What is known of an actor whose rows come in parts.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    open: Option<Session>,
    number: u64,
}

#[inline]
fn divide<M, S, E>(
    times: &[i64],
    marks: Marks<M, S, E>,
    carry: &mut Carry,
    more: bool,
    mut work: impl FnMut(&Session),
    goes_on: impl Fn(i64, i64, i64) -> bool,
) where
    M: Fn(usize) -> bool,
    S: Fn(usize) -> bool,
    E: Fn(usize) -> bool,
{
    let Carry {
        mut open,
        mut number,
    } = std::mem::take(carry);
    let mut take = |open: &mut Option<Session>, row: usize, time: i64, fresh: bool| {
        if let Some(session) = open {
            if time == session.end || (!fresh && goes_on(session.start, session.end, time)) {
                session.end = time;
                session.last = row;
                session.events += 1;
                return;
            }
            work(session);
        }
        *open = Some(Session {
            number,
            first: row,
            last: row,
            start: time,
            end: time,
            events: 1,
        });
        number += 1;
    };
    match &marks.bounds {
        None => {
            for (row, &time) in times.iter().enumerate() {
                if (marks.belongs)(row) {
                    take(&mut open, row, time, false);
                }
            }
        }
        Some((starts, ends)) => {
            let (mut row, mut closed) = (0, false);
            while let Some(&time) = times.get(row) {
                // Most moments have one event.
                if times.get(row + 1) != Some(&time) {
                    if (marks.belongs)(row) {
                        take(&mut open, row, time, closed || starts(row));
                        closed = ends(row);
                    }
                    row += 1;
                    continue;
                }
                let rest = times.get(row..).unwrap_or_default();
                let moment = row..row + rest.iter().take_while(|t| **t == time).count();
                row = moment.end;
                let fresh = closed || moment.clone().any(starts);
                let mut met = false;
                for row in moment.clone() {
                    if (marks.belongs)(row) {
                        take(&mut open, row, time, fresh);
                        met = true;
                    }
                }
                if met {
                    closed = moment.clone().any(ends);
                }
            }
        }
    }
    if more {
        *carry = Carry { open, number };
    } else if let Some(session) = &open {
        work(session);
    }
}
