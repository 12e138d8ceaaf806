//! What the caller of a long operation has a say in: whether it goes on, and how far it is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::ingest::{CancelToken, IngestOptions, Progress};
use crate::{Error, Result};

/// Whether the caller still wants the result: the call was not cancelled, and its future is alive.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    cancel: CancelToken,
    alive: CancelToken,
}

/// Says, when it is dropped, that nobody waits for the result any more.
#[derive(Debug)]
pub(super) struct Waiting(CancelToken);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Wanted {
    /// Both sides of a call: the one for who does the work, the other for its future.
    pub(super) fn new(options: &IngestOptions) -> (Wanted, Waiting) {
        // A token of its own: the caller's may belong to other calls, too.
        let alive = CancelToken::new();
        let wanted = Wanted {
            cancel: options.cancel.clone(),
            alive: alive.clone(),
        };
        (wanted, Waiting(alive))
    }

    /// # Errors
    /// `Cancelled` when the caller does not want the result any more.
    pub(super) fn check(&self) -> Result<()> {
        self.cancel.check()?;
        self.alive.check()
    }
}

/// Tells the caller how far an ingest is.
///
/// # Errors
/// `InvalidSpec` when the caller's callback panics.
pub(super) fn tell(options: &IngestOptions, progress: &Progress) -> Result<()> {
    let Some(callback) = &options.progress else {
        return Ok(());
    };
    catch_unwind(AssertUnwindSafe(|| callback(progress))).map_err(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Error::invalid_spec(format!(
            "the callback for the progress panicked: {said}; nothing of the ingest was kept"
        ))
    })
}
