//! Grouping by period and by codes: a group is a place in an array while that is small.

use std::sync::Arc;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::Texts;
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
pub(super) struct Groups<V> {
    /// Bits of the period, then of each code.
    bits: Vec<u32>,
    total_bits: u32,
    pub(super) values: Vec<V>,
    /// Beyond [`DENSE_BITS`]: the packed key of each value, and where to find it.
    keys: Vec<u128>,
    places: HashTable<u32>,
}

/// Most bits of a packed key.
const MOST_BITS: u32 = 128;

impl<V: Default + Clone> Groups<V> {
    pub(super) fn new(periods: usize, dimensions: usize) -> Self {
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
    pub(super) fn fit(&mut self, texts: &[&Arc<Texts>]) -> Result<()> {
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

    /// Turns the period of each row into the place of its group; [`NO_PERIOD`] stays.
    pub(super) fn places(&mut self, codes: &[&[u32]], places: &mut [u32]) {
        if self.is_dense() {
            for (codes, &bits) in codes.iter().zip(self.bits.iter().skip(1)) {
                for (place, &code) in places.iter_mut().zip(*codes) {
                    *place = match *place {
                        NO_PERIOD => NO_PERIOD,
                        place => place << bits | code,
                    };
                }
            }
            return;
        }
        let mut last: Option<(u128, u32)> = None;
        for (row, place) in places.iter_mut().enumerate() {
            if *place == NO_PERIOD {
                continue;
            }
            let mut key = u128::from(*place);
            for (codes, &bits) in codes.iter().zip(self.bits.iter().skip(1)) {
                key = key << bits | u128::from(codes[row]);
            }
            *place = match last {
                Some((same, place)) if same == key => place,
                _ => self.place(key) as u32,
            };
            last = Some((key, *place));
        }
    }

    /// Passes over the groups that were met: period and codes, and the value.
    pub(super) fn each(&self, mut work: impl FnMut(&[u32], &V), met: impl Fn(&V) -> bool) {
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
    pub(super) fn absorb(
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
