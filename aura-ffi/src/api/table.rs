//! Results, and how they leave.

use std::sync::Arc;

use aura_core::arrow::record_batch::RecordBatch;
use aura_core::arrow::util::pretty::pretty_format_batches;
use aura_core::report::{CsvOptions, ExportFormat};
use aura_core::{Error, engine};

use super::{Result, ipc, parse_or_default};

/// The result of every question: a table with notes.
#[derive(Debug, uniffi::Object)]
pub struct Table {
    pub(crate) table: engine::Table,
}

/// What a question read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Scan {
    /// Data files of the tables that were asked.
    pub files_total: u64,
    /// Files that were read.
    pub files_read: u64,
    /// Bytes read from files.
    pub bytes_read: u64,
}

impl Table {
    pub(crate) fn of(table: engine::Table) -> Arc<Self> {
        Arc::new(Table { table })
    }

    pub(crate) fn batch(&self) -> Result<RecordBatch> {
        Ok(self.table.to_batch()?)
    }

    /// The first rows, without copying.
    fn head(&self, rows: usize) -> Vec<RecordBatch> {
        let mut left = rows;
        let mut head = Vec::new();
        for batch in self.table.batches() {
            let taken = batch.num_rows().min(left);
            head.push(batch.slice(0, taken));
            left -= taken;
            if left == 0 {
                break;
            }
        }
        if head.is_empty() {
            head.push(RecordBatch::new_empty(self.table.schema()));
        }
        head
    }
}

#[uniffi::export]
impl Table {
    /// Returns the number of rows.
    pub fn num_rows(&self) -> u64 {
        self.table.num_rows() as u64
    }

    /// Returns the names of the columns.
    pub fn columns(&self) -> Vec<String> {
        let schema = self.table.schema();
        schema.fields().iter().map(|f| f.name().clone()).collect()
    }

    /// Returns the Arrow types of the columns, in words.
    pub fn types(&self) -> Vec<String> {
        let schema = self.table.schema();
        let types = schema.fields().iter().map(|f| f.data_type().to_string());
        types.collect()
    }

    /// Returns what a careful analyst would add.
    pub fn notes(&self) -> Vec<String> {
        self.table.notes().to_vec()
    }

    /// Returns how much was read to answer.
    pub fn scan(&self) -> Scan {
        let scan = self.table.scan();
        Scan {
            files_total: scan.files_total,
            files_read: scan.files_read,
            bytes_read: scan.bytes_read,
        }
    }

    /// Returns the table in the streaming format of Arrow IPC. One without rows keeps its columns.
    pub fn to_ipc(&self) -> Result<Vec<u8>> {
        Ok(ipc::write(&self.table)?)
    }

    /// Returns the table in a format of other tools: `csv` (formulas are guarded), `json`, `ndjson`, `parquet`, `arrow_ipc` (the
    /// file format), `xlsx`.
    pub fn export(&self, format: String) -> Result<Vec<u8>> {
        let format: ExportFormat = serde_json::from_value(format.into())
            .map_err(|e| Error::invalid_spec(format!("the format: {e}")))?;
        let mut out = Vec::new();
        self.table.export(format, &mut out)?;
        Ok(out)
    }

    /// Returns the table as CSV; `options` (JSON) are `delimiter` and `guard_formulas`.
    #[uniffi::method(default(options = None))]
    pub fn to_csv(&self, options: Option<String>) -> Result<Vec<u8>> {
        let options: CsvOptions = parse_or_default("the options", options.as_deref())?;
        let mut out = Vec::new();
        self.table.to_csv(&options, &mut out)?;
        Ok(out)
    }

    /// Returns the first rows as text, drawn with lines.
    pub fn draw(&self, rows: u64) -> Result<String> {
        let head = self.head(usize::try_from(rows).unwrap_or(usize::MAX));
        let drawn = pretty_format_batches(&head).map_err(Error::from)?;
        Ok(drawn.to_string())
    }
}
