//! The task that writes: it puts many callers into one transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{oneshot, watch};

use super::link::Link;
use super::prefetch::prefetch;
use super::read::column;
use super::write::write;
use crate::job::execute::execute;
use crate::job::op::{Answer, Context, Effects, Op};
use crate::job::signals::Signals;
use crate::{Error, ErrorKind, Result};

/// Most operations in one transaction.
const GROUP: usize = 2_048;
/// How long the writer waits for callers that took part in the last group.
const GATHER: Duration = Duration::from_millis(1);
/// How often a transaction is tried that PostgreSQL ended for another one's sake.
const TRIES: usize = 5;

/// An operation and who waits for its answer.
pub(super) struct Ask {
    pub(super) context: Context,
    pub(super) op: Op,
    pub(super) reply: oneshot::Sender<Result<Answer>>,
}

/// Serves until nobody can ask any more. `pid` tells the server's number of this connection.
pub(super) async fn serve(
    mut link: Link,
    signals: Arc<Signals>,
    mut asked: UnboundedReceiver<Ask>,
    pid: watch::Sender<i32>,
) {
    let mut last_group = 1;
    while let Some(first) = asked.recv().await {
        let mut group = vec![first];
        while group.len() < GROUP {
            let next = match asked.try_recv() {
                Ok(ask) => Some(ask),
                Err(_) if group.len() < last_group => tokio::time::timeout(GATHER, asked.recv())
                    .await
                    .ok()
                    .flatten(),
                Err(_) => None,
            };
            match next {
                Some(ask) => group.push(ask),
                None => break,
            }
        }
        last_group = group.len();
        commit(&mut link, &signals, group, &pid).await;
    }
}

async fn commit(link: &mut Link, signals: &Signals, group: Vec<Ask>, pid: &watch::Sender<i32>) {
    let mut replies = Vec::with_capacity(group.len());
    let mut work = Vec::with_capacity(group.len());
    for Ask { context, op, reply } in group {
        replies.push(reply);
        work.push((context, op));
    }
    match commit_work(link, signals, &work, pid).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                let _ = reply.send(answer);
            }
        }
        // An operation that the database refuses must not fail those that came with it. When the database is away, all of them fail.
        Err(e) if work.len() > 1 && e.kind() != ErrorKind::Unavailable => {
            for (reply, one) in replies.into_iter().zip(work) {
                let answers = commit_work(link, signals, &[one], pid).await;
                let answer = answers
                    .and_then(|mut answers| answers.pop().unwrap_or_else(|| Err(super::closed())));
                let _ = reply.send(answer);
            }
        }
        Err(e) => {
            for reply in replies {
                let _ = reply.send(Err(Error::new(e.kind(), e.message().to_owned())));
            }
        }
    }
}

/// Commits operations together, and tells those who wait.
async fn commit_work(
    link: &mut Link,
    signals: &Signals,
    work: &[(Context, Op)],
    pid: &watch::Sender<i32>,
) -> Result<Vec<Result<Answer>>> {
    let mut tried = 0;
    loop {
        tried += 1;
        let mut committing = false;
        match transact(link, work, pid, &mut committing).await {
            Ok((answers, effects, grew)) => {
                signals.tell(&effects, grew);
                return Ok(answers);
            }
            Err(e) => {
                // The connection may be in a transaction that is not ended; a new one is not.
                link.close();
                // Before its COMMIT was sent, nothing of a transaction can have been kept.
                let again = e.kind() == ErrorKind::Unavailable && !committing && tried < TRIES;
                if !again {
                    return Err(match committing {
                        true => Error::new(
                            e.kind(),
                            format!("{}; whether the change was kept is not known", e.message()),
                        ),
                        false => e,
                    });
                }
                tokio::time::sleep(Duration::from_millis(20 << tried)).await;
            }
        }
    }
}

type Done = (Vec<Result<Answer>>, Effects, bool);

async fn transact(
    link: &mut Link,
    work: &[(Context, Op)],
    pid: &watch::Sender<i32>,
    committing: &mut bool,
) -> Result<Done> {
    link.begin().await?;
    if link.is_new() {
        let rows = link.query("SELECT pg_backend_pid()", &[]).await?;
        if let Some(row) = rows.first() {
            pid.send_replace(column(row, 0)?);
        }
    }
    let mut batch = prefetch(link, work).await?;
    let mut effects = Effects::default();
    let mut answers = Vec::with_capacity(work.len());
    for (context, op) in work {
        answers.push(execute(&mut batch, context, op.clone(), &mut effects)?);
    }
    let grew = !batch.entries.is_empty();
    write(link, &batch, grew).await?;
    *committing = true;
    link.commit().await?;
    Ok((answers, effects, grew))
}
