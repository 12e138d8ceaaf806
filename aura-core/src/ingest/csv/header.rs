//! The header row, and how the text is delimited.

use memchr::memchr;

use super::row::{Problem, Rows};
use crate::ingest::Limits;
use crate::ingest::decode::Decoder;
use crate::ingest::split::{Layout, RowEnd, RowRule, Splitter};
use crate::{Error, Result};

/// What the first row says about all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CsvHeader {
    /// Names of the columns, each different. A column without name is `column_N`, counted from 1.
    pub(crate) names: Vec<String>,
    /// The byte between fields.
    pub(crate) delimiter: u8,
}

/// Delimiters in the order of preference.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows after the header that are asked for the delimiter.
const ROWS: usize = 100;

/// Reads the header of a CSV source and returns it with the splitter that gives the rows after it.
///
/// The delimiter is the one of `,` `;` tab `|` that splits the header into the most columns and the
/// first rows into as many.
///
/// # Errors
/// `InvalidData` when there is no header, or it is not valid UTF-8, names a column twice, has
/// more than `max_columns`, is longer than `max_row_bytes` or has a quote that is never closed; and
/// what [`Decoder::read`] gives.
pub(crate) fn open(decoder: Decoder, limits: &Limits) -> Result<(CsvHeader, Splitter)> {
    let source = std::sync::Arc::clone(decoder.source());
    let delimiter = detect_delimiter(decoder.head());
    let mut splitter = Splitter::new(decoder, Layout::Csv { delimiter }, limits);
    let Some((line, row)) = splitter.take_row()? else {
        return Err(Error::invalid_data(format!(
            "{source}: there is no header row; the names of the columns were expected, such as `user_id,event,time`"
        )));
    };
    let names = read_names(&row, delimiter, limits)
        .map_err(|why| Error::invalid_data(format!("{source}: line {line}, the header, {why}")))?;
    Ok((CsvHeader { names, delimiter }, splitter))
}

fn read_names(row: &[u8], delimiter: u8, limits: &Limits) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(row).map_err(|e| {
        let at = e.valid_up_to();
        let byte = row.get(at).copied().unwrap_or_default();
        format!(
            "is not valid UTF-8: byte 0x{byte:02x} at byte {}; convert the file to UTF-8",
            at + 1
        )
    })?;
    if !row.contains(&b'"') && row.contains(&b'\r') {
        return Err(
            "has a carriage return without line feed; expected line ends `\\n` or `\\r\\n`"
                .to_owned(),
        );
    }
    // One more than allowed is enough to know.
    let mut rows = Rows::new(
        row,
        delimiter,
        1,
        limits.max_columns.saturating_add(1).min(row.len() + 1),
    );
    let Some(first) = rows.next_row() else {
        return Err("is empty".to_owned());
    };
    match first.problem {
        None => {}
        Some(Problem::AfterQuote(at)) => {
            return Err(format!("has text after the closing quote at byte {at}"));
        }
        Some(Problem::Unclosed(at)) => {
            return Err(format!(
                "has a quote at byte {} that is never closed",
                at + 1
            ));
        }
        Some(Problem::Nul(at)) => return Err(format!("has byte 0x00 at byte {}", at + 1)),
    }
    if first.fields > limits.max_columns {
        return Err(format!(
            "has {} columns; at most {} are read (limit `max_columns`)",
            first.fields, limits.max_columns
        ));
    }
    let mut names = Vec::with_capacity(first.fields);
    let mut seen = hashbrown::HashMap::new();
    for (i, field) in rows.fields(first.fields).iter().enumerate() {
        let mut name = field.text(text, 0).into_owned();
        if name.is_empty() {
            name = format!("column_{}", i + 1);
        }
        if let Some(before) = seen.insert(name.clone(), i) {
            return Err(format!(
                "names column `{name}` twice: columns {} and {}; rename one",
                before + 1,
                i + 1
            ));
        }
        names.push(name);
    }
    Ok(names)
}

fn detect_delimiter(head: &[u8]) -> u8 {
    let head = head.strip_prefix(crate::ingest::sniff::BOM).unwrap_or(head);
    let mut best = (0, DELIMITERS[0]);
    for delimiter in DELIMITERS {
        // A tie leaves the preferred one.
        let score = score(head, delimiter);
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

/// Columns beyond the first, times the rows that have as many as the header, which is one of them.
fn score(head: &[u8], delimiter: u8) -> usize {
    let rule = RowRule::Csv { delimiter };
    let (mut columns, mut alike, mut seen) = (0, 0, 0);
    let mut rest = head;
    while seen <= ROWS && !rest.is_empty() {
        let end = match rule.first_end(rest, false, usize::MAX - 1) {
            RowEnd::At(end) => end,
            // What is cut off counts only if there is nothing else.
            _ if seen == 0 => rest.len(),
            _ => break,
        };
        let row = &rest[..end];
        rest = &rest[end..];
        if let Some(row) = Rows::new(row, delimiter, 1, 0).next_row() {
            if seen == 0 {
                columns = row.fields;
            }
            seen += 1;
            alike += usize::from(row.fields == columns);
        }
        if columns == 1 && memchr(delimiter, head).is_none() {
            return 0;
        }
    }
    alike * columns.saturating_sub(1)
}
