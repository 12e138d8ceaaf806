//! What belongs to no object.

use aura_core::insight::Rules;
use aura_core::json;
use aura_core::report::chart::Chart;
use aura_core::report::{Language, RenderOptions, Report};

use super::{Result, parse_or_default, to_json};
use aura_core::Error;

/// Returns the version of AURA.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Returns the JSON Schemas of specs and options: an object of them by name.
#[uniffi::export]
pub fn schemas() -> Result<String> {
    let schemas: serde_json::Map<_, _> = json::schemas()
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema.to_value()))
        .collect();
    to_json(&schemas)
}

/// Renders a report (JSON) as one file of HTML. `options` is JSON: theme, templates, limits.
#[uniffi::export(default(options = None))]
pub fn report_html(report: String, options: Option<String>) -> Result<String> {
    let report: Report = json::parse("the report", &report)?;
    let options: RenderOptions = parse_or_default("the options", options.as_deref())?;
    Ok(report.to_html_with(&options)?)
}

/// Renders a report (JSON) as Markdown. `options` is JSON: templates, limits.
#[uniffi::export(default(options = None))]
pub fn report_markdown(report: String, options: Option<String>) -> Result<String> {
    let report: Report = json::parse("the report", &report)?;
    let options: RenderOptions = parse_or_default("the options", options.as_deref())?;
    Ok(report.to_markdown_with(&options)?)
}

fn language(text: String) -> Result<Language> {
    let language = serde_json::from_value(text.into());
    Ok(language.map_err(|e| Error::invalid_spec(format!("the language: {e}")))?)
}

/// Draws a chart (JSON, as the figures of reports have it) as SVG, in the language `en` or `ru`.
#[uniffi::export]
pub fn chart_svg(chart: String, language: String) -> Result<String> {
    let chart: Chart = json::parse("the chart", &chart)?;
    Ok(chart.to_svg(self::language(language)?)?)
}

/// Describes a chart (JSON) for Vega-Lite 5, as JSON, in the language `en` or `ru`.
#[uniffi::export]
pub fn chart_vega_lite(chart: String, language: String) -> Result<String> {
    let chart: Chart = json::parse("the chart", &chart)?;
    to_json(&chart.to_vega_lite(self::language(language)?)?)
}

/// Reads rules of insights from YAML or JSON and returns them as JSON, the form in which a spec takes them; without a text,
/// those that come with AURA.
#[uniffi::export(default(text = None))]
pub fn rules_json(text: Option<String>) -> Result<String> {
    let rules = match text {
        Some(text) => Rules::parse(&text)?,
        None => Rules::builtin()?,
    };
    to_json(&rules)
}
