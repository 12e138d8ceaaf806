//! Results as files for other tools.

mod csv;
#[cfg(feature = "xlsx")]
mod xlsx;

#[cfg(test)]
mod tests;

use std::io::Write;

use arrow::ipc::writer::FileWriter;
use arrow::json::WriterBuilder;
use arrow::json::writer::{JsonArray, LineDelimited};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use csv::CsvOptions;

use crate::engine::Table;
use crate::{Error, Result};

/// A format that tables are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportFormat {
    /// Comma-separated values with a head, as [`CsvOptions`] by default: formulas are guarded.
    Csv,
    /// One JSON array of objects. Moments are RFC 3339; nulls are there; what JSON has no number for (NaN, infinity) is null.
    Json,
    /// An object of JSON on each line.
    Ndjson,
    /// Parquet, compressed with zstd.
    Parquet,
    /// The file format of Arrow IPC, which is also called Feather 2.
    ArrowIpc,
    /// A workbook of Excel with one sheet. Needs the feature `xlsx`.
    #[cfg(feature = "xlsx")]
    Xlsx,
}

impl ExportFormat {
    /// Finds the format by the end of the name of a file: `csv`, `json`, `ndjson` or `jsonl`, `parquet`, `arrow` or `feather`, `xlsx`
    /// (with the feature).
    pub fn of_file(name: &str) -> Option<ExportFormat> {
        let (_, end) = name.rsplit_once('.')?;
        Some(match end.to_ascii_lowercase().as_str() {
            "csv" => ExportFormat::Csv,
            "json" => ExportFormat::Json,
            "ndjson" | "jsonl" => ExportFormat::Ndjson,
            "parquet" => ExportFormat::Parquet,
            "arrow" | "feather" => ExportFormat::ArrowIpc,
            #[cfg(feature = "xlsx")]
            "xlsx" => ExportFormat::Xlsx,
            _ => return None,
        })
    }
}

impl Table {
    /// Writes the table in a format that other tools read. The same table is the same bytes; an empty one keeps its columns
    /// (but in JSON, which has none).
    ///
    /// # Errors
    /// - the kind of the fault of `out` when it cannot be written to;
    /// - [`InvalidData`](crate::ErrorKind::InvalidData) for a type that the format has no form for;
    /// - [`ResourceExhausted`](crate::ErrorKind::ResourceExhausted) for more rows or columns than a sheet has.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use arrow::array::{Int64Array, RecordBatch, StringArray};
    /// use aura_core::engine::Events;
    /// use aura_core::event::Roles;
    /// use aura_core::report::ExportFormat;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let batch = RecordBatch::try_from_iter([
    ///     ("actor", Arc::new(StringArray::from(vec!["a", "=1+1"])) as _),
    ///     ("event", Arc::new(StringArray::from(vec!["view", "view"])) as _),
    ///     ("time", Arc::new(Int64Array::from(vec![1_767_225_600, 1_767_225_601])) as _),
    /// ])?;
    /// let events = Events::from_batches(vec![batch], &Roles::new("actor", "event", "time"))?;
    /// let table = events.sql("select actor, count(*) as n from events group by actor order by actor").await?;
    /// let mut out = Vec::new();
    /// table.export(ExportFormat::Csv, &mut out)?;
    /// assert_eq!(out, b"actor,n\r\n'=1+1,1\r\na,1\r\n");
    /// # Ok::<(), aura_core::Error>(()) }).unwrap();
    /// ```
    pub fn export(&self, format: ExportFormat, mut out: impl Write + Send) -> Result<()> {
        match format {
            ExportFormat::Csv => return self.to_csv(&CsvOptions::default(), out),
            ExportFormat::Json => {
                let mut writer = WriterBuilder::new()
                    .with_explicit_nulls(true)
                    .build::<_, JsonArray>(&mut out);
                for batch in self.batches() {
                    writer.write(batch)?;
                }
                writer.finish()?;
            }
            ExportFormat::Ndjson => {
                let mut writer = WriterBuilder::new()
                    .with_explicit_nulls(true)
                    .build::<_, LineDelimited>(&mut out);
                for batch in self.batches() {
                    writer.write(batch)?;
                }
                writer.finish()?;
            }
            ExportFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .build();
                let mut writer = ArrowWriter::try_new(&mut out, self.schema(), Some(properties))?;
                for batch in self.batches() {
                    writer.write(batch)?;
                }
                writer.close()?;
            }
            ExportFormat::ArrowIpc => {
                let mut writer = FileWriter::try_new(&mut out, &self.schema())?;
                for batch in self.batches() {
                    writer.write(batch)?;
                }
                writer.finish()?;
            }
            #[cfg(feature = "xlsx")]
            ExportFormat::Xlsx => out
                .write_all(&xlsx::workbook(self)?)
                .map_err(cannot_write)?,
        }
        out.flush().map_err(cannot_write)
    }
}

fn cannot_write(error: std::io::Error) -> Error {
    Error::io("cannot write the export", error)
}
