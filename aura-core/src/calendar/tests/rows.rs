//! Periods of one's own.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray};

use proptest::prelude::*;

use super::labels;
use crate::ErrorKind;
use crate::calendar::{Calendar, Grain, PeriodTable, PreparedCalendar};

/// The 4-5-4 calendar of the National Retail Federation for 2023 (53 weeks) and 2024: years and months.
/// Source: nrf.com, 4-5-4 calendar.
const RETAIL: &str = "\
grain,label,start,end
year,R2023,2023-01-29,2024-02-04
year,R2024,2024-02-04,2025-02-02
month,2023-P11,2023-11-26,2023-12-31
month,2023-P12,2023-12-31,2024-02-04
month,2024-P01,2024-02-04,2024-03-03
month,2024-P02,2024-03-03,2024-04-07
";

fn calendar(rows: &str, zone: &str) -> PreparedCalendar {
    let calendar = Calendar {
        periods: PeriodTable::parse(rows).unwrap(),
        ..Calendar::in_zone(zone)
    };
    calendar.prepare().unwrap()
}

#[test]
fn rows_replace_the_periods_of_their_grain() {
    let retail = calendar(RETAIL, "America/New_York");
    let names = labels(&retail, Grain::Month, "2023-12-30", "2024-03-03");
    assert_eq!(names, ["2023-P11", "2023-P12", "2024-P01"]);
    assert_eq!(
        labels(&retail, Grain::Year, "2024-02-04", "2024-02-05"),
        ["R2024"]
    );
    // Quarters have no rows.
    assert_eq!(
        labels(&retail, Grain::Quarter, "2024-02-04", "2024-02-05"),
        ["2024-Q1"]
    );
    let at = |text: &str| retail.instant(text).unwrap();
    let month = retail.period_of(Grain::Month, at("2024-02-04")).unwrap();
    assert_eq!(month.start_us(), at("2024-02-04"));
    let bucketer = retail
        .bucketer(Grain::Month, at("2023-12-01"), at("2024-04-01"))
        .unwrap();
    let times = [
        "2023-11-30",
        "2023-12-30",
        "2023-12-31",
        "2024-03-03",
        "2024-04-01",
    ];
    assert_eq!(bucketer.index_of(&times.map(at)), [-1, 0, 1, 3, -1]);
    let last = retail.offset(&month, 1).unwrap();
    assert_eq!(retail.label(&last).unwrap(), "2024-P02");
    assert_eq!(retail.between(&last, &month).unwrap(), -1);
    for n in [2, -3, i64::MAX, i64::MIN] {
        let error = retail.offset(&month, n).unwrap_err();
        assert!(
            error
                .message()
                .contains("from `2023-P11` to the end of `2024-P02`"),
            "{error}"
        );
    }
    assert!(retail.next(&last).is_err());
    assert!(retail.period_of(Grain::Month, at("2023-11-25")).is_err());
    assert!(
        retail
            .bucketer(Grain::Month, at("2024-01-01"), at("2024-04-08"))
            .is_err()
    );
}

#[test]
fn the_year_before_is_found_by_place_in_the_year() {
    let mut rows = RETAIL.lines().take(3).collect::<Vec<_>>().join("\n");
    let weeks = calendar(
        "grain,label,start,end\nweek,x,2023-01-29,2023-02-05\n",
        "UTC",
    );
    let first = weeks.instant("2023-01-29").unwrap();
    let day = |n: i64| {
        let us = first + n * 86_400_000_000;
        jiff::Timestamp::from_microsecond(us)
            .unwrap()
            .strftime("%F")
            .to_string()
    };
    for n in 0..105 {
        let (year, week) = if n < 53 {
            (2023, n + 1)
        } else {
            (2024, n - 52)
        };
        rows.push_str(&format!(
            "\nweek,{year}-{week:02},{},{}",
            day(7 * n),
            day(7 * n + 7)
        ));
    }
    let retail = calendar(&rows, "UTC");
    let before = |text: &str| {
        let us = retail.instant(text).unwrap();
        let week = retail.period_of(Grain::Week, us).unwrap();
        let before = retail.same_period_previous_year(&week)?;
        let name = |p| retail.label(&p).unwrap();
        Ok::<_, crate::Error>((name(week), before.map(name)))
    };
    assert_eq!(
        before("2024-02-04").unwrap(),
        ("2024-01".into(), Some("2023-01".into()))
    );
    assert_eq!(
        before("2025-02-01").unwrap(),
        ("2024-52".into(), Some("2023-52".into()))
    );
    // No rows of the year 2022.
    assert!(before("2023-03-01").is_err());
    let year = retail
        .period_of(Grain::Year, retail.instant("2024-06-01").unwrap())
        .unwrap();
    let year = retail.same_period_previous_year(&year).unwrap().unwrap();
    assert_eq!(retail.label(&year).unwrap(), "R2023");
    assert!(retail.same_period_previous_year(&year).is_err());
}

#[test]
fn csv_json_yaml_and_tables_are_one() {
    let csv = "end , grain,\"label\",start,note\n2026-02-08,week,\"a, \"\"b\"\"\",2026-02-01,\n\n";
    let expected = PeriodTable::parse(csv).unwrap();
    assert_eq!(expected.rows[0].label, "a, \"b\"");
    let json = serde_json::to_string(&expected).unwrap();
    assert_eq!(PeriodTable::parse(&json).unwrap(), expected);
    let yaml = "\u{feff}# weeks\n- grain: week\n  label: 'a, \"b\"'\n  start: 2026-02-01\n  end: 2026-02-08\n";
    assert_eq!(PeriodTable::parse(yaml).unwrap(), expected);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), csv).unwrap();
    assert_eq!(PeriodTable::load(file.path()).unwrap(), expected);

    let text = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let dates = |days: &[i32]| Arc::new(Date32Array::from(days.to_vec())) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("grain", text(&["week"])),
        ("label", text(&["a, \"b\""])),
        ("start", dates(&[20_485])),
        ("end", dates(&[20_492])),
    ])
    .unwrap();
    assert_eq!(PeriodTable::from_batch(&batch).unwrap(), expected);

    let moments = |us: Option<i64>| TimestampMicrosecondArray::from(vec![us]);
    let with_end = |end: ArrayRef| {
        let columns =
            ["grain", "label", "start"].map(|n| (n, batch.column_by_name(n).unwrap().clone()));
        RecordBatch::try_from_iter(columns.into_iter().chain([("end", end)])).unwrap()
    };
    let noon = (20_492 * 24 + 12) * super::HOUR;
    let table = PeriodTable::from_batch(&with_end(Arc::new(moments(Some(noon))))).unwrap();
    assert_eq!(table.rows[0].end, "2026-02-08T12:00:00");
    for (end, message) in [
        (moments(None), "periods: row 1: `end` is null"),
        (
            moments(Some(0)).with_timezone("UTC"),
            "periods: column `end` has the type",
        ),
    ] {
        let error = PeriodTable::from_batch(&with_end(Arc::new(end))).unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
    }
    let error = PeriodTable::from_batch(&batch.project(&[0, 1, 2]).unwrap()).unwrap_err();
    assert_eq!(
        error.message(),
        "periods: the table has no column `end`; found grain, label, start"
    );
}

#[test]
fn errors_name_the_row() {
    let rows = |rows: &str| format!("grain,label,start,end\nweek,a,2026-02-01,2026-02-08\n{rows}");
    for (text, message) in [
        (String::new(), "the text is empty"),
        ("a,b\n".into(), "the header `a,b` has no column `grain`"),
        ("[{]".into(), "not valid JSON"),
        ("- grain: [".into(), "not valid YAML"),
        (
            "[{\"grain\":\"week\"}]".into(),
            "not valid JSON: missing field `label`",
        ),
        (
            rows("week,b,2026-02-09,2026-02-16"),
            "row 2 (week `b`): starts at 2026-02-09, after row 1 ended at 2026-02-08; close the gap",
        ),
        (
            rows("week,b,2026-02-07,2026-02-16"),
            "row 2 (week `b`): starts at 2026-02-07, before row 1 ended at 2026-02-08; periods must not overlap",
        ),
        (
            rows("week,b,2026-01-25,2026-02-01"),
            "row 2 (week `b`): starts at 2026-01-25, before row 1 ended at 2026-02-08; sort the rows of each grain by start",
        ),
        (
            rows("week,b,2026-02-08,2026-02-08"),
            "row 2 (week `b`): ends at 2026-02-08, which is not after its start",
        ),
        (
            rows("week,a,2026-02-08,2026-02-15"),
            "row 2 (week `a`): the label occurs twice",
        ),
        (
            rows("week,,2026-02-08,2026-02-15"),
            "row 2 (week ``): the label is empty",
        ),
        (
            rows("day,b,2026-02-08,2026-02-09"),
            "row 2 (day `b`): only weeks, months, quarters and years",
        ),
        (
            rows("wek,b,2026-02-08,2026-02-15"),
            "row 2: unknown grain `wek`",
        ),
        (
            rows("week,b,2026-02-30,2026-03-15"),
            "row 2 (week `b`): start `2026-02-30` is not a local date",
        ),
        (
            rows("week,b,2026-02-08,2026-02-15T00:00Z"),
            "row 2 (week `b`): end `2026-02-15T00:00Z` is not a local date",
        ),
        (
            rows("week,b,2026-02-08,2026-02-15T00:00+02:00"),
            "row 2 (week `b`): end",
        ),
        (
            rows("week,b,2026-02-08,99999-01-01"),
            "row 2 (week `b`): end",
        ),
        (
            rows("week,b,2026-02-08"),
            "row 2: 3 fields, where the header has 4",
        ),
        (
            rows("week,\"b,2026-02-08,2026-02-15"),
            "row 2: a quote is not closed",
        ),
        ("x".repeat(9 << 20), "the text is larger than 8 MiB"),
    ] {
        let error = PeriodTable::parse(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        let found = error.message();
        assert!(
            found.starts_with(&format!("periods: {message}")),
            "{found}\n{message}"
        );
    }
    let error = PeriodTable::load("no/such/file.csv").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_period_of_a_skipped_day_is_refused() {
    let table = PeriodTable::parse(
        "grain,label,start,end\nweek,a,2011-12-29,2011-12-30\nweek,b,2011-12-30,2011-12-31\n",
    )
    .unwrap();
    let calendar = |zone: &str| Calendar {
        periods: table.clone(),
        ..Calendar::in_zone(zone)
    };
    assert!(calendar("UTC").prepare().is_ok());
    let error = calendar("Pacific/Apia").prepare().unwrap_err();
    assert!(
        error
            .message()
            .starts_with("periods: row 2 (week `b`): lasts no time in Pacific/Apia"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}", rows in prop::collection::vec("[a-z0-9:T\",. -]{0,40}", 0..5)) {
        let utc = super::zone("UTC");
        let _ = utc.instant(&text);
        let _ = PeriodTable::parse(&text);
        let csv = format!("grain,label,start,end\n{}", rows.join("\n"));
        let _ = PeriodTable::parse(&csv);
        for row in &rows {
            let _ = utc.instant(row);
            prop_assert!(Calendar::in_zone(row.as_str()).prepare().is_err() || row.len() > 1);
        }
    }
}
