//! Rows that repeat what was seen a moment ago.

use super::kernel::NO_MARK;
use super::keys::mix;

/// A mebibyte: it stays in the cache.
const BITS: u32 = 15;

/// Remembers the last actor and mark of each of its places. A row that is forgotten too early comes twice, which does no
/// harm.
pub(super) struct Recent {
    places: Vec<(i128, u64)>,
}

impl Default for Recent {
    fn default() -> Self {
        Recent {
            places: vec![(0, NO_MARK); 1 << BITS],
        }
    }
}

impl Recent {
    /// Returns the rows that are not known to repeat another, without those that have no mark.
    pub(super) fn new_rows(&mut self, keys: &[i128], marks: &[u64]) -> Vec<u32> {
        let mut new = Vec::with_capacity(keys.len());
        for (row, (&key, &mark)) in keys.iter().zip(marks).enumerate() {
            if mark == NO_MARK {
                continue;
            }
            let hash = mix(key) ^ mark.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let Some(place) = self.places.get_mut((hash >> (64 - BITS)) as usize) else {
                continue;
            };
            if *place != (key, mark) {
                *place = (key, mark);
                new.push(row as u32);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is left out is there already, however often places are taken by others.
        #[test]
        fn only_repeats_are_left_out(
            batches in prop::collection::vec(prop::collection::vec((0..200_000_i128, 0..3_u64), 0..3_000), 1..4),
        ) {
            let mut recent = Recent::default();
            let mut given = HashSet::new();
            for batch in batches {
                let (keys, marks): (Vec<i128>, Vec<u64>) = batch
                    .iter()
                    .map(|&(key, mark)| (key, if mark == 2 { NO_MARK } else { mark }))
                    .unzip();
                let new = recent.new_rows(&keys, &marks);
                prop_assert!(new.is_sorted());
                given.extend(new.iter().map(|&row| (keys[row as usize], marks[row as usize])));
                for pair in keys.iter().copied().zip(marks) {
                    prop_assert_eq!(given.contains(&pair), pair.1 != NO_MARK);
                }
            }
        }
    }

    #[test]
    fn neighbours_that_repeat_are_left_out() {
        let mut recent = Recent::default();
        assert_eq!(recent.new_rows(&[7, 7, 8, 7], &[1, 1, 1, 2]), [0, 2, 3]);
        assert_eq!(recent.new_rows(&[8, 7], &[1, 2]), [] as [u32; 0]);
    }
}
