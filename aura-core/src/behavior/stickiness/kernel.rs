//! Stickiness: from the spec to the table.

use crate::behavior::columns::Columns;
use crate::behavior::common::Common;
use crate::behavior::groups::{Breakdown, Groups};
use crate::behavior::making::Making;
use crate::behavior::pass::{Distinct, Kernel, Marked, Prepared, Spec};
use crate::behavior::periods::Asked;
use crate::behavior::shares::share;
use crate::behavior::visits::Visits;
use crate::calendar::Bucketer;
use crate::engine::Table;
use crate::{Error, ErrorKind, Result};

use super::spec::{Stickiness, StickinessOutput};

/// Most groups times intervals times periods.
const MAX_CELLS: usize = 1 << 22;

impl Spec for Stickiness {
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
        if let Some(within) = self.within
            && within <= self.period
        {
            return Err(Error::invalid_spec(format!(
                "within: one {within} is not longer than one {}, the period",
                self.period
            )));
        }
        let active = making.condition("events", &self.events)?;
        let by = making.by()?;
        making.any_order();
        let grain = self.within.unwrap_or(self.period);
        let asked = Asked::new(making, Some(grain), self.as_of.as_deref())?;
        making.reads(Some(asked.from), Some(asked.seen_to()));
        let short = asked.calendar.bucketer(self.period, asked.from, asked.to)?;
        let mut intervals = Vec::new();
        let mut cells = 0;
        let bounds = match &asked.periods {
            Some(periods) if self.within.is_some() => {
                let bounds = periods.periods().map(|p| (p.start_us(), p.end_us()));
                bounds.collect()
            }
            _ if asked.from < asked.to => vec![(asked.from, asked.to)],
            _ => Vec::new(),
        };
        let now = asked.seen_to() - 1;
        for (start, end) in bounds {
            let place = |us: i64| -> usize {
                let found = short.index_of(&[us]);
                found.first().map_or(0, |at| (*at).max(0) as usize)
            };
            let periods = place(end - 1) - place(start) + 1;
            intervals.push(Interval {
                periods,
                begun: place(now.min(end - 1)).saturating_sub(place(start)) + 1,
                complete: asked.as_of.is_some_and(|us| us >= end),
                from: cells,
            });
            cells += periods;
            if cells > MAX_CELLS {
                return Err(too_many());
            }
        }
        Ok(Box::new(StickinessKernel {
            active,
            by,
            output: self.output,
            long: asked.periods.clone().filter(|_| self.within.is_some()),
            short,
            asked,
            intervals,
            cells,
        }))
    }
}

fn too_many() -> Error {
    Error::new(
        ErrorKind::ResourceExhausted,
        format!(
            "the result has more than {MAX_CELLS} rows of group, interval and number of periods; take longer periods, a shorter range, or fewer columns in `by`"
        ),
    )
}

/// One interval.
#[derive(Debug, Clone, Copy)]
struct Interval {
    /// How many periods share a moment with it,
    periods: usize,
    /// and how many of them have begun.
    begun: usize,
    complete: bool,
    /// The place of its first count in those of a group.
    from: usize,
}

struct StickinessKernel {
    active: u64,
    by: Breakdown,
    output: StickinessOutput,
    asked: Asked,
    short: Bucketer,
    long: Option<Bucketer>,
    intervals: Vec<Interval>,
    /// Counts of a group.
    cells: usize,
}

struct State {
    groups: Groups,
    /// By group, interval and number of active periods (less one): how many actors.
    counts: Vec<u64>,
    short: Vec<i32>,
    long: Vec<i32>,
    visits: Visits,
}

impl StickinessKernel {
    fn fit(&self, counts: &mut Vec<u64>, groups: usize) -> Result<()> {
        let needed = groups.saturating_mul(self.cells);
        if needed > MAX_CELLS {
            return Err(too_many());
        }
        if counts.len() < needed {
            counts.resize(needed, 0);
        }
        Ok(())
    }
}

impl Kernel for StickinessKernel {
    type State = State;

    fn new_state(&self) -> Result<State> {
        Ok(State {
            groups: self.by.groups(),
            counts: Vec::new(),
            short: Vec::new(),
            long: Vec::new(),
            visits: Visits::default(),
        })
    }

    fn block(&self, state: &mut State, marked: Marked<'_>) -> Result<()> {
        let State {
            groups,
            counts,
            short,
            long,
            visits,
        } = state;
        let times = &marked.block.times[..];
        groups.begin(marked.block)?;
        short.clear();
        short.resize(times.len(), -1);
        self.short.index_into(times, short)?;
        long.clear();
        long.resize(times.len(), 0);
        if let Some(bucketer) = &self.long {
            bucketer.index_into(times, long)?;
        }
        let end = self.asked.seen_to();
        for actor in marked.block.parts() {
            if !actor.begun {
                visits.clear();
            }
            for row in actor.rows {
                if times[row] >= end {
                    continue;
                }
                if short[row] < 0 || marked.masks[row] & self.active == 0 {
                    continue;
                }
                let group = match self.by.is_empty() {
                    true => 0,
                    false => groups.id(row)?,
                };
                visits.add(group, (long[row] as u64) << 32 | short[row] as u64);
            }
            if actor.open {
                continue;
            }
            self.fit(counts, groups.len())?;
            for visits in visits.by_group() {
                for of_interval in visits.chunk_by(|a, b| a.1 >> 32 == b.1 >> 32) {
                    let Some((group, key)) = of_interval.first() else {
                        continue;
                    };
                    let Some(interval) = self.intervals.get((key >> 32) as usize) else {
                        continue;
                    };
                    let place = *group as usize * self.cells + interval.from;
                    if let Some(count) = counts.get_mut(place + of_interval.len() - 1) {
                        *count += 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn combine(&self, mut into: State, from: State) -> Result<State> {
        let ids = into.groups.absorb(&from.groups)?;
        self.fit(&mut into.counts, into.groups.len())?;
        for (id, counts) in ids.iter().zip(from.counts.chunks(self.cells.max(1))) {
            let place = *id as usize * self.cells;
            let own = into.counts.get_mut(place..).unwrap_or_default();
            for (own, count) in own.iter_mut().zip(counts) {
                *own += count;
            }
        }
        Ok(into)
    }

    fn finish(&self, mut state: State) -> Result<Table> {
        self.fit(&mut state.counts, state.groups.len())?;
        let mut rows = Vec::new();
        for id in state.groups.in_order() {
            for (number, interval) in self.intervals.iter().enumerate() {
                let from = id as usize * self.cells + interval.from;
                let counts = state.counts.get(from..from + interval.periods);
                let counts = counts.unwrap_or_default();
                let actors: u64 = counts.iter().sum();
                if actors > 0 {
                    rows.push((id, number, *interval, counts, actors));
                }
            }
        }
        match self.output {
            StickinessOutput::Distribution => self.distribution(&state.groups, &rows),
            StickinessOutput::Ratio => self.ratio(&state.groups, &rows),
        }
    }

    fn takes_parts(&self) -> bool {
        true
    }

    fn distinct(&self) -> Option<Distinct<'_>> {
        self.by.is_empty().then_some(Distinct {
            bit: self.active,
            periods: &self.short,
            within: self.long.as_ref(),
        })
    }
}

/// Group, number of the interval, the interval, its counts, and their sum.
type Row<'a> = (u32, usize, Interval, &'a [u64], u64);

impl StickinessKernel {
    fn begin(
        &self,
        groups: &Groups,
        rows: impl Iterator<Item = (u32, usize)> + Clone,
    ) -> Result<Columns> {
        let ids: Vec<u32> = rows.clone().map(|(id, _)| id).collect();
        let mut columns = Columns::new(&self.by, groups, &ids)?;
        if self.long.is_some() {
            let labels = self.asked.labels()?;
            let starts = rows.clone().map(|(_, i)| labels.get(i).map_or(0, |l| l.0));
            columns.times("interval", starts);
            let texts = rows.map(|(_, i)| labels.get(i).map_or("", |l| &l.1));
            columns.texts("interval_label", texts);
        }
        Ok(columns)
    }

    fn distribution(&self, groups: &Groups, rows: &[Row<'_>]) -> Result<Table> {
        // Number of periods, actors, those with so many or more, all.
        let mut out: Vec<(u32, usize, u32, u64, u64, u64, bool)> = Vec::new();
        for (id, number, interval, counts, actors) in rows {
            let mut at_least = *actors;
            for (n, count) in (1..).zip(counts.iter()) {
                let complete = interval.complete;
                out.push((*id, *number, n, *count, at_least, *actors, complete));
                at_least -= count;
            }
        }
        let mut columns = self.begin(groups, out.iter().map(|r| (r.0, r.1)))?;
        columns.numbers("active_periods", out.iter().map(|r| r.2));
        columns.counts("actors", out.iter().map(|r| r.3));
        columns.floats("share", out.iter().map(|r| share(r.3, r.5)), false);
        columns.counts("at_least", out.iter().map(|r| r.4));
        let shares = out.iter().map(|r| share(r.4, r.5));
        columns.floats("at_least_share", shares, false);
        columns.flags("complete", out.iter().map(|r| r.6));
        columns.table(self.notes(rows))
    }

    fn ratio(&self, groups: &Groups, rows: &[Row<'_>]) -> Result<Table> {
        let mut columns = self.begin(groups, rows.iter().map(|r| (r.0, r.1)))?;
        columns.counts("periods", rows.iter().map(|r| r.2.begun as u64));
        columns.counts("actors", rows.iter().map(|r| r.4));
        let active = |r: &Row<'_>| -> u64 {
            let by_number = r.3.iter().zip(1..);
            by_number.map(|(actors, n): (&u64, u64)| actors * n).sum()
        };
        let mean = rows.iter().map(|r| share(active(r), r.2.begun as u64));
        columns.floats("active_mean", mean, false);
        let ratio = rows
            .iter()
            .map(|r| share(active(r), r.2.begun as u64 * r.4));
        columns.floats("stickiness", ratio, false);
        columns.flags("complete", rows.iter().map(|r| r.2.complete));
        columns.table(self.notes(rows))
    }

    fn notes(&self, rows: &[Row<'_>]) -> Vec<String> {
        let mut notes = Vec::new();
        if rows.is_empty() {
            notes.push("nobody is active in the range, so there are no rows".to_owned());
        } else if self.intervals.iter().any(|i| !i.complete) {
            notes
                .push("the last interval is not complete: its values will still change".to_owned());
        }
        notes
    }
}
