//! The durable store.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aura_core::arrow::record_batch::RecordBatch;
use aura_core::event::Roles;
use aura_core::ingest::{Format, IngestOptions, Limits, Preset, ProgressFn};
use aura_core::store::{SnapshotAt, Store as CoreStore, StoreSettings};
use aura_core::{Error, ErrorKind, json};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Cancel, Contract, Events, Progress, Result, Source, Table, ipc, parse_or_default, to_json,
};
use crate::wait::{wait, wait_reporting};

/// A durable home of events.
#[derive(Debug, uniffi::Object)]
pub struct Store(Mutex<Option<CoreStore>>);

/// The options of an ingest that are values.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    roles: Roles,
    format: Option<Format>,
    preset: Option<Preset>,
    limits: Limits,
}

fn options(text: Option<&str>, contract: Option<&Contract>) -> Result<IngestOptions> {
    let options: Options = parse_or_default("the options", text)?;
    Ok(IngestOptions {
        roles: options.roles,
        format: options.format,
        preset: options.preset,
        limits: options.limits,
        contract: contract.map(|contract| Arc::clone(&contract.contract)),
        ..IngestOptions::default()
    })
}

impl Store {
    fn of(store: CoreStore) -> Arc<Self> {
        Arc::new(Store(Mutex::new(Some(store))))
    }

    fn get(&self) -> Result<CoreStore> {
        let store = self.0.lock();
        let store = store.unwrap_or_else(PoisonError::into_inner).clone();
        Ok(store.ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                "the store was closed; open it again to use it",
            )
        })?)
    }

    /// Waits for a call to the open store.
    fn ask<T, F: Future<Output = aura_core::Result<T>>>(
        &self,
        cancel: Option<Arc<Cancel>>,
        call: impl FnOnce(CoreStore) -> F,
    ) -> Result<T> {
        let store = self.get()?;
        Ok(wait(cancel.as_deref(), call(store))?)
    }

    /// Ingests, tells the progress to `tell`, and calls `report` on this thread now and then.
    pub(crate) fn ingest_reporting(
        &self,
        source: &Source,
        options: Option<&str>,
        contract: Option<&Contract>,
        tell: Option<ProgressFn>,
        report: &mut dyn FnMut() -> aura_core::Result<bool>,
        cancel: Option<&Cancel>,
    ) -> Result<String> {
        let store = self.get()?;
        let mut options = self::options(options, contract)?;
        options.progress = tell;
        if let Some(cancel) = cancel {
            options.cancel = cancel.token();
        }
        let done = store.ingest_with(source.take()?, &options);
        to_json(&wait_reporting(cancel, report, done)?)
    }

    pub(crate) fn append_batch(
        &self,
        batch: RecordBatch,
        options: Option<&str>,
        contract: Option<&Contract>,
        cancel: Option<&Cancel>,
    ) -> Result<String> {
        let options = self::options(options, contract)?;
        let store = self.get()?;
        to_json(&wait(cancel, store.append_with(batch, &options))?)
    }
}

#[uniffi::export]
impl Store {
    /// Opens the store in a directory, and makes it if there is none and `create` is true. `settings` is JSON.
    #[uniffi::constructor(default(create = true, settings = None))]
    pub fn open(path: String, create: bool, settings: Option<String>) -> Result<Arc<Self>> {
        let settings: StoreSettings = parse_or_default("the settings", settings.as_deref())?;
        let builder = CoreStore::builder(path).create(create).settings(settings);
        Ok(Store::of(wait(None, builder.open())?))
    }

    /// Makes a store in memory, which is never written. `settings` is JSON.
    #[uniffi::constructor(default(settings = None))]
    pub fn open_memory(settings: Option<String>) -> Result<Arc<Self>> {
        let mut given: Map<String, Value> = parse_or_default("the settings", settings.as_deref())?;
        // What is not given is as it is for stores in memory, which is not what a missing field means.
        let defaults = serde_json::to_value(StoreSettings::in_memory());
        if let Ok(Value::Object(defaults)) = defaults {
            given = defaults.into_iter().chain(given).collect();
        }
        let settings: StoreSettings =
            json::parse("the settings", &Value::Object(given).to_string())?;
        let builder = CoreStore::memory_builder().settings(settings);
        Ok(Store::of(wait(None, builder.open())?))
    }

    /// Closes the store. Events that were taken from it stay usable; further calls to it are a `Conflict`.
    pub fn close_store(&self) {
        let store = self.0.lock();
        drop(store.unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Returns whether the store was closed.
    pub fn is_closed(&self) -> bool {
        let store = self.0.lock();
        store.unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Returns the settings as JSON.
    pub fn settings(&self) -> Result<String> {
        to_json(self.get()?.settings())
    }

    /// Reads a source into the store, and returns the report as JSON. `options` is JSON: `roles`, `format`, `preset`, `limits`.
    #[uniffi::method(default(options = None, contract = None, progress = None, cancel = None))]
    pub fn ingest(
        &self,
        source: Arc<Source>,
        options: Option<String>,
        contract: Option<Arc<Contract>>,
        progress: Option<Arc<Progress>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<String> {
        self.ingest_reporting(
            &source,
            options.as_deref(),
            contract.as_deref(),
            progress.map(|progress| progress.listener()),
            &mut || Ok(false),
            cancel.as_deref(),
        )
    }

    /// Appends a small batch: a table as Arrow IPC. It is on the disk when this returns; the report is JSON.
    #[uniffi::method(default(options = None, contract = None, cancel = None))]
    pub fn append(
        &self,
        table: Vec<u8>,
        options: Option<String>,
        contract: Option<Arc<Contract>>,
        cancel: Option<Arc<Cancel>>,
    ) -> Result<String> {
        let batch = ipc::read_one(table)?;
        self.append_batch(
            batch,
            options.as_deref(),
            contract.as_deref(),
            cancel.as_deref(),
        )
    }

    /// Returns the events as they are now.
    #[uniffi::method(default(cancel = None))]
    pub fn events(&self, cancel: Option<Arc<Cancel>>) -> Result<Arc<Events>> {
        let events = self.ask(cancel, |store| async move { store.events().await })?;
        Ok(Events::of(events))
    }

    /// Returns the events of a snapshot of the past: `{"version": 3}`, or `{"time": 1767225600000000}` (UTC microseconds).
    #[uniffi::method(default(cancel = None))]
    pub fn snapshot(&self, at: String, cancel: Option<Arc<Cancel>>) -> Result<Arc<Events>> {
        let at: SnapshotAt = json::parse("the snapshot", &at)?;
        let events = self.ask(cancel, |store| async move { store.snapshot(at).await })?;
        Ok(Events::of(events))
    }

    /// Returns the snapshots as a JSON list.
    #[uniffi::method(default(cancel = None))]
    pub fn snapshots(&self, cancel: Option<Arc<Cancel>>) -> Result<String> {
        to_json(&self.ask(cancel, |store| async move { store.snapshots().await })?)
    }

    /// Returns the rejected rows.
    #[uniffi::method(default(cancel = None))]
    pub fn quarantine(&self, cancel: Option<Arc<Cancel>>) -> Result<Arc<Table>> {
        let table = self.ask(cancel, |store| async move { store.quarantine().await })?;
        Ok(Table::of(table))
    }

    /// Moves staged events to files, and returns their number.
    #[uniffi::method(default(cancel = None))]
    pub fn flush(&self, cancel: Option<Arc<Cancel>>) -> Result<u64> {
        self.ask(cancel, |store| async move { store.flush().await })
    }

    /// Rewrites small files into large ones, sorted; the report is JSON.
    #[uniffi::method(default(cancel = None))]
    pub fn compact(&self, cancel: Option<Arc<Cancel>>) -> Result<String> {
        to_json(&self.ask(cancel, |store| async move { store.compact().await })?)
    }

    /// Drops events older than a moment (UTC microseconds); the report is JSON.
    #[uniffi::method(default(cancel = None))]
    pub fn expire(&self, older_than_us: i64, cancel: Option<Arc<Cancel>>) -> Result<String> {
        let done = self.ask(
            cancel,
            |store| async move { store.expire(older_than_us).await },
        )?;
        to_json(&done)
    }

    /// Drops snapshots older than a moment (UTC microseconds), and returns their number.
    #[uniffi::method(default(cancel = None))]
    pub fn expire_snapshots(&self, older_than_us: i64, cancel: Option<Arc<Cancel>>) -> Result<u64> {
        self.ask(cancel, |store| async move {
            store.expire_snapshots(older_than_us).await
        })
    }

    /// Erases all events of an actor; the report is JSON.
    #[uniffi::method(default(cancel = None))]
    pub fn erase(&self, actor: String, cancel: Option<Arc<Cancel>>) -> Result<String> {
        to_json(&self.ask(cancel, |store| async move { store.erase(actor).await })?)
    }

    /// Returns what the store holds, as JSON.
    #[uniffi::method(default(cancel = None))]
    pub fn stats(&self, cancel: Option<Arc<Cancel>>) -> Result<String> {
        to_json(&self.ask(cancel, |store| async move { store.stats().await })?)
    }
}
