//! Upkeep: compaction, expiry, erasure, old snapshots, files that nobody needs.

mod background;
mod compaction;
mod erasure;
mod expiry;
mod orphans;

use serde::{Deserialize, Serialize};

pub(crate) use background::Upkeep;
use compaction::{compact_partitions, needs_any};
use erasure::{erase_once, scrub};
use expiry::{delete_scheduled, expire_once, expire_snapshots};
pub(crate) use orphans::Orphans;

use super::Store;
use super::flush::flush_all;
use crate::{Error, ErrorKind, Result};

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactReport {
    /// Partitions that were rewritten.
    pub partitions: u64,
    /// Files that were replaced.
    pub files_before: u64,
    /// Files that replace them.
    pub files_after: u64,
    /// Bytes of the replaced files.
    pub bytes_before: u64,
    /// Bytes of the new files.
    pub bytes_after: u64,
}

/// What an expiry did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpireReport {
    /// Files that were dropped.
    pub files: u64,
    /// Events in them.
    pub events: u64,
    /// Rejected rows that were dropped.
    pub rejects: u64,
}

/// What an erasure did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseReport {
    /// Events that were erased, counted in files of all snapshots.
    pub events: u64,
    /// Files that were rewritten or removed.
    pub files: u64,
    /// Rejected rows that mentioned the actor and were erased too.
    pub rejects: u64,
}

/// The future of an upkeep call only waits for its result: dropped, the work goes on to its end on its
/// own thread. Each is a commit that happens whole or not at all.
impl Store {
    /// Flushes, then rewrites every partition that has loose or several runs of files as one run
    /// sorted by (actor, time, event_id). Rows stay the same.
    ///
    /// # Errors
    /// `ResourceExhausted` on a full disk; `Unavailable` when the store is too busy.
    pub async fn compact(&self) -> Result<CompactReport> {
        self.blocking(|shared, writer, conn| {
            flush_all(shared, writer, conn)?;
            compact_partitions(shared, writer, conn, needs_any)
        })
        .await
    }

    /// Drops the events of all partitions that lie wholly before `older_than_us` (UTC
    /// microseconds). Events of the partition that contains the moment stay; a file without
    /// partition goes when all of its events are older. Rejected rows go when they were rejected before
    /// the moment. Old snapshots keep them all until they expire.
    ///
    /// # Errors
    /// As [`compact`](Self::compact).
    pub async fn expire(&self, older_than_us: i64) -> Result<ExpireReport> {
        self.blocking(move |shared, writer, conn| {
            flush_all(shared, writer, conn)?;
            retry(|| expire_once(shared, writer, conn, older_than_us))
        })
        .await
    }

    /// Erases the events of an actor in all snapshots, the rejected rows that mention the actor, and
    /// both on the disk. Only files that hold the actor are rewritten. Events of the actor that
    /// arrive later are stored.
    ///
    /// A rejected row mentions the actor when its original has it as a whole word: `u1` is not in
    /// `u10`, `u1-2` or `u1@example.com` (letters, digits and `_` make a word; `-`, `.` and `@` join
    /// two of them). Events of other actors stay, also where a property mentions the actor.
    ///
    /// Queries that began before may end with `Unavailable` or `NotFound`: their files are gone.
    ///
    /// # Errors
    /// As [`compact`](Self::compact).
    pub async fn erase(&self, actor: impl Into<String>) -> Result<EraseReport> {
        let actor = actor.into();
        if actor.is_empty() {
            return Err(Error::invalid_spec(
                "erase: the actor is empty; name the actor to erase",
            ));
        }
        self.blocking(move |shared, writer, conn| {
            flush_all(shared, writer, conn)?;
            let report = retry(|| erase_once(shared, writer, conn, &actor))?;
            delete_scheduled(shared, writer, conn, i64::MAX)?;
            scrub(writer)?;
            Ok(report)
        })
        .await
    }

    /// Forgets snapshots older than `older_than_us` (UTC microseconds; never the newest) and deletes
    /// the files that no snapshot needs any more. Returns how many snapshots went.
    ///
    /// # Errors
    /// As [`compact`](Self::compact).
    pub async fn expire_snapshots(&self, older_than_us: i64) -> Result<u64> {
        self.blocking(move |shared, writer, conn| {
            let gone = expire_snapshots(writer, older_than_us)?;
            delete_scheduled(shared, writer, conn, i64::MAX)?;
            Ok(gone)
        })
        .await
    }
}

/// The moment some seconds before `now_us`.
fn before(now_us: i64, seconds: u64) -> i64 {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    now_us.saturating_sub(seconds.saturating_mul(1_000_000))
}

/// Tries again what lost against another process's commit.
fn retry<R>(mut attempt: impl FnMut() -> Result<R>) -> Result<R> {
    for _ in 0..4 {
        match attempt() {
            Err(e) if e.kind() == ErrorKind::Conflict => {}
            outcome => return outcome,
        }
    }
    attempt()
}
