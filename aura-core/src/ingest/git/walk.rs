//! All commits reachable from one, in an order that does not depend on how they are stored.

use std::collections::HashSet;

use gix::ObjectId;
use gix::objs::Find as _;

use super::commit;
use super::size::{missing, unreadable};
use crate::ingest::CancelToken;
use crate::{Error, Result};

/// A commit and the time by which git orders it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) committed_us: i64,
    pub(super) id: ObjectId,
}

/// Returns the commits reachable from `tip` by (committer time, id).
///
/// About 60 bytes are kept for each commit, and nothing else. The parents of `shallow` commits are not there
/// and are not looked for.
pub(super) fn reachable(
    repo: &gix::Repository,
    tip: ObjectId,
    shallow: &HashSet<ObjectId>,
    cancel: &CancelToken,
) -> Result<Vec<Found>> {
    let mut seen = HashSet::from([tip]);
    let mut pending = vec![tip];
    let mut found = Vec::new();
    let mut buf = Vec::new();
    while let Some(id) = pending.pop() {
        if found.len() % 1_024 == 0 {
            cancel.check()?;
        }
        let commit = commit::parse(read_commit(repo, id, &mut buf)?);
        found.push(Found {
            committed_us: commit.committer.map_or(0, |c| c.order_us()),
            id,
        });
        if !shallow.contains(&id) {
            pending.extend(commit.parents.into_iter().filter(|p| seen.insert(*p)));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads a commit object.
pub(super) fn read_commit<'a>(
    repo: &gix::Repository,
    id: ObjectId,
    buf: &'a mut Vec<u8>,
) -> Result<&'a [u8]> {
    match repo.objects.try_find(&id, buf) {
        Ok(Some(found)) if found.kind == gix::objs::Kind::Commit => Ok(found.data),
        Ok(Some(found)) => Err(Error::invalid_data(format!(
            "git: object {id} should be a commit and is a {}; the repository is damaged, run `git fsck` on it",
            found.kind
        ))),
        Ok(None) => Err(missing("commit", id)),
        Err(e) => Err(unreadable("commit", id, e)),
    }
}
