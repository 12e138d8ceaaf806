//! Written bytes on their way to the disk while more are being made, so that little is left to wait for when a
//! file is finished.

use std::fs::File;
use std::io;
use std::thread::{Scope, ScopedJoinHandle};

use crossbeam_channel::{Sender, TrySendError, bounded};

use crate::{Error, Result};

/// A thread that syncs files early. It ends when this is dropped.
pub(crate) struct Writeback<'s> {
    files: Sender<File>,
    thread: ScopedJoinHandle<'s, io::Result<()>>,
}

impl<'s> Writeback<'s> {
    /// Starts the thread in `scope`.
    pub(crate) fn new(scope: &'s Scope<'s, '_>) -> Self {
        let (files, written) = bounded::<File>(1);
        let thread = scope.spawn(move || written.into_iter().try_for_each(|f| f.sync_data()));
        Writeback { files, thread }
    }

    /// Asks for a file, of which more was written, to be synced; does nothing while the disk is busy.
    pub(crate) fn nudge(&self, file: File) {
        // After a failure there is nobody to take it; `finish` tells.
        match self.files.try_send(file) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// Waits until all is synced that was taken.
    ///
    /// # Errors
    /// What the disk said at any time: the system reports a failure once, so that a later sync of the
    /// same file may succeed although its bytes are lost.
    pub(crate) fn finish(self) -> Result<()> {
        drop(self.files);
        match self.thread.join() {
            Ok(outcome) => outcome.map_err(|e| Error::io("writing events to the disk", e)),
            Err(_) => Err(Error::internal(
                "a thread that writes to the disk ended early",
            )),
        }
    }
}
