//! How far an ingest is.

use std::sync::{Arc, Mutex, PoisonError};

use aura_core::ingest::{Progress as CoreProgress, ProgressFn};

/// How far an ingest is. Numbers only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct IngestProgress {
    /// Bytes of the sources read so far (compressed bytes of compressed sources).
    pub bytes_read: u64,
    /// Bytes of all sources, where it is known.
    pub bytes_total: Option<u64>,
    /// Rows read so far, rejected ones included.
    pub rows_read: u64,
    /// Rows rejected so far.
    pub rejected: u64,
}

impl From<&CoreProgress> for IngestProgress {
    fn from(told: &CoreProgress) -> Self {
        IngestProgress {
            bytes_read: told.bytes_read,
            bytes_total: told.bytes_total,
            rows_read: told.rows_read,
            rejected: told.rejected,
        }
    }
}

/// The progress of an ingest that it was given to, to be asked for from another thread.
#[derive(Debug, Default, uniffi::Object)]
pub struct Progress {
    last: Arc<Mutex<IngestProgress>>,
}

#[uniffi::export]
impl Progress {
    /// Makes one that has seen nothing.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Returns how far the ingest is.
    pub fn now(&self) -> IngestProgress {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    /// The function for the core.
    pub(crate) fn listener(&self) -> ProgressFn {
        let last = Arc::clone(&self.last);
        Arc::new(move |told| *last.lock().unwrap_or_else(PoisonError::into_inner) = told.into())
    }
}
