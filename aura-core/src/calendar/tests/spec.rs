//! Calendars as JSON, and what is wrong with them.

use serde_json::json;

use crate::calendar::{Calendar, FiscalYearLabel, Grain, Month, Weekday};
use crate::{Error, ErrorKind};

#[test]
fn json_has_defaults_and_goes_around() {
    let calendar: Calendar = serde_json::from_value(json!({})).unwrap();
    assert_eq!(calendar, Calendar::default());
    assert_eq!(calendar.prepare().unwrap().time_zone(), "UTC");
    let value = json!({
        "time_zone": "Asia/Kolkata",
        "week_start": "sunday",
        "fiscal_year_start": "april",
        "fiscal_year_label": "start_year",
        "periods": [{"grain": "week", "label": "w1", "start": "2026-01-01", "end": "2026-01-08"}],
    });
    let calendar: Calendar = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(calendar.week_start, Weekday::Sunday);
    assert_eq!(calendar.fiscal_year_start, Month::April);
    assert_eq!(calendar.fiscal_year_label, FiscalYearLabel::StartYear);
    assert_eq!(serde_json::to_value(&calendar).unwrap(), value);
}

#[test]
fn the_schema_names_every_value() {
    let schema = serde_json::to_string(&schemars::schema_for!(Calendar)).unwrap();
    for name in [
        "time_zone",
        "monday",
        "january",
        "end_year",
        "quarter",
        "label",
    ] {
        assert!(
            schema.contains(&format!("\"{name}\"")),
            "{name} in {schema}"
        );
    }
}

#[test]
fn unknown_names_are_listed_with_the_nearest() {
    let error = "weak".parse::<Grain>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert_eq!(
        error.message(),
        "unknown grain `weak`; known are minute, hour, day, week, month, quarter, year. Did you mean `week`?"
    );
    let error = serde_json::from_value::<Calendar>(json!({"week_start": "sundy"})).unwrap_err();
    assert!(
        error.to_string().contains("Did you mean `sunday`?"),
        "{error}"
    );
    let error = serde_json::from_value::<Calendar>(json!({"zone": "UTC"})).unwrap_err();
    assert!(
        error.to_string().contains("unknown field `zone`"),
        "{error}"
    );
    let long = "x".repeat(10_000).parse::<Grain>().unwrap_err();
    assert!(long.message().len() < 300, "{long}");
}

#[test]
fn grains_are_ordered_by_length_and_read_what_they_write() {
    assert!(Grain::ALL.is_sorted());
    for grain in Grain::ALL {
        assert_eq!(grain.to_string().parse::<Grain>().unwrap(), grain);
        assert_eq!(serde_json::to_value(grain).unwrap(), json!(grain.name()));
    }
    for month in Month::ALL {
        assert_eq!(serde_json::to_value(month).unwrap(), json!(month.name()));
    }
    for day in Weekday::ALL {
        assert_eq!(serde_json::to_value(day).unwrap(), json!(day.name()));
    }
    for label in FiscalYearLabel::ALL {
        assert_eq!(serde_json::to_value(label).unwrap(), json!(label.name()));
    }
}

#[test]
fn unknown_zones_suggest_the_nearest() {
    let error = |name: &str| -> Error { Calendar::in_zone(name).prepare().unwrap_err() };
    for (name, near) in [
        ("Europe/Berln", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Asia/Calcuta", "Asia/Calcutta"),
        ("Russia/Moscow", "Europe/Moscow"),
        ("Amrica/Sao_Paolo", "America/Sao_Paulo"),
    ] {
        let error = error(name);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(
            error
                .message()
                .ends_with(&format!("Did you mean `{near}`?")),
            "{error}"
        );
    }
    assert_eq!(
        error("").message(),
        "time_zone: unknown time zone ``; expected a name of the IANA database, such as \
         `Europe/Berlin` or `UTC`."
    );
    for name in [
        "Etc/Unknown",
        "+03:00",
        "localtime",
        "../../etc/passwd",
        "\0",
        "Mars/Olympus_Mons",
    ] {
        assert!(
            error(name).message().contains("unknown time zone"),
            "{name}"
        );
    }
    // Case does not matter; the name is spelt as the database does.
    let calendar = Calendar::in_zone("europe/BERLIN").prepare().unwrap();
    assert_eq!(calendar.time_zone(), "Europe/Berlin");
}

#[test]
fn times_are_read_on_the_local_clock() {
    let berlin = super::zone("Europe/Berlin");
    let read = |text: &str| berlin.instant(text).unwrap();
    assert_eq!(read("1970-01-01"), -super::HOUR);
    assert_eq!(read(" 1970-01-01T01:00 "), 0);
    assert_eq!(read("1970-01-01 01:00:00.000001"), 1);
    assert_eq!(read("1970-01-01T00:00:00Z"), 0);
    assert_eq!(read("1970-01-01T00:00:00+02:00"), -2 * super::HOUR);
    // Skipped and repeated.
    assert_eq!(read("2026-03-29T02:30"), read("2026-03-29T03:00"));
    assert_eq!(read("2026-10-25T02:30"), read("2026-10-25T00:30:00Z"));
    for text in [
        "",
        "yesterday",
        "2026-02-29",
        "2026-01-01[Europe/Paris]",
        "2026-01-01T00:00[Europe/Paris]",
        "-009999-01-01",
        "9998-01-02",
        "9999-12-31T23:59:59Z",
        "0000-12-31",
        "2026-01-01T00:00:00+99:00",
    ] {
        let error = berlin.instant(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains("is not a time"), "{text}: {error}");
    }
}
