//! Memory that grows with the events, charged to the session.

use std::sync::Arc;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use crate::{Error, ErrorKind, Result};

/// The session is asked for so many bytes at once, so that threads do not wait for one another.
const STEP: usize = 1 << 16;

/// What a state takes of the memory that the session allows.
#[derive(Debug)]
pub(crate) struct Charge {
    reservation: MemoryReservation,
    used: usize,
}

impl Charge {
    pub(crate) fn new(pool: &Arc<dyn MemoryPool>) -> Charge {
        Charge {
            reservation: MemoryConsumer::new("behavior").register(pool),
            used: 0,
        }
    }

    /// Charges more bytes.
    ///
    /// # Errors
    /// `ResourceExhausted` with the text of `what` at the memory limit.
    pub(crate) fn add(&mut self, bytes: usize, what: impl FnOnce() -> String) -> Result<()> {
        self.used += bytes;
        let missing = self.used.saturating_sub(self.reservation.size());
        if missing == 0 {
            return Ok(());
        }
        let taken = self.reservation.try_grow(missing.max(STEP));
        // Near the limit there may be less than a whole step.
        let taken = taken.or_else(|_| self.reservation.try_grow(missing));
        taken.map_err(|e| Error::new(ErrorKind::ResourceExhausted, what()).with_source(e))
    }

    /// Takes over what the state of another thread was charged.
    pub(crate) fn absorb(&mut self, from: Charge) {
        self.used += from.used;
        let size = from.reservation.size();
        drop(from);
        self.reservation.grow(size);
    }
}
