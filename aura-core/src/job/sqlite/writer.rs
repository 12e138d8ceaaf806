//! The thread that writes: it puts many callers into one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::transaction::Transaction;
use super::{closed, read};
use crate::job::execute::execute;
use crate::job::op::{Answer, Context, Effects, Op};
use crate::job::signals::Signals;
use crate::store::sql_error::sql_error as sql;
use crate::{Error, Result};

/// Most operations in one transaction.
const GROUP: usize = 2_048;
/// How long the writer waits for callers that took part in the last group: a fraction of the fsync that they then share.
const GATHER: Duration = Duration::from_micros(300);
/// Pages of the write-ahead log (of 16 KiB) after which they are moved into the database: 64 MiB.
const CHECKPOINT_PAGES: i64 = 4_096;

/// An operation and who waits for its answer.
pub(super) struct Ask {
    pub(super) context: Context,
    pub(super) op: Op,
    pub(super) reply: oneshot::Sender<Result<Answer>>,
}

/// The state of the thread.
pub(super) struct Writer {
    conn: Connection,
    signals: Arc<Signals>,
    poll: Duration,
    last_group: usize,
    data_version: i64,
    /// Pages of the write-ahead log at the last checkpoint; a reader may have kept it from starting anew.
    checkpointed: i64,
}

impl Writer {
    pub(super) fn new(conn: Connection, signals: Arc<Signals>, poll_ms: u64) -> Self {
        Writer {
            conn,
            signals,
            poll: Duration::from_millis(poll_ms.max(1)),
            last_group: 1,
            data_version: 0,
            checkpointed: 0,
        }
    }

    /// Serves until nobody can ask any more.
    pub(super) fn serve(mut self, asked: &Receiver<Ask>) {
        loop {
            match asked.recv_timeout(self.poll) {
                Ok(first) => {
                    let group = self.gather(first, asked);
                    self.last_group = group.len();
                    self.commit(group);
                    self.look_elsewhere();
                    self.checkpoint();
                }
                Err(RecvTimeoutError::Timeout) => self.look_elsewhere(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn gather(&self, first: Ask, asked: &Receiver<Ask>) -> Vec<Ask> {
        let mut group = vec![first];
        while group.len() < GROUP {
            let next = if group.len() < self.last_group {
                asked.recv_timeout(GATHER).ok()
            } else {
                asked.try_recv().ok()
            };
            match next {
                Some(ask) => group.push(ask),
                None => break,
            }
        }
        group
    }

    fn commit(&self, group: Vec<Ask>) {
        let mut replies = Vec::with_capacity(group.len());
        let mut work = Vec::with_capacity(group.len());
        for Ask { context, op, reply } in group {
            replies.push(reply);
            work.push((context, op));
        }
        // An operation that the database refuses (a value too large for it, say) must not fail those that came with it.
        let alone = (work.len() > 1).then(|| work.clone());
        match (self.commit_work(work), alone) {
            (Ok(answers), _) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    let _ = reply.send(answer);
                }
            }
            (Err(_), Some(each)) => {
                for (reply, one) in replies.into_iter().zip(each) {
                    let mut answers = self.commit_work(vec![one]);
                    let answer = match &mut answers {
                        Ok(answers) => answers.pop().unwrap_or_else(|| Err(closed())),
                        Err(_) => answers.map(|_| Answer::Nothing),
                    };
                    let _ = reply.send(answer);
                }
            }
            (Err(e), None) => {
                for reply in replies {
                    let _ = reply.send(Err(Error::new(e.kind(), e.message().to_owned())));
                }
            }
        }
    }

    /// Commits operations together, and tells those who wait.
    fn commit_work(&self, work: Vec<(Context, Op)>) -> Result<Vec<Result<Answer>>> {
        let mut effects = Effects::default();
        let (answers, grew) = caught(|| self.transact(work, &mut effects))?;
        self.signals.tell(&effects, grew);
        Ok(answers)
    }

    fn transact(
        &self,
        work: Vec<(Context, Op)>,
        effects: &mut Effects,
    ) -> Result<(Vec<Result<Answer>>, bool)> {
        // A transaction that a panic left open would make every later one fail.
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        self.conn
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|e| sql("cannot begin to write the jobs", e))?;
        let outcome = self.work(work, effects).and_then(|done| {
            self.conn
                .execute_batch("COMMIT")
                .map(|()| done)
                .map_err(|e| sql("cannot commit the jobs", e))
        });
        if outcome.is_err() && !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        outcome
    }

    fn work(
        &self,
        work: Vec<(Context, Op)>,
        effects: &mut Effects,
    ) -> Result<(Vec<Result<Answer>>, bool)> {
        let mut tx = Transaction::new(&self.conn);
        let mut answers = Vec::with_capacity(work.len());
        for (context, op) in work {
            answers.push(execute(&mut tx, &context, op, effects)?);
        }
        let grew = tx.finish()?;
        Ok((answers, grew))
    }

    /// Looks whether another connection changed the database, and tells those who wait. The number is read from shared memory; an unchanged
    /// one costs a microsecond or two.
    fn look_elsewhere(&mut self) {
        if !self.signals.anybody_interested() {
            return;
        }
        let version: rusqlite::Result<i64> =
            self.conn.query_row("PRAGMA data_version", [], |r| r.get(0));
        if let Ok(version) = version
            && version != self.data_version
        {
            self.data_version = version;
            let waited = self.signals.waited_for();
            let seen = read::glance(&self.conn, &waited).unwrap_or_default();
            self.signals.tell_elsewhere(&seen);
        }
    }

    /// Moves the write-ahead log into the database when it is long. A reader that is still at it, or a store that does the same, only
    /// puts it off.
    fn checkpoint(&mut self) {
        let pages: rusqlite::Result<i64> =
            self.conn
                .query_row("PRAGMA wal_checkpoint(NOOP)", [], |r| r.get(1));
        let Ok(pages) = pages else {
            return;
        };
        if pages < self.checkpointed {
            self.checkpointed = 0;
        }
        if pages - self.checkpointed >= CHECKPOINT_PAGES {
            self.checkpointed = pages;
            let _ = self
                .conn
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }
}

/// Runs `f`; a panic in it becomes an error.
pub(super) fn caught<R>(f: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| {
        Err(Error::internal(
            "the thread of the jobs panicked; please report this",
        ))
    })
}
