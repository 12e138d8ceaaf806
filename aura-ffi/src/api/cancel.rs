//! Stopping calls.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

use aura_core::ingest::CancelToken;

/// Stops the calls that it was given to, from another thread. It stays cancelled: make a new one for later calls.
#[derive(Debug, Default, uniffi::Object)]
pub struct Cancel {
    token: CancelToken,
    waiting: Mutex<Vec<Thread>>,
}

#[uniffi::export]
impl Cancel {
    /// Makes one that is not cancelled.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Stops the calls that wait now, and those that are given it later: they end with `Cancelled`.
    pub fn cancel(&self) {
        self.token.cancel();
        let waiting = self.waiting.lock();
        for thread in waiting.unwrap_or_else(PoisonError::into_inner).iter() {
            thread.unpark();
        }
    }

    /// Returns whether `cancel` was called.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }
}

impl Cancel {
    pub(crate) fn token(&self) -> CancelToken {
        self.token.clone()
    }

    /// Wakes this thread at [`cancel`](Cancel::cancel) until the guard goes.
    pub(crate) fn listen(&self) -> Listening<'_> {
        let waiting = self.waiting.lock();
        waiting
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread::current());
        Listening(self)
    }
}

/// A thread that is to be woken up.
pub(crate) struct Listening<'a>(&'a Cancel);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        let (here, waiting) = (thread::current().id(), self.0.waiting.lock());
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        // One entry: calls may be nested.
        if let Some(at) = waiting.iter().rposition(|thread| thread.id() == here) {
            waiting.swap_remove(at);
        }
    }
}
