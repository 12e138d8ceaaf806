//! Values and rows as they should not be, in text that is otherwise sound.

use aura_core::ErrorKind;
use aura_core::ingest::RejectReason::{
    ColumnCount, DuplicateKey, Encoding, InvalidTime, Malformed,
};
use aura_core::ingest::Source;
use aura_core::store::Store;

use super::bad_text::{A, B, quarantined, refused, row};
use crate::common::{Expected, ask, assert_works, csv, run, sums};

#[test]
fn duplicate_keys() {
    let twice = row("c", r#","n":1,"n":2"#);
    let escaped = row("d", r#","n":1,"\u006e":2"#);
    let role = row("e", r#","actor":"v""#);
    let inner = row("f", r#","o":{"k":1,"k":1}"#);
    let words = "is there twice in one object";
    quarantined(
        format!("{A}\n{twice}\n{escaped}\n{role}\n{inner}\n{B}\n"),
        2,
        &[
            (2, Some("n"), DuplicateKey, words, twice.as_bytes()),
            (3, Some("n"), DuplicateKey, words, escaped.as_bytes()),
            (4, Some("actor"), DuplicateKey, words, role.as_bytes()),
            (5, Some("k"), DuplicateKey, words, inner.as_bytes()),
        ],
    );
    refused(
        "event_id,actor,event,time,n,n\na,u,x,2026-01-01T00:00:00Z,1,2\n",
        ErrorKind::InvalidData,
        "`n`",
    );
}

#[test]
fn numbers_beyond_64_bits() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        // The column is known to hold integers when they come.
        let first = row("a", r#","n":1"#);
        store.ingest(Source::bytes("first", first)).await.unwrap();
        let numbers = [
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551617",
            "123456789012345678901234567890",
            "1e400",
        ];
        let mut text = row("most", r#","n":9223372036854775807"#);
        for number in numbers {
            text.push('\n');
            text.push_str(&row(number, &format!(",\"n\":{number}")));
        }
        let report = store.ingest(Source::bytes("json", text)).await.unwrap();
        assert_eq!(sums(&report), (6, 6, 0, 0));
        let mut text = String::from("event_id,actor,event,time,n\n");
        for number in numbers {
            text.push_str(&format!("csv {number},u,x,2026-01-01T00:00:00Z,{number}\n"));
        }
        let report = store.ingest(Source::bytes("csv", text)).await.unwrap();
        assert_eq!(sums(&report), (5, 5, 0, 0));
        let events = store.events().await.unwrap();
        let sum = ask(&events, "SELECT sum(n), count(n) FROM events WHERE n = 1").await;
        assert_eq!(sum, [[Some("1".to_owned()), Some("1".to_owned())]]);
        let most = ask(&events, "SELECT n FROM events WHERE event_id = 'most'").await;
        assert_eq!(most, [[Some(i64::MAX.to_string())]]);
        // No digit is lost, and nothing wraps around.
        for number in numbers {
            for (id, kept) in [
                (number.to_owned(), format!("{{\"n\":{number}}}")),
                (format!("csv {number}"), format!("{{\"n\":\"{number}\"}}")),
            ] {
                let sql = format!("SELECT n, extra FROM events WHERE event_id = '{id}'");
                assert_eq!(ask(&events, &sql).await, [[None, Some(kept)]], "{id}");
            }
        }
        assert_works(&store, 12).await;
    });
    // As an actor it is text; as a time it is none.
    let line = r#"{"actor":"u","event":"x","time":123456789012345678901234567890}"#;
    quarantined(
        format!(
            "{A}\n{line}\n{}",
            A.replace("\"u\"", "18446744073709551617")
                .replace("\"a\"", "\"b\"")
        ),
        2,
        &[(2, Some("time"), InvalidTime, "", line.as_bytes())],
    );
}

#[test]
fn a_number_beyond_64_bits_in_the_first_rows() {
    run(async {
        let texts = [
            format!(
                "{}\n{}",
                row("a", r#","n":1"#),
                row("b", r#","n":123456789012345678901234"#)
            ),
            "event_id,actor,event,time,n\na,u,x,2026-01-01T00:00:00Z,1\n\
             b,u,x,2026-01-01T00:00:00Z,123456789012345678901234\n"
                .to_owned(),
        ];
        for (text, kept) in texts.into_iter().zip([
            r#"{"n":123456789012345678901234}"#,
            r#"{"n":"123456789012345678901234"}"#,
        ]) {
            let store = Store::in_memory().await.unwrap();
            let report = store.ingest(Source::bytes("first", text)).await.unwrap();
            assert_eq!(sums(&report), (2, 2, 0, 0));
            let events = store.events().await.unwrap();
            let rows = ask(
                &events,
                "SELECT sum(n), max(extra), arrow_typeof(max(n)) FROM events",
            )
            .await;
            let expected = ["1", kept, "Int64"].map(|v| Some(v.to_owned()));
            assert_eq!(rows, [expected]);
        }
    });
}

#[test]
fn invalid_dates() {
    let times = [
        "2026-02-30",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:61:00Z",
        "2026-01-01T00:00:00+25:00",
        "0000-00-00T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-9999999-01-01T00:00:00Z",
        "01/02/2026",
        "yesterday",
    ];
    let mut text = format!("{A}\n");
    let lines: Vec<String> = times
        .iter()
        .map(|time| format!(r#"{{"actor":"u","event":"x","time":"{time}"}}"#))
        .collect();
    text.push_str(&lines.join("\n"));
    let expected: Vec<Expected<'_>> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            (
                i as u64 + 2,
                Some("time"),
                InvalidTime,
                "`time`, the time of the row,",
                line.as_bytes(),
            )
        })
        .collect();
    quarantined(text, 1, &expected);
    let mut text = csv("a", 0, 1);
    let lines: Vec<String> = times.iter().map(|time| format!("b,u,x,{time},1")).collect();
    text.push_str(&lines.join("\n"));
    let expected: Vec<Expected<'_>> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| (i as u64 + 3, Some("time"), InvalidTime, "", line.as_bytes()))
        .collect();
    quarantined(text, 1, &expected);
    // Days that there are.
    let leap = A.replace("2026-01-01", "2024-02-29");
    quarantined(leap, 1, &[]);
}

#[test]
fn lone_surrogates() {
    let words = "lone surrogate";
    let lines = [
        row("c", r#","s":"\ud800""#),
        row("d", r#","s":"\udc00\ud800""#),
        row("e", r#","s":["\udfffx"]"#),
        row("f", r#","\ud800":1"#),
        row(r"\ud83d", ""),
    ];
    let expected: Vec<Expected<'_>> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| (i as u64 + 2, None, Malformed, words, line.as_bytes()))
        .collect();
    let pair = row("g", r#","s":"\ud83d\ude00""#);
    quarantined(format!("{A}\n{}\n{pair}\n", lines.join("\n")), 2, &expected);
    // Encoded as three bytes they are no UTF-8.
    let line = b"b,\xed\xa0\x80,x,2026-01-01T00:00:00Z";
    quarantined(
        [
            b"event_id,actor,event,time\na,u,x,2026-01-01T00:00:00Z\n",
            &line[..],
        ]
        .concat(),
        1,
        &[(3, None, Encoding, "byte 0xED at byte 3", line)],
    );
}

#[test]
fn a_csv_with_a_changing_column_count() {
    let text = "event_id,actor,event,time,n\n\
        a,u,x,2026-01-01T00:00:00Z,1\n\
        b,u,x,2026-01-01T00:00:00Z\n\
        c,u,x,2026-01-01T00:00:00Z,1,2\n\
        d\n\
        e,u,x,2026-01-01T00:00:00Z,\n\
        f,u,x,2026-01-01T00:00:00Z,1,,,,,,,,,,,\n\
        \"g\",\"u\",\"x,y\",2026-01-01T00:00:00Z,\"2\"\n";
    let line = |n: usize| text.lines().nth(n - 1).unwrap().as_bytes();
    quarantined(
        text,
        3,
        &[
            (3, None, ColumnCount, "the row has 4 fields; 5", line(3)),
            (4, None, ColumnCount, "the row has 6 fields; 5", line(4)),
            (5, None, ColumnCount, "the row has 1 field", line(5)),
            (7, None, ColumnCount, "the row has 16 fields; 5", line(7)),
        ],
    );
}
