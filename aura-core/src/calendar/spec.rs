//! The calendar as a value: the one definition for serde and JSON Schema alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FiscalYearLabel, Month, PeriodTable, PreparedCalendar, Weekday};
use crate::Result;

/// How time is cut into periods: the zone, where weeks and fiscal years begin, and periods of one's own.
///
/// Without any field it is the ISO 8601 calendar in UTC. [`prepare`](Calendar::prepare) checks it and
/// makes it ready for use.
///
/// # Examples
/// ```
/// use aura_core::calendar::{Calendar, Grain};
///
/// let calendar: Calendar =
///     serde_json::from_str(r#"{"time_zone": "America/New_York", "fiscal_year_start": "july"}"#)?;
/// let calendar = calendar.prepare()?;
/// // The clocks go forward on 8 March 2026: the day has 23 hours.
/// let day = calendar.period_of(Grain::Day, calendar.instant("2026-03-08T12:00")?)?;
/// assert_eq!(day.length_us(), 23 * 3_600_000_000);
/// let quarter = calendar.period_of(Grain::Quarter, day.start_us())?;
/// assert_eq!(calendar.label(&quarter)?, "FY2026-Q3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// Name of the time zone in the IANA database, such as `Europe/Berlin`; `UTC` unless given.
    pub time_zone: String,
    /// The day on which weeks begin.
    pub week_start: Weekday,
    /// The month in which fiscal years begin. Quarters and years follow it; months do not change.
    pub fiscal_year_start: Month,
    /// Which calendar year names a fiscal year. Without effect when fiscal years begin in January.
    pub fiscal_year_label: FiscalYearLabel,
    /// Periods of one's own, such as the weeks and months of a 4-4-5 calendar. Each grain that occurs
    /// here follows these rows alone; the other grains stay as they are.
    #[serde(skip_serializing_if = "PeriodTable::is_empty")]
    pub periods: PeriodTable,
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar {
            time_zone: "UTC".to_owned(),
            week_start: Weekday::default(),
            fiscal_year_start: Month::default(),
            fiscal_year_label: FiscalYearLabel::default(),
            periods: PeriodTable::default(),
        }
    }
}

impl Calendar {
    /// Makes the ISO 8601 calendar of a zone.
    pub fn in_zone(time_zone: impl Into<String>) -> Self {
        Calendar {
            time_zone: time_zone.into(),
            ..Calendar::default()
        }
    }

    /// Checks the calendar and makes it ready for use.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for an unknown time zone (the message suggests
    /// the nearest), and for periods with gaps, overlaps or the like (the message names the row).
    pub fn prepare(&self) -> Result<PreparedCalendar> {
        PreparedCalendar::new(self)
    }
}
