//! Waiting for the core.
//!
//! The core works on threads of its own, so the calling thread only waits. When the call is cancelled, the future is dropped,
//! which stops the work.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use aura_core::{Error, ErrorKind, Result};

use crate::api::Cancel;

/// The process that has started the threads of the core; 0 before that.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Refuses to work in a process that was forked after the first call: threads do not come along.
fn check_process() -> Result<()> {
    let here = std::process::id();
    match OWNER.compare_exchange(0, here, Ordering::Relaxed, Ordering::Relaxed) {
        Err(owner) if owner != here => Err(Error::new(
            ErrorKind::Conflict,
            "this process was forked after AURA was used, and its threads stayed with the parent; use AURA first in the child, \
             or start the child with exec",
        )),
        _ => Ok(()),
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
/// The error of the call; `Cancelled` after `cancel`; `Conflict` after a fork.
pub(crate) fn wait<T>(
    cancel: Option<&Cancel>,
    future: impl Future<Output = Result<T>>,
) -> Result<T> {
    wait_reporting(cancel, &mut || Ok(false), future)
}

/// Waits as [`wait`] does, and calls `report` on this thread whenever it wakes up. It returns whether there was something to
/// tell; its error ends the call.
pub(crate) fn wait_reporting<T>(
    cancel: Option<&Cancel>,
    report: &mut dyn FnMut() -> Result<bool>,
    future: impl Future<Output = Result<T>>,
) -> Result<T> {
    check_process()?;
    let _listening = cancel.map(Cancel::listen);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            if outcome.is_ok() {
                report()?;
            }
            return outcome;
        }
        if cancel.is_some_and(Cancel::is_cancelled) {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "the call was cancelled by its caller",
            ));
        }
        // What `report` calls may wait on this thread too, and take the wake-up that was meant for here.
        if !report()? {
            thread::park();
        }
    }
}
