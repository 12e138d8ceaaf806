//! Running kernels over a source.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::prelude::SessionContext;

use super::ahead::{Ahead, Doing};
use super::bucket::{Numbers, order_bucket};
use super::code::is_text;
use super::cursor::Cursor;
use super::input::{Input, Piece};
use super::merge::{Merge, Merged};
use super::order::Ids;
use super::plan::{Plan, Purpose};
use super::ranges;
use super::scatter::{self, scatter};
use super::workers::share_out;
use super::{ActorBlock, Kernel, Order, Request, RowKernel, Shape, Sizes, loose, rows};
use crate::engine::ScanStats;
use crate::engine::events::OnScan;
use crate::ingest::CancelToken;
use crate::ingest::parallel::caught;
use crate::{Error, Result};

/// Rows that are sorted in memory to join a merge, at most,
const MOST_LOOSE: u64 = 4 << 20;
/// and as a part of all rows.
const LEAST_SORTED: u64 = 4;
/// Memory where the session does not say how much there is.
const MEMORY: usize = 1 << 30;

/// Events as a scan sees them: a table with its columns as they are, and how the roles come from
/// them.
#[derive(Clone)]
pub(crate) struct ScanSource {
    pub(crate) context: SessionContext,
    pub(crate) table: Arc<dyn TableProvider>,
    pub(crate) shape: Shape,
    /// The schema of the table `events`.
    pub(crate) events: SchemaRef,
    pub(crate) on_scan: Option<OnScan>,
    pub(crate) sizes: Sizes,
}

/// The outcome of a scan.
#[derive(Debug)]
pub(crate) struct Scanned<T> {
    pub(crate) state: T,
    pub(crate) stats: ScanStats,
    /// Whether rows may have been left out because they have no actor.
    pub(crate) actorless: bool,
}

impl ScanSource {
    /// Returns the same events with another column as the actor; see [`Shape::with_actor`].
    ///
    /// # Errors
    /// As [`Shape::with_actor`].
    pub(crate) fn with_actor(&self, column: &str) -> Result<ScanSource> {
        Ok(ScanSource {
            shape: self.shape.with_actor(&self.events, column)?,
            ..self.clone()
        })
    }

    /// Runs a kernel over all actors that have rows in the request, on the threads of the session.
    /// Returns its combined state (that of [`Kernel::new_state`] if there are none).
    ///
    /// Blocks the calling thread, which must not be one that runs tasks; see [`apart`].
    ///
    /// # Errors
    /// `InvalidSpec` for an unknown column or a filter that is no condition; `InvalidData` for a file
    /// or a time that cannot be read; `ResourceExhausted` at the memory limit; `Cancelled`; and what the
    /// kernel returns.
    pub(crate) fn actors<K: Kernel + ?Sized>(
        &self,
        request: &Request,
        kernel: &K,
    ) -> Result<Scanned<K::State>> {
        let input = self.open(request)?;
        // Files are in the order of their own actors.
        let sorted = match self.shape.is_moved() {
            true => None,
            false => Sorted::plan(&input),
        };
        let (states, actorless) = match sorted {
            Some(sorted) => self.merged(&input, &sorted, request, kernel)?,
            None => self.scattered(&input, request, kernel)?,
        };
        let combine = |into, from| kernel.combine(into, from);
        let scanned = self.finish(input, states, || kernel.new_state(), combine)?;
        Ok(Scanned {
            actorless,
            ..scanned
        })
    }

    /// Runs a kernel over all rows of the request, in no particular order; otherwise as
    /// [`actors`](Self::actors).
    ///
    /// # Errors
    /// As [`actors`](Self::actors).
    pub(crate) fn rows<K: RowKernel + ?Sized>(
        &self,
        request: &Request,
        kernel: &K,
    ) -> Result<Scanned<K::State>> {
        let input = self.open(request)?;
        let plan = self.plan(request, Purpose::Rows)?;
        let pieces = input.pieces();
        let states = rows::pass(&input, &pieces, &plan, request, self.threads(), kernel)?;
        let combine = |into, from| kernel.combine(into, from);
        self.finish(input, states, || kernel.new_state(), combine)
    }

    fn open(&self, request: &Request) -> Result<Input> {
        let time = (
            request.from.unwrap_or(i64::MIN),
            request.to.unwrap_or(i64::MAX),
        );
        let threads = self.threads();
        Input::open(&self.table, &self.context, time, threads, &request.cancel)
    }

    pub(super) fn plan(&self, request: &Request, purpose: Purpose) -> Result<Plan> {
        let (shape, events) = (&self.shape, &self.events);
        let text_bytes = self.memory() / 4;
        let mut plan = Plan::new(request, purpose, shape, events, &self.context, text_bytes)?;
        plan.sizes = self.sizes;
        Ok(plan)
    }

    /// Merges files that are sorted, and the few rows that are not.
    fn merged<K: Kernel + ?Sized>(
        &self,
        input: &Input,
        sorted: &Sorted,
        request: &Request,
        kernel: &K,
    ) -> Result<(Vec<K::State>, bool)> {
        let with_ids = self.plan(request, Purpose::Merge)?;
        let plan = with_ids.without_hidden_id();
        let actorless = Arc::clone(&plan.actorless);
        let threads = self.threads();
        let (cancel, bits) = (&request.cancel, sorted.bits);
        let pieces = &sorted.loose;
        let loose = loose::sorted(input, pieces, &with_ids, bits, threads, cancel)?;
        let buckets: Vec<usize> = (0..loose.len()).filter(|&b| loose[b].is_some()).collect();
        let overlapping =
            request.order == Order::Time && (sorted.overlapping || !buckets.is_empty());
        let tasks = ranges::tasks(&input.files, &plan, bits, threads, &buckets);
        let ahead = Ahead::new(tasks.len());
        let run = |task: usize,
                   ids: Ids,
                   skip: usize,
                   sink: &mut dyn FnMut(&ActorBlock) -> Result<()>| {
            let Some(task) = tasks.get(task) else {
                return Ok(Merged::Done);
            };
            // What decides ties is read where it is there, or where it turned out to be needed.
            let plan = match ids {
                Ids::Decided if with_ids.hidden_id => &with_ids,
                _ => &plan,
            };
            let mut cursors = Vec::with_capacity(task.files.len() + 1);
            for (file, groups) in &task.files {
                if let Some(file) = input.files.get(*file) {
                    cursors.push(Cursor::file(plan, file, groups, &task.names, &ahead)?);
                }
            }
            if let Some(Some(rows)) = loose.get(task.bucket) {
                let mut rows = rows.clone();
                rows.columns.truncate(plan.out.len());
                cursors.push(Cursor::memory(rows, &task.names)?);
            }
            let merge = Merge {
                plan,
                names: request.names,
                overlapping,
                parts: kernel.takes_parts(),
                ids,
                cancel,
            };
            merge.run(cursors, skip, sink)
        };
        // A thread for which there is no task reads for the others.
        let states = share_out(
            threads,
            tasks.len() + threads,
            cancel,
            || kernel.new_state(),
            |state, task| {
                if task >= tasks.len() {
                    return ahead.serve(cancel);
                }
                let mut doing = Doing {
                    ahead: &ahead,
                    failed: true,
                };
                let ids = match with_ids.hidden_id {
                    true => Ids::Missing,
                    false => Ids::Decided,
                };
                let mut sink = |block: &ActorBlock| kernel.block(state, block);
                if let Merged::NeedsIds { given } = run(task, ids, 0, &mut sink)? {
                    run(task, Ids::Decided, given, &mut sink)?;
                }
                doing.failed = false;
                Ok(())
            },
        )?;
        Ok((states, actorless.load(Ordering::Relaxed)))
    }

    /// Divides the rows into buckets, and orders bucket by bucket.
    fn scattered<K: Kernel + ?Sized>(
        &self,
        input: &Input,
        request: &Request,
        kernel: &K,
    ) -> Result<(Vec<K::State>, bool)> {
        let with_ids = self.plan(request, Purpose::Scatter)?;
        let actorless = Arc::clone(&with_ids.actorless);
        let pieces: Vec<Piece> = input.pieces();
        // Numbers cost less to carry along than to read the buckets of a few ties again.
        let at_once = !with_ids.hidden_id
            || with_ids.out.last().is_some_and(|id| !is_text(&id.ty))
            || input.times_are_coarse(&pieces, &with_ids);
        if at_once {
            let (states, _) = self.buckets(
                input,
                &pieces,
                &with_ids,
                Ids::Decided,
                None,
                request,
                kernel,
            )?;
            return Ok((states, actorless.load(Ordering::Relaxed)));
        }
        // Rows of one actor in the same microsecond are rare: only what holds some is read again.
        let plan = with_ids.without_hidden_id();
        let (mut states, undecided) =
            self.buckets(input, &pieces, &plan, Ids::Missing, None, request, kernel)?;
        if undecided.contains(&true) {
            let only = Some(&undecided[..]);
            let (more, _) = self.buckets(
                input,
                &pieces,
                &with_ids,
                Ids::Decided,
                only,
                request,
                kernel,
            )?;
            states.extend(more);
        }
        Ok((states, actorless.load(Ordering::Relaxed)))
    }

    /// Divides the rows into buckets (`only` some, if it says so), and orders bucket by bucket. Says
    /// which could not be ordered for want of event ids.
    #[expect(
        clippy::too_many_arguments,
        reason = "one step of `scattered`, which is done twice"
    )]
    fn buckets<K: Kernel + ?Sized>(
        &self,
        input: &Input,
        pieces: &[Piece],
        plan: &Plan,
        ids: Ids,
        only: Option<&[bool]>,
        request: &Request,
        kernel: &K,
    ) -> Result<(Vec<K::State>, Vec<bool>)> {
        let runtime = self.context.runtime_env();
        let settings = scatter::Settings {
            threads: self.threads(),
            memory: self.memory() / 4 * 3,
            disk: &runtime.disk_manager,
            cancel: &request.cancel,
            only,
        };
        let scattered = scatter(input, pieces, plan, &settings, kernel)?;
        let order = scattered.largest_first();
        let state = || (Numbers::default(), kernel.new_state(), Vec::new());
        let states = share_out(
            self.threads(),
            scattered.buckets(),
            &request.cancel,
            state,
            |(numbers, state, undecided), task| {
                let Some(&bucket) = order.get(task) else {
                    return Ok(());
                };
                let slices = scattered.bucket(bucket, plan)?;
                let mut sink = |block: &ActorBlock| {
                    request.cancel.check()?;
                    kernel.block(state, block)
                };
                if !order_bucket(plan, ids, &slices, numbers, kernel.takes_parts(), &mut sink)? {
                    undecided.push(bucket);
                }
                Ok(())
            },
        )?;
        let mut undecided = vec![false; scattered.buckets()];
        let states = states.into_iter().map(|(_, state, buckets)| {
            for bucket in buckets {
                undecided[bucket] = true;
            }
            state
        });
        Ok((states.collect(), undecided))
    }

    fn finish<S>(
        &self,
        input: Input,
        states: Vec<S>,
        new: impl FnOnce() -> S,
        combine: impl FnMut(S, S) -> Result<S>,
    ) -> Result<Scanned<S>> {
        let mut states = states.into_iter();
        let first = states.next().unwrap_or_else(new);
        let state = states.try_fold(first, combine)?;
        let stats = input.stats();
        if let Some(on_scan) = &self.on_scan {
            on_scan(stats.files_read, stats.bytes_read);
        }
        Ok(Scanned {
            state,
            stats,
            actorless: false,
        })
    }

    pub(super) fn threads(&self) -> usize {
        self.context.state().config().target_partitions().max(1)
    }

    /// Returns the bytes that the session allows.
    pub(crate) fn memory(&self) -> usize {
        match self.context.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes,
            _ => MEMORY,
        }
    }
}

/// What is known of a source whose rows are mostly in files sorted by actor.
struct Sorted {
    /// 2^`bits` buckets are merged apart.
    bits: u32,
    /// Whether files of one actor overlap in time.
    overlapping: bool,
    /// What is not sorted.
    loose: Vec<Piece>,
}

impl Sorted {
    /// Returns `None` if a merge is not worth it.
    fn plan(input: &Input) -> Option<Self> {
        let bits = ranges::bucket_bits(&input.files)?;
        let total = input.rows()?;
        let is_loose = |file: &usize| input.files[*file].bucket.is_none();
        let mut loose = input.batch_pieces();
        let mut loose_rows: u64 = input.batches.iter().map(|b| b.num_rows() as u64).sum();
        for file in (0..input.files.len()).filter(is_loose) {
            let opened = &input.files[file];
            loose_rows += opened.rows();
            loose.extend((0..opened.groups()).map(|group| Piece::Group { file, group }));
        }
        (loose_rows <= MOST_LOOSE && loose_rows * LEAST_SORTED <= total).then(|| Sorted {
            bits,
            overlapping: ranges::overlap(&input.files),
            loose,
        })
    }
}

/// Cancels a scan whose answer nobody waits for any more.
pub(crate) struct CancelOnDrop(pub(crate) CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs a scan on a thread of its own, and waits for it without blocking a task.
///
/// # Errors
/// What `scan` returns; `Internal` when it panics.
pub(crate) async fn apart<T: Send + 'static>(
    scan: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("aura-scan".to_owned())
        .spawn(move || {
            let _ = reply.send(caught(scan));
        })
        .map_err(|e| Error::io("cannot start a thread", e))?;
    answer
        .await
        .map_err(|_| Error::internal("a scanning thread ended without an answer"))?
}
