//! Promises of what the core computes, and how they are cancelled.
//!
//! The core works on threads of its own; those of the runtime below only wait for it, convert what came out, and settle the
//! promise on the thread that asked, which may be that of a worker.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;

use aura_core::ingest::CancelToken;
use aura_core::{Error, ErrorKind, Result};
use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, ToNapiValue};
use napi_derive::napi;
use tokio::sync::Notify;

use crate::error::OrReject;

/// Stops one call.
#[napi]
#[derive(Clone, Default)]
pub struct Cancel {
    token: CancelToken,
    told: Arc<Notify>,
}

#[napi]
impl Cancel {
    #[napi(constructor)]
    pub fn new() -> Self {
        Cancel::default()
    }

    #[napi]
    pub fn cancel(&self) {
        self.token.cancel();
        // Kept for the call that waits later.
        self.told.notify_one();
    }
}

impl Cancel {
    /// The flag for operations that look after one themselves.
    pub(crate) fn token(&self) -> CancelToken {
        self.token.clone()
    }

    async fn cancelled(&self) {
        while !self.token.is_cancelled() {
            self.told.notified().await;
        }
    }
}

/// Turns a panic while `future` is polled into an error, so that the promise is settled.
async fn caught<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        polled.unwrap_or_else(|panic| {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            std::task::Poll::Ready(Err(Error::internal(format!(
                "the library panicked: {said}; please report this"
            ))))
        })
    })
    .await
}

/// Makes a promise of what a call of the core answers. After `cancel` it is rejected, and the future dropped, which stops the work.
pub(crate) fn promise<'env, T>(
    env: &'env Env,
    cancel: Option<&Cancel>,
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, T>>
where
    T: ToNapiValue + Send + 'static,
{
    let cancel = cancel.cloned();
    env.spawn_future(async move {
        let outcome = match cancel {
            None => caught(future).await,
            Some(cancel) => tokio::select! {
                biased;
                () = cancel.cancelled() => Err(Error::new(
                    ErrorKind::Cancelled,
                    "the call was cancelled by its caller",
                )),
                outcome = caught(future) => outcome,
            },
        };
        outcome.or_reject()
    })
}

/// Runs what does not wait but takes its time, away from the thread of JavaScript and from those that wait.
///
/// # Errors
/// Those of `work`; `Internal` when it panics.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(e) => Err(Error::internal(format!(
            "the library panicked: {e}; please report this"
        ))),
    }
}
