//! Kernels that count by period and columns.

use std::sync::Arc;

use super::groups::{Groups, Periods};
use super::{ActorBlock, Answers, Column, Kernel, RowBlock, RowKernel, RowTests, Texts};
use crate::{Error, Result};

/// A count for each group that has any, ordered by period and then by the texts, null first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupCounts {
    /// Period (0 without periods), text of each column grouped by, count.
    pub(crate) rows: Vec<(u32, Vec<Option<String>>, u64)>,
}

/// How rows are grouped: shared by the kernels that count.
struct Grouping {
    by: Vec<usize>,
    periods: Option<Arc<dyn Periods>>,
}

/// The groups of one thread.
pub(crate) struct Tally<V> {
    groups: Groups<V>,
    texts: Vec<Arc<Texts>>,
    /// Of each row of the block at hand.
    places: Vec<u32>,
}

impl Grouping {
    fn tally<V: Default + Clone>(&self) -> Tally<V> {
        Tally {
            groups: Groups::new(
                self.periods.as_ref().map_or(1, |p| p.count()),
                self.by.len(),
            ),
            texts: Vec::new(),
            places: Vec::new(),
        }
    }

    fn place<V: Default + Clone>(
        &self,
        tally: &mut Tally<V>,
        times: Option<&[i64]>,
        columns: &[Column],
        rows: usize,
    ) -> Result<()> {
        let mut codes = Vec::with_capacity(self.by.len());
        let mut texts = Vec::with_capacity(self.by.len());
        for &place in &self.by {
            let column = columns.get(place).and_then(Column::codes).ok_or_else(|| {
                Error::invalid_spec("only text columns can be grouped by; give numbers as text")
            })?;
            codes.push(column.0);
            texts.push(column.1);
        }
        tally.groups.fit(&texts)?;
        if tally.texts.len() != texts.len() {
            tally.texts = texts.into_iter().cloned().collect();
        }
        let places = &mut tally.places;
        places.clear();
        match (&self.periods, times) {
            (Some(periods), Some(times)) => periods.number(times, places),
            (Some(_), None) => return Err(Error::internal("grouping by period takes times")),
            (None, _) => places.resize(rows, 0),
        }
        tally.groups.places(&codes, places);
        Ok(())
    }
}

impl<V: Default + Clone> Tally<V> {
    fn combine(
        mut self,
        mut from: Self,
        count: impl Fn(&V) -> u64,
        add: impl Fn(&mut V, &V),
    ) -> Result<Self> {
        if self.groups.values.len() < from.groups.values.len() {
            std::mem::swap(&mut self, &mut from);
        }
        self.groups.absorb(&from.groups, |v| count(v) > 0, add)?;
        if self.texts.is_empty() {
            self.texts = from.texts;
        }
        Ok(self)
    }

    fn counts(&self, count: impl Fn(&V) -> u64) -> GroupCounts {
        let texts: Vec<_> = self.texts.iter().map(|t| t.to_array()).collect();
        let mut rows = Vec::new();
        self.groups.each(
            |parts, value| {
                let codes = parts.iter().skip(1).zip(&texts);
                let of = codes.map(|(&code, texts)| {
                    let code = code as usize;
                    let known = arrow::array::Array::is_valid(texts, code);
                    known.then(|| texts.value(code).to_owned())
                });
                let period = parts.first().copied().unwrap_or(0);
                rows.push((period, of.collect(), count(value)));
            },
            |v| count(v) > 0,
        );
        rows.sort_unstable();
        GroupCounts { rows }
    }
}

/// Counts rows by period and columns.
pub(crate) struct CountRows {
    grouping: Grouping,
    only: Option<RowTests>,
}

/// The state of [`CountRows`].
pub(crate) struct RowCounts {
    tally: Tally<u64>,
    answers: Answers,
    masks: Vec<u64>,
}

impl CountRows {
    /// `by` are places of text columns in the request; `only` is one condition on what is counted.
    pub(crate) fn new(
        by: Vec<usize>,
        periods: Option<Arc<dyn Periods>>,
        only: Option<RowTests>,
    ) -> Self {
        CountRows {
            grouping: Grouping { by, periods },
            only,
        }
    }
}

impl RowKernel for CountRows {
    type State = RowCounts;

    fn new_state(&self) -> RowCounts {
        RowCounts {
            tally: self.grouping.tally(),
            answers: self
                .only
                .as_ref()
                .map_or_else(Answers::default, RowTests::new_answers),
            masks: Vec::new(),
        }
    }

    fn rows(&self, state: &mut RowCounts, block: &RowBlock) -> Result<()> {
        let times = block.times.as_deref();
        let tally = &mut state.tally;
        self.grouping
            .place(tally, times, &block.columns, block.rows)?;
        let values = &mut tally.groups.values;
        match &self.only {
            None => {
                for &place in &tally.places {
                    if let Some(count) = values.get_mut(place as usize) {
                        *count += 1;
                    }
                }
            }
            Some(only) => {
                only.masks(&mut state.answers, block, &mut state.masks)?;
                for (&place, &mask) in tally.places.iter().zip(&state.masks) {
                    if let Some(count) = values.get_mut(place as usize) {
                        *count += mask & 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn combine(&self, into: RowCounts, from: RowCounts) -> Result<RowCounts> {
        Ok(RowCounts {
            tally: into.tally.combine(from.tally, |c| *c, |a, b| *a += b)?,
            answers: into.answers,
            masks: into.masks,
        })
    }
}

impl RowCounts {
    /// Returns the counts.
    pub(crate) fn counts(&self) -> GroupCounts {
        self.tally.counts(|c| *c)
    }
}

/// Counts the different actors by period and columns: the last actor of each group is remembered, so
/// that an actor who comes again is seen without a set of actors.
pub(crate) struct DistinctActors {
    grouping: Grouping,
    only: Option<RowTests>,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    /// The last actor counted, by number within the state, from 1.
    last: u64,
    actors: u64,
}

/// The state of [`DistinctActors`].
pub(crate) struct ActorCounts {
    tally: Tally<Seen>,
    answers: Answers,
    masks: Vec<u64>,
    actors: u64,
}

impl DistinctActors {
    /// `by` are places of text columns in the request; `only` is one condition on the rows
    /// that count.
    pub(crate) fn new(
        by: Vec<usize>,
        periods: Option<Arc<dyn Periods>>,
        only: Option<RowTests>,
    ) -> Self {
        DistinctActors {
            grouping: Grouping { by, periods },
            only,
        }
    }
}

impl Kernel for DistinctActors {
    type State = ActorCounts;

    fn new_state(&self) -> ActorCounts {
        ActorCounts {
            tally: self.grouping.tally(),
            answers: self
                .only
                .as_ref()
                .map_or_else(Answers::default, RowTests::new_answers),
            masks: Vec::new(),
            actors: 0,
        }
    }

    fn block(&self, state: &mut ActorCounts, block: &ActorBlock) -> Result<()> {
        let (times, rows) = (Some(&block.times[..]), block.times.len());
        let tally = &mut state.tally;
        self.grouping.place(tally, times, &block.columns, rows)?;
        if let Some(only) = &self.only {
            only.masks(&mut state.answers, block, &mut state.masks)?;
        }
        let tested = self.only.as_ref().map(|_| &state.masks[..]);
        let values = &mut tally.groups.values;
        for rows in block.rows() {
            state.actors += 1;
            let actor = state.actors;
            // Neighbours are in the same group more often than not.
            let mut last = None;
            let mut count = |place: u32| {
                if last == Some(place) {
                    return;
                }
                last = Some(place);
                if let Some(seen) = values.get_mut(place as usize) {
                    seen.actors += u64::from(seen.last != actor);
                    seen.last = actor;
                }
            };
            let places = &tally.places[rows.clone()];
            match tested {
                None => places.iter().for_each(|&place| count(place)),
                Some(masks) => {
                    for (&place, &mask) in places.iter().zip(&masks[rows]) {
                        if mask & 1 != 0 {
                            count(place);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn combine(&self, into: ActorCounts, from: ActorCounts) -> Result<ActorCounts> {
        let tally =
            into.tally
                .combine(from.tally, |seen| seen.actors, |a, b| a.actors += b.actors)?;
        Ok(ActorCounts {
            tally,
            answers: into.answers,
            masks: into.masks,
            actors: into.actors + from.actors,
        })
    }
}

impl ActorCounts {
    /// Returns the number of different actors in each group.
    pub(crate) fn counts(&self) -> GroupCounts {
        self.tally.counts(|seen| seen.actors)
    }

    /// Returns the number of all actors.
    pub(crate) fn actors(&self) -> u64 {
        self.actors
    }
}
