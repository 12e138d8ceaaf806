//! Results, and how they leave: as Arrow IPC, as values of JavaScript, as files, as text.

use aura_core::arrow::record_batch::RecordBatch;
use aura_core::arrow::util::pretty::pretty_format_batches;
use aura_core::engine::Table as CoreTable;
use aura_core::report::{CsvOptions, ExportFormat};
use aura_core::{Error, json};
use napi::Env;
use napi::bindgen_prelude::{Array, Buffer, PromiseRaw};
use napi_derive::napi;

use crate::cells;
use crate::wait::{Cancel, aside, promise};

/// A table of the core.
#[napi]
pub struct Table {
    table: CoreTable,
}

impl Table {
    pub(crate) fn new(table: CoreTable) -> Self {
        Table { table }
    }

    pub(crate) fn batches(&self) -> Vec<RecordBatch> {
        self.head(usize::MAX)
    }

    /// The first rows, without copying; there is at least one batch, which may be empty.
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

#[napi]
impl Table {
    #[napi]
    pub fn num_rows(&self) -> f64 {
        self.table.num_rows() as f64
    }

    #[napi]
    pub fn columns(&self) -> Vec<String> {
        let schema = self.table.schema();
        schema.fields().iter().map(|f| f.name().clone()).collect()
    }

    #[napi]
    pub fn types(&self) -> Vec<String> {
        let schema = self.table.schema();
        let types = schema.fields().iter().map(|f| f.data_type().to_string());
        types.collect()
    }

    #[napi]
    pub fn notes(&self) -> Vec<String> {
        self.table.notes().to_vec()
    }

    /// Files of the tables that were asked, files read, bytes read.
    #[napi]
    pub fn scan(&self) -> Vec<f64> {
        let scan = self.table.scan();
        vec![
            scan.files_total as f64,
            scan.files_read as f64,
            scan.bytes_read as f64,
        ]
    }

    /// The values of the first rows of a column; all of them without `rows`.
    #[napi]
    pub fn values<'env>(
        &self,
        env: &'env Env,
        column: u32,
        rows: Option<u32>,
    ) -> napi::Result<Array<'env>> {
        let batches = self.head(rows.map_or(usize::MAX, |rows| rows as usize));
        let columns = batches.iter();
        let columns = columns.filter_map(|batch| batch.columns().get(column as usize));
        cells::values(env, columns)
    }

    /// The first rows as text, drawn with lines.
    #[napi]
    pub fn drawn(&self, rows: u32) -> String {
        match pretty_format_batches(&self.head(rows as usize)) {
            Ok(drawn) => drawn.to_string(),
            Err(error) => format!("(cannot be shown: {error})"),
        }
    }

    /// The table as a stream of Arrow IPC; `plain` without types that some readers do not know.
    #[napi]
    pub fn ipc<'env>(
        &self,
        env: &'env Env,
        plain: bool,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Buffer>> {
        let table = self.table.clone();
        promise(env, cancel, async move {
            let written = aside(move || match plain {
                true => table.to_plain_ipc(),
                false => table.to_ipc(),
            });
            Ok(Buffer::from(written.await?))
        })
    }

    /// The table in a format that other tools read, which is a word of JSON; `csv` are options of CSV.
    #[napi]
    pub fn export<'env>(
        &self,
        env: &'env Env,
        format: String,
        csv: Option<String>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Buffer>> {
        let table = self.table.clone();
        promise(env, cancel, async move {
            let format: ExportFormat = json::parse("the format", &format)?;
            let csv: Option<CsvOptions> = match &csv {
                Some(text) => Some(json::parse("the options", text)?),
                None => None,
            };
            let written = aside(move || {
                let mut out = Vec::new();
                match (format, csv) {
                    (ExportFormat::Csv, Some(options)) => table.to_csv(&options, &mut out)?,
                    (_, None) => table.export(format, &mut out)?,
                    (_, Some(_)) => {
                        return Err(Error::invalid_spec(
                            "the options are those of CSV, and the format is another; leave them out",
                        ));
                    }
                }
                Ok(out)
            });
            Ok(Buffer::from(written.await?))
        })
    }
}
