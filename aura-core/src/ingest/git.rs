//! Reads git history as events: one event for each commit.
//!
//! Uses the `gix` library; the git program is not needed. Only the repository's own files and configuration are
//! read: no environment variable and no configuration of the user or the machine has an influence, nothing is
//! written, nothing is fetched and no program is started.

mod assistant;
mod commit;
mod pseudonym;
mod row;
mod size;
mod trailer;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use pseudonym::PseudonymKey;

use self::row::{Context, Refused, Row, Worker};
use self::walk::Found;
use super::block::{Origin, ParsedBlock};
use super::plan::ReadPlan;
use super::tabular::normalize;
use super::{CancelToken, Limits, Reject};
use crate::{Error, Result};

/// Commits of one batch.
const CHUNK_ROWS: usize = 8_192;
/// Commits that a thread takes at a time.
const SHARE_ROWS: usize = 32;

/// What to read of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GitOptions {
    /// The commit whose history is read: a branch, a tag, a commit id or any revision that names one commit
    /// (gitrevisions(7), for example `main~10`). Default: `HEAD`.
    pub revision: Option<String>,
    /// Only commits whose committer time is at or after this one (UTC microseconds). Like git's own
    /// `--since-as-filter`, this looks at the committer and not at the author: a commit that was written long ago
    /// and arrived now is new.
    pub since_us: Option<i64>,
    /// Only commits whose committer time is before this one (UTC microseconds).
    pub until_us: Option<i64>,
    /// The value of the column `repo`. Default: the name of the directory, without `.git`.
    pub repo: Option<String>,
    /// Replaces actors by `dev_` and 12 hexadecimal digits of a keyed hash. Default: the address is the actor.
    pub pseudonymize: Option<PseudonymKey>,
    /// A file larger than this counts as binary: it is a changed file without lines (default 32 MiB; git's
    /// `core.bigFileThreshold` is 512 MiB). Bounds memory: a comparison needs about eight times this much.
    pub max_blob_bytes: u64,
    /// Threads that compare trees (default 2, from 1 to 64). The result does not depend on it.
    pub threads: usize,
}

impl Default for GitOptions {
    fn default() -> Self {
        GitOptions {
            revision: None,
            since_us: None,
            until_us: None,
            repo: None,
            pseudonymize: None,
            max_blob_bytes: 32 << 20,
            threads: 2,
        }
    }
}

/// Some commits as events.
#[derive(Debug)]
pub(crate) struct GitChunk {
    /// Columns as [`git_schema`].
    pub(crate) batch: RecordBatch,
    /// For each row of `batch`, the number of the commit in the order of the read, from 1.
    pub(crate) origins: Vec<Origin>,
    /// In the order of the read. The original is the commit object as git stores it.
    pub(crate) rejects: Vec<Reject>,
}

/// Returns the schema of the batches of [`GitReader`].
pub(crate) fn git_schema() -> SchemaRef {
    row::schema()
}

/// The history of a repository as chunks of up to 8,192 commits. It holds no handle on the repository between
/// chunks, so it can move between threads.
///
/// **Shapes.** One row for each commit reachable from [`GitOptions::revision`], ordered by (committer time, id);
/// a committer time that cannot be read orders as 1970, as in git. There is no chunk when no commit lies between
/// `since_us` and `until_us`.
///
/// | column | type | null | meaning |
/// |---|---|---|---|
/// | `event_id` | text | | the commit id, 40 hexadecimal digits; the same commit in two clones is one event |
/// | `actor` | text | | the author's address after `.mailmap`, in lower case; the name where there is no address; or a pseudonym |
/// | `event` | text | | `merge` for more than one parent, else `commit` |
/// | `time` | timestamp | | author date, UTC |
/// | `committed_at` | timestamp | unreadable | committer date, UTC |
/// | `repo` | text | | [`GitOptions::repo`] |
/// | `author_offset_minutes` | integer | unreadable | the author's own offset from UTC, east positive |
/// | `bot` | boolean | | the author looks like an automation account: `[bot]`, the word `bot`, or a known service |
/// | `files`, `insertions`, `deletions` | integer | unknown | size against the parent (the empty tree for a root commit), as `git log --numstat --no-renames` shows it |
/// | `human_co_authors` | integer | | distinct people in `Co-authored-by` and `Co-developed-by` trailers, without the author, assistants and bots |
/// | `ai_assistant` | text | none named | the first assistant named in `Co-authored-by`, `Co-developed-by`, `Assisted-by` or `Generated-by` trailers; if none is, the author who is one |
///
/// Sizes are null (unknown) for merges (git shows none either), for the oldest commits of a shallow clone (their
/// parents are not there), for content that a partial clone left out, and for a commit that touches more than a
/// million entries. Binary files (a NUL among the first 8,000 bytes) and files above
/// [`GitOptions::max_blob_bytes`] are files with 0 lines.
///
/// Differences from git: `.gitattributes` and `diff.*` settings do not apply, and a renamed file is one deleted
/// and one added. Lines are compared with git's default algorithm (Myers with the same heuristics, in another
/// implementation), so that single counts may differ slightly where several smallest descriptions of a change exist.
///
/// A commit whose author date is no number or outside the years -9999 to 9999 is rejected as
/// [`InvalidTime`](super::RejectReason::InvalidTime), one without an author or tree line as `Malformed`, one whose author has
/// neither address nor name as `MissingRole`. Text that is not UTF-8 is read with U+FFFD in its place.
///
/// **Memory**: about 60 bytes for each commit, and per thread the two largest files compared at a time.
///
/// **Cancelling**: checked at every commit.
///
/// **Source**: git's object format (gitformat-commit is described in git-fsck(1) and git-commit-tree(1)), gitmailmap(5),
/// git-interpret-trailers(1); the rules for assistants and bots are AURA's own.
pub(crate) struct GitReader {
    path: PathBuf,
    source: Arc<str>,
    repo: String,
    threads: usize,
    context: Context,
    commits: std::vec::IntoIter<Found>,
    rows_read: u64,
    limits: Limits,
    cancel: CancelToken,
}

impl GitReader {
    /// Finds all commits of the repository at `path`; their content is read by the iterator.
    ///
    /// # Errors
    /// * [`NotFound`](crate::ErrorKind::NotFound): `path` does not exist or is not a repository (a directory inside
    ///   one is not), or the revision does not exist.
    /// * [`InvalidSpec`](crate::ErrorKind::InvalidSpec): `threads` is not from 1 to 64, the pseudonym key is empty.
    /// * [`InvalidData`](crate::ErrorKind::InvalidData): the repository has no commits, lacks an object, is damaged, or uses SHA-256 ids.
    /// * [`Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// A missing or damaged object may also come to light in the iterator.
    pub(crate) fn open(
        path: &Path,
        options: &GitOptions,
        limits: &Limits,
        cancel: &CancelToken,
    ) -> Result<Self> {
        check(options)?;
        let repo = open(path)?;
        let tip = tip(&repo, path, options)?;
        let context = Context {
            mailmap: repo.open_mailmap(),
            pseudonymize: options.pseudonymize.clone(),
            shallow: shallow(&repo, path)?,
            max_blob_bytes: options.max_blob_bytes,
            partial: is_partial(&repo),
        };
        let mut commits = walk::reachable(&repo, tip, &context.shallow, cancel)?;
        commits.retain(|c| {
            options.since_us.is_none_or(|since| c.committed_us >= since)
                && options.until_us.is_none_or(|until| c.committed_us < until)
        });
        Ok(GitReader {
            path: path.to_owned(),
            source: Arc::from(path.to_string_lossy()),
            repo: repo_name(path, options),
            threads: options.threads,
            context,
            commits: commits.into_iter(),
            rows_read: 0,
            limits: limits.clone(),
            cancel: cancel.clone(),
        })
    }

    fn chunk(&mut self, commits: &[Found]) -> Result<GitChunk> {
        let made = rows(
            &self.path,
            self.threads,
            &self.context,
            commits,
            &self.cancel,
        )?;
        let mut accepted = Vec::with_capacity(commits.len());
        let mut origins = Vec::with_capacity(commits.len());
        let mut rejects = Vec::new();
        for (row, made) in (self.rows_read + 1..).zip(made) {
            match made {
                Ok(made) => {
                    accepted.push(made);
                    origins.push(Origin {
                        row,
                        start: 0,
                        end: 0,
                    });
                }
                Err(refused) => rejects.push(reject(&self.source, row, refused, &self.limits)),
            }
        }
        self.rows_read += commits.len() as u64;
        Ok(GitChunk {
            batch: row::batch(&accepted, &self.repo)?,
            origins,
            rejects,
        })
    }
}

impl Iterator for GitReader {
    type Item = Result<GitChunk>;

    fn next(&mut self) -> Option<Result<GitChunk>> {
        let commits: Vec<Found> = self.commits.by_ref().take(CHUNK_ROWS).collect();
        (!commits.is_empty()).then(|| {
            self.chunk(&commits)
                // After an error there is nothing more.
                .inspect_err(|_| self.commits = Vec::new().into_iter())
        })
    }
}

impl GitChunk {
    /// Brings the chunk into canonical form, as [`normalize`] does for tables. Rows keep their numbers.
    pub(crate) fn into_parsed(
        self,
        plan: &ReadPlan,
        limits: &Limits,
        source: &Arc<str>,
    ) -> Result<ParsedBlock> {
        let mut parsed = normalize(&self.batch, plan, limits, source, 1)?;
        // Numbers of `normalize` count the rows of the batch, without those already rejected.
        let number = |row: u64| {
            usize::try_from(row - 1)
                .ok()
                .and_then(|index| self.origins.get(index))
                .map_or(row, |origin| origin.row)
        };
        for origin in &mut parsed.origins {
            origin.row = number(origin.row);
        }
        for reject in &mut parsed.rejects {
            reject.row = number(reject.row);
        }
        parsed.rows_read += self.rejects.len() as u64;
        parsed.rejects.extend(self.rejects);
        parsed.rejects.sort_by_key(|reject| reject.row);
        Ok(parsed)
    }
}

type Made = (usize, Result<Result<Row, Refused>>);

/// Makes the rows of `chunk` in its order, on up to `threads` threads.
///
/// Each thread opens the repository for itself: a handle of gix cannot move between threads (its feature
/// `parallel` is off), and opening takes about a millisecond against a second or more for a full chunk.
fn rows(
    path: &Path,
    threads: usize,
    context: &Context,
    chunk: &[Found],
    cancel: &CancelToken,
) -> Result<Vec<Result<Row, Refused>>> {
    let shares: Vec<&[Found]> = chunk.chunks(SHARE_ROWS).collect();
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let work = || -> Result<Vec<Made>> {
        let mut worker = Worker::new(open(path)?, context);
        let mut made: Vec<Made> = Vec::new();
        loop {
            let share = next.fetch_add(1, Ordering::Relaxed);
            let Some(commits) = shares.get(share) else {
                return Ok(made);
            };
            for (index, commit) in (share * SHARE_ROWS..).zip(*commits) {
                if failed.load(Ordering::Relaxed) {
                    return Ok(made);
                }
                let row = cancel.check().and_then(|()| worker.row(context, *commit));
                if row.is_err() {
                    failed.store(true, Ordering::Relaxed);
                }
                made.push((index, row));
            }
        }
    };
    let threads = threads.min(shares.len());
    let mut all: Vec<Made> = if threads <= 1 {
        work()?
    } else {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            running.into_iter().try_fold(Vec::new(), |mut all, thread| {
                all.extend(thread.join().map_err(|_| {
                    Error::internal("git: a thread that compares commits panicked")
                })??);
                Ok::<_, Error>(all)
            })
        })?
    };
    all.sort_unstable_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, row)| row).collect()
}

fn check(options: &GitOptions) -> Result<()> {
    if !(1..=64).contains(&options.threads) {
        return Err(Error::invalid_spec(format!(
            "git: `threads` is {}, expected 1 to 64",
            options.threads
        )));
    }
    if options
        .pseudonymize
        .as_ref()
        .is_some_and(PseudonymKey::is_empty)
    {
        return Err(Error::invalid_spec(
            "git: the pseudonym key is empty, so that everybody could undo it; give a secret text",
        ));
    }
    Ok(())
}

fn open(path: &Path) -> Result<gix::Repository> {
    if !path.exists() {
        return Err(Error::not_found(format!(
            "git: {} does not exist",
            path.display()
        )));
    }
    let opened = gix::open_opts(path, gix::open::Options::isolated());
    opened.map_err(|e| {
        let looks_like_one = path.join(".git").exists()
            || (path.join("HEAD").exists() && path.join("objects").exists());
        if looks_like_one {
            Error::invalid_data(format!(
                "git: the repository {} cannot be opened: {e}",
                path.display()
            ))
        } else {
            Error::not_found(format!(
                "git: {} is not a git repository; give its working directory or its git directory",
                path.display()
            ))
        }
        .with_source(e)
    })
}

fn tip(repo: &gix::Repository, path: &Path, options: &GitOptions) -> Result<gix::ObjectId> {
    let Some(revision) = &options.revision else {
        let head = repo.head().map_err(|e| {
            Error::invalid_data(format!(
                "git: HEAD of {} cannot be read: {e}",
                path.display()
            ))
            .with_source(e)
        })?;
        if head.is_unborn() {
            return Err(Error::invalid_data(format!(
                "git: the repository {} has no commits on its current branch; commit something or name another \
                 branch with `revision`",
                path.display()
            )));
        }
        return head.into_peeled_id().map(gix::Id::detach).map_err(|e| {
            Error::invalid_data(format!(
                "git: HEAD of {} names no commit that exists: {e}",
                path.display()
            ))
            .with_source(e)
        });
    };
    let object = repo
        .rev_parse_single(revision.as_str())
        .and_then(|id| id.object())
        .and_then(|object| object.peel_to_kind(gix::objs::Kind::Commit))
        .map_err(|e| {
            Error::not_found(format!(
                "git: `{revision}` names no commit of {}: {e}; give one branch, tag or commit",
                path.display()
            ))
            .with_source(e)
        })?;
    Ok(object.id)
}

fn shallow(repo: &gix::Repository, path: &Path) -> Result<HashSet<gix::ObjectId>> {
    let commits = repo.shallow_commits().map_err(|e| {
        Error::invalid_data(format!(
            "git: the list of shallow commits of {} cannot be read: {e}",
            path.display()
        ))
        .with_source(e)
    })?;
    Ok(commits
        .map(|commits| commits.iter().copied().collect())
        .unwrap_or_default())
}

/// A partial clone marks the packs whose objects may point at objects that it lacks.
fn is_partial(repo: &gix::Repository) -> bool {
    let packs = repo.objects.store_ref().path().join("pack");
    std::fs::read_dir(packs).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.path().extension().is_some_and(|e| e == "promisor"))
    })
}

fn repo_name(path: &Path, options: &GitOptions) -> String {
    if let Some(name) = &options.repo {
        return name.clone();
    }
    // `.` and `..` have no name of their own.
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut named = full.as_path();
    if named.file_name().is_some_and(|n| n == ".git") {
        named = named.parent().unwrap_or(named);
    }
    let name = named
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    name.strip_suffix(".git")
        .map_or(name.clone(), str::to_owned)
}

fn reject(source: &Arc<str>, row: u64, refused: Refused, limits: &Limits) -> Reject {
    let original_len = refused.original.len() as u64;
    let mut original = refused.original;
    original.truncate(limits.max_original_bytes);
    Reject {
        source: Arc::clone(source),
        row,
        field: Some(refused.field.to_owned()),
        reason: refused.reason,
        message: refused.message,
        original,
        original_len,
    }
}
