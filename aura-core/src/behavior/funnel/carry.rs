//! Actors with very many rows, which come in parts.

use std::ops::Range;

use super::kernel::{FunnelKernel, Search, State};
use super::row::{End, Row};
use super::walk::Begin;
use crate::Result;
use crate::behavior::pass::Marked;

/// With how many rows a search is tried before all of them are there; then with twice as many, and so on.
const TRIED: usize = if cfg!(test) { 4 } else { 1 << 12 };

/// What is known of the actor whose rows are being gathered.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// When a chain may begin first.
    first: Option<i64>,
    /// Whether the chain that counts is among the rows already: it has all steps, and nothing later changes it.
    complete: bool,
    /// Rows with which the search was tried.
    tried: usize,
    /// Whether rows share a time.
    ties: bool,
}

impl FunnelKernel {
    /// Takes a part of an actor; counts its chain with the last one.
    pub(super) fn part(
        &self,
        state: &mut State,
        marked: Marked<'_>,
        rows: Range<usize>,
        (begun, open): (bool, bool),
    ) -> Result<()> {
        if !begun {
            state.rows.clear();
            state.groups.forget();
            state.carried = Carried::default();
        }
        self.carry(state, marked, rows);
        if open {
            self.try_now(state);
            return Ok(());
        }
        if state.carried.first.is_none() {
            return Ok(());
        }
        state.groups.look_back(true);
        if state.carried.ties && !state.carried.complete {
            self.order_ties(state, &[]);
        }
        let counted = match state.rows.is_empty() {
            true => Ok(()),
            false => self.actor(state, &[]),
        };
        state.groups.look_back(false);
        counted
    }

    /// Adds the rows that matter.
    fn carry(&self, state: &mut State, marked: Marked<'_>, rows: Range<usize>) {
        let times = marked.block.times.get(rows.clone()).unwrap_or_default();
        let masks = marked.masks.get(rows.clone()).unwrap_or_default();
        let carried = &mut state.carried;
        if carried.first.is_none() {
            let begins = |(mask, time): &(&u64, &i64)| {
                **mask & self.first != 0 && **time >= self.range.start
            };
            carried.first = masks.iter().zip(times).find(begins).map(|(_, time)| *time);
        }
        let Some(first) = carried.first else {
            // Rows at the time of the last one may still matter, when one that begins a chain comes at the same time.
            self.keep_last_moment(state, times, masks, rows.start);
            return;
        };
        let matters = self.marks.bits | self.all;
        if carried.complete {
            let last = times.iter().zip(masks).rev();
            let last = last.filter(|(time, mask)| **time < self.until && **mask & matters != 0);
            state.found.last_event = state.found.last_event.max(last.map(|(t, _)| *t).next());
            return;
        }
        // What was kept of the part before is of another time.
        if state.rows.first().is_some_and(|row| row.time < first) {
            state.rows.clear();
            state.groups.forget();
        }
        for ((&time, &mask), row) in times.iter().zip(masks).zip(rows) {
            if time < first || mask & matters == 0 {
                continue;
            }
            if time >= self.until {
                break;
            }
            state.carried.ties |= state.rows.last().is_some_and(|last| last.time == time);
            self.put(state, time, mask, row);
        }
    }

    fn keep_last_moment(&self, state: &mut State, times: &[i64], masks: &[u64], start: usize) {
        let Some(&last) = times.last().filter(|last| **last < self.until) else {
            return;
        };
        if state.rows.last().is_some_and(|row| row.time != last) {
            state.rows.clear();
            state.groups.forget();
        }
        let from = times.partition_point(|time| *time < last);
        let matters = self.marks.bits | self.all;
        for (at, mask) in masks.iter().enumerate().skip(from) {
            if mask & matters != 0 {
                self.put(state, last, *mask, start + at);
            }
        }
        state.carried.ties |= state.rows.len() > 1;
    }

    fn put(&self, state: &mut State, time: i64, mask: u64, row: usize) {
        state.groups.keep(row);
        state.rows.push(Row {
            time,
            marks: self.marks.of(mask),
            row: state.rows.len() as u32,
            unit: 0,
            part: 0,
        });
    }

    /// Looks whether the chain that counts is among the rows so far.
    fn try_now(&self, state: &mut State) {
        let rows = state.rows.len();
        if state.carried.complete
            || state.carried.first.is_none()
            || rows < TRIED.max(state.carried.tried * 2)
        {
            return;
        }
        state.carried.tried = rows;
        if state.carried.ties {
            state.groups.look_back(true);
            self.order_ties(state, &[]);
            state.groups.look_back(false);
        }
        // More rows of the last moment may come, and change the order within it.
        let Some(last) = state.rows.last().map(|row| row.time) else {
            return;
        };
        let ready = state.rows.partition_point(|row| row.time < last);
        let Search::InOrder(walk) = &mut state.search else {
            return;
        };
        let ready = state.rows.get(..ready).unwrap_or_default();
        let begin = Begin::Times(self.range.clone());
        if let End::Complete(at) = walk.search(&self.steps, ready, &begin) {
            state.found.last_event = state.found.last_event.max(Some(last));
            state.rows.truncate(at + 1);
            state.carried.complete = true;
        }
    }
}
