//! Rows that are refused, and leave the others alone.

use super::*;

#[test]
fn rows_that_are_no_object_are_malformed() {
    for (row, message) in [
        ("[1]", "expected an object, found `[` at byte 1"),
        ("3", "expected an object"),
        ("\"s\"", "expected an object"),
        ("null", "expected an object"),
        (r#"{"who":"u","what":"#, "expected a value, found the end"),
        (r#"{"who":"u"#, "expected the closing `\"` of a string"),
        (r#"{"who""#, "expected `:`"),
        (r#"{"who":"u","#, "expected a key in quotes"),
        (r#"{"who":"u",}"#, "expected a key in quotes, found `}`"),
        (r#"{,}"#, "expected a key in quotes or `}`"),
        (r#"{"who":"u" "what":1}"#, "expected `,` or `}`"),
        (
            r#"{"who":"u"} {"who":"u"}"#,
            "expected nothing more, found `{`",
        ),
        (r#"{"who":"u"},"#, "expected nothing more, found `,`"),
        (r#"{"who":01}"#, "leading zero"),
        (r#"{"who":1.}"#, "a digit"),
        (r#"{"who":+1}"#, "a value"),
        (r#"{"who":NaN}"#, "a value"),
        (r#"{"who":nul}"#, "`null`"),
        (r#"{"who":'u'}"#, "a value"),
        (r#"{who:1}"#, "a key in quotes"),
        (r#"{"who":[1,]}"#, "a value"),
        (r#"{"who":[1}"#, "`,` or `]`"),
        (r#"{"who":{"a":1]}"#, "`,` or `}`"),
        (
            "{\"who\":\"a\tb\"}",
            "the control character U+0009 at byte 10 of the row must be escaped",
        ),
        ("{\"who\":\"a\0b\"}", "the control character U+0000"),
        ("{\"who\":1}\0", "the control character U+0000"),
        (r#"{"who":"\x"}"#, "unknown escape"),
        (r#"{"who":"\u12g4"}"#, "unknown escape"),
        (r#"{"who":"\ud800"}"#, "lone surrogate `\\ud800`"),
        (r#"{"who":"\ud800\n"}"#, "lone surrogate"),
        (r#"{"who":"\udc00\ud800"}"#, "lone surrogate"),
        (r#"{"other":["\ud800x"]}"#, "lone surrogate"),
        (r#"{"\ud800":1}"#, "lone surrogate"),
        ("é", "expected an object, found `é`"),
    ] {
        let found = rejected(row);
        assert_eq!((found.0, found.1), (RejectReason::Malformed, None), "{row}");
        assert!(found.2.contains(message), "{row}: {}", found.2);
    }
}

#[test]
fn a_key_twice_is_refused_at_any_depth() {
    let many: String = (0..100).map(|i| format!("\"k{i}\":0,")).collect();
    let pad: String = (0..5_000).map(|i| format!(",\"p{i}\":0")).collect();
    for (members, field) in [
        (r#","who":"v""#.to_owned(), "who"),
        (r#","x":1,"x":1"#.to_owned(), "x"),
        (r#","x":1,"\u0078":1"#.to_owned(), "x"),
        (r#","x":{"a":1,"b":2,"a":3}"#.to_owned(), "a"),
        (r#","x":[{"a":1,"\u0061":3}]"#.to_owned(), "a"),
        (r#","x":{"a":{"b":{"c":1,"c":1}}}"#.to_owned(), "c"),
        (format!(r#","x":{{{many}"k50":1}}"#), "k50"),
        (format!(r#"{pad},"p4500":1"#), "p4500"),
        (format!(r#"{pad},"p4\u003500":1"#), "p4500"),
    ] {
        let found = rejected(row(&members));
        assert_eq!(
            (found.0, found.1.as_deref()),
            (RejectReason::DuplicateKey, Some(field))
        );
    }
    let block = parse(row(&format!(
        r#","x":{{"a":{{"a":1}},"b":[{{"a":1}},{{"a":1}}]}}{pad}"#
    )));
    assert_eq!(block.rejects, []);
}

#[test]
fn depth_is_limited_and_costs_nothing() {
    let nested = |open: &str, close: &str, depth: usize| {
        row(&format!(
            ",\"x\":{}1{}",
            open.repeat(depth),
            close.repeat(depth)
        ))
    };
    // The row itself is one level.
    assert_eq!(parse(nested("[", "]", 127)).rejects, []);
    assert_eq!(parse(nested("{\"a\":", "}", 127)).rejects, []);
    assert_eq!(rejected(nested("[", "]", 128)).0, RejectReason::TooDeep);
    assert_eq!(
        rejected(nested("{\"a\":", "}", 128)).0,
        RejectReason::TooDeep
    );
    assert_eq!(rejected(nested("[", "]", 100_000)).0, RejectReason::TooDeep);
    assert_eq!(
        rejected(row(&format!(",\"x\":{}", "[".repeat(100_000)))).0,
        RejectReason::TooDeep
    );
    assert_eq!(rejected("[".repeat(100_000)).0, RejectReason::Malformed);
    let limits = Limits {
        max_json_depth: 200_000,
        ..Limits::default()
    };
    let deep = parse_objects(&block(nested("[", "]", 100_000)), &plan(), &limits).unwrap();
    assert_eq!(deep.rejects, []);
}

#[test]
fn a_bad_row_does_not_touch_the_others() {
    let mut bytes = Vec::new();
    bytes.extend(b"\xEF\xBB\xBF");
    bytes.extend(row("").bytes());
    bytes.extend(b"\r\n\n  \t\r\n");
    bytes.extend(b"{\"who\":\"\xFF\"}\n");
    bytes.extend(row(r#","team":"t","other":1"#).bytes());
    bytes.extend(b"\n{\"team\":\"half\",\"count\":5,\"other\":2,\"amount\":\"no\",\n");
    bytes.extend(row("").bytes());
    let mut whole = block(bytes);
    whole.first_line = 1;
    let before = Fault::new(RejectReason::TooLong, "long").into_reject(
        &whole.source,
        1,
        b"xx",
        &Limits::default(),
    );
    whole.rejects.push(before.clone());
    let parsed = parse_objects(&whole, &plan(), &Limits::default()).unwrap();
    assert_eq!(parsed.rows_read, 6);
    assert_eq!(parsed.batch.num_rows(), 3);
    let rows: Vec<_> = parsed.origins.iter().map(|o| o.row).collect();
    assert_eq!(rows, [1, 5, 7]);
    assert_eq!(parsed.rejects[0], before);
    let rejects: Vec<_> = parsed.rejects[1..]
        .iter()
        .map(|r| (r.row, r.reason))
        .collect();
    assert_eq!(
        rejects,
        [(4, RejectReason::Encoding), (6, RejectReason::Malformed)]
    );
    assert_eq!(parsed.rejects[1].original, b"{\"who\":\"\xFF\"}");
    assert!(
        parsed.rejects[1]
            .message
            .contains("byte 0xFF at byte 9 of the row")
    );
    assert_eq!(parsed.misfits, []);
    let extras: Vec<_> = (0..3).map(|r| text(&parsed.batch, "extra", r)).collect();
    assert_eq!(extras, [None, Some(r#"{"other":1}"#), None]);
}
