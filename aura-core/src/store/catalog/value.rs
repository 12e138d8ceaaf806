//! Values as text: how the catalog writes moments, and how statistics compare.

use std::cmp::Ordering;

const DAY_US: i64 = 86_400_000_000;
/// DuckDB's `infinity` and `-infinity`.
const INFINITY_US: i64 = i64::MAX;

/// Returns the DuckLake name of a property type.
pub(crate) fn type_name(ty: crate::event::PropertyType) -> &'static str {
    use crate::event::PropertyType as P;
    match ty {
        P::String => "varchar",
        P::Integer => "int64",
        P::Number => "float64",
        P::Boolean => "boolean",
        P::Timestamp => "timestamptz",
        P::Date => "date",
        P::Json => "json",
    }
}

/// Returns the property type that holds every value of a DuckLake type, if there is one.
///
/// Columns that AURA made have one of seven types. A column that another program added may have
/// any: narrower integers and floats widen, and types without a counterpart give `None`.
pub(crate) fn property_type(name: &str) -> Option<crate::event::PropertyType> {
    use crate::event::PropertyType as P;
    Some(match name.to_ascii_lowercase().as_str() {
        "varchar" | "uuid" => P::String,
        "json" => P::Json,
        "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" => P::Integer,
        "float32" | "float64" => P::Number,
        "boolean" => P::Boolean,
        "timestamptz" => P::Timestamp,
        "date" => P::Date,
        _ => return None,
    })
}

/// Writes a moment (microseconds since 1970, UTC) as DuckDB does: `2026-01-31 23:00:00.5+00`.
pub(crate) fn timestamp_text(us: i64) -> String {
    let of_day = us.rem_euclid(DAY_US);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    let (year, month, day) = civil_of_days(us.div_euclid(DAY_US));
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02} {text}+00")
    } else {
        format!("{:04}-{month:02}-{day:02} (BC) {text}+00", 1 - year)
    }
}

/// Reads a moment as DuckDB writes it, with or without offset (without means UTC), as microseconds
/// since 1970; `infinity` is the largest number and `-infinity` its negative.
pub(crate) fn parse_timestamp_us(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(INFINITY_US),
        "-infinity" => return Some(-INFINITY_US),
        _ => {}
    }
    // Other programs write ISO 8601 with `T` and `Z`.
    let (date, rest) = text.split_once([' ', 'T'])?;
    let (date, rest) = match rest.strip_prefix("(BC) ") {
        Some(rest) => (format!("{date} (BC)"), rest),
        None => (date.to_owned(), rest),
    };
    let days = parse_date_days(&date)?;
    let rest = rest.strip_suffix('Z').unwrap_or(rest);
    let (clock, offset_s) = match rest.find(['+', '-']) {
        Some(at) => {
            let (clock, offset) = rest.split_at(at);
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            (clock, sign * clock_us(offset.get(1..)?)? / 1_000_000)
        }
        None => (rest, 0),
    };
    days.checked_mul(DAY_US)?
        .checked_add(clock_us(clock)?)?
        .checked_sub(offset_s.checked_mul(1_000_000)?)
}

/// Reads `HH[:MM[:SS[.ffffff]]]` as microseconds.
fn clock_us(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = digits(parts.next()?)?;
    let minutes: i64 = parts.next().map_or(Some(0), digits)?;
    let (seconds, fraction) = match parts.next() {
        Some(s) => s.split_once('.').unwrap_or((s, "")),
        None => ("0", ""),
    };
    if fraction.len() > 9 || minutes > 59 || hours > 24 {
        return None;
    }
    // Nanoseconds are cut, as DuckDB cuts them.
    let micros = match fraction.get(..fraction.len().min(6))? {
        "" => 0,
        f => digits(f)? * 10_i64.pow(6 - f.len() as u32),
    };
    let seconds = digits(seconds).filter(|s| *s < 61)?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Reads a date as DuckDB writes it (`2026-01-31`, `0044-03-15 (BC)`) as days since 1970-01-01.
pub(crate) fn parse_date_days(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(i64::from(i32::MAX)),
        "-infinity" => return Some(-i64::from(i32::MAX)),
        _ => {}
    }
    let (text, before_christ) = match text.strip_suffix(" (BC)") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut parts = text.splitn(3, '-');
    let year = digits(parts.next()?).filter(|y| *y <= 10_000_000)?;
    let year = if before_christ { 1 - year } else { year };
    let month = digits(parts.next()?).filter(|m| (1..=12).contains(m))?;
    let day = digits(parts.next()?).filter(|d| (1..=31).contains(d))?;
    Some(days_of_civil(year, month, day))
}

/// Year, month and day (proleptic Gregorian) of a day counted from 1970-01-01, by the method of
/// <https://howardhinnant.github.io/date_algorithms.html>.
fn civil_of_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// Compares two values of a DuckLake type by their texts. `None` means that their order is not
/// known here.
pub(crate) fn compare(ty: &str, a: &str, b: &str) -> Option<Ordering> {
    match ty {
        // DuckDB compares text by bytes. `uuid` is always in lower case.
        "varchar" | "json" | "uuid" => Some(a.as_bytes().cmp(b.as_bytes())),
        "boolean" => Some(boolean(a)?.cmp(&boolean(b)?)),
        "float32" | "float64" => {
            let (a, b) = (a.parse::<f64>().ok()?, b.parse::<f64>().ok()?);
            // NaN is greater than all in DuckDB.
            Some(match (a.is_nan(), b.is_nan()) {
                (false, false) => a.partial_cmp(&b)?,
                (x, y) => x.cmp(&y),
            })
        }
        "date" => Some(parse_date_days(a)?.cmp(&parse_date_days(b)?)),
        "timestamptz" | "timestamp" | "timestamp_us" => {
            Some(parse_timestamp_us(a)?.cmp(&parse_timestamp_us(b)?))
        }
        "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64"
        | "int128" => Some(a.parse::<i128>().ok()?.cmp(&b.parse::<i128>().ok()?)),
        _ => None,
    }
}

/// Reads a truth value: `1`, `true`, `0`, `false`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use super::{compare, parse_date_days, parse_timestamp_us, timestamp_text};

    /// Texts that DuckDB 1.5.5 wrote to a catalog, and their microseconds by its own `epoch_us`.
    #[test]
    fn moments_are_those_of_duckdb() {
        for (us, text) in [
            (1_769_900_400_000_000, "2026-01-31 23:00:00+00"),
            (1_767_225_600_500_000, "2026-01-01 00:00:00.5+00"),
            (1_795_235_403_973_970, "2026-11-21 04:30:03.97397+00"),
            (-1, "1969-12-31 23:59:59.999999+00"),
            (-63_517_820_277_000_000, "0044-03-15 (BC) 01:02:03+00"),
            (327_403_479_845_000_001, "12345-01-02 03:04:05.000001+00"),
        ] {
            assert_eq!(parse_timestamp_us(text), Some(us), "{text}");
            assert_eq!(timestamp_text(us), text);
        }
    }

    #[test]
    fn other_spellings_are_read() {
        for text in [
            "2026-01-01 05:30:00+05:30",
            "2025-12-31 21:00:00-03",
            "2026-01-01T00:00:00Z",
            "2026-01-01 00:00:00.000000000",
            "2026-01-01 05:53:28+05:53:28",
        ] {
            assert_eq!(
                parse_timestamp_us(text),
                Some(1_767_225_600_000_000),
                "{text}"
            );
        }
        assert_eq!(parse_timestamp_us("infinity"), Some(i64::MAX));
        for text in [
            "",
            " ",
            "2026-13-01 00:00:00",
            "2026-01-01",
            "x y",
            "2026-01-01 1:é",
            "2026-01-01 é",
        ] {
            assert_eq!(parse_timestamp_us(text), None, "{text}");
        }
        assert_eq!(parse_date_days("1970-01-02"), Some(1));
        assert_eq!(parse_date_days("0044-03-15 (BC)"), Some(-735_160));
    }

    #[test]
    fn values_compare_by_type_not_by_text() {
        assert_eq!(compare("int64", "9", "10"), Some(Less));
        assert_eq!(compare("varchar", "9", "10"), Some(Greater));
        assert_eq!(compare("float64", "-inf", "1e+300"), Some(Less));
        assert_eq!(compare("float64", "nan", "inf"), Some(Greater));
        assert_eq!(compare("boolean", "false", "0"), Some(Equal));
        assert_eq!(
            compare(
                "timestamptz",
                "9999-01-01 00:00:00+00",
                "12026-01-01 00:00:00+00"
            ),
            Some(Less)
        );
        assert_eq!(compare("int64", "x", "1"), None);
        assert_eq!(compare("decimal(10,2)", "1.00", "1.00"), None);
    }
}
