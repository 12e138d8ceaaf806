//! Events, and every question to them.

use std::sync::Arc;

use aura_core::behavior::Analysis;
use aura_core::engine::{EngineSettings, Events as CoreEvents};
use aura_core::event::Roles;
use aura_core::insight::Insights;
use aura_core::json;
use aura_core::metric::MetricQuery;
use aura_core::report::ReportSpec;
use pyo3::prelude::*;

use crate::arrow_in;
use crate::error::{OrRaise, written};
use crate::registry::Registry;
use crate::report::Report;
use crate::table::{Asked, Table};
use crate::wait::{Cancel, wait};

/// Events of the core.
#[pyclass(frozen, module = "aura._aura")]
pub(crate) struct Events {
    events: CoreEvents,
}

impl Events {
    pub(crate) fn new(events: CoreEvents) -> Self {
        Events { events }
    }
}

fn settings(py: Python<'_>, roles: &str, engine: &str) -> PyResult<(Roles, EngineSettings)> {
    let roles = json::parse("the roles", roles).or_raise(py)?;
    let engine = json::parse("the settings of the engine", engine).or_raise(py)?;
    Ok((roles, engine))
}

#[pymethods]
impl Events {
    /// Takes a table of the host.
    #[staticmethod]
    fn from_arrow(table: &Bound<'_, PyAny>, roles: &str, engine: &str) -> PyResult<Events> {
        let py = table.py();
        let (roles, engine) = settings(py, roles, engine)?;
        let batches = arrow_in::batches(table)?;
        let events = py.detach(|| CoreEvents::from_batches_with(batches, &roles, &engine));
        Ok(Events::new(events.or_raise(py)?))
    }

    /// Reads a file or the files of a glob.
    #[staticmethod]
    fn from_files(py: Python<'_>, pattern: &str, roles: &str, engine: &str) -> PyResult<Events> {
        let (roles, engine) = settings(py, roles, engine)?;
        let events = wait(py, None, CoreEvents::from_files(pattern, &roles, &engine))?;
        Ok(Events::new(events))
    }

    /// Reads the content of a file.
    #[staticmethod]
    fn from_bytes(
        py: Python<'_>,
        name: &str,
        content: &[u8],
        roles: &str,
        engine: &str,
    ) -> PyResult<Events> {
        let (roles, engine) = settings(py, roles, engine)?;
        let content = content.to_vec();
        let events = CoreEvents::from_bytes(name, content, &roles, &engine);
        Ok(Events::new(wait(py, None, events)?))
    }

    /// Names and types of the columns.
    fn columns(&self) -> Vec<(String, String)> {
        let schema = self.events.schema();
        let fields = schema.fields().iter();
        fields
            .map(|f| (f.name().clone(), f.data_type().to_string()))
            .collect()
    }

    #[pyo3(signature = (query, cancel=None))]
    fn sql(
        &self,
        py: Python<'_>,
        query: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<Table> {
        let table = wait(py, cancel.map(Bound::get), self.events.sql(query))?;
        Ok(Table::new(table))
    }

    /// Answers an analysis, in its JSON form.
    #[pyo3(signature = (spec, cancel=None))]
    fn run(
        &self,
        py: Python<'_>,
        spec: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<Table> {
        let spec: Analysis = json::parse("the analysis", spec).or_raise(py)?;
        let table = wait(py, cancel.map(Bound::get), self.events.run(spec.clone()))?;
        Ok(Table::answer(table, Asked::Analysis(spec)))
    }

    /// Answers a list of analyses in one pass.
    #[pyo3(signature = (specs, cancel=None))]
    fn run_all(
        &self,
        py: Python<'_>,
        specs: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<Vec<Table>> {
        let specs: Vec<Analysis> = json::parse("the analyses", specs).or_raise(py)?;
        let tables = wait(py, cancel.map(Bound::get), self.events.run_all(&specs))?;
        let asked = specs.into_iter().map(Asked::Analysis);
        let tables = tables.into_iter().zip(asked);
        Ok(tables
            .map(|(table, asked)| Table::answer(table, asked))
            .collect())
    }

    /// Answers a question about metrics.
    #[pyo3(signature = (registry, query, cancel=None))]
    fn metrics(
        &self,
        py: Python<'_>,
        registry: &Bound<'_, Registry>,
        query: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<Table> {
        let query: MetricQuery = json::parse("the query", query).or_raise(py)?;
        let registry = Arc::clone(&registry.get().registry);
        let table = self.events.metrics(&registry, &query);
        let table = wait(py, cancel.map(Bound::get), table)?;
        Ok(Table::answer(table, Asked::Metrics(registry, query)))
    }

    /// Tells how a question about metrics is answered.
    #[pyo3(signature = (registry, query, cancel=None))]
    fn explain_metrics(
        &self,
        py: Python<'_>,
        registry: &Bound<'_, Registry>,
        query: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<String> {
        let query: MetricQuery = json::parse("the query", query).or_raise(py)?;
        let registry = Arc::clone(&registry.get().registry);
        let explanation = self.events.explain_metrics(&registry, &query);
        Ok(wait(py, cancel.map(Bound::get), explanation)?.text)
    }

    /// Finds what changed; the findings come as JSON.
    #[pyo3(signature = (registry, spec, cancel=None))]
    fn insights(
        &self,
        py: Python<'_>,
        registry: &Bound<'_, Registry>,
        spec: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<String> {
        let spec: Insights = json::parse("the insights", spec).or_raise(py)?;
        let registry = Arc::clone(&registry.get().registry);
        let findings = self.events.insights(&registry, &spec);
        let findings = wait(py, cancel.map(Bound::get), findings)?;
        written(&findings).or_raise(py)
    }

    /// Makes a report.
    #[pyo3(signature = (registry, spec, cancel=None))]
    fn report(
        &self,
        py: Python<'_>,
        registry: &Bound<'_, Registry>,
        spec: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<Report> {
        let spec: ReportSpec = json::parse("the report", spec).or_raise(py)?;
        let registry = Arc::clone(&registry.get().registry);
        let report = self.events.report(&registry, &spec);
        Ok(Report::new(wait(py, cancel.map(Bound::get), report)?))
    }
}
