//! Which tests something is counted for.

/// The bit that every row has; tests have those below.
pub(super) const ALL: u32 = 63;

/// The tests that something is counted for: each has a slot of its own in every group.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    bits: u64,
    list: Vec<u32>,
}

/// Up to this many slots each is written for each row, without a branch.
const MOST_PLAIN: usize = 2;

impl Slots {
    /// Adds a test (or [`ALL`]).
    pub(super) fn add(&mut self, bit: u32) {
        self.bits |= 1 << bit;
        self.list = (0..64).filter(|b| self.bits >> b & 1 == 1).collect();
    }

    pub(super) fn bits(&self) -> u64 {
        self.bits
    }

    pub(super) fn width(&self) -> usize {
        self.list.len()
    }

    /// Returns the slot of a test; slots are in the order of bits.
    #[inline]
    pub(super) fn slot(&self, bit: u32) -> usize {
        (self.bits & ((1 << bit) - 1)).count_ones() as usize
    }

    /// Calls `work` with each row that `takes` part and, for each test it passes, place × width + slot.
    #[inline]
    pub(super) fn each(
        &self,
        places: &[u32],
        masks: &[u64],
        takes: impl Fn(usize) -> bool,
        mut work: impl FnMut(usize, usize),
    ) {
        let width = self.width();
        if self.bits == 1 << ALL {
            for (row, &place) in places.iter().enumerate() {
                if takes(row) {
                    work(row, place as usize);
                }
            }
            return;
        }
        for (row, (&place, &mask)) in places.iter().zip(masks).enumerate() {
            let mut left = mask & self.bits;
            if left == 0 || !takes(row) {
                continue;
            }
            let first = place as usize * width;
            while left != 0 {
                work(row, first + self.slot(left.trailing_zeros()));
                left &= left - 1;
            }
        }
    }

    /// Counts rows.
    pub(super) fn count(&self, places: &[u32], masks: &[u64], counts: &mut [u64]) {
        let width = self.width();
        if self.bits == 1 << ALL || width > MOST_PLAIN {
            return self.each(places, masks, |_| true, |_, slot| counts[slot] += 1);
        }
        match *self.list.as_slice() {
            [only] => {
                for (&place, &mask) in places.iter().zip(masks) {
                    counts[place as usize] += mask >> only & 1;
                }
            }
            [first, second] => {
                for (&place, &mask) in places.iter().zip(masks) {
                    let at = place as usize * 2;
                    counts[at] += mask >> first & 1;
                    counts[at + 1] += mask >> second & 1;
                }
            }
            _ => {}
        }
    }
}
