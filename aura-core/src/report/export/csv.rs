//! Comma-separated values, safe to open in a spreadsheet.

use std::io::Write;

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cannot_write;
use crate::engine::Table;
use crate::report::rows::texts;
use crate::{Error, Result};

/// How CSV is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CsvOptions {
    /// What stands between fields: `,` unless given; `;`, `|` or a tab.
    pub delimiter: char,
    /// Whether text that a spreadsheet would run as a formula has an apostrophe before it; true unless given.
    ///
    /// It concerns names of columns and columns of text, not those of numbers, truth values and moments: a field whose first character,
    /// after spaces and controls, is `=`, `+`, `-`, `@` or the full-width form of one, and a field that begins with a tab or an
    /// end of line.
    pub guard_formulas: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            delimiter: ',',
            guard_formulas: true,
        }
    }
}

impl Table {
    /// Writes the table as CSV (RFC 4180): UTF-8, a head, lines that end with CR LF.
    ///
    /// Null is an empty field, and empty text is `""`. Moments are RFC 3339 in UTC, numbers have a point and no groups.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for another delimiter than those named, and the kind of the fault of `out` when
    /// it cannot be written to.
    ///
    /// **Source** of the guard: OWASP, "CSV Injection".
    pub fn to_csv(&self, options: &CsvOptions, mut out: impl Write) -> Result<()> {
        if !matches!(options.delimiter, ',' | ';' | '|' | '\t') {
            return Err(Error::invalid_spec(format!(
                "csv: delimiter is {:?}; it is one of `,` `;` `|` and a tab",
                options.delimiter
            )));
        }
        let mut line = String::new();
        let schema = self.schema();
        for (at, field) in schema.fields().iter().enumerate() {
            if at > 0 {
                line.push(options.delimiter);
            }
            put(&mut line, field.name(), true, options);
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes()).map_err(cannot_write)?;
        for batch in self.batches() {
            let columns: Vec<(bool, Vec<Option<String>>)> = batch
                .columns()
                .iter()
                .map(|column| Ok((is_free(column.data_type()), texts(column)?)))
                .collect::<Result<_>>()?;
            for row in 0..batch.num_rows() {
                line.clear();
                for (at, (free, values)) in columns.iter().enumerate() {
                    if at > 0 {
                        line.push(options.delimiter);
                    }
                    if let Some(Some(value)) = values.get(row) {
                        put(&mut line, value, *free, options);
                    }
                }
                line.push_str("\r\n");
                out.write_all(line.as_bytes()).map_err(cannot_write)?;
            }
        }
        out.flush().map_err(cannot_write)
    }
}

/// Tells whether values of a type are text that may say anything.
fn is_free(data_type: &DataType) -> bool {
    !(data_type.is_numeric() || data_type.is_temporal() || *data_type == DataType::Boolean)
}

/// Adds a field.
fn put(line: &mut String, value: &str, free: bool, options: &CsvOptions) {
    let guarded = free && options.guard_formulas && is_formula(value);
    let quoted = value.is_empty()
        || value.starts_with(char::is_whitespace)
        || value.ends_with(char::is_whitespace)
        || value.contains([options.delimiter, '"', '\r', '\n', '\'']);
    if quoted {
        line.push('"');
    }
    if guarded {
        line.push('\'');
    }
    for c in value.chars() {
        if c == '"' {
            line.push('"');
        }
        line.push(c);
    }
    if quoted {
        line.push('"');
    }
}

/// Tells whether a spreadsheet would take a field for a formula.
fn is_formula(value: &str) -> bool {
    let first = value
        .trim_start_matches(|c: char| c.is_whitespace() || c.is_control())
        .chars()
        .next();
    value.starts_with(['\t', '\r', '\n'])
        || matches!(
            first,
            Some('=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
        )
}
