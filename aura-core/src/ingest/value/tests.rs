use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn utc(text: &str) -> Result<i64, TimeError> {
    parse_time(text, None, TimeUnit::Auto)
}

fn zoned(text: &str, zone: &str) -> Result<i64, TimeError> {
    let zone = TimeZone::get(zone).unwrap();
    parse_time(text, Some(&zone), TimeUnit::Auto)
}

/// 2026-02-28T12:00:00Z
const NOON: i64 = 1_772_280_000_000_000;

#[test]
fn every_usual_form_is_the_same_moment() {
    for text in [
        "2026-02-28T12:00:00Z",
        "2026-02-28 12:00:00Z",
        "2026-02-28t12:00:00z",
        "2026-02-28T12:00:00.000000000Z",
        "2026-02-28T13:30:00+01:30",
        "2026-02-28T13:30:00+0130",
        "2026-02-28T13:00:00+01",
        "2026-02-28T07:00:00-05:00",
        "20260228T120000Z",
        "2026-02-28T13:00:00+01:00[Europe/Berlin]",
        "2026-02-28T13:00:00[Europe/Berlin]",
        "2026-02-28T12:00:00Z[Europe/Berlin]",
        "Sat, 28 Feb 2026 12:00:00 GMT",
        "Sat, 28 Feb 2026 13:00:00 +0100",
        "  2026-02-28T12:00:00Z ",
        "1772280000",
        "1772280000.0",
        "1772280000000",
        "1772280000000000",
        "1772280000000000000",
        "1.77228e9",
    ] {
        assert_eq!(utc(text), Ok(NOON), "{text}");
    }
}

#[test]
fn fractions_are_rounded_down() {
    assert_eq!(utc("2026-02-28T12:00:00.1Z"), Ok(NOON + 100_000));
    assert_eq!(utc("2026-02-28T12:00:00.123456789Z"), Ok(NOON + 123_456));
    assert_eq!(utc("1969-12-31T23:59:59.9999999Z"), Ok(-1));
    assert_eq!(utc("1969-12-31T23:59:59.9999999+0000"), Ok(-1));
    assert_eq!(utc("-0.0000001"), Ok(-1));
    assert_eq!(utc("1772280000.1234569"), Ok(NOON + 123_456));
    assert_eq!(utc("1772280000123.4569"), Ok(NOON + 123_456));
    assert!(matches!(
        utc("2026-02-28T12:00:00.1234567891Z"),
        Err(TimeError::Unreadable(_))
    ));
    assert!(utc("2026-02-28T12:00:00.Z").is_err());
}

#[test]
fn numbers_follow_the_unit() {
    let of = |text, unit| parse_numeric_time(text, unit);
    assert_eq!(of("1", TimeUnit::Seconds), Ok(1_000_000));
    assert_eq!(of("1", TimeUnit::Milliseconds), Ok(1_000));
    assert_eq!(of("1.5", TimeUnit::Milliseconds), Ok(1_500));
    assert_eq!(of("1.5", TimeUnit::Microseconds), Ok(1));
    assert_eq!(of("-1.5", TimeUnit::Microseconds), Ok(-2));
    assert_eq!(of("-1", TimeUnit::Nanoseconds), Ok(-1));
    assert_eq!(of("1e3", TimeUnit::Seconds), Ok(1_000_000_000));
    assert!(matches!(
        of("9223372036854775807", TimeUnit::Seconds),
        Err(TimeError::OutOfRange(_))
    ));
    assert!(matches!(
        of("1e400", TimeUnit::Seconds),
        Err(TimeError::OutOfRange(_))
    ));
    assert!(matches!(
        of("1e99999999999999999999", TimeUnit::Auto),
        Err(TimeError::OutOfRange(_))
    ));
}

#[test]
fn times_without_zone_need_one() {
    assert_eq!(
        utc("2026-02-28T12:00:00").unwrap_err().to_string(),
        "`2026-02-28T12:00:00` has no zone; state `time_zone`"
    );
    assert!(matches!(utc("2026-02-28"), Err(TimeError::NoZone(_))));
    assert_eq!(zoned("2026-02-28T13:00:00", "Europe/Berlin"), Ok(NOON));
    assert_eq!(zoned("2026-02-28T12:00:00Z", "Europe/Berlin"), Ok(NOON));
    assert_eq!(zoned("2026-02-28", "UTC"), Ok(NOON - DAY_US / 2));
    // The clock skips 02:30 in spring (read with the offset before: 01:30Z), and repeats it in autumn (the
    // first one counts: 00:30Z).
    assert_eq!(
        zoned("2026-03-29T02:30:00", "Europe/Berlin"),
        utc("2026-03-29T01:30:00Z")
    );
    assert_eq!(
        zoned("2026-10-25T02:30:00", "Europe/Berlin"),
        utc("2026-10-25T00:30:00Z")
    );
}

#[test]
fn what_is_wrong_is_said() {
    let message = |text| utc(text).unwrap_err().to_string();
    assert_eq!(message("2026-02-30"), "`2026-02-30` is not a date");
    assert_eq!(
        message("2026-02-30T00:00:00Z"),
        "`2026-02-30T00:00:00Z` is not a date"
    );
    assert!(message("2026-06-30T23:59:60Z").contains("leap second"));
    assert!(message("20260630T235960Z").contains("leap second"));
    assert!(message("Tue, 30 Jun 2026 23:59:60 GMT").contains("leap second"));
    assert!(message("yesterday").starts_with("`yesterday` is not a time"));
    assert!(message("").starts_with("the time is empty"));
    assert!(message("2026-02-28T13:00:00+05:00[Europe/Berlin]").contains("agree"));
    for text in [
        "2026-02-28T24:00:00Z",
        "2026-02-28T12:60:00Z",
        "2026-02-28T12:00:00+25:00",
        "2026-02-28T12:00:00Z ago",
        "+300000-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "２０２６-02-28T12:00:00Z",
        "2026-02-28T12:00:00\u{0}Z",
    ] {
        assert!(utc(text).is_err(), "{text}");
    }
    assert!(message(&"é".repeat(500)).chars().count() < 250);
}

#[test]
fn dates_are_calendar_days() {
    assert_eq!(parse_date("1970-01-01"), Some(0));
    assert_eq!(parse_date("2000-02-29"), Some(11_016));
    assert_eq!(parse_date("0000-01-01"), Some(-719_528));
    assert_eq!(parse_date("9999-12-31"), Some(2_932_896));
    for text in [
        "1900-02-29",
        "2026-1-1",
        "2026-02-28T",
        "2026/02/28",
        "",
        "-026-02-28",
    ] {
        assert_eq!(parse_date(text), None, "{text}");
    }
}

#[test]
fn integers_are_exact_or_none() {
    for (text, value) in [
        ("0", 0),
        ("-0", 0),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(parse_integer(text.as_bytes()), Some(value));
    }
    for text in [
        "",
        "-",
        "+1",
        "01",
        "-01",
        "1.0",
        "1e3",
        " 1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "0x1",
        "١",
    ] {
        assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
    }
    for (text, value) in [
        ("1.0", Some(1)),
        ("-12e2", Some(-1_200)),
        ("1.5e1", Some(15)),
        ("10e-1", Some(1)),
        ("0e999999999", Some(0)),
        ("-9.223372036854775808e18", Some(i64::MIN)),
        ("9.223372036854775808e18", None),
        ("1.5", None),
        ("1e-1", None),
        ("1.0000000000000000000000001", None),
        ("1e400", None),
    ] {
        assert_eq!(parse_integral(text.as_bytes()), value, "{text}");
    }
}

#[test]
fn numbers_that_a_float_would_change_are_none() {
    for (text, value) in [
        ("0", 0.0),
        ("0.1", 0.1),
        ("-4.71", -4.71),
        ("9007199254740992", 9007199254740992.0),
        ("9007199254740994", 9007199254740994.0),
        ("1e22", 1e22),
        ("1e23", 1e23),
        ("123456789012345678e-17", 1.2345678901234567),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
        ("0e-999", 0.0),
    ] {
        assert_eq!(parse_number(text.as_bytes()), Some(value), "{text}");
    }
    for text in [
        "",
        "-",
        ".",
        "-.",
        "+1",
        "01",
        "1e",
        "1e+",
        "e5",
        "1.2.3",
        "nan",
        "inf",
        "1e400",
        "1e-400",
        "9007199254740993",
        "123456789012345678901234567890",
        "1_000",
        "99999999999999999999999999999999999999999999999",
    ] {
        assert_eq!(parse_number(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn times_agree_with_jiff(
        seconds in -62_167_219_200_i64..253_402_207_200,
        nanos in 0_i32..1_000_000_000,
        digits in 0_usize..=9,
        minutes in -1_439_i32..=1_439,
        space in any::<bool>(),
    ) {
        let time = Timestamp::new(seconds, 0).unwrap() + jiff::SignedDuration::from_nanos(nanos.into());
        let offset = jiff::tz::Offset::from_seconds(minutes * 60).unwrap();
        let civil = offset.to_datetime(time);
        prop_assume!((0..=9999).contains(&civil.year()));
        let text = format!(
            "{}{}{}{}",
            civil.strftime("%Y-%m-%d"),
            if space { ' ' } else { 'T' },
            civil.strftime(&format!("%H:%M:%S{}", if digits == 0 { String::new() } else { format!("%.{digits}f") })),
            offset.to_time_zone().to_fixed_offset().map(|o| {
                let m = o.seconds() / 60;
                format!("{}{:02}:{:02}", if m < 0 { '-' } else { '+' }, m.abs() / 60, m.abs() % 60)
            }).unwrap(),
        );
        let expected = text.parse::<Timestamp>().unwrap().as_nanosecond().div_euclid(1_000) as i64;
        prop_assert_eq!(parse_rfc3339(text.as_bytes()), Some(expected), "{}", text);
        prop_assert_eq!(utc(&text), Ok(expected));
    }

    #[test]
    fn broken_times_agree_with_jiff(text in "(19|20)[0-9]{2}-[0-3][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])") {
        let expected = text.parse::<Timestamp>().ok().map(|t| t.as_nanosecond().div_euclid(1_000) as i64);
        let expected = expected.filter(|_| !has_leap_second(&text) && !offset_beyond_a_day(&text));
        prop_assert_eq!(utc(&text).ok(), expected, "{}", text);
    }

    #[test]
    fn numbers_agree_with_std(text in "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,18})?(e[+-]?[0-9]{1,3})?") {
        let expected: f64 = text.parse().unwrap();
        match parse_number(text.as_bytes()) {
            Some(value) => prop_assert_eq!(value.to_bits(), expected.to_bits(), "{}", text),
            None => prop_assert!(
                expected.is_infinite() || expected == 0.0 || expected.abs() > 9e15,
                "{}", text
            ),
        }
    }

    #[test]
    fn integers_agree_with_std(value in any::<i64>(), text in "-?[0-9]{1,21}") {
        prop_assert_eq!(parse_integer(value.to_string().as_bytes()), Some(value));
        let expected = text.parse::<i64>().ok().filter(|v| v.to_string() == text || text == "-0");
        prop_assert_eq!(parse_integer(text.as_bytes()), expected);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,40}", digits in "[-+0-9.eETZ: \\[\\]]{0,40}") {
        for text in [text, digits] {
            for unit in [TimeUnit::Auto, TimeUnit::Seconds, TimeUnit::Nanoseconds] {
                let _ = parse_time(&text, Some(&TimeZone::UTC), unit);
                let _ = parse_numeric_time(&text, unit);
            }
            let _ = (parse_date(&text), parse_integral(text.as_bytes()), parse_number(text.as_bytes()));
        }
    }
}

/// jiff reads such offsets, RFC 3339 does not.
fn offset_beyond_a_day(text: &str) -> bool {
    text.len() > 6 && matches!(&text[text.len() - 6..][1..3], "24" | "25") && !text.ends_with('Z')
}
