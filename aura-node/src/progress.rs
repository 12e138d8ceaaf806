//! How far an ingest is, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use aura_core::ingest::{Progress as CoreProgress, ProgressFn};
use napi::Env;
use napi::bindgen_prelude::PromiseRaw;
use napi_derive::napi;
use tokio::sync::watch;

use crate::error::written;
use crate::wait::promise;

/// The progress of one ingest. Who is slow to ask is told the last state and none before it.
///
/// It is asked for and not sent: nothing has to be queued, and nothing keeps the event loop going but a question.
#[napi]
pub struct Progress {
    tell: Mutex<Option<watch::Sender<CoreProgress>>>,
    told: Arc<tokio::sync::Mutex<watch::Receiver<CoreProgress>>>,
}

#[napi]
impl Progress {
    #[napi(constructor)]
    pub fn new() -> Self {
        let (tell, told) = watch::channel(CoreProgress::default());
        Progress {
            tell: Mutex::new(Some(tell)),
            told: Arc::new(tokio::sync::Mutex::new(told)),
        }
    }

    /// The next state, as JSON; null at the end.
    #[napi]
    pub fn next<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Option<String>>> {
        let told = Arc::clone(&self.told);
        promise(env, None, async move {
            let mut told = told.lock().await;
            match told.changed().await {
                Ok(()) => Ok(Some(written(&*told.borrow_and_update())?)),
                Err(_) => Ok(None),
            }
        })
    }
}

#[napi]
impl Progress {
    /// Ends the progress where no ingest has begun that would.
    #[napi]
    pub fn end(&self) {
        let tell = self.tell.lock();
        tell.unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Progress {
    /// The function for the core. The progress ends when it is dropped.
    pub(crate) fn function(&self) -> Option<ProgressFn> {
        let tell = self.tell.lock();
        let tell = tell.unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Arc::new(move |progress: &CoreProgress| {
            tell.send_replace(progress.clone());
        }))
    }
}
