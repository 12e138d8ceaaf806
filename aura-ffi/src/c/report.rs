//! Reports, charts and rules.

use std::ffi::c_char;

use super::arguments::{optional_text, out, text};
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::guard;
use super::status::Status;
use crate::api;

/// Renders a report (JSON) as one file of HTML. `options` is JSON, NULL for the defaults: theme, templates, limits.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_report_html(
    report: *const c_char,
    options: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let (report, options) = (text("report", report)?, optional_text("options", options)?);
        out.give_bytes(api::report_html(report, options)?);
        Ok(())
    })
}

/// Renders a report (JSON) as Markdown. `options` is JSON, NULL for the defaults: templates, limits.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_report_markdown(
    report: *const c_char,
    options: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let (report, options) = (text("report", report)?, optional_text("options", options)?);
        out.give_bytes(api::report_markdown(report, options)?);
        Ok(())
    })
}

/// Draws a chart (JSON, as the figures of reports have it) as SVG, in the language `en` or `ru`.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_chart_svg(
    chart: *const c_char,
    language: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let (chart, language) = (text("chart", chart)?, text("language", language)?);
        out.give_bytes(api::chart_svg(chart, language)?);
        Ok(())
    })
}

/// Describes a chart (JSON) for Vega-Lite 5, as JSON, in the language `en` or `ru`.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_chart_vega_lite(
    chart: *const c_char,
    language: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let (chart, language) = (text("chart", chart)?, text("language", language)?);
        out.give_bytes(api::chart_vega_lite(chart, language)?);
        Ok(())
    })
}

/// Reads rules of insights from YAML or JSON and writes them as JSON, the form in which a spec takes them; for NULL, those that come
/// with AURA.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_rules_json(
    rules: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let rules = optional_text("rules", rules)?;
        out.give_bytes(api::rules_json(rules)?);
        Ok(())
    })
}
