//! Events, and every question to them.

use std::sync::Arc;

use aura_core::behavior::Analysis;
use aura_core::engine::{EngineSettings, Events as CoreEvents};
use aura_core::event::Roles;
use aura_core::insight::Insights;
use aura_core::metric::MetricQuery;
use aura_core::report::ReportSpec;
use aura_core::{Result, json};
use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Uint8ArraySlice};
use napi_derive::napi;

use crate::error::written;
use crate::registry::Registry;
use crate::report::Report;
use crate::table::Table;
use crate::wait::{Cancel, aside, promise};

/// Events of the core.
#[napi]
pub struct Events {
    events: CoreEvents,
}

impl Events {
    pub(crate) fn new(events: CoreEvents) -> Self {
        Events { events }
    }
}

fn settings(roles: &str, engine: &str) -> Result<(Roles, EngineSettings)> {
    let roles = json::parse("the roles", roles)?;
    let engine = json::parse("the settings of the engine", engine)?;
    Ok((roles, engine))
}

#[napi]
impl Events {
    /// Takes a table in the form of Arrow IPC.
    #[napi]
    pub fn from_ipc<'env>(
        env: &'env Env,
        content: Uint8ArraySlice<'_>,
        roles: String,
        engine: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Events>> {
        // JavaScript may write into its memory while this is worked on.
        let content = content.to_vec();
        promise(env, cancel, async move {
            let (roles, engine) = settings(&roles, &engine)?;
            let events = aside(move || CoreEvents::from_ipc(content, &roles, &engine));
            Ok(Events::new(events.await?))
        })
    }

    /// Reads a file or the files of a glob.
    #[napi]
    pub fn from_files<'env>(
        env: &'env Env,
        pattern: String,
        roles: String,
        engine: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Events>> {
        promise(env, cancel, async move {
            let (roles, engine) = settings(&roles, &engine)?;
            let events = CoreEvents::from_files(&pattern, &roles, &engine).await?;
            Ok(Events::new(events))
        })
    }

    /// Reads the content of a file.
    #[napi]
    pub fn from_bytes<'env>(
        env: &'env Env,
        name: String,
        content: Uint8ArraySlice<'_>,
        roles: String,
        engine: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Events>> {
        let content = content.to_vec();
        promise(env, cancel, async move {
            let (roles, engine) = settings(&roles, &engine)?;
            let events = CoreEvents::from_bytes(&name, content, &roles, &engine).await?;
            Ok(Events::new(events))
        })
    }

    /// Names and types of the columns.
    #[napi]
    pub fn columns(&self) -> Vec<Vec<String>> {
        let schema = self.events.schema();
        let fields = schema.fields().iter();
        fields
            .map(|f| vec![f.name().clone(), f.data_type().to_string()])
            .collect()
    }

    #[napi]
    pub fn sql<'env>(
        &self,
        env: &'env Env,
        query: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Table>> {
        let events = self.events.clone();
        promise(env, cancel, async move {
            Ok(Table::new(events.sql(&query).await?))
        })
    }

    /// Answers an analysis, in its JSON form.
    #[napi]
    pub fn run<'env>(
        &self,
        env: &'env Env,
        spec: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Table>> {
        let events = self.events.clone();
        promise(env, cancel, async move {
            let spec: Analysis = json::parse("the analysis", &spec)?;
            Ok(Table::new(events.run(spec).await?))
        })
    }

    /// Answers a list of analyses in one pass.
    #[napi]
    pub fn run_all<'env>(
        &self,
        env: &'env Env,
        specs: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Vec<Table>>> {
        let events = self.events.clone();
        promise(env, cancel, async move {
            let specs: Vec<Analysis> = json::parse("the analyses", &specs)?;
            let tables = events.run_all(&specs).await?;
            Ok(tables.into_iter().map(Table::new).collect())
        })
    }

    /// Answers a question about metrics.
    #[napi]
    pub fn metrics<'env>(
        &self,
        env: &'env Env,
        registry: &Registry,
        query: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Table>> {
        let (events, registry) = (self.events.clone(), Arc::clone(&registry.registry));
        promise(env, cancel, async move {
            let query: MetricQuery = json::parse("the query", &query)?;
            Ok(Table::new(events.metrics(&registry, &query).await?))
        })
    }

    /// Tells how a question about metrics is answered.
    #[napi]
    pub fn explain_metrics<'env>(
        &self,
        env: &'env Env,
        registry: &Registry,
        query: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let (events, registry) = (self.events.clone(), Arc::clone(&registry.registry));
        promise(env, cancel, async move {
            let query: MetricQuery = json::parse("the query", &query)?;
            Ok(events.explain_metrics(&registry, &query).await?.text)
        })
    }

    /// Finds what changed; the findings come as JSON.
    #[napi]
    pub fn insights<'env>(
        &self,
        env: &'env Env,
        registry: &Registry,
        spec: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let (events, registry) = (self.events.clone(), Arc::clone(&registry.registry));
        promise(env, cancel, async move {
            let spec: Insights = json::parse("the question", &spec)?;
            written(&events.insights(&registry, &spec).await?)
        })
    }

    /// Makes a report.
    #[napi]
    pub fn report<'env>(
        &self,
        env: &'env Env,
        registry: &Registry,
        spec: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Report>> {
        let (events, registry) = (self.events.clone(), Arc::clone(&registry.registry));
        promise(env, cancel, async move {
            let spec: ReportSpec = json::parse("the report", &spec)?;
            Ok(Report::new(events.report(&registry, &spec).await?))
        })
    }
}
