//! Text sources as they should not be: each gives quarantine entries or one clear error, and a store that still works.

use aura_core::ErrorKind;
use aura_core::ingest::RejectReason::{ColumnCount, Encoding, Malformed, MissingRole, TooDeep};
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

pub(crate) const A: &str =
    r#"{"event_id":"a","actor":"u","event":"x","time":"2026-01-01T00:00:00Z"}"#;
pub(crate) const B: &str =
    r#"{"event_id":"b","actor":"u","event":"x","time":"2026-01-01T00:00:01Z"}"#;

pub(crate) fn row(id: &str, more: &str) -> String {
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
