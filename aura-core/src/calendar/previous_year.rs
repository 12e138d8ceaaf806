//! The same period a year before.

use super::civil::{DAY_US, date_of_day, day_of_date};
use super::custom::CustomGrain;
use super::zone::MIN_US;
use super::{Grain, Period, PreparedCalendar};
use crate::Result;

impl PreparedCalendar {
    /// Returns the same period of the previous year. `None` where that year has no such period, so that
    /// no period is compared twice:
    ///
    /// - *minute, hour, day*: the same local date and time. None for 29 February, for times and days that
    ///   the clocks skipped, and for the second of two equal times when the year before had one only.
    /// - *week*: the week of the same number (see [`Calendar::week_start`](super::Calendar::week_start));
    ///   none for week 53 when the year before had 52.
    /// - *month, quarter, year*: the same month, quarter or year of the year before.
    /// - *periods of one's own*: the one at the same place among those whose middle lies in the same year; none
    ///   when the year before has fewer. A year is one of the rows of the grain year, if there are any.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) before the year 2, when the rows of the grain do not
    /// reach over the whole year before, and for a period of another calendar.
    pub fn same_period_previous_year(&self, period: &Period) -> Result<Option<Period>> {
        self.check_own(period)?;
        let grain = period.grain();
        if let Some(custom) = self.custom(grain) {
            return self.custom_previous_year(custom, period);
        }
        if let Some(width) = grain.clock_us() {
            return self.clock_previous_year(period, width);
        }
        let index = self.index_of(grain, period.start_us())?;
        let before = match grain {
            Grain::Week => {
                let (year, number) = self.starts.week_number(index);
                let before = self.starts.first_week(year - 1) + number - 1;
                if before >= self.starts.first_week(year) {
                    return Ok(None);
                }
                before
            }
            Grain::Month => index - 12,
            Grain::Quarter => index - 4,
            Grain::Year => index - 1,
            Grain::Minute | Grain::Hour | Grain::Day => match day_of_previous_year(index) {
                Some(day) if self.skipped_days.binary_search(&day).is_err() => day,
                _ => return Ok(None),
            },
        };
        self.period_of(grain, self.start_of(grain, before)?)
            .map(Some)
    }

    fn clock_previous_year(&self, period: &Period, width_us: i64) -> Result<Option<Period>> {
        let grain = period.grain();
        let floor = |us: i64| -> Result<i64> {
            let local = self.zone.local_us(us)?;
            Ok(local - local.rem_euclid(width_us))
        };
        let local = floor(period.start_us())?;
        let Some(day) = day_of_previous_year(local.div_euclid(DAY_US)) else {
            return Ok(None);
        };
        let wanted = day * DAY_US + local.rem_euclid(DAY_US);
        let occurrences = |local: i64| -> Result<Vec<Period>> {
            let first = self.period_of(grain, self.zone.first_at(local)?)?;
            let segment = self.zone.segment(first.start_us())?;
            let mut found = vec![first];
            // A time shows again only right after the clocks were changed.
            if segment.to_us < super::zone::MAX_US {
                let after = self.zone.segment(segment.to_us)?;
                let second = (local - after.offset_us).max(segment.to_us);
                if second < after.to_us {
                    found.push(self.period_of(grain, second)?);
                }
            }
            let mut same = Vec::new();
            for period in found {
                if floor(period.start_us())? == local && !same.contains(&period) {
                    same.push(period);
                }
            }
            Ok(same)
        };
        let place = occurrences(local)?.iter().position(|p| p == period);
        let before = occurrences(wanted)?;
        Ok(place.and_then(|place| before.get(place).copied()))
    }

    fn custom_previous_year(
        &self,
        custom: &CustomGrain,
        period: &Period,
    ) -> Result<Option<Period>> {
        let grain = period.grain();
        let at = custom.position(grain, period.start_us())?;
        if grain == Grain::Year {
            let before = at.checked_sub(1).and_then(|at| custom.periods.get(at));
            return before
                .map(|p| Some(*p))
                .ok_or_else(|| custom.outside(grain));
        }
        let middle = |p: &Period| p.start_us() + p.length_us() / 2;
        let year = self.period_of(Grain::Year, middle(period))?;
        let before = self.previous(&year)?;
        let first_of = |year: &Period| {
            custom
                .periods
                .partition_point(|p| middle(p) < year.start_us())
        };
        let (first, first_before) = (first_of(&year), first_of(&before));
        // What lies before the first row is unknown; it must not begin inside the year before.
        let known_from = custom.periods.first().map_or(MIN_US, Period::start_us);
        if first_before == 0 && known_from > before.start_us() {
            return Err(custom.outside(grain));
        }
        let wanted = first_before + (at - first);
        Ok(custom
            .periods
            .get(wanted)
            .filter(|_| wanted < first)
            .copied())
    }
}

/// Returns the day of the same date a year before; `None` for 29 February.
fn day_of_previous_year(day: i64) -> Option<i64> {
    let (year, month, day) = date_of_day(day);
    ((month, day) != (2, 29)).then(|| day_of_date(year - 1, month, day))
}
