//! Reports, charts by themselves, and rules of insights.

use std::path::{Path, PathBuf};

use aura_core::insight::Rules;
use aura_core::report::chart::Chart;
use aura_core::report::{Language, RenderOptions, Report as CoreReport};
use aura_core::{Error, Result, json};
use pyo3::prelude::*;

use crate::error::{OrRaise, written};

/// A report of the core.
#[pyclass(frozen, module = "aura._aura")]
pub(crate) struct Report {
    report: CoreReport,
}

impl Report {
    pub(crate) fn new(report: CoreReport) -> Self {
        Report { report }
    }

    fn rendered(&self, html: bool, options: &RenderOptions) -> Result<String> {
        match html {
            true => self.report.to_html_with(options),
            false => self.report.to_markdown_with(options),
        }
    }
}

#[pymethods]
impl Report {
    /// Takes a report in its JSON form.
    #[staticmethod]
    fn parse(py: Python<'_>, text: &str) -> PyResult<Report> {
        Ok(Report::new(json::parse("the report", text).or_raise(py)?))
    }

    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        written(&self.report).or_raise(py)
    }

    /// Renders HTML, or else Markdown.
    fn render(&self, py: Python<'_>, html: bool, options: &str) -> PyResult<String> {
        let options = json::parse("the options", options).or_raise(py)?;
        let text = py.detach(|| self.rendered(html, &options));
        text.or_raise(py)
    }

    /// Writes HTML, or else Markdown, into a file.
    fn save(&self, py: Python<'_>, path: PathBuf, html: bool, options: &str) -> PyResult<()> {
        let options = json::parse("the options", options).or_raise(py)?;
        let done = py.detach(|| write_file(&path, self.rendered(html, &options)?.as_bytes()));
        done.or_raise(py)
    }
}

/// Writes a file, in place of the one that is there.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(path, content)
        .map_err(|e| Error::io(format_args!("cannot write {}", path.display()), e))
}

/// Draws a chart, in its JSON form, as SVG.
#[pyfunction]
pub(crate) fn chart_svg(py: Python<'_>, chart: &str, language: &str) -> PyResult<String> {
    let (chart, language) = chart_of(chart, language).or_raise(py)?;
    chart.to_svg(language).or_raise(py)
}

/// Describes a chart, in its JSON form, for Vega-Lite, as JSON.
#[pyfunction]
pub(crate) fn chart_vega_lite(py: Python<'_>, chart: &str, language: &str) -> PyResult<String> {
    let (chart, language) = chart_of(chart, language).or_raise(py)?;
    let vega = chart.to_vega_lite(language).or_raise(py)?;
    written(&vega).or_raise(py)
}

fn chart_of(chart: &str, language: &str) -> Result<(Chart, Language)> {
    let chart = json::parse("the chart", chart)?;
    let language = json::parse("the language", language)?;
    Ok((chart, language))
}

/// Reads rules from YAML or JSON, or else those that come with AURA, and writes them as JSON.
#[pyfunction]
#[pyo3(signature = (text=None))]
pub(crate) fn rules_json(py: Python<'_>, text: Option<&str>) -> PyResult<String> {
    let rules = match text {
        Some(text) => Rules::parse(text),
        None => Rules::builtin(),
    };
    rules.and_then(|rules| written(&rules)).or_raise(py)
}
