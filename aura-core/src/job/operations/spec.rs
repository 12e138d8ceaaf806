//! What the operations are asked, in JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::behavior::Analysis;
use crate::event::Roles;
use crate::ingest::{Format, Limits, Preset};
use crate::insight::Insights;
use crate::metric::{MetricQuery, Registry};
use crate::report::ReportSpec;

/// The spec of a job that needs none: `{}` or null.
#[derive(Debug, Default)]
pub(super) struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}
        Option::<Empty>::deserialize(deserializer).map(|_| Nothing)
    }
}

/// Reads a source into the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IngestJob {
    /// A file or a glob, as the process of the worker sees it.
    pub source: String,
    /// Which columns are the roles.
    #[serde(default)]
    pub roles: Roles,
    /// The format, where it shall not be recognised by content.
    #[serde(default)]
    pub format: Option<Format>,
    /// The producer's format.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// A data contract, as YAML or JSON text.
    #[serde(default)]
    pub contract: Option<String>,
    /// Limits against bad input.
    #[serde(default)]
    pub limits: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpireJob {
    pub(super) older_than_us: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EraseJob {
    pub(super) actor: String,
}

/// Asks in SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlJob {
    /// The query; the table is called `events`.
    pub query: String,
    /// The file for the answer; its end names the format. Without one the rows are in the result.
    #[serde(default)]
    pub output: Option<String>,
}

/// Asks for metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsJob {
    /// The question.
    pub query: MetricQuery,
    /// A registry of metrics, as YAML or JSON text (default the one that comes with AURA).
    #[serde(default)]
    pub registry: Option<String>,
    /// The file for the answer; its end names the format. Without one the rows are in the result.
    #[serde(default)]
    pub output: Option<String>,
}

/// Runs an analysis of behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisJob {
    /// The analysis.
    pub analysis: Analysis,
    /// The file for the answer; its end names the format. Without one the rows are in the result.
    #[serde(default)]
    pub output: Option<String>,
}

/// Looks for what changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InsightsJob {
    /// The question.
    pub insights: Insights,
    /// A registry of metrics, as YAML or JSON text (default the one that comes with AURA).
    #[serde(default)]
    pub registry: Option<String>,
}

/// Writes a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportJob {
    /// What the report shall hold (default what fits the events).
    #[serde(default)]
    pub report: ReportSpec,
    /// A registry of metrics, as YAML or JSON text (default the one that comes with AURA).
    #[serde(default)]
    pub registry: Option<String>,
    /// The file for HTML.
    #[serde(default)]
    pub html: Option<String>,
    /// The file for Markdown.
    #[serde(default)]
    pub markdown: Option<String>,
}

pub(super) fn registry(text: Option<&str>) -> Result<Registry> {
    match text {
        Some(text) => Registry::parse(text),
        None => Registry::builtin(),
    }
}
