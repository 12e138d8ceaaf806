//! Progress of a long operation, and how to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

/// How far an ingest is. Numbers only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bytes of the sources up to the rows that are counted here, and at most a block more (compressed bytes for
    /// compressed sources; those of a Parquet or Arrow file are counted when it is done). The last call has all.
    pub bytes_read: u64,
    /// Bytes of all sources, where it is known.
    pub bytes_total: Option<u64>,
    /// Rows read so far, rejected ones included.
    pub rows_read: u64,
    /// Rows rejected so far.
    pub rejected: u64,
}

/// Called from time to time with the progress, from a thread of the library; it should return soon.
pub type ProgressFn = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Cancels the operation that it was given to. Clones share one flag.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Makes a token that is not cancelled.
    pub fn new() -> Self {
        CancelToken::default()
    }

    /// Asks the operation to stop. It ends with [`Cancelled`](crate::ErrorKind::Cancelled) and keeps nothing.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Returns whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn check(&self) -> crate::Result<()> {
        if self.is_cancelled() {
            return Err(crate::Error::new(
                crate::ErrorKind::Cancelled,
                "the operation was cancelled by its caller; nothing of it was kept",
            ));
        }
        Ok(())
    }
}
