use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

/// Gives `step` bytes at a time, and then `fault`.
struct Slow {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
    fault: bool,
}

impl Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.step.min(out.len()).min(self.bytes.len() - self.at);
        if n == 0 && self.fault {
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        out[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

fn limits(block_bytes: usize, max_row_bytes: usize) -> Limits {
    Limits {
        block_bytes,
        max_row_bytes,
        max_original_bytes: 20,
        ..Limits::default()
    }
}

fn splitter(slow: Slow, layout: Layout, limits: &Limits) -> Splitter {
    let decoder = Decoder::new("s".into(), Box::new(slow), limits, Arc::default()).unwrap();
    Splitter::new(decoder, layout, limits)
}

fn open(bytes: &[u8], step: usize, layout: Layout, limits: &Limits) -> Splitter {
    let slow = Slow {
        bytes: bytes.to_vec(),
        at: 0,
        step,
        fault: false,
    };
    splitter(slow, layout, limits)
}

/// What the splitter finds: a row, or a reject with its length.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Row(u64, Vec<u8>),
    Reject(u64, RejectReason, Vec<u8>, u64),
}

fn found_reject(line: u64, reason: RejectReason, row: &[u8]) -> Found {
    let kept = row.len().min(20);
    Found::Reject(line, reason, row[..kept].to_vec(), row.len() as u64)
}

const COMMA: Layout = Layout::Csv { delimiter: b',' };

/// One row from its first byte on, byte by byte.
enum NaiveEnd {
    At(usize),
    TooLong,
    Unclosed(usize),
}

fn naive_end(bytes: &[u8], from: usize, csv: bool, max: usize) -> NaiveEnd {
    let mut quote = None;
    let mut at = from;
    loop {
        let before = (at > from).then(|| bytes[at - 1]);
        if let Some(opened) = quote {
            if at - from >= max || at == bytes.len() {
                return NaiveEnd::Unclosed(opened);
            }
            if bytes[at] == b'"' {
                if bytes.get(at + 1) == Some(&b'"') {
                    at += 1;
                } else {
                    quote = None;
                    // The quote is no field's start, whatever it is.
                    at += 1;
                    while at < bytes.len() && !matches!(bytes[at], b',' | b'\n') {
                        at += 1;
                    }
                    continue;
                }
            }
        } else if at == bytes.len() || bytes[at] == b'\n' {
            return match at - from > max {
                true => NaiveEnd::TooLong,
                false => NaiveEnd::At(at),
            };
        } else if at - from >= max {
            return NaiveEnd::TooLong;
        } else if csv && bytes[at] == b'"' && matches!(before, None | Some(b',')) {
            quote = Some(at);
        }
        at += 1;
    }
}

fn naive(bytes: &[u8], csv: bool, max: usize) -> Vec<Found> {
    let mut all = Vec::new();
    let (mut at, mut line) = (0, 1);
    let line_end = |from: usize| {
        let from = from.min(bytes.len());
        (from..bytes.len()).find(|i| bytes[*i] == b'\n')
    };
    while at < bytes.len() {
        let too_long = |at: usize| {
            let end = line_end(at + max).unwrap_or(bytes.len());
            (
                end,
                found_reject(line, RejectReason::TooLong, &bytes[at..end]),
            )
        };
        let (end, found) = match naive_end(bytes, at, csv, max) {
            NaiveEnd::At(end) => (end, Found::Row(line, bytes[at..end].to_vec())),
            NaiveEnd::TooLong => too_long(at),
            NaiveEnd::Unclosed(quote) => {
                let end = line_end(quote).unwrap_or(bytes.len());
                if end - at > max {
                    too_long(at)
                } else {
                    let reason = match bytes.len() - at <= max {
                        true => RejectReason::Malformed,
                        false => RejectReason::TooLong,
                    };
                    (end, found_reject(line, reason, &bytes[at..end]))
                }
            }
        };
        all.push(found);
        let next = bytes.len().min(end + 1);
        line += newlines(&bytes[at..next]);
        at = next;
    }
    all
}

/// Cuts with the splitter and takes the blocks apart by the naive rule.
fn cut(bytes: &[u8], step: usize, csv: bool, limits: &Limits) -> (Vec<Found>, Vec<usize>) {
    let layout = if csv { COMMA } else { Layout::Lines };
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    for block in open(bytes, step, layout, limits) {
        let block = block.unwrap();
        sizes.push(block.bytes.len());
        all.extend(
            block
                .rejects
                .iter()
                .map(|r| Found::Reject(r.row, r.reason, r.original.clone(), r.original_len)),
        );
        let max = limits.max_row_bytes;
        for found in naive(&block.bytes, csv, max) {
            let Found::Row(line, row) = found else {
                panic!("a block has a row that should be a reject: {found:?}");
            };
            all.push(Found::Row(block.first_line + line - 1, row));
        }
    }
    (all, sizes)
}

fn agree(bytes: &[u8], csv: bool, limits: &Limits) {
    let expected = naive(bytes, csv, limits.max_row_bytes);
    let (whole, sizes) = cut(bytes, usize::MAX, csv, limits);
    assert_eq!(whole, expected);
    for step in [1, 7] {
        let (found, again) = cut(bytes, step, csv, limits);
        assert_eq!(found, expected);
        assert_eq!(again, sizes, "blocks must not depend on how the bytes come");
    }
    for size in sizes {
        assert!(size <= limits.block_bytes.max(limits.max_row_bytes + 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn blocks_hold_the_rows_of_the_naive_rule(
        text in "[ab,\"\"\n\n\r]{0,200}",
        block in 1_usize..100,
        max in 1_usize..60,
        csv: bool,
    ) {
        agree(text.as_bytes(), csv, &limits(block, max));
    }

    #[test]
    fn long_texts_with_unbalanced_quotes(
        text in "([ab]{0,3}|\"|,\"|\",|\"\"|\n|\"[ab]{0,3}\",){0,1000}",
        block in 1_usize..3_000,
        max in 100_usize..2_000,
    ) {
        agree(text.as_bytes(), true, &limits(block, max));
    }

    #[test]
    fn any_bytes_are_cut_as_an_array(bytes: Vec<u8>, block in 1_usize..50, max in 1_usize..50) {
        let text = [b"[".as_slice(), &bytes].concat();
        elements(&text, 3, &limits(block, max));
    }

    #[test]
    fn elements_survive(
        list in prop::collection::vec("\\{\"[\\[\\{\\}\\]a,]{0,9}(\\\\\"|\\\\\\\\)?\":\n?[0-9]{1,3} ?\\}", 0..20),
        gap in "[ \n\r\t]{0,3}",
        block in 1_usize..200,
        step in 1_usize..9,
    ) {
        let comma = format!("{gap},{gap}");
        let text = format!("{gap}[{gap}{}{gap}]{gap}", list.join(&comma));
        let (rows, rejects) = elements(text.as_bytes(), step, &limits(block, 1_000));
        prop_assert_eq!(rejects, vec![]);
        prop_assert_eq!(rows.len(), list.len());
        for ((line, row), element) in rows.iter().zip(&list) {
            prop_assert_eq!(row, element.as_bytes());
            // The line is the right one if the element is found there.
            let before = text.split_inclusive('\n').take(*line as usize - 1);
            let start: usize = before.map(str::len).sum();
            let first = element.split('\n').next().unwrap_or_default();
            prop_assert!(text[start..].lines().next().unwrap_or_default().contains(first));
        }
    }
}

type Elements = (
    Vec<(u64, Vec<u8>)>,
    Vec<(u64, RejectReason, String, Vec<u8>, u64)>,
);

fn elements(bytes: &[u8], step: usize, limits: &Limits) -> Elements {
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for block in open(bytes, step, Layout::JsonArray, limits) {
        let block = block.unwrap();
        for reject in &block.rejects {
            rejects.push((
                reject.row,
                reject.reason,
                reject.message.clone(),
                reject.original.clone(),
                reject.original_len,
            ));
        }
        for span in block.rows() {
            let row = &block.bytes[span.start as usize..span.end as usize];
            rows.push((span.line, row.to_vec()));
        }
    }
    (rows, rejects)
}

#[test]
fn the_elements_before_a_fault_are_given_and_the_rest_is_one_reject() {
    use RejectReason::{Malformed, TooLong};
    for (text, rows, reject) in [
        ("[]", vec![], None),
        (" [ ] \n", vec![], None),
        ("[1]", vec![(1, "1")], None),
        (
            "[{},\n\"a,]\", [\n[]],null]",
            vec![(1, "{}"), (2, "\"a,]\""), (2, "[\n[]]"), (3, "null")],
            None,
        ),
        (
            "[{}",
            vec![(1, "{}")],
            Some((1, Malformed, "the source ends before the array does", "")),
        ),
        (
            "[",
            vec![],
            Some((1, Malformed, "the source ends before the array does", "")),
        ),
        (
            "[{},\n{\"a\":",
            vec![(1, "{}")],
            Some((2, Malformed, "the source ends inside an element", "{\"a\":")),
        ),
        (
            "[{},\n]",
            vec![(1, "{}")],
            Some((2, Malformed, "an element was expected", "]")),
        ),
        (
            "[{}\n xyz, {}]",
            vec![(1, "{}")],
            Some((2, Malformed, "a `,` or `]` was expected", "xyz, {}]")),
        ),
        (
            "[{}]\n[{}]",
            vec![(1, "{}")],
            Some((2, Malformed, "text follows the end", "[{}]")),
        ),
        (
            "[{}, xyz ,{}]",
            vec![(1, "{}"), (1, "xyz"), (1, "{}")],
            None,
        ),
        (
            "[{},\n[\"aaaaaaaaaaaaaaa\\\"aaaaaaaaaaaaaaaaaaaaaaaa]]]]aaaaa\"],\n{}]",
            vec![(1, "{}"), (3, "{}")],
            Some((
                2,
                TooLong,
                "the element has 54 bytes; at most 40",
                "[\"aaaaaaaaaaaaaaa\\\"a",
            )),
        ),
        (
            "[{},[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            vec![(1, "{}")],
            Some((
                1,
                TooLong,
                "the array ends inside it",
                "[aaaaaaaaaaaaaaaaaaa",
            )),
        ),
    ] {
        for (step, block) in [(1, 1), (3, 10), (100, 1_000)] {
            let (found, rejects) = elements(text.as_bytes(), step, &limits(block, 40));
            let found: Vec<_> = found
                .iter()
                .map(|(line, row)| (*line, std::str::from_utf8(row).unwrap()))
                .collect();
            assert_eq!(found, rows, "{text}");
            assert_eq!(rejects.len(), usize::from(reject.is_some()), "{rejects:?}");
            if let (Some(expected), Some(reject)) = (&reject, rejects.first()) {
                assert_eq!((reject.0, reject.1), (expected.0, expected.1), "{text}");
                assert!(reject.2.contains(expected.2), "{}", reject.2);
                assert_eq!(reject.3, expected.3.as_bytes(), "{text}");
            }
        }
    }
}

#[test]
fn an_array_that_does_not_begin_is_an_error() {
    for text in ["", " \n", "{}"] {
        let mut splitter = open(text.as_bytes(), 9, Layout::JsonArray, &Limits::default());
        let error = splitter.next_block().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.message().contains("not a JSON array"));
    }
}

#[test]
fn an_unclosed_quote_costs_one_line() {
    let mut text = b"1,2\n3,\"oops\n".to_vec();
    for i in 0..2_000 {
        text.extend_from_slice(format!("{i},b\n").as_bytes());
    }
    let (found, _) = cut(&text, usize::MAX, true, &limits(500, 1_000));
    assert_eq!(found.len(), 2_002);
    assert_eq!(
        found[1],
        found_reject(2, RejectReason::TooLong, b"3,\"oops")
    );
    assert_eq!(found[2], Found::Row(3, b"0,b".to_vec()));
    let reject = open(&text, 9, COMMA, &limits(500, 1_000))
        .flat_map(|b| b.unwrap().rejects)
        .next()
        .unwrap();
    assert!(
        reject
            .message
            .contains("the quote opened at line 2 is never closed"),
        "{}",
        reject.message
    );
    // The same at the end of the source.
    let (found, _) = cut(b"1,2\n3,\"oops\n4,5", usize::MAX, true, &limits(500, 1_000));
    assert_eq!(
        found[1],
        found_reject(2, RejectReason::Malformed, b"3,\"oops")
    );
    assert_eq!(found[2], Found::Row(3, b"4,5".to_vec()));
}

/// Whatever the quotes are like, no text is searched for them again and again.
#[test]
fn unclosed_quotes_take_linear_time() {
    let limits = limits(1 << 16, 1 << 20);
    for (line, rejects) in [
        ("x\",\"y\n", 2),
        ("\"x\n", 0),
        ("a,\"\"\"\n", 2),
        ("\"\"\"\"\n\"a\n", 1),
    ] {
        let text = line.repeat((2 << 20) / line.len());
        let found: usize = open(text.as_bytes(), usize::MAX, COMMA, &limits)
            .map(|block| block.unwrap().rejects.len())
            .sum();
        assert!(found <= rejects + 1, "{line:?}: {found} rejects");
    }
}

/// A line of `len` bytes between two short ones, made as it is read.
struct Huge {
    at: u64,
    len: u64,
}

impl Read for Huge {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        const HEAD: &[u8] = b"first\n";
        const TAIL: &[u8] = b"\nlast";
        let n = if self.at < HEAD.len() as u64 {
            out[0] = HEAD[self.at as usize];
            1
        } else if self.at < HEAD.len() as u64 + self.len {
            let rest = HEAD.len() as u64 + self.len - self.at;
            let n = out.len().min(rest as usize);
            out[..n].fill(b'x');
            n
        } else {
            let at = (self.at - self.len) as usize - HEAD.len();
            match TAIL.get(at) {
                Some(byte) => out[0] = *byte,
                None => return Ok(0),
            }
            1
        };
        self.at += n as u64;
        Ok(n)
    }
}

#[test]
fn a_huge_line_is_skipped_in_bounded_memory() {
    let limits = Limits {
        block_bytes: 64 << 10,
        max_row_bytes: 256 << 10,
        ..Limits::default()
    };
    let len = 32 << 20;
    for layout in [Layout::Lines, COMMA] {
        let huge = Box::new(Huge { at: 0, len });
        let decoder = Decoder::new("s".into(), huge, &limits, Arc::default()).unwrap();
        let mut splitter = Splitter::new(decoder, layout, &limits);
        let first = splitter.next_block().unwrap().unwrap();
        assert_eq!(&first.bytes[..], b"first\n");
        let second = splitter.next_block().unwrap().unwrap();
        assert_eq!(&second.bytes[..], b"last");
        assert_eq!(second.first_line, 3);
        let reject = &second.rejects[0];
        assert_eq!((reject.row, reject.original_len), (2, len));
        assert_eq!(reject.original.len(), limits.max_original_bytes);
        assert!(reject.message.contains("33554432 bytes"));
        assert!(splitter.next_block().unwrap().is_none());
    }
}

#[test]
fn rows_before_a_fault_are_given_and_the_one_it_cuts_is_not() {
    for (layout, text, rows) in [
        (Layout::Lines, "{}\n{}\n{", 2),
        (COMMA, "1,2\n\"3\n", 1),
        (COMMA, "1,2\n\"3\n\",4\n5,", 2),
        (Layout::JsonArray, "[{},{},{", 2),
    ] {
        let slow = Slow {
            bytes: text.as_bytes().to_vec(),
            at: 0,
            step: 2,
            fault: true,
        };
        let mut splitter = splitter(slow, layout, &limits(1_000, 1_000));
        let block = splitter.next_block().unwrap().unwrap();
        let found = match layout {
            Layout::JsonArray => block.rows().count(),
            Layout::Lines => naive(&block.bytes, false, 1_000).len(),
            Layout::Csv { .. } => naive(&block.bytes, true, 1_000).len(),
        };
        assert_eq!(found, rows);
        assert_eq!(
            splitter.next_block().unwrap_err().kind(),
            ErrorKind::Unavailable
        );
        assert!(splitter.next_block().unwrap().is_none());
    }
}

#[test]
fn a_byte_order_mark_and_blank_lines_are_no_rows() {
    let mut splitter = open(
        b"\xef\xbb\xbf\r\n\n{}\r\n \n{}",
        2,
        Layout::Lines,
        &limits(8, 8),
    );
    let mut lines = Vec::new();
    while let Some(block) = splitter.next_block().unwrap() {
        lines.extend(block.rows().map(|r| (r.line, r.end - r.start)));
    }
    assert_eq!(lines, [(3, 2), (5, 2)]);
    let mut splitter = open(
        b"\xef\xbb\xbf\n\r\na,\"b\nc\"\r\n1,2\n",
        2,
        COMMA,
        &limits(8, 20),
    );
    let (line, row) = splitter.take_row().unwrap().unwrap();
    assert_eq!((line, &row[..]), (3, &b"a,\"b\nc\""[..]));
    let block = splitter.next_block().unwrap().unwrap();
    assert_eq!((block.first_line, &block.bytes[..]), (5, &b"1,2\n"[..]));
}
