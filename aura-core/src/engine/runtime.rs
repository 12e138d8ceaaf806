//! The threads that plan and run queries.
//!
//! They are the library's own: the planner recurses over a query, and the stack of a host's thread may be small; a query
//! that takes long to plan must not hold up the host's executor; and a host may have no Tokio runtime at all.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::{Error, ErrorKind, Result};

/// Stack of a thread. What the planner takes for the longest chains that [`bounds`](super::bounds) lets pass is a fraction
/// of it, in a debug build too (tested); the system gives memory only for what is used.
const STACK_BYTES: usize = 64 << 20;

fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .thread_name("aura-query")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
    });
    made.as_ref().map_err(|e| {
        Error::new(
            ErrorKind::ResourceExhausted,
            format!("the threads for queries cannot be started: {e}"),
        )
    })
}

/// Stops a task whose answer nobody waits for any more.
struct StopOnDrop(AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `work` on the library's own threads. Dropping the future stops it at its next pause.
pub(crate) async fn on_query_threads<R: Send + 'static>(
    work: impl Future<Output = Result<R>> + Send + 'static,
) -> Result<R> {
    let task = runtime()?.spawn(work);
    let _stop = StopOnDrop(task.abort_handle());
    match task.await {
        Ok(outcome) => outcome,
        Err(e) if e.is_panic() => {
            // Brings the message of the panic into the error.
            let panic = e.into_panic();
            crate::ingest::parallel::caught(move || std::panic::resume_unwind(panic))
        }
        Err(_) => Err(Error::internal("a query was stopped before it ended")),
    }
}
