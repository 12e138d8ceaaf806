//! The one thread of a process that writes to the database, and group commit.
//!
//! All changes go through a queue. Appends that wait together share one transaction, and so one
//! fsync. Other changes run alone, in a transaction of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::catalog::commit::Commit;
use super::catalog::table::{self, NewColumn};
use super::sql_error::sql_error as sql;
use super::{Shared, known, staging};
use crate::event::{MOST_PROPERTIES, PropertyType};
use crate::{Error, ErrorKind, Result};

/// Most bytes of batches in one transaction.
const GROUP_BYTES: usize = 32 << 20;
/// How long the writer waits for callers that took part in the last group: a fraction of the fsync
/// that they then share.
const GATHER: Duration = Duration::from_micros(500);
/// Flushed batches that are deleted with each group.
const SWEEP: usize = 16;

/// A batch to be staged.
pub(crate) struct AppendJob {
    /// Properties that the batch has; missing columns are added.
    pub(crate) properties: Vec<(String, PropertyType)>,
    /// Canonical rows, with event ids.
    pub(crate) batch: arrow::record_batch::RecordBatch,
    /// The same as Arrow IPC, made on the caller's thread.
    pub(crate) data: Vec<u8>,
    pub(crate) hashes: Vec<u128>,
    /// Rejected rows as Arrow IPC, and their number.
    pub(crate) quarantine: Option<(Vec<u8>, usize)>,
    pub(crate) reply: oneshot::Sender<Result<Appended>>,
}

/// What came of an [`AppendJob`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Appended {
    pub(crate) duplicate: u64,
    pub(crate) columns_added: Vec<String>,
}

type Work = Box<dyn FnOnce(&mut Writer) + Send>;

enum Command {
    Append(Box<AppendJob>),
    Run(Work),
    Stop,
}

/// The way to the writer thread.
#[derive(Clone)]
pub(crate) struct WriterHandle(Sender<Command>);

impl WriterHandle {
    /// Queues an append; its reply comes when it is durable.
    pub(crate) fn append(&self, job: AppendJob) -> Result<()> {
        self.0
            .send(Command::Append(Box::new(job)))
            .map_err(|_| closed())
    }

    /// Runs `work` in a write transaction and returns its result once that is durable.
    pub(crate) fn transact<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<R> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<R>>> {
        let (reply, answer) = oneshot::channel();
        let run: Work = Box::new(move |writer| {
            let result = crate::ingest::parallel::caught(|| writer.transaction(work));
            let _ = reply.send(result);
        });
        self.0.send(Command::Run(run)).map_err(|_| closed())?;
        Ok(answer)
    }

    /// Runs `work` on the writer thread outside a transaction.
    pub(crate) fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<R> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<R>>> {
        let (reply, answer) = oneshot::channel();
        let run: Work = Box::new(move |writer| {
            let _ = reply.send(crate::ingest::parallel::caught(|| work(writer)));
        });
        self.0.send(Command::Run(run)).map_err(|_| closed())?;
        Ok(answer)
    }

    /// Asks the thread to end after what is queued.
    pub(crate) fn stop(&self) {
        let _ = self.0.send(Command::Stop);
    }
}

/// The error of a store that is closed.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Conflict, "the store is closed; open it again")
}

/// Receives the answer of a command, on a thread that may block.
pub(crate) fn wait<R>(answer: oneshot::Receiver<Result<R>>) -> Result<R> {
    answer.blocking_recv().map_err(|_| closed())?
}

/// The state of the writer thread.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) shared: Arc<Shared>,
    /// What of the database the index of event ids knows.
    pub(crate) known: known::Known,
    last_group: usize,
}

/// Starts the thread.
pub(crate) fn start(
    conn: Connection,
    shared: Arc<Shared>,
) -> Result<(WriterHandle, std::thread::JoinHandle<()>)> {
    let (send, receive) = unbounded();
    let writer = Writer {
        conn,
        shared,
        known: known::Known::default(),
        last_group: 1,
    };
    let thread = std::thread::Builder::new()
        .name("aura-writer".to_owned())
        .spawn(move || writer.serve(&receive))
        .map_err(|e| Error::io("cannot start the writer thread", e))?;
    Ok((WriterHandle(send), thread))
}

impl Writer {
    fn serve(mut self, commands: &Receiver<Command>) {
        let mut held = None;
        loop {
            let command = match held.take() {
                Some(command) => command,
                None => match commands.recv() {
                    Ok(command) => command,
                    Err(_) => return,
                },
            };
            match command {
                Command::Stop => return,
                Command::Run(work) => work(&mut self),
                Command::Append(first) => {
                    let (group, next) = self.gather(*first, commands);
                    held = next;
                    self.commit_group(group);
                }
            }
        }
    }

    /// Takes what else waits in the queue, up to the first command of another kind.
    fn gather(
        &self,
        first: AppendJob,
        commands: &Receiver<Command>,
    ) -> (Vec<AppendJob>, Option<Command>) {
        let mut bytes = first.data.len();
        let mut group = vec![first];
        while bytes < GROUP_BYTES {
            let next = if group.len() < self.last_group {
                commands.recv_timeout(GATHER).ok()
            } else {
                commands.try_recv().ok()
            };
            match next {
                Some(Command::Append(job)) => {
                    bytes += job.data.len();
                    group.push(*job);
                }
                other => return (group, other),
            }
        }
        (group, None)
    }

    /// Stages a group in one transaction, and answers each of its callers.
    fn commit_group(&mut self, group: Vec<AppendJob>) {
        self.last_group = group.len();
        let mut replies = Vec::with_capacity(group.len());
        let mut jobs = Vec::with_capacity(group.len());
        for job in group {
            let AppendJob {
                properties,
                batch,
                data,
                hashes,
                quarantine,
                reply,
            } = job;
            replies.push(reply);
            jobs.push((properties, batch, data, hashes, quarantine));
        }
        let outcome = crate::ingest::parallel::caught(|| {
            self.load_ids()?;
            let ids = self.shared.ids.begin();
            let (answers, ids) = self.transaction(move |writer| {
                let mut ids = ids;
                writer.sync_ids()?;
                let mut answers = Vec::with_capacity(jobs.len());
                for (properties, batch, data, hashes, quarantine) in jobs {
                    answers.push(writer.stage(
                        &properties,
                        &batch,
                        data,
                        &hashes,
                        quarantine,
                        &mut ids,
                    )?);
                }
                staging::sweep(&writer.conn, SWEEP)?;
                writer.known.seq = staging::last_seq(&writer.conn)?;
                Ok((answers, ids))
            })?;
            ids.commit();
            Ok(answers)
        });
        match outcome {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    let _ = reply.send(answer);
                }
            }
            Err(e) => {
                // What the failed transaction learned of the sequence is not so.
                self.known.forget();
                for reply in replies {
                    let _ = reply.send(Err(Error::new(e.kind(), e.message().to_owned())));
                }
            }
        }
        self.shared.wake.notify();
    }

    /// Stages one batch. The inner result is the caller's own fault or answer; the outer one ends
    /// the whole group.
    fn stage(
        &mut self,
        properties: &[(String, PropertyType)],
        batch: &arrow::record_batch::RecordBatch,
        data: Vec<u8>,
        hashes: &[u128],
        quarantine: Option<(Vec<u8>, usize)>,
        ids: &mut super::ids::Pending,
    ) -> Result<Result<Appended>> {
        let columns_added = match self.ensure_columns(properties)? {
            Ok(added) => added,
            Err(e) => return Ok(Err(e)),
        };
        let mut duplicate = Vec::new();
        ids.insert_batch(hashes, &mut duplicate)?;
        let doubles = duplicate.iter().filter(|d| **d).count();
        if doubles == 0 {
            if batch.num_rows() > 0 {
                staging::insert(&self.conn, super::EVENTS, batch.num_rows(), &data)?;
            }
        } else if doubles < batch.num_rows() {
            let keep = duplicate.iter().map(|d| Some(!d)).collect();
            let kept = arrow::compute::filter_record_batch(batch, &keep)?;
            staging::insert(
                &self.conn,
                super::EVENTS,
                kept.num_rows(),
                &staging::encode(&kept)?,
            )?;
        }
        if let Some((data, rows)) = quarantine {
            staging::insert(&self.conn, super::QUARANTINE, rows, &data)?;
        }
        self.shared
            .appended
            .fetch_add((batch.num_rows() - doubles) as u64, Ordering::Relaxed);
        Ok(Ok(Appended {
            duplicate: doubles as u64,
            columns_added,
        }))
    }

    /// Adds the columns that the table of events lacks. The inner error is `Conflict`: a column has
    /// another type than the caller thought, or there are more columns.
    pub(crate) fn ensure_columns(
        &mut self,
        wanted: &[(String, PropertyType)],
    ) -> Result<Result<Vec<String>>> {
        let columns = self.shared.columns(&self.conn)?;
        let mut new = Vec::new();
        for (name, ty) in wanted {
            match columns.iter().find(|c| c.name.eq_ignore_ascii_case(name)) {
                None => new.push(NewColumn {
                    name: name.clone(),
                    ty: *ty,
                    nullable: true,
                }),
                Some(c)
                    if c.name == *name
                        && super::catalog::value::property_type(&c.ty) == Some(*ty) => {}
                Some(c) => {
                    return Ok(Err(Error::new(
                        ErrorKind::Conflict,
                        format!(
                            "column `{}` of the store has the type {}, not {}; another writer added it meanwhile: try again",
                            c.name,
                            c.ty,
                            ty.name()
                        ),
                    )));
                }
            }
        }
        if new.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        if super::rows::properties(&columns).len() + new.len() > MOST_PROPERTIES {
            return Ok(Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "the store would have more than {MOST_PROPERTIES} columns of properties; another writer added some meanwhile: try again"
                ),
            )));
        }
        let mut commit = Commit::begin(&self.conn, self.shared.clock.now_us())?
            .describe(Some("aura"), Some("add columns"));
        let table_id = self.shared.events_table;
        table::add_columns(&mut commit, table_id, &new)?;
        let snapshot = commit.finish()?;
        self.known.snapshot = snapshot.id;
        Ok(Ok(new.into_iter().map(|c| c.name).collect()))
    }

    /// Runs `work` between `BEGIN IMMEDIATE` and `COMMIT`; rolls back if it fails.
    pub(crate) fn transaction<R>(
        &mut self,
        work: impl FnOnce(&mut Writer) -> Result<R>,
    ) -> Result<R> {
        // A transaction that a panic left open would make every later one fail.
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        self.conn
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|e| sql("cannot begin to write to the store", e))?;
        let outcome = work(self).and_then(|value| {
            self.conn
                .execute_batch("COMMIT")
                .map(|()| value)
                .map_err(|e| sql("cannot commit to the store", e))
        });
        if outcome.is_err() && !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        if outcome.is_err() {
            self.known.forget();
        }
        outcome
    }
}
