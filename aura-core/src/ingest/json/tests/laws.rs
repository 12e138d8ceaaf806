//! Properties: the scanner agrees with serde_json, what the reader has learned changes nothing, and no
//! input panics.

use std::collections::HashSet;
use std::fmt;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::*;

/// What serde_json reads, with a key twice as an error.
#[derive(Debug, PartialEq)]
enum Strict {
    Scalar(serde_json::Value),
    Array(Vec<Strict>),
    Object(Vec<(String, Strict)>),
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Strict;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict::Scalar(().into()))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Strict, E> {
                Ok(Strict::Scalar(v.into()))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Strict, E> {
                Ok(Strict::Scalar(v.into()))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Strict, E> {
                Ok(Strict::Scalar(v.into()))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Strict, E> {
                Ok(Strict::Scalar(v.into()))
            }
            fn visit_str<E>(self, v: &str) -> Result<Strict, E> {
                Ok(Strict::Scalar(v.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Strict, A::Error> {
                let mut all = Vec::new();
                while let Some(value) = seq.next_element()? {
                    all.push(value);
                }
                Ok(Strict::Array(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
                let mut all = Vec::new();
                let mut seen = HashSet::new();
                while let Some((key, value)) = map.next_entry::<String, _>()? {
                    if !seen.insert(key.clone()) {
                        return Err(A::Error::custom("twice"));
                    }
                    all.push((key, value));
                }
                Ok(Strict::Object(all))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// What our scanner reads, in the same form.
fn scanned(text: &str) -> Option<Strict> {
    let limits = Limits::default();
    let value = scan_value(text, &limits).ok()?;
    Some(match value.kind {
        Kind::Object => Strict::Object(
            split_object(value.text, &limits)
                .ok()?
                .into_iter()
                .map(|(k, v)| Some((k.into_owned(), scanned(v.text)?)))
                .collect::<Option<_>>()?,
        ),
        Kind::Array => {
            // Through an object, since arrays are never taken apart here.
            return serde_json::from_str(value.text).ok();
        }
        Kind::Plain | Kind::Escaped => Strict::Scalar(value.decoded().into()),
        _ => serde_json::from_str(value.text).ok()?,
    })
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \t]{1,3}"]
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{0,20}",
        1 => "[ -~éü😀\u{7f}\u{2028}]{0,12}".prop_filter("no escapes", |s| !s.contains(['"', '\\'])),
        1 => r#"([a-z]|\\["\\/bfnrt]|\\u00[0-7][0-9a-fA-F]|\\ud83d\\ude0[0-9]){0,6}"#,
    ]
    .prop_map(|s| format!("\"{s}\""))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => string(),
        2 => "-?(0|[1-9][0-9]{0,4})",
        1 => "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just("\"2026-02-28T12:00:00.25Z\"".to_owned()),
        1 => Just("\"2026-02-28\"".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "id", "who", "what", "when", "team", "count", "amount", "paid", "seen", "day", "data", "extra",
        ])
        .prop_map(|k| format!("\"{k}\"")),
        1 => "\"[a-d]{1,2}\"",
        1 => "\"[a-d]?\\\\u006[1-4]\"",
    ]
}

fn object(value: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    prop::collection::vec((key(), space(), space(), value, space(), space()), 0..6).prop_map(
        |members| {
            let members: Vec<_> = members
                .into_iter()
                .map(|(k, a, b, v, c, d)| format!("{d}{k}{a}:{b}{v}{c}"))
                .collect();
            format!("{{{}}}", members.join(","))
        },
    )
}

fn value() -> impl Strategy<Value = String> + Clone {
    scalar().boxed().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            object(inner.clone()),
            prop::collection::vec((space(), inner), 0..4).prop_map(|all| {
                let all: Vec<_> = all.into_iter().map(|(s, v)| s + &v).collect();
                format!("[{}]", all.join(","))
            }),
        ]
    })
}

/// Rows of one program: mostly the same shape, roles included.
fn usual_row() -> impl Strategy<Value = String> {
    let members = prop::collection::vec((key(), value()), 0..5);
    (members, any::<bool>(), prop::bool::weighted(0.2), string()).prop_map(
        |(members, last, spaced, who)| {
            let (comma, colon) = if spaced { (", ", ": ") } else { (",", ":") };
            let mut all = vec![
                format!("\"who\"{colon}{who}"),
                format!("\"what\"{colon}\"e\""),
                format!("\"when\"{colon}\"2026-02-28T12:00:00Z\""),
            ];
            let members = members.into_iter().map(|(k, v)| format!("{k}{colon}{v}"));
            if last {
                all.splice(0..0, members);
            } else {
                all.extend(members);
            }
            format!("{{{}}}", all.join(comma))
        },
    )
}

/// Cuts, doubles or changes a byte somewhere.
fn broken(text: String, at: usize, how: u8) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    let at = at % bytes.len().max(1);
    match how {
        0..=99 => {}
        100..=129 => bytes.truncate(at),
        130..=159 => {
            if let Some(byte) = bytes.get(at).copied() {
                bytes.insert(at, byte);
            }
        }
        160..=189 => {
            if at < bytes.len() {
                bytes.remove(at);
            }
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = how.wrapping_mul(how);
            }
        }
    }
    bytes
}

fn broken_row() -> impl Strategy<Value = Vec<u8>> {
    (
        prop_oneof![usual_row(), object(value())],
        any::<usize>(),
        any::<u8>(),
    )
        .prop_map(|(text, at, how)| broken(text, at, how))
}

proptest! {
    #[test]
    fn the_scanner_agrees_with_serde_json(bytes in broken_row()) {
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let expected: Option<Strict> = serde_json::from_str(text).ok();
            prop_assert_eq!(scanned(text), expected, "{}", text);
        }
    }

    /// One reader that learns from row to row gives what a new reader for each row gives.
    #[test]
    fn learning_changes_nothing(rows in prop::collection::vec(broken_row(), 1..20)) {
        let rows: Vec<Vec<u8>> = rows
            .into_iter()
            .map(|r| r.into_iter().filter(|b| *b != b'\n').collect())
            .collect();
        let together = parse(rows.join(&b'\n'));
        let alone: Vec<_> = rows.iter().map(|r| parse(r.clone())).collect();
        let batches: Vec<_> = alone.iter().map(|b| &b.batch).collect();
        let expected = arrow::compute::concat_batches(&plan().schema, batches).unwrap();
        prop_assert_eq!(&together.batch, &expected);
        prop_assert_eq!(together.rows_read, alone.iter().map(|b| b.rows_read).sum::<u64>());
        let rejects = |b: &ParsedBlock| -> Vec<_> {
            b.rejects.iter().map(|r| (r.reason, r.field.clone(), r.message.clone(), r.original.clone())).collect()
        };
        prop_assert_eq!(rejects(&together), alone.iter().flat_map(rejects).collect::<Vec<_>>());
        let found = |b: &ParsedBlock| -> Vec<_> {
            b.misfits.iter().map(|m| (m.column, m.found.clone())).collect()
        };
        prop_assert_eq!(found(&together), alone.iter().flat_map(found).collect::<Vec<_>>());
    }

    /// Every value of an accepted row is in its column or in `extra`.
    #[test]
    fn nothing_is_lost(row in usual_row()) {
        let Ok(Strict::Object(members)) = serde_json::from_str(&row) else {
            return Ok(());
        };
        let parsed = parse(row.clone());
        if parsed.batch.num_rows() == 0 {
            return Ok(());
        }
        let plan = plan();
        let extra = text(&parsed.batch, "extra", 0).unwrap_or("{}");
        let Ok(Strict::Object(extra)) = serde_json::from_str(extra) else {
            panic!("extra is an object: {extra}");
        };
        let mut left = extra.iter();
        for (key, value) in &members {
            let position = plan.properties.iter().position(|p| p.key == *key);
            let role = ["id", "who", "what", "when"].contains(&key.as_str());
            let column = position.map(|i| parsed.batch.column(4 + i));
            let null = *value == Strict::Scalar(serde_json::Value::Null);
            match column {
                Some(column) if null => prop_assert!(column.is_null(0)),
                Some(column) if column.is_valid(0) => {}
                _ if role => {}
                _ => {
                    prop_assert_eq!(left.next().map(|(k, v)| (k, v)), Some((key, value)));
                }
            }
        }
        prop_assert!(left.next().is_none());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), json in "[\\[\\]{}\",:\\\\u0-9a-f \n\r\t.eE+-]{0,200}") {
        for bytes in [bytes, json.into_bytes()] {
            let parsed = parse(bytes.clone());
            prop_assert_eq!(parsed.rows_read, (parsed.batch.num_rows() + parsed.rejects.len()) as u64);
            let _ = crate::ingest::infer::infer_objects(&bytes, &Limits::default());
        }
    }
}
