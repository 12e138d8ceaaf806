//! What is ingested: a path, bytes, a table, a stream, a repository.

use std::sync::{Arc, Mutex, PoisonError};

use aura_core::ingest::{GitOptions, Source as CoreSource};
use aura_core::{Error, ErrorKind};

use super::{Result, Table, parse_or_default};

/// A source of events. It is read once.
#[derive(Debug, uniffi::Object)]
pub struct Source(Mutex<Option<CoreSource>>);

impl Source {
    pub(crate) fn of(source: CoreSource) -> Arc<Self> {
        Arc::new(Source(Mutex::new(Some(source))))
    }

    pub(crate) fn take(&self) -> Result<CoreSource> {
        let source = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(source.ok_or_else(|| Error::new(ErrorKind::Conflict, "the source was read already"))?)
    }
}

#[uniffi::export]
impl Source {
    /// Names a file, or all files that match a glob.
    #[uniffi::constructor]
    pub fn path(path: String) -> Arc<Self> {
        Source::of(CoreSource::path(path))
    }

    /// Takes the whole content of a file, for example a table as Arrow IPC; `name` is used in messages.
    #[uniffi::constructor]
    pub fn bytes(name: String, content: Vec<u8>) -> Arc<Self> {
        Source::of(CoreSource::bytes(name, content))
    }

    /// Takes the rows of a result.
    #[uniffi::constructor]
    pub fn table(name: String, table: Arc<Table>) -> Arc<Self> {
        Source::of(CoreSource::batches(name, table.table.clone().into_reader()))
    }

    /// Names a git repository, whose history is read. `options` is JSON.
    #[uniffi::constructor(default(options = None))]
    pub fn git(path: String, options: Option<String>) -> Result<Arc<Self>> {
        let options: GitOptions = parse_or_default("the options", options.as_deref())?;
        Ok(Source::of(CoreSource::git(path, options)))
    }
}
