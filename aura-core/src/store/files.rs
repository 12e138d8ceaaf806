//! Files of the data directory: created under a temporary name, durable before they are named, and
//! read by range from many threads at once.

mod scratch;
mod stored;
#[cfg(test)]
mod tests;
mod write;
mod writeback;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use uuid::Uuid;

pub(crate) use scratch::{Scratch, ScratchRange};
pub(crate) use stored::StoredFile;
pub(crate) use write::NewFile;
pub(crate) use writeback::Writeback;

use scratch::ScratchInner;
use stored::Stored;
use write::Sink;

use crate::{Error, Result};

/// Ending of a file that is still being written.
pub(super) const PART: &str = ".part";
/// Beginning of the name of a scratch file, which lives at the root of the data directory.
pub(super) const SCRATCH: &str = ".scratch-";

/// Where the data files of a store are kept.
///
/// Paths are relative to the data directory, with `/` between their parts. Clones share one place.
#[derive(Debug, Clone)]
pub(crate) enum FileStore {
    /// A directory.
    Local {
        /// The data directory.
        root: PathBuf,
    },
    /// Memory of this process, gone with the last clone.
    Memory(Arc<InMemory>),
}

/// A file found in the data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileEntry {
    /// Path relative to the data directory.
    pub(crate) path: String,
    /// Length of the file.
    pub(crate) size_bytes: u64,
    /// Time of the last change, microseconds since 1970, where it is known.
    pub(crate) modified_us: Option<i64>,
}

impl FileStore {
    /// Keeps files in a directory, which need not exist yet.
    pub(crate) fn local(root: impl Into<PathBuf>) -> Self {
        FileStore::Local { root: root.into() }
    }

    /// Keeps files in memory.
    pub(crate) fn memory() -> Self {
        FileStore::Memory(Arc::new(InMemory::new()))
    }

    /// Begins a file. It appears under `path` when [`NewFile::finish`] returns, and never otherwise.
    pub(crate) fn create(&self, path: &str) -> Result<NewFile> {
        let relative = checked(path)?;
        let sink = match self {
            FileStore::Local { root } => {
                let target = root.join(relative);
                let part = PathBuf::from(format!("{}{PART}", target.display()));
                let file = create_part(root, &part)
                    .map_err(|e| Error::io(format!("creating {}", part.display()), e))?;
                Sink::Local { file, part, target }
            }
            FileStore::Memory(files) => Sink::Memory {
                bytes: Vec::new(),
                files: Arc::clone(files),
                path: memory_path(path)?,
            },
        };
        Ok(NewFile {
            sink: Some(sink),
            path: path.to_owned(),
        })
    }

    /// Opens a file for reading.
    pub(crate) fn open(&self, path: &str) -> Result<StoredFile> {
        let relative = checked(path)?;
        let inner = match self {
            FileStore::Local { root } => {
                let full = root.join(relative);
                let fail = |e| Error::io(format!("opening {}", full.display()), e);
                let file = File::open(&full).map_err(fail)?;
                let len = file.metadata().map_err(fail)?.len();
                Stored::Local {
                    file: Arc::new(file),
                    len,
                }
            }
            FileStore::Memory(files) => {
                let location = memory_path(path)?;
                let got = ready(files.get(&location)).map_err(|e| object(path, e))?;
                Stored::Memory(ready(got.bytes()).map_err(|e| object(path, e))?)
            }
        };
        Ok(StoredFile {
            inner,
            path: Arc::from(path),
        })
    }

    /// Returns the length of a file.
    #[cfg(test)]
    pub(crate) fn size(&self, path: &str) -> Result<u64> {
        let relative = checked(path)?;
        match self {
            FileStore::Local { root } => {
                let full = root.join(relative);
                fs::metadata(&full)
                    .map(|m| m.len())
                    .map_err(|e| Error::io(format!("looking at {}", full.display()), e))
            }
            FileStore::Memory(files) => ready(files.head(&memory_path(path)?))
                .map(|m| m.size)
                .map_err(|e| object(path, e)),
        }
    }

    /// Removes a file for good; returns whether it was there.
    pub(crate) fn delete(&self, path: &str) -> Result<bool> {
        let relative = checked(path)?;
        match self {
            FileStore::Local { root } => {
                let full = root.join(relative);
                match fs::remove_file(&full).and_then(|()| sync_parent(&full)) {
                    Ok(()) => Ok(true),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
                    Err(e) => Err(Error::io(format!("deleting {}", full.display()), e)),
                }
            }
            FileStore::Memory(files) => {
                let location = memory_path(path)?;
                if ready(files.head(&location)).is_err() {
                    return Ok(false);
                }
                ready(files.delete(&location)).map_err(|e| object(path, e))?;
                Ok(true)
            }
        }
    }

    /// Lists every file below the data directory, unfinished and scratch files included, sorted by
    /// path. A directory that does not exist is empty.
    pub(crate) fn list(&self) -> Result<Vec<FileEntry>> {
        let mut found = Vec::new();
        match self {
            FileStore::Local { root } => list_local(root, &mut found)?,
            FileStore::Memory(files) => {
                let all = ready(files.list(None).collect::<Vec<_>>().map(Ok))
                    .map_err(|e| object("the data directory", e))?;
                for meta in all {
                    let meta = meta.map_err(|e| object("the data directory", e))?;
                    found.push(FileEntry {
                        path: meta.location.to_string(),
                        size_bytes: meta.size,
                        modified_us: Some(meta.last_modified.timestamp_micros()),
                    });
                }
            }
        }
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Begins a file for this process alone, which vanishes when it is dropped.
    pub(crate) fn scratch(&self, name: Uuid) -> Result<Scratch> {
        Ok(Scratch {
            inner: match self {
                FileStore::Local { root } => {
                    let path = root.join(format!("{SCRATCH}{name}"));
                    let file = create_part(root, &path)
                        .map_err(|e| Error::io(format!("creating {}", path.display()), e))?;
                    // Where the system allows it the name goes at once, so that a crash leaves nothing.
                    let unlinked = cfg!(unix) && fs::remove_file(&path).is_ok();
                    ScratchInner::Local {
                        file,
                        path: (!unlinked).then_some(path),
                        end: Mutex::new(0),
                    }
                }
                FileStore::Memory(_) => ScratchInner::Memory(Mutex::new(Vec::new())),
            },
        })
    }
}

/// Runs a future of the in-memory store, none of which ever waits.
fn ready<T>(future: impl Future<Output = object_store::Result<T>>) -> object_store::Result<T> {
    future.now_or_never().unwrap_or_else(|| {
        Err(object_store::Error::Generic {
            store: "memory",
            source: "the in-memory store had to wait".into(),
        })
    })
}

fn object(path: &str, e: object_store::Error) -> Error {
    match e {
        object_store::Error::NotFound { .. } => {
            Error::not_found(format!("opening {path}: no such file")).with_source(e)
        }
        e => Error::internal(format!("in-memory file {path}: {e}")).with_source(e),
    }
}

fn memory_path(path: &str) -> Result<object_store::path::Path> {
    object_store::path::Path::parse(path)
        .map_err(|e| Error::invalid_data(format!("file path {path:?}: {e}")).with_source(e))
}

/// A path from a catalog must stay inside the data directory.
fn checked(path: &str) -> Result<&Path> {
    let inside = !path.is_empty()
        && Path::new(path)
            .components()
            .all(|c| matches!(c, std::path::Component::Normal(_)));
    if inside {
        Ok(Path::new(path))
    } else {
        Err(Error::invalid_data(format!(
            "file path {path:?} leaves the data directory; a path relative to it is expected"
        )))
    }
}

fn create_part(root: &Path, part: &Path) -> io::Result<File> {
    let open = || {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(part)
    };
    match open() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            if let Some(dir) = part.parent() {
                create_dirs(root, dir)?;
            }
            open()
        }
        other => other,
    }
}

/// Creates `dir`, and makes each new directory's entry in its parent durable.
fn create_dirs(root: &Path, dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent()
        && (dir != root || !parent.as_os_str().is_empty())
    {
        create_dirs(root, parent)?;
    }
    match fs::create_dir(dir) {
        Ok(()) => sync_parent(dir),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

/// Makes a created, renamed or removed name durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    // Elsewhere a directory cannot be opened, and the file system orders its own metadata.
    #[cfg(unix)]
    if let Some(dir) = path.parent() {
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        File::open(dir)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn list_local(root: &Path, found: &mut Vec<FileEntry>) -> Result<()> {
    let mut dirs = vec![(root.to_owned(), String::new())];
    while let Some((dir, prefix)) = dirs.pop() {
        let fail = |e| Error::io(format!("listing {}", dir.display()), e);
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(fail(e)),
        };
        for entry in entries {
            let entry = entry.map_err(fail)?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                // Another process may remove it meanwhile.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(fail(e)),
            };
            if meta.is_dir() {
                dirs.push((entry.path(), format!("{path}/")));
            } else {
                let modified_us = meta
                    .modified()
                    .ok()
                    .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
                    .and_then(|d| i64::try_from(d.as_micros()).ok());
                found.push(FileEntry {
                    path,
                    size_bytes: meta.len(),
                    modified_us,
                });
            }
        }
    }
    Ok(())
}
