//! Jobs in PostgreSQL: one queue for several machines.
//!
//! Like the store in SQLite, each process puts what waits into one transaction and answers after its commit. The rules are the same code:
//! what they will ask for is read (and locked) first, they run on that in memory, and what changed is written with a few statements over
//! arrays. Jobs to claim are found with `FOR UPDATE SKIP LOCKED`, other processes are told with `NOTIFY`.
//!
//! Every transaction takes its locks in the same order (jobs by number, schedules, keys, kinds, jobs that nobody holds, the end of the
//! audit log), so that two of them never wait for each other.

mod batch;
mod link;
mod listen;
mod prefetch;
mod read;
mod schema;
mod write;
mod writer;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use super::audit::{AuditHead, AuditRecord, Sealed};
use super::op::{Answer, Context, Op};
use super::row::Row;
use super::schedule::ScheduleRecord;
use super::signals::Signals;
use super::store::{Glance, JobFilter, JobStore};
use super::tx::Counts;
use super::{JobId, KindSettings};
use crate::{Error, ErrorKind, Result};
use link::Link;

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;
type Read = Box<dyn for<'a> FnOnce(&'a mut Link) -> Work<'a> + Send>;

/// Jobs in a schema of a PostgreSQL database.
pub(crate) struct PostgresStore {
    signals: Arc<Signals>,
    writer: Option<UnboundedSender<writer::Ask>>,
    reader: Option<UnboundedSender<Read>>,
    thread: Option<JoinHandle<()>>,
    /// The process that opened it; threads and connections do not survive a fork.
    process: u32,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, and makes the schema and its tables if they are not there.
    pub(crate) async fn open(url: &str, schema: &str) -> Result<Self> {
        let place = link::Place::new(url, schema)?;
        let signals = Arc::new(Signals::new());
        let (ask, asked) = unbounded_channel();
        let (read, to_read) = unbounded_channel();
        let (opened, open) = oneshot::channel();
        let heard = Arc::clone(&signals);
        // The connections have a runtime of their own, so that a host that blocks its runtime does not hold up the database.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::io("cannot start a runtime for PostgreSQL", e))?;
        let thread = std::thread::Builder::new()
            .name("aura-jobs-pg".to_owned())
            .spawn(move || {
                runtime.block_on(serve(place, heard, asked, to_read, opened));
            })
            .map_err(|e| Error::io("cannot start a thread for jobs", e))?;
        let store = PostgresStore {
            signals,
            writer: Some(ask),
            reader: Some(read),
            thread: Some(thread),
            process: std::process::id(),
        };
        open.await.map_err(|_| closed())??;
        Ok(store)
    }

    /// # Errors
    /// `Conflict` in a process that was forked from the one that opened the store.
    fn check_process(&self) -> Result<()> {
        if std::process::id() == self.process {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "the jobs were opened in process {} and are used in {}, which was forked from it; open them again in the new process",
                self.process,
                std::process::id()
            ),
        ))
    }

    async fn read<R, F>(&self, read: F) -> Result<R>
    where
        R: Send + 'static,
        F: for<'a> FnOnce(&'a mut Link) -> Pin<Box<dyn Future<Output = Result<R>> + 'a>>
            + Send
            + 'static,
    {
        self.check_process()?;
        let (reply, answer) = oneshot::channel();
        let work: Read = Box::new(move |link| {
            Box::pin(async move {
                let _ = reply.send(read(link).await);
            })
        });
        let reader = self.reader.as_ref().ok_or_else(closed)?;
        reader.send(work).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// The tasks of the thread; it ends with them.
async fn serve(
    place: link::Place,
    signals: Arc<Signals>,
    asked: UnboundedReceiver<writer::Ask>,
    mut to_read: UnboundedReceiver<Read>,
    opened: oneshot::Sender<Result<()>>,
) {
    let mut link = Link::new(place.clone());
    let made = schema::create(&mut link).await;
    let failed = made.is_err();
    let _ = opened.send(made);
    if failed {
        return;
    }
    let mut read_link = Link::new(place.clone());
    let (pid, pids) = watch::channel(0);
    let tasks = async {
        let reads = async {
            while let Some(read) = to_read.recv().await {
                read(&mut read_link).await;
            }
        };
        let writes = writer::serve(link, Arc::clone(&signals), asked, pid);
        tokio::join!(reads, writes)
    };
    tokio::select! {
        _ = tasks => {}
        () = listen::serve(place, &signals, pids) => {}
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Conflict, "the jobs are closed; open them again")
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.writer = None;
        self.reader = None;
        // In a forked process there is no thread to wait for.
        if std::process::id() == self.process
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl JobStore for PostgresStore {
    async fn run(&self, context: Context, op: Op) -> Result<Answer> {
        self.check_process()?;
        let (reply, answer) = oneshot::channel();
        let writer = self.writer.as_ref().ok_or_else(closed)?;
        let ask = writer::Ask { context, op, reply };
        writer.send(ask).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn get(&self, id: JobId) -> Result<Option<Row>> {
        self.read(move |link| Box::pin(read::get(link, id))).await
    }

    async fn list(&self, filter: JobFilter) -> Result<Vec<Row>> {
        self.read(move |link| Box::pin(read::list(link, filter)))
            .await
    }

    async fn glance(&self, ids: Vec<JobId>) -> Result<Vec<Glance>> {
        self.read(move |link| Box::pin(read::glance(link, ids)))
            .await
    }

    async fn counts(&self) -> Result<Counts> {
        self.read(|link| Box::pin(read::counts(link))).await
    }

    async fn kinds(&self) -> Result<Vec<(String, KindSettings)>> {
        self.read(|link| Box::pin(read::kinds(link))).await
    }

    async fn schedules(&self) -> Result<Vec<ScheduleRecord>> {
        self.read(|link| Box::pin(read::schedules(link))).await
    }

    async fn audit_page(&self, after: i64, limit: u32) -> Result<Vec<AuditRecord>> {
        self.read(move |link| Box::pin(read::audit_page(link, after, limit)))
            .await
    }

    async fn audit_ends(&self) -> Result<(Option<Sealed>, AuditHead)> {
        self.read(|link| Box::pin(read::audit_ends(link))).await
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }
}
