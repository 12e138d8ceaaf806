//! Definitions of metrics.

use std::path::PathBuf;
use std::sync::Arc;

use aura_core::metric::query::{SqlDialect, SqlSource};
use aura_core::metric::{Bindings, MetricQuery, Registry as CoreRegistry, reference_page};
use aura_core::{Error, json};
use pyo3::prelude::*;

use crate::error::OrRaise;

/// A registry of the core.
#[pyclass(frozen, module = "aura._aura")]
pub(crate) struct Registry {
    pub(crate) registry: Arc<CoreRegistry>,
}

impl Registry {
    fn new(registry: CoreRegistry) -> Self {
        Registry {
            registry: Arc::new(registry),
        }
    }
}

fn bindings(py: Python<'_>, text: &str) -> PyResult<Bindings> {
    json::parse("the parameters", text).or_raise(py)
}

#[pymethods]
impl Registry {
    /// Reads definitions from YAML or JSON.
    #[staticmethod]
    fn parse(py: Python<'_>, text: &str, parameters: &str) -> PyResult<Self> {
        let bindings = bindings(py, parameters)?;
        let registry = py.detach(|| CoreRegistry::parse_with(text, &bindings));
        Ok(Registry::new(registry.or_raise(py)?))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, parameters: &str) -> PyResult<Self> {
        let bindings = bindings(py, parameters)?;
        let registry = py.detach(|| CoreRegistry::load_with(&path, &bindings));
        Ok(Registry::new(registry.or_raise(py)?))
    }

    /// The metrics that come with AURA.
    #[staticmethod]
    fn builtin(py: Python<'_>, parameters: &str) -> PyResult<Self> {
        let bindings = bindings(py, parameters)?;
        let registry = py.detach(|| CoreRegistry::builtin_with(&bindings));
        Ok(Registry::new(registry.or_raise(py)?))
    }

    /// This one with the definitions of a text beside it, which may use its own.
    fn extend(&self, py: Python<'_>, text: &str, parameters: &str) -> PyResult<Self> {
        let bindings = bindings(py, parameters)?;
        let registry = py.detach(|| self.registry.extend(text, &bindings));
        Ok(Registry::new(registry.or_raise(py)?))
    }

    fn merge(&self, py: Python<'_>, other: &Bound<'_, Registry>) -> PyResult<Self> {
        let (own, other) = (CoreRegistry::clone(&self.registry), other.get());
        let merged = own.merge(&other.registry);
        Ok(Registry::new(merged.or_raise(py)?))
    }

    fn version(&self) -> u32 {
        self.registry.version()
    }

    fn names(&self) -> Vec<String> {
        self.registry.names().map(str::to_owned).collect()
    }

    fn to_yaml(&self, py: Python<'_>) -> PyResult<String> {
        self.registry.to_yaml().or_raise(py)
    }

    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.registry.to_json().or_raise(py)
    }

    /// A page in Markdown about all metrics.
    fn reference(&self, title: &str) -> String {
        reference_page(&self.registry, title)
    }

    /// What changed from this one to another: path, verdict, reason.
    fn compare(&self, newer: &Bound<'_, Registry>) -> Vec<(String, String, String)> {
        let changes = CoreRegistry::compare(&self.registry, &newer.get().registry);
        let changes = changes.into_iter();
        changes
            .map(|c| (c.path, c.compatibility.name().to_owned(), c.why))
            .collect()
    }
}

/// Writes a question about metrics as SQL for another engine.
#[pyfunction]
pub(crate) fn metric_sql(
    py: Python<'_>,
    registry: &Bound<'_, Registry>,
    query: &str,
    source: &str,
    dialect: &str,
) -> PyResult<String> {
    let query: MetricQuery = json::parse("the query", query).or_raise(py)?;
    let source: SqlSource = json::parse("the table", source).or_raise(py)?;
    let dialect: SqlDialect = serde_json::from_value(dialect.into())
        .map_err(|e| Error::invalid_spec(format!("the dialect: {e}")))
        .or_raise(py)?;
    let registry = &registry.get().registry;
    py.detach(|| query.to_sql(registry, &source, dialect))
        .or_raise(py)
}
