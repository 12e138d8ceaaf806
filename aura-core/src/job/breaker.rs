//! A circuit breaker: a handler that calls out, to something that is down, is left alone for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When to leave a kind of jobs alone. After `failures` retryable failures in a row no more is claimed for `cool_down_ms`; then one job is
/// tried, and its outcome decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSettings {
    /// Retryable failures in a row, at least 1 (default 5).
    pub failures: u32,
    /// Milliseconds (default 30,000).
    pub cool_down_ms: u64,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        BreakerSettings {
            failures: 5,
            cool_down_ms: 30_000,
        }
    }
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Circuit {
    Closed {
        failures: u32,
    },
    Open {
        until_us: i64,
    },
    /// One job was let through; its outcome is not known yet.
    Trying {
        since_us: i64,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    circuit: Circuit,
}

impl Breaker {
    pub(crate) fn new(settings: BreakerSettings) -> Self {
        Breaker {
            settings,
            circuit: Circuit::Closed { failures: 0 },
        }
    }

    fn cool_down_us(&self) -> i64 {
        i64::try_from(self.settings.cool_down_ms.saturating_mul(1_000)).unwrap_or(i64::MAX)
    }

    /// How many of `wanted` jobs may be claimed.
    pub(crate) fn room(&self, wanted: u32, now_us: i64) -> u32 {
        match self.circuit {
            Circuit::Closed { .. } => wanted,
            Circuit::Open { until_us } if now_us < until_us => 0,
            Circuit::Open { .. } => wanted.min(1),
            // A trial whose outcome never came does not keep the circuit open for ever.
            Circuit::Trying { since_us }
                if now_us < since_us.saturating_add(self.cool_down_us()) =>
            {
                0
            }
            Circuit::Trying { .. } => wanted.min(1),
        }
    }

    pub(crate) fn claimed(&mut self, now_us: i64) {
        if !matches!(self.circuit, Circuit::Closed { .. }) {
            self.circuit = Circuit::Trying { since_us: now_us };
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.circuit = Circuit::Closed { failures: 0 };
    }

    pub(crate) fn failed(&mut self, now_us: i64) {
        let open = Circuit::Open {
            until_us: now_us.saturating_add(self.cool_down_us()),
        };
        self.circuit = match self.circuit {
            Circuit::Closed { failures } if failures + 1 < self.settings.failures.max(1) => {
                Circuit::Closed {
                    failures: failures + 1,
                }
            }
            // What was begun before the circuit opened tells nothing new.
            Circuit::Open { until_us } => Circuit::Open { until_us },
            Circuit::Closed { .. } | Circuit::Trying { .. } => open,
        };
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.circuit, Circuit::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breaker_opens_tries_one_and_closes() {
        let mut breaker = Breaker::new(BreakerSettings {
            failures: 3,
            cool_down_ms: 10,
        });
        breaker.failed(0);
        breaker.failed(1);
        breaker.succeeded();
        breaker.failed(2);
        breaker.failed(3);
        assert_eq!(breaker.room(8, 3), 8);
        breaker.failed(4);
        assert_eq!((breaker.room(8, 4), breaker.is_open()), (0, true));
        assert_eq!(breaker.room(8, 10_003), 0);
        assert_eq!(breaker.room(8, 10_004), 1);
        breaker.claimed(10_004);
        assert_eq!(breaker.room(8, 10_005), 0);
        breaker.failed(10_006);
        assert_eq!(breaker.room(8, 20_005), 0);
        assert_eq!(breaker.room(8, 20_006), 1);
        breaker.claimed(20_006);
        breaker.succeeded();
        assert_eq!((breaker.room(8, 20_007), breaker.is_open()), (8, false));
        // A trial that is never heard of again.
        for at in 0..3 {
            breaker.failed(30_000 + at);
        }
        breaker.claimed(50_000);
        assert_eq!(breaker.room(8, 59_999), 0);
        assert_eq!(breaker.room(8, 60_000), 1);
    }
}
