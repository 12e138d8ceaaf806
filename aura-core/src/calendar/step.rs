//! Steps from period to period, and how many there are between two.

use super::civil::DAY_US;
use super::zone::{MAX_US, MIN_US, check_instant};
use super::{Grain, Period, PreparedCalendar};
use crate::{Error, Result};

impl PreparedCalendar {
    /// Returns the period `n` steps after `period`, or before it when `n` is negative.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when that leaves the years 1 to 9997 or the rows
    /// of the grain, and for a period of another calendar.
    pub fn offset(&self, period: &Period, n: i64) -> Result<Period> {
        self.check_own(period)?;
        let grain = period.grain();
        let outside = || {
            Error::invalid_spec(format!(
                "{n} periods of one {grain} from {} µs lead outside the years 1 to 9997",
                period.start_us()
            ))
        };
        if let Some(custom) = self.custom(grain) {
            let at = custom.position(grain, period.start_us())?;
            return usize::try_from(at as i64 + n.clamp(-(1 << 40), 1 << 40))
                .ok()
                .and_then(|at| custom.periods.get(at).copied())
                .ok_or_else(|| custom.outside(grain));
        }
        // No period is shorter than a second.
        if n.unsigned_abs() > MAX_US.abs_diff(MIN_US) / 1_000_000 {
            return Err(outside());
        }
        if let Some(width) = grain.clock_us() {
            return self.clock_offset(period, width, n, &outside);
        }
        let from = self.index_of(grain, period.start_us())?;
        let mut to = from + n;
        if grain == Grain::Day {
            to = self.day_after_skips(from, n);
        }
        // The first period may begin before the first instant, by less than a year.
        let nominal = self
            .starts
            .first_day(grain, to)
            .checked_mul(DAY_US)
            .filter(|us| (MIN_US - 367 * DAY_US..MAX_US + DAY_US).contains(us))
            .ok_or_else(outside)?;
        let start = self.zone.first_at(nominal)?;
        let found = self.period_of(grain, start.max(MIN_US));
        found
            .ok()
            .filter(|p| p.start_us() == start)
            .ok_or_else(outside)
    }

    /// Returns how many steps lead from `from` to `to`: negative when `to` is the earlier one, so that
    /// `offset(from, between(from, to))` is `to`.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for periods of different grains or of another
    /// calendar.
    pub fn between(&self, from: &Period, to: &Period) -> Result<i64> {
        self.check_own(from)?;
        self.check_own(to)?;
        let grain = from.grain();
        if grain != to.grain() {
            return Err(Error::invalid_spec(format!(
                "a {grain} and a {} cannot be counted from one to the other; take periods of one grain",
                to.grain()
            )));
        }
        if let Some(custom) = self.custom(grain) {
            let position = |p: &Period| custom.position(grain, p.start_us());
            return Ok(position(to)? as i64 - position(from)? as i64);
        }
        if let Some(width) = grain.clock_us() {
            let count =
                self.clock_count(width, from.min(to).start_us(), from.max(to).start_us())?;
            return Ok(if to < from { -count } else { count });
        }
        let index = |p: &Period| self.index_of(grain, p.start_us());
        let (a, b) = (index(from)?, index(to)?);
        Ok(match grain {
            Grain::Day => (b - self.skipped_before(b)) - (a - self.skipped_before(a)),
            _ => b - a,
        })
    }

    fn skipped_before(&self, day: i64) -> i64 {
        self.skipped_days.partition_point(|skipped| *skipped < day) as i64
    }

    /// Returns the day `n` existing days after `from`.
    fn day_after_skips(&self, from: i64, n: i64) -> i64 {
        let wanted = from - self.skipped_before(from) + n;
        let mut day = wanted;
        // Each skipped day on the way moves the target by one, and may bring another one into the way.
        for skipped in &self.skipped_days {
            if *skipped <= day {
                day += 1;
            }
        }
        day
    }

    fn clock_offset(
        &self,
        period: &Period,
        width_us: i64,
        n: i64,
        outside: &dyn Fn() -> Error,
    ) -> Result<Period> {
        let (mut at, mut left) = (period.start_us(), n);
        loop {
            let segment = self.zone.segment(at)?;
            let number = |us: i64| (us + segment.offset_us).div_euclid(width_us);
            let (first, last) = (number(segment.from_us), number(segment.to_us - 1));
            let wanted = number(at) + left;
            if wanted > last {
                left = wanted - last - 1;
                at = segment.to_us;
            } else if wanted < first {
                left = wanted - first + 1;
                at = segment.from_us - 1;
            } else {
                let start = wanted * width_us - segment.offset_us;
                return self.period_of(period.grain(), start.max(segment.from_us));
            }
            check_instant("time", at).map_err(|_| outside())?;
        }
    }

    /// Counts the periods that begin in `[from_us, to_us)`; `from_us` is the start of one.
    fn clock_count(&self, width_us: i64, from_us: i64, to_us: i64) -> Result<i64> {
        let (mut at, mut count) = (from_us, 0);
        while at < to_us {
            let segment = self.zone.segment(at)?;
            let number = |us: i64| (us + segment.offset_us).div_euclid(width_us);
            let end = segment.to_us.min(to_us);
            count += number(end - 1) - number(at) + 1;
            at = end;
        }
        Ok(count)
    }
}
