//! Events, and every question to them.

use std::sync::Arc;

use aura_core::behavior::Analysis;
use aura_core::engine::{EngineSettings, Events as CoreEvents};
use aura_core::event::Roles;
use aura_core::insight::Insights;
use aura_core::metric::MetricQuery;
use aura_core::report::ReportSpec;
use aura_core::{arrow::record_batch::RecordBatch, json};

use super::{Cancel, Registry, Result, Table, ipc, parse_or_default, to_json};
use crate::wait::wait;

/// Events: a table with the roles actor, event and time, and every question to it.
#[derive(Debug, uniffi::Object)]
pub struct Events {
    pub(crate) events: CoreEvents,
}

impl Events {
    pub(crate) fn of(events: CoreEvents) -> Arc<Self> {
        Arc::new(Events { events })
    }

    /// Takes tables of the host.
    pub(crate) fn from_batches(
        batches: Vec<RecordBatch>,
        roles: Option<&str>,
        engine: Option<&str>,
    ) -> Result<Arc<Self>> {
        let (roles, engine) = settings(roles, engine)?;
        let events = CoreEvents::from_batches_with(batches, &roles, &engine)?;
        Ok(Events::of(events))
    }
}

fn settings(roles: Option<&str>, engine: Option<&str>) -> Result<(Roles, EngineSettings)> {
    let roles = parse_or_default("the roles", roles)?;
    let engine = parse_or_default("the settings of the engine", engine)?;
    Ok((roles, engine))
}

#[uniffi::export]
impl Events {
    /// Reads a file, or all files that match a glob: Parquet, CSV, NDJSON, JSON or Arrow IPC. `roles` and `engine` are JSON.
    #[uniffi::constructor(default(roles = None, engine = None, cancel = None))]
    pub fn from_files(
        pattern: String,
        roles: Option<String>,
        engine: Option<String>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Arc<Self>> {
        let (roles, engine) = settings(roles.as_deref(), engine.as_deref())?;
        let events = CoreEvents::from_files(&pattern, &roles, &engine);
        Ok(Events::of(wait(cancel.as_deref(), events)?))
    }

    /// Reads the content of such a file; `name` is used in messages. `roles` and `engine` are JSON.
    #[uniffi::constructor(default(roles = None, engine = None, cancel = None))]
    pub fn from_bytes(
        name: String,
        content: Vec<u8>,
        roles: Option<String>,
        engine: Option<String>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Arc<Self>> {
        let (roles, engine) = settings(roles.as_deref(), engine.as_deref())?;
        let events = CoreEvents::from_bytes(&name, content, &roles, &engine);
        Ok(Events::of(wait(cancel.as_deref(), events)?))
    }

    /// Takes a table as bytes of Arrow IPC, of the streaming or the file format: its columns are those of the events. `roles` and
    /// `engine` are JSON.
    #[uniffi::constructor(default(roles = None, engine = None))]
    pub fn from_ipc(
        table: Vec<u8>,
        roles: Option<String>,
        engine: Option<String>,
    ) -> Result<Arc<Self>> {
        Events::from_batches(ipc::read(table)?, roles.as_deref(), engine.as_deref())
    }

    /// Returns the names of the columns.
    pub fn columns(&self) -> Vec<String> {
        let schema = self.events.schema();
        schema.fields().iter().map(|f| f.name().clone()).collect()
    }

    /// Answers a query in SQL over the table `events`.
    #[uniffi::method(default(cancel = None))]
    pub fn sql(&self, query: String, cancel: Option<Arc<Cancel>>) -> Result<Arc<Table>> {
        let table = wait(cancel.as_deref(), self.events.sql(&query))?;
        Ok(Table::of(table))
    }

    /// Answers an analysis of behaviour, in its JSON form: `{"funnel": {"steps": ["view", "buy"]}}`.
    #[uniffi::method(default(cancel = None))]
    pub fn run(&self, spec: String, cancel: Option<Arc<Cancel>>) -> Result<Arc<Table>> {
        let spec: Analysis = json::parse("the analysis", &spec)?;
        let table = wait(cancel.as_deref(), self.events.run(spec))?;
        Ok(Table::of(table))
    }

    /// Answers a JSON list of analyses, at most 100, in one pass over the events.
    #[uniffi::method(default(cancel = None))]
    pub fn run_all(&self, specs: String, cancel: Option<Arc<Cancel>>) -> Result<Vec<Arc<Table>>> {
        let specs: Vec<Analysis> = json::parse("the analyses", &specs)?;
        let tables = wait(cancel.as_deref(), self.events.run_all(&specs))?;
        Ok(tables.into_iter().map(Table::of).collect())
    }

    /// Answers a question about metrics, in its JSON form: `{"metrics": ["active_actors"], "grain": "week"}`.
    #[uniffi::method(default(cancel = None))]
    pub fn metrics(
        &self,
        registry: Arc<Registry>,
        query: String,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<Arc<Table>> {
        let query: MetricQuery = json::parse("the query", &query)?;
        let table = self.events.metrics(&registry.registry, &query);
        Ok(Table::of(wait(cancel.as_deref(), table)?))
    }

    /// Tells how a question about metrics is answered.
    #[uniffi::method(default(cancel = None))]
    pub fn explain_metrics(
        &self,
        registry: Arc<Registry>,
        query: String,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<String> {
        let query: MetricQuery = json::parse("the query", &query)?;
        let explanation = self.events.explain_metrics(&registry.registry, &query);
        Ok(wait(cancel.as_deref(), explanation)?.text)
    }

    /// Says what changed in the metrics, whether it matters, why, and what to do: findings as JSON. `spec` is JSON as well.
    #[uniffi::method(default(spec = None, cancel = None))]
    pub fn insights(
        &self,
        registry: Arc<Registry>,
        spec: Option<String>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<String> {
        let spec: Insights = parse_or_default("the insights", spec.as_deref())?;
        let findings = self.events.insights(&registry.registry, &spec);
        to_json(&wait(cancel.as_deref(), findings)?)
    }

    /// Makes a report, as JSON: a value for `report_html` and `report_markdown`. `spec` is JSON as well.
    #[uniffi::method(default(spec = None, cancel = None))]
    pub fn report(
        &self,
        registry: Arc<Registry>,
        spec: Option<String>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<String> {
        let spec: ReportSpec = parse_or_default("the report", spec.as_deref())?;
        let report = self.events.report(&registry.registry, &spec);
        to_json(&wait(cancel.as_deref(), report)?)
    }
}
