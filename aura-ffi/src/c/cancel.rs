//! Stopping calls.

use std::sync::Arc;

use super::arguments::{optional_handle, release};
use super::guard::quietly;
use crate::api::Cancel;

/// Makes what stops calls from another thread: give it to them, and call `aura_cancel_now`.
///
/// Ownership: the result goes to the caller, who frees it with `aura_cancel_free`. NULL only when memory is out.
#[unsafe(no_mangle)]
pub extern "C" fn aura_cancel_new() -> *mut Cancel {
    Arc::into_raw(Cancel::new()).cast_mut()
}

/// Stops the calls that it was given to, and those that it is given to later: they return `AURA_STATUS_CANCELLED`.
///
/// Ownership: `cancel` stays with the caller; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_cancel_now(cancel: *const Cancel) {
    quietly(|| {
        if let Some(cancel) = optional_handle(cancel) {
            cancel.cancel();
        }
    });
}

/// Returns whether `aura_cancel_now` was called.
///
/// Ownership: `cancel` stays with the caller; NULL is never cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_cancel_is_cancelled(cancel: *const Cancel) -> bool {
    quietly(|| optional_handle(cancel).is_some_and(|cancel| cancel.is_cancelled()))
}

/// Lets go of it. Calls that run with it go on.
///
/// Ownership: takes `cancel`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_cancel_free(cancel: *mut Cancel) {
    release(cancel);
}
