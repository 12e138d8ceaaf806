//! Events, and every question to them.

use std::ffi::c_char;

use aura_core::Error;
use aura_core::arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use aura_core::arrow::ffi_stream::FFI_ArrowArrayStream;

use super::arguments::{
    Out, Places, content, handle, optional_handle, optional_text, out, release, text,
};
use super::arrow_in::{self, Stream};
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::guard;
use super::status::Status;
use crate::api::{Cancel, Events, Registry, Table};

/// Reads a file, or all files that match a glob: Parquet, CSV, NDJSON, JSON or Arrow IPC, plain, gzip or zstd. Parquet is read when a
/// question needs it, all else now. `roles` says which columns are the actor, the event and the time, `engine` bounds what a question
/// takes: both JSON, NULL for the defaults.
///
/// Ownership: `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_events_from_files(
    pattern: *const c_char,
    roles: *const c_char,
    engine: *const c_char,
    cancel: *const Cancel,
    events: *mut *mut Events,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("events", events)?;
        let (roles, engine) = (
            optional_text("roles", roles)?,
            optional_text("engine", engine)?,
        );
        let pattern = text("pattern", pattern)?;
        out.give(Events::from_files(
            pattern,
            roles,
            engine,
            optional_handle(cancel),
        )?);
        Ok(())
    })
}

/// Reads the content of such a file; `name` is used in messages.
///
/// Ownership: `data` is copied. `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_events_from_bytes(
    name: *const c_char,
    data: *const u8,
    length: usize,
    roles: *const c_char,
    engine: *const c_char,
    cancel: *const Cancel,
    events: *mut *mut Events,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("events", events)?;
        let (roles, engine) = (
            optional_text("roles", roles)?,
            optional_text("engine", engine)?,
        );
        let (name, content) = (text("name", name)?, content("data", data, length)?);
        out.give(Events::from_bytes(
            name,
            content,
            roles,
            engine,
            optional_handle(cancel),
        )?);
        Ok(())
    })
}

/// Takes a table as bytes of Arrow IPC, of the streaming or the file format, as `aura_events_from_stream` takes one: its columns are those
/// of the events.
///
/// Ownership: `data` is copied. `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_events_from_ipc(
    data: *const u8,
    length: usize,
    roles: *const c_char,
    engine: *const c_char,
    events: *mut *mut Events,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("events", events)?;
        let (roles, engine) = (
            optional_text("roles", roles)?,
            optional_text("engine", engine)?,
        );
        out.give(Events::from_ipc(
            content("data", data, length)?,
            roles,
            engine,
        )?);
        Ok(())
    })
}

/// Takes the tables of an Arrow C stream, without copying them. The stream is read to its end, now.
///
/// Ownership: `stream` is taken over and marked as released, also when the call fails; `*events` and `*error` go to the caller,
/// who frees them; all else stays with the caller. The buffers are released, by any thread, when nothing uses them any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_events_from_stream(
    stream: *mut FFI_ArrowArrayStream,
    roles: *const c_char,
    engine: *const c_char,
    events: *mut *mut Events,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let stream = Stream::take(stream);
        let (out, stream) = (out("events", events)?, stream?);
        let (roles, engine) = (
            optional_text("roles", roles)?,
            optional_text("engine", engine)?,
        );
        out.give(Events::from_batches(
            stream.batches()?,
            roles.as_deref(),
            engine.as_deref(),
        )?);
        Ok(())
    })
}

/// Takes one table, an Arrow array of structs with its schema, without copying it.
///
/// Ownership: `array` and `schema` are taken over and marked as released, also when the call fails; `*events` and `*error` go to
/// the caller, who frees them; all else stays with the caller. The buffers are released, by any thread, when nothing uses them any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_events_from_array(
    array: *mut FFI_ArrowArray,
    schema: *mut FFI_ArrowSchema,
    roles: *const c_char,
    engine: *const c_char,
    events: *mut *mut Events,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let batch = arrow_in::array(array, schema);
        let (out, batch) = (out("events", events)?, batch?);
        let (roles, engine) = (
            optional_text("roles", roles)?,
            optional_text("engine", engine)?,
        );
        out.give(Events::from_batches(
            vec![batch],
            roles.as_deref(),
            engine.as_deref(),
        )?);
        Ok(())
    })
}

/// Writes the schema of the table `events`, as SQL sees it.
///
/// Ownership: `*schema` goes to the caller, who calls its `release`; what was in it is overwritten. `*error` goes to the caller, who
/// frees it; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_events_schema(
    events: *const Events,
    schema: *mut FFI_ArrowSchema,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = Out::new("schema", schema)?;
        let schema = handle("events", events)?.events.schema();
        out.put(FFI_ArrowSchema::try_from(schema.as_ref()).map_err(Error::from)?);
        Ok(())
    })
}

/// Answers a query in SQL over the table `events`.
///
/// Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_sql(
    events: *const Events,
    query: *const c_char,
    cancel: *const Cancel,
    table: *mut *mut Table,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("table", table)?;
        let events = handle("events", events)?;
        let query = text("query", query)?;
        out.give(events.sql(query, optional_handle(cancel))?);
        Ok(())
    })
}

/// Answers an analysis of behaviour in its JSON form, for example `{"funnel": {"steps": ["view", "buy"], "within": "7d"}}`.
///
/// Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_run(
    events: *const Events,
    spec: *const c_char,
    cancel: *const Cancel,
    table: *mut *mut Table,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("table", table)?;
        let events = handle("events", events)?;
        let spec = text("spec", spec)?;
        out.give(events.run(spec, optional_handle(cancel))?);
        Ok(())
    })
}

/// Answers a JSON list of analyses, at most 100, in one pass over the events. `count` is how many the list has, and `tables` a place for
/// as many.
///
/// Ownership: The `count` handles in `tables` and `*error` go to the caller, who frees each; when the call fails all are NULL. All else
/// stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_run_all(
    events: *const Events,
    specs: *const c_char,
    cancel: *const Cancel,
    tables: *mut *mut Table,
    count: usize,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let tables = Places::new("tables", tables, count)?;
        let events = handle("events", events)?;
        let specs = text("specs", specs)?;
        let answers = events.run_all(specs, optional_handle(cancel))?;
        tables.give(answers)?;
        Ok(())
    })
}

/// Answers a question about metrics in its JSON form, for example `{"metrics": ["active_actors"], "grain": "week"}`.
///
/// Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_metrics(
    events: *const Events,
    registry: *const Registry,
    query: *const c_char,
    cancel: *const Cancel,
    table: *mut *mut Table,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("table", table)?;
        let events = handle("events", events)?;
        let registry = handle("registry", registry)?;
        let query = text("query", query)?;
        out.give(events.metrics(registry, query, optional_handle(cancel))?);
        Ok(())
    })
}

/// Tells how a question about metrics is answered, in words.
///
/// Ownership: `*explanation` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_explain_metrics(
    events: *const Events,
    registry: *const Registry,
    query: *const c_char,
    cancel: *const Cancel,
    explanation: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("explanation", explanation)?;
        let events = handle("events", events)?;
        let registry = handle("registry", registry)?;
        let query = text("query", query)?;
        out.give_bytes(events.explain_metrics(registry, query, optional_handle(cancel))?);
        Ok(())
    })
}

/// Says what changed in the metrics, whether it matters, why, and what to do: findings as JSON. `spec` is JSON, NULL for the defaults.
///
/// Ownership: `*findings` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_insights(
    events: *const Events,
    registry: *const Registry,
    spec: *const c_char,
    cancel: *const Cancel,
    findings: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("findings", findings)?;
        let events = handle("events", events)?;
        let registry = handle("registry", registry)?;
        let spec = optional_text("spec", spec)?;
        out.give_bytes(events.insights(registry, spec, optional_handle(cancel))?);
        Ok(())
    })
}

/// Makes a report as JSON, for `aura_report_html` and `aura_report_markdown`. `spec` is JSON, NULL for what fits the events.
///
/// Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_report(
    events: *const Events,
    registry: *const Registry,
    spec: *const c_char,
    cancel: *const Cancel,
    report: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("report", report)?;
        let events = handle("events", events)?;
        let registry = handle("registry", registry)?;
        let spec = optional_text("spec", spec)?;
        out.give_bytes(events.report(registry, spec, optional_handle(cancel))?);
        Ok(())
    })
}

/// Lets go of events. Calls that run with them go on.
///
/// Ownership: takes `events`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_events_free(events: *mut Events) {
    release(events);
}
