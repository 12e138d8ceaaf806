//! What holds for all jobs of a kind: pause, concurrency and rate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::LONGEST_MS;
use crate::{Error, Result};

/// Settings of a kind of jobs, shared by all processes on the store. Without any, a kind has no limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KindSettings {
    /// Whether no job is given to workers (default false). Those that run go on; new ones may be enqueued.
    pub paused: bool,
    /// Most jobs that are processed at a time, from 1 (default no limit).
    pub max_running: Option<u32>,
    /// How often jobs may start (default no limit).
    pub rate: Option<Rate>,
}

/// A limit of starts: `count` at once, and then one each `period_ms` / `count`, saved up to `count`.
///
/// **Source**: the generic cell rate algorithm of ITU-T I.371, with a tolerance of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Starts in a period, from 1 to 1,000,000.
    pub count: u32,
    /// Milliseconds, from 1 to 31 days.
    pub period_ms: u64,
}

impl KindSettings {
    pub(crate) fn check(&self) -> Result<()> {
        if self.max_running == Some(0) {
            return Err(Error::invalid_spec(
                "job kind: `max_running` is 0; expected at least 1, or `paused`",
            ));
        }
        if let Some(rate) = self.rate
            && !((1..=1_000_000).contains(&rate.count)
                && (1..=LONGEST_MS).contains(&rate.period_ms))
        {
            return Err(Error::invalid_spec(format!(
                "job kind: `rate` is {} in {} ms; expected 1 to 1000000 in 1 to {LONGEST_MS} ms",
                rate.count, rate.period_ms
            )));
        }
        Ok(())
    }
}

/// A kind as stores hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KindRow {
    pub(crate) settings: KindSettings,
    /// The "theoretical arrival time" of the rate limit.
    pub(crate) arrival_us: i64,
}

impl KindRow {
    /// How many of `wanted` jobs may start at `now_us`, `running` being processed.
    pub(crate) fn room(&self, running: u64, wanted: u64, now_us: i64) -> u64 {
        if self.settings.paused {
            return 0;
        }
        let by_running = self
            .settings
            .max_running
            .map_or(wanted, |most| u64::from(most).saturating_sub(running));
        wanted.min(by_running).min(self.by_rate(wanted, now_us))
    }

    /// The clock may have gone back: the limit never reaches further ahead than one period.
    fn arrival(&self, rate: Rate, now_us: i64) -> i64 {
        self.arrival_us
            .clamp(now_us, now_us.saturating_add(rate.period_us()))
    }

    fn by_rate(&self, wanted: u64, now_us: i64) -> u64 {
        let Some(rate) = self.settings.rate else {
            return wanted;
        };
        let free = now_us.saturating_add(rate.period_us()) - self.arrival(rate, now_us);
        wanted.min((free / rate.interval_us()).unsigned_abs())
    }

    /// Notes that `started` jobs were started.
    pub(crate) fn start(&mut self, started: u64, now_us: i64) {
        if let Some(rate) = self.settings.rate {
            let started = i64::try_from(started).unwrap_or(i64::MAX);
            self.arrival_us = self
                .arrival(rate, now_us)
                .saturating_add(rate.interval_us().saturating_mul(started));
        }
    }

    /// When the rate lets the next job start.
    pub(crate) fn next_start_us(&self, now_us: i64) -> i64 {
        self.settings.rate.map_or(now_us, |rate| {
            let late = self.arrival(rate, now_us) + rate.interval_us() - rate.period_us();
            late.max(now_us)
        })
    }
}

impl Rate {
    fn period_us(self) -> i64 {
        i64::try_from(self.period_ms.min(LONGEST_MS)).unwrap_or(i64::MAX) * 1_000
    }

    fn interval_us(self) -> i64 {
        (self.period_us() / i64::from(self.count.max(1))).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_gives_its_count_at_once_and_then_one_each_part_of_the_period() {
        let mut kind = KindRow {
            settings: KindSettings {
                rate: Some(Rate {
                    count: 4,
                    period_ms: 1_000,
                }),
                ..KindSettings::default()
            },
            arrival_us: 0,
        };
        let now = 50_000_000;
        assert_eq!(kind.room(0, 10, now), 4);
        kind.start(4, now);
        assert_eq!(kind.room(0, 10, now), 0);
        assert_eq!(kind.next_start_us(now), now + 250_000);
        assert_eq!(kind.room(0, 10, now + 249_999), 0);
        assert_eq!(kind.room(0, 10, now + 250_000), 1);
        assert_eq!(kind.room(0, 10, now + 5_000_000), 4);
        // A clock that went back by a day does not stop the kind for a day.
        assert_eq!(kind.room(0, 10, now - 86_400_000_000), 0);
        assert_eq!(
            kind.next_start_us(now - 86_400_000_000),
            now - 86_400_000_000 + 250_000
        );
    }

    #[test]
    fn the_narrowest_limit_holds() {
        let kind = |settings| KindRow {
            settings,
            arrival_us: 0,
        };
        let limited = KindSettings {
            max_running: Some(3),
            ..KindSettings::default()
        };
        assert_eq!(kind(limited).room(1, 10, 0), 2);
        assert_eq!(kind(limited).room(5, 10, 0), 0);
        let paused = KindSettings {
            paused: true,
            ..limited
        };
        assert_eq!(kind(paused).room(0, 10, 0), 0);
        assert_eq!(kind(KindSettings::default()).room(9, 10, 0), 10);
    }
}
