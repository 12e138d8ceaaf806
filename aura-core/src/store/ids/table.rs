//! The resident set: an open-addressing hash table in 4,096 partitions that grow one by one.
//!
//! Growing a partition moves a few thousand keys, so that no insert ever waits for the whole set.
//! A partition is an array of groups of 32 slots. The 16-bit tags of a group are one cache line:
//! a lookup of an absent key reads that line and nothing else, as a Bloom filter would.

use super::key::{PARTITIONS, join, partition, rest, scale, tag};

/// Slots of a group: as many tags as fill one cache line.
const SLOTS: usize = 32;
/// Keys looked up together: enough cache misses in flight, few enough to stay in the first cache.
const WINDOW: usize = 32;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Tags([u16; SLOTS]);

/// Slots of a group are filled from the first to the last and never emptied.
impl Tags {
    const EMPTY: Tags = Tags([0; SLOTS]);

    /// Says whether any slot has `tag`. Free of branches, so that it compiles to vector compares.
    #[inline]
    fn any(&self, tag: u16) -> bool {
        self.0
            .iter()
            .fold(0u16, |any, &t| any | u16::from(t == tag))
            != 0
    }

    #[inline]
    fn filled(&self) -> usize {
        usize::from(self.0.iter().fold(0u16, |n, &t| n + u16::from(t != 0)))
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.0[SLOTS - 1] != 0
    }
}

#[derive(Default)]
struct Partition {
    tags: Box<[Tags]>,
    /// The rest of slot `s` of group `g` is at `g * SLOTS + s`.
    rests: Box<[u64]>,
    len: usize,
    /// Length at which the partition grows; always below the number of slots.
    limit: usize,
}

impl Partition {
    const GROUP_BYTES: usize = size_of::<Tags>() + SLOTS * size_of::<u64>();

    #[inline]
    fn next(&self, group: usize) -> usize {
        if group + 1 == self.tags.len() {
            0
        } else {
            group + 1
        }
    }

    /// Returns a value from the line that a lookup of `rest` reads first, to bring it near.
    #[inline]
    fn touch(&self, rest: u64) -> u16 {
        self.tags
            .get(scale(rest, self.tags.len()))
            .map_or(0, |group| group.0[0])
    }

    #[inline]
    fn contains(&self, rest: u64, tag: u16) -> bool {
        if self.tags.is_empty() {
            return false;
        }
        let mut at = scale(rest, self.tags.len());
        loop {
            let group = &self.tags[at];
            if group.any(tag) && self.matches(at, rest, tag) {
                return true;
            }
            if !group.is_full() {
                return false;
            }
            at = self.next(at);
        }
    }

    #[inline(never)]
    fn matches(&self, group: usize, rest: u64, tag: u16) -> bool {
        let rests = &self.rests[group * SLOTS..][..SLOTS];
        self.tags[group]
            .0
            .iter()
            .zip(rests)
            .any(|(&t, &r)| t == tag && r == rest)
    }

    /// Adds a key that is known to be absent, where there is room for it.
    #[inline]
    fn put(&mut self, rest: u64, tag: u16) {
        let mut at = scale(rest, self.tags.len());
        while self.tags[at].is_full() {
            at = self.next(at);
        }
        let slot = self.tags[at].filled();
        self.tags[at].0[slot] = tag;
        self.rests[at * SLOTS + slot] = rest;
        self.len += 1;
    }

    fn of_groups(groups: usize, number: usize) -> Self {
        Partition {
            tags: vec![Tags::EMPTY; groups].into_boxed_slice(),
            rests: vec![0; groups * SLOTS].into_boxed_slice(),
            len: 0,
            limit: groups * SLOTS * (80 + number % 8) / 100,
        }
    }

    /// A partition that takes `keys` keys, and a few more for those that come unevenly, before it grows.
    fn with_room(keys: usize, number: usize) -> Self {
        let spread = 3 * keys.isqrt();
        Partition::of_groups((keys + spread).div_ceil(SLOTS * 4 / 5), number)
    }

    /// Enlarges by a third. `number` staggers the partitions, which else would all grow at once.
    #[cold]
    fn grow(&mut self, number: usize) {
        let groups = self.tags.len() + self.tags.len() / 3 + 1;
        let mut grown = Partition::of_groups(groups, number);
        self.for_each(|rest, tag| grown.put(rest, tag));
        *self = grown;
    }

    fn for_each(&self, mut visit: impl FnMut(u64, u16)) {
        for (group, rests) in self.tags.iter().zip(self.rests.chunks_exact(SLOTS)) {
            for (&tag, &rest) in group.0.iter().zip(rests).take_while(|(tag, _)| **tag != 0) {
                visit(rest, tag);
            }
        }
    }

    fn bytes(&self) -> usize {
        self.tags.len() * Self::GROUP_BYTES
    }
}

/// A set of keys in memory.
pub(super) struct Table {
    partitions: Box<[Partition]>,
    len: usize,
    bytes: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        Table {
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
            len: 0,
            bytes: 0,
        }
    }

    /// A table with room for `keys` keys, so that they need not move while it fills.
    pub(super) fn with_room(keys: usize) -> Self {
        let mut table = Table::new();
        let each = keys / PARTITIONS;
        if each > 0 {
            for (number, part) in table.partitions.iter_mut().enumerate() {
                *part = Partition::with_room(each, number);
                table.bytes += part.bytes();
            }
        }
        table
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the slots, without the fixed [`Table::BASE_BYTES`].
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of an empty table.
    pub(super) const BASE_BYTES: usize = PARTITIONS * size_of::<Partition>();

    /// Adds a key; says whether it was absent.
    #[inline]
    pub(super) fn insert(&mut self, key: u128) -> bool {
        let number = partition(key);
        let part = &mut self.partitions[number];
        let (rest, tag) = (rest(key), tag(key));
        if part.contains(rest, tag) {
            return false;
        }
        if part.len >= part.limit {
            let before = part.bytes();
            part.grow(number);
            self.bytes += part.bytes() - before;
        }
        part.put(rest, tag);
        self.len += 1;
        true
    }

    /// Adds the keys not yet marked in `hit`, and marks those that were present already.
    pub(super) fn insert_all(&mut self, keys: &[u128], hit: &mut [bool]) {
        for (keys, hit) in keys.chunks(WINDOW).zip(hit.chunks_mut(WINDOW)) {
            self.touch_all(keys);
            for (&key, hit) in keys.iter().zip(hit) {
                if !*hit {
                    *hit = !self.insert(key);
                }
            }
        }
    }

    /// Marks in `hit` the keys that are present; keys already marked may be skipped.
    pub(super) fn probe(&self, keys: &[u128], hit: &mut [bool]) {
        if self.is_empty() {
            return;
        }
        for (keys, hit) in keys.chunks(WINDOW).zip(hit.chunks_mut(WINDOW)) {
            self.touch_all(keys);
            for (&key, hit) in keys.iter().zip(hit) {
                *hit |= self.partitions[partition(key)].contains(rest(key), tag(key));
            }
        }
    }

    /// Lets the cache misses of the lookups to come overlap: these loads depend on nothing.
    #[inline]
    fn touch_all(&self, keys: &[u128]) {
        let near = keys.iter().fold(0, |near, &key| {
            near ^ self.partitions[partition(key)].touch(rest(key))
        });
        std::hint::black_box(near);
    }

    /// Replaces the content of `keys` by the keys of one partition, ascending.
    pub(super) fn sorted_partition(&self, number: usize, keys: &mut Vec<u128>) {
        keys.clear();
        if let Some(part) = self.partitions.get(number) {
            part.for_each(|rest, tag| keys.push(join(number, rest, tag)));
        }
        keys.sort_unstable();
    }

    /// Moves the keys of one partition to `keys`, whose content is replaced, and frees its memory.
    pub(super) fn take_partition(&mut self, number: usize, keys: &mut Vec<u128>) {
        keys.clear();
        if let Some(part) = self.partitions.get_mut(number) {
            let part = std::mem::take(part);
            part.for_each(|rest, tag| keys.push(join(number, rest, tag)));
            self.len -= part.len;
            self.bytes -= part.bytes();
        }
    }
}
