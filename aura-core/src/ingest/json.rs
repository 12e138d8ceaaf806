//! Rows that are JSON objects: NDJSON, and the elements of a JSON array.

mod cell;
mod link;
mod nest;
mod problem;
mod raw;
mod row;
mod scan;

use std::borrow::Cow;

use nest::Nest;
pub(crate) use raw::{Kind, RawValue};
pub(crate) use row::RowReader;
use scan::{Scanner, Stop};

use super::block::{Block, Origin, ParsedBlock};
use super::builder::{BatchBuilder, Fault};
use super::plan::ReadPlan;
use super::{Limits, RejectReason};

/// Parses the rows of a block. A row that cannot be accepted becomes a reject and does not touch the others.
///
/// * Keys of roles fill the roles; numbers and booleans are taken as their text there.
/// * A key of a property fills its column if the value has its type: an integer column takes numbers
///   without fractional part, a timestamp column what [`parse_time`](super::value::parse_time) reads, a json
///   column the exact text of any value. Null is null. Any other value is a misfit and goes to `extra`.
/// * `extra` holds every other member as it stands in the source.
///
/// # Errors
/// None that the data can cause.
pub(crate) fn parse_objects(
    block: &Block,
    plan: &ReadPlan,
    limits: &Limits,
) -> crate::Result<ParsedBlock> {
    let mut builder = BatchBuilder::new(plan, block.bytes.len() / 128 + 1);
    for reject in &block.rejects {
        builder.reject(reject.clone());
    }
    let reader = RowReader::new(plan, limits);
    match std::str::from_utf8(&block.bytes) {
        Ok(text) if block.spans.is_none() => parse_lines(text, block, reader, &mut builder, limits),
        _ => parse_rows(block, reader, &mut builder, limits),
    }
    builder.finish()
}

/// Length of a byte order mark before the first row of a source.
fn mark_len(block: &Block) -> usize {
    match block.bytes.strip_prefix("\u{FEFF}".as_bytes()) {
        Some(_) if block.first_line == 1 => 3,
        _ => 0,
    }
}

/// The usual case: the reader finds the end of each line by itself.
fn parse_lines(
    text: &str,
    block: &Block,
    mut reader: RowReader<'_>,
    builder: &mut BatchBuilder,
    limits: &Limits,
) {
    let mut start = mark_len(block);
    let mut line = block.first_line;
    while start < text.len() {
        let end = match reader.read_line(text, start, line, builder) {
            Ok(end) => end,
            Err(refusal) => {
                let rest = text.get(start..).unwrap_or_default();
                let len = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
                let row = rest.get(..len).unwrap_or(rest);
                let row = row.strip_suffix('\r').unwrap_or(row);
                if !row.bytes().all(|b| b.is_ascii_whitespace()) {
                    let fault = reader.explain(refusal, row, start);
                    let bytes = row.as_bytes();
                    builder.reject(fault.into_reject(&block.source, line, bytes, limits));
                }
                start + len
            }
        };
        start = end + 1;
        line += 1;
    }
}

/// Rows that are not lines, or not all valid UTF-8.
fn parse_rows(
    block: &Block,
    mut reader: RowReader<'_>,
    builder: &mut BatchBuilder,
    limits: &Limits,
) {
    for row in block.rows() {
        let start = match row.start {
            0 => mark_len(block),
            start => start as usize,
        };
        let bytes = block.bytes.get(start..row.end as usize).unwrap_or_default();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let origin = Origin {
            row: row.line,
            start: start as u32,
            end: row.end,
        };
        let result = match std::str::from_utf8(bytes) {
            Ok(text) => reader.read(text, origin, builder),
            Err(e) => Err(not_utf8(bytes, e.valid_up_to())),
        };
        if let Err(fault) = result {
            builder.reject(fault.into_reject(&block.source, row.line, bytes, limits));
        }
    }
}

#[cold]
fn not_utf8(bytes: &[u8], valid: usize) -> Fault {
    let hint = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "; it looks like UTF-16",
        _ => "",
    };
    let found = bytes.get(valid).copied().unwrap_or_default();
    Fault::new(
        RejectReason::Encoding,
        format!(
            "not valid UTF-8: byte 0x{found:02X} at byte {} of the row{hint}",
            valid + 1
        ),
    )
}

/// Splits an object into its keys and values, in the order of the source. Values keep their exact text.
///
/// # Errors
/// The same as for a row of [`parse_objects`]: not one valid object, too deep, or a key twice at any depth.
pub(crate) fn split_object<'a>(
    text: &'a str,
    limits: &Limits,
) -> Result<Vec<(Cow<'a, str>, RawValue<'a>)>, Fault> {
    let mut members = Vec::new();
    let mut nest = Nest::default();
    let mut scanner = Scanner::of_text(text, limits, &mut nest);
    match scanner.object(|name, value| members.push((name.decoded(text), value))) {
        Ok(()) => Ok(members),
        Err(Stop) => Err(scanner.into_problem().into_fault(text, 0, limits)),
    }
}

/// Checks that `text` is one JSON value, with or without space around it.
///
/// # Errors
/// As [`split_object`], for a value of any kind.
pub(crate) fn scan_value<'a>(text: &'a str, limits: &Limits) -> Result<RawValue<'a>, Fault> {
    let mut nest = Nest::default();
    let mut scanner = Scanner::of_text(text, limits, &mut nest);
    scanner
        .only_value()
        .map_err(|Stop| scanner.into_problem().into_fault(text, 0, limits))
}

#[cfg(test)]
mod tests;
