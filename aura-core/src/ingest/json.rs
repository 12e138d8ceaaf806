//! Rows that are JSON objects: NDJSON, and the elements of a JSON array.

mod row;
mod scan;

use std::borrow::Cow;

pub(crate) use row::RowReader;
pub(crate) use scan::{Kind, RawValue};
use scan::{Nest, Scanner};

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
    let mut reader = RowReader::new(plan, limits);
    // Usually the whole block is valid UTF-8; only if not, each row is looked at.
    let whole = std::str::from_utf8(&block.bytes).ok();
    for row in block.rows() {
        let range = row.start as usize..row.end as usize;
        let bytes = block.bytes.get(range.clone()).unwrap_or_default();
        let origin = Origin {
            row: row.line,
            start: row.start,
            end: row.end,
        };
        let text = match whole {
            Some(text) => text.get(range).ok_or(0),
            None => std::str::from_utf8(bytes).map_err(|e| e.valid_up_to()),
        };
        let result = match text {
            Ok(text) if row.line == 1 && row.start == 0 => match text.strip_prefix('\u{FEFF}') {
                Some(rest) if rest.trim_ascii().is_empty() => continue,
                rest => reader.read(rest.unwrap_or(text), origin, &mut builder),
            },
            Ok(text) => reader.read(text, origin, &mut builder),
            Err(valid) => Err(not_utf8(bytes, valid)),
        };
        if let Err(fault) = result {
            builder.reject(fault.into_reject(&block.source, row.line, bytes, limits));
        }
    }
    builder.finish()
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
    Scanner::new(text, limits, &mut nest)
        .object(|name, value| members.push((name.decoded(text), value)))
        .map_err(|problem| problem.into_fault(text, limits))?;
    Ok(members)
}

/// Checks that `text` is one JSON value, with or without space around it.
///
/// # Errors
/// As [`split_object`], for a value of any kind.
pub(crate) fn scan_value<'a>(text: &'a str, limits: &Limits) -> Result<RawValue<'a>, Fault> {
    let mut nest = Nest::default();
    Scanner::new(text, limits, &mut nest)
        .only_value()
        .map_err(|problem| problem.into_fault(text, limits))
}

#[cfg(test)]
mod tests;
