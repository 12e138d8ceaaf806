//! Results, and how they leave: as Arrow streams, as Python values, as text.

use std::path::PathBuf;
use std::sync::Arc;

use aura_core::arrow::ffi_stream::FFI_ArrowArrayStream;
use aura_core::arrow::record_batch::RecordBatch;
use aura_core::arrow::util::pretty::pretty_format_batches;
use aura_core::behavior::Analysis;
use aura_core::metric::{MetricQuery, Registry};
use aura_core::report::chart::Chart;
use aura_core::report::{Block, CsvOptions, ExportFormat, Language, Section};
use aura_core::{Error, Result, json};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyList};

use crate::cells;
use crate::error::{OrRaise, written};
use crate::report::write_file;

/// A table of the core.
#[pyclass(frozen, module = "aura._aura")]
pub(crate) struct Table {
    table: aura_core::engine::Table,
    /// The question, where there are charts of its answer.
    asked: Option<Asked>,
}

/// A question whose answer can be drawn.
pub(crate) enum Asked {
    Analysis(Analysis),
    Metrics(Arc<Registry>, MetricQuery),
}

impl Table {
    pub(crate) fn new(table: aura_core::engine::Table) -> Self {
        Table { table, asked: None }
    }

    pub(crate) fn answer(table: aura_core::engine::Table, asked: Asked) -> Self {
        let asked = Some(asked);
        Table { table, asked }
    }

    /// The charts that a report would show of the answer.
    fn drawings(&self, language: Language) -> Result<Vec<Chart>> {
        let section = match &self.asked {
            None => return Ok(Vec::new()),
            Some(Asked::Analysis(analysis)) => {
                Section::analysis(title(analysis)?, analysis, &self.table, language)?
            }
            Some(Asked::Metrics(registry, query)) => {
                Section::metrics("", registry, query, &self.table, language)?
            }
        };
        let charts = section.blocks.into_iter().filter_map(|block| match block {
            Block::Figure(figure) => Some(figure.chart),
            _ => None,
        });
        Ok(charts.collect())
    }

    fn exported(&self, format: ExportFormat, csv: Option<&CsvOptions>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        match (format, csv) {
            (_, None) => self.table.export(format, &mut out)?,
            (ExportFormat::Csv, Some(options)) => self.table.to_csv(options, &mut out)?,
            (_, Some(_)) => {
                return Err(Error::invalid_spec(
                    "the options are those of CSV, and the format is another; leave them out",
                ));
            }
        }
        Ok(out)
    }

    pub(crate) fn batch(&self) -> aura_core::Result<RecordBatch> {
        self.table.to_batch()
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

/// The name of the analysis in specs, as a heading.
fn title(analysis: &Analysis) -> Result<String> {
    let spec = serde_json::to_value(analysis)
        .map_err(|e| Error::internal(format!("an analysis cannot be written as JSON: {e}")))?;
    let kind = spec.as_object().and_then(|spec| spec.keys().next());
    let mut letters = kind.map_or("", String::as_str).chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    Ok(first.into_iter().chain(letters).collect())
}

fn csv_options(csv: Option<&str>) -> Result<Option<CsvOptions>> {
    csv.map(|text| json::parse("the options of CSV", text))
        .transpose()
}

#[pymethods]
impl Table {
    fn num_rows(&self) -> usize {
        self.table.num_rows()
    }

    fn columns(&self) -> Vec<String> {
        let schema = self.table.schema();
        schema.fields().iter().map(|f| f.name().clone()).collect()
    }

    fn types(&self) -> Vec<String> {
        let schema = self.table.schema();
        let types = schema.fields().iter().map(|f| f.data_type().to_string());
        types.collect()
    }

    fn notes(&self) -> Vec<String> {
        self.table.notes().to_vec()
    }

    /// Files of the tables that were asked, files read, bytes read.
    fn scan(&self) -> (u64, u64, u64) {
        let scan = self.table.scan();
        (scan.files_total, scan.files_read, scan.bytes_read)
    }

    /// The values of the first rows of a column; all of them without `rows`.
    #[pyo3(signature = (column, rows=None))]
    fn values<'py>(
        &self,
        py: Python<'py>,
        column: usize,
        rows: Option<usize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut values = PyList::empty(py);
        for batch in self.head(rows.unwrap_or(usize::MAX)) {
            if let Some(column) = batch.columns().get(column) {
                cells::append(column, &mut values)?;
            }
        }
        Ok(values)
    }

    /// The first rows as text, drawn with lines.
    fn drawn(&self, rows: usize) -> String {
        match pretty_format_batches(&self.head(rows)) {
            Ok(drawn) => drawn.to_string(),
            Err(error) => format!("(cannot be shown: {error})"),
        }
    }

    /// The charts of the answer, each as JSON.
    fn charts(&self, py: Python<'_>, language: &str) -> PyResult<Vec<String>> {
        let language = json::parse("the language", language).or_raise(py)?;
        let charts = py.detach(|| {
            let charts = self.drawings(language)?;
            charts.iter().map(written).collect::<Result<_>>()
        });
        charts.or_raise(py)
    }

    /// The content of a file in a format, which is a word of JSON; `csv` are options of CSV.
    #[pyo3(signature = (format, csv=None))]
    fn export<'py>(
        &self,
        py: Python<'py>,
        format: &str,
        csv: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let format = json::parse("the format", format).or_raise(py)?;
        let csv = csv_options(csv).or_raise(py)?;
        let content = py.detach(|| self.exported(format, csv.as_ref()));
        Ok(PyBytes::new(py, &content.or_raise(py)?))
    }

    /// Writes a file; without a format that of the end of its name.
    #[pyo3(signature = (path, format=None, csv=None))]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        format: Option<&str>,
        csv: Option<&str>,
    ) -> PyResult<()> {
        let format: ExportFormat = match format {
            Some(format) => json::parse("the format", format),
            None => ExportFormat::of_file(&path.to_string_lossy()).ok_or_else(|| {
                Error::invalid_spec(format!(
                    "the name {} does not say which format it shall be; end it with .csv, .json, .ndjson, .parquet, .arrow or \
                     .xlsx, or give the format",
                    path.display()
                ))
            }),
        }
        .or_raise(py)?;
        let csv = csv_options(csv).or_raise(py)?;
        let done = py.detach(|| write_file(&path, &self.exported(format, csv.as_ref())?));
        done.or_raise(py)
    }

    /// A capsule with the table as an Arrow C stream. The batches are shared and not copied.
    fn stream<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let stream = FFI_ArrowArrayStream::new(self.table.clone().into_reader());
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}
