//! Data contracts.

use std::sync::Arc;

use aura_core::engine::read_ipc;
use aura_core::event::contract::Contract as CoreContract;
use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Uint8ArraySlice};
use napi_derive::napi;

use crate::error::OrReject;
use crate::wait::{Cancel, aside, promise};

/// A contract of the core.
#[napi]
pub struct Contract {
    pub(crate) contract: Arc<CoreContract>,
}

impl Contract {
    fn new(contract: CoreContract) -> Self {
        Contract {
            contract: Arc::new(contract),
        }
    }
}

#[napi]
impl Contract {
    /// Reads a contract from YAML or JSON.
    #[napi]
    pub fn parse(text: String) -> napi::Result<Self> {
        Ok(Contract::new(CoreContract::parse(&text).or_reject()?))
    }

    #[napi]
    pub fn load<'env>(
        env: &'env Env,
        path: String,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Contract>> {
        promise(env, cancel, async move {
            let contract = aside(move || CoreContract::load(&path)).await?;
            Ok(Contract::new(contract))
        })
    }

    /// A first contract, from what a table of canonical events holds.
    #[napi]
    pub fn infer<'env>(
        env: &'env Env,
        name: String,
        table: Uint8ArraySlice<'_>,
        cancel: Option<&Cancel>,
    ) -> napi::Result<PromiseRaw<'env, Contract>> {
        let table = table.to_vec();
        promise(env, cancel, async move {
            let contract = aside(move || CoreContract::infer(&name, &read_ipc(table)?)).await?;
            Ok(Contract::new(contract))
        })
    }

    #[napi]
    pub fn name(&self) -> &str {
        &self.contract.name
    }

    #[napi]
    pub fn version(&self) -> u32 {
        self.contract.version
    }

    #[napi]
    pub fn to_yaml(&self) -> napi::Result<String> {
        self.contract.to_yaml().or_reject()
    }

    #[napi]
    pub fn to_json(&self) -> napi::Result<String> {
        self.contract.to_json().or_reject()
    }

    /// What changed from this one to another: path, verdict, reason.
    #[napi]
    pub fn compare(&self, newer: &Contract) -> Vec<Vec<String>> {
        let changes = CoreContract::compare(&self.contract, &newer.contract);
        let changes = changes.into_iter();
        changes
            .map(|c| vec![c.path, c.compatibility.name().to_owned(), c.why])
            .collect()
    }
}
