//! What went wrong in a call.

use std::error::Error as _;
use std::ffi::{CString, c_char};

use super::guard::quietly;
use super::status::Status;
use crate::api::AuraError;

/// What went wrong in a call: made by the call, owned by its caller, and of no thread.
pub struct Failure {
    status: Status,
    code: CString,
    message: CString,
    causes: Vec<CString>,
}

/// A text of C; where one ends in C, it goes on with a replacement character.
pub(super) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

impl Failure {
    pub(super) fn new(error: &AuraError) -> Self {
        let inner = error.inner();
        let mut causes = Vec::new();
        let mut cause = inner.source();
        while let Some(found) = cause {
            causes.push(c_text(&found.to_string()));
            cause = found.source();
        }
        Failure {
            status: error.into(),
            code: c_text(inner.kind().code()),
            message: c_text(inner.message()),
            causes,
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status
    }
}

/// Returns the kind of an error, which is what the function returned; `AURA_STATUS_OK` for NULL.
///
/// Ownership: `error` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_error_status(error: *const Failure) -> Status {
    // SAFETY: NULL or a live error, as the header demands.
    unsafe { error.as_ref() }.map_or(Status::Ok, Failure::status)
}

/// Returns the name of the kind, the same in all languages, for example `INVALID_SPEC`; an empty text for NULL.
///
/// Ownership: `error` stays with the caller; the text is part of it and goes with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_error_code(error: *const Failure) -> *const c_char {
    // SAFETY: NULL or a live error, as the header demands.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| error.code.as_ptr())
}

/// Returns what is wrong, what was found and what to do, in UTF-8; an empty text for NULL.
///
/// Ownership: `error` stays with the caller; the text is part of it and goes with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_error_message(error: *const Failure) -> *const c_char {
    // SAFETY: NULL or a live error, as the header demands.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Returns how many causes an error has.
///
/// Ownership: `error` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_error_cause_count(error: *const Failure) -> usize {
    // SAFETY: NULL or a live error, as the header demands.
    unsafe { error.as_ref() }.map_or(0, |error| error.causes.len())
}

/// Returns a cause, in words: the one at 0 is behind the error, the next behind that. NULL where there is none.
///
/// Ownership: `error` stays with the caller; the text is part of it and goes with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_error_cause(error: *const Failure, at: usize) -> *const c_char {
    // SAFETY: NULL or a live error, as the header demands.
    let cause = unsafe { error.as_ref() }.and_then(|error| error.causes.get(at));
    cause.map_or(std::ptr::null(), |cause| cause.as_ptr())
}

/// Lets go of an error.
///
/// Ownership: takes `error`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_error_free(error: *mut Failure) {
    quietly(|| {
        if !error.is_null() {
            // SAFETY: made by `guard` with `Box::into_raw`, and given up by the caller.
            drop(unsafe { Box::from_raw(error) });
        }
    });
}
