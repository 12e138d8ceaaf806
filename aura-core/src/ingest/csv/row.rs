//! Takes rows apart into fields, without looking at what the fields mean.

use std::borrow::Cow;

use super::scan::Marks;
use super::unquote;

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    /// In quotes; the range is what is between them.
    Quoted,
    /// In quotes, with doubled quotes inside.
    Doubled,
}

/// The range of a field's text in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) shape: Shape,
}

impl Field {
    const NONE: Field = Field {
        start: 0,
        end: 0,
        shape: Shape::Plain,
    };

    /// The text between delimiters or quotes, out of a text that begins at `base` in the block.
    #[inline(always)]
    pub(super) fn raw(self, text: &str, base: usize) -> &str {
        text.get((self.start as usize).wrapping_sub(base)..(self.end as usize).wrapping_sub(base))
            .unwrap_or_default()
    }

    /// The value.
    pub(super) fn text(self, text: &str, base: usize) -> Cow<'_, str> {
        unquote(self.raw(text, base), self.shape)
    }
}

/// What makes a row unreadable, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// Text stands between a closing quote and the next delimiter.
    AfterQuote(usize),
    /// The quote is not closed.
    Unclosed(usize),
    Nul(usize),
}

/// One row: its range without line end, and how many fields it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) fields: usize,
    pub(super) problem: Option<Problem>,
}

/// Goes through the rows of a block by the rules of [`RowRule::Csv`](crate::ingest::split::RowRule).
#[derive(Debug)]
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    marks: Marks<'a>,
    at: usize,
    line: u64,
    fields: Vec<Field>,
}

impl<'a> Rows<'a> {
    /// Begins with the first row. Of each row at most `columns` fields are kept.
    pub(super) fn new(bytes: &'a [u8], delimiter: u8, first_line: u64, columns: usize) -> Self {
        Rows {
            bytes,
            delimiter,
            marks: Marks::new(bytes, delimiter),
            at: 0,
            line: first_line,
            fields: vec![Field::NONE; columns],
        }
    }

    /// The fields of the row last returned, if they are not more than are kept.
    #[inline(always)]
    pub(super) fn fields(&self, count: usize) -> &[Field] {
        self.fields.get(..count).unwrap_or(&self.fields)
    }

    /// Returns the next row that is not blank.
    #[inline(always)]
    pub(super) fn next_row(&mut self) -> Option<Row> {
        while self.at < self.bytes.len() {
            let row = self.read_row();
            if row.end > row.start {
                return Some(row);
            }
        }
        None
    }

    #[inline(always)]
    fn read_row(&mut self) -> Row {
        let mut row = Row {
            line: self.line,
            start: self.at,
            end: self.at,
            fields: 0,
            problem: None,
        };
        let mut start = row.start;
        loop {
            let mark = self.marks.next();
            let byte = self.bytes.get(mark).copied().unwrap_or(b'\n');
            if byte == self.delimiter {
                self.keep(&mut row, start, mark, Shape::Plain);
                start = mark + 1;
            } else if byte == b'\n' {
                let end = self.without_return(start, mark);
                self.keep(&mut row, start, end, Shape::Plain);
                self.end_row(&mut row, mark);
                return row;
            } else if byte == b'"' && mark == start {
                match self.read_quoted(&mut row, mark) {
                    Some(next) => start = next,
                    None => return row,
                }
            } else if byte == 0 {
                row.problem = row.problem.or(Some(Problem::Nul(mark)));
            }
        }
    }

    /// Reads the field that `open` begins. Returns where the next field of the row begins, or `None` when
    /// the row has ended.
    #[inline]
    fn read_quoted(&mut self, row: &mut Row, open: usize) -> Option<usize> {
        let mut shape = Shape::Quoted;
        let close = loop {
            let mark = self.marks.next();
            match self.bytes.get(mark) {
                None => {
                    row.problem = row.problem.or(Some(Problem::Unclosed(open)));
                    self.end_row(row, mark);
                    return None;
                }
                Some(b'"') if self.bytes.get(mark + 1) == Some(&b'"') => {
                    self.marks.next();
                    shape = Shape::Doubled;
                }
                Some(b'"') => break mark,
                Some(b'\n') => self.line += 1,
                Some(0) => row.problem = row.problem.or(Some(Problem::Nul(mark))),
                Some(_) => {}
            }
        };
        self.keep(row, open + 1, close, shape);
        loop {
            let mark = self.marks.next();
            let byte = self.bytes.get(mark).copied().unwrap_or(b'\n');
            let ends = byte == b'\n';
            if ends || byte == self.delimiter {
                let end = match ends {
                    true => self.without_return(close + 1, mark),
                    false => mark,
                };
                if end > close + 1 {
                    row.problem = row.problem.or(Some(Problem::AfterQuote(close + 1)));
                }
                if ends {
                    self.end_row(row, mark);
                    return None;
                }
                return Some(mark + 1);
            }
        }
    }

    /// The end of a field at the end of a line, without the `\r` of a `\r\n`.
    #[inline(always)]
    fn without_return(&self, start: usize, end: usize) -> usize {
        match self.bytes.get(start..end) {
            Some([.., b'\r']) => end - 1,
            _ => end,
        }
    }

    #[inline(always)]
    fn keep(&mut self, row: &mut Row, start: usize, end: usize, shape: Shape) {
        if let Some(field) = self.fields.get_mut(row.fields) {
            *field = Field {
                start: start as u32,
                end: end as u32,
                shape,
            };
        }
        row.fields += 1;
    }

    /// Ends the row at `mark`, its line feed or the end of the bytes.
    #[inline(always)]
    fn end_row(&mut self, row: &mut Row, mark: usize) {
        row.end = self.without_return(row.start, mark);
        self.at = mark + 1;
        self.line += 1;
    }
}
