//! The rows of one actor that a funnel looks at.

/// Most steps, and most exclusions: together the bits of a word.
pub(super) const MAX_STEPS: usize = 50;
pub(super) const MAX_EXCLUSIONS: usize = 14;

/// The bits of [`Row::marks`] that are steps; those above are exclusions.
pub(super) const STEPS: u64 = (1 << MAX_STEPS) - 1;

/// An event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) time: i64,
    /// Bit k: it meets step k, from 0; bit [`MAX_STEPS`]` + x`: exclusion x.
    pub(crate) marks: u64,
    /// Its row in the block.
    pub(crate) row: u32,
    /// Rows of different units count apart: sessions, or values of `by`.
    pub(crate) unit: u64,
    /// Rows of different parts are in no common chain.
    pub(crate) part: u32,
}

/// From the words of a pass to marks: those of [`Row::marks`], or without exclusions any 64.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    /// The marks of each bit.
    of: [u64; 64],
    /// All bits that have marks.
    pub(crate) bits: u64,
    /// Whether marks are the bits themselves.
    same: bool,
}

impl Marks {
    pub(crate) fn new(steps: &[u64], exclusions: &[u64]) -> Marks {
        let mut of = [0; 64];
        let exclusions = exclusions.iter().zip(MAX_STEPS..);
        let mut bits = 0;
        for (&bit, mark) in steps.iter().zip(0..).chain(exclusions) {
            bits |= bit;
            if let Some(marks) = of.get_mut(bit.trailing_zeros() as usize) {
                *marks |= 1 << mark;
            }
        }
        let same = of
            .iter()
            .enumerate()
            .all(|(bit, marks)| *marks == 0 || *marks == 1 << bit);
        Marks { of, bits, same }
    }

    #[inline]
    pub(crate) fn of(&self, mask: u64) -> u64 {
        let mut mask = mask & self.bits;
        if self.same {
            return mask;
        }
        let mut marks = 0;
        while mask != 0 {
            // A count of zeros below a bit that is set is less than 64.
            marks |= self.of[mask.trailing_zeros() as usize & 63];
            mask &= mask - 1;
        }
        marks
    }
}

/// The chain that counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    /// For each step reached the index of its row among those given, [`SKIPPED`] for an optional one.
    pub(crate) steps: Vec<u32>,
}

/// In place of the row of an optional step that the chain does not hold.
pub(super) const SKIPPED: u32 = u32::MAX;

/// Where a search for chains ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The last step was reached with the row of this index.
    Complete(usize),
    /// All chains were lost at the row of this index.
    Lost(usize),
    /// The window was over at the row of this index, or there are no more rows.
    Over(usize),
}
