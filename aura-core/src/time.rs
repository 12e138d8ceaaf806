//! Moments, clocks and lengths of time. The core never reads the clock by itself: it asks a [`Clock`].

mod span;

pub use span::{Span, SpanUnit};

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the library learns what time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    fn now_us(&self) -> i64;
}

/// The clock of the machine: the default of a [`Store`](crate::store::Store).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn now_us(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved; for tests and replays.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Starts at `now_us`.
    pub fn new(now_us: i64) -> Self {
        ManualClock(Arc::new(AtomicI64::new(now_us)))
    }

    /// Moves to `now_us`.
    pub fn set(&self, now_us: i64) {
        self.0.store(now_us, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
