//! What is ingested.

use std::ffi::{c_char, c_void};
use std::io::{Error as IoError, Read};

use aura_core::Error;
use aura_core::arrow::ffi_stream::FFI_ArrowArrayStream;
use aura_core::ingest::Source as CoreSource;

use super::arguments::{content, optional_text, out, release, text};
use super::arrow_in::Stream;
use super::failure::Failure;
use super::guard::guard;
use super::status::Status;
use crate::api::Source;

/// Gives bytes: writes at most `capacity` of them to `into` and returns how many, 0 at the end, a negative number when it failed.
pub type ReadFunction =
    Option<unsafe extern "C" fn(user: *mut c_void, into: *mut u8, capacity: usize) -> i64>;

/// Is called once, when nothing is read any more.
pub type DoneFunction = Option<unsafe extern "C" fn(user: *mut c_void)>;

struct Done {
    done: DoneFunction,
    user: *mut c_void,
}

// SAFETY: the header demands that the functions can be called from any thread, one at a time.
unsafe impl Send for Done {}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(done) = self.done {
            // SAFETY: a function of the caller with the pointer that came with it.
            unsafe { done(self.user) };
        }
    }
}

struct CallerRead {
    read: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i64,
    done: Done,
}

impl Read for CallerRead {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        // SAFETY: a function of the caller with the pointer that came with it, and room for as many bytes as it is told.
        let read = unsafe { (self.read)(self.done.user, into.as_mut_ptr(), into.len()) };
        match usize::try_from(read) {
            Ok(read) if read <= into.len() => Ok(read),
            Ok(read) => Err(IoError::other(format!(
                "the function that reads gave {read} bytes where there was room for {}",
                into.len()
            ))),
            Err(_) => Err(IoError::other(format!(
                "the function that reads failed with {read}"
            ))),
        }
    }
}

/// Names a file, or all files that match a glob.
///
/// Ownership: `*source` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_source_path(
    path: *const c_char,
    source: *mut *mut Source,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("source", source)?;
        out.give(Source::path(text("path", path)?));
        Ok(())
    })
}

/// Takes the whole content of a file; `name` is used in messages.
///
/// Ownership: `data` is copied. `*source` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_source_bytes(
    name: *const c_char,
    data: *const u8,
    length: usize,
    source: *mut *mut Source,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("source", source)?;
        let name = text("name", name)?;
        out.give(Source::bytes(name, content("data", data, length)?));
        Ok(())
    })
}

/// Takes an Arrow C stream, which is read by the ingest.
///
/// Ownership: `stream` is taken over and marked as released, also when the call fails; threads of the library call it, one at a
/// time, and release it. `*source` and `*error` go to the caller, who frees them; `name` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_source_stream(
    name: *const c_char,
    stream: *mut FFI_ArrowArrayStream,
    source: *mut *mut Source,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let stream = Stream::take(stream);
        let (out, stream) = (out("source", source)?, stream?);
        let name = text("name", name)?;
        out.give(Source::of(CoreSource::batches(name, stream.reader()?)));
        Ok(())
    })
}

/// Names a git repository, whose history is read. `options` is JSON, NULL for the defaults.
///
/// Ownership: `*source` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_source_git(
    path: *const c_char,
    options: *const c_char,
    source: *mut *mut Source,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("source", source)?;
        let (path, options) = (text("path", path)?, optional_text("options", options)?);
        out.give(Source::git(path, options)?);
        Ok(())
    })
}

/// Takes bytes as a function of the caller gives them: it writes at most `capacity` bytes to `into` and returns how many, 0 at the end,
/// or a negative number when it failed. `done`, unless it is NULL, is called once, when nothing will be read any more. Both are called by
/// threads of the library, one at a time, and neither may throw, jump out, or call AURA with the store that reads.
///
/// Ownership: `user` is handed to both functions and must live until `done` was called; that is so also when this call fails, which
/// calls `done` itself. `*source` and `*error` go to the caller, who frees them; `name` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_source_reader(
    name: *const c_char,
    read: ReadFunction,
    done: DoneFunction,
    user: *mut c_void,
    source: *mut *mut Source,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let done = Done { done, user };
        let out = out("source", source)?;
        let name = text("name", name)?;
        let read = read.ok_or_else(|| {
            Error::invalid_spec("the argument `read` is NULL; expected a function")
        })?;
        out.give(Source::of(CoreSource::reader(
            name,
            CallerRead { read, done },
        )));
        Ok(())
    })
}

/// Lets go of a source. An ingest that reads it goes on.
///
/// Ownership: takes `source`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_source_free(source: *mut Source) {
    release(source);
}
