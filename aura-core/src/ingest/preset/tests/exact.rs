//! What a row says is kept to the letter: digits, escapes, order.

use super::*;
use crate::ingest::{IngestOptions, Source};
use crate::store::Store;

/// Members with numbers that no 64-bit integer or float holds.
const NUMBERS: &str = r#""zeta":18446744073709551617,"alpha":-9223372036854775809,"big":123456789012345678901234567890,"far":1e400,"tail":1.10,"mixed":[12345678901234567890123, {"z":1,"a":0.30}],"name":"\u0041\/b""#;

fn of_text(preset: Preset, text: &str) -> String {
    let limits = Limits::default();
    let row = Object::parse(text, &limits).unwrap();
    canonical_json(&apply(preset, row, &PresetOptions::default()).unwrap())
}

#[test]
fn numbers_and_their_order_are_those_of_the_source() {
    let prefixed = |prefix: &str| {
        ["zeta", "alpha", "big", "far", "tail", "mixed", "name"]
            .iter()
            .fold(NUMBERS.to_owned(), |text, name| {
                text.replace(&format!("\"{name}\":"), &format!("\"{prefix}{name}\":"))
            })
    };
    let roles = |id: &str| {
        format!(r#"{{"event_id":"{id}","actor":"u","event":"e","time":"2026-03-01T00:00:00Z","#)
    };
    let segment = of_text(
        Preset::Segment,
        &format!(
            r#"{{"messageId":"1","userId":"u","event":"e","timestamp":"2026-03-01T00:00:00Z","properties":{{{NUMBERS}}}}}"#
        ),
    );
    assert_eq!(segment, format!("{}{NUMBERS}}}", roles("1")));

    let cloud = of_text(
        Preset::CloudEvents,
        &format!(
            r#"{{"specversion":"1.0","id":"1","source":"s","type":"e","subject":"u","time":"2026-03-01T00:00:00Z","data":{{{NUMBERS}}}}}"#
        ),
    );
    let expected = format!("{}{},\"source\":\"s\"}}", roles("s|1"), prefixed("data_"));
    assert_eq!(cloud, expected);

    // Also where a table has the object as text.
    let posthog = of_text(
        Preset::PostHog,
        &format!(
            r#"{{"uuid":"1","distinct_id":"u","event":"e","timestamp":"2026-03-01T00:00:00Z","properties":{},"person_properties":{{{NUMBERS}}}}}"#,
            json!(format!("{{{NUMBERS}}}"))
        ),
    );
    let expected = format!(
        "{}{NUMBERS},{}}}",
        roles("1"),
        prefixed("person_properties_")
    );
    assert_eq!(posthog, expected);

    let mixpanel = of_text(
        Preset::Mixpanel,
        &format!(
            r#"{{"event":"e","properties":{{"time":1772352000.123456,"distinct_id":123456789012345678901234567890,"$insert_id":1e2,{NUMBERS}}}}}"#
        ),
    );
    let expected = format!(
        r#"{{"event_id":"1e2","actor":"123456789012345678901234567890","event":"e","time":1772352000.123456,{NUMBERS}}}"#
    );
    assert_eq!(mixpanel, expected);
}

#[test]
fn a_name_is_taken_by_another_value_only() {
    let properties = |own: &str, traits: &str| {
        let row = format!(
            r#"{{"type":"identify","properties":{{"traits_a":{own}}},"traits":{{"a":{traits}}}}}"#
        );
        of_text(Preset::Segment, &row)
    };
    let once = |value: &str| {
        format!(r#"{{"event":"User Identified","traits_a":{value},"segment_type":"identify"}}"#)
    };
    assert_eq!(properties("1", "1"), once("1"));
    // One string, written in two ways.
    assert_eq!(properties(r#""A""#, r#""\u0041""#), once(r#""A""#));
    for other in ["1.0", r#""1""#, "null"] {
        let text = properties("1", other);
        assert!(
            text.contains(&format!(r#""traits_a":1,"traits_a_":{other}"#)),
            "{text}"
        );
    }
}

/// The columns and the rest that a source gives, as text.
async fn stored(source: String, options: &IngestOptions) -> Vec<String> {
    let store = Store::in_memory().await.unwrap();
    let source = Source::bytes("rows.ndjson", source.into_bytes());
    let report = store.ingest_with(source, options).await.unwrap();
    assert_eq!((report.accepted, report.rejected), (2, 0));
    let query =
        "SELECT zeta, alpha, big, far, tail, mixed, name, extra FROM events ORDER BY event_id";
    let events = store.events().await.unwrap();
    let batch = events.sql(query).await.unwrap().to_batch().unwrap();
    let options = arrow::util::display::FormatOptions::default();
    (0..batch.num_rows())
        .flat_map(|row| batch.columns().iter().map(move |c| (c, row)))
        .map(|(column, row)| {
            arrow::util::display::ArrayFormatter::try_new(column, &options)
                .unwrap()
                .value(row)
                .to_string()
        })
        .collect()
}

#[test]
fn a_preset_keeps_numbers_as_plain_rows_do() {
    let row = |id: u8, zeta: &str| {
        let members = NUMBERS.replace("18446744073709551617", zeta);
        let plain = format!(
            r#"{{"event_id":"{id}","actor":"u","event":"e","time":"2026-03-01T00:00:00Z",{members}}}"#
        );
        let segment = format!(
            r#"{{"messageId":"{id}","userId":"u","event":"e","timestamp":"2026-03-01T00:00:00Z","properties":{{{members}}}}}"#
        );
        (plain, segment)
    };
    // The column is of integers; one of them does not fit.
    let (first, second) = (row(1, "7"), row(2, "18446744073709551617"));
    let lines = |a: &str, b: &str| format!("{a}\n{b}\n");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (plain, segment) = runtime.block_on(async {
        (
            stored(lines(&first.0, &second.0), &IngestOptions::default()).await,
            stored(
                lines(&first.1, &second.1),
                &IngestOptions::with_preset(Preset::Segment),
            )
            .await,
        )
    });
    assert_eq!(segment, plain);
    let all = segment.join(" ");
    for digits in [
        "18446744073709551617",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "1e400",
    ] {
        assert!(all.contains(digits), "{digits} is lost in {all}");
    }
}
