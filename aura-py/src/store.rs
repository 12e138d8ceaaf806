//! The durable store.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aura_core::arrow::compute::concat_batches;
use aura_core::event::Roles;
use aura_core::ingest::{Format, IngestOptions, Limits, Preset};
use aura_core::store::{SnapshotAt, Store as CoreStore, StoreSettings};
use aura_core::{Error, ErrorKind, Result, json};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::arrow_in;
use crate::contract::Contract;
use crate::error::{OrRaise, raised};
use crate::events::Events;
use crate::source::Source;
use crate::table::Table;
use crate::wait::{Cancel, Reporter, wait, wait_reporting};

/// A store of the core; `None` when it was closed.
#[pyclass(frozen, module = "aura._aura")]
pub(crate) struct Store(Mutex<Option<CoreStore>>);

/// The options of an ingest that are values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    #[serde(default)]
    roles: Roles,
    #[serde(default)]
    format: Option<Format>,
    #[serde(default)]
    preset: Option<Preset>,
    #[serde(default)]
    limits: Limits,
}

fn options(
    py: Python<'_>,
    text: &str,
    contract: Option<&Bound<'_, Contract>>,
) -> PyResult<IngestOptions> {
    let options: Options = json::parse("the options", text).or_raise(py)?;
    Ok(IngestOptions {
        roles: options.roles,
        format: options.format,
        preset: options.preset,
        limits: options.limits,
        contract: contract.map(|contract| Arc::clone(&contract.get().contract)),
        ..IngestOptions::default()
    })
}

/// Writes a report as JSON.
fn report(py: Python<'_>, report: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(report)
        .map_err(|e| Error::internal(format!("a report cannot be written: {e}")))
        .or_raise(py)
}

impl Store {
    fn open(&self, py: Python<'_>) -> PyResult<CoreStore> {
        let store = self.0.lock();
        let store = store.unwrap_or_else(PoisonError::into_inner).clone();
        store.ok_or_else(|| {
            let error = Error::new(
                ErrorKind::Conflict,
                "the store was closed; open it again with aura.open",
            );
            raised(py, &error)
        })
    }

    /// Waits for a call to the open store, and lets go of it without the GIL.
    fn ask<T: Send, F>(
        &self,
        py: Python<'_>,
        cancel: Option<&Bound<'_, Cancel>>,
        call: impl FnOnce(CoreStore) -> F,
    ) -> PyResult<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        let store = self.open(py)?;
        wait(py, cancel.map(Bound::get), call(store))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let store = self.0.get_mut();
        let store = store.unwrap_or_else(PoisonError::into_inner).take();
        // The last handle waits for the threads of the store; they may read a host's object, for which they need the GIL. When
        // the interpreter is going down the store goes all the same, with the closure.
        Python::try_attach(|py| py.detach(|| drop(store)));
    }
}

#[pymethods]
impl Store {
    /// Opens the store in a directory; without one, makes a store in memory.
    #[new]
    fn new(py: Python<'_>, path: Option<PathBuf>, create: bool, settings: &str) -> PyResult<Self> {
        let mut given: Map<String, Value> = json::parse("the settings", settings).or_raise(py)?;
        let builder = match path {
            Some(path) => CoreStore::builder(path).create(create),
            None => {
                // What is not given is as it is for stores in memory, which is not what a missing field means.
                let defaults = serde_json::to_value(StoreSettings::in_memory());
                if let Ok(Value::Object(defaults)) = defaults {
                    given = defaults.into_iter().chain(given).collect();
                }
                CoreStore::memory_builder()
            }
        };
        let settings: StoreSettings =
            json::parse("the settings", &Value::Object(given).to_string()).or_raise(py)?;
        let store = wait(py, None, builder.settings(settings).open())?;
        Ok(Store(Mutex::new(Some(store))))
    }

    fn close(&self, py: Python<'_>) {
        let store = self.0.lock();
        let store = store.unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(store));
    }

    fn is_closed(&self) -> bool {
        let store = self.0.lock();
        store.unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn settings(&self, py: Python<'_>) -> PyResult<String> {
        report(py, self.open(py)?.settings())
    }

    #[pyo3(signature = (source, options, contract=None, progress=None, cancel=None))]
    fn ingest(
        &self,
        py: Python<'_>,
        source: &Bound<'_, Source>,
        options: &str,
        contract: Option<&Bound<'_, Contract>>,
        progress: Option<Py<PyAny>>,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<String> {
        let store = self.open(py)?;
        let mut options = self::options(py, options, contract)?;
        let source = source.get().take(py)?;
        let reporter = progress.map(|callback| {
            let (reporter, tell) = Reporter::new(callback);
            options.progress = Some(tell);
            reporter
        });
        let done = wait_reporting(
            py,
            cancel.map(Bound::get),
            reporter.as_ref(),
            store.ingest_with(source, &options),
        )?;
        report(py, &done)
    }

    #[pyo3(signature = (table, options, contract=None, cancel=None))]
    fn append(
        &self,
        py: Python<'_>,
        table: &Bound<'_, PyAny>,
        options: &str,
        contract: Option<&Bound<'_, Contract>>,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<String> {
        let options = self::options(py, options, contract)?;
        let batches = match table.cast::<Table>() {
            Ok(table) => vec![table.get().batch().or_raise(py)?],
            Err(_) => arrow_in::batches(table)?,
        };
        let batch = match batches.as_slice() {
            [one] => one.clone(),
            [first, ..] => concat_batches(&first.schema(), &batches)
                .map_err(Error::from)
                .or_raise(py)?,
            [] => return Err(raised(py, &Error::internal("a table has no batch"))),
        };
        let store = self.open(py)?;
        let appended = store.append_with(batch, &options);
        let done = wait(py, cancel.map(Bound::get), appended)?;
        report(py, &done)
    }

    #[pyo3(signature = (cancel=None))]
    fn events(&self, py: Python<'_>, cancel: Option<&Bound<'_, Cancel>>) -> PyResult<Events> {
        let events = self.ask(py, cancel, |store| async move { store.events().await })?;
        Ok(Events::new(events))
    }

    #[pyo3(signature = (at, cancel=None))]
    fn snapshot(
        &self,
        py: Python<'_>,
        at: &str,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<Events> {
        let at: SnapshotAt = json::parse("the snapshot", at).or_raise(py)?;
        let events = self.ask(py, cancel, |store| async move { store.snapshot(at).await })?;
        Ok(Events::new(events))
    }

    #[pyo3(signature = (cancel=None))]
    fn snapshots(&self, py: Python<'_>, cancel: Option<&Bound<'_, Cancel>>) -> PyResult<String> {
        let found = self.ask(py, cancel, |store| async move { store.snapshots().await })?;
        report(py, &found)
    }

    #[pyo3(signature = (cancel=None))]
    fn quarantine(&self, py: Python<'_>, cancel: Option<&Bound<'_, Cancel>>) -> PyResult<Table> {
        let table = self.ask(py, cancel, |store| async move { store.quarantine().await })?;
        Ok(Table::new(table))
    }

    #[pyo3(signature = (cancel=None))]
    fn flush(&self, py: Python<'_>, cancel: Option<&Bound<'_, Cancel>>) -> PyResult<u64> {
        self.ask(py, cancel, |store| async move { store.flush().await })
    }

    #[pyo3(signature = (cancel=None))]
    fn compact(&self, py: Python<'_>, cancel: Option<&Bound<'_, Cancel>>) -> PyResult<String> {
        let done = self.ask(py, cancel, |store| async move { store.compact().await })?;
        report(py, &done)
    }

    #[pyo3(signature = (older_than_us, cancel=None))]
    fn expire(
        &self,
        py: Python<'_>,
        older_than_us: i64,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<String> {
        let done = self.ask(py, cancel, |store| async move {
            store.expire(older_than_us).await
        })?;
        report(py, &done)
    }

    #[pyo3(signature = (older_than_us, cancel=None))]
    fn expire_snapshots(
        &self,
        py: Python<'_>,
        older_than_us: i64,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<u64> {
        self.ask(py, cancel, |store| async move {
            store.expire_snapshots(older_than_us).await
        })
    }

    #[pyo3(signature = (actor, cancel=None))]
    fn erase(
        &self,
        py: Python<'_>,
        actor: String,
        cancel: Option<&Bound<'_, Cancel>>,
    ) -> PyResult<String> {
        let done = self.ask(py, cancel, |store| async move { store.erase(actor).await })?;
        report(py, &done)
    }

    #[pyo3(signature = (cancel=None))]
    fn stats(&self, py: Python<'_>, cancel: Option<&Bound<'_, Cancel>>) -> PyResult<String> {
        let stats = self.ask(py, cancel, |store| async move { store.stats().await })?;
        report(py, &stats)
    }
}
