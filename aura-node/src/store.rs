//! The durable store.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aura_core::arrow::compute::concat_batches;
use aura_core::arrow::record_batch::RecordBatch;
use aura_core::engine::read_ipc;
use aura_core::event::Roles;
use aura_core::ingest::{Format, IngestOptions, IngestReport, Limits, Preset};
use aura_core::store::{SnapshotAt, Store as CoreStore, StoreSettings};
use aura_core::{Error, ErrorKind, Result, json};
use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, ToNapiValue, Uint8ArraySlice};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::Contract;
use crate::error::{OrReject, written};
use crate::events::Events;
use crate::progress::Progress;
use crate::source::Source;
use crate::table::Table;
use crate::wait::{Cancel, aside, promise};

/// A store of the core; `None` when it was closed.
#[napi]
pub struct Store(Mutex<Option<CoreStore>>);

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
    text: &str,
    contract: Option<&Contract>,
    cancel: Option<&Cancel>,
) -> Result<IngestOptions> {
    let options: Options = json::parse("the options", text)?;
    Ok(IngestOptions {
        roles: options.roles,
        format: options.format,
        preset: options.preset,
        limits: options.limits,
        contract: contract.map(|contract| Arc::clone(&contract.contract)),
        cancel: cancel.map(Cancel::token).unwrap_or_default(),
        ..IngestOptions::default()
    })
}

/// The settings of a store in memory that are not given are those of one, which is not what a missing field means.
fn settings(text: &str, in_memory: bool) -> Result<StoreSettings> {
    let mut given: Map<String, Value> = json::parse("the settings", text)?;
    if in_memory
        && let Ok(Value::Object(defaults)) = serde_json::to_value(StoreSettings::in_memory())
    {
        given = defaults.into_iter().chain(given).collect();
    }
    json::parse("the settings", &Value::Object(given).to_string())
}

impl Store {
    fn get(&self) -> Result<CoreStore> {
        let store = self.0.lock();
        let store = store.unwrap_or_else(PoisonError::into_inner).clone();
        store.ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                "the store was closed; open it again with open()",
            )
        })
    }

    fn take(&self) -> Option<CoreStore> {
        let store = self.0.lock();
        store.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Makes a promise of what the open store answers.
    fn ask<'env, T, F>(
        &self,
        env: &'env Env,
        cancel: Option<&Cancel>,
        call: impl FnOnce(CoreStore) -> F + Send + 'static,
    ) -> napi::Result<PromiseRaw<'env, T>>
    where
        T: ToNapiValue + Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let store = self.get();
        promise(env, cancel, async move { call(store?).await })
    }

    fn append_batches<'env>(
        &self,
        env: &'env Env,
        batches: impl FnOnce() -> Result<Vec<RecordBatch>> + Send + 'static,
        options: Result<IngestOptions>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.ask(env, cancel, |store| async move {
            let options = options?;
            let batch = aside(move || {
                let batches = batches()?;
                match batches.as_slice() {
                    [one] => Ok(one.clone()),
                    [first, ..] => Ok(concat_batches(&first.schema(), &batches)?),
                    [] => Err(Error::internal("a table has no batch")),
                }
            });
            let report: IngestReport = store.append_with(batch.await?, &options).await?;
            written(&report)
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The last handle waits for the threads of the store, and this is the thread of JavaScript, in its collector.
        if let Some(store) = self.take() {
            let away = std::thread::Builder::new().name("aura-close".to_owned());
            // Where no thread can be had, the closure goes here, and the store with it.
            drop(away.spawn(move || drop(store)));
        }
    }
}

#[napi]
impl Store {
    /// Opens the store in a directory; without one, makes a store in memory.
    #[napi]
    pub fn open<'env>(
        env: &'env Env,
        path: Option<String>,
        create: bool,
        settings: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Store>> {
        promise(env, cancel, async move {
            let settings = self::settings(&settings, path.is_none())?;
            let builder = match path {
                Some(path) => CoreStore::builder(path).create(create),
                None => CoreStore::memory_builder(),
            };
            let store = builder.settings(settings).open().await?;
            Ok(Store(Mutex::new(Some(store))))
        })
    }

    /// Closes the store; the promise is settled when its threads have ended, unless events still use it.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let store = self.take();
        promise(env, None, async move {
            aside(move || {
                drop(store);
                Ok(())
            })
            .await
        })
    }

    #[napi]
    pub fn is_closed(&self) -> bool {
        let store = self.0.lock();
        store.unwrap_or_else(PoisonError::into_inner).is_none()
    }

    #[napi]
    pub fn settings(&self) -> napi::Result<String> {
        let settings = self.get().and_then(|store| written(store.settings()));
        settings.or_reject()
    }

    #[napi]
    pub fn ingest<'env>(
        &self,
        env: &'env Env,
        source: &Source,
        options: String,
        contract: Option<&Contract>,
        progress: Option<&Progress>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let source = source.take();
        let options = self::options(&options, contract, cancel).map(|mut options| {
            options.progress = progress.and_then(Progress::function);
            options
        });
        self.ask(env, cancel, |store| async move {
            written(&store.ingest_with(source?, &options?).await?)
        })
    }

    /// Appends a table in the form of Arrow IPC.
    #[napi]
    pub fn append<'env>(
        &self,
        env: &'env Env,
        table: Uint8ArraySlice<'_>,
        options: String,
        contract: Option<&Contract>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let options = self::options(&options, contract, cancel);
        let table = table.to_vec();
        self.append_batches(env, move || read_ipc(table), options, cancel)
    }

    /// Appends a result.
    #[napi]
    pub fn append_table<'env>(
        &self,
        env: &'env Env,
        table: &Table,
        options: String,
        contract: Option<&Contract>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let options = self::options(&options, contract, cancel);
        let batches = table.batches();
        self.append_batches(env, move || Ok(batches), options, cancel)
    }

    #[napi]
    pub fn events<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Events>> {
        self.ask(env, cancel, |store| async move {
            Ok(Events::new(store.events().await?))
        })
    }

    #[napi]
    pub fn snapshot<'env>(
        &self,
        env: &'env Env,
        at: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Events>> {
        self.ask(env, cancel, |store| async move {
            let at: SnapshotAt = json::parse("the snapshot", &at)?;
            Ok(Events::new(store.snapshot(at).await?))
        })
    }

    #[napi]
    pub fn snapshots<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.ask(env, cancel, |store| async move {
            written(&store.snapshots().await?)
        })
    }

    #[napi]
    pub fn quarantine<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Table>> {
        self.ask(env, cancel, |store| async move {
            Ok(Table::new(store.quarantine().await?))
        })
    }

    #[napi]
    pub fn flush<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, f64>> {
        self.ask(env, cancel, |store| async move {
            Ok(store.flush().await? as f64)
        })
    }

    #[napi]
    pub fn compact<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.ask(env, cancel, |store| async move {
            written(&store.compact().await?)
        })
    }

    /// The moment is in microseconds of Unix, as text, since numbers of JavaScript end at 2⁵³.
    #[napi]
    pub fn expire<'env>(
        &self,
        env: &'env Env,
        older_than_us: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.ask(env, cancel, |store| async move {
            let moment = json::parse("the moment", &older_than_us)?;
            written(&store.expire(moment).await?)
        })
    }

    #[napi]
    pub fn expire_snapshots<'env>(
        &self,
        env: &'env Env,
        older_than_us: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, f64>> {
        self.ask(env, cancel, |store| async move {
            let moment = json::parse("the moment", &older_than_us)?;
            Ok(store.expire_snapshots(moment).await? as f64)
        })
    }

    #[napi]
    pub fn erase<'env>(
        &self,
        env: &'env Env,
        actor: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.ask(env, cancel, |store| async move {
            written(&store.erase(actor).await?)
        })
    }

    #[napi]
    pub fn stats<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        self.ask(env, cancel, |store| async move {
            written(&store.stats().await?)
        })
    }
}
