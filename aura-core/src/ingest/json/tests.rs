use std::sync::Arc;

use arrow::array::cast::AsArray;
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use bytes::Bytes;

use super::*;
use crate::event::{PropertyType, TimeUnit};
use crate::ingest::block::RowSpan;
use crate::ingest::plan::PlanColumn;

mod laws;
mod refused;

pub(super) fn plan() -> ReadPlan {
    use PropertyType::*;
    let columns = [
        ("team", String),
        ("count", Integer),
        ("amount", Number),
        ("paid", Boolean),
        ("seen", Timestamp),
        ("day", Date),
        ("data", Json),
        ("extra", String),
    ];
    let properties: Vec<PlanColumn> = columns
        .into_iter()
        .map(|(key, ty)| PlanColumn {
            key: key.to_owned(),
            name: ReadPlan::column_name(key),
            ty,
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

pub(super) fn block(bytes: impl Into<Vec<u8>>) -> Block {
    Block {
        source: Arc::from("test.ndjson"),
        bytes: Bytes::from(bytes.into()),
        first_line: 1,
        rejects: Vec::new(),
        spans: None,
    }
}

pub(super) fn parse(bytes: impl Into<Vec<u8>>) -> ParsedBlock {
    parse_objects(&block(bytes), &plan(), &Limits::default()).unwrap()
}

/// A row that has its roles, and `members` after them.
fn row(members: &str) -> String {
    format!(r#"{{"who":"u","what":"e","when":"2026-02-28T12:00:00Z"{members}}}"#)
}

fn text<'a>(batch: &'a RecordBatch, column: &str, row: usize) -> Option<&'a str> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.is_valid(row).then(|| column.value(row))
}

/// The one reject of a row: reason, field and message.
fn rejected(bytes: impl Into<Vec<u8>>) -> (RejectReason, Option<String>, String) {
    let block = parse(bytes);
    assert_eq!((block.batch.num_rows(), block.rejects.len()), (0, 1));
    let reject = block.rejects.into_iter().next().unwrap();
    (reject.reason, reject.field, reject.message)
}

#[test]
fn every_type_finds_its_column() {
    let rows = [
        r#"{"id":7,"who":12.50,"what":true,"when":1772280000,"team":"a","count":3,"amount":4.71,"paid":true,"seen":"2026-02-28T12:00:00.5Z","day":"2026-02-28","data":{"a": [1, 2]},"extra":"x"}"#,
        r#" { "extra" : "\u00e9\n" , "data" : "s" , "day" : null , "seen" : 1772280000000 , "paid" : false , "amount" : -0 , "count" : 1.0 , "team" : "\"" , "when" : "2026-02-28T12:00:00Z" , "what" : "e" , "who" : "\ud83d\ude00" } "#,
        r#"{"who":"ü","what":"e","when":"2026-02-28 12:00:00Z","id":""}"#,
    ];
    let block = parse(rows.join("\n"));
    assert_eq!(block.rejects, []);
    assert_eq!(block.misfits, []);
    let batch = &block.batch;
    let texts = |column| -> Vec<_> { (0..3).map(|r| text(batch, column, r)).collect() };
    assert_eq!(texts("event_id"), [Some("7"), None, None]);
    assert_eq!(texts("actor"), [Some("12.50"), Some("😀"), Some("ü")]);
    assert_eq!(texts("event"), [Some("true"), Some("e"), Some("e")]);
    assert_eq!(texts("team"), [Some("a"), Some("\""), None]);
    assert_eq!(
        texts("data"),
        [Some(r#"{"a": [1, 2]}"#), Some("\"s\""), None]
    );
    assert_eq!(texts("extra_"), [Some("x"), Some("é\n"), None]);
    assert_eq!(texts("extra"), [None, None, None]);
    let noon = 1_772_280_000_000_000;
    let times = batch.column(3).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(times.values(), &[noon, noon, noon]);
    let counts = batch.column(5).as_primitive::<Int64Type>();
    assert_eq!(counts.iter().collect::<Vec<_>>(), [Some(3), Some(1), None]);
    let amounts = batch.column(6).as_primitive::<Float64Type>();
    assert_eq!(
        amounts.iter().collect::<Vec<_>>(),
        [Some(4.71), Some(0.0), None]
    );
    let paid = batch.column(7).as_boolean();
    assert_eq!(
        paid.iter().collect::<Vec<_>>(),
        [Some(true), Some(false), None]
    );
    let seen = batch.column(8).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(
        seen.iter().collect::<Vec<_>>(),
        [Some(noon + 500_000), Some(noon), None]
    );
    let days = batch.column(9).as_primitive::<Date32Type>();
    assert_eq!(days.iter().collect::<Vec<_>>(), [Some(20_512), None, None]);
    assert_eq!(block.origins.len(), 3);
    assert_eq!(block.origins[2].row, 3);
    let bytes = rows.join("\n");
    assert_eq!(
        &bytes[block.origins[2].start as usize..block.origins[2].end as usize],
        rows[2]
    );
}

#[test]
fn what_does_not_fit_is_kept_in_extra() {
    let block = parse(row(
        r#","team":5,"count":"5","amount":123456789012345678901234567890,"paid":1,"seen":"soon","day":"2026-02-30","other": {"b" : null},"none":null,"k\u0022":1e400"#,
    ));
    assert_eq!(block.rejects, []);
    assert_eq!(
        text(&block.batch, "extra", 0),
        Some(
            r#"{"team":5,"count":"5","amount":123456789012345678901234567890,"paid":1,"seen":"soon","day":"2026-02-30","other":{"b" : null},"none":null,"k\"":1e400}"#
        )
    );
    let misfits: Vec<_> = block
        .misfits
        .iter()
        .map(|m| (m.row, m.column, m.found.as_str()))
        .collect();
    assert_eq!(
        misfits,
        [
            (0, 4, "5"),
            (0, 5, "\"5\""),
            (0, 6, "123456789012345678901234567890"),
            (0, 7, "1"),
            (0, 8, "\"soon\""),
            (0, 9, "\"2026-02-30\""),
        ]
    );
    for column in 4..=9 {
        assert!(block.batch.column(column).is_null(0));
    }
}

#[test]
fn numbers_beyond_their_type_are_misfits() {
    for (members, fits) in [
        (r#","count":9223372036854775807"#, true),
        (r#","count":9223372036854775808"#, false),
        (r#","count":1.5"#, false),
        (r#","count":1e400"#, false),
        (r#","amount":9007199254740993"#, false),
        (r#","amount":0.1234567890123456789"#, true),
        (r#","amount":1e400"#, false),
    ] {
        let block = parse(row(members));
        assert_eq!(block.misfits.is_empty(), fits, "{members}");
        assert_eq!(text(&block.batch, "extra", 0).is_none(), fits, "{members}");
    }
}

#[test]
fn roles_must_be_there() {
    use RejectReason::*;
    for (row, reason, field, message) in [
        (
            r#"{"what":"e","when":1}"#,
            MissingRole,
            "who",
            "the row has no key `who`, which is its actor",
        ),
        (
            r#"{"who":null,"what":"e","when":1}"#,
            MissingRole,
            "who",
            "`who`, the actor of the row, is null",
        ),
        (
            r#"{"who":"u","what":"","when":1}"#,
            MissingRole,
            "what",
            "`what`, the event of the row, is empty",
        ),
        (
            r#"{"who":"u","what":"e"}"#,
            MissingRole,
            "when",
            "the row has no key `when`, which is its time",
        ),
        (
            r#"{"who":"u","what":"e","when":""}"#,
            MissingRole,
            "when",
            "is empty",
        ),
        ("{}", MissingRole, "who", "no key"),
        (
            r#"{"who":["u"],"what":"e","when":1}"#,
            Malformed,
            "who",
            "is an array; expected a string",
        ),
        (
            r#"{"who":"u","what":"e","when":1,"id":{}}"#,
            Malformed,
            "id",
            "is an object",
        ),
        (
            r#"{"who":"u","what":"e","when":"2026-02-30"}"#,
            InvalidTime,
            "when",
            "`when`, the time of the row, cannot be read: `2026-02-30` is not a date",
        ),
        (
            r#"{"who":"u","what":"e","when":"2026-02-28 12:00"}"#,
            InvalidTime,
            "when",
            "state `time_zone`",
        ),
        (
            r#"{"who":"u","what":"e","when":true}"#,
            InvalidTime,
            "when",
            "a boolean",
        ),
        (
            r#"{"who":"u","what":"e","when":1e400}"#,
            InvalidTime,
            "when",
            "out of range",
        ),
    ] {
        let found = rejected(row);
        assert_eq!(
            (found.0, found.1.as_deref()),
            (reason, Some(field)),
            "{row}"
        );
        assert!(found.2.contains(message), "{}", found.2);
    }
    // What cannot be read at all comes before what is missing.
    assert_eq!(rejected(r#"{"who":null,"what":"e","when":"#).0, Malformed);
}

#[test]
fn nothing_gives_an_empty_block() {
    for bytes in ["", "\n", "\r\n \n", "\u{FEFF}", "\u{FEFF}\n\n"] {
        let block = parse(bytes);
        assert_eq!(
            (block.batch.num_rows(), block.rows_read),
            (0, 0),
            "{bytes:?}"
        );
    }
}

#[test]
fn elements_of_an_array_may_span_lines() {
    let text = "[{\n\"who\": \"u\",\n\"what\":\"e\",\"when\":1, \"data\":[\n1]\n},\n7]";
    let end = text.find("},").unwrap() + 1;
    let mut whole = block(text);
    whole.spans = Some(vec![
        RowSpan {
            line: 1,
            start: 1,
            end: end as u32,
        },
        RowSpan {
            line: 6,
            start: end as u32 + 2,
            end: text.len() as u32 - 1,
        },
    ]);
    let parsed = parse_objects(&whole, &plan(), &Limits::default()).unwrap();
    assert_eq!(self::text(&parsed.batch, "data", 0), Some("[\n1]"));
    assert_eq!(
        (parsed.rejects[0].row, parsed.rejects[0].reason),
        (6, RejectReason::Malformed)
    );
}

#[test]
fn a_fixed_name_and_a_shared_key() {
    let mut plan = plan();
    plan.event = None;
    plan.event_name = Some("commit".to_owned());
    plan.event_id = Some("who".to_owned());
    plan.properties[1].key = "who".to_owned();
    let parsed = parse_objects(
        &block("{\"who\":5,\"when\":1,\"what\":2}\n{\"who\":\"x\",\"when\":1}"),
        &plan,
        &Limits::default(),
    )
    .unwrap();
    let batch = &parsed.batch;
    assert_eq!(text(batch, "event", 0), Some("commit"));
    assert_eq!(
        (text(batch, "event_id", 0), text(batch, "actor", 0)),
        (Some("5"), Some("5"))
    );
    assert_eq!(batch.column(5).as_primitive::<Int64Type>().value(0), 5);
    assert_eq!(text(batch, "extra", 0), Some(r#"{"what":2}"#));
    assert_eq!(text(batch, "extra", 1), Some(r#"{"who":"x"}"#));
    assert_eq!(parsed.misfits.len(), 1);
}

#[test]
fn naive_times_are_read_in_the_zone_of_the_plan() {
    let mut plan = plan();
    plan.time_zone = Some(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    plan.time_unit = TimeUnit::Milliseconds;
    let rows = r#"{"who":1,"what":2,"when":"2026-02-28 13:00","seen":"2026-07-01"}
{"who":1,"what":2,"when":1500.5}"#;
    let parsed = parse_objects(&block(rows), &plan, &Limits::default()).unwrap();
    let times = parsed
        .batch
        .column(3)
        .as_primitive::<TimestampMicrosecondType>();
    assert_eq!(times.values(), &[1_772_280_000_000_000, 1_500_500]);
    let seen = parsed
        .batch
        .column(8)
        .as_primitive::<TimestampMicrosecondType>();
    assert_eq!(seen.value(0), 1_782_856_800_000_000);
}

#[test]
fn members_of_a_preset_fill_a_row() {
    let (plan, limits) = (plan(), Limits::default());
    let origin = Origin {
        row: 1,
        start: 0,
        end: 0,
    };
    let mut reader = RowReader::new(&plan, &limits);
    let mut builder = BatchBuilder::new(&plan, 1);

    let source = row(r#","count":2,"k\n":[1.50],"day":5"#);
    let members = split_object(&source, &limits).unwrap();
    assert_eq!(members[4].0, "k\n");
    let pairs = members.iter().map(|(k, v)| (k.as_ref(), *v));
    reader.append(pairs, origin, &mut builder).unwrap();

    let serde_json::Value::Object(object) = serde_json::from_str(&source).unwrap() else {
        panic!("an object");
    };
    reader.append_object(&object, origin, &mut builder).unwrap();

    let pair = ("a", RawValue::of_valid("1"));
    let fault = reader
        .append([pair, pair], origin, &mut builder)
        .unwrap_err();
    assert_eq!(fault.reason, RejectReason::DuplicateKey);
    builder.roll_back();
    let parsed = builder.finish().unwrap();
    assert_eq!(
        text(&parsed.batch, "extra", 0),
        Some(r#"{"k\n":[1.50],"day":5}"#)
    );
    assert_eq!(parsed.misfits.len(), 2);
    assert_eq!(parsed.batch.num_rows(), 2);

    assert_eq!(
        split_object("[]", &limits).unwrap_err().reason,
        RejectReason::Malformed
    );
    assert_eq!(scan_value(" [1, 2] ", &limits).unwrap().text, "[1, 2]");
    assert!(scan_value("1 2", &limits).is_err());
    assert!(scan_value("", &limits).is_err());
    for valid in [
        "{}", "[]", "\"a\"", "\"\\n\"", "-1", "true", "false", "null",
    ] {
        assert_eq!(scan_value(valid, &limits), Ok(RawValue::of_valid(valid)));
    }
}
