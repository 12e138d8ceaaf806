//! Running kernels over a source.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::prelude::SessionContext;

use super::bucket::{Numbers, order_bucket};
use super::input::{Input, Piece};
use super::plan::{Plan, Purpose};
use super::scatter::{self, scatter};
use super::workers::share_out;
use super::{Kernel, Request, RowKernel, Shape, rows};
use crate::engine::ScanStats;
use crate::engine::events::OnScan;
use crate::ingest::parallel::caught;
use crate::{Error, Result};

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
}

/// The outcome of a scan.
#[derive(Debug)]
pub(crate) struct Scanned<T> {
    pub(crate) state: T,
    pub(crate) stats: ScanStats,
}

impl ScanSource {
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
        let states = self.scattered(&input, request, kernel)?;
        let combine = |into, from| kernel.combine(into, from);
        self.finish(input, states, || kernel.new_state(), combine)
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

    fn plan(&self, request: &Request, purpose: Purpose) -> Result<Plan> {
        let (shape, events) = (&self.shape, &self.events);
        let text_bytes = self.memory() / 4;
        Plan::new(request, purpose, shape, events, &self.context, text_bytes)
    }

    /// Divides the rows into buckets, and orders bucket by bucket.
    fn scattered<K: Kernel + ?Sized>(
        &self,
        input: &Input,
        request: &Request,
        kernel: &K,
    ) -> Result<Vec<K::State>> {
        let plan = self.plan(request, Purpose::Scatter)?;
        let pieces: Vec<Piece> = input.pieces();
        let runtime = self.context.runtime_env();
        let settings = scatter::Settings {
            threads: self.threads(),
            memory: self.memory() / 4 * 3,
            disk: &runtime.disk_manager,
            cancel: &request.cancel,
        };
        let scattered = scatter(input, &pieces, &plan, &settings)?;
        let state = || (Numbers::default(), kernel.new_state());
        let states = share_out(
            self.threads(),
            scattered.buckets(),
            &request.cancel,
            state,
            |(numbers, state), bucket| {
                let slices = scattered.bucket(bucket, &plan)?;
                order_bucket(&plan, &slices, numbers, &mut |block| {
                    kernel.block(state, block)
                })
            },
        )?;
        Ok(states.into_iter().map(|(_, state)| state).collect())
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
        Ok(Scanned { state, stats })
    }

    fn threads(&self) -> usize {
        self.context.state().config().target_partitions().max(1)
    }

    fn memory(&self) -> usize {
        match self.context.runtime_env().memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes,
            _ => MEMORY,
        }
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
