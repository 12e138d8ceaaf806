//! Definitions of metrics.

use std::sync::Arc;

use aura_core::metric::query::{SqlDialect, SqlSource};
use aura_core::metric::{Bindings, MetricQuery, Registry as CoreRegistry, reference_page};
use aura_core::{Error, json};

use super::{Result, parse_or_default, to_json};

/// Definitions of metrics.
#[derive(Debug, uniffi::Object)]
pub struct Registry {
    pub(crate) registry: CoreRegistry,
}

fn bindings(text: Option<&str>) -> Result<Bindings> {
    parse_or_default("the parameters", text)
}

impl Registry {
    fn of(registry: CoreRegistry) -> Arc<Self> {
        Arc::new(Registry { registry })
    }
}

#[uniffi::export]
impl Registry {
    /// Reads definitions from YAML or JSON. `parameters` is a JSON object with the values of their parameters.
    #[uniffi::constructor(default(parameters = None))]
    pub fn parse(text: String, parameters: Option<String>) -> Result<Arc<Self>> {
        let bindings = bindings(parameters.as_deref())?;
        Ok(Registry::of(CoreRegistry::parse_with(&text, &bindings)?))
    }

    /// Reads definitions from a file of YAML or JSON.
    #[uniffi::constructor(default(parameters = None))]
    pub fn load(path: String, parameters: Option<String>) -> Result<Arc<Self>> {
        let bindings = bindings(parameters.as_deref())?;
        Ok(Registry::of(CoreRegistry::load_with(path, &bindings)?))
    }

    /// Returns the metrics that come with AURA.
    #[uniffi::constructor(default(parameters = None))]
    pub fn builtin(parameters: Option<String>) -> Result<Arc<Self>> {
        let bindings = bindings(parameters.as_deref())?;
        Ok(Registry::of(CoreRegistry::builtin_with(&bindings)?))
    }

    /// Returns this one with the definitions of a text beside it, which may use its own.
    #[uniffi::method(default(parameters = None))]
    pub fn extend(&self, text: String, parameters: Option<String>) -> Result<Arc<Registry>> {
        let bindings = bindings(parameters.as_deref())?;
        Ok(Registry::of(self.registry.extend(&text, &bindings)?))
    }

    /// Returns this one and another as one.
    pub fn merge(&self, other: Arc<Registry>) -> Result<Arc<Registry>> {
        let own = self.registry.clone();
        Ok(Registry::of(own.merge(&other.registry)?))
    }

    /// Returns the version that the definitions state.
    pub fn version(&self) -> u32 {
        self.registry.version()
    }

    /// Returns the names of the metrics.
    pub fn names(&self) -> Vec<String> {
        self.registry.names().map(str::to_owned).collect()
    }

    /// Returns the definitions as YAML.
    pub fn to_yaml(&self) -> Result<String> {
        Ok(self.registry.to_yaml()?)
    }

    /// Returns the definitions as JSON.
    pub fn to_json(&self) -> Result<String> {
        Ok(self.registry.to_json()?)
    }

    /// Returns a page in Markdown about all metrics.
    pub fn reference(&self, title: String) -> String {
        reference_page(&self.registry, &title)
    }

    /// Returns what changed from this one to another: a JSON list of objects with `path`, `compatibility` and `why`.
    pub fn compare(&self, newer: Arc<Registry>) -> Result<String> {
        to_json(&CoreRegistry::compare(&self.registry, &newer.registry))
    }

    /// Writes a question about metrics as SQL of another engine. `query` and `source` are JSON; `dialect` is `duckdb`,
    /// `postgresql`, `snowflake`, `databricks` or `bigquery`.
    pub fn to_sql(&self, query: String, source: String, dialect: String) -> Result<String> {
        let query: MetricQuery = json::parse("the query", &query)?;
        let source: SqlSource = json::parse("the table", &source)?;
        let dialect: SqlDialect = serde_json::from_value(dialect.into())
            .map_err(|e| Error::invalid_spec(format!("the dialect: {e}")))?;
        Ok(query.to_sql(&self.registry, &source, dialect)?)
    }
}
