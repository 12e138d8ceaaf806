//! Grouping by period and by codes, and the kernels that count in groups.

use std::sync::Arc;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::{ActorBlock, Column, Kernel, RowBlock, RowKernel, Texts};
use crate::{Error, Result};

/// Groups are places of an array up to this many bits; beyond it they are looked up.
const DENSE_BITS: u32 = 20;
/// No period: the row is in no group.
pub(crate) const NO_PERIOD: u32 = u32::MAX;

/// Numbers the periods of times.
pub(crate) trait Periods: Send + Sync {
    /// Returns the number of periods.
    fn count(&self) -> usize;

    /// Appends the number of the period of each time, below [`count`](Self::count), or
    /// [`NO_PERIOD`].
    fn number(&self, times: &[i64], periods: &mut Vec<u32>);
}

/// The values of groups, by period and codes.
#[derive(Debug)]
pub(crate) struct Groups<V> {
    /// Bits of the period, then of each code.
    bits: Vec<u32>,
    total_bits: u32,
    values: Vec<V>,
    /// Beyond [`DENSE_BITS`]: the packed key of each value, and where to find it.
    keys: Vec<u128>,
    places: HashTable<u32>,
}

/// Most bits of a packed key.
const MOST_BITS: u32 = 128;

impl<V: Default + Clone> Groups<V> {
    fn new(periods: usize, dimensions: usize) -> Self {
        let mut bits = vec![4; dimensions + 1];
        if let Some(first) = bits.first_mut() {
            *first = bits_for(periods);
        }
        let mut groups = Groups {
            total_bits: bits.iter().sum(),
            bits,
            values: Vec::new(),
            keys: Vec::new(),
            places: HashTable::new(),
        };
        if groups.is_dense() {
            groups.values.resize(1 << groups.total_bits, V::default());
        }
        groups
    }

    fn is_dense(&self) -> bool {
        self.total_bits <= DENSE_BITS
    }

    /// Makes room for codes below the lengths of `texts`.
    fn fit(&mut self, texts: &[&Arc<Texts>]) -> Result<()> {
        let needed = texts.iter().map(|t| bits_for(t.len()));
        let have = self.bits.iter().skip(1);
        if have
            .zip(needed.clone())
            .all(|(&have, needed)| have >= needed)
        {
            return Ok(());
        }
        let mut bits = self.bits.clone();
        for (have, needed) in bits.iter_mut().skip(1).zip(needed) {
            if *have < needed {
                *have = needed + 1;
            }
        }
        self.widen(bits)
    }

    /// Packs all keys anew.
    fn widen(&mut self, bits: Vec<u32>) -> Result<()> {
        let total_bits: u32 = bits.iter().sum();
        if total_bits > MOST_BITS {
            return Err(Error::invalid_spec(format!(
                "{} columns to group by have too many different values together; group by fewer",
                bits.len() - 1
            )));
        }
        let old = std::mem::replace(
            self,
            Groups {
                bits,
                total_bits,
                values: Vec::new(),
                keys: Vec::new(),
                places: HashTable::new(),
            },
        );
        if self.is_dense() {
            self.values.resize(1 << total_bits, V::default());
        }
        let mut parts = Vec::new();
        let dense = old.is_dense();
        for (place, value) in old.values.iter().enumerate() {
            let key = if dense {
                place as u128
            } else {
                old.keys[place]
            };
            unpack(key, &old.bits, &mut parts);
            let place = self.place(pack(&parts, &self.bits));
            self.values[place] = value.clone();
        }
        Ok(())
    }

    /// Returns the place of a key, which is made if it is new.
    #[inline]
    fn place(&mut self, key: u128) -> usize {
        if self.is_dense() {
            return key as usize;
        }
        let hash = |key: u128| xxh3_64(&key.to_le_bytes());
        let keys = &self.keys;
        if let Some(&place) = self.places.find(hash(key), |&p| keys[p as usize] == key) {
            return place as usize;
        }
        let place = self.values.len();
        self.keys.push(key);
        self.values.push(V::default());
        let keys = &self.keys;
        self.places
            .insert_unique(hash(key), place as u32, |&p| hash(keys[p as usize]));
        place
    }

    /// Puts the place of each row's group into `places`; `u32::MAX` for none.
    fn places(
        &mut self,
        periods: Option<&[u32]>,
        codes: &[&[u32]],
        rows: usize,
        places: &mut Vec<u32>,
    ) {
        places.clear();
        if self.is_dense() {
            match periods {
                Some(periods) => places.extend_from_slice(periods),
                None => places.resize(rows, 0),
            }
            for (codes, &bits) in codes.iter().zip(self.bits.iter().skip(1)) {
                for (place, &code) in places.iter_mut().zip(*codes) {
                    // A row without a period stays without.
                    *place = match *place {
                        NO_PERIOD => NO_PERIOD,
                        place => place << bits | code,
                    };
                }
            }
            return;
        }
        let mut last: Option<(u128, u32)> = None;
        for row in 0..rows {
            let period = periods.map_or(0, |p| p[row]);
            if period == NO_PERIOD {
                places.push(NO_PERIOD);
                continue;
            }
            let mut key = u128::from(period);
            for (codes, &bits) in codes.iter().zip(self.bits.iter().skip(1)) {
                key = key << bits | u128::from(codes[row]);
            }
            let place = match last {
                Some((same, place)) if same == key => place,
                _ => self.place(key) as u32,
            };
            last = Some((key, place));
            places.push(place);
        }
    }

    /// Passes over the groups that were met: period and codes, and the value.
    fn each(&self, mut work: impl FnMut(&[u32], &V), met: impl Fn(&V) -> bool) {
        let mut parts = Vec::new();
        for (place, value) in self.values.iter().enumerate() {
            if met(value) {
                let dense = self.is_dense();
                let key = if dense {
                    place as u128
                } else {
                    self.keys[place]
                };
                unpack(key, &self.bits, &mut parts);
                work(&parts, value);
            }
        }
    }

    /// Adds the groups of `other`.
    fn absorb(
        &mut self,
        other: &Groups<V>,
        met: impl Fn(&V) -> bool,
        add: impl Fn(&mut V, &V),
    ) -> Result<()> {
        let bits: Vec<u32> = self
            .bits
            .iter()
            .zip(&other.bits)
            .map(|(a, b)| *a.max(b))
            .collect();
        if bits != self.bits {
            self.widen(bits)?;
        }
        other.each(
            |parts, value| {
                let place = self.place(pack(parts, &self.bits));
                add(&mut self.values[place], value);
            },
            met,
        );
        Ok(())
    }
}

fn bits_for(count: usize) -> u32 {
    count.max(1).next_power_of_two().ilog2()
}

fn pack(parts: &[u32], bits: &[u32]) -> u128 {
    let mut key = 0;
    for (&part, &bits) in parts.iter().zip(bits) {
        key = key << bits | u128::from(part);
    }
    key
}

fn unpack(mut key: u128, bits: &[u32], parts: &mut Vec<u32>) {
    parts.clear();
    for &bits in bits.iter().rev() {
        parts.push((key & ((1 << bits) - 1)) as u32);
        key >>= bits;
    }
    parts.reverse();
}

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
    periods: Vec<u32>,
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
            periods: Vec::new(),
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
        let periods = match (&self.periods, times) {
            (Some(periods), Some(times)) => {
                tally.periods.clear();
                periods.number(times, &mut tally.periods);
                Some(&tally.periods[..])
            }
            (Some(_), None) => return Err(Error::internal("grouping by period takes times")),
            (None, _) => None,
        };
        tally
            .groups
            .places(periods, &codes, rows, &mut tally.places);
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

/// A condition on a text column, asked once for each text.
pub(crate) struct TextTest {
    place: usize,
    test: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl TextTest {
    pub(crate) fn new(place: usize, test: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        TextTest {
            place,
            test: Box::new(test),
        }
    }

    /// Returns the codes of the column, and brings `known` (an answer for each code) up to date.
    /// Null passes no test.
    fn codes<'a>(&self, columns: &'a [Column], known: &mut Vec<bool>) -> Result<&'a [u32]> {
        let column = columns.get(self.place).and_then(Column::codes);
        let (codes, texts) =
            column.ok_or_else(|| Error::invalid_spec("only text columns can be tested as text"))?;
        if known.is_empty() {
            known.push(false);
        }
        if texts.len() > known.len() {
            texts.each_from(known.len(), |_, text| known.push((self.test)(text)));
        }
        Ok(codes)
    }
}

/// Counts rows by period and columns.
pub(crate) struct CountRows {
    grouping: Grouping,
    only: Option<TextTest>,
}

/// The state of [`CountRows`].
pub(crate) struct RowCounts {
    tally: Tally<u64>,
    known: Vec<bool>,
}

impl CountRows {
    /// `by` are places of text columns in the request; `only` restricts what is counted.
    pub(crate) fn new(
        by: Vec<usize>,
        periods: Option<Arc<dyn Periods>>,
        only: Option<TextTest>,
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
            known: Vec::new(),
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
                let codes = only.codes(&block.columns, &mut state.known)?;
                for (&place, &code) in tally.places.iter().zip(codes) {
                    if let Some(count) = values.get_mut(place as usize) {
                        *count += u64::from(state.known[code as usize]);
                    }
                }
            }
        }
        Ok(())
    }

    fn combine(&self, into: RowCounts, from: RowCounts) -> Result<RowCounts> {
        Ok(RowCounts {
            tally: into.tally.combine(from.tally, |c| *c, |a, b| *a += b)?,
            known: into.known,
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
    only: Option<TextTest>,
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
    known: Vec<bool>,
    actors: u64,
}

impl DistinctActors {
    /// `by` are places of text columns in the request; `only` restricts the rows that count.
    pub(crate) fn new(
        by: Vec<usize>,
        periods: Option<Arc<dyn Periods>>,
        only: Option<TextTest>,
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
            known: Vec::new(),
            actors: 0,
        }
    }

    fn block(&self, state: &mut ActorCounts, block: &ActorBlock) -> Result<()> {
        let (times, rows) = (Some(&block.times[..]), block.times.len());
        let tally = &mut state.tally;
        self.grouping.place(tally, times, &block.columns, rows)?;
        let tested = match &self.only {
            Some(only) => Some(only.codes(&block.columns, &mut state.known)?),
            None => None,
        };
        let values = &mut tally.groups.values;
        for rows in block.rows() {
            state.actors += 1;
            let actor = state.actors;
            let mut count = |place: u32| {
                if let Some(seen) = values.get_mut(place as usize) {
                    seen.actors += u64::from(seen.last != actor);
                    seen.last = actor;
                }
            };
            let places = &tally.places[rows.clone()];
            match tested {
                None => places.iter().for_each(|&place| count(place)),
                Some(codes) => {
                    for (&place, &code) in places.iter().zip(&codes[rows]) {
                        if state.known[code as usize] {
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
            known: Vec::new(),
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
