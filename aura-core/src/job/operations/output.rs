//! Where the answers of operations go: into the result of the job, or into a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::Table;
use crate::report::ExportFormat;
use crate::{Error, ErrorKind, Result};

/// Most rows in the result of a job.
const MOST_ROWS: usize = 10_000;

/// The answer of an operation that gives a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TableResult {
    /// How many rows there are.
    pub row_count: u64,
    /// The rows, each an object; of an answer without a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Value>,
    /// The file that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What a careful reader should know.
    pub notes: Vec<String>,
}

/// Puts a table into a file, or into the result.
///
/// # Errors
/// `InvalidSpec` for a file whose end names no format; `ResourceExhausted` for more than 10,000 rows without a file; those of the file.
pub(super) fn give(table: &Table, output: Option<&str>) -> Result<Value> {
    let rows = match output {
        Some(file) => {
            let format = ExportFormat::of_file(file).ok_or_else(|| {
                Error::invalid_spec(format!(
                    "the end of `{file}` names no format; expected .csv, .json, .ndjson, .parquet or .arrow"
                ))
            })?;
            write_file(file, |out| table.export(format, out))?;
            None
        }
        None if table.num_rows() > MOST_ROWS => {
            return Err(Error::new(
                ErrorKind::ResourceExhausted,
                format!(
                    "the answer has {} rows, and a job's result at most {MOST_ROWS}; name a file as `output`",
                    table.num_rows()
                ),
            ));
        }
        None => {
            let mut text = Vec::new();
            table.export(ExportFormat::Json, &mut text)?;
            let rows = serde_json::from_slice(&text)
                .map_err(|e| Error::internal("a table was written as no JSON").with_source(e))?;
            Some(rows)
        }
    };
    let result = TableResult {
        row_count: table.num_rows() as u64,
        rows,
        file: output.map(str::to_owned),
        notes: table.notes().to_vec(),
    };
    serde_json::to_value(result)
        .map_err(|e| Error::internal("a result cannot be written as JSON").with_source(e))
}

/// Writes a file beside its place, and puts it there when it is whole and on the disk: whoever looks sees the old one or the new one.
pub(super) fn write_file(
    file: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let failed = |e| Error::io(format_args!("cannot write `{file}`"), e);
    let place = Path::new(file);
    let mut beside = place.as_os_str().to_owned();
    beside.push(".partial");
    let mut out = BufWriter::new(File::create(&beside).map_err(failed)?);
    write(&mut out)?;
    out.flush().map_err(failed)?;
    out.get_ref().sync_all().map_err(failed)?;
    drop(out);
    std::fs::rename(&beside, place).map_err(failed)
}
