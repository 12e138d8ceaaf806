//! The result of every operation: an Arrow table with notes.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use serde::{Deserialize, Serialize};

use crate::Result;

/// What a query read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanStats {
    /// Data files of the tables that were asked.
    pub files_total: u64,
    /// Files left after looking at their statistics: the ones that were read.
    pub files_read: u64,
    /// Bytes read from files.
    pub bytes_read: u64,
}

/// An Arrow table: a schema, batches of it, and notes.
#[derive(Debug, Clone)]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    notes: Vec<String>,
    scan: ScanStats,
}

impl Table {
    /// Makes a table of batches that all have `schema`.
    pub(crate) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Table {
            schema,
            batches,
            notes: Vec::new(),
            scan: ScanStats::default(),
        }
    }

    pub(crate) fn with_scan(mut self, scan: ScanStats) -> Self {
        self.scan = scan;
        self
    }

    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// Returns the schema, which an empty table has as well.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Returns the batches. There may be none.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Returns the number of rows.
    pub fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Returns all rows as one batch (copies if there are several).
    ///
    /// # Errors
    /// `InvalidData` when the rows do not fit one batch (2³¹ bytes of text in a column).
    pub fn to_batch(&self) -> Result<RecordBatch> {
        Ok(arrow::compute::concat_batches(&self.schema, &self.batches)?)
    }

    /// Turns the table into a reader, the form that Arrow's C stream interface takes.
    pub fn into_reader(self) -> Box<dyn RecordBatchReader + Send> {
        let schema = Arc::clone(&self.schema);
        Box::new(RecordBatchIterator::new(
            self.batches.into_iter().map(Ok),
            schema,
        ))
    }

    /// Returns what a careful analyst would add.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns how much was read to answer.
    pub fn scan(&self) -> ScanStats {
        self.scan
    }
}

impl fmt::Display for Table {
    /// Draws the table with box characters, for terminals and tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let empty = [RecordBatch::new_empty(self.schema())];
        let batches = if self.batches.is_empty() {
            &empty[..]
        } else {
            &self.batches
        };
        let drawn = arrow::util::pretty::pretty_format_batches(batches).map_err(|_| fmt::Error)?;
        write!(f, "{drawn}")
    }
}
