//! Text sources as they should not be: each gives quarantine entries or one clear error, and a store that still works.

use aura_core::ErrorKind;
use aura_core::ingest::RejectReason::{
    ColumnCount, DuplicateKey, Encoding, InvalidTime, Malformed, MissingRole, TooDeep,
};
use aura_core::ingest::{IngestOptions, Preset, Source};
use aura_core::store::Store;

use crate::common::{Expected, ask, assert_rejects, assert_works, csv, run, sums};

/// Ingests bytes of which `accepted` rows are good and the rest as expected.
pub(crate) fn quarantined(bytes: impl Into<Vec<u8>>, accepted: u64, expected: &[Expected<'_>]) {
    let bytes = bytes.into();
    run(async {
        let store = Store::in_memory().await.unwrap();
        let source = Source::bytes("input", bytes);
        let report = store.ingest(source).await.unwrap();
        let rejected = expected.len() as u64;
        assert_eq!(
            sums(&report),
            (accepted + rejected, accepted, rejected, 0),
            "{report:#?}"
        );
        assert_rejects(&store, &report, "input", expected).await;
        assert_works(&store, accepted as i64).await;
    });
}

/// Ingests what is refused as a whole.
pub(crate) fn refused(bytes: impl Into<Vec<u8>>, kind: ErrorKind, words: &str) {
    let bytes = bytes.into();
    run(async {
        let store = Store::in_memory().await.unwrap();
        let error = store
            .ingest(Source::bytes("input", bytes))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(words), "{error}: no `{words}`");
        assert!(error.message().contains("input"), "{error}: no source");
        assert_eq!(store.quarantine().await.unwrap().num_rows(), 0);
        assert_works(&store, 0).await;
    });
}

const A: &str = r#"{"event_id":"a","actor":"u","event":"x","time":"2026-01-01T00:00:00Z"}"#;
const B: &str = r#"{"event_id":"b","actor":"u","event":"x","time":"2026-01-01T00:00:01Z"}"#;

fn row(id: &str, more: &str) -> String {
    format!(r#"{{"event_id":"{id}","actor":"u","event":"x","time":"2026-01-01T00:00:00Z"{more}}}"#)
}

fn utf16(text: &str, bom: bool, big_endian: bool) -> Vec<u8> {
    let mark = if bom { "\u{feff}" } else { "" };
    format!("{mark}{text}")
        .encode_utf16()
        .flat_map(|unit| match big_endian {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        })
        .collect()
}

#[test]
fn truncated_ndjson() {
    let cut = &B[..40];
    quarantined(
        format!("{A}\n{cut}"),
        1,
        &[(2, None, Malformed, "found the end", cut.as_bytes())],
    );
}

#[test]
fn truncated_csv() {
    let text = csv("a", 0, 3);
    // In the middle of the last row's name of the event: two fields are missing.
    let cut = &text[..text.rfind(",view").unwrap() + 3];
    let original = cut.lines().last().unwrap().as_bytes();
    quarantined(
        cut,
        2,
        &[(4, None, ColumnCount, "the row has 3 fields; 5", original)],
    );
    let quoted = "event_id,actor,event,time\na,u,x,2026-01-01T00:00:00Z\nb,u,\"x";
    quarantined(
        quoted,
        1,
        &[(3, None, Malformed, "never closed", b"b,u,\"x")],
    );
}

#[test]
fn truncated_json_array() {
    let cut = &B[..40];
    quarantined(
        format!("[{A},\n{cut}"),
        1,
        &[(2, None, Malformed, "ends inside an element", cut.as_bytes())],
    );
    quarantined(
        format!("[{A},\n{B}"),
        2,
        &[(2, None, Malformed, "ends before the array does", b"")],
    );
}

#[test]
fn garbled_bytes() {
    quarantined(
        [
            A.as_bytes(),
            b"\n\x93\xfe{]\x80\xff\n{\"actor\":}\n",
            B.as_bytes(),
        ]
        .concat(),
        2,
        &[
            (2, None, Encoding, "not valid UTF-8", b"\x93\xfe{]\x80\xff"),
            (3, None, Malformed, "expected a value", b"{\"actor\":}"),
        ],
    );
    // Nothing of it is text.
    let noise: Vec<u8> = (0..5_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    refused(noise, ErrorKind::InvalidData, "not text");
}

#[test]
fn utf_16_with_a_byte_order_mark() {
    for text in [csv("a", 0, 2), format!("{A}\n{B}\n")] {
        for big_endian in [false, true] {
            refused(
                utf16(&text, true, big_endian),
                ErrorKind::InvalidData,
                "UTF-16",
            );
        }
    }
}

#[test]
fn utf_16_without_a_byte_order_mark() {
    let text = csv("a", 0, 2);
    let not_text = |offset| format!("not text: byte 0x00 at offset {offset}");
    refused(
        utf16(&text, false, false),
        ErrorKind::InvalidData,
        &not_text(1),
    );
    refused(
        utf16(&text, false, true),
        ErrorKind::InvalidData,
        &not_text(0),
    );
    // The first byte of little-endian text may be the one of JSON: no line of it is.
    let bytes = utf16("{\"a\":1}", false, false);
    quarantined(
        bytes.clone(),
        0,
        &[(1, None, Malformed, "control character U+0000", &bytes)],
    );
}

#[test]
fn latin_1() {
    let name = b"caf\xe9";
    let text = |id: &str| format!("{id},u,").into_bytes();
    let line = [&text("b"), &name[..], b",2026-01-01T00:00:00Z"].concat();
    quarantined(
        [
            b"event_id,actor,event,time\na,u,x,2026-01-01T00:00:00Z\n",
            &line[..],
            b"\n",
        ]
        .concat(),
        1,
        &[(3, None, Encoding, "byte 0xE9 at byte 8 of the row", &line)],
    );
    let line = [
        &b"{\"actor\":\""[..],
        name,
        b"\",\"event\":\"x\",\"time\":1767225600}",
    ]
    .concat();
    quarantined(
        [A.as_bytes(), b"\n", &line, b"\n", B.as_bytes()].concat(),
        2,
        &[(2, None, Encoding, "byte 0xE9", &line)],
    );
    refused(
        b"event_id,actor,event,time,caf\xe9\na,u,x,2026-01-01T00:00:00Z,1\n".to_vec(),
        ErrorKind::InvalidData,
        "the header, is not valid UTF-8: byte 0xe9",
    );
}

#[test]
fn nothing_and_next_to_nothing() {
    refused("", ErrorKind::InvalidData, "the source is empty");
    refused(" \n\t\r\n", ErrorKind::InvalidData, "white space");
    refused("\u{feff}", ErrorKind::InvalidData, "white space");
    quarantined("[]", 0, &[]);
    quarantined(
        "{}\n",
        0,
        &[(1, Some("actor"), MissingRole, "no key `actor`", b"{}")],
    );
}

#[test]
fn a_header_alone() {
    quarantined("event_id,actor,event,time,n\n", 0, &[]);
    quarantined("event_id,actor,event,time,n", 0, &[]);
    refused("what,ever\n", ErrorKind::InvalidSpec, "`actor`");
}

#[test]
fn mixed_formats() {
    let line = "b,u,x,2026-01-01T00:00:01Z";
    quarantined(
        format!("{A}\n{line}\n[{B}]\n{B}\n"),
        2,
        &[
            (
                2,
                None,
                Malformed,
                "expected an object, found `b`",
                line.as_bytes(),
            ),
            (
                3,
                None,
                Malformed,
                "expected an object, found `[`",
                format!("[{B}]").as_bytes(),
            ),
        ],
    );
    quarantined(
        format!("event_id,actor,event,time\n{line}\n{{\"actor\":\"u\"}}\n{line}\n")
            .replacen("b,u", "a,u", 1),
        2,
        &[(3, None, ColumnCount, "1 field", b"{\"actor\":\"u\"}")],
    );
    quarantined(
        format!("[{A}]\n{B}\n"),
        1,
        &[(
            2,
            None,
            Malformed,
            "text follows the end",
            format!("{B}\n").as_bytes(),
        )],
    );
}

#[test]
fn a_nul_byte() {
    // Early in a source that could be anything it means that this is no text; later it costs its row.
    let head = "event_id,actor,event,time\n";
    refused(
        format!("{head}a,u,\0x,2026-01-01T00:00:00Z\n"),
        ErrorKind::InvalidData,
        "not text: byte 0x00 at offset 30",
    );
    let mut text = head.to_owned();
    for i in 0..200 {
        text.push_str(&format!("a{i},u,x,2026-01-01T00:00:00Z\n"));
    }
    assert!(text.len() > 4_096);
    quarantined(
        format!("{text}b,u,\0x,2026-01-01T00:00:00Z\nc,u,x,2026-01-01T00:00:00Z\n"),
        201,
        &[(
            202,
            None,
            Malformed,
            "byte 0x00 at byte 5 of the row",
            b"b,u,\0x,2026-01-01T00:00:00Z",
        )],
    );
    let line = row("b", ",\"s\":\"\0\"");
    quarantined(
        format!("{A}\n{line}\n"),
        1,
        &[(
            2,
            None,
            Malformed,
            "the control character U+0000",
            line.as_bytes(),
        )],
    );
    // Escaped it is a character like any other.
    run(async {
        let store = Store::in_memory().await.unwrap();
        let line = row("b", r#","s":"1\u00002""#);
        let report = store.ingest(Source::bytes("input", line)).await.unwrap();
        assert_eq!(sums(&report), (1, 1, 0, 0));
        let found = ask(&store.events().await.unwrap(), "SELECT s FROM events").await;
        assert_eq!(found, [[Some("1\x002".to_owned())]]);
    });
}

#[test]
fn json_nested_100_000_deep() {
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let objects = r#"{"a":"#.repeat(100_000);
    let deep = row("d", &format!(",\"x\":{open}{close}"));
    let unclosed = format!("{{\"actor\":\"u\",\"x\":{open}");
    let in_objects = format!(
        "{{\"actor\":\"u\",\"x\":{objects}1{}}}",
        "}".repeat(100_000)
    );
    let cut = |text: &str| text.as_bytes()[..text.len().min(64 << 10)].to_vec();
    let why = "nested deeper than 128";
    quarantined(
        format!("{A}\n{deep}\n{unclosed}\n{in_objects}\n{B}"),
        2,
        &[
            (2, None, TooDeep, why, &cut(&deep)),
            (3, None, TooDeep, why, &cut(&unclosed)),
            (4, None, TooDeep, why, &cut(&in_objects)),
        ],
    );
    quarantined(
        format!("[{A},{deep},{B}]"),
        2,
        &[(1, None, TooDeep, why, &cut(&deep))],
    );
    // As the whole source, and inside a field of CSV that a preset reads as JSON.
    quarantined(
        format!("[{open}{close}]"),
        0,
        &[(
            1,
            None,
            Malformed,
            "expected an object",
            &cut(&format!("{open}{close}")),
        )],
    );
    run(async {
        let store = Store::in_memory().await.unwrap();
        let text = format!(
            "uuid,event,distinct_id,timestamp,properties\n1,e,u,2026-03-01 10:00:00,{open}{close}\n"
        );
        let options = IngestOptions::with_preset(Preset::PostHog);
        let source = Source::bytes("input", text);
        let report = store.ingest_with(source, &options).await.unwrap();
        let counts = sums(&report);
        assert!([(1, 1, 0, 0), (1, 0, 1, 0)].contains(&counts), "{counts:?}");
        assert_works(&store, counts.1 as i64).await;
    });
}

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
