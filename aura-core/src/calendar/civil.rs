//! Days, weeks, months, quarters and years as numbers: arithmetic without zones.
//!
//! Days count from 1970-01-01, months from January of year 0, in the proleptic Gregorian calendar.
//! Source of the conversions: Howard Hinnant, "chrono-compatible low-level date algorithms".

use super::Grain;

pub(super) const DAY_US: i64 = 86_400_000_000;

/// Returns the number of the day of a date; `day` may be past the end of the month.
pub(super) fn day_of_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns year, month and day of the month, both from 1.
pub(super) fn date_of_day(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Where weeks and fiscal years begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Starts {
    /// Days from Monday, `0..=6`.
    pub(super) week: i64,
    /// Months from January, `0..=11`.
    pub(super) year: i64,
}

impl Starts {
    /// Returns the number of the period of `grain` (day or longer) that holds `day`.
    pub(super) fn index_of_day(self, grain: Grain, day: i64) -> i64 {
        let month = || {
            let (year, month, _) = date_of_day(day);
            year * 12 + month - 1
        };
        match grain {
            Grain::Minute | Grain::Hour | Grain::Day => day,
            // Day 0 was a Thursday.
            Grain::Week => (day + 3 - self.week).div_euclid(7),
            Grain::Month => month(),
            Grain::Quarter => (month() - self.year).div_euclid(3),
            Grain::Year => (month() - self.year).div_euclid(12),
        }
    }

    /// Returns the first day of period `index` of `grain`.
    pub(super) fn first_day(self, grain: Grain, index: i64) -> i64 {
        match grain {
            Grain::Minute | Grain::Hour | Grain::Day => index,
            Grain::Week => index * 7 - 3 + self.week,
            Grain::Month | Grain::Quarter | Grain::Year => {
                let month = self.first_month(grain, index);
                day_of_date(month.div_euclid(12), month.rem_euclid(12) + 1, 1)
            }
        }
    }

    /// Returns the first month of period `index` of a grain of months.
    pub(super) fn first_month(self, grain: Grain, index: i64) -> i64 {
        match grain {
            Grain::Quarter => index * 3 + self.year,
            Grain::Year => index * 12 + self.year,
            _ => index,
        }
    }

    /// Returns year and number (from 1) of week `index`: a week belongs to the year that holds four
    /// or more of its days. For weeks from Monday this is ISO 8601.
    pub(super) fn week_number(self, index: i64) -> (i64, i64) {
        let (year, _, _) = date_of_day(self.first_day(Grain::Week, index) + 3);
        (year, index - self.first_week(year) + 1)
    }

    /// Returns the index of week 1 of `year`: the week that holds 4 January.
    pub(super) fn first_week(self, year: i64) -> i64 {
        self.index_of_day(Grain::Week, day_of_date(year, 1, 4))
    }
}
