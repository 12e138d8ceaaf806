//! Reports, and charts by themselves.

use std::sync::Arc;

use aura_core::json;
use aura_core::report::chart::Chart;
use aura_core::report::{Language, RenderOptions, Report as CoreReport};
use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;

use crate::error::{OrReject, written};
use crate::wait::{Cancel, aside, promise};

/// A report of the core.
#[napi]
pub struct Report {
    report: Arc<CoreReport>,
}

impl Report {
    pub(crate) fn new(report: CoreReport) -> Self {
        Report {
            report: Arc::new(report),
        }
    }
}

#[napi]
impl Report {
    /// Takes a report in its JSON form.
    #[napi]
    pub fn parse(text: String) -> napi::Result<Report> {
        Ok(Report::new(json::parse("the report", &text).or_reject()?))
    }

    #[napi]
    pub fn to_json(&self) -> napi::Result<String> {
        written(&*self.report).or_reject()
    }

    /// Renders HTML, or else Markdown.
    #[napi]
    pub fn render<'env>(
        &self,
        env: &'env Env,
        html: bool,
        options: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let report = Arc::clone(&self.report);
        promise(env, cancel, async move {
            let options: RenderOptions = json::parse("the options", &options)?;
            aside(move || match html {
                true => report.to_html_with(&options),
                false => report.to_markdown_with(&options),
            })
            .await
        })
    }
}

/// Draws a chart of a report, in its JSON form, as SVG.
#[napi]
pub fn chart_svg(chart: String, language: String) -> napi::Result<String> {
    let (chart, language) = chart_of(&chart, &language).or_reject()?;
    chart.to_svg(language).or_reject()
}

/// Writes a chart of a report, in its JSON form, for Vega-Lite, as JSON.
#[napi]
pub fn chart_vega_lite(chart: String, language: String) -> napi::Result<String> {
    let (chart, language) = chart_of(&chart, &language).or_reject()?;
    let vega = chart.to_vega_lite(language).or_reject()?;
    written(&vega).or_reject()
}

fn chart_of(chart: &str, language: &str) -> aura_core::Result<(Chart, Language)> {
    let chart = json::parse("the chart", chart)?;
    let language = json::parse("the language", language)?;
    Ok((chart, language))
}
