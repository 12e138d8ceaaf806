//! Tests of calendars. What instants of zones belong to is compared with `tests/calendar/periods.csv`,
//! which another program wrote.

mod bucketer;
mod oracle;
mod rows;
mod spec;
mod steps;
mod zones;

use super::{Calendar, Grain, PreparedCalendar};

const HOUR: i64 = 3_600_000_000;

fn zone(name: &str) -> PreparedCalendar {
    Calendar::in_zone(name).prepare().unwrap()
}

/// The label and the length in minutes of the period that holds `time`.
fn period(calendar: &PreparedCalendar, grain: Grain, time: &str) -> (String, i64) {
    let period = calendar
        .period_of(grain, calendar.instant(time).unwrap())
        .unwrap();
    (
        calendar.label(&period).unwrap(),
        period.length_us() / 60_000_000,
    )
}

/// The labels of the periods of a range.
fn labels(calendar: &PreparedCalendar, grain: Grain, from: &str, to: &str) -> Vec<String> {
    let instant = |text: &str| calendar.instant(text).unwrap();
    let periods = calendar.periods(grain, instant(from), instant(to)).unwrap();
    periods.iter().map(|p| calendar.label(p).unwrap()).collect()
}
