//! Against a naive reader, and for any input.

use super::*;

/// Reads a text as RFC 4180 says, one character after the other: for each row its line, and its fields with
/// whether they are quoted, or `None` if it is not well formed.
type NaiveRow = (u64, Vec<u8>, Option<Vec<(String, bool)>>);

fn naive_rows(text: &[u8], delimiter: u8) -> Vec<NaiveRow> {
    #[derive(PartialEq)]
    enum At {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let mut rows = Vec::new();
    let (mut line, mut row_line) = (1, 1);
    let (mut at, mut good) = (At::Start, true);
    let (mut row, mut fields): (Vec<u8>, Vec<(Vec<u8>, bool)>) = (Vec::new(), Vec::new());
    let mut field: (Vec<u8>, bool) = (Vec::new(), false);
    let mut i = 0;
    while i <= text.len() {
        // The end of the text ends a row like a line feed, but not a quoted field.
        let byte = text.get(i).copied();
        let ends_row = byte.is_none() || (byte == Some(b'\n') && at != At::Quoted);
        if ends_row {
            good &= at != At::Quoted;
            if at == At::Closed {
                if field.0.last() == Some(&b'\r') && row.last() == Some(&b'\r') {
                    // `\r` after the quote was taken for text after it.
                    field.0.pop();
                }
                good &= field.0.is_empty();
                field = fields.pop().unwrap();
            } else if at == At::Plain && field.0.last() == Some(&b'\r') {
                field.0.pop();
            }
            fields.push(std::mem::take(&mut field));
            if row.last() == Some(&b'\r') {
                row.pop();
            }
            if !row.is_empty() {
                let text: Option<Vec<(String, bool)>> = fields
                    .drain(..)
                    .map(|(bytes, quoted)| Some((String::from_utf8(bytes).ok()?, quoted)))
                    .collect();
                let nul = row.contains(&0);
                rows.push((
                    row_line,
                    std::mem::take(&mut row),
                    text.filter(|_| good && !nul),
                ));
            }
            row.clear();
            fields.clear();
            line += 1;
            row_line = line;
            (at, good) = (At::Start, true);
            i += 1;
            continue;
        }
        let byte = byte.unwrap();
        row.push(byte);
        match at {
            At::Start | At::Plain if byte == delimiter => {
                fields.push(std::mem::take(&mut field));
                at = At::Start;
            }
            At::Start if byte == b'"' => {
                field.1 = true;
                at = At::Quoted;
            }
            At::Start | At::Plain => {
                field.0.push(byte);
                at = At::Plain;
            }
            At::Quoted if byte == b'"' && text.get(i + 1) == Some(&b'"') => {
                row.push(b'"');
                field.0.push(b'"');
                i += 1;
            }
            At::Quoted if byte == b'"' => {
                // What follows until the delimiter is gathered to see whether there is anything.
                fields.push(std::mem::take(&mut field));
                at = At::Closed;
            }
            At::Quoted => {
                line += u64::from(byte == b'\n');
                field.0.push(byte);
            }
            At::Closed if byte == delimiter => {
                good &= std::mem::take(&mut field).0.is_empty();
                at = At::Start;
            }
            At::Closed => field.0.push(byte),
        }
        i += 1;
    }
    rows
}

/// A row as (line, accepted or why not, s, extra).
type Seen = (u64, Option<RejectReason>, Option<String>, Option<String>);

fn naive(text: &[u8], delimiter: u8, names: &[String]) -> Vec<Seen> {
    naive_rows(text, delimiter)
        .into_iter()
        .map(|(line, row, fields)| {
            let reject = |reason| (line, Some(reason), None, None);
            if std::str::from_utf8(&row).is_err() {
                return reject(RejectReason::Encoding);
            }
            let Some(fields) = fields else {
                return reject(RejectReason::Malformed);
            };
            if fields.len() != names.len() {
                return reject(RejectReason::ColumnCount);
            }
            let mut s = None;
            let mut extra = serde_json::Map::new();
            for ((value, quoted), name) in fields.into_iter().zip(names) {
                match name.as_str() {
                    "who" if value.is_empty() => return reject(RejectReason::MissingRole),
                    // Space around a value that is not text is ignored, and this one is the time.
                    "what" if value.trim().is_empty() => return reject(RejectReason::MissingRole),
                    "who" | "what" => {}
                    "s" => s = (quoted || !value.is_empty()).then_some(value),
                    _ if quoted || !value.is_empty() => {
                        extra.insert(name.clone(), value.into());
                    }
                    _ => {}
                }
            }
            let extra = (!extra.is_empty()).then(|| serde_json::Value::from(extra).to_string());
            (line, None, s, extra)
        })
        .collect()
}

/// What `parse_csv` makes of the rows after a fixed header, in the order of the source.
fn seen(text: &[u8], limits: &Limits) -> Vec<Seen> {
    let mut plan = plan(&[("s", PropertyType::String)]);
    plan.event = None;
    plan.event_name = Some("e".to_owned());
    plan.time = "what".to_owned();
    let mut all = Vec::new();
    for (_, parsed) in parse_with(text, &plan, limits) {
        let (s, extra) = (strings(&parsed, "s"), strings(&parsed, "extra"));
        for (i, origin) in parsed.origins.iter().enumerate() {
            all.push((origin.row, None, s[i].clone(), extra[i].clone()));
        }
        for reject in &parsed.rejects {
            all.push((reject.row, Some(reject.reason), None, None));
        }
    }
    all.sort_by_key(|s| s.0);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_fast_way_agrees_with_the_naive_one(
        rows in prop::collection::vec(
            prop_oneof![
                3 => "(\"[a,\n]{0,3}(\"\")?\"|[ab]{0,3})[,;](1|\"2\"),[a\"]{0,2},(\"[\"\"]{0,2}\"|b?)\r?",
                1 => "[ab,;\"\n\r]{0,12}",
                1 => Just("\u{e9}\0,".to_owned()),
            ],
            0..12,
        ),
        garble: Option<(u16, u8)>,
        block_bytes in 1_usize..300,
    ) {
        let mut text = b"who,what,s,more\n".to_vec();
        text.extend_from_slice(rows.join("\n").as_bytes());
        if let Some((at, byte)) = garble {
            // Somewhere after the header.
            let at = 16 + usize::from(at) % (text.len() - 15);
            text.insert(at, byte);
        }
        let names = ["who", "what", "s", "more"].map(str::to_owned);
        let expected = naive(&text[16..], b',', &names);
        // An unclosed quote ends otherwise in a block than at its end, which the splitter's own tests see to.
        let closed = naive_rows(&text[16..], b',').last().is_none_or(|(_, row, fields)| {
            fields.is_some() || !row.contains(&b'"')
        });
        if closed {
            let found = seen(&text, &Limits { block_bytes, ..Limits::default() });
            let expected: Vec<Seen> = expected.into_iter().map(|(l, r, s, e)| (l + 1, r, s, e)).collect();
            // A time that is no number is rejected by another rule than the one that is tested here.
            let known = |s: &Seen| s.1 != Some(RejectReason::InvalidTime);
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected).filter(|(f, _)| known(f)) {
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_table_comes_back(
        table in prop::collection::vec(
            ("[a-z\",;|\t\n\u{e9} ]{1,9}", prop::option::of("[ab\",;\t|\r\n]{0,6}")),
            1..30,
        ),
        delimiter in prop::sample::select(&[b',', b';', b'\t', b'|'][..]),
        ending in prop::sample::select(&["\n", "\r\n"][..]),
        quote_all: bool,
        block_bytes in 1_usize..400,
    ) {
        let delimiter = delimiter as char;
        let write = |text: &str| {
            let plain = !quote_all && !text.is_empty() && !text.contains(['"', '\n', '\r', delimiter]);
            if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
        };
        let mut text = ["who", "what", "when", "s"].join(&delimiter.to_string()) + ending;
        for (who, s) in &table {
            let s = s.as_deref().map(write).unwrap_or_default();
            text += &[write(who), "e".to_owned(), "1767225600".to_owned(), s].join(&delimiter.to_string());
            text += ending;
        }
        let plan = plan(&[("s", PropertyType::String)]);
        let limits = Limits { block_bytes, ..Limits::default() };
        let mut found = Vec::new();
        for (_, parsed) in parse_with(text.as_bytes(), &plan, &limits) {
            prop_assert_eq!(&parsed.rejects, &[]);
            found.extend(strings(&parsed, "actor").into_iter().zip(strings(&parsed, "s")));
        }
        let expected: Vec<_> = table.into_iter().map(|(who, s)| (Some(who), s)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_input_panics(
        bytes: Vec<u8>,
        text in "[a-c1,;\"\n\r\t|\\PC]{0,60}",
        block_bytes in 1_usize..40,
        max_row_bytes in 1_usize..60,
        max_columns in 0_usize..5,
    ) {
        let limits = Limits { block_bytes, max_row_bytes, max_columns, ..Limits::default() };
        let plan = plan(&[("a", PropertyType::Integer), ("b", PropertyType::Json)]);
        for head in [&b""[..], b"who,what,when,a,b\n"] {
            for body in [bytes.as_slice(), text.as_bytes()] {
                if let Ok((header, splitter)) = open_text(&[head, body].concat(), &limits) {
                    for block in splitter {
                        let parsed = parse_csv(&block.unwrap(), &plan, &header, &limits).unwrap();
                        prop_assert_eq!(parsed.batch.num_rows(), parsed.origins.len());
                    }
                }
            }
        }
    }
}
