//! A place for bytes that go when the work is done.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::stored::read_exact_at;
use crate::{Error, Result};

/// A place for bytes that only this process reads again; see [`FileStore::scratch`].
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(super) inner: ScratchInner,
}

#[derive(Debug)]
pub(super) enum ScratchInner {
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
    /// Takes an empty file, which somebody else removes.
    pub(crate) fn in_file(file: File) -> Self {
        Scratch {
            inner: ScratchInner::Local {
                file,
                path: None,
                end: Mutex::new(0),
            },
        }
    }

    /// Adds a piece; may be called from many threads.
    pub(crate) fn append(&self, bytes: Vec<u8>) -> Result<ScratchRange> {
        let length = bytes.len();
        let start = match &self.inner {
            ScratchInner::Local { file, end, .. } => {
                let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
                // The lock is held while writing: the pieces follow one another on disk.
                (&*file)
                    .write_all(&bytes)
                    .map_err(|e| Error::io("writing a scratch file", e))?;
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
                    .map_err(|e| Error::io("reading a scratch file", e))?;
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
