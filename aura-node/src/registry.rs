//! Definitions of metrics.

use std::sync::Arc;

use aura_core::json;
use aura_core::metric::query::{SqlDialect, SqlSource};
use aura_core::metric::{Bindings, MetricQuery, Registry as CoreRegistry, reference_page};
use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use crate::error::OrReject;
use crate::wait::{Cancel, aside, promise};

/// A registry of the core.
#[napi]
pub struct Registry {
    pub(crate) registry: Arc<CoreRegistry>,
}

impl Registry {
    fn new(registry: CoreRegistry) -> Self {
        Registry {
            registry: Arc::new(registry),
        }
    }
}

fn bindings(text: &str) -> aura_core::Result<Bindings> {
    json::parse("the parameters", text)
}

#[napi]
impl Registry {
    /// Reads definitions from YAML or JSON.
    #[napi]
    pub fn parse(text: String, parameters: String) -> napi::Result<Self> {
        let bindings = bindings(&parameters).or_reject()?;
        let registry = CoreRegistry::parse_with(&text, &bindings);
        Ok(Registry::new(registry.or_reject()?))
    }

    #[napi]
    pub fn load<'env>(
        env: &'env Env,
        path: String,
        parameters: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Registry>> {
        promise(env, cancel, async move {
            let bindings = bindings(&parameters)?;
            let registry = aside(move || CoreRegistry::load_with(&path, &bindings));
            Ok(Registry::new(registry.await?))
        })
    }

    /// The metrics that come with AURA.
    #[napi]
    pub fn builtin(parameters: String) -> napi::Result<Self> {
        let bindings = bindings(&parameters).or_reject()?;
        let registry = CoreRegistry::builtin_with(&bindings);
        Ok(Registry::new(registry.or_reject()?))
    }

    /// This one with the definitions of a text beside it, which may use its own.
    #[napi]
    pub fn extend(&self, text: String, parameters: String) -> napi::Result<Self> {
        let bindings = bindings(&parameters).or_reject()?;
        let registry = self.registry.extend(&text, &bindings);
        Ok(Registry::new(registry.or_reject()?))
    }

    #[napi]
    pub fn merge(&self, other: &Registry) -> napi::Result<Self> {
        let merged = CoreRegistry::clone(&self.registry).merge(&other.registry);
        Ok(Registry::new(merged.or_reject()?))
    }

    #[napi]
    pub fn version(&self) -> u32 {
        self.registry.version()
    }

    #[napi]
    pub fn names(&self) -> Vec<String> {
        self.registry.names().map(str::to_owned).collect()
    }

    #[napi]
    pub fn to_yaml(&self) -> napi::Result<String> {
        self.registry.to_yaml().or_reject()
    }

    #[napi]
    pub fn to_json(&self) -> napi::Result<String> {
        self.registry.to_json().or_reject()
    }

    /// A page in Markdown about all metrics.
    #[napi]
    pub fn reference(&self, title: String) -> String {
        reference_page(&self.registry, &title)
    }

    /// What changed from this one to another: path, verdict, reason.
    #[napi]
    pub fn compare(&self, newer: &Registry) -> Vec<Vec<String>> {
        let changes = CoreRegistry::compare(&self.registry, &newer.registry);
        let changes = changes.into_iter();
        changes
            .map(|c| vec![c.path, c.compatibility.name().to_owned(), c.why])
            .collect()
    }

    /// Writes a question about metrics as SQL for another engine.
    #[napi]
    pub fn to_sql(&self, query: String, source: String, dialect: String) -> napi::Result<String> {
        let write = || {
            let query: MetricQuery = json::parse("the query", &query)?;
            let source: SqlSource = json::parse("the table", &source)?;
            let dialect: SqlDialect = json::parse("the dialect", &dialect)?;
            query.to_sql(&self.registry, &source, dialect)
        };
        write().or_reject()
    }
}
