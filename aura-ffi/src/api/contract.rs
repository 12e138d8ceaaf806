//! Data contracts.

use std::sync::Arc;

use aura_core::event::contract::Contract as CoreContract;

use super::{Result, Table, to_json};

/// A data contract: which events and properties are expected, and what is done with the others.
#[derive(Debug, uniffi::Object)]
pub struct Contract {
    pub(crate) contract: Arc<CoreContract>,
}

impl Contract {
    fn of(contract: CoreContract) -> Arc<Self> {
        Arc::new(Contract {
            contract: Arc::new(contract),
        })
    }
}

#[uniffi::export]
impl Contract {
    /// Reads a contract from YAML or JSON.
    #[uniffi::constructor]
    pub fn parse(text: String) -> Result<Arc<Self>> {
        Ok(Contract::of(CoreContract::parse(&text)?))
    }

    /// Reads a contract from a file of YAML or JSON.
    #[uniffi::constructor]
    pub fn load(path: String) -> Result<Arc<Self>> {
        Ok(Contract::of(CoreContract::load(path)?))
    }

    /// Returns a first contract, from what a table of events (`actor`, `event`, `time` and properties) holds.
    #[uniffi::constructor]
    pub fn infer(name: String, table: Arc<Table>) -> Result<Arc<Self>> {
        let batch = table.batch()?;
        Ok(Contract::of(CoreContract::infer(&name, &[batch])?))
    }

    /// Returns the name.
    pub fn name(&self) -> String {
        self.contract.name.clone()
    }

    /// Returns the version.
    pub fn version(&self) -> u32 {
        self.contract.version
    }

    /// Returns the contract as YAML.
    pub fn to_yaml(&self) -> Result<String> {
        Ok(self.contract.to_yaml()?)
    }

    /// Returns the contract as JSON.
    pub fn to_json(&self) -> Result<String> {
        Ok(self.contract.to_json()?)
    }

    /// Returns what changed from this one to another: a JSON list of objects with `path`, `compatibility` and `why`.
    pub fn compare(&self, newer: Arc<Contract>) -> Result<String> {
        to_json(&CoreContract::compare(&self.contract, &newer.contract))
    }
}
