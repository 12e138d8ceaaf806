//! The durable store: upkeep.

use std::ffi::c_char;

use super::arguments::{Out, handle, optional_handle, out, text};
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::guard;
use super::status::Status;
use crate::api::{Cancel, Store};

/// Writes the settings as JSON.
///
/// Ownership: `*settings` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_settings(
    store: *const Store,
    settings: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("settings", settings)?;
        let store = handle("store", store)?;
        out.give_bytes(store.settings()?);
        Ok(())
    })
}

/// Writes the snapshots: a JSON list of objects with `id` and `time_us`.
///
/// Ownership: `*snapshots` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_snapshots(
    store: *const Store,
    cancel: *const Cancel,
    snapshots: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("snapshots", snapshots)?;
        let store = handle("store", store)?;
        out.give_bytes(store.snapshots(optional_handle(cancel))?);
        Ok(())
    })
}

/// Writes what the store holds, as JSON.
///
/// Ownership: `*stats` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_stats(
    store: *const Store,
    cancel: *const Cancel,
    stats: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("stats", stats)?;
        let store = handle("store", store)?;
        out.give_bytes(store.stats(optional_handle(cancel))?);
        Ok(())
    })
}

/// Moves staged events to files, and writes their number.
///
/// Ownership: `*error` goes to the caller, who frees it; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_flush(
    store: *const Store,
    cancel: *const Cancel,
    count: *mut u64,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = Out::new("count", count)?;
        let store = handle("store", store)?;
        out.put(store.flush(optional_handle(cancel))?);
        Ok(())
    })
}

/// Rewrites small files into large ones, sorted; the report is JSON.
///
/// Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_compact(
    store: *const Store,
    cancel: *const Cancel,
    report: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("report", report)?;
        let store = handle("store", store)?;
        out.give_bytes(store.compact(optional_handle(cancel))?);
        Ok(())
    })
}

/// Drops events older than a moment (UTC microseconds); the report is JSON.
///
/// Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_expire(
    store: *const Store,
    older_than_us: i64,
    cancel: *const Cancel,
    report: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("report", report)?;
        let store = handle("store", store)?;
        out.give_bytes(store.expire(older_than_us, optional_handle(cancel))?);
        Ok(())
    })
}

/// Drops snapshots older than a moment (UTC microseconds), and writes their number.
///
/// Ownership: `*error` goes to the caller, who frees it; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_expire_snapshots(
    store: *const Store,
    older_than_us: i64,
    cancel: *const Cancel,
    count: *mut u64,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = Out::new("count", count)?;
        let store = handle("store", store)?;
        out.put(store.expire_snapshots(older_than_us, optional_handle(cancel))?);
        Ok(())
    })
}

/// Erases all events of an actor; the report is JSON.
///
/// Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_erase(
    store: *const Store,
    actor: *const c_char,
    cancel: *const Cancel,
    report: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("report", report)?;
        let store = handle("store", store)?;
        out.give_bytes(store.erase(text("actor", actor)?, optional_handle(cancel))?);
        Ok(())
    })
}
