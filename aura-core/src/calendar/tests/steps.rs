//! Steps, counts, fiscal years and the year before.

use proptest::prelude::*;

use super::{labels, period, zone};
use crate::ErrorKind;
use crate::calendar::zone::{MAX_US, MIN_US};
use crate::calendar::{Calendar, FiscalYearLabel, Grain, Month, PreparedCalendar, Weekday};

const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Africa/Monrovia",
    "America/Juneau",
];

fn fiscal(start: Month, label: FiscalYearLabel) -> PreparedCalendar {
    let calendar = Calendar {
        fiscal_year_start: start,
        fiscal_year_label: label,
        ..Calendar::default()
    };
    calendar.prepare().unwrap()
}

#[test]
fn fiscal_years_have_quarters_and_names_of_their_own() {
    let ends = fiscal(Month::October, FiscalYearLabel::EndYear);
    assert_eq!(
        labels(&ends, Grain::Quarter, "2026-09-30", "2027-04-01"),
        ["FY2026-Q4", "FY2027-Q1", "FY2027-Q2"]
    );
    assert_eq!(period(&ends, Grain::Year, "2026-11-21").0, "FY2027");
    assert_eq!(period(&ends, Grain::Month, "2026-11-21").0, "2026-11");
    let starts = fiscal(Month::April, FiscalYearLabel::StartYear);
    assert_eq!(period(&starts, Grain::Quarter, "2027-03-31").0, "FY2026-Q4");
    assert_eq!(period(&starts, Grain::Year, "2027-04-01").0, "FY2027");
    // A year from February holds the quarter November to January.
    let february = fiscal(Month::February, FiscalYearLabel::EndYear);
    assert_eq!(
        labels(&february, Grain::Quarter, "2026-11-01", "2027-02-02"),
        ["FY2027-Q4", "FY2028-Q1"]
    );
    let plain = fiscal(Month::January, FiscalYearLabel::EndYear);
    assert_eq!(period(&plain, Grain::Quarter, "2026-11-21").0, "2026-Q4");
    assert_eq!(period(&plain, Grain::Year, "2026-11-21").0, "2026");
}

fn year_before(calendar: &PreparedCalendar, grain: Grain, time: &str) -> Option<String> {
    let period = calendar
        .period_of(grain, calendar.instant(time).unwrap())
        .unwrap();
    let before = calendar.same_period_previous_year(&period).unwrap();
    before.map(|p| calendar.label(&p).unwrap())
}

#[test]
fn the_year_before_has_the_same_period_or_none() {
    let utc = zone("UTC");
    let before = |grain, time| year_before(&utc, grain, time);
    assert_eq!(before(Grain::Year, "2026-05-05").as_deref(), Some("2025"));
    assert_eq!(
        before(Grain::Quarter, "2026-05-05").as_deref(),
        Some("2025-Q2")
    );
    assert_eq!(
        before(Grain::Month, "2024-02-29").as_deref(),
        Some("2023-02")
    );
    assert_eq!(
        before(Grain::Day, "2024-02-28").as_deref(),
        Some("2023-02-28")
    );
    assert_eq!(before(Grain::Day, "2024-02-29"), None);
    assert_eq!(
        before(Grain::Week, "2026-11-21").as_deref(),
        Some("2025-W47")
    );
    // 2020 and 2026 have 53 weeks, the years around them 52.
    assert_eq!(before(Grain::Week, "2020-12-31"), None);
    assert_eq!(
        before(Grain::Week, "2021-12-31").as_deref(),
        Some("2020-W52")
    );
    assert_eq!(
        before(Grain::Hour, "2026-11-21T10:30").as_deref(),
        Some("2025-11-21T10:00")
    );
}

#[test]
fn repeated_and_skipped_times_have_few_counterparts() {
    // The clocks of New York went back on 2025-11-02 and on 2026-11-01, and forward on 2025-03-09.
    let new_york = zone("America/New_York");
    let before = |time| year_before(&new_york, Grain::Hour, time);
    assert_eq!(
        before("2026-11-01T05:30:00Z").as_deref(),
        Some("2025-11-01T01:00")
    );
    assert_eq!(before("2026-11-01T06:30:00Z"), None);
    assert_eq!(
        before("2026-11-02T01:30").as_deref(),
        Some("2025-11-02T01:00-04:00")
    );
    assert_eq!(before("2026-03-09T02:30"), None);
    assert_eq!(
        before("2026-03-09T03:30").as_deref(),
        Some("2025-03-09T03:00")
    );
}

#[test]
fn a_period_is_complete_from_its_end_on() {
    let berlin = zone("Europe/Berlin");
    let day = berlin
        .period_of(Grain::Day, berlin.instant("2026-03-29").unwrap())
        .unwrap();
    assert!(!day.is_complete(day.end_us() - 1));
    assert!(day.is_complete(day.end_us()));
    assert!(day.contains(day.start_us()) && !day.contains(day.end_us()));
}

#[test]
fn what_lies_outside_is_an_error() {
    for name in ["UTC", "America/New_York", "Pacific/Apia"] {
        let calendar = zone(name);
        for grain in Grain::ALL {
            for us in [i64::MIN, MIN_US - 1, MAX_US, i64::MAX] {
                let error = calendar.period_of(grain, us).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidSpec);
                assert!(error.message().contains("years 1 to 9997"), "{error}");
                assert!(calendar.periods(grain, us, us).is_err());
                assert!(calendar.bucketer(grain, 0, i64::MAX).is_err());
                assert!(calendar.bucketer(grain, i64::MIN, 0).is_err());
            }
            let first = calendar.period_of(grain, MIN_US).unwrap();
            let last = calendar.period_of(grain, MAX_US - 1).unwrap();
            assert!(first.contains(MIN_US) && last.contains(MAX_US - 1));
            for period in [first, last] {
                calendar.label(&period).unwrap();
                for n in [
                    i64::MIN,
                    i64::MIN + 1,
                    i64::MAX - 1,
                    i64::MAX,
                    1 << 50,
                    -(1 << 50),
                ] {
                    let error = calendar.offset(&period, n).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{grain} {n}");
                }
            }
            if first.start_us() <= MIN_US {
                assert!(calendar.previous(&first).is_err());
            }
            assert_eq!(calendar.offset(&first, 0).ok(), Some(first));
        }
        let error = calendar.periods(Grain::Day, 10, 9).unwrap_err();
        assert_eq!(
            error.message(),
            "the range begins at 10 µs, after its end at 9 µs; exchange `from` and `to`"
        );
    }
}

#[test]
fn periods_of_another_calendar_are_refused() {
    let (utc, berlin) = (zone("UTC"), zone("Europe/Berlin"));
    let day = utc.period_of(Grain::Day, 0).unwrap();
    assert!(
        berlin
            .label(&day)
            .unwrap_err()
            .message()
            .contains("not of this calendar")
    );
    assert!(berlin.offset(&day, 1).is_err());
    let week = utc.period_of(Grain::Week, 0).unwrap();
    let error = utc.between(&day, &week).unwrap_err();
    assert!(error.message().contains("a day and a week"), "{error}");
}

#[test]
fn far_steps_count_every_change_of_the_clocks() {
    for name in ZONES {
        let calendar = zone(name);
        let from = calendar
            .period_of(Grain::Hour, calendar.instant("1850-06-01").unwrap())
            .unwrap();
        let to = calendar
            .period_of(Grain::Hour, calendar.instant("2100-06-01").unwrap())
            .unwrap();
        let all = calendar
            .periods(Grain::Hour, from.start_us(), to.end_us())
            .unwrap();
        let n = all.len() as i64 - 1;
        assert_eq!(calendar.between(&from, &to).unwrap(), n, "{name}");
        assert_eq!(calendar.offset(&from, n).unwrap(), to, "{name}");
        assert_eq!(calendar.offset(&to, -n).unwrap(), from, "{name}");
    }
}

proptest! {
    #[test]
    fn periods_tile_time(
        zone in 0..ZONES.len(),
        grain in 0..7_usize,
        week_start in 0..7_usize,
        fiscal in 0..12_usize,
        us in -4_000_000_000_000_000..4_000_000_000_000_000_i64,
        n in -400..400_i64,
    ) {
        let calendar = Calendar {
            week_start: Weekday::ALL[week_start],
            fiscal_year_start: Month::ALL[fiscal],
            ..Calendar::in_zone(ZONES[zone])
        };
        let (calendar, grain) = (calendar.prepare().unwrap(), Grain::ALL[grain]);
        let period = calendar.period_of(grain, us).unwrap();
        prop_assert!(period.start_us() <= us && us < period.end_us());
        prop_assert_eq!(calendar.period_of(grain, period.start_us()).unwrap(), period);
        prop_assert_eq!(calendar.period_of(grain, period.end_us() - 1).unwrap(), period);
        let next = calendar.next(&period).unwrap();
        prop_assert_eq!(next.start_us(), period.end_us());
        prop_assert_eq!(calendar.previous(&next).unwrap(), period);
        prop_assert_ne!(calendar.label(&next).unwrap(), calendar.label(&period).unwrap());

        // Steps one by one, in one leap, and back.
        let mut walked = period;
        for _ in 0..n.abs() {
            walked = if n > 0 { calendar.next(&walked) } else { calendar.previous(&walked) }.unwrap();
        }
        prop_assert_eq!(calendar.offset(&period, n).unwrap(), walked);
        prop_assert_eq!(calendar.between(&period, &walked).unwrap(), n);
        prop_assert_eq!(calendar.offset(&walked, -n).unwrap(), period);

        let (from, to) = (period.min(walked), period.max(walked));
        let all = calendar.periods(grain, from.start_us(), to.end_us()).unwrap();
        prop_assert_eq!(all.len() as i64, n.abs() + 1);
        prop_assert_eq!((all[0], all[all.len() - 1]), (from, to));

        // Different periods have different counterparts.
        let before = calendar.same_period_previous_year(&period).unwrap();
        let next_before = calendar.same_period_previous_year(&next).unwrap();
        prop_assert!(before.is_none() || before != next_before);
        prop_assert!(before.is_none_or(|before| before < period));
    }
}
