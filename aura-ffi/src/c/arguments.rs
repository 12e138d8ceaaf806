//! Arguments from C, checked and taken over, and answers to C.

use std::ffi::{CStr, c_char};
use std::sync::Arc;

use aura_core::{Error, ErrorKind};

use crate::api::Result;

fn null(name: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidSpec,
        format!("the argument `{name}` is NULL; expected {what}"),
    )
}

/// A text.
///
/// # Errors
/// `InvalidSpec` for NULL and for what is not UTF-8.
pub(super) fn text(name: &str, pointer: *const c_char) -> Result<String> {
    let text = optional_text(name, pointer)?;
    Ok(text.ok_or_else(|| null(name, "a text in UTF-8 that ends with NUL"))?)
}

/// A text that may be NULL.
pub(super) fn optional_text(name: &str, pointer: *const c_char) -> Result<Option<String>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, so it points to a text that ends with NUL, as the header demands.
    let text = unsafe { CStr::from_ptr(pointer) };
    let text = text.to_str().map_err(|e| {
        Error::invalid_spec(format!("the argument `{name}` is no text in UTF-8: {e}"))
    })?;
    Ok(Some(text.to_owned()))
}

/// Bytes, copied.
pub(super) fn content(name: &str, pointer: *const u8, length: usize) -> Result<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    if pointer.is_null() {
        return Err(null(name, &format!("{length} bytes")).into());
    }
    if length > isize::MAX as usize {
        let error = format!("the argument `{name}` has {length} bytes, which is more than memory");
        return Err(Error::invalid_spec(error).into());
    }
    // SAFETY: not NULL, so that many bytes can be read there, as the header demands.
    Ok(unsafe { std::slice::from_raw_parts(pointer, length) }.to_vec())
}

/// The object of a handle. The reference is counted, so that it outlives the call.
///
/// # Errors
/// `InvalidSpec` for NULL.
pub(super) fn handle<T>(name: &str, pointer: *const T) -> Result<Arc<T>> {
    let object = optional_handle(pointer);
    Ok(object.ok_or_else(|| null(name, "a handle"))?)
}

/// The object of a handle that may be NULL.
pub(super) fn optional_handle<T>(pointer: *const T) -> Option<Arc<T>> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not NULL, so it is a live handle, made with `Arc::into_raw`, as the header demands.
    unsafe {
        Arc::increment_strong_count(pointer);
        Some(Arc::from_raw(pointer))
    }
}

/// Lets go of a handle; NULL is none.
pub(super) fn release<T>(pointer: *mut T) {
    super::guard::quietly(|| {
        if !pointer.is_null() {
            // SAFETY: not NULL, so it is a live handle, made with `Arc::into_raw`, and given up by the caller.
            drop(unsafe { Arc::from_raw(pointer.cast_const()) });
        }
    });
}

/// A place for an answer.
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Checks the place.
    ///
    /// # Errors
    /// `InvalidSpec` for NULL.
    pub(super) fn new(name: &str, pointer: *mut T) -> Result<Self> {
        if pointer.is_null() {
            return Err(null(name, "a place for the answer").into());
        }
        Ok(Out(pointer))
    }

    pub(super) fn put(self, value: T) {
        // SAFETY: not NULL (checked), so it points to a place for an answer, which may be uninitialised, as the header demands.
        unsafe { self.0.write(value) };
    }
}

/// A place for a handle; NULL is in it until the answer is there.
pub(super) fn out<T>(name: &str, pointer: *mut *mut T) -> Result<Out<*mut T>> {
    let out = Out::new(name, pointer)?;
    // SAFETY: checked by `new`.
    unsafe { pointer.write(std::ptr::null_mut()) };
    Ok(out)
}

impl<T> Out<*mut T> {
    /// Hands an object out as a handle.
    pub(super) fn give(self, object: Arc<T>) {
        self.put(Arc::into_raw(object).cast_mut());
    }
}

/// Places for several handles; NULL is in them until the answers are there.
pub(super) struct Places<T>(*mut *mut T, usize);

impl<T> Places<T> {
    /// Checks the places.
    ///
    /// # Errors
    /// `InvalidSpec` for NULL.
    pub(super) fn new(name: &str, pointer: *mut *mut T, count: usize) -> Result<Self> {
        if pointer.is_null() {
            return Err(null(name, "a place for each answer").into());
        }
        for at in 0..count {
            // SAFETY: not NULL, so there is room for `count` pointers, as the header demands.
            unsafe { pointer.add(at).write(std::ptr::null_mut()) };
        }
        Ok(Places(pointer, count))
    }

    /// Hands objects out as handles.
    ///
    /// # Errors
    /// `InvalidSpec` when there are not as many as places.
    pub(super) fn give(self, objects: Vec<Arc<T>>) -> Result<()> {
        if objects.len() != self.1 {
            return Err(Error::invalid_spec(format!(
                "there are places for {} answers, and {} were asked for",
                self.1,
                objects.len()
            ))
            .into());
        }
        for (at, object) in objects.into_iter().enumerate() {
            // SAFETY: as in `new`.
            unsafe { self.0.add(at).write(Arc::into_raw(object).cast_mut()) };
        }
        Ok(())
    }
}
