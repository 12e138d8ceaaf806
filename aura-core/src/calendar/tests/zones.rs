//! Days and hours where clocks change. The changes are those of the IANA database's source files.

use super::{HOUR, labels, period, zone};
use crate::calendar::{Calendar, Grain, Weekday};

#[test]
fn days_have_23_or_25_hours_when_clocks_change() {
    let berlin = zone("Europe/Berlin");
    let hours = |day: &str| period(&berlin, Grain::Day, day).1 / 60;
    assert_eq!(hours("2026-03-28"), 24);
    assert_eq!(hours("2026-03-29"), 23);
    assert_eq!(hours("2026-10-25"), 25);
    assert_eq!(
        period(&berlin, Grain::Week, "2026-10-25"),
        ("2026-W43".into(), 169 * 60)
    );
    let names = labels(&berlin, Grain::Day, "2026-10-24", "2026-10-27");
    assert_eq!(names, ["2026-10-24", "2026-10-25", "2026-10-26"]);
}

#[test]
fn a_day_without_midnight_begins_after_the_gap() {
    for (name, day, start) in [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z"),
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z"),
    ] {
        let calendar = zone(name);
        let noon = calendar.instant(&format!("{day}T12:00")).unwrap();
        let period = calendar.period_of(Grain::Day, noon).unwrap();
        assert_eq!(
            period.start_us(),
            calendar.instant(start).unwrap(),
            "{name}"
        );
        assert_eq!(period.length_us(), 23 * HOUR, "{name}");
        assert_eq!(calendar.label(&period).unwrap(), day);
        // The midnight that is not there is read as the end of the gap.
        assert_eq!(calendar.instant(day).unwrap(), period.start_us(), "{name}");
        let hour = calendar.period_of(Grain::Hour, period.start_us()).unwrap();
        assert_eq!(calendar.label(&hour).unwrap(), format!("{day}T01:00"));
    }
}

#[test]
fn a_skipped_day_does_not_exist() {
    let apia = zone("Pacific/Apia");
    let names = labels(&apia, Grain::Day, "2011-12-28", "2012-01-02");
    assert_eq!(
        names,
        ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"]
    );
    assert_eq!(
        apia.instant("2011-12-30").unwrap(),
        apia.instant("2011-12-31").unwrap()
    );
    let before = apia
        .period_of(Grain::Day, apia.instant("2011-12-29").unwrap())
        .unwrap();
    let after = apia.next(&before).unwrap();
    assert_eq!(apia.previous(&after).unwrap(), before);
    assert_eq!(apia.offset(&before, 1).unwrap(), after);
    assert_eq!(apia.offset(&after, -1).unwrap(), before);
    assert_eq!(apia.between(&before, &after).unwrap(), 1);
    let week = apia.period_of(Grain::Week, before.start_us()).unwrap();
    assert_eq!(week.length_us(), 6 * 24 * HOUR);
    // 2012-12-30 has no counterpart; 2012-12-31 has.
    let day = |text: &str| {
        apia.period_of(Grain::Day, apia.instant(text).unwrap())
            .unwrap()
    };
    assert_eq!(
        apia.same_period_previous_year(&day("2012-12-30")).unwrap(),
        None
    );
    assert_eq!(
        apia.same_period_previous_year(&day("2012-12-31")).unwrap(),
        Some(after)
    );
}

#[test]
fn a_repeated_hour_is_two_hours() {
    let new_york = zone("America/New_York");
    let names = labels(
        &new_york,
        Grain::Hour,
        "2026-11-01T00:00",
        "2026-11-01T03:00",
    );
    assert_eq!(
        names,
        [
            "2026-11-01T00:00",
            "2026-11-01T01:00-04:00",
            "2026-11-01T01:00-05:00",
            "2026-11-01T02:00"
        ]
    );
    assert_eq!(
        period(&new_york, Grain::Minute, "2026-11-01T01:30"),
        ("2026-11-01T01:30-04:00".into(), 1)
    );
    // Of the gap in March nothing is left: 01:00 is followed by 03:00.
    let names = labels(
        &new_york,
        Grain::Hour,
        "2026-03-08T01:00",
        "2026-03-08T04:00",
    );
    assert_eq!(names, ["2026-03-08T01:00", "2026-03-08T03:00"]);
}

#[test]
fn a_change_of_half_an_hour_makes_short_hours() {
    // Back from 02:00 to 01:30, and forward from 02:00 to 02:30.
    let island = zone("Australia/Lord_Howe");
    let april = "2026-04-04T15:15:00Z";
    assert_eq!(
        period(&island, Grain::Hour, "2026-04-04T14:45:00Z"),
        ("2026-04-05T01:00+11:00".into(), 60)
    );
    assert_eq!(
        period(&island, Grain::Hour, april),
        ("2026-04-05T01:00+10:30".into(), 30)
    );
    assert_eq!(
        period(&island, Grain::Hour, "2026-10-04T02:45"),
        ("2026-10-04T02:00".into(), 30)
    );
    assert_eq!(period(&island, Grain::Day, april).1, 24 * 60 + 30);
}

#[test]
fn offsets_may_have_minutes_and_seconds() {
    let kathmandu = zone("Asia/Kathmandu");
    let hour = kathmandu.period_of(Grain::Hour, kathmandu.instant("2026-05-01T10:20").unwrap());
    assert_eq!(
        hour.unwrap().start_us(),
        kathmandu.instant("2026-05-01T04:15:00Z").unwrap()
    );
    let amsterdam = zone("Europe/Amsterdam");
    let names = labels(&amsterdam, Grain::Day, "1900-01-01", "1900-01-03");
    assert_eq!(names, ["1900-01-01", "1900-01-02"]);
}

#[test]
fn a_day_that_has_begun_keeps_the_minutes_that_repeat() {
    // Until 2011 the clocks of Newfoundland went from 00:01 back to 23:01.
    let calendar = zone("America/St_Johns");
    let repeated = calendar.instant("2010-11-07T02:45:00Z").unwrap();
    let day = calendar.period_of(Grain::Day, repeated).unwrap();
    assert_eq!(calendar.label(&day).unwrap(), "2010-11-07");
    assert_eq!(
        day.start_us(),
        calendar.instant("2010-11-07T02:30:00Z").unwrap()
    );
    assert_eq!(day.length_us(), 25 * HOUR);
    let hour = calendar.period_of(Grain::Hour, repeated).unwrap();
    assert_eq!(calendar.label(&hour).unwrap(), "2010-11-06T23:00-03:30");
}

#[test]
fn weeks_are_numbered_like_iso_8601() {
    let utc = zone("UTC");
    for (day, week) in [
        ("2020-12-31", "2020-W53"),
        ("2021-01-03", "2020-W53"),
        ("2021-01-04", "2021-W01"),
        ("2024-12-30", "2025-W01"),
        ("2026-11-21", "2026-W47"),
        ("2027-01-03", "2026-W53"),
    ] {
        assert_eq!(period(&utc, Grain::Week, day).0, week, "{day}");
    }
    for weekday in Weekday::ALL {
        let calendar = Calendar {
            week_start: weekday,
            ..Calendar::default()
        };
        let calendar = calendar.prepare().unwrap();
        let name = period(&calendar, Grain::Week, "2026-11-21").0;
        // 2026-11-16 is a Monday.
        let expected = match weekday {
            Weekday::Monday => "2026-W47".to_owned(),
            Weekday::Sunday => "2026-11-15".to_owned(),
            other => format!("2026-11-{:02}", 16 + other as u8),
        };
        assert_eq!(name, expected, "{weekday}");
    }
}
