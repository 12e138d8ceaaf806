use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};

use super::*;

/// Whether each of the originals, which are whole, mentions the actor.
fn hits(actor: &str, originals: &[&str]) -> Vec<bool> {
    let lengths: Vec<i64> = originals.iter().map(|o| kept_bytes(o)).collect();
    Mention::of(actor).rows(&rows(originals, &lengths, &vec!["u1"; originals.len()]))
}

fn rows(originals: &[&str], lengths: &[i64], messages: &[&str]) -> RecordBatch {
    RecordBatch::try_from_iter([
        (
            "message",
            Arc::new(StringArray::from(messages.to_vec())) as _,
        ),
        (
            "original",
            Arc::new(StringArray::from(originals.to_vec())) as _,
        ),
        (
            "original_len",
            Arc::new(Int64Array::from(lengths.to_vec())) as _,
        ),
    ])
    .unwrap()
}

fn base16(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("base16:{digits}")
}

#[test]
fn an_actor_is_found_as_a_whole_word_only() {
    for there in [
        "u1",
        "u1,view,never",
        "view,u1",
        r#"{"actor":"u1","time":"never"}"#,
        r#"{"actor": "u1"#,
        "said u1.",
        "u10,u1",
        "from:u1;",
        "-u1-",
        r#"{"text":"hello\nu1 bye"}"#,
        r#"{"actor":"\u00751"}"#,
    ] {
        assert_eq!(hits("u1", &[there]), [true], "{there}");
    }
    for other in [
        "u10,view",
        "menu1x",
        "menu1",
        "u1_a",
        "üu1",
        "u1-2",
        "u1.example",
        "u1@example.com",
        "x@u1",
        "",
    ] {
        assert_eq!(hits("u1", &[other]), [false], "{other}");
    }
}

#[test]
fn the_forms_of_json_csv_and_other_encodings_are_understood() {
    assert_eq!(
        hits(
            "josé",
            &[r#"{"actor":"jos\u00e9"}"#, r#"{"actor":"jos\u00E9s"}"#]
        ),
        [true, false]
    );
    assert_eq!(hits("a😀", &[r#"{"actor":"a\ud83d\ude00"}"#]), [true]);
    assert_eq!(
        hits("a\"b", &[r#"{"actor":"a\"b"}"#, "\"a\"\"b\",view"]),
        [true, true]
    );
    assert_eq!(
        hits("a\\b", &[r#"{"actor":"a\\b"}"#, "a\\b,view"]),
        [true, true]
    );
    let latin = base16(b"jos\xe9,view");
    let faulty = base16(b"u1,\xff\xfe");
    let longer = base16(b"u10,\xff\xfe");
    let wide = base16(b"\xff\xfeu\x001\x00,\x00");
    assert_eq!(hits("josé", &[&latin]), [true]);
    assert_eq!(hits("u1", &[&faulty, &longer, &wide]), [true, false, true]);
    assert_eq!(hits("aa-aa", &["aa-aa-aa"]), [false]);
    assert_eq!(hits("-a-", &["x-a-a-"]), [true]);
}

#[test]
fn the_message_counts_where_the_original_was_cut() {
    let batch = rows(&["abc", "abc"], &[3, 9], &["found `u1`", "found `u1`"]);
    assert_eq!(Mention::of("u1").rows(&batch), [false, true]);
}
