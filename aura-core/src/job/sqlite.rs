//! Jobs in SQLite: by default in the `aura.db` of a store, beside the catalog of its events.
//!
//! All changes of a process go through one writer thread. It takes what waits, does it in one transaction and answers after the commit, so
//! that many callers share one fsync. Other processes may do the same on the same file: SQLite lets one of them write at a time.

mod read;
mod schema;
mod transaction;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use crossbeam_channel::{Sender, unbounded};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::audit::{AuditHead, AuditRecord, Sealed};
use super::op::{Answer, Context, Op};
use super::row::Row;
use super::schedule::ScheduleRecord;
use super::signals::Signals;
use super::store::{Glance, JobFilter, JobStore};
use super::tx::Counts;
use super::{JobId, KindSettings};
use crate::{Error, ErrorKind, Result};

/// Threads that read, each with a connection of its own.
const READERS: usize = 2;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Jobs in a file of SQLite.
pub(crate) struct SqliteStore {
    signals: Arc<Signals>,
    writer: Option<Sender<writer::Ask>>,
    readers: Option<Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
    /// The process that opened it; threads and connections do not survive a fork.
    process: u32,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the database, and makes the tables that it lacks. `poll_ms` is how often it looks for what other processes did.
    pub(crate) fn open(path: &Path, poll_ms: u64) -> Result<Self> {
        let conn = schema::connect(path)?;
        schema::create(&conn)?;
        let signals = Arc::new(Signals::new());
        let mut threads = Vec::new();
        let (ask, asked) = unbounded();
        let thread = writer::Writer::new(conn, Arc::clone(&signals), poll_ms);
        threads.push(start("aura-jobs", move || thread.serve(&asked))?);
        let (read, to_read) = unbounded::<Read>();
        for _ in 0..READERS {
            let conn = schema::connect(path)?;
            let to_read = to_read.clone();
            threads.push(start("aura-jobs-read", move || {
                for read in to_read {
                    read(&conn);
                }
            })?);
        }
        Ok(SqliteStore {
            signals,
            writer: Some(ask),
            readers: Some(read),
            threads,
            process: std::process::id(),
        })
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

    async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.check_process()?;
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |conn| {
            let _ = reply.send(writer::caught(|| read(conn)));
        });
        let readers = self.readers.as_ref().ok_or_else(closed)?;
        readers.send(read).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|e| Error::io("cannot start a thread for jobs", e))
}

fn closed() -> Error {
    Error::new(ErrorKind::Conflict, "the jobs are closed; open them again")
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writer = None;
        self.readers = None;
        // In a forked process there are no threads to wait for.
        if std::process::id() == self.process {
            for thread in self.threads.drain(..) {
                let _ = thread.join();
            }
        }
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn run(&self, context: Context, op: Op) -> Result<Answer> {
        self.check_process()?;
        let (reply, answer) = oneshot::channel();
        let ask = writer::Ask { context, op, reply };
        let writer = self.writer.as_ref().ok_or_else(closed)?;
        writer.send(ask).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn get(&self, id: JobId) -> Result<Option<Row>> {
        self.read(move |conn| read::get(conn, id)).await
    }

    async fn list(&self, filter: JobFilter) -> Result<Vec<Row>> {
        self.read(move |conn| read::list(conn, &filter)).await
    }

    async fn glance(&self, ids: Vec<JobId>) -> Result<Vec<Glance>> {
        self.read(move |conn| read::glance(conn, &ids)).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.read(read::counts).await
    }

    async fn kinds(&self) -> Result<Vec<(String, KindSettings)>> {
        self.read(read::kinds).await
    }

    async fn schedules(&self) -> Result<Vec<ScheduleRecord>> {
        self.read(read::schedules).await
    }

    async fn audit_page(&self, after: i64, limit: u32) -> Result<Vec<AuditRecord>> {
        self.read(move |conn| read::audit_page(conn, after, limit))
            .await
    }

    async fn audit_ends(&self) -> Result<(Option<Sealed>, AuditHead)> {
        self.read(read::audit_ends).await
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that was forked has the handle, but neither its threads nor its locks.
    #[test]
    fn a_forked_process_is_told_to_open_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&dir.path().join("aura.db"), 10).unwrap();
        store.process += 1;
        let error = store.check_process().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(
            error.message().contains("which was forked from it"),
            "{error}"
        );
        // Dropping it waits for nothing there; the threads end with their channels.
        drop(store);
    }

    #[test]
    fn a_file_of_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("aura.db");
        std::fs::write(&file, "this is a letter and no database ".repeat(100)).unwrap();
        let error = SqliteStore::open(&file, 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");

        let file = dir.path().join("newer.db");
        drop(SqliteStore::open(&file, 10).unwrap());
        let conn = Connection::open(&file).unwrap();
        conn.execute_batch("UPDATE aura_job_meta SET value = '99' WHERE key = 'version'")
            .unwrap();
        let error = SqliteStore::open(&file, 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().contains("version 99"), "{error}");
    }
}
