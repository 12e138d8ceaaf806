//! What is counted of the chains, by group, period and segment.

use std::collections::HashMap;

use super::kernel::Event;
use crate::behavior::charge::Charge;
use crate::behavior::sessions::durations::Durations;
use crate::{Error, ErrorKind, Result};

/// Most rows of a result.
const MAX_ROWS: usize = 1 << 22;

/// The chains of one group, period and segment.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Chains that hold each step.
    pub(super) counts: Vec<u64>,
    /// For each step from the second one on.
    pub(super) times: Vec<Times>,
}

/// How long the chains of a cell took to a step, in microseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    /// From the event before.
    pub(super) from_previous: Durations,
    /// From the first event; of the second step it is the same, and is not kept.
    from_first: Durations,
    /// Chains by the time from the event before.
    pub(super) histogram: Vec<u64>,
}

/// Which times are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// For percentiles.
    pub(super) percentiles: bool,
    /// The bounds of the histogram in microseconds.
    pub(super) bounds: Vec<u64>,
}

/// Which cell: the group, and the period and segment.
pub(super) type Key = (u32, u32);

/// All cells of a thread.
#[derive(Debug)]
pub(super) struct Cells {
    steps: usize,
    kept: Kept,
    charge: Charge,
    places: HashMap<Key, usize>,
    pub(super) cells: Vec<(Key, Cell)>,
    /// The last one asked for.
    last: Option<(Key, usize)>,
}

impl Cell {
    pub(super) fn new(steps: usize, kept: &Kept) -> Cell {
        let times = Times {
            histogram: match kept.bounds.len() {
                0 => Vec::new(),
                bounds => vec![0; bounds + 1],
            },
            ..Times::default()
        };
        Cell {
            counts: vec![0; steps],
            times: vec![times; steps - 1],
        }
    }

    /// About how many bytes a cell takes without times.
    fn bytes(steps: usize, kept: &Kept) -> usize {
        let step = size_of::<Times>() + size_of::<u64>() * (2 + kept.bounds.len());
        size_of::<(Key, Cell)>() + size_of::<(Key, usize)>() + steps * step
    }

    /// Returns the times from the first event to a step, from the second one on.
    pub(super) fn since_first(&self, step: usize) -> Option<&Durations> {
        let times = self.times.get(step.checked_sub(1)?)?;
        Some(match step {
            1 => &times.from_previous,
            _ => &times.from_first,
        })
    }

    /// Returns what is known of the times to a step, from the second one on.
    pub(super) fn times(&self, step: usize) -> Option<&Times> {
        self.times.get(step.checked_sub(1)?)
    }

    /// Counts a chain; returns how many bytes more are taken.
    fn add(&mut self, chain: &[Option<Event>], kept: &Kept) -> usize {
        let Some(Some(first)) = chain.first() else {
            return 0;
        };
        let mut previous = first.time;
        let mut bytes = 0;
        for (step, event) in chain.iter().enumerate() {
            let Some(event) = event else {
                continue;
            };
            if let Some(count) = self.counts.get_mut(step) {
                *count += 1;
            }
            // Times of one actor rise.
            let since = |time: i64| event.time.saturating_sub(time).max(0) as u64;
            if let Some(times) = step.checked_sub(1).and_then(|s| self.times.get_mut(s)) {
                let between = since(previous);
                if kept.percentiles {
                    bytes += times.from_previous.push(between);
                    if step > 1 {
                        bytes += times.from_first.push(since(first.time));
                    }
                }
                let bin = kept.bounds.partition_point(|bound| *bound <= between);
                if let Some(count) = times.histogram.get_mut(bin) {
                    *count += 1;
                }
            }
            previous = event.time;
        }
        bytes
    }

    fn absorb(&mut self, from: Cell) {
        for (count, more) in self.counts.iter_mut().zip(from.counts) {
            *count += more;
        }
        for (own, more) in self.times.iter_mut().zip(from.times) {
            own.from_previous.absorb(more.from_previous);
            own.from_first.absorb(more.from_first);
            for (count, more) in own.histogram.iter_mut().zip(more.histogram) {
                *count += more;
            }
        }
    }
}

impl Cells {
    pub(super) fn new(steps: usize, kept: Kept, charge: Charge) -> Cells {
        Cells {
            steps,
            kept,
            charge,
            places: HashMap::new(),
            cells: Vec::new(),
            last: None,
        }
    }

    /// Counts a chain: the event of each step it reached, `None` for optional ones it does not hold.
    pub(super) fn add(&mut self, key: Key, chain: &[Option<Event>]) -> Result<()> {
        let place = match self.last {
            Some((last, place)) if last == key => place,
            _ => self.place(key)?,
        };
        self.last = Some((key, place));
        let bytes = match self.cells.get_mut(place) {
            Some((_, cell)) => cell.add(chain, &self.kept),
            None => 0,
        };
        match bytes {
            0 => Ok(()),
            bytes => self.charge(bytes),
        }
    }

    #[cold]
    fn charge(&mut self, bytes: usize) -> Result<()> {
        let percentiles = self.kept.percentiles;
        self.charge.add(bytes, || match percentiles {
            true => "times: those of all chains take more memory than the session may use; raise `memory_limit`, ask \
                     for less (a filter, a shorter range), or set `times` to false"
                .to_owned(),
            false => "the rows of the funnel take more memory than the session may use; raise `memory_limit`, or take \
                      a longer grain, a shorter range, or fewer columns in `by`"
                .to_owned(),
        })
    }

    fn place(&mut self, key: Key) -> Result<usize> {
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        let place = self.cells.len();
        if (place + 1) * self.steps > MAX_ROWS {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "the funnel would have more than {MAX_ROWS} rows; take a longer grain, a shorter range, fewer columns in `by`, or a filter"
                ),
            ));
        }
        self.charge(Cell::bytes(self.steps, &self.kept))?;
        self.cells.push((key, Cell::new(self.steps, &self.kept)));
        self.places.insert(key, place);
        Ok(place)
    }

    /// Takes in the cells of another thread, whose groups have the ids of `groups` here.
    pub(super) fn absorb(&mut self, from: Cells, groups: &[u32]) -> Result<()> {
        self.charge.absorb(from.charge);
        for ((group, slot), cell) in from.cells {
            let group = groups.get(group as usize).copied();
            let group = group.ok_or_else(|| Error::internal("a group without a number"))?;
            let place = self.place((group, slot))?;
            if let Some((_, own)) = self.cells.get_mut(place) {
                own.absorb(cell);
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, key: Key) -> Option<&Cell> {
        let (_, cell) = self.cells.get(*self.places.get(&key)?)?;
        Some(cell)
    }
}
