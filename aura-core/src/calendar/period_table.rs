//! Periods of one's own: the rows `grain,label,start,end`, from text, a file or a table.

use std::io::Read;
use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::clip;
use super::{Grain, custom};
use crate::{Error, Result};

/// Largest text that is read as a table of periods.
const MAX_BYTES: usize = 8 << 20;

const COLUMNS: [&str; 4] = ["grain", "label", "start", "end"];

/// One period of a [`PeriodTable`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodRow {
    /// Week, month, quarter or year.
    pub grain: Grain,
    /// What results call the period, such as `2026-P03`. Each label occurs once in a grain.
    pub label: String,
    /// First local day (`2026-02-01`) or moment (`2026-02-01T06:00`).
    pub start: String,
    /// The day or moment after the period, which is the start of the next.
    pub end: String,
}

/// Periods of one's own for the grains week, month, quarter and year.
///
/// The rows of a grain stand in the order of time, and each begins where the one before it ends. Rows
/// of several grains may be mixed. Rows count from 1, without the header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PeriodTable {
    /// The rows, in the order in which they were given.
    pub rows: Vec<PeriodRow>,
}

impl PeriodTable {
    /// Tells whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Reads a table from CSV (header `grain,label,start,end` in any order), from JSON (an array of
    /// objects) or from YAML (a list of mappings), told apart by the first character, and checks it.
    /// At most 8 MiB are read.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when the text is none of these or a row does
    /// not fit; the message names the row.
    ///
    /// # Examples
    /// ```
    /// use aura_core::calendar::PeriodTable;
    ///
    /// let error = PeriodTable::parse(
    ///     "grain,label,start,end\n\
    ///      month,P1,2026-02-01,2026-03-01\n\
    ///      month,P2,2026-03-02,2026-04-05\n",
    /// )
    /// .unwrap_err();
    /// assert_eq!(
    ///     error.message(),
    ///     "periods: row 2 (month `P2`): starts at 2026-03-02, after row 1 ended at 2026-03-01; \
    ///      close the gap"
    /// );
    /// ```
    pub fn parse(text: &str) -> Result<PeriodTable> {
        if text.len() > MAX_BYTES {
            return Err(fault(format!(
                "the text is larger than {} MiB, the most that is read",
                MAX_BYTES >> 20
            )));
        }
        let text = text.trim_start_matches('\u{feff}').trim();
        let table = match text.chars().next() {
            None => {
                return Err(fault(
                    "the text is empty; expected rows of grain, label, start, end",
                ));
            }
            Some('[' | '{') => {
                serde_json::from_str(text).map_err(|e| fault(format!("not valid JSON: {e}")))?
            }
            Some('-' | '#') => {
                let options = serde_saphyr::options! { with_snippet: false };
                serde_saphyr::from_str_with_options(text, options)
                    .map_err(|e| fault(format!("not valid YAML: {e}")))?
            }
            Some(_) => from_csv(text)?,
        };
        custom::check(&table)?;
        Ok(table)
    }

    /// Reads a table from a file. See [`parse`](PeriodTable::parse).
    ///
    /// # Errors
    /// As [`parse`](PeriodTable::parse), and the errors of reading a file
    /// ([`NotFound`](crate::ErrorKind::NotFound), [`Denied`](crate::ErrorKind::Denied),
    /// [`Unavailable`](crate::ErrorKind::Unavailable)).
    pub fn load(path: impl AsRef<Path>) -> Result<PeriodTable> {
        let path = path.as_ref();
        let name = format!("periods `{}`", path.display());
        let file = std::fs::File::open(path).map_err(|e| Error::io(&name, e))?;
        let mut bytes = Vec::new();
        // One byte more than allowed, so that a file of the very limit is not taken for a larger one.
        file.take(MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io(&name, e))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            Error::invalid_spec(format!(
                "{name}: byte {} is not UTF-8; save the file as UTF-8",
                e.utf8_error().valid_up_to() + 1
            ))
        })?;
        PeriodTable::parse(&text)
            .map_err(|e| Error::new(e.kind(), format!("{}: {}", path.display(), e.message())))
    }

    /// Takes the rows of an Arrow table with the columns `grain`, `label`, `start` and `end`, and
    /// checks them. `start` and `end` are dates, timestamps without a zone (both of the local clock),
    /// or text; other columns are left alone.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for a missing column, a null, or a row that does
    /// not fit; the message names column and row.
    pub fn from_batch(batch: &RecordBatch) -> Result<PeriodTable> {
        let column = |name: &str| -> Result<StringArray> {
            let array = batch.column_by_name(name).ok_or_else(|| {
                let found: Vec<&str> = batch
                    .schema_ref()
                    .fields()
                    .iter()
                    .map(|f| f.name().as_str())
                    .collect();
                fault(format!(
                    "the table has no column `{name}`; found {}",
                    clip(&found.join(", "))
                ))
            })?;
            text_of(name, array)
        };
        let [grain, label, start, end] = COLUMNS;
        let (grain, label, start, end) =
            (column(grain)?, column(label)?, column(start)?, column(end)?);
        let mut rows = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            rows.push(PeriodRow {
                grain: grain
                    .value(row)
                    .parse()
                    .map_err(|e: Error| fault(format!("row {}: {}", row + 1, e.message())))?,
                label: label.value(row).to_owned(),
                start: start.value(row).to_owned(),
                end: end.value(row).to_owned(),
            });
        }
        let table = PeriodTable { rows };
        custom::check(&table)?;
        Ok(table)
    }
}

pub(super) fn fault(message: impl std::fmt::Display) -> Error {
    Error::invalid_spec(format!("periods: {message}"))
}

fn text_of(name: &str, array: &ArrayRef) -> Result<StringArray> {
    let refuse = || {
        fault(format!(
            "column `{name}` has the type {}, which is not text, a date or a timestamp without zone",
            array.data_type()
        ))
    };
    if matches!(array.data_type(), DataType::Timestamp(_, Some(_))) {
        return Err(refuse());
    }
    let text = cast(array, &DataType::Utf8).map_err(|e| refuse().with_source(e))?;
    let text = text
        .as_any()
        .downcast_ref::<StringArray>()
        .ok_or_else(refuse)?;
    if let Some(row) = (0..text.len()).find(|row| text.is_null(*row)) {
        return Err(fault(format!("row {}: `{name}` is null", row + 1)));
    }
    Ok(text.clone())
}

fn from_csv(text: &str) -> Result<PeriodTable> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = lines.next().unwrap_or_default();
    let names = fields(header).ok_or_else(|| fault("the header has an open quote"))?;
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = names
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| {
                fault(format!(
                    "the header `{}` has no column `{column}`; expected `{}`",
                    clip(header),
                    COLUMNS.join(",")
                ))
            })?;
    }
    let mut rows = Vec::new();
    for (row, line) in lines.enumerate() {
        let row = row + 1;
        let values =
            fields(line).ok_or_else(|| fault(format!("row {row}: a quote is not closed")))?;
        if values.len() != names.len() {
            return Err(fault(format!(
                "row {row}: {} fields, where the header has {}",
                values.len(),
                names.len()
            )));
        }
        let [grain, label, start, end] =
            places.map(|place| values.get(place).cloned().unwrap_or_default());
        rows.push(PeriodRow {
            grain: grain
                .parse()
                .map_err(|e: Error| fault(format!("row {row}: {}", e.message())))?,
            label,
            start,
            end,
        });
    }
    Ok(PeriodTable { rows })
}

/// Cuts a line of CSV into its fields without the blanks around them (RFC 4180, but no line breaks
/// within quotes: nothing in a period has any). `None` when a quote stays open.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field).trim().to_owned()),
            c => field.push(c),
        }
    }
    fields.push(field.trim().to_owned());
    (!quoted).then_some(fields)
}
