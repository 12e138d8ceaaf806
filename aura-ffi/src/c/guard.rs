//! The border: no panic crosses it, and every error becomes a number and an object.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aura_core::Error;

use super::failure::Failure;
use super::status::Status;
use crate::api::{AuraError, Result};

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
}

/// Runs a call, and gives its error to the caller.
pub(super) fn guard(error: *mut *mut Failure, call: impl FnOnce() -> Result<()>) -> Status {
    if !error.is_null() {
        // SAFETY: not NULL, so it points to a place for a pointer, as the header demands.
        unsafe { error.write(std::ptr::null_mut()) };
    }
    // What a panic leaves half done inside is never seen again: handles are locked or unchanging.
    let outcome = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let said = format!("AURA panicked: {}; please report it", said(&*panic));
        Err(AuraError::from(Error::internal(said)))
    });
    let Err(failed) = outcome else {
        return Status::Ok;
    };
    let failure = Failure::new(&failed);
    let status = failure.status();
    if !error.is_null() {
        // SAFETY: as above.
        unsafe { error.write(Box::into_raw(Box::new(failure))) };
    }
    status
}

/// Runs what cannot fail; a panic of it ends here.
pub(super) fn quietly<T: Default>(call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_default()
}
