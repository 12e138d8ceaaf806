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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::thread;

    use super::Writeback;

    #[test]
    fn files_are_synced_while_more_is_written() {
        let mut file = tempfile::tempfile().expect("a file");
        thread::scope(|scope| {
            let writeback = Writeback::new(scope);
            for _ in 0..100 {
                file.write_all(&[7; 1_000]).expect("written");
                writeback.nudge(file.try_clone().expect("a handle"));
            }
            writeback.finish().expect("synced");
        });
        assert_eq!(file.metadata().expect("its size").len(), 100_000);
    }

    /// The system tells of a failure once: it must not be lost with the handle that heard of it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_failure_is_told_at_the_end() {
        // What cannot be synced, as a disk that fails.
        let broken = File::options().write(true).open("/dev/full");
        thread::scope(|scope| {
            let writeback = Writeback::new(scope);
            writeback.nudge(broken.expect("the device"));
            let said = writeback.finish().expect_err("a failure").to_string();
            assert!(said.contains("writing events to the disk"), "{said}");
        });
    }
}
