use super::*;

fn named(labels: impl IntoIterator<Item = String>, language: Language) -> Vec<String> {
    let labels: Vec<String> = labels.into_iter().collect();
    ticks(&labels, 6, language)
        .into_iter()
        .map(|(_, text)| text)
        .collect()
}

#[test]
fn labels_are_dates() {
    for (label, en, ru) in [
        ("2026-03-01", "1 Mar 2026", "1 мар. 2026"),
        ("2026-05", "May 2026", "май 2026"),
        ("2026-05-09", "9 May 2026", "9 мая 2026"),
        ("2026-W09", "2026-W09", "2026-W09"),
        ("2026-03-01T10:15", "1 Mar 2026 10:15", "1 мар. 2026 10:15"),
        (
            "2026-11-01T01:00-04:00",
            "1 Nov 2026 01:00-04:00",
            "1 нояб. 2026 01:00-04:00",
        ),
        ("FY2027-Q1", "FY2027-Q1", "FY2027-Q1"),
        ("P5 <b>", "P5 <b>", "P5 <b>"),
        ("2026-13", "2026-13", "2026-13"),
        ("", "", ""),
    ] {
        assert_eq!(readable(label, Language::English), en);
        assert_eq!(readable(label, Language::Russian), ru);
    }
}

#[test]
fn axes_name_where_months_and_years_begin() {
    let days = |months: std::ops::RangeInclusive<u32>| {
        months.flat_map(|m| (1..=28).map(move |d| format!("2026-{m:02}-{d:02}")))
    };
    assert_eq!(
        named(days(1..=1).take(5), Language::English),
        ["1 Jan 2026", "2 Jan", "3 Jan", "4 Jan", "5 Jan"]
    );
    assert_eq!(
        named(days(1..=3), Language::English),
        ["1 Jan 2026", "15 Jan", "1 Feb", "15 Feb", "1 Mar", "15 Mar"]
    );
    assert_eq!(
        named(days(1..=5), Language::Russian),
        ["1 янв. 2026", "1 февр.", "1 мар.", "1 апр.", "1 мая"]
    );
    let months = |years: std::ops::Range<u32>| {
        years.flat_map(|y| (1..=12).map(move |m| format!("{y}-{m:02}")))
    };
    assert_eq!(
        named(months(2025..2027), Language::English),
        ["Jan 2025", "Jul", "Jan 2026", "Jul"].map(String::from)
    );
    let hours = (0..48).map(|h| format!("2026-03-{:02}T{:02}:00", 1 + h / 24, h % 24));
    assert_eq!(
        named(hours, Language::English),
        ["1 Mar", "12:00", "2 Mar", "12:00"]
    );
    let odd = (0..20).map(|p| format!("P{p}"));
    assert_eq!(
        named(odd, Language::English),
        ["P3", "P7", "P11", "P15", "P19"]
    );
    assert_eq!(
        named(["2026-03-05".to_owned()], Language::English),
        ["5 Mar 2026"]
    );
    assert!(named([], Language::English).is_empty());
}
