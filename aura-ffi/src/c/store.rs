//! The durable store: opening, writing, reading.

use std::ffi::{c_char, c_void};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

use aura_core::arrow::ffi_stream::FFI_ArrowArrayStream;
use aura_core::ingest::ProgressFn;
use aura_core::{Error, ErrorKind, Result};

use super::arguments::{handle, optional_handle, optional_text, out, release, text};
use super::arrow_in::Stream;
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::{guard, quietly};
use super::status::Status;
use crate::api::{Cancel, Contract, Events, IngestProgress, Source, Store, Table};

/// How far an ingest is. Numbers only grow.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct IngestState {
    /// Bytes of the sources read so far (compressed bytes of compressed sources).
    pub bytes_read: u64,
    /// Bytes of all sources; 0 where it is not known.
    pub bytes_total: u64,
    /// Rows read so far, rejected ones included.
    pub rows_read: u64,
    /// Rows rejected so far.
    pub rejected: u64,
}

/// Is told how far an ingest is; other than 0 cancels it.
pub type ProgressFunction =
    Option<unsafe extern "C" fn(user: *mut c_void, state: *const IngestState) -> i32>;

/// The progress that an ingest told last, kept for the thread that waits: it calls the caller's function, so that this runs
/// where the caller called from.
struct Teller {
    progress: unsafe extern "C" fn(*mut c_void, *const IngestState) -> i32,
    user: *mut c_void,
    last: Arc<Mutex<Option<IngestProgress>>>,
    waiting: Thread,
}

impl Teller {
    fn new(
        progress: unsafe extern "C" fn(*mut c_void, *const IngestState) -> i32,
        user: *mut c_void,
    ) -> Self {
        Teller {
            progress,
            user,
            last: Arc::default(),
            waiting: thread::current(),
        }
    }

    /// The function for the core.
    fn listener(&self) -> ProgressFn {
        let (last, waiting) = (Arc::clone(&self.last), self.waiting.clone());
        Arc::new(move |told| {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.into());
            waiting.unpark();
        })
    }

    /// Tells the caller what is new, and returns whether anything was.
    fn tell(&self) -> Result<bool> {
        let told = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(told) = told else {
            return Ok(false);
        };
        let state = IngestState {
            bytes_read: told.bytes_read,
            bytes_total: told.bytes_total.unwrap_or(0),
            rows_read: told.rows_read,
            rejected: told.rejected,
        };
        // SAFETY: a function of the caller with the pointer that came with it, on the thread that called.
        match unsafe { (self.progress)(self.user, &raw const state) } {
            0 => Ok(true),
            _ => Err(Error::new(
                ErrorKind::Cancelled,
                "the ingest was cancelled by the function that is told its progress; nothing of it was kept",
            )),
        }
    }
}

/// Opens the store in a directory, and makes it if there is none and `create` is true. `settings` is JSON, NULL for the defaults.
///
/// Ownership: `*store` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_open(
    path: *const c_char,
    create: bool,
    settings: *const c_char,
    store: *mut *mut Store,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("store", store)?;
        let (path, settings) = (text("path", path)?, optional_text("settings", settings)?);
        out.give(Store::open(path, create, settings)?);
        Ok(())
    })
}

/// Makes a store in memory, which is never written. `settings` is JSON, NULL for the defaults.
///
/// Ownership: `*store` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_open_memory(
    settings: *const c_char,
    store: *mut *mut Store,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("store", store)?;
        out.give(Store::open_memory(optional_text("settings", settings)?)?);
        Ok(())
    })
}

/// Reads a source into the store: all of it, or nothing when it fails. `options` is JSON, NULL for the defaults: `roles`, `format`, `preset`,
/// `limits`. `contract` may be NULL. `progress`, unless it is NULL, is called now and then by the calling thread; when it returns
/// other than 0 the ingest is cancelled. It may not throw or jump out.
///
/// Ownership: `*report` (JSON) and `*error` go to the caller, who frees them. `source` stays with the caller, who frees it, but it
/// can be read once only. `user` is handed to `progress`, and not used after the call. All else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_ingest(
    store: *const Store,
    source: *const Source,
    options: *const c_char,
    contract: *const Contract,
    progress: ProgressFunction,
    user: *mut c_void,
    cancel: *const Cancel,
    report: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("report", report)?;
        let (store, source) = (handle("store", store)?, handle("source", source)?);
        let options = optional_text("options", options)?;
        let contract = optional_handle(contract);
        let cancel = optional_handle(cancel);
        let teller = progress.map(|progress| Teller::new(progress, user));
        let report = store.ingest_reporting(
            &source,
            options.as_deref(),
            contract.as_deref(),
            teller.as_ref().map(Teller::listener),
            &mut || teller.as_ref().map_or(Ok(false), Teller::tell),
            cancel.as_deref(),
        )?;
        out.give_bytes(report);
        Ok(())
    })
}

/// Appends a small batch. It is on the disk when this returns. `options` (JSON) and `contract` may be NULL.
///
/// Ownership: `stream` is taken over and marked as released, also when the call fails; `*report` (JSON) and `*error` go to the
/// caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_append(
    store: *const Store,
    stream: *mut FFI_ArrowArrayStream,
    options: *const c_char,
    contract: *const Contract,
    cancel: *const Cancel,
    report: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let stream = Stream::take(stream);
        let (out, stream) = (out("report", report)?, stream?);
        let store = handle("store", store)?;
        let options = optional_text("options", options)?;
        let (contract, cancel) = (optional_handle(contract), optional_handle(cancel));
        let batch = stream.batch()?;
        out.give_bytes(store.append_batch(
            batch,
            options.as_deref(),
            contract.as_deref(),
            cancel.as_deref(),
        )?);
        Ok(())
    })
}

/// Returns the events as they are now; later writes do not change them.
///
/// Ownership: `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_events(
    store: *const Store,
    cancel: *const Cancel,
    events: *mut *mut Events,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("events", events)?;
        out.give(handle("store", store)?.events(optional_handle(cancel))?);
        Ok(())
    })
}

/// Returns the events of a snapshot of the past; `at` is JSON: `{"version": 3}`, or `{"time": 1767225600000000}` (UTC microseconds).
///
/// Ownership: `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_snapshot(
    store: *const Store,
    at: *const c_char,
    cancel: *const Cancel,
    events: *mut *mut Events,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("events", events)?;
        let store = handle("store", store)?;
        out.give(store.snapshot(text("at", at)?, optional_handle(cancel))?);
        Ok(())
    })
}

/// Returns the rejected rows.
///
/// Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_quarantine(
    store: *const Store,
    cancel: *const Cancel,
    table: *mut *mut Table,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("table", table)?;
        out.give(handle("store", store)?.quarantine(optional_handle(cancel))?);
        Ok(())
    })
}

/// Closes a store, and waits for its threads. Events that were taken from it stay usable; further calls to it are a `CONFLICT`.
///
/// Ownership: `store` stays with the caller, who frees it; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_close(store: *const Store) {
    quietly(|| {
        if let Some(store) = optional_handle(store) {
            store.close_store();
        }
    });
}

/// Returns whether a store was closed; true for NULL.
///
/// Ownership: `store` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_is_closed(store: *const Store) -> bool {
    quietly(|| optional_handle(store).is_none_or(|store| store.is_closed()))
}

/// Closes a store when no call runs with it, and lets go of it.
///
/// Ownership: takes `store`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_store_free(store: *mut Store) {
    release(store);
}
