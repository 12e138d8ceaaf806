//! Where rows end: at newlines, or for CSV at newlines outside quotes.

use memchr::{memchr, memrchr};

/// What a row is in this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowRule {
    /// Each line is a row.
    Line,
    /// A line end inside a quoted field does not end the row.
    ///
    /// A quote opens a field only as its first byte (RFC 4180); elsewhere it is text. A quoted
    /// field ends at the next quote that is not doubled.
    Csv { delimiter: u8 },
}

/// The end of the row that begins where the bytes begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowEnd {
    /// The row ends before this position; a `\n` is included.
    At(usize),
    /// The bytes end first.
    NeedMore,
    /// The row is longer than the limit.
    TooLong,
    /// The quote at `quote` is not closed within the limit, or before the end of the source.
    Unclosed { quote: usize },
}

enum Quoted {
    /// Position behind the closing quote.
    Closed(usize),
    Open,
    NeedMore,
}

impl RowRule {
    /// Returns the end of the last row that ends in `bytes`, such that no row before it is
    /// longer than `max` bytes without its `\n`; 0 when there is none.
    pub(crate) fn last_end(self, bytes: &[u8], max: usize) -> usize {
        match self {
            RowRule::Line => last_newline(bytes, 0, 0, bytes.len(), max),
            RowRule::Csv { delimiter } => last_csv_end(bytes, delimiter, max),
        }
    }

    /// Returns the end of the first row. `whole` says that the source ends with `bytes`.
    pub(crate) fn first_end(self, bytes: &[u8], whole: bool, max: usize) -> RowEnd {
        let mut at = 0;
        let mut newline = memchr(b'\n', bytes);
        loop {
            if newline.is_some_and(|i| i < at) {
                newline = memchr(b'\n', &bytes[at..]).map(|i| at + i);
            }
            if let RowRule::Csv { delimiter } = self {
                let to = newline.unwrap_or(bytes.len()).min(max);
                if let Some(quote) = opening_quote(bytes, at, to, delimiter) {
                    match closing_quote(bytes, whole, 0, quote, max) {
                        Quoted::Closed(end) => {
                            at = end;
                            continue;
                        }
                        Quoted::Open => return RowEnd::Unclosed { quote },
                        Quoted::NeedMore => return RowEnd::NeedMore,
                    }
                }
            }
            return match newline {
                Some(i) if i <= max => RowEnd::At(i + 1),
                None if bytes.len() <= max => match whole {
                    true => RowEnd::At(bytes.len()),
                    false => RowEnd::NeedMore,
                },
                _ => RowEnd::TooLong,
            };
        }
    }
}

/// Goes from `row`, where a row begins, over the newlines in `from..to` as long as the rows between
/// them keep to `max`, and returns where the last row begins.
fn last_newline(bytes: &[u8], row: usize, from: usize, to: usize, max: usize) -> usize {
    let (mut row, mut from) = (row, from);
    loop {
        let window = to.min(row.saturating_add(max).saturating_add(1));
        if from >= window {
            return row;
        }
        match memrchr(b'\n', &bytes[from..window]) {
            Some(i) => {
                row = from + i + 1;
                from = row;
            }
            None => return row,
        }
    }
}

fn last_csv_end(bytes: &[u8], delimiter: u8, max: usize) -> usize {
    let (mut row, mut at) = (0, 0);
    loop {
        // Up to the next quote every newline ends a row, but the quote opens a field only after a
        // delimiter or at the start of a row.
        let quote = memchr(b'"', &bytes[at..]).map_or(bytes.len(), |i| at + i);
        row = last_newline(bytes, row, at, quote, max);
        if quote == bytes.len() || quote - row > max {
            return row;
        }
        at = quote + 1;
        if opens_field(bytes, row, quote, delimiter) {
            match closing_quote(bytes, false, row, quote, max) {
                Quoted::Closed(end) => at = end,
                Quoted::Open | Quoted::NeedMore => return row,
            }
        }
    }
}

#[inline]
fn opens_field(bytes: &[u8], row: usize, quote: usize, delimiter: u8) -> bool {
    quote == row || bytes[quote - 1] == delimiter
}

/// Finds a quote in `from..to` that opens a field of the first row.
fn opening_quote(bytes: &[u8], from: usize, to: usize, delimiter: u8) -> Option<usize> {
    memchr::memchr_iter(b'"', bytes.get(from..to)?)
        .map(|i| from + i)
        .find(|&quote| opens_field(bytes, 0, quote, delimiter))
}

/// Finds the end of the field that `quote` opens in the row that begins at `row`.
fn closing_quote(bytes: &[u8], whole: bool, row: usize, quote: usize, max: usize) -> Quoted {
    let reach = row.saturating_add(max);
    let end = bytes.len().min(reach);
    let mut at = quote + 1;
    while at < end {
        let Some(i) = memchr(b'"', &bytes[at..end]) else {
            break;
        };
        at += i + 1;
        match bytes.get(at) {
            Some(b'"') => at += 1,
            Some(_) => return Quoted::Closed(at),
            None if whole => return Quoted::Closed(at),
            None => return Quoted::NeedMore,
        }
    }
    // One byte more than a row may have, so that its line end is seen too.
    if bytes.len() <= reach && !whole {
        Quoted::NeedMore
    } else {
        Quoted::Open
    }
}
