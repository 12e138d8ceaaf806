//! A small table from byte strings to numbers, for one look-up per row.

use xxhash_rust::xxh3::xxh3_64;

/// Numbers the names given to it from 1, in order; 0 is every other name.
#[derive(Debug, Clone, Default)]
pub(super) struct NameTable {
    /// Open addressing: a power of two of slots, at least half of them free.
    slots: Vec<Slot>,
    names: Vec<Box<[u8]>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    mark: Mark,
    /// 0 is a free slot.
    number: u32,
}

/// What a name is told apart by: up to 16 bytes it is all of the name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    head: u64,
    tail: u64,
    len: usize,
}

impl Mark {
    #[inline]
    fn of(name: &[u8]) -> Mark {
        let len = name.len();
        let (head, tail) = if let (Some(head), Some(tail)) =
            (name.first_chunk::<8>(), name.last_chunk::<8>())
        {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            let (head, tail) = (u32::from_le_bytes(*head), u32::from_le_bytes(*tail));
            (u64::from(head), u64::from(tail))
        } else {
            let short = name
                .iter()
                .fold(0, |all, byte| (all << 8) | u64::from(*byte));
            (short, 0)
        };
        Mark { head, tail, len }
    }

    #[inline]
    fn hash(self, name: &[u8]) -> usize {
        if self.len > 16 {
            // Names that differ only in the middle (`step_1_done`, `step_2_done`) are common.
            return xxh3_64(name) as usize;
        }
        let mixed = (self.head ^ self.tail.rotate_left(29) ^ self.len as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize
    }
}

impl NameTable {
    /// Makes a table. A name that comes twice keeps its first number.
    pub(super) fn new<'a>(names: impl ExactSizeIterator<Item = &'a [u8]>) -> NameTable {
        let mut table = NameTable {
            slots: vec![Slot::default(); (names.len() * 2).next_power_of_two().max(4)],
            names: Vec::with_capacity(names.len()),
        };
        let mask = table.slots.len() - 1;
        for name in names {
            let number = table.names.len() as u32 + 1;
            table.names.push(name.into());
            if table.find(name) != 0 {
                continue;
            }
            let mark = Mark::of(name);
            let mut at = mark.hash(name) & mask;
            while table.slots[at].number != 0 {
                at = (at + 1) & mask;
            }
            table.slots[at] = Slot { mark, number };
        }
        table
    }

    /// Returns the number of `name`, or 0.
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> u32 {
        let mark = Mark::of(name);
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = mark.hash(name) & mask;
        // A free slot ends the search, and half of the slots are free; a table without slots has
        // none to look at.
        while let Some(slot) = self.slots.get(at) {
            if slot.number == 0 {
                return 0;
            }
            if slot.mark == mark && (mark.len <= 16 || self.is(slot.number, name)) {
                return slot.number;
            }
            at = (at + 1) & mask;
        }
        0
    }

    fn is(&self, number: u32, name: &[u8]) -> bool {
        self.names
            .get(number as usize - 1)
            .is_some_and(|known| **known == *name)
    }
}

#[cfg(test)]
mod tests {
    use super::NameTable;

    #[test]
    fn finds_every_name_and_no_other() {
        let names: Vec<String> = (0..200)
            .flat_map(|i| {
                [
                    format!("{i}"),
                    format!("e{i:07}"),
                    format!("checkout_step_{i}_was_completed"),
                ]
            })
            .chain([
                "".into(),
                "\0".into(),
                "\0\0".into(),
                "abcd".into(),
                "abcdabcd".into(),
            ])
            .collect();
        let table = NameTable::new(names.iter().map(|n| n.as_bytes()));
        for (i, name) in names.iter().enumerate() {
            assert_eq!(table.find(name.as_bytes()), i as u32 + 1, "{name:?}");
        }
        for other in [
            "\0\0\0",
            "200",
            "checkout_step_x_was_completed",
            "abcde",
            "abcdabcdabcd",
        ] {
            assert_eq!(table.find(other.as_bytes()), 0, "{other:?}");
        }
        assert_eq!(NameTable::default().find(b"a"), 0);
        assert_eq!(NameTable::new([].into_iter()).find(b""), 0);
    }
}
