//! How other threads tell the upkeep thread that there may be work.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug, Default)]
struct State {
    noticed: bool,
    stop: bool,
}

/// A flag that a thread sleeps on.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    state: Mutex<State>,
    changed: Condvar,
}

impl Wake {
    /// Says that there may be work.
    pub(crate) fn notify(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.noticed {
            state.noticed = true;
            self.changed.notify_one();
        }
    }

    /// Asks the thread to end.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stop = true;
        self.changed.notify_all();
    }

    /// Says whether [`stop`](Self::stop) was called.
    pub(crate) fn stopped(&self) -> bool {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stop
    }

    /// Sleeps until there may be work, or `longest`. Returns false when the thread shall end.
    pub(crate) fn sleep(&self, longest: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, longest, |s| !s.noticed && !s.stop)
            .unwrap_or_else(PoisonError::into_inner);
        state.noticed = false;
        !state.stop
    }
}
