//! A set of keys in the form it has while it grows: a table, and parts frozen before.

use std::sync::Arc;

use hashbrown::HashTable;

use super::key::PARTITIONS;
use super::run::{Run, RunReader};
use super::table::Table;

/// Keys handed on together when a set is walked.
const WALK_BATCH: usize = 8192;

/// The keys that still change.
pub(super) enum Head {
    /// Few keys: a table would cost more to make than to fill.
    Small(HashTable<u128>),
    Table(Table),
}

fn slot_hash(key: &u128) -> u64 {
    (key >> 64) as u64
}

impl Head {
    /// Bytes that grow with the keys.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Head::Small(keys) => keys.capacity() * (size_of::<u128>() + 1) * 8 / 7,
            Head::Table(table) => table.bytes(),
        }
    }

    fn base_bytes(&self) -> usize {
        match self {
            Head::Small(_) => 0,
            Head::Table(_) => Table::BASE_BYTES,
        }
    }

    fn probe(&self, keys: &[u128], hit: &mut [bool]) {
        match self {
            Head::Small(set) => {
                for (key, hit) in keys.iter().zip(hit) {
                    *hit = *hit || set.find(slot_hash(key), |k| k == key).is_some();
                }
            }
            Head::Table(table) => table.probe(keys, hit),
        }
    }
}

/// A set of keys that changes no more.
#[derive(Clone)]
pub(super) enum Part {
    /// A table waiting to be written to disk.
    Table(Arc<Table>),
    Run(Arc<Run>),
}

impl Part {
    pub(super) fn is(&self, other: &Part) -> bool {
        match (self, other) {
            (Part::Table(a), Part::Table(b)) => Arc::ptr_eq(a, b),
            (Part::Run(a), Part::Run(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    pub(super) fn probe(&self, keys: &[u128], hit: &mut [bool]) -> crate::Result<()> {
        match self {
            Part::Table(table) => table.probe(keys, hit),
            Part::Run(run) => run.probe(keys, hit)?,
        }
        Ok(())
    }
}

/// A table that is being emptied into the head, a few partitions at a time.
struct Draining {
    table: Table,
    next: usize,
}

/// The committed keys, or the keys of one pending transaction.
pub(super) struct Layer {
    pub(super) head: Head,
    pub(super) parts: Vec<Part>,
    /// How many keys the next table is made for.
    pub(super) expected: usize,
    draining: Vec<Draining>,
}

impl Layer {
    /// An empty layer that begins small.
    pub(super) fn small() -> Self {
        Layer {
            head: Head::Small(HashTable::new()),
            parts: Vec::new(),
            expected: 0,
            draining: Vec::new(),
        }
    }

    /// An empty layer that begins with a table.
    pub(super) fn table() -> Self {
        Layer {
            head: Head::Table(Table::new()),
            ..Layer::small()
        }
    }

    /// Marks in `hit` the keys present in memory that may change: all but the parts.
    pub(super) fn probe_head(&self, keys: &[u128], hit: &mut [bool]) {
        self.head.probe(keys, hit);
        for draining in &self.draining {
            draining.table.probe(keys, hit);
        }
    }

    /// Marks in `hit` all keys present.
    pub(super) fn probe(&self, keys: &[u128], hit: &mut [bool]) -> crate::Result<()> {
        self.probe_head(keys, hit);
        self.parts.iter().try_for_each(|part| part.probe(keys, hit))
    }

    /// Adds to the head the keys not marked in `hit`, and marks those that the head had already.
    /// Past `small_limit` keys the head becomes a table.
    pub(super) fn insert(&mut self, keys: &[u128], hit: &mut [bool], small_limit: usize) {
        if let Head::Small(set) = &self.head
            && set.len() + keys.len() > small_limit
        {
            let mut table = Table::with_room(std::mem::take(&mut self.expected));
            set.iter().for_each(|&key| {
                table.insert(key);
            });
            self.head = Head::Table(table);
        }
        match &mut self.head {
            Head::Table(table) => table.insert_all(keys, hit),
            Head::Small(set) => {
                for (&key, hit) in keys.iter().zip(hit) {
                    if *hit {
                        continue;
                    }
                    match set.entry(slot_hash(&key), |k| *k == key, slot_hash) {
                        hashbrown::hash_table::Entry::Occupied(_) => *hit = true,
                        hashbrown::hash_table::Entry::Vacant(slot) => drop(slot.insert(key)),
                    }
                }
            }
        }
    }

    /// Takes over all that `other` holds. A head of at most `inline_limit` keys is copied now,
    /// a larger one by the calls of [`drain`](Layer::drain) to come.
    pub(super) fn absorb(&mut self, other: Layer, inline_limit: usize) {
        self.parts.extend(other.parts);
        self.draining.extend(other.draining);
        match other.head {
            Head::Small(set) => {
                let keys: Vec<u128> = set.into_iter().collect();
                self.insert(&keys, &mut vec![false; keys.len()], 0);
            }
            Head::Table(table) => {
                let keys = table.len();
                self.draining.push(Draining { table, next: 0 });
                if keys <= inline_limit {
                    self.drain(keys);
                }
            }
        }
    }

    /// Moves at least `count` keys, where there are as many, from tables taken over to the head.
    pub(super) fn drain(&mut self, count: usize) {
        let mut moved = 0;
        let mut keys = Vec::new();
        while moved <= count
            && let Some(draining) = self.draining.last_mut()
        {
            if draining.next == PARTITIONS || draining.table.is_empty() {
                self.draining.pop();
                continue;
            }
            draining.table.take_partition(draining.next, &mut keys);
            draining.next += 1;
            moved += keys.len();
            let mut hit = vec![false; keys.len()];
            self.insert(&keys, &mut hit, 0);
        }
    }

    /// Bytes of the largest table that may be frozen.
    pub(super) fn freezable_bytes(&self) -> usize {
        let head = match &self.head {
            Head::Small(_) => 0,
            Head::Table(table) => table.bytes(),
        };
        let draining = self.draining.iter().map(|d| d.table.bytes()).max();
        head.max(draining.unwrap_or(0))
    }

    /// Makes the largest table a part; `None` when there is none.
    pub(super) fn freeze(&mut self) -> Option<Arc<Table>> {
        let largest = (0..self.draining.len()).max_by_key(|&i| self.draining[i].table.bytes());
        let frozen = match (&mut self.head, largest) {
            (head, Some(i)) if self.draining[i].table.bytes() > head.bytes() => {
                self.draining.swap_remove(i).table
            }
            (Head::Table(table), _) => std::mem::replace(table, Table::new()),
            (Head::Small(_), _) => return None,
        };
        let frozen = Arc::new(frozen);
        self.parts.push(Part::Table(Arc::clone(&frozen)));
        Some(frozen)
    }

    /// Bytes of all tables, without what does not grow with the keys.
    pub(super) fn table_bytes(&self) -> usize {
        let draining: usize = self.draining.iter().map(|d| d.table.bytes()).sum();
        let frozen: usize = self.tables().map(|table| table.bytes()).sum();
        self.head.bytes() + draining + frozen
    }

    /// Bytes of memory beside [`table_bytes`](Layer::table_bytes).
    pub(super) fn other_bytes(&self) -> usize {
        let tables = self.draining.len() + self.tables().count();
        let runs: usize = self.runs().map(|run| run.memory_bytes()).sum();
        self.head.base_bytes() + tables * Table::BASE_BYTES + runs
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Table(table) => Some(table),
            Part::Run(_) => None,
        })
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Table(_) => None,
            Part::Run(run) => Some(run),
        })
    }

    /// Puts `new` in the place of `old` if this layer has all of `old`; else gives `new` back.
    pub(super) fn replace(&mut self, old: &[Part], new: Part) -> Result<Vec<Part>, Part> {
        let has = |part: &Part| self.parts.iter().any(|own| own.is(part));
        if !old.iter().all(has) {
            return Err(new);
        }
        let (gone, mut kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.parts)
            .into_iter()
            .partition(|own| old.iter().any(|o| own.is(o)));
        kept.push(new);
        self.parts = kept;
        Ok(gone)
    }

    /// Shows all keys to `visit`, in batches; a key may come more than once.
    pub(super) fn walk(
        &self,
        mut visit: impl FnMut(&[u128]) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let mut keys = Vec::with_capacity(WALK_BATCH);
        let tables = self.draining.iter().map(|d| &d.table);
        let tables = tables.chain(self.tables().map(|t| &**t));
        let head = match &self.head {
            Head::Table(table) => Some(table),
            Head::Small(set) => {
                keys.extend(set.iter());
                visit(&keys)?;
                None
            }
        };
        for table in tables.chain(head) {
            for number in 0..PARTITIONS {
                table.sorted_partition(number, &mut keys);
                if !keys.is_empty() {
                    visit(&keys)?;
                }
            }
        }
        for run in self.runs() {
            let mut reader = RunReader::new(Arc::clone(run));
            loop {
                keys.clear();
                while keys.len() < WALK_BATCH
                    && let Some(key) = reader.next()?
                {
                    keys.push(key);
                }
                if keys.is_empty() {
                    break;
                }
                visit(&keys)?;
            }
        }
        Ok(())
    }
}
