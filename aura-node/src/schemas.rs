//! The JSON Schemas of specs and options, from which `generate.mjs` writes types and methods.

use std::collections::BTreeMap;

use aura_core::insight::{Findings, Insights};
use aura_core::report::{CsvOptions, ExportFormat, RenderOptions, ReportSpec};
use napi_derive::napi;
use schemars::{Schema, schema_for};

use crate::error::{OrReject, written};

/// Returns the JSON Schema of each spec and each set of options, by its name, as JSON.
#[napi]
pub fn schemas() -> napi::Result<String> {
    let mut schemas: BTreeMap<&str, Schema> = aura_core::json::schemas().into_iter().collect();
    schemas.insert("insights", schema_for!(Insights));
    schemas.insert("findings", schema_for!(Findings));
    schemas.insert("report_spec", schema_for!(ReportSpec));
    schemas.insert("render_options", schema_for!(RenderOptions));
    schemas.insert("export_format", schema_for!(ExportFormat));
    schemas.insert("csv_options", schema_for!(CsvOptions));
    written(&schemas).or_reject()
}
