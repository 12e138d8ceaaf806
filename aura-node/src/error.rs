//! Errors of the core, on their way to the classes of the package.

use std::error::Error as _;

use aura_core::Error;
use napi::Status;
use serde::Serialize;

/// What the message of an error of the core begins with; the TypeScript side reads the rest.
const MARK: &str = "aura:";

#[derive(Serialize)]
struct Told<'a> {
    code: &'a str,
    message: &'a str,
    causes: Vec<String>,
}

/// Makes the error that Node gets.
///
/// An error of napi has a code of its own kind in synchronous calls and another in promises, and no room for causes. So all
/// that there is to say goes as JSON in the message, the same way in both, and becomes an error of its class on the other side.
pub(crate) fn rejected(error: &Error) -> napi::Error {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    let told = Told {
        code: error.kind().code(),
        message: error.message(),
        causes,
    };
    let told = serde_json::to_string(&told).unwrap_or_else(|_| error.message().to_owned());
    napi::Error::new(Status::GenericFailure, format!("{MARK}{told}"))
}

/// Turns a result of the core into one of napi.
pub(crate) trait OrReject<T> {
    fn or_reject(self) -> napi::Result<T>;
}

impl<T> OrReject<T> for aura_core::Result<T> {
    fn or_reject(self) -> napi::Result<T> {
        self.map_err(|error| rejected(&error))
    }
}

/// Writes a value as JSON.
///
/// # Errors
/// `Internal`.
pub(crate) fn written(value: &impl Serialize) -> aura_core::Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::internal(format!("an answer cannot be written as JSON: {e}")))
}
