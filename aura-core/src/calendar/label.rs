//! What periods are called.

use super::civil::{DAY_US, date_of_day};
use super::{FiscalYearLabel, Grain, Month, Period, PreparedCalendar, Weekday};
use crate::Result;

impl PreparedCalendar {
    /// Returns what results call a period; unique within the calendar and the grain.
    ///
    /// | grain | label |
    /// |---|---|
    /// | minute, hour | `2026-11-21T10:15`; with the offset, as in `2026-11-01T01:00-04:00`, where the local time occurs in two periods |
    /// | day | `2026-11-21` |
    /// | week | `2026-W47` (ISO 8601); the first day, `2026-11-15`, when weeks do not begin on Monday |
    /// | month | `2026-11` |
    /// | quarter | `2026-Q4`; `FY2027-Q1` when fiscal years do not begin in January |
    /// | year | `2026`; `FY2027` |
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for a period of another calendar.
    pub fn label(&self, period: &Period) -> Result<String> {
        self.check_own(period)?;
        let grain = period.grain();
        if let Some(custom) = self.custom(grain) {
            let at = custom.position(grain, period.start_us())?;
            return custom
                .labels
                .get(at)
                .cloned()
                .ok_or_else(|| custom.outside(grain));
        }
        if let Some(width) = grain.clock_us() {
            return self.clock_label(period, width);
        }
        let index = self.index_of(grain, period.start_us())?;
        let day = self.starts.first_day(grain, index);
        let (year, month, _) = date_of_day(day);
        Ok(match grain {
            Grain::Week if self.spec.week_start == Weekday::Monday => {
                let (year, week) = self.starts.week_number(index);
                format!("{year:04}-W{week:02}")
            }
            Grain::Month => format!("{year:04}-{month:02}"),
            Grain::Quarter => {
                let number = index.rem_euclid(4) + 1;
                format!("{}-Q{number}", self.year_label(index.div_euclid(4)))
            }
            Grain::Year => self.year_label(index),
            _ => date_text(day),
        })
    }

    fn year_label(&self, index: i64) -> String {
        // Years are counted by the calendar year in which they begin.
        if self.spec.fiscal_year_start == Month::January {
            return format!("{index:04}");
        }
        match self.spec.fiscal_year_label {
            FiscalYearLabel::EndYear => format!("FY{:04}", index + 1),
            FiscalYearLabel::StartYear => format!("FY{index:04}"),
        }
    }

    fn clock_label(&self, period: &Period, width_us: i64) -> Result<String> {
        let segment = self.zone.segment(period.start_us())?;
        let local = period.start_us() + segment.offset_us;
        let local = local - local.rem_euclid(width_us);
        let minute = local.rem_euclid(DAY_US) / 60_000_000;
        let mut label = format!(
            "{}T{:02}:{:02}",
            date_text(local.div_euclid(DAY_US)),
            minute / 60,
            minute % 60
        );
        if self.shows_again(period, local, width_us)? {
            let seconds = segment.offset_us / 1_000_000;
            let sign = if seconds < 0 { '-' } else { '+' };
            let (minutes, seconds) = (seconds.abs() / 60, seconds.abs() % 60);
            label.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
            if seconds > 0 {
                label.push_str(&format!(":{seconds:02}"));
            }
        }
        Ok(label)
    }

    /// Tells whether the clock shows times of `[local, local + width_us)` before or after the stretch of
    /// constant offset that holds the period, too.
    fn shows_again(&self, period: &Period, local: i64, width_us: i64) -> Result<bool> {
        use super::zone::{MAX_US, MIN_US};
        let segment = self.zone.segment(period.start_us())?;
        if segment.from_us > MIN_US {
            let before = self.zone.segment(segment.from_us - 1)?;
            if segment.from_us + before.offset_us > local {
                return Ok(true);
            }
        }
        if segment.to_us < MAX_US {
            let after = self.zone.segment(segment.to_us)?;
            if segment.to_us + after.offset_us < local + width_us {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn date_text(day: i64) -> String {
    let (year, month, day) = date_of_day(day);
    format!("{year:04}-{month:02}-{day:02}")
}
