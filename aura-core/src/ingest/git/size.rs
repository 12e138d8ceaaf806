//! How much a commit changes: files, inserted and deleted lines.

use gix::ObjectId;
use gix::bstr::BStr;
use gix::diff::blob::{Algorithm, Diff, InternedInput};
use gix::diff::tree::{State, Visit, visit};
use gix::objs::tree::EntryMode;
use gix::objs::{Find as _, TreeRefIter};

use crate::{Error, Result};

/// Entries of one change that are looked at before the size is given up as unknown. It bounds memory against
/// histories made to expand (a tree that names itself many times over).
const MAX_CHANGES: usize = 1_000_000;

/// git's own rule: a NUL among the first 8,000 bytes makes a file binary.
const BINARY_PROBE: usize = 8_000;

/// The size of a change; `None` is unknown.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) files: Option<i64>,
    pub(super) insertions: Option<i64>,
    pub(super) deletions: Option<i64>,
}

/// One side of a changed file.
type Side = Option<(EntryMode, ObjectId)>;

/// Computes sizes with one handle on a repository; it keeps its buffers.
pub(super) struct Sizer {
    state: State,
    trees: [Vec<u8>; 2],
    blobs: [Vec<u8>; 2],
    changes: Vec<(Side, Side)>,
    max_blob_bytes: u64,
    /// Objects may be missing by design (a partial clone).
    partial: bool,
}

enum Content {
    Text,
    Binary,
    /// Not in a partial clone.
    Absent,
}

impl Sizer {
    pub(super) fn new(max_blob_bytes: u64, partial: bool) -> Self {
        Sizer {
            state: State::default(),
            trees: Default::default(),
            blobs: Default::default(),
            changes: Vec::new(),
            max_blob_bytes,
            partial,
        }
    }

    /// Compares two trees; no `before` is the empty tree.
    pub(super) fn size(
        &mut self,
        repo: &gix::Repository,
        before: Option<ObjectId>,
        after: ObjectId,
    ) -> Result<Size> {
        let [before_buf, after_buf] = &mut self.trees;
        let known = match before {
            Some(id) => read_tree(repo, id, before_buf, self.partial)?,
            None => {
                before_buf.clear();
                true
            }
        } && read_tree(repo, after, after_buf, self.partial)?;
        if !known {
            return Ok(Size::default());
        }
        self.changes.clear();
        let mut recorder = Recorder {
            changes: &mut self.changes,
            entries: 0,
        };
        let kind = repo.object_hash();
        let compared = gix::diff::tree(
            TreeRefIter::from_bytes(before_buf, kind),
            TreeRefIter::from_bytes(after_buf, kind),
            &mut self.state,
            &repo.objects,
            &mut recorder,
        );
        match compared {
            Ok(()) => {}
            Err(gix::diff::tree::Error::Cancelled) => return Ok(Size::default()),
            Err(_) if self.partial => return Ok(Size::default()),
            Err(e) => {
                return Err(Error::invalid_data(format!(
                    "git: the tree {after} cannot be compared with its predecessor: {e}; the repository is \
                     damaged or incomplete, run `git fsck` on it"
                ))
                .with_source(e));
            }
        }
        let mut size = Size {
            files: i64::try_from(self.changes.len()).ok(),
            insertions: Some(0),
            deletions: Some(0),
        };
        for index in 0..self.changes.len() {
            let (old, new) = self.changes[index];
            match self.lines(repo, old, new)? {
                Some((inserted, deleted)) => {
                    size.insertions = size.insertions.map(|n| n + inserted);
                    size.deletions = size.deletions.map(|n| n + deleted);
                }
                None => {
                    size.insertions = None;
                    size.deletions = None;
                    break;
                }
            }
        }
        Ok(size)
    }

    /// Returns the lines (inserted, deleted) of one file; `None` when its content is not there.
    fn lines(
        &mut self,
        repo: &gix::Repository,
        old: Side,
        new: Side,
    ) -> Result<Option<(i64, i64)>> {
        if let (Some((_, a)), Some((_, b))) = (old, new)
            && a == b
        {
            return Ok(Some((0, 0))); // only the mode changed
        }
        let mut binary = false;
        for (side, buf) in [old, new].into_iter().zip(&mut self.blobs) {
            match read_side(repo, side, buf, self.max_blob_bytes, self.partial)? {
                Content::Text => {}
                Content::Binary => {
                    binary = true;
                    break;
                }
                Content::Absent => return Ok(None),
            }
        }
        if binary {
            return Ok(Some((0, 0)));
        }
        let [before, after] = &self.blobs;
        Ok(Some(match (old, new) {
            (None, _) => (count_lines(after), 0),
            (_, None) => (0, count_lines(before)),
            _ => {
                let input = InternedInput::new(before.as_slice(), after.as_slice());
                let diff = Diff::compute(Algorithm::Myers, &input);
                (
                    i64::from(diff.count_additions()),
                    i64::from(diff.count_removals()),
                )
            }
        }))
    }
}

/// Reads a tree; false when it is missing from a partial clone.
fn read_tree(
    repo: &gix::Repository,
    id: ObjectId,
    buf: &mut Vec<u8>,
    partial: bool,
) -> Result<bool> {
    if id == ObjectId::empty_tree(id.kind()) {
        buf.clear();
        return Ok(true);
    }
    match repo.objects.try_find(&id, buf) {
        Ok(Some(found)) if found.kind == gix::objs::Kind::Tree => Ok(true),
        Ok(Some(found)) => Err(Error::invalid_data(format!(
            "git: object {id} should be a tree and is a {}; the repository is damaged, run `git fsck` on it",
            found.kind
        ))),
        Ok(None) if partial => Ok(false),
        Ok(None) => Err(missing("tree", id)),
        Err(e) => Err(unreadable("tree", id, e)),
    }
}

fn read_side(
    repo: &gix::Repository,
    side: Side,
    buf: &mut Vec<u8>,
    max_blob_bytes: u64,
    partial: bool,
) -> Result<Content> {
    buf.clear();
    let Some((mode, id)) = side else {
        return Ok(Content::Text);
    };
    if mode.is_commit() {
        // What git compares for a submodule.
        buf.extend_from_slice(format!("Subproject commit {id}\n").as_bytes());
        return Ok(Content::Text);
    }
    match repo.try_find_header(id) {
        Ok(Some(header)) if header.size() > max_blob_bytes => return Ok(Content::Binary),
        Ok(Some(_)) => {}
        Ok(None) if partial => return Ok(Content::Absent),
        Ok(None) => return Err(missing("file content", id)),
        Err(e) => return Err(unreadable("file content", id, e)),
    }
    match repo.objects.try_find(&id, buf) {
        Ok(Some(found)) => {
            let probe = &found.data[..found.data.len().min(BINARY_PROBE)];
            Ok(if memchr::memchr(0, probe).is_some() {
                Content::Binary
            } else {
                Content::Text
            })
        }
        Ok(None) => Err(missing("file content", id)),
        Err(e) => Err(unreadable("file content", id, e)),
    }
}

/// A last line without newline counts.
fn count_lines(text: &[u8]) -> i64 {
    let newlines = memchr::memchr_iter(b'\n', text).count();
    let open_end = usize::from(text.last().is_some_and(|last| *last != b'\n'));
    i64::try_from(newlines + open_end).unwrap_or(i64::MAX)
}

pub(super) fn missing(what: &str, id: ObjectId) -> Error {
    Error::invalid_data(format!(
        "git: the {what} {id} is missing from the repository, which is damaged or incomplete; run `git fsck` \
         on it, or fetch the missing objects"
    ))
}

pub(super) fn unreadable(what: &str, id: ObjectId, cause: gix::Error) -> Error {
    Error::invalid_data(format!(
        "git: the {what} {id} cannot be read: {cause}; run `git fsck` on the repository"
    ))
    .with_source(cause)
}

/// Collects the files of a comparison. Paths are of no interest, so none is built.
struct Recorder<'a> {
    changes: &'a mut Vec<(Side, Side)>,
    entries: usize,
}

impl Visit for Recorder<'_> {
    fn pop_front_tracked_path_and_set_current(&mut self) {}
    fn push_back_tracked_path_component(&mut self, _: &BStr) {}
    fn push_path_component(&mut self, _: &BStr) {}
    fn pop_path_component(&mut self) {}

    fn visit(&mut self, change: visit::Change) -> visit::Action {
        self.entries += 1;
        if self.entries > MAX_CHANGES {
            return visit::Action::Break(());
        }
        let (old, new) = match change {
            visit::Change::Addition {
                entry_mode, oid, ..
            } => (None, Some((entry_mode, oid))),
            visit::Change::Deletion {
                entry_mode, oid, ..
            } => (Some((entry_mode, oid)), None),
            visit::Change::Modification {
                previous_entry_mode,
                previous_oid,
                entry_mode,
                oid,
            } => (
                Some((previous_entry_mode, previous_oid)),
                Some((entry_mode, oid)),
            ),
        };
        let is_file = |side: &Side| side.is_some_and(|(mode, _)| !mode.is_tree());
        if is_file(&old) || is_file(&new) {
            self.changes.push((old, new));
        }
        visit::Action::Continue(())
    }
}
