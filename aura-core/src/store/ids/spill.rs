//! Spill files: nameless, written once from front to back, read at any offset.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, ErrorKind};

/// Bytes gathered before a write.
const BUFFER_BYTES: usize = 256 << 10;

/// Makes names distinct within the process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Creates a file in `dir` and removes its name at once, so that nothing of it outlives the
/// process, even if that is killed.
fn create(dir: &Path) -> io::Result<File> {
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("ids-{}-{number}.tmp", std::process::id()));
        match OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
        {
            // Another process with this number, in another container, has the name just now.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
}

/// Writes a spill file.
pub(super) struct SpillWriter {
    file: File,
    buffer: Vec<u8>,
}

impl SpillWriter {
    /// Creates the file in `dir`.
    ///
    /// # Errors
    /// As [`Error::io`]: among others `ResourceExhausted` when the disk is full.
    pub(super) fn create(dir: &Path) -> crate::Result<Self> {
        let file = create(dir)
            .map_err(|e| Error::io(format!("creating a spill file in {}", dir.display()), e))?;
        Ok(SpillWriter {
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES),
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> crate::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    // The file is never synced: nobody reads it after a restart, and a sync would make the commits
    // of the store wait for these bytes.
    fn flush(&mut self) -> crate::Result<()> {
        self.file
            .write_all(&self.buffer)
            .map_err(|e| Error::io("writing a spill file of the event-id index", e))?;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> crate::Result<File> {
        self.flush()?;
        Ok(self.file)
    }
}

/// Fills `buffer` from `offset`.
///
/// # Errors
/// As [`Error::io`]; a file that ends too early is `Unavailable`.
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> crate::Result<()> {
    #[cfg(unix)]
    let read = std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset);
    #[cfg(windows)]
    let read = windows::read_exact_at(file, buffer, offset);
    read.map_err(|e| Error::io("reading a spill file of the event-id index", e))
}

#[cfg(windows)]
mod windows {
    use std::fs::File;
    use std::io;
    use std::os::windows::fs::FileExt;

    pub(super) fn read_exact_at(file: &File, mut to: &mut [u8], mut at: u64) -> io::Result<()> {
        while !to.is_empty() {
            match file.seek_read(to, at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    to = &mut to[n..];
                    at += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// Makes the error for a page whose checksum does not fit.
#[cold]
pub(super) fn damaged() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "event-id index: a spill file was changed or damaged on disk (its checksum does not fit); \
         reopen the store, which builds the index anew from the stored events",
    )
}
