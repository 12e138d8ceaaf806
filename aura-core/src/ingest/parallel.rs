//! Work on a stream of items by several threads, with results in the order of the items.

use std::collections::BTreeMap;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{Error, Result};

/// Maps `items` by `map` on `threads` threads and hands the results to `sink` in order.
///
/// The items are drawn on a thread of their own, so that reading and working overlap. At most
/// `2 * threads + 2` items are in flight, which bounds memory. The first error (in the order of the
/// items) ends the run; no thread outlives the call.
///
/// # Errors
/// The first error of an item, of `map` or of `sink`; `Internal` when one of them panicked.
pub(crate) fn ordered<T: Send, R: Send>(
    threads: usize,
    items: impl Iterator<Item = Result<T>> + Send,
    map: impl Fn(T) -> Result<R> + Sync,
    mut sink: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let threads = threads.max(1);
    let (work_in, work_out) = bounded::<(u64, T)>(1);
    let (done_in, done_out) = bounded::<(u64, Result<R>)>(threads);
    // One permit per item in flight; taken before an item is drawn, given back when it is sunk.
    let (permit_in, permit_out) = bounded::<()>(2 * threads + 2);
    for _ in 0..2 * threads + 2 {
        let _ = permit_in.send(());
    }

    std::thread::scope(|scope| {
        let reader_done = done_in.clone();
        scope.spawn(move || draw(items, permit_out, work_in, reader_done));
        for _ in 0..threads {
            let (work, done, map) = (work_out.clone(), done_in.clone(), &map);
            scope.spawn(move || {
                for (at, item) in work {
                    let result = caught(|| map(item));
                    if done.send((at, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop((work_out, done_in));

        let mut waiting = BTreeMap::new();
        let mut next = 0u64;
        let mut outcome = Ok(());
        'results: for (at, result) in &done_out {
            waiting.insert(at, result);
            while let Some(result) = waiting.remove(&next) {
                next += 1;
                outcome = result.and_then(&mut sink);
                if outcome.is_err() {
                    break 'results;
                }
                let _ = permit_in.try_send(());
            }
        }
        // Dropping the ends makes every thread's next send or receive fail, and the scope joins them.
        drop((done_out, permit_in));
        outcome
    })
}

fn draw<T, R>(
    items: impl Iterator<Item = Result<T>>,
    permits: Receiver<()>,
    work: Sender<(u64, T)>,
    done: Sender<(u64, Result<R>)>,
) {
    let mut items = items;
    for at in 0u64.. {
        if permits.recv().is_err() {
            return;
        }
        match caught(|| items.next().transpose()) {
            Ok(None) => return,
            Ok(Some(item)) => {
                if work.send((at, item)).is_err() {
                    return;
                }
            }
            Err(e) => {
                let _ = done.send((at, Err(e)));
                return;
            }
        }
    }
}

/// Runs `f`; a panic in it becomes an error, so that a fault cannot take the host down.
pub(crate) fn caught<R>(f: impl FnOnce() -> Result<R>) -> Result<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(Error::internal(format!(
            "a worker thread panicked: {said}; please report this"
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let mut got = Vec::new();
        let slow_first = |n: u64| {
            if n.is_multiple_of(7) {
                std::thread::sleep(std::time::Duration::from_micros(300));
            }
            Ok(n * 2)
        };
        ordered(4, (0..500).map(Ok), slow_first, |n| {
            got.push(n);
            Ok(())
        })
        .unwrap();
        assert_eq!(got, (0..500).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_error_in_order_ends_the_run() {
        let mut sunk = 0;
        let failing = |n: u64| match n {
            40 | 41 => Err(Error::invalid_data(format!("item {n}"))),
            _ => Ok(n),
        };
        let error = ordered(3, (0..10_000).map(Ok), failing, |_| {
            sunk += 1;
            Ok(())
        })
        .unwrap_err();
        assert_eq!((error.message(), sunk), ("item 40", 40));
    }

    #[test]
    fn errors_of_source_and_sink_and_panics_are_returned() {
        let source = [Ok(1), Err(Error::invalid_data("source"))];
        let error = ordered(2, source.into_iter(), Ok, |_: i32| Ok(())).unwrap_err();
        assert_eq!(error.message(), "source");
        let error = ordered(2, (0..100).map(Ok), Ok, |_: i32| {
            Err(Error::invalid_data("sink"))
        });
        assert_eq!(error.unwrap_err().message(), "sink");
        let error = ordered(
            2,
            (0..100).map(Ok),
            |_: i32| -> Result<()> { panic!("boom") },
            |()| Ok(()),
        );
        assert!(error.unwrap_err().message().contains("boom"));
    }
}
