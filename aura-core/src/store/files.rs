//! Files of the data directory: created under a temporary name, durable before they are named, and
//! read by range from many threads at once.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use futures::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use uuid::Uuid;

use crate::{Error, Result};

/// Ending of a file that is still being written.
const PART: &str = ".part";
/// Beginning of the name of a scratch file, which lives at the root of the data directory.
const SCRATCH: &str = ".scratch-";

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

    /// Lists the files that are not among `known`.
    ///
    /// A file that somebody is about to commit is among them: leave young ones alone.
    pub(crate) fn orphans(&self, known: &HashSet<String>) -> Result<Vec<FileEntry>> {
        let mut all = self.list()?;
        all.retain(|f| !known.contains(&f.path));
        Ok(all)
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

/// A file being written. Dropping it without [`finish`](Self::finish) removes every trace.
#[derive(Debug)]
pub(crate) struct NewFile {
    /// `None` once it is finished.
    sink: Option<Sink>,
    path: String,
}

#[derive(Debug)]
enum Sink {
    Local {
        file: File,
        part: PathBuf,
        target: PathBuf,
    },
    Memory {
        bytes: Vec<u8>,
        files: Arc<InMemory>,
        path: object_store::path::Path,
    },
}

impl NewFile {
    /// Makes the contents and then the name durable.
    pub(crate) fn finish(mut self) -> Result<()> {
        match self.sink.take() {
            Some(Sink::Local { file, part, target }) => file
                .sync_all()
                .and_then(|()| fs::rename(&part, &target))
                .and_then(|()| sync_parent(&target))
                .map_err(|e| {
                    let _ = fs::remove_file(&part);
                    Error::io(format!("finishing {}", target.display()), e)
                }),
            Some(Sink::Memory { bytes, files, path }) => {
                ready(files.put(&path, bytes.into())).map_err(|e| object(&self.path, e))?;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Some(Sink::Local { file, .. }) => file.write(buf),
            Some(Sink::Memory { bytes, .. }) => bytes.write(buf),
            None => Err(io::Error::other("the file is finished")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(Sink::Local { part, .. }) = &self.sink {
            // If this fails too, the file is found as an orphan later.
            let _ = fs::remove_file(part);
        }
    }
}

/// A file open for reading. Clones share it, and may read from many threads.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    inner: Stored,
    path: Arc<str>,
}

#[derive(Debug, Clone)]
enum Stored {
    Local { file: Arc<File>, len: u64 },
    Memory(Bytes),
}

impl StoredFile {
    /// Returns the path it was opened under.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Reads `length` bytes from `start`; fewer are an error.
    #[cfg(test)]
    pub(crate) fn read_range(&self, start: u64, length: usize) -> Result<Bytes> {
        self.range(start, length)
            .map_err(|e| Error::io(format!("reading {}", self.path), e))
    }

    fn range(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.len()) {
            // Checked before the buffer is made: a lying footer must not cost memory.
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!(
                    "{length} bytes from {start} lie beyond the end at {}",
                    self.len()
                ),
            ));
        }
        match &self.inner {
            Stored::Local { file, .. } => {
                let mut buffer = vec![0; length];
                read_exact_at(file, &mut buffer, start)?;
                Ok(buffer.into())
            }
            Stored::Memory(bytes) => {
                let start = usize::try_from(start).map_err(io::Error::other)?;
                Ok(bytes.slice(start..start + length))
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_at(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                buffer = &mut buffer[n..];
                offset += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

impl Length for StoredFile {
    fn len(&self) -> u64 {
        match &self.inner {
            Stored::Local { len, .. } => *len,
            Stored::Memory(bytes) => bytes.len() as u64,
        }
    }
}

/// Reads onward from an offset, without the file's shared position.
pub(crate) struct ReadFrom {
    file: Arc<File>,
    offset: u64,
}

impl Read for ReadFrom {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = read_at(&self.file, buf, self.offset)?;
        self.offset += n as u64;
        Ok(n)
    }
}

impl ChunkReader for StoredFile {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(match &self.inner {
            Stored::Local { file, .. } => Box::new(BufReader::new(ReadFrom {
                file: Arc::clone(file),
                offset: start,
            })),
            Stored::Memory(bytes) => {
                let start = usize::try_from(start)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                Box::new(bytes.slice(start..).reader())
            }
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.range(start, length)
            .map_err(|e| ParquetError::External(Box::new(e)))
    }
}

/// A place for bytes that only this process reads again; see [`FileStore::scratch`].
#[derive(Debug)]
pub(crate) struct Scratch {
    inner: ScratchInner,
}

#[derive(Debug)]
enum ScratchInner {
    Local {
        file: File,
        path: Option<PathBuf>,
        end: Mutex<u64>,
    },
    Memory(Mutex<Vec<Bytes>>),
}

/// Where a piece of a [`Scratch`] lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScratchRange {
    start: u64,
    length: usize,
}

impl Scratch {
    /// Adds a piece; may be called from many threads.
    pub(crate) fn append(&self, bytes: Vec<u8>) -> Result<ScratchRange> {
        let length = bytes.len();
        let start = match &self.inner {
            ScratchInner::Local { file, end, .. } => {
                let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
                // The lock is held while writing: the pieces follow one another on disk.
                (&*file)
                    .write_all(&bytes)
                    .map_err(|e| Error::io("writing a scratch file of the compaction", e))?;
                let start = *end;
                *end += length as u64;
                start
            }
            ScratchInner::Memory(pieces) => {
                let mut pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner);
                pieces.push(bytes.into());
                pieces.len() as u64 - 1
            }
        };
        Ok(ScratchRange { start, length })
    }

    /// Reads a piece back.
    pub(crate) fn read(&self, range: ScratchRange) -> Result<Bytes> {
        match &self.inner {
            ScratchInner::Local { file, .. } => {
                let mut buffer = vec![0; range.length];
                read_exact_at(file, &mut buffer, range.start)
                    .map_err(|e| Error::io("reading a scratch file of the compaction", e))?;
                Ok(buffer.into())
            }
            ScratchInner::Memory(pieces) => usize::try_from(range.start)
                .ok()
                .and_then(|i| {
                    let pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner);
                    pieces.get(i).cloned()
                })
                .ok_or_else(|| Error::internal("a scratch file lacks a piece that was written")),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let ScratchInner::Local {
            path: Some(path), ..
        } = &self.inner
        {
            let _ = fs::remove_file(path);
        }
    }
}
