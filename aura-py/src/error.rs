//! Errors of the core as exceptions: one class for each kind.

use std::error::Error as _;

use aura_core::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyType;
use serde::Serialize;

/// The class of a kind, in `aura._errors`.
fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSpec => "InvalidSpecError",
        ErrorKind::InvalidData => "InvalidDataError",
        ErrorKind::NotFound => "NotFoundError",
        ErrorKind::Conflict => "ConflictError",
        ErrorKind::Denied => "DeniedError",
        ErrorKind::Unavailable => "UnavailableError",
        ErrorKind::ResourceExhausted => "ResourceExhaustedError",
        ErrorKind::Cancelled => "CancelledError",
        ErrorKind::Internal => "InternalError",
        // A kind that is newer than this list is still an error of the library.
        _ => "AuraError",
    }
}

/// Makes the exception of an error. What caused it, in the words of the causes, is its attribute `causes`.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let make = || -> PyResult<Bound<'_, PyAny>> {
        let class = py
            .import("aura._errors")?
            .getattr(class_name(error.kind()))?;
        let exception = class.cast::<PyType>()?.call1((error.message(),))?;
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            causes.push(inner.to_string());
            cause = inner.source();
        }
        if !causes.is_empty() {
            exception.setattr("causes", causes)?;
        }
        Ok(exception)
    };
    match make() {
        Ok(exception) => PyErr::from_value(exception),
        Err(other) => other,
    }
}

/// Turns a result of the core into one of Python.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for aura_core::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error))
    }
}

/// Writes a value of the core as JSON.
///
/// # Errors
/// `Internal` for what has no such form, which no value of the core is.
pub(crate) fn written(value: &impl Serialize) -> aura_core::Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::internal(format!("a value cannot be written as JSON: {e}")))
}
