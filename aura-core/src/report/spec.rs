//! What a report shall hold, as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::language::Language;
use crate::behavior::Analysis;
use crate::insight::Insights;
use crate::metric::MetricQuery;

/// What a report shall hold. Without sections it holds what fits the events: what changed, how many there are, the metrics of the registry
/// whose columns they have, and who comes back.
///
/// # Examples
/// ```
/// use aura_core::report::ReportSpec;
///
/// let spec: ReportSpec = serde_json::from_str(
///     r#"{"title": "Week", "language": "ru",
///         "sections": [{"title": "Активность", "show": {"metrics": {"metrics": ["active_actors"], "grain": "week"}}},
///                      {"show": {"analysis": {"retention": {"period": "week"}}}}]}"#,
/// )?;
/// assert_eq!(spec.sections.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReportSpec {
    /// The title; "Report" in the language unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The language.
    pub language: Language,
    /// The sections, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<SectionSpec>,
}

/// What a section shall hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionSpec {
    /// The heading; says what is shown unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is shown.
    pub show: Show,
}

/// What can be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// The answer to a question about metrics.
    Metrics(MetricQuery),
    /// The answer of an analysis of behaviour.
    Analysis(Analysis),
    /// What changed, whether it matters, why, and what to do.
    Findings(Box<Insights>),
}

impl ReportSpec {
    /// Asks for what fits the events, in English.
    pub fn new() -> ReportSpec {
        ReportSpec::default()
    }

    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the language.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Adds a section.
    #[must_use]
    pub fn section(mut self, show: Show) -> Self {
        self.sections.push(SectionSpec { title: None, show });
        self
    }
}
