//! Texts and bytes that a call answers with.

use std::ffi::c_char;
use std::sync::Arc;

use super::arguments::{Out, release};

/// A text or bytes that a call answered with: JSON, HTML, Parquet. A byte of zero follows the last, so that a text is one of C.
pub struct Bytes(Vec<u8>);

impl Out<*mut Bytes> {
    /// Hands a text or bytes out.
    pub(super) fn give_bytes(self, bytes: impl Into<Vec<u8>>) {
        let mut bytes = bytes.into();
        bytes.push(0);
        self.give(Arc::new(Bytes(bytes)));
    }
}

/// Returns the first byte; as a text of C it ends with NUL. NULL for NULL.
///
/// Ownership: `bytes` stays with the caller; what is pointed to is part of it and goes with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_bytes_data(bytes: *const Bytes) -> *const c_char {
    // SAFETY: NULL or a live handle, as the header demands.
    unsafe { bytes.as_ref() }.map_or(std::ptr::null(), |bytes| bytes.0.as_ptr().cast())
}

/// Returns the number of bytes, without the zero behind them; 0 for NULL.
///
/// Ownership: `bytes` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_bytes_length(bytes: *const Bytes) -> usize {
    // SAFETY: NULL or a live handle, as the header demands.
    unsafe { bytes.as_ref() }.map_or(0, |bytes| bytes.0.len().saturating_sub(1))
}

/// Lets go of bytes.
///
/// Ownership: takes `bytes`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_bytes_free(bytes: *mut Bytes) {
    release(bytes);
}
