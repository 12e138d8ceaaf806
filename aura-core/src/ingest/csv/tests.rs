use std::io::Cursor;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::event::{PropertyType, TimeUnit};
use crate::ingest::block::{Origin, ParsedBlock};
use crate::ingest::decode::Decoder;
use crate::ingest::plan::{PlanColumn, ReadPlan};
use crate::ingest::{Limits, Reject, RejectReason};

mod naive;

fn plan(properties: &[(&str, PropertyType)]) -> ReadPlan {
    let properties: Vec<PlanColumn> = properties
        .iter()
        .map(|(key, ty)| PlanColumn {
            key: (*key).to_owned(),
            name: ReadPlan::column_name(key),
            ty: *ty,
        })
        .collect();
    ReadPlan {
        beyond: 0,
        event_id: Some("id".to_owned()),
        actor: "who".to_owned(),
        event: Some("what".to_owned()),
        event_name: None,
        time: "when".to_owned(),
        time_zone: None,
        time_unit: TimeUnit::Auto,
        schema: ReadPlan::schema_of(&properties),
        properties,
    }
}

fn open_text(
    text: &[u8],
    limits: &Limits,
) -> crate::Result<(CsvHeader, crate::ingest::split::Splitter)> {
    let input = Box::new(Cursor::new(text.to_vec()));
    open(
        Decoder::new("s".into(), input, limits, Default::default())?,
        limits,
    )
}

fn parse_with(text: &[u8], plan: &ReadPlan, limits: &Limits) -> Vec<(Block, ParsedBlock)> {
    let (header, splitter) = open_text(text, limits).unwrap();
    splitter
        .map(|block| {
            let block = block.unwrap();
            let parsed = parse_csv(&block, plan, &header, limits).unwrap();
            assert_eq!(
                parsed.rows_read as usize,
                parsed.batch.num_rows() + parsed.rejects.len()
            );
            assert_eq!(parsed.origins.len(), parsed.batch.num_rows());
            (block, parsed)
        })
        .collect()
}

/// Parses a text that fits one block.
fn parse(text: &[u8], plan: &ReadPlan) -> ParsedBlock {
    let mut all = parse_with(text, plan, &Limits::default());
    assert_eq!(all.len(), 1);
    all.remove(0).1
}

fn strings(parsed: &ParsedBlock, column: &str) -> Vec<Option<String>> {
    let column = parsed.batch.column_by_name(column).unwrap();
    let column = column.as_string::<i32>();
    column.iter().map(|v| v.map(str::to_owned)).collect()
}

fn row_reject(reject: &Reject) -> (u64, RejectReason, &str) {
    (
        reject.row,
        reject.reason,
        reject.field.as_deref().unwrap_or_default(),
    )
}

#[test]
fn a_row_becomes_typed_columns() {
    use PropertyType::{Boolean, Date, Integer, Json, Number, String, Timestamp};
    let plan = plan(&[
        ("s", String),
        ("i", Integer),
        ("n", Number),
        ("b", Boolean),
        ("t", Timestamp),
        ("d", Date),
        ("j", Json),
        ("event", String),
    ]);
    let text = "\u{feff}when,who,what,id,s,i,n,b,t,d,j,event,more\r\n\
        2026-01-01T00:00:00.5Z,u1,click,e1,\"a \"\"b\"\",\r\nc\",-7, 1.5 ,true,1767225600000,2026-02-28,\"{\"\"a\"\":[1]}\",x,\"m\"\"\"\r\n\
        1767225600,ü2,open,,,,,,,,,,\r\n\
        \r\n\
        1767225600,u3,open,e3,\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\r\n\
        1767225600,u4,open,,s,1.5,x,yes,later,2026-02-30,{a},,";
    let parsed = parse(text.as_bytes(), &plan);
    assert_eq!(parsed.rejects, []);
    assert_eq!(parsed.batch.schema(), plan.schema);
    let some = |v: &str| Some(v.to_owned());
    assert_eq!(
        strings(&parsed, "actor"),
        ["u1", "ü2", "u3", "u4"].map(some)
    );
    assert_eq!(
        strings(&parsed, "event"),
        ["click", "open", "open", "open"].map(some)
    );
    assert_eq!(
        strings(&parsed, "event_id"),
        [some("e1"), None, some("e3"), None]
    );
    assert_eq!(
        strings(&parsed, "s"),
        [some("a \"b\",\r\nc"), None, some(""), some("s")]
    );
    assert_eq!(
        strings(&parsed, "event_"),
        [some("x"), None, some(""), None]
    );
    assert_eq!(
        strings(&parsed, "j"),
        [some("{\"a\":[1]}"), None, None, None]
    );
    let batch = &parsed.batch;
    let time = batch.column(3).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(time.value(0), 1_767_225_600_500_000);
    assert_eq!(time.value(1), 1_767_225_600_000_000);
    let first = |name: &str| batch.column_by_name(name).unwrap().clone();
    let (i, n, b, t, d) = (first("i"), first("n"), first("b"), first("t"), first("d"));
    assert_eq!(i.as_primitive::<Int64Type>().value(0), -7);
    assert_eq!(n.as_primitive::<Float64Type>().value(0), 1.5);
    assert!(b.as_boolean().value(0));
    let t = t.as_primitive::<TimestampMicrosecondType>();
    assert_eq!(t.value(0), 1_767_225_600_000_000);
    assert_eq!(d.as_primitive::<Date32Type>().value(0), 20_512);
    for column in [&i, &n, &b, &d] {
        assert_eq!(column.null_count(), 3);
    }
    assert_eq!(
        strings(&parsed, "extra"),
        [
            some(r#"{"more":"m\""}"#),
            None,
            some(r#"{"more":""}"#),
            some(r#"{"i":"1.5","n":"x","b":"yes","t":"later","d":"2026-02-30","j":"{a}"}"#),
        ]
    );
    let misfits: Vec<_> = parsed
        .misfits
        .iter()
        .map(|m| (m.row, m.column, m.found.as_str()))
        .collect();
    assert_eq!(
        misfits,
        [
            (3, 5, "1.5"),
            (3, 6, "x"),
            (3, 7, "yes"),
            (3, 8, "later"),
            (3, 9, "2026-02-30"),
            (3, 10, "{a}")
        ]
    );
    let lines: Vec<u64> = parsed.origins.iter().map(|o| o.row).collect();
    assert_eq!(lines, [2, 4, 6, 7]);
}

#[test]
fn origins_are_the_rows_without_line_ends() {
    let text = b"who,what,when\na,b,1\r\n\n\"a\n\",b,2";
    for (block, parsed) in parse_with(
        text,
        &plan(&[]),
        &Limits {
            block_bytes: 6,
            ..Limits::default()
        },
    ) {
        for Origin { row, start, end } in parsed.origins {
            let row_text = &block.bytes[start as usize..end as usize];
            assert!([(2, &b"a,b,1"[..]), (4, b"\"a\n\",b,2")].contains(&(row, row_text)));
        }
    }
}

#[test]
fn a_bad_row_does_not_touch_the_others() {
    use RejectReason::{ColumnCount, Encoding, InvalidTime, Malformed, MissingRole};
    let text = b"who,what,when,s\n\
        a,x,1767225600,ok\n\
        a,x,1767225600\n\
        a,x,1767225600,b,c\n\
        a,x,1767225600,caf\xe9\n\
        ,x,1767225600,s\n\
        a,\"\",1767225600,s\n\
        a,x,,s\n\
        a,x,soon,s\n\
        a,x,2026-01-01T00:00:00,s\n\
        \"a\"b,x,1767225600,s\n\
        a,x,1767225600,\"s\" \n\
        a,x,1767225600,n\x00l\n\
        a,x,1767225600,\"n\x00\nl\"\n\
        a\"b,x,1767225600,\xc3\xbc\n";
    let parsed = parse(text, &plan(&[("s", PropertyType::String)]));
    let rejects: Vec<_> = parsed.rejects.iter().map(row_reject).collect();
    assert_eq!(
        rejects,
        [
            (3, ColumnCount, ""),
            (4, ColumnCount, ""),
            (5, Encoding, ""),
            (6, MissingRole, "who"),
            (7, MissingRole, "what"),
            (8, MissingRole, "when"),
            (9, InvalidTime, "when"),
            (10, InvalidTime, "when"),
            (11, Malformed, ""),
            (12, Malformed, ""),
            (13, Malformed, ""),
            (14, Malformed, ""),
        ]
    );
    let message = |i: usize| parsed.rejects[i].message.as_str();
    assert_eq!(
        message(0),
        "the row has 3 fields; 4 were expected, as in the header"
    );
    assert_eq!(
        message(2),
        "not valid UTF-8: byte 0xE9 at byte 19 of the row"
    );
    assert_eq!(message(3), "`who`, the actor of the row, is empty");
    assert!(message(7).contains("state `time_zone`"), "{}", message(7));
    assert!(
        message(8).contains("before byte 4 of the row"),
        "{}",
        message(8)
    );
    assert_eq!(message(10), "byte 0x00 at byte 17 of the row");
    assert_eq!(parsed.rejects[2].original, b"a,x,1767225600,caf\xe9");
    assert_eq!(
        strings(&parsed, "actor"),
        [Some("a".to_owned()), Some("a\"b".to_owned())]
    );
    assert_eq!(
        strings(&parsed, "s"),
        [Some("ok".to_owned()), Some("ü".to_owned())]
    );
}

#[test]
fn an_unclosed_quote_costs_one_row() {
    let text = b"who,what,when\na,x,1\na,\"x,2\na,x,3\n";
    let all = parse_with(text, &plan(&[]), &Limits::default());
    let rejects: Vec<_> = all
        .iter()
        .flat_map(|(_, p)| p.rejects.iter().map(row_reject))
        .collect();
    assert_eq!(rejects, [(3, RejectReason::Malformed, "")]);
    let rows: usize = all.iter().map(|(_, p)| p.batch.num_rows()).sum();
    assert_eq!(rows, 2);
    // A block that was cut otherwise.
    let block = Block {
        source: "s".into(),
        bytes: bytes::Bytes::from_static(b"a,x,1\n\na,\"x,2\na,x,3\n"),
        first_line: 7,
        rejects: Vec::new(),
        spans: None,
    };
    let header = CsvHeader {
        names: ["who", "what", "when"].map(str::to_owned).to_vec(),
        delimiter: b',',
    };
    let parsed = parse_csv(&block, &plan(&[]), &header, &Limits::default()).unwrap();
    assert_eq!(
        parsed.rejects[0].message,
        "the quote opened at line 9 is never closed"
    );
    assert_eq!(parsed.rejects[0].row, 9);
}

#[test]
fn a_key_may_fill_several_columns_and_a_name_may_be_fixed() {
    let mut plan = plan(&[
        ("who", PropertyType::String),
        ("what", PropertyType::Integer),
    ]);
    plan.event = None;
    plan.event_name = Some("visit".to_owned());
    let parsed = parse(
        b"who;what;when\n\"u\"\"1\";12;1767225600\nu2;a\\b;1767225600\n",
        &plan,
    );
    assert_eq!(strings(&parsed, "actor"), strings(&parsed, "who"));
    assert_eq!(strings(&parsed, "who")[0].as_deref(), Some("u\"1"));
    assert_eq!(strings(&parsed, "event"), vec![Some("visit".to_owned()); 2]);
    assert_eq!(
        strings(&parsed, "extra"),
        [None, Some(r#"{"what":"a\\b"}"#.to_owned())]
    );
}

#[test]
fn a_role_without_column_rejects_every_row() {
    let parsed = parse(b"who,what\na,b\n", &plan(&[]));
    assert_eq!(
        row_reject(&parsed.rejects[0]),
        (2, RejectReason::MissingRole, "when")
    );
    assert_eq!(
        parsed.rejects[0].message,
        "the source has no column `when`, which is its time"
    );
}

#[test]
fn the_delimiter_is_found() {
    for (text, delimiter) in [
        ("a,b,c\n1,2,3\n", b','),
        ("a;b;c\n1,5;2,5;3\n", b';'),
        ("a\tb\n1,2;3\t4\n", b'\t'),
        ("a|b|c\n1|2|3", b'|'),
        ("\"a;x\",b\n\"1;2;3\",2\n", b','),
        ("a,b;c,d\n1,2,3\n1,2,3\n", b','),
        ("a;b,c\n1;2\n1;2\n", b';'),
        ("alone\n1\n", b','),
        ("a;b", b';'),
        ("\u{feff}\"a\";b\r\n1;2", b';'),
    ] {
        let (header, _) = open_text(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(header.delimiter as char, delimiter as char, "{text}");
    }
}

#[test]
fn headers_are_read_or_refused() {
    let names = |text: &[u8]| open_text(text, &Limits::default()).map(|(h, _)| h.names);
    assert_eq!(
        names(b"\n\r\na,\"b\n\"\"c\"\"\",,\r\n").unwrap(),
        ["a", "b\n\"c\"", "column_3", "column_4"]
    );
    let wide = vec!["c"; 2_001];
    let wide: Vec<String> = wide
        .iter()
        .enumerate()
        .map(|(i, c)| format!("{c}{i}"))
        .collect();
    for (text, message) in [
        (&b""[..], "there is no header row"),
        (b"\xef\xbb\xbf\r\n\n", "there is no header row"),
        (b"a,b,a\n", "names column `a` twice: columns 1 and 3"),
        (b"a,,column_2\n", "names column `column_2` twice"),
        (b"a,b\xff\n1,2\n", "not valid UTF-8: byte 0xff at byte 4"),
        (b"a,b\r1,2\r", "carriage return without line feed"),
        (
            b"a,\"b\n1,2\n",
            "the quote opened at line 1 is never closed",
        ),
        (b"a,\"b\"c\n1,2\n", "text after the closing quote at byte 5"),
        (b"a,b\0c\n", "byte 0x00"),
        (wide.join(",").as_bytes(), "2001 columns; at most 2000"),
    ] {
        let error = names(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.message().contains(message), "{error}");
        assert!(error.message().starts_with("s: "), "{error}");
    }
    assert_eq!(
        names(wide[..2_000].join(",").as_bytes()).unwrap().len(),
        2_000
    );
}

#[test]
fn a_header_alone_has_no_rows() {
    for text in [
        &b"who,what,when"[..],
        b"who,what,when\r\n",
        b"who,what,when\n\n\r\n",
    ] {
        let rows: usize = parse_with(text, &plan(&[]), &Limits::default())
            .iter()
            .map(|(_, p)| p.rows_read as usize)
            .sum();
        assert_eq!(rows, 0);
    }
}

#[test]
fn rows_of_a_sample_are_fields() {
    let (header, splitter) = open_text(b"a,b\n1,\"x\"\"y\"\n1\n,\n", &Limits::default()).unwrap();
    let block = splitter.map(Result::unwrap).next().unwrap();
    let rows: Vec<_> = sample_rows(&block, &header).collect();
    assert_eq!(rows, [["1", "x\"y"], ["", ""]]);
}
