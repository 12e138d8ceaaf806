//! A file being written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;

use super::{object, ready, sync_parent};
use crate::{Error, Result};

/// A file being written. Dropping it without [`finish`](Self::finish) removes every trace.
#[derive(Debug)]
pub(crate) struct NewFile {
    /// `None` once it is finished.
    pub(super) sink: Option<Sink>,
    pub(super) path: String,
}

#[derive(Debug)]
pub(super) enum Sink {
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
    /// Returns another handle of the file, if it is one on a disk.
    pub(crate) fn handle(&self) -> Option<File> {
        match &self.sink {
            Some(Sink::Local { file, .. }) => file.try_clone().ok(),
            _ => None,
        }
    }

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
