//! Rows of delimited text (RFC 4180) with a header.

mod header;
mod parse;
mod row;
mod scan;

use std::borrow::Cow;

pub(crate) use header::{CsvHeader, open};
pub(crate) use parse::parse_csv;
use row::{Rows, Shape};

use super::block::{Block, RowSpan};

/// Returns the fields of each whole row of `block`, for looking at a sample. Rows that would be rejected are left
/// out; a field that is null is empty.
pub(crate) fn sample_rows<'a>(
    block: &'a Block,
    header: &CsvHeader,
) -> impl Iterator<Item = Vec<Cow<'a, str>>> {
    numbered_rows(block, header).map(|(_, fields)| fields)
}

/// Returns the place and the fields of each whole row of `block`, as [`sample_rows`].
pub(crate) fn numbered_rows<'a>(
    block: &'a Block,
    header: &CsvHeader,
) -> impl Iterator<Item = (RowSpan, Vec<Cow<'a, str>>)> {
    let columns = header.names.len();
    let mut rows = Rows::new(&block.bytes, header.delimiter, block.first_line, columns);
    std::iter::from_fn(move || {
        loop {
            let row = rows.next_row()?;
            let text = std::str::from_utf8(block.bytes.get(row.start..row.end)?).ok();
            if let (None, Some(text)) = (row.problem, text)
                && row.fields == columns
            {
                let fields = rows.fields(row.fields);
                let span = RowSpan {
                    line: row.line,
                    start: row.start as u32,
                    end: row.end as u32,
                };
                return Some((
                    span,
                    fields.iter().map(|f| f.text(text, row.start)).collect(),
                ));
            }
        }
    })
}

/// Writes the value of a quoted field: each doubled quote is one.
fn unquote<'a>(text: &'a str, shape: Shape) -> Cow<'a, str> {
    match shape {
        Shape::Doubled => Cow::Owned(text.replace("\"\"", "\"")),
        Shape::Plain | Shape::Quoted => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;
