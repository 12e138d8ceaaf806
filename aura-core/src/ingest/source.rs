//! Where events come from: paths, globs, bytes, readers and tables.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchReader};
use bytes::Bytes;

use super::footer::check_footer;
use super::messages::check_messages;
use super::pages::check_pages;
use crate::{Error, Result};

/// A source of events for [`Store::ingest`](crate::store::Store::ingest).
///
/// Format and compression of files, bytes and readers are recognised by content.
pub struct Source {
    pub(crate) inner: Inner,
}

pub(crate) enum Inner {
    /// A file, or all files that match a glob, in the order of their names.
    Files(PathBuf),
    Bytes {
        name: Arc<str>,
        bytes: Bytes,
    },
    Reader {
        name: Arc<str>,
        reader: Box<dyn Read + Send>,
    },
    Batches {
        name: Arc<str>,
        reader: Box<dyn RecordBatchReader + Send>,
    },
    #[cfg(feature = "git")]
    Git {
        path: PathBuf,
        options: super::git::GitOptions,
    },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match &self.inner {
            Inner::Files(pattern) => pattern.display().to_string(),
            Inner::Bytes { name, .. }
            | Inner::Reader { name, .. }
            | Inner::Batches { name, .. } => name.to_string(),
            #[cfg(feature = "git")]
            Inner::Git { path, .. } => path.display().to_string(),
        };
        f.debug_tuple("Source").field(&what).finish()
    }
}

impl Source {
    /// Names a file, or a glob such as `logs/2026-*/*.ndjson.gz`. A named pipe or `/dev/stdin` is read
    /// as a stream.
    pub fn path(path: impl AsRef<Path>) -> Self {
        Source {
            inner: Inner::Files(path.as_ref().to_owned()),
        }
    }

    /// Takes the whole content; `name` is used in rejects and messages.
    pub fn bytes(name: impl Into<Arc<str>>, bytes: impl Into<Bytes>) -> Self {
        Source {
            inner: Inner::Bytes {
                name: name.into(),
                bytes: bytes.into(),
            },
        }
    }

    /// Reads a stream to its end; `name` is used in rejects and messages.
    ///
    /// Parquet and Arrow IPC need random access: a stream of these is first held in memory, up to
    /// [`Limits::max_held_bytes`](super::Limits::max_held_bytes).
    pub fn reader(name: impl Into<Arc<str>>, reader: impl Read + Send + 'static) -> Self {
        Source {
            inner: Inner::Reader {
                name: name.into(),
                reader: Box::new(reader),
            },
        }
    }

    /// Takes Arrow batches.
    pub fn batches(
        name: impl Into<Arc<str>>,
        reader: impl RecordBatchReader + Send + 'static,
    ) -> Self {
        Source {
            inner: Inner::Batches {
                name: name.into(),
                reader: Box::new(reader),
            },
        }
    }

    /// Reads the history of a git repository as `commit` and `merge` events.
    #[cfg(feature = "git")]
    pub fn git(path: impl Into<PathBuf>, options: super::git::GitOptions) -> Self {
        Source {
            inner: Inner::Git {
                path: path.into(),
                options,
            },
        }
    }
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        Source::path(path)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Source::path(path)
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Source::path(path)
    }
}

/// One input after globs are resolved.
pub(crate) enum Input {
    File {
        name: Arc<str>,
        path: PathBuf,
        /// The size; `None` of a pipe or a device, which can be read once and from front to back only.
        bytes: Option<u64>,
    },
    Bytes {
        name: Arc<str>,
        bytes: Bytes,
    },
    Reader {
        name: Arc<str>,
        reader: Box<dyn Read + Send>,
    },
    Batches {
        name: Arc<str>,
        reader: Box<dyn RecordBatchReader + Send>,
    },
    #[cfg(feature = "git")]
    Git {
        path: PathBuf,
        options: super::git::GitOptions,
    },
}

impl Input {
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Input::File { name, .. }
            | Input::Bytes { name, .. }
            | Input::Reader { name, .. }
            | Input::Batches { name, .. } => Arc::clone(name),
            #[cfg(feature = "git")]
            Input::Git { path, .. } => path.to_string_lossy().into(),
        }
    }

    /// The size of the input in bytes, where it is known before reading.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Input::File { bytes, .. } => *bytes,
            Input::Bytes { bytes, .. } => Some(bytes.len() as u64),
            _ => None,
        }
    }
}

impl Inner {
    /// Resolves globs.
    ///
    /// # Errors
    /// `NotFound` when no file matches, `InvalidSpec` for a bad pattern, `InvalidData` for a
    /// directory.
    pub(crate) fn resolve(self) -> Result<Vec<Input>> {
        Ok(match self {
            Inner::Files(pattern) => files(&pattern)?
                .into_iter()
                .map(|path| {
                    let meta = std::fs::metadata(&path)
                        .map_err(|e| Error::io(format!("cannot read `{}`", path.display()), e))?;
                    if meta.is_dir() {
                        return Err(Error::invalid_data(format!(
                            "`{0}` is a directory; give a file or a pattern such as `{0}/*.ndjson`",
                            path.display()
                        )));
                    }
                    Ok(Input::File {
                        name: path.to_string_lossy().into(),
                        bytes: meta.is_file().then_some(meta.len()),
                        path,
                    })
                })
                .collect::<Result<_>>()?,
            Inner::Bytes { name, bytes } => vec![Input::Bytes { name, bytes }],
            Inner::Reader { name, reader } => vec![Input::Reader { name, reader }],
            Inner::Batches { name, reader } => vec![Input::Batches { name, reader }],
            #[cfg(feature = "git")]
            Inner::Git { path, options } => vec![Input::Git { path, options }],
        })
    }
}

/// The files that a path or pattern names, sorted. A path that exists is taken as it is, so that
/// names with `[` or `*` in them work.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.exists() {
        return Ok(vec![path.to_owned()]);
    }
    let pattern = &*path.to_string_lossy();
    if let Some((scheme, rest)) = pattern.split_once("://") {
        let advice = match scheme {
            "file" => format!("give the path itself: `{rest}`"),
            _ => "fetch it first and give the file, or give the stream of its body (`Source::reader`)"
                .to_owned(),
        };
        return Err(Error::invalid_spec(format!(
            "`{pattern}` is a URL, and only local files are read; {advice}"
        )));
    }
    if !pattern.contains(['*', '?', '[']) {
        return Err(Error::not_found(format!(
            "the file `{pattern}` does not exist"
        )));
    }
    if path.to_str().is_none() {
        return Err(Error::invalid_spec(format!(
            "the file pattern `{pattern}` is not valid UTF-8; name the files one by one"
        )));
    }
    let found = glob::glob(pattern).map_err(|e| {
        Error::invalid_spec(format!("`{pattern}` is not a valid file pattern: {e}"))
    })?;
    let mut files = Vec::new();
    for entry in found {
        let path = entry.map_err(|e| {
            let path = e.path().display().to_string();
            Error::io(format!("cannot read `{path}`"), e.into())
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::not_found(format!(
            "no file matches the pattern `{pattern}`"
        )));
    }
    Ok(files)
}

/// A Parquet or Arrow IPC input as a reader of batches.
pub(crate) fn table_reader(
    name: &str,
    format: super::Format,
    content: TableContent,
    limits: &super::Limits,
) -> Result<Box<dyn RecordBatchReader + Send>> {
    use super::Format;
    let garbled = |e: &dyn std::fmt::Display| {
        Error::invalid_data(format!("`{name}` cannot be read as {format:?}: {e}"))
    };
    match (format, content) {
        (Format::Parquet, TableContent::File(file)) => {
            let again = file
                .try_clone()
                .map_err(|e| Error::io(format!("cannot read `{name}`"), e))?;
            parquet_reader(name, file, again, limits)
        }
        (Format::Parquet, TableContent::Bytes(bytes)) => {
            parquet_reader(name, bytes.clone(), bytes, limits)
        }
        (Format::ArrowIpc, TableContent::File(file)) => {
            guarded(name, || check_messages(name, &file, limits))?;
            let mut file = std::io::BufReader::with_capacity(1 << 20, file);
            let mut magic = [0u8; 6];
            let read = file
                .read(&mut magic)
                .map_err(|e| Error::io(format!("cannot read `{name}`"), e))?;
            std::io::Seek::rewind(&mut file)
                .map_err(|e| Error::io(format!("cannot read `{name}`"), e))?;
            if &magic[..read] == b"ARROW1" {
                let reader = guarded(name, || {
                    arrow::ipc::reader::FileReader::try_new(file, None).map_err(|e| garbled(&e))
                })?;
                Ok(Box::new(Guarded::new(name, reader)))
            } else {
                let reader = guarded(name, || {
                    arrow::ipc::reader::StreamReader::try_new(file, None).map_err(|e| garbled(&e))
                })?;
                Ok(Box::new(Guarded::new(name, reader)))
            }
        }
        (Format::ArrowIpc, TableContent::Bytes(bytes)) => {
            guarded(name, || check_messages(name, Cursor::new(&bytes), limits))?;
            let is_file = bytes.starts_with(b"ARROW1");
            let cursor = Cursor::new(bytes);
            if is_file {
                let reader = guarded(name, || {
                    arrow::ipc::reader::FileReader::try_new(cursor, None).map_err(|e| garbled(&e))
                })?;
                Ok(Box::new(Guarded::new(name, reader)))
            } else {
                let reader = guarded(name, || {
                    arrow::ipc::reader::StreamReader::try_new(cursor, None).map_err(|e| garbled(&e))
                })?;
                Ok(Box::new(Guarded::new(name, reader)))
            }
        }
        (other, _) => Err(Error::internal(format!(
            "{other:?} is not a format of tables"
        ))),
    }
}

/// The content of a table input: random access is needed.
pub(crate) enum TableContent {
    File(File),
    Bytes(Bytes),
}

fn parquet_reader<R: parquet::file::reader::ChunkReader + 'static>(
    name: &str,
    input: R,
    again: R,
    limits: &super::Limits,
) -> Result<Box<dyn RecordBatchReader + Send>> {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let reader = guarded(name, || {
        check_footer(name, &input)?;
        let cannot = |e| Error::invalid_data(format!("`{name}` cannot be read as Parquet: {e}"));
        let builder = ParquetRecordBatchReaderBuilder::try_new(input).map_err(cannot)?;
        let rows = check_pages(name, &Arc::new(again), builder.metadata(), limits)?;
        builder.with_batch_size(rows).build().map_err(cannot)
    })?;
    Ok(Box::new(Guarded::new(name, reader)))
}

/// Runs a decoder over untrusted bytes. The decoders of binary formats are other people's code, and
/// a lying footer can make them panic; such a panic is an error of the input, not of the host.
fn guarded<T>(name: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("unknown");
        Err(Error::invalid_data(format!(
            "`{name}` is damaged: its decoder gave up ({said})"
        )))
    })
}

/// A reader of batches that turns a decoder's panic into an error and ends after the first error.
struct Guarded<R> {
    name: String,
    schema: SchemaRef,
    reader: Option<R>,
}

impl<R: RecordBatchReader> Guarded<R> {
    fn new(name: &str, reader: R) -> Self {
        Guarded {
            name: name.to_owned(),
            schema: reader.schema(),
            reader: Some(reader),
        }
    }
}

impl<R: RecordBatchReader> Iterator for Guarded<R> {
    type Item = Result<RecordBatch, arrow::error::ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let name = &self.name;
        let next = guarded(name, || {
            Ok(reader
                .next()
                .transpose()
                .map_err(|e| Error::invalid_data(format!("`{name}` is damaged: {e}"))))
        });
        match next {
            Ok(Ok(batch)) => batch.map(Ok),
            Ok(Err(e)) | Err(e) => {
                self.reader = None;
                Some(Err(arrow::error::ArrowError::ExternalError(Box::new(e))))
            }
        }
    }
}

impl<R: RecordBatchReader> RecordBatchReader for Guarded<R> {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
