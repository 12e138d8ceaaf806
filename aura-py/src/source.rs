//! What is ingested: a path, bytes, a stream, a table, a repository.

use std::io::{Error as IoError, Read};
use std::path::PathBuf;
use std::sync::Mutex;

use aura_core::ingest::Source as CoreSource;
use aura_core::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrow_in;
use crate::error::raised;

/// A source of events. It is read once.
#[pyclass(frozen, module = "aura._aura")]
pub(crate) struct Source(Mutex<Option<CoreSource>>);

impl Source {
    fn new(source: CoreSource) -> Self {
        Source(Mutex::new(Some(source)))
    }

    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<CoreSource> {
        let source = self.0.lock();
        let source = source
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        source.ok_or_else(|| {
            let error = Error::new(ErrorKind::Conflict, "the source was read already");
            raised(py, &error)
        })
    }
}

#[pymethods]
impl Source {
    /// A file, or all files that match a glob.
    #[staticmethod]
    fn path(path: PathBuf) -> Self {
        Source::new(CoreSource::path(path))
    }

    /// The whole content of a file.
    #[staticmethod]
    fn bytes(name: &str, content: &[u8]) -> Self {
        Source::new(CoreSource::bytes(name, content.to_vec()))
    }

    /// An object with a method `read` that gives bytes.
    #[staticmethod]
    fn reader(name: &str, object: Py<PyAny>) -> Self {
        Source::new(CoreSource::reader(name, PythonRead(object)))
    }

    /// A table of the host.
    #[staticmethod]
    fn arrow(name: &str, table: &Bound<'_, PyAny>) -> PyResult<Self> {
        let reader = arrow_in::reader(table)?;
        Ok(Source::new(CoreSource::batches(name, reader)))
    }

    /// The history of a git repository.
    #[staticmethod]
    fn git(py: Python<'_>, path: PathBuf, options: &str) -> PyResult<Self> {
        use crate::error::OrRaise;
        let options = aura_core::json::parse("the options", options).or_raise(py)?;
        Ok(Source::new(CoreSource::git(path, options)))
    }
}

/// A file object of Python.
struct PythonRead(Py<PyAny>);

impl Read for PythonRead {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = Python::attach(|py| -> PyResult<usize> {
            let given = self.0.bind(py).call_method1("read", (into.len(),))?;
            let given = given.cast::<PyBytes>()?.as_bytes();
            match into.get_mut(..given.len()) {
                Some(room) => room.copy_from_slice(given),
                None => {
                    return Err(pyo3::exceptions::PyValueError::new_err(format!(
                        "read({}) gave {} bytes",
                        into.len(),
                        given.len()
                    )));
                }
            }
            Ok(given.len())
        });
        read.map_err(IoError::other)
    }
}
