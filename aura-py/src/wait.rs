//! Waiting for the core: without the GIL, and with an ear for Ctrl-C.
//!
//! The core works on threads of its own, so the calling thread only waits. It looks after signals every
//! [`PATIENCE`]; when one raises, or the call is cancelled, the future is dropped, which stops the work.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use aura_core::ingest::{CancelToken, Progress, ProgressFn};
use aura_core::{Error, ErrorKind};
use pyo3::prelude::*;

use crate::error::raised;

/// How long a signal waits at most.
const PATIENCE: Duration = Duration::from_millis(50);

/// The process that has started the threads of the core; 0 before that.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Refuses to work in a process that was forked after the first call: threads do not come along.
///
/// # Errors
/// `Conflict`.
fn check_process() -> aura_core::Result<()> {
    let here = std::process::id();
    match OWNER.compare_exchange(0, here, Ordering::Relaxed, Ordering::Relaxed) {
        Err(owner) if owner != here => Err(Error::new(
            ErrorKind::Conflict,
            "this process was forked after AURA was used, and its threads stayed with the parent; start workers with the \
             method `spawn` or `forkserver`, or use AURA first in the worker",
        )),
        _ => Ok(()),
    }
}

/// Stops a call from another thread.
#[pyclass(frozen, module = "aura._aura")]
#[derive(Default)]
pub(crate) struct Cancel {
    token: CancelToken,
    waiting: Mutex<Option<Thread>>,
}

impl Cancel {
    fn waits(&self, thread: Option<Thread>) {
        *self
            .waiting
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = thread;
    }
}

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Cancel::default()
    }

    fn cancel(&self) {
        self.token.cancel();
        let waiting = self.waiting.lock();
        if let Some(thread) = &*waiting.unwrap_or_else(std::sync::PoisonError::into_inner) {
            thread.unpark();
        }
    }
}

/// The progress that an operation told last, kept for the thread that waits: it calls the host's function, so that this runs
/// where the host called from, and may raise.
pub(crate) struct Reporter {
    callback: Py<PyAny>,
    last: Arc<Mutex<Option<Progress>>>,
}

impl Reporter {
    /// Makes a reporter to be asked by this thread, and the function for the core.
    pub(crate) fn new(callback: Py<PyAny>) -> (Reporter, ProgressFn) {
        let last: Arc<Mutex<Option<Progress>>> = Arc::default();
        let (told, waiting) = (Arc::clone(&last), thread::current());
        let tell: ProgressFn = Arc::new(move |progress: &Progress| {
            *told
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(progress.clone());
            waiting.unpark();
        });
        (Reporter { callback, last }, tell)
    }

    fn report(&self) -> PyResult<()> {
        let last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        let Some(told) = last else {
            return Ok(());
        };
        let told = (
            told.bytes_read,
            told.bytes_total,
            told.rows_read,
            told.rejected,
        );
        Python::attach(|py| self.callback.call1(py, told).map(drop))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a call of the core.
///
/// # Errors
/// The error of the call as its exception; `KeyboardInterrupt`, or whatever the handler of a signal raises; `CancelledError`
/// after `cancel`; `ConflictError` after a fork.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    cancel: Option<&Cancel>,
    future: impl Future<Output = aura_core::Result<T>> + Send,
) -> PyResult<T> {
    wait_reporting(py, cancel, None, future)
}

/// Waits as [`wait`] does, and hands progress on meanwhile.
pub(crate) fn wait_reporting<T: Send>(
    py: Python<'_>,
    cancel: Option<&Cancel>,
    reporter: Option<&Reporter>,
    future: impl Future<Output = aura_core::Result<T>> + Send,
) -> PyResult<T> {
    check_process().map_err(|e| raised(py, &e))?;
    if let Some(cancel) = cancel {
        cancel.waits(Some(thread::current()));
    }
    let outcome: PyResult<aura_core::Result<T>> = py.detach(|| {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        let mut listened = Instant::now();
        loop {
            if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
                if let (Some(reporter), Ok(_)) = (reporter, &outcome) {
                    reporter.report()?;
                }
                return Ok(outcome);
            }
            if cancel.is_some_and(|cancel| cancel.token.is_cancelled()) {
                return Ok(Err(Error::new(
                    ErrorKind::Cancelled,
                    "the call was cancelled by its caller",
                )));
            }
            thread::park_timeout(PATIENCE);
            if let Some(reporter) = reporter {
                reporter.report()?;
            }
            if listened.elapsed() >= PATIENCE {
                Python::attach(|py| py.check_signals())?;
                listened = Instant::now();
            }
        }
    });
    if let Some(cancel) = cancel {
        cancel.waits(None);
    }
    outcome?.map_err(|error| raised(py, &error))
}
