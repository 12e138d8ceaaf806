use PropertyType::*;

use super::*;

fn objects(sample: &str) -> Vec<(std::string::String, PropertyType)> {
    infer_objects(sample.as_bytes(), &Limits::default())
}

fn type_of(values: &[&str]) -> Option<PropertyType> {
    let rows: Vec<_> = values.iter().map(|v| format!("{{\"a\":{v}}}")).collect();
    objects(&rows.join("\n")).first().map(|(_, ty)| *ty)
}

#[test]
fn the_narrowest_type_that_fits_is_found() {
    for (values, expected) in [
        (&["true", "false", "null"][..], Some(Boolean)),
        (&["1", "-2"], Some(Integer)),
        (&["1", "2.5"], Some(Number)),
        (&["1.0"], Some(Number)),
        (&["1", "9223372036854775808"], Some(Integer)),
        (&["1", "123456789012345678901234567890"], Some(Integer)),
        (&["1.5", "-123456789012345678901234567890"], Some(Number)),
        (&["1", "1e400", "2"], Some(Integer)),
        // More numbers that do not fit than that do: no digit of them may be lost.
        (&["1", "9223372036854775808", "1e400"], Some(Json)),
        (&["9223372036854775808"], Some(Json)),
        (&["1e400"], Some(Json)),
        (&["\"a\"", "\"\""], Some(String)),
        (&["\"2026-02-28T12:00:00Z\"", "null"], Some(Timestamp)),
        (&["\"2026-02-28 12:00:00.5+01:00\""], Some(Timestamp)),
        (&["\"2026-02-28T12:00:00\""], Some(String)),
        (&["\"2026-02-28\"", "\"2026-03-01\""], Some(Date)),
        (&["\"2026-02-30\""], Some(String)),
        (
            &["\"2026-02-28\"", "\"2026-02-28T12:00:00Z\""],
            Some(String),
        ),
        (&["\"2026-02-28\"", "\"soon\""], Some(String)),
        (&["{}", "[]"], Some(Json)),
        (&["\"a\"", "1"], Some(Json)),
        (&["true", "1"], Some(Json)),
        (&["\"a\"", "{}"], Some(Json)),
        (&["null"], None),
    ] {
        assert_eq!(type_of(values), expected, "{values:?}");
    }
}

#[test]
fn keys_come_in_the_order_of_first_appearance() {
    let sample =
        "\u{FEFF}{\"b\":1}\r\n\n{broken\n{\"a\":null,\"c\":\"x\"}\n{\"c\":\"\",\"a\":true}";
    assert_eq!(
        objects(sample),
        [
            ("b".to_owned(), Integer),
            ("a".to_owned(), Boolean),
            ("c".to_owned(), String)
        ]
    );
    assert_eq!(objects(""), []);
}

#[test]
fn only_so_many_rows_and_keys_are_looked_at() {
    let limits = Limits {
        sample_rows: 2,
        max_columns: 2,
        ..Limits::default()
    };
    let sample = b"{\"a\":1}\n{\"b\":1,\"c\":1}\n{\"a\":\"x\"}";
    assert_eq!(
        infer_objects(sample, &limits),
        [("a".to_owned(), Integer), ("b".to_owned(), Integer)]
    );
}

#[test]
fn texts_are_typed_by_all_their_fields() {
    for (fields, expected) in [
        (&["1", "", "-3"][..], Integer),
        (&["1", "2.5", "1e3"], Number),
        (&["007"], String),
        (&["+1"], String),
        (&["1", "x"], String),
        (&["true", "False"], Boolean),
        (&["true", "1"], String),
        (&["2026-02-28"], Date),
        (&["2026-02-28T12:00:00Z"], Timestamp),
        (&["2026-02-28T12:00:00"], String),
        (&["123456789012345678901234567890"], String),
        (&["123456789012345678901234567890", "1"], Integer),
        (&["123456789012345678901234567890", "1", "2.5"], Number),
        (
            &[
                "123456789012345678901234567890",
                "98765432109876543210",
                "1",
            ],
            String,
        ),
        (&["NaN"], String),
        (&["", ""], String),
        (&[], String),
    ] {
        let header = ["a".to_owned()];
        let rows = fields.iter().map(|f| [*f, "beyond the header"]);
        assert_eq!(
            infer_texts(&header, rows),
            [("a".to_owned(), expected)],
            "{fields:?}"
        );
    }
}
