//! The table of the summary.

use crate::Result;
use crate::behavior::columns::Columns;
use crate::behavior::periods::incomplete;
use crate::behavior::shares::share;
use crate::engine::Table;

use super::durations::Percentile;
use super::kernel::{Cell, SessionsKernel, State};

impl SessionsKernel {
    pub(super) fn summary(&self, state: &State) -> Result<Table> {
        let count = self.asked.count();
        let none = Cell::default();
        let (mut ids, mut cells) = (Vec::new(), Vec::new());
        for id in state.groups.in_order() {
            let from = id as usize * count;
            let of_group = state.cells.get(from..from + count).unwrap_or_default();
            // A group may be known of rows that begin no session in the range.
            if !self.by.is_empty() && of_group.iter().all(|c| c.sessions == 0) {
                continue;
            }
            for period in 0..count {
                ids.push(id);
                cells.push((period, of_group.get(period).unwrap_or(&none)));
            }
        }
        let each = || cells.iter().map(|(_, cell)| *cell);
        let mut columns = Columns::new(&self.by, &state.groups, &ids)?;
        let complete = self.asked.complete();
        if self.asked.periods.is_some() {
            let labels = self.asked.labels()?;
            let label = |period: usize| labels.get(period);
            let starts = cells.iter().map(|(p, _)| label(*p).map_or(0, |l| l.0));
            columns.times("period", starts);
            let texts = cells.iter().map(|(p, _)| label(*p).map_or("", |l| &l.1));
            columns.texts("period_label", texts);
        }
        columns.counts("sessions", each().map(|c| c.sessions));
        columns.counts("actors", each().map(|c| c.actors));
        columns.counts("events", each().map(|c| c.events));
        columns.counts("single_event", each().map(|c| c.single));
        let per_actor = each().map(|c| share(c.sessions, c.actors));
        columns.floats("sessions_per_actor", per_actor, true);
        let events = each().map(|c| share(c.events, c.sessions));
        columns.floats("events_per_session", events, true);
        let single = each().map(|c| share(c.single, c.sessions));
        columns.floats("single_event_share", single, true);
        let mean = |c: &Cell| {
            let all = c.duration as f64 / 1e6;
            (c.sessions > 0).then(|| all / c.sessions as f64)
        };
        columns.floats("duration_mean", each().map(mean), true);
        let found: Vec<Vec<Option<f64>>> = each()
            .map(|c| {
                let all = Percentile {
                    zeros: c.zeros,
                    durations: &c.durations,
                };
                match self.percentiles.is_empty() {
                    true => Vec::new(),
                    false => all.seconds(&self.percentiles),
                }
            })
            .collect();
        for (i, percentile) in self.percentiles.iter().enumerate() {
            let name = match percentile {
                50.0 => "duration_median".to_owned(),
                p => format!("duration_p{p}"),
            };
            let values = found.iter().map(|row| row.get(i).copied().flatten());
            columns.floats(&name, values, true);
        }
        let mut notes = Vec::new();
        if self.asked.periods.is_some() {
            let of_row = |period: usize| complete.get(period).copied().unwrap_or(false);
            columns.flags("complete", cells.iter().map(|(p, _)| of_row(*p)));
            notes.extend(incomplete(&complete));
        }
        if each().all(|c| c.sessions == 0) {
            notes.push("no session starts in the range".to_owned());
        }
        columns.table(notes)
    }
}
