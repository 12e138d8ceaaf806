//! Jobs by the calendar.

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JobSpec;
use super::spec::check_name;
use crate::{Error, Result};

/// A job that is enqueued at each tick of a cron pattern, once however many processes look at the schedule.
///
/// # Examples
/// ```
/// use aura_core::job::Schedule;
///
/// let schedule: Schedule = serde_json::from_str(
///     r#"{"name": "nightly", "cron": "30 2 * * *", "time_zone": "Europe/Berlin", "job": {"kind": "compact", "spec": {}}}"#,
/// )?;
/// assert_eq!(schedule.catch_up, aura_core::job::CatchUp::Latest);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The name, 1 to 200 bytes. Putting another schedule under the same name replaces it.
    pub name: String,
    /// Minute, hour, day of the month, month, day of the week, optionally with seconds before them: `30 2 * * *`, `0 9 * * MON-FRI`,
    /// `@daily`. Also `L`, `W` and `#`.
    pub cron: String,
    /// The IANA time zone of the pattern (default `UTC`). A tick that a change of the clocks leaves out comes right after it; one that comes twice
    /// counts once.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// What is enqueued; without `run_at_us`, `delay_ms` and `idempotency_key`, which the schedule sets.
    pub job: JobSpec,
    /// What happens to ticks that passed while no process was there.
    #[serde(default)]
    pub catch_up: CatchUp,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// What happens to ticks that nobody was there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Only the latest of them runs.
    #[default]
    Latest,
    /// All of them run, at most 1,000 at a look.
    All,
}

/// A schedule with its place in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleRecord {
    /// The schedule.
    pub schedule: Schedule,
    /// Its next tick; `None` when the pattern has no more.
    pub next_at_us: Option<i64>,
    /// The tick for which a job was enqueued last.
    pub last_at_us: Option<i64>,
}

/// Most jobs of one schedule in one look.
pub(crate) const MOST_TICKS: usize = 1_000;

/// A pattern in its time zone.
pub(crate) struct Ticks {
    cron: Cron,
    zone: TimeZone,
}

impl Schedule {
    /// Checks the schedule, and reads its pattern.
    pub(crate) fn ticks(&self) -> Result<Ticks> {
        check_name("the schedule's `name`", &self.name, 200)?;
        let cron = CronParser::builder()
            .seconds(Seconds::Optional)
            .build()
            .parse(&self.cron)
            .map_err(|e| {
                Error::invalid_spec(format!(
                    "schedule `{}`: \"{}\" is no cron pattern: {e}; expected for example \"30 2 * * *\"",
                    self.name, self.cron
                ))
            })?;
        let zone = TimeZone::get(&self.time_zone).map_err(|e| {
            Error::invalid_spec(format!(
                "schedule `{}`: \"{}\" is no time zone: {e}; expected an IANA name such as \"Europe/Berlin\"",
                self.name, self.time_zone
            ))
        })?;
        if self.job.run_at_us.is_some()
            || self.job.delay_ms.is_some()
            || self.job.idempotency_key.is_some()
        {
            return Err(Error::invalid_spec(format!(
                "schedule `{}`: the job has `run_at_us`, `delay_ms` or `idempotency_key`, which the schedule sets; leave them out",
                self.name
            )));
        }
        Ok(Ticks { cron, zone })
    }
}

impl Ticks {
    /// Returns the first tick after `us`.
    pub(crate) fn after(&self, us: i64) -> Option<i64> {
        let from = Timestamp::from_microsecond(us)
            .ok()?
            .to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        Some(next.timestamp().as_microsecond()).filter(|next| *next > us)
    }

    /// Returns the latest tick up to and with `us`.
    pub(crate) fn up_to(&self, us: i64) -> Option<i64> {
        let from = Timestamp::from_microsecond(us)
            .ok()?
            .to_zoned(self.zone.clone());
        let last = self.cron.find_previous_occurrence(&from, true).ok()?;
        Some(last.timestamp().as_microsecond()).filter(|last| *last <= us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(cron: &str, time_zone: &str) -> Schedule {
        Schedule {
            name: "test".to_owned(),
            cron: cron.to_owned(),
            time_zone: time_zone.to_owned(),
            job: JobSpec::new("work", serde_json::Value::Null),
            catch_up: CatchUp::Latest,
        }
    }

    fn us(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn text(us: i64) -> String {
        Timestamp::from_microsecond(us).unwrap().to_string()
    }

    #[test]
    fn ticks_are_in_the_zone_of_the_schedule() {
        let ticks = schedule("30 2 * * *", "Asia/Kolkata").ticks().unwrap();
        let next = ticks.after(us("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(text(next), "2026-01-01T21:00:00Z");
        assert_eq!(text(ticks.after(next).unwrap()), "2026-01-02T21:00:00Z");
        assert_eq!(ticks.up_to(next), Some(next));
        assert_eq!(text(ticks.up_to(next - 1).unwrap()), "2025-12-31T21:00:00Z");
    }

    #[test]
    fn a_tick_counts_once_when_the_clocks_change() {
        let ticks = schedule("30 2 * * *", "Europe/Berlin").ticks().unwrap();
        // The clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
        for (from, to) in [
            ("2026-03-27T12:00:00Z", "2026-04-01T12:00:00Z"),
            ("2026-10-23T12:00:00Z", "2026-10-28T12:00:00Z"),
        ] {
            let mut at = us(from);
            let mut days = 0;
            while let Some(next) = ticks.after(at).filter(|next| *next <= us(to)) {
                assert!(next > at);
                at = next;
                days += 1;
            }
            assert_eq!(days, 5, "{from}");
        }
    }

    #[test]
    fn wrong_schedules_say_what_is_wrong() {
        let message = |s: Schedule| s.ticks().err().unwrap().message().to_owned();
        assert!(message(schedule("61 * * * *", "UTC")).contains("is no cron pattern"));
        assert!(message(schedule("", "UTC")).contains("is no cron pattern"));
        assert!(message(schedule("* * * * *", "Mars/Base")).contains("is no time zone"));
        let mut own_time = schedule("* * * * *", "UTC");
        own_time.job.delay_ms = Some(1);
        assert!(message(own_time).contains("leave them out"));
    }
}
