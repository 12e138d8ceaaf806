//! The operations of the library as jobs: each has a name, a spec in JSON, and a result in JSON.
//!
//! | kind | spec | result |
//! |---|---|---|
//! | `ingest` | [`IngestJob`] | the [`IngestReport`](crate::ingest::IngestReport) |
//! | `flush` | `{}` | `{"rows": n}` |
//! | `compact` | `{}` | the [`CompactReport`](crate::store::CompactReport) |
//! | `expire` | `{"older_than_us": n}` | the [`ExpireReport`](crate::store::ExpireReport) |
//! | `erase` | `{"actor": "…"}` | the [`EraseReport`](crate::store::EraseReport) |
//! | `sql` | [`SqlJob`] | [`TableResult`] |
//! | `metrics` | [`MetricsJob`] | [`TableResult`] |
//! | `analysis` | [`AnalysisJob`] | [`TableResult`] |
//! | `insights` | [`InsightsJob`] | the [`Findings`](crate::insight::Findings) |
//! | `report` | [`ReportJob`] | the files that were written |
//!
//! Each may run again after a crash: an event counts once however often it is read, and a file is put in its place when it is whole.

mod output;
mod spec;

pub use output::TableResult;
pub use spec::{AnalysisJob, IngestJob, InsightsJob, MetricsJob, ReportJob, SqlJob};

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Handler, JobContext, JobError, PoolBuilder};
use crate::ingest::{IngestOptions, Source};
use crate::store::Store;
use crate::{Error, Result};
use output::{give, write_file};
use spec::{EraseJob, ExpireJob, Nothing};

/// An operation of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Ingest,
    Flush,
    Compact,
    Expire,
    Erase,
    Sql,
    Metrics,
    Analysis,
    Insights,
    Report,
}

const OPERATIONS: [(&str, Operation); 10] = [
    ("ingest", Operation::Ingest),
    ("flush", Operation::Flush),
    ("compact", Operation::Compact),
    ("expire", Operation::Expire),
    ("erase", Operation::Erase),
    ("sql", Operation::Sql),
    ("metrics", Operation::Metrics),
    ("analysis", Operation::Analysis),
    ("insights", Operation::Insights),
    ("report", Operation::Report),
];

/// Returns the kinds of jobs that the library does itself.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(kind, _)| *kind)
}

impl PoolBuilder {
    /// Adds a handler for each operation of the library, on `store`.
    #[must_use]
    pub fn operations(mut self, store: &Store) -> Self {
        for (kind, operation) in OPERATIONS {
            let store = store.clone();
            self = self.shared_handler(kind, Arc::new(OnStore { store, operation }));
        }
        self
    }
}

struct OnStore {
    store: Store,
    operation: Operation,
}

#[async_trait]
impl Handler for OnStore {
    async fn run(&self, job: JobContext) -> Result<Value, JobError> {
        let store = &self.store;
        let answer = match self.operation {
            Operation::Ingest => ingest(store, &job).await?,
            Operation::Flush => {
                job.parse::<Nothing>()?;
                json!({"rows": store.flush().await?})
            }
            Operation::Compact => {
                job.parse::<Nothing>()?;
                json_of(&store.compact().await?)?
            }
            Operation::Expire => {
                let spec: ExpireJob = job.parse()?;
                json_of(&store.expire(spec.older_than_us).await?)?
            }
            Operation::Erase => {
                let spec: EraseJob = job.parse()?;
                json_of(&store.erase(spec.actor).await?)?
            }
            Operation::Sql => {
                let spec: SqlJob = job.parse()?;
                let table = store.events().await?.sql(&spec.query).await?;
                give(&table, spec.output.as_deref())?
            }
            Operation::Metrics => {
                let spec: MetricsJob = job.parse()?;
                let registry = spec::registry(spec.registry.as_deref())?;
                let events = store.events().await?;
                let table = events.metrics(&registry, &spec.query).await?;
                give(&table, spec.output.as_deref())?
            }
            Operation::Analysis => {
                let spec: AnalysisJob = job.parse()?;
                let table = store.events().await?.run(spec.analysis).await?;
                give(&table, spec.output.as_deref())?
            }
            Operation::Insights => {
                let spec: InsightsJob = job.parse()?;
                let registry = spec::registry(spec.registry.as_deref())?;
                let events = store.events().await?;
                json_of(&events.insights(&registry, &spec.insights).await?)?
            }
            Operation::Report => report(store, &job).await?,
        };
        Ok(answer)
    }
}

async fn ingest(store: &Store, job: &JobContext) -> Result<Value, JobError> {
    let spec: IngestJob = job.parse()?;
    let contract = spec
        .contract
        .as_deref()
        .map(crate::event::contract::Contract::parse)
        .transpose()?;
    let said = job.clone();
    let options = IngestOptions {
        roles: spec.roles,
        format: spec.format,
        preset: spec.preset,
        contract: contract.map(Arc::new),
        limits: spec.limits,
        progress: None,
        cancel: job.cancel_token(),
    }
    .on_progress(move |progress| {
        if let Ok(progress) = serde_json::to_value(progress) {
            said.progress(progress);
        }
    });
    let report = store
        .ingest_with(Source::path(&spec.source), &options)
        .await?;
    json_of(&report)
}

async fn report(store: &Store, job: &JobContext) -> Result<Value, JobError> {
    let spec: ReportJob = job.parse()?;
    if spec.html.is_none() && spec.markdown.is_none() {
        return Err(Error::invalid_spec(
            "the spec of `report` names no file; expected `html`, `markdown` or both",
        )
        .into());
    }
    let registry = spec::registry(spec.registry.as_deref())?;
    let report = store
        .events()
        .await?
        .report(&registry, &spec.report)
        .await?;
    let mut files = Vec::new();
    for (file, html) in [(&spec.html, true), (&spec.markdown, false)] {
        let Some(file) = file else {
            continue;
        };
        let text = match html {
            true => report.to_html()?,
            false => report.to_markdown()?,
        };
        write_file(file, |mut out| {
            std::io::Write::write_all(&mut out, text.as_bytes())
                .map_err(|e| Error::io(format_args!("cannot write `{file}`"), e))
        })?;
        files.push(file.clone());
    }
    Ok(json!({"files": files, "title": report.title}))
}

fn json_of(value: &impl Serialize) -> Result<Value, JobError> {
    serde_json::to_value(value).map_err(|e| {
        Error::internal("a result cannot be written as JSON")
            .with_source(e)
            .into()
    })
}
