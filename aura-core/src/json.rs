//! Specs as JSON: the form in which they come from other languages, and its schemas.

use schemars::{Schema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::behavior::Analysis;
use crate::engine::EngineSettings;
use crate::event::Roles;
use crate::ingest::{Format, Limits, Preset};
use crate::insight::{Findings, Insights};
use crate::metric::MetricQuery;
use crate::metric::query::{SqlDialect, SqlSource};
use crate::report::{CsvOptions, ExportFormat, RenderOptions, ReportSpec};
use crate::store::StoreSettings;
use crate::{Error, Result};

/// Reads a spec, or any other value, from its JSON form. `what` is what the message calls it.
///
/// # Errors
/// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) naming the field for JSON that is none of it, and the place for text that is
/// no JSON.
///
/// # Examples
/// ```
/// use aura_core::behavior::Analysis;
///
/// let error = aura_core::json::parse::<Analysis>("the analysis", r#"{"funnel": {"step": []}}"#).unwrap_err();
/// assert!(error.message().starts_with("the analysis: unknown field `step`, expected one of `steps`"));
/// ```
pub fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| {
        let mut message = format!("{what}: {e}");
        // A caller that wrote no text itself knows no lines of it.
        if e.classify() == Category::Data
            && let Some(at) = message.rfind(" at line ")
        {
            message.truncate(at);
        }
        Error::invalid_spec(message)
    })
}

/// Returns the JSON Schema of each spec and each set of options, by its name in snake case. The signatures and types of the
/// bindings are made from them.
///
/// # Examples
/// ```
/// let schemas = aura_core::json::schemas();
/// let (_, roles) = schemas.iter().find(|(name, _)| *name == "roles").unwrap();
/// assert_eq!(roles.pointer("/properties/actor/type"), Some(&serde_json::json!(["string", "null"])));
/// ```
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("analysis", schema_for!(Analysis)),
        ("metric_query", schema_for!(MetricQuery)),
        ("insights", schema_for!(Insights)),
        ("findings", schema_for!(Findings)),
        ("report_spec", schema_for!(ReportSpec)),
        ("render_options", schema_for!(RenderOptions)),
        ("export_format", schema_for!(ExportFormat)),
        ("csv_options", schema_for!(CsvOptions)),
        ("roles", schema_for!(Roles)),
        ("engine_settings", schema_for!(EngineSettings)),
        ("store_settings", schema_for!(StoreSettings)),
        ("limits", schema_for!(Limits)),
        ("format", schema_for!(Format)),
        ("preset", schema_for!(Preset)),
        ("sql_source", schema_for!(SqlSource)),
        ("sql_dialect", schema_for!(SqlDialect)),
        #[cfg(feature = "git")]
        ("git_options", schema_for!(crate::ingest::GitOptions)),
    ]
}
