//! Versions, and what belongs to no object.

use std::ffi::{CStr, c_char};

use aura_core::Error;

use super::arguments::out;
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::guard;
use super::status::Status;
use crate::api::schemas;

/// The version of this interface. It grows when a program that was compiled with an older header would go wrong; what is only
/// added leaves it as it is.
pub const AURA_ABI_VERSION: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// Returns the version of the library that is loaded, for example `0.1.0`.
///
/// Ownership: the text belongs to the library and stays.
#[unsafe(no_mangle)]
pub extern "C" fn aura_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Returns the version of the interface of the library that is loaded.
///
/// Ownership: nothing is owned.
#[unsafe(no_mangle)]
pub extern "C" fn aura_abi_version() -> u32 {
    AURA_ABI_VERSION
}

/// Checks that the library that is loaded fits the header that the program was compiled with:
/// `aura_check_abi(AURA_ABI_VERSION, &error)`. It is a `CONFLICT` when not.
///
/// Ownership: `*error` goes to the caller, who frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_check_abi(abi_version: u32, error: *mut *mut Failure) -> Status {
    guard(error, || {
        match abi_version {
        AURA_ABI_VERSION => Ok(()),
        other => Err(Error::new(
            aura_core::ErrorKind::Conflict,
            format!(
                "the program was compiled for version {other} of AURA's C interface, and the library that is loaded has version \
                 {AURA_ABI_VERSION} (AURA {}); compile the program with the header of that library, or load the other library",
                env!("CARGO_PKG_VERSION")
            ),
        )
        .into()),
    }
    })
}

/// Writes the JSON Schemas of specs and options: an object of them by name.
///
/// Ownership: `*json` and `*error` go to the caller, who frees them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_schemas(json: *mut *mut Bytes, error: *mut *mut Failure) -> Status {
    guard(error, || {
        let json = out("json", json)?;
        json.give_bytes(schemas()?);
        Ok(())
    })
}

/// Panics, for the test that no panic crosses into C. Only in builds with the feature `test-panic`, and not in the header.
#[cfg(feature = "test-panic")]
#[unsafe(no_mangle)]
#[allow(clippy::panic, reason = "this is what is tested")]
pub unsafe extern "C" fn aura_test_panic(error: *mut *mut Failure) -> Status {
    guard(error, || panic!("on purpose"))
}
