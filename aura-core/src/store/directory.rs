//! The store's directory: whose it is, and who has it open.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::files::FileStore;
use crate::{Error, Result};

/// Name of the database in the store's directory.
pub(super) const DB: &str = "aura.db";
/// Name of the file that says who has the store open. It is made before all others.
pub(super) const LOCK: &str = "aura.lock";

/// Makes the directory, and gives its absolute path.
pub(super) fn prepare(dir: &Path) -> Result<PathBuf> {
    if dir.is_file() {
        return Err(Error::invalid_spec(format!(
            "`{}` is a file; a store is a directory",
            dir.display()
        )));
    }
    std::fs::create_dir_all(dir).map_err(|e| {
        Error::io(
            format!("cannot make the store's directory `{}`", dir.display()),
            e,
        )
    })?;
    std::fs::canonicalize(dir).map_err(|e| {
        Error::io(
            format!("cannot open the store's directory `{}`", dir.display()),
            e,
        )
    })
}

/// Whether a directory has a database. One without contents is what a crash leaves of the making of a
/// store.
pub(super) fn has_db(dir: &Path) -> bool {
    std::fs::metadata(dir.join(DB)).is_ok_and(|m| m.len() > 0)
}

/// Refuses a directory without a database that has data files: they are somebody else's, or what is
/// left of a store. Either way they are not for us to touch.
pub(super) fn refuse_foreign(dir: &Path) -> Result<()> {
    if has_db(dir) {
        return Ok(());
    }
    match refuse_files(dir) {
        // Another process has made the store since.
        Err(_) if has_db(dir) => Ok(()),
        outcome => outcome,
    }
}

pub(super) fn refuse_files(dir: &Path) -> Result<()> {
    for name in [super::EVENTS, super::QUARANTINE] {
        if let Some(file) = FileStore::local(dir.join(name)).list()?.first() {
            return Err(Error::invalid_data(format!(
                "`{}` has the file `{name}/{}` but no AURA store (`{DB}` is missing or empty); open another \
                 directory, or if this was a store, put its `{DB}` back. No file was changed",
                dir.display(),
                file.path
            )));
        }
    }
    Ok(())
}

/// Says who has the store open: each process holds the lock shared; whoever gets it alone may remove
/// files that nobody knows.
pub(super) struct Lock {
    file: File,
    pub(super) alone: bool,
}

impl Lock {
    pub(super) fn acquire(dir: &Path) -> Result<Lock> {
        let path = dir.join(LOCK);
        let cannot = |e| Error::io(format!("cannot lock the store `{}`", dir.display()), e);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(&path)
            .map_err(cannot)?;
        let alone = match file.try_lock() {
            Ok(()) => true,
            Err(std::fs::TryLockError::WouldBlock) => {
                file.lock_shared().map_err(cannot)?;
                false
            }
            Err(std::fs::TryLockError::Error(e)) => return Err(cannot(e)),
        };
        Ok(Lock { file, alone })
    }

    pub(super) fn share(&mut self) -> Result<()> {
        if self.alone {
            self.alone = false;
            self.file
                .lock_shared()
                .map_err(|e| Error::io("cannot share the store's lock", e))?;
        }
        Ok(())
    }
}
