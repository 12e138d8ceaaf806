//! Definitions of metrics.

use std::ffi::c_char;

use super::arguments::{handle, optional_handle, optional_text, out, release, text};
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::{guard, quietly};
use super::status::Status;
use crate::api::{Registry, to_json};

/// Reads definitions of metrics from YAML or JSON. `parameters` is a JSON object with the values of their parameters, NULL for none.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_parse(
    definitions: *const c_char,
    parameters: *const c_char,
    result: *mut *mut Registry,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        let definitions = text("definitions", definitions)?;
        let parameters = optional_text("parameters", parameters)?;
        out.give(Registry::parse(definitions, parameters)?);
        Ok(())
    })
}

/// Reads definitions of metrics from a file of YAML or JSON.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_load(
    path: *const c_char,
    parameters: *const c_char,
    result: *mut *mut Registry,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        let path = text("path", path)?;
        let parameters = optional_text("parameters", parameters)?;
        out.give(Registry::load(path, parameters)?);
        Ok(())
    })
}

/// Returns the metrics that come with AURA.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_builtin(
    parameters: *const c_char,
    result: *mut *mut Registry,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        let parameters = optional_text("parameters", parameters)?;
        out.give(Registry::builtin(parameters)?);
        Ok(())
    })
}

/// Returns a registry with the definitions of a text beside it, which may use its own.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_extend(
    registry: *const Registry,
    definitions: *const c_char,
    parameters: *const c_char,
    result: *mut *mut Registry,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        let registry = handle("registry", registry)?;
        let definitions = text("definitions", definitions)?;
        let parameters = optional_text("parameters", parameters)?;
        out.give(registry.extend(definitions, parameters)?);
        Ok(())
    })
}

/// Returns two registries as one.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_merge(
    registry: *const Registry,
    other: *const Registry,
    result: *mut *mut Registry,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        let registry = handle("registry", registry)?;
        out.give(registry.merge(handle("other", other)?)?);
        Ok(())
    })
}

/// Returns the version that the definitions state; 0 for NULL.
///
/// Ownership: `registry` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_version(registry: *const Registry) -> u32 {
    quietly(|| optional_handle(registry).map_or(0, |registry| registry.version()))
}

/// Writes the names of the metrics: a JSON list.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_names(
    registry: *const Registry,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let registry = handle("registry", registry)?;
        out.give_bytes(to_json(&registry.names())?);
        Ok(())
    })
}

/// Writes the definitions as YAML.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_yaml(
    registry: *const Registry,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let registry = handle("registry", registry)?;
        out.give_bytes(registry.to_yaml()?);
        Ok(())
    })
}

/// Writes the definitions as JSON.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_json(
    registry: *const Registry,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let registry = handle("registry", registry)?;
        out.give_bytes(registry.to_json()?);
        Ok(())
    })
}

/// Writes a page in Markdown about all metrics.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_reference(
    registry: *const Registry,
    title: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let registry = handle("registry", registry)?;
        let title = text("title", title)?;
        out.give_bytes(registry.reference(title));
        Ok(())
    })
}

/// Writes what changed from this registry to a newer one: a JSON list of objects with `path`, `compatibility` and `why`.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_compare(
    registry: *const Registry,
    newer: *const Registry,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let registry = handle("registry", registry)?;
        out.give_bytes(registry.compare(handle("newer", newer)?)?);
        Ok(())
    })
}

/// Writes a question about metrics as SQL of another engine. `query` and `source` (the table) are JSON; `dialect` is `duckdb`, `postgresql`,
/// `snowflake`, `databricks` or `bigquery`.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_sql(
    registry: *const Registry,
    query: *const c_char,
    source: *const c_char,
    dialect: *const c_char,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let registry = handle("registry", registry)?;
        let (query, source) = (text("query", query)?, text("source", source)?);
        let dialect = text("dialect", dialect)?;
        out.give_bytes(registry.to_sql(query, source, dialect)?);
        Ok(())
    })
}

/// Lets go of a registry. Calls that run with it go on.
///
/// Ownership: takes `registry`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_registry_free(registry: *mut Registry) {
    release(registry);
}
