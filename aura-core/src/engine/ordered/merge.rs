//! Actors from files that are sorted by them: a merge by name, with no hash and no sort.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, MutableArrayData, StringArray, StringBuilder, make_array};

use super::cursor::{Cursor, compare};
use super::order::{Ids, sort_actors};
use super::plan::{Out, Plan};
use super::{ActorBlock, Column, Texts};
use crate::ingest::CancelToken;
use crate::{Error, Result};

/// How a merge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merged {
    Done,
    /// Event ids are needed to decide a tie. So many rows were given away before.
    NeedsIds {
        given: usize,
    },
}

/// A column being put together.
enum Growing {
    Codes(Vec<u32>, Arc<Texts>),
    Values {
        arrays: Vec<ArrayRef>,
        /// Array, first row, and end.
        runs: Vec<(usize, usize, usize)>,
    },
}

impl Growing {
    fn new(out: &Out, rows: usize, spare: &mut Spare) -> Self {
        match &out.texts {
            Some(texts) => {
                let mut codes = spare.codes.pop().unwrap_or_default();
                codes.clear();
                codes.reserve(rows);
                Growing::Codes(codes, Arc::clone(texts))
            }
            None => Growing::Values {
                arrays: Vec::new(),
                runs: Vec::new(),
            },
        }
    }

    fn finish(self, out: &Out) -> Result<Column> {
        Ok(match self {
            Growing::Codes(codes, texts) => Column::Codes {
                codes: codes.into(),
                texts,
            },
            Growing::Values { arrays, runs } => {
                if arrays.is_empty() {
                    return Ok(Column::Values(arrow::array::new_empty_array(&out.ty)));
                }
                let rows = runs.iter().map(|(_, start, end)| end - start).sum();
                let data: Vec<_> = arrays.iter().map(|a| a.to_data()).collect();
                let mut all = MutableArrayData::new(data.iter().collect(), false, rows);
                for (array, start, end) in runs {
                    all.try_extend(array, start, end)?;
                }
                Column::Values(make_array(all.freeze()))
            }
        })
    }
}

/// Room of a block that was given away, for the next one: fresh memory costs more than what is written
/// to it.
#[derive(Default)]
struct Spare {
    times: Vec<i64>,
    codes: Vec<Vec<u32>>,
    starts: Vec<u32>,
}

impl Spare {
    fn of(block: ActorBlock) -> Self {
        let codes = block.columns.into_iter().filter_map(|column| match column {
            Column::Codes { codes, .. } => Some(Vec::from(codes)),
            Column::Values(_) => None,
        });
        Spare {
            codes: codes.collect(),
            times: block.times.into(),
            starts: block.starts,
        }
    }
}

/// A block being put together.
struct Building<'a> {
    plan: &'a Plan,
    with_names: bool,
    times: Vec<i64>,
    columns: Vec<Growing>,
    starts: Vec<u32>,
    names: StringBuilder,
    /// For each cursor, the batch whose arrays are in `columns`, and their place.
    known: Vec<(u64, usize)>,
    /// Whether the rows of each actor may be out of order.
    mixed: Vec<bool>,
    any_mixed: bool,
    /// The name of the actor at hand.
    name: Vec<u8>,
    /// Whether the first actor goes on from the block before.
    begun: bool,
    /// Whether the last actor goes on in the next block.
    open: bool,
}

impl<'a> Building<'a> {
    fn new(plan: &'a Plan, with_names: bool, cursors: usize, mut spare: Spare) -> Self {
        // The last actor may be longer than the room that is left.
        let rows = plan.sizes.block * 9 / 8;
        spare.starts.clear();
        spare.starts.push(0);
        spare.times.clear();
        spare.times.reserve(rows);
        let growing = |out| Growing::new(out, rows, &mut spare);
        Building {
            plan,
            with_names,
            columns: plan.out.iter().map(growing).collect(),
            times: spare.times,
            starts: spare.starts,
            names: StringBuilder::new(),
            known: vec![(0, 0); cursors],
            mixed: Vec::new(),
            any_mixed: false,
            name: Vec::new(),
            begun: false,
            open: false,
        }
    }

    /// Adds the current run of a cursor.
    fn add(&mut self, number: usize, cursor: &Cursor<'_>) {
        let Some(batch) = cursor.batch() else {
            return;
        };
        let rows = cursor.rows();
        self.times.extend_from_slice(&batch.times[rows.clone()]);
        for (growing, column) in self.columns.iter_mut().zip(&batch.columns) {
            match (growing, column) {
                (Growing::Codes(all, _), Column::Codes { codes, .. }) => {
                    all.extend_from_slice(&codes[rows.clone()]);
                }
                (Growing::Values { arrays, runs }, Column::Values(values)) => {
                    let place = match self.known.get(number) {
                        Some(&(batch, place)) if batch == cursor.batches => place,
                        _ => {
                            arrays.push(Arc::clone(values));
                            arrays.len() - 1
                        }
                    };
                    runs.push((place, rows.start, rows.end));
                }
                _ => {}
            }
        }
        let place = self.columns.iter().find_map(|c| match c {
            Growing::Values { arrays, .. } => Some(arrays.len().saturating_sub(1)),
            Growing::Codes(..) => None,
        });
        if let (Some(known), Some(place)) = (self.known.get_mut(number), place)
            && known.0 != cursor.batches
        {
            *known = (cursor.batches, place);
        }
    }

    fn put_name(&mut self, name: &[u8]) -> Result<()> {
        if self.with_names {
            let text = str::from_utf8(name);
            let text = text.map_err(|_| Error::internal("the name of an actor is no text"))?;
            self.names.append_value(text);
        }
        Ok(())
    }

    fn end_actor(&mut self, mixed: bool) {
        self.starts.push(self.times.len() as u32);
        self.mixed.push(mixed);
        self.any_mixed |= mixed;
    }

    fn rows(&self) -> usize {
        self.times.len()
    }

    /// Returns the block, or `None` if event ids are missing.
    fn finish(self, ids: Ids) -> Result<Option<ActorBlock>> {
        let Building {
            plan,
            with_names,
            times,
            columns,
            starts,
            mut names,
            mixed,
            any_mixed,
            begun,
            open,
            ..
        } = self;
        let columns = columns.into_iter().zip(&plan.out);
        let columns = columns.map(|(c, out)| c.finish(out));
        let mut columns = columns.collect::<Result<Vec<Column>>>()?;
        let mut times = times;
        if any_mixed {
            let mut order: Vec<u32> = (0..times.len() as u32).collect();
            let actors = starts.windows(2).zip(&mixed).filter(|(_, mixed)| **mixed);
            let actors = actors.map(|(w, _)| w[0] as usize..w[1] as usize);
            if !sort_actors(plan, ids, actors, &mut order, &times, &columns)? {
                return Ok(None);
            }
            if !order.is_sorted() {
                times = order.iter().map(|&row| times[row as usize]).collect();
                for column in &mut columns {
                    *column = column.reorder(&order)?;
                }
            }
        }
        columns.truncate(plan.asked);
        Ok(Some(ActorBlock {
            times: times.into(),
            columns,
            starts,
            names: with_names.then(|| names.finish()),
            begun,
            open,
        }))
    }
}

/// How rows are merged.
pub(super) struct Merge<'a> {
    pub(super) plan: &'a Plan,
    pub(super) names: bool,
    /// Whether rows of one actor may overlap in time between cursors.
    pub(super) overlapping: bool,
    /// Whether an actor may be given away in parts.
    pub(super) parts: bool,
    pub(super) ids: Ids,
    pub(super) cancel: &'a CancelToken,
}

impl Merge<'_> {
    /// Gives all actors of the cursors away, whose order is that of their times where those do not
    /// overlap. The first `skip` rows are left out: they were given away before.
    pub(super) fn run(
        &self,
        mut cursors: Vec<Cursor<'_>>,
        skip: usize,
        sink: &mut dyn FnMut(&ActorBlock) -> Result<()>,
    ) -> Result<Merged> {
        let mut given = 0;
        let mut give = |block: &ActorBlock| -> Result<usize> {
            self.cancel.check()?;
            let rows = block.times.len();
            if rows > 0 && given >= skip {
                sink(block)?;
            }
            given += rows;
            Ok(given)
        };
        let mut out = 0;
        let fresh =
            |cursors: usize, spare: Spare| Building::new(self.plan, self.names, cursors, spare);
        let mut building = fresh(cursors.len(), Spare::default());
        loop {
            cursors.retain(|c| c.batch().is_some());
            let width = cursors.len();
            if width == 0 {
                break;
            }
            if building.known.len() != width {
                // The numbers of the cursors changed.
                building.known.clear();
                building.known.resize(width, (0, 0));
            }
            if let [only] = cursors.as_mut_slice()
                && (only.ids_in_order || !self.overlapping)
                && let Some(block) = self.whole(only)?
            {
                if building.rows() > 0 {
                    let full = std::mem::replace(&mut building, fresh(1, Spare::default()));
                    let Some(full) = full.finish(self.ids)? else {
                        return Ok(Merged::NeedsIds { given: out });
                    };
                    give(&full)?;
                }
                out = give(&block)?;
                only.skip_whole_runs();
            }
            while cursors.iter().all(|c| c.batch().is_some()) {
                if !self.one_actor(&mut cursors, &mut building, &mut give)? {
                    return Ok(Merged::NeedsIds { given: out });
                }
                if building.rows() >= self.plan.sizes.block {
                    let Some(full) = building.finish(self.ids)? else {
                        return Ok(Merged::NeedsIds { given: out });
                    };
                    out = give(&full)?;
                    building = fresh(cursors.len(), Spare::of(full));
                    if width == 1 {
                        break;
                    }
                }
            }
        }
        match building.finish(self.ids)? {
            Some(last) => give(&last)?,
            None => return Ok(Merged::NeedsIds { given: out }),
        };
        Ok(Merged::Done)
    }

    /// Takes the actor with the least name. Returns false if event ids are missing.
    fn one_actor<'a>(
        &'a self,
        cursors: &mut [Cursor<'_>],
        building: &mut Building<'a>,
        give: &mut dyn FnMut(&ActorBlock) -> Result<usize>,
    ) -> Result<bool> {
        let mut least = 0;
        for other in 1..cursors.len() {
            let (a, b) = (&cursors[other], &cursors[least]);
            if a.prefix() < b.prefix()
                || (a.prefix() == b.prefix()
                    && compare(a.prefix(), a.name(), b.prefix(), b.name()).is_lt())
            {
                least = other;
            }
        }
        let mut contributors = 0;
        let mut in_order = true;
        // The name is needed when its cursor has moved on.
        let prefix = cursors[least].prefix();
        let mut name = std::mem::take(&mut building.name);
        name.clear();
        name.extend_from_slice(cursors[least].name());
        building.put_name(&name)?;
        let in_parts = self.parts
            && match cursors {
                [only] => only.ids_in_order || !self.overlapping,
                _ => !self.overlapping,
            };
        for (number, cursor) in cursors.iter_mut().enumerate().skip(least) {
            let same = |c: &Cursor<'_>| {
                c.prefix() == prefix && c.batch().is_some() && c.name() == name.as_slice()
            };
            if !same(cursor) {
                continue;
            }
            contributors += 1;
            in_order &= cursor.ids_in_order;
            while same(cursor) {
                if in_parts && building.rows() >= self.plan.sizes.block {
                    building.open = true;
                    building.end_actor(false);
                    let known = building.known.len();
                    let next = Building::new(self.plan, self.names, known, Spare::default());
                    let Some(part) = std::mem::replace(building, next).finish(self.ids)? else {
                        return Ok(false);
                    };
                    give(&part)?;
                    *building = Building::new(self.plan, self.names, known, Spare::of(part));
                    building.begun = true;
                    building.put_name(&name)?;
                }
                building.add(number, cursor);
                cursor.advance()?;
            }
        }
        building.name = name;
        building.end_actor(self.overlapping && (contributors > 1 || !in_order));
        Ok(true)
    }

    /// Returns the rest of a batch but its last run, without copying it.
    fn whole(&self, cursor: &Cursor<'_>) -> Result<Option<ActorBlock>> {
        let (Some((starts, names)), Some(batch)) = (cursor.whole_runs(), cursor.batch()) else {
            return Ok(None);
        };
        let (Some(&first), Some(&last)) = (starts.first(), starts.last()) else {
            return Ok(None);
        };
        let rows = first as usize..last as usize;
        let columns = batch.columns.iter().take(self.plan.asked);
        Ok(Some(ActorBlock {
            times: batch.times.slice(rows.start, rows.len()),
            columns: columns.map(|c| c.slice(&rows)).collect(),
            starts: starts.iter().map(|s| s - first).collect(),
            names: self.names.then(|| StringArray::from_iter_values(names)),
            begun: false,
            open: false,
        }))
    }
}
