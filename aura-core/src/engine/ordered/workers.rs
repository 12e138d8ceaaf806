//! Threads that share out numbered tasks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::ingest::CancelToken;
use crate::ingest::parallel::caught;
use crate::{Error, Result};

/// Runs `work` for each task below `tasks` on up to `threads` threads, each with a state made by
/// `state`. Returns the states. An error, a panic or a cancellation ends all threads.
pub(super) fn share_out<S: Send>(
    threads: usize,
    tasks: usize,
    cancel: &CancelToken,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<()> + Sync,
) -> Result<Vec<S>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let run = || {
        caught(|| {
            let mut state = state();
            while !failed.load(Ordering::Relaxed) {
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    break;
                }
                cancel.check()?;
                work(&mut state, task)?;
            }
            Ok(state)
        })
        .inspect_err(|_| failed.store(true, Ordering::Relaxed))
    };
    let threads = threads.min(tasks).max(1);
    if threads == 1 {
        return Ok(vec![run()?]);
    }
    std::thread::scope(|scope| {
        let others = (1..threads)
            .map(|_| std::thread::Builder::new().spawn_scoped(scope, run))
            .collect::<Vec<_>>();
        let mut states = vec![run()];
        for other in others {
            states.push(match other {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|_| Err(Error::internal("a worker thread panicked"))),
                // With fewer threads it takes longer, and is no less right.
                Err(_) => continue,
            });
        }
        states.into_iter().collect()
    })
}
