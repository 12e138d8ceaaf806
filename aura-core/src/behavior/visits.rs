//! The periods in which an actor is active.

/// The different (group, period) pairs of one actor, in their order. Kept from actor to actor.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    met: Vec<(u32, u64)>,
    in_order: bool,
}

impl Visits {
    pub(crate) fn clear(&mut self) {
        self.met.clear();
        self.in_order = true;
    }

    /// Adds a pair. It costs least where they come in order.
    #[inline]
    pub(crate) fn add(&mut self, group: u32, period: u64) {
        if let Some(last) = self.met.last() {
            if *last == (group, period) {
                return;
            }
            self.in_order &= *last < (group, period);
        }
        self.met.push((group, period));
    }

    /// Returns the pairs of each group in turn.
    pub(crate) fn by_group(&mut self) -> impl Iterator<Item = &[(u32, u64)]> {
        if !self.in_order {
            self.met.sort_unstable();
            self.met.dedup();
        }
        self.met.chunk_by(|a, b| a.0 == b.0)
    }
}
