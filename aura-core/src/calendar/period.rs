//! One period.

use super::Grain;

/// A period of a calendar: `[start_us, end_us)` in microseconds since 1970-01-01T00:00:00Z.
///
/// Made by a [`PreparedCalendar`](super::PreparedCalendar); never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    start_us: i64,
    end_us: i64,
    grain: Grain,
}

impl Period {
    pub(super) fn new(grain: Grain, start_us: i64, end_us: i64) -> Self {
        Period {
            start_us,
            end_us,
            grain,
        }
    }

    /// Returns the grain.
    pub fn grain(&self) -> Grain {
        self.grain
    }

    /// Returns the first instant.
    pub fn start_us(&self) -> i64 {
        self.start_us
    }

    /// Returns the first instant after the period.
    pub fn end_us(&self) -> i64 {
        self.end_us
    }

    /// Returns the length in elapsed time.
    pub fn length_us(&self) -> i64 {
        self.end_us - self.start_us
    }

    /// Tells whether `us` lies in the period.
    pub fn contains(&self, us: i64) -> bool {
        (self.start_us..self.end_us).contains(&us)
    }

    /// Tells whether the period is over at `as_of_us`: from the very instant of its end on.
    pub fn is_complete(&self, as_of_us: i64) -> bool {
        as_of_us >= self.end_us
    }
}
