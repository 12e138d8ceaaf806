//! From what was counted to tables.

use crate::Result;
use crate::behavior::columns::Columns;
use crate::behavior::groups::Groups;
use crate::behavior::shares::share;
use crate::engine::ExactSum;
use crate::engine::Table;

use super::kernel::RetentionKernel;
use super::spec::RetentionOutput;
use super::survival::{Step, survival};
use super::tally::{CellTally, LifeTally};

/// A share of fewer than this many is called a share of few.
const FEW: u64 = 30;

/// A row of the matrix.
struct MatrixRow {
    cohort: usize,
    cell: usize,
    actors: u64,
    retained: u64,
    value: f64,
    total: f64,
    complete: bool,
}

/// A row of the curve.
struct CurveRow {
    cell: usize,
    actors: u64,
    retained: u64,
    value_actors: u64,
    total: f64,
}

impl RetentionKernel {
    pub(super) fn cell_table(&self, groups: &Groups, tallies: &[CellTally]) -> Result<Table> {
        match self.spec.output {
            RetentionOutput::Curve => self.curve(groups, tallies),
            _ => self.matrix(groups, tallies),
        }
    }

    fn matrix(&self, groups: &Groups, tallies: &[CellTally]) -> Result<Table> {
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for id in groups.in_order() {
            let Some(tally) = tallies.get(id as usize) else {
                continue;
            };
            for (number, cohort) in self.cohorts.iter().enumerate() {
                let counted = tally.cohort(&self.cells, self.spec.mode, number);
                if counted.actors == 0 {
                    continue;
                }
                let mut values = tally.values(&self.cells, number).iter();
                let mut total = values.next().cloned().unwrap_or_default();
                for (cell, numbers) in counted.cells.iter().enumerate() {
                    if !self.has_begun(cohort, cell) {
                        break;
                    }
                    let value = values.next().cloned().unwrap_or_default();
                    total.merge(&value);
                    ids.push(id);
                    rows.push(MatrixRow {
                        cohort: number,
                        cell,
                        actors: counted.actors,
                        retained: numbers.retained,
                        value: value.value(),
                        total: total.value(),
                        complete: self.is_complete(cohort, cell),
                    });
                }
            }
        }
        let mut labels = Vec::with_capacity(self.cohorts.len());
        for cohort in &self.cohorts {
            labels.push(self.calendar.label(cohort)?);
        }
        let mut columns = Columns::new(&self.by, groups, &ids)?;
        let cohort = |row: &MatrixRow| self.cohorts.get(row.cohort);
        columns.times(
            "cohort",
            rows.iter().map(|r| cohort(r).map_or(0, |c| c.start_us())),
        );
        let label = |row: &MatrixRow| labels.get(row.cohort).map_or("", String::as_str);
        columns.texts("cohort_label", rows.iter().map(label));
        self.offsets(&mut columns, rows.iter().map(|r| r.cell));
        columns.counts("actors", rows.iter().map(|r| r.actors));
        columns.counts("retained", rows.iter().map(|r| r.retained));
        columns.floats(
            "share",
            rows.iter().map(|r| share(r.retained, r.actors)),
            false,
        );
        if self.value.is_some() {
            columns.floats("value", rows.iter().map(|r| Some(r.value)), false);
            columns.floats("value_total", rows.iter().map(|r| Some(r.total)), false);
            let each = |r: &MatrixRow| Some(r.total / r.actors as f64);
            columns.floats("value_per_actor", rows.iter().map(each), false);
        }
        columns.flags("complete", rows.iter().map(|r| r.complete));
        let mut notes = self.notes(rows.is_empty());
        let open = rows.iter().filter(|r| !r.complete).count();
        if open > 0 {
            notes.push(format!(
                "{open} of {} cells are not complete: their windows have not ended for every actor, so that their values can still grow",
                rows.len()
            ));
        }
        let few = rows.iter().filter(|r| r.actors < FEW).count();
        if few > 0 {
            notes.push(format!(
                "{few} of {} shares are of fewer than {FEW} actors; such shares vary by chance",
                rows.len()
            ));
        }
        columns.table(notes)
    }

    fn curve(&self, groups: &Groups, tallies: &[CellTally]) -> Result<Table> {
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for id in groups.in_order() {
            let Some(tally) = tallies.get(id as usize) else {
                continue;
            };
            let mut cells: Vec<Option<(CurveRow, ExactSum)>> =
                (0..self.cells.len()).map(|_| None).collect();
            for (number, cohort) in self.cohorts.iter().enumerate() {
                let counted = tally.cohort(&self.cells, self.spec.mode, number);
                if counted.actors == 0 {
                    continue;
                }
                let mut values = tally.values(&self.cells, number).iter();
                let mut total = values.next().cloned().unwrap_or_default();
                for (cell, (numbers, slot)) in counted.cells.iter().zip(&mut cells).enumerate() {
                    if !self.has_begun(cohort, cell) {
                        break;
                    }
                    let (row, sum) = slot.get_or_insert_with(|| {
                        let row = CurveRow {
                            cell,
                            actors: 0,
                            retained: 0,
                            value_actors: 0,
                            total: 0.0,
                        };
                        (row, ExactSum::default())
                    });
                    row.actors += numbers.observed;
                    row.retained += numbers.retained_of_observed;
                    if let Some(value) = values.next() {
                        total.merge(value);
                    }
                    if self.is_complete(cohort, cell) {
                        row.value_actors += counted.actors;
                        sum.merge(&total);
                    }
                }
            }
            for (mut row, sum) in cells.into_iter().flatten() {
                row.total = sum.value();
                ids.push(id);
                rows.push(row);
            }
        }
        let mut columns = Columns::new(&self.by, groups, &ids)?;
        self.offsets(&mut columns, rows.iter().map(|r| r.cell));
        columns.counts("actors", rows.iter().map(|r| r.actors));
        columns.counts("retained", rows.iter().map(|r| r.retained));
        columns.floats(
            "share",
            rows.iter().map(|r| share(r.retained, r.actors)),
            true,
        );
        if self.value.is_some() {
            columns.counts("value_actors", rows.iter().map(|r| r.value_actors));
            let known = |r: &CurveRow| (r.value_actors > 0).then_some(r.total);
            columns.floats("value_total", rows.iter().map(known), true);
            let each = |r: &CurveRow| known(r).map(|total| total / r.value_actors as f64);
            columns.floats("value_per_actor", rows.iter().map(each), true);
        }
        let mut notes = self.notes(rows.is_empty());
        let none = rows.iter().filter(|r| r.actors == 0).count();
        if none > 0 {
            notes.push(format!(
                "{none} of {} windows have not ended for anybody; their share is null",
                rows.len()
            ));
        }
        let few = rows.iter().filter(|r| (1..FEW).contains(&r.actors)).count();
        if few > 0 {
            notes.push(format!(
                "{few} of {} shares are of fewer than {FEW} actors; such shares vary by chance",
                rows.len()
            ));
        }
        columns.table(notes)
    }

    fn offsets(&self, columns: &mut Columns, cells: impl Iterator<Item = usize> + Clone) {
        columns.numbers("offset", cells.clone().map(|k| self.cells.first(k)));
        if !self.spec.brackets.is_empty() {
            columns.numbers("offset_last", cells.map(|k| self.cells.last(k)));
        }
    }

    fn notes(&self, empty: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if empty {
            notes.push("no actor has a start in the range, so there are no rows".to_owned());
        }
        notes
    }

    pub(super) fn life_table(&self, groups: &Groups, tallies: &[LifeTally]) -> Result<Table> {
        let of_group = groups.in_order().into_iter().filter_map(|id| {
            let tally = tallies.get(id as usize)?;
            (tally.actors > 0).then_some((id, tally))
        });
        let lives: Vec<(u32, &LifeTally)> = of_group.collect();
        match self.spec.output {
            RetentionOutput::Streaks => self.streaks(groups, &lives),
            RetentionOutput::Survival => self.survival(groups, &lives),
            _ => self.summary(groups, &lives),
        }
    }

    fn summary(&self, groups: &Groups, lives: &[(u32, &LifeTally)]) -> Result<Table> {
        let ids: Vec<u32> = lives.iter().map(|(id, _)| *id).collect();
        let each = || lives.iter().map(|(_, tally)| *tally);
        let returned = |t: &LifeTally| t.first.iter().sum::<u64>();
        let mut columns = Columns::new(&self.by, groups, &ids)?;
        columns.counts("cohorts", each().map(LifeTally::cohorts));
        columns.counts("actors", each().map(|t| t.actors));
        columns.counts("returned", each().map(returned));
        columns.floats("share", each().map(|t| share(returned(t), t.actors)), false);
        columns.floats(
            "first_return_median",
            each().map(|t| median(&t.first)),
            true,
        );
        let active = each().map(|t| share(t.active, t.actors));
        columns.floats("active_windows_mean", active, false);
        let runs = |t: &LifeTally| -> u64 {
            let lengths = t.longest.iter().zip(0..);
            lengths.map(|(n, length): (&u64, u64)| n * length).sum()
        };
        let mean = each().map(|t| share(runs(t), t.actors));
        columns.floats("streak_mean", mean, false);
        let longest = |t: &LifeTally| t.longest.len().saturating_sub(1) as u64;
        columns.counts("streak_longest", each().map(longest));
        columns.table(self.notes(lives.is_empty()))
    }

    fn streaks(&self, groups: &Groups, lives: &[(u32, &LifeTally)]) -> Result<Table> {
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for (id, tally) in lives {
            let at = |counts: &[u64], length: usize| counts.get(length).copied().unwrap_or(0);
            for length in 0..tally.longest.len() {
                let counts = (at(&tally.longest, length), at(&tally.current, length));
                ids.push(*id);
                rows.push((length as u32, counts.0, counts.1, tally.actors));
            }
        }
        let mut columns = Columns::new(&self.by, groups, &ids)?;
        columns.numbers("length", rows.iter().map(|r| r.0));
        columns.counts("longest", rows.iter().map(|r| r.1));
        let shares = rows.iter().map(|r| share(r.1, r.3));
        columns.floats("longest_share", shares, false);
        columns.counts("current", rows.iter().map(|r| r.2));
        let shares = rows.iter().map(|r| share(r.2, r.3));
        columns.floats("current_share", shares, false);
        columns.table(self.notes(lives.is_empty()))
    }

    fn survival(&self, groups: &Groups, lives: &[(u32, &LifeTally)]) -> Result<Table> {
        let (mut ids, mut rows) = (Vec::new(), Vec::<(u32, Step)>::new());
        for (id, tally) in lives {
            for (window, step) in (0..).zip(survival(&tally.left, &tally.censored)) {
                ids.push(*id);
                rows.push((window, step));
            }
        }
        let mut columns = Columns::new(&self.by, groups, &ids)?;
        columns.numbers("offset", rows.iter().map(|r| r.0));
        columns.counts("at_risk", rows.iter().map(|r| r.1.at_risk));
        columns.counts("left", rows.iter().map(|r| r.1.left));
        columns.counts("censored", rows.iter().map(|r| r.1.censored));
        columns.floats("survival", rows.iter().map(|r| Some(r.1.survival)), false);
        columns.floats("low", rows.iter().map(|r| Some(r.1.low)), false);
        columns.floats("high", rows.iter().map(|r| Some(r.1.high)), false);
        columns.table(self.notes(lives.is_empty()))
    }
}

/// Returns the median of numbers given by how often each occurs; between two it is their mean.
fn median(counts: &[u64]) -> Option<f64> {
    let all: u64 = counts.iter().sum();
    let at = |rank: u64| -> f64 {
        let mut passed = 0;
        let found = counts.iter().position(|n| {
            passed += n;
            passed > rank
        });
        found.unwrap_or(0) as f64
    };
    let last = all.checked_sub(1)?;
    Some((at(last / 2) + at(all / 2)) / 2.0)
}
