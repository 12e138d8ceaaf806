//! A finished file, read by range.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

#[cfg(test)]
use crate::{Error, Result};

/// A file open for reading. Clones share it, and may read from many threads.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    pub(super) inner: Stored,
    pub(super) path: Arc<str>,
}

#[derive(Debug, Clone)]
pub(super) enum Stored {
    Local { file: Arc<File>, len: u64 },
    Memory(Bytes),
}

impl StoredFile {
    /// Makes a file of bytes in memory.
    pub(crate) fn in_memory(path: &str, bytes: Bytes) -> Self {
        StoredFile {
            inner: Stored::Memory(bytes),
            path: Arc::from(path),
        }
    }

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

pub(super) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
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
