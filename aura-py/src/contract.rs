//! Data contracts.

use std::path::PathBuf;
use std::sync::Arc;

use aura_core::event::contract::Contract as CoreContract;
use pyo3::prelude::*;

use crate::arrow_in;
use crate::error::OrRaise;

/// A contract of the core.
#[pyclass(frozen, module = "aura._aura")]
pub(crate) struct Contract {
    pub(crate) contract: Arc<CoreContract>,
}

impl Contract {
    fn new(contract: CoreContract) -> Self {
        Contract {
            contract: Arc::new(contract),
        }
    }
}

#[pymethods]
impl Contract {
    /// Reads a contract from YAML or JSON.
    #[staticmethod]
    fn parse(py: Python<'_>, text: &str) -> PyResult<Self> {
        Ok(Contract::new(CoreContract::parse(text).or_raise(py)?))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let contract = py.detach(|| CoreContract::load(&path));
        Ok(Contract::new(contract.or_raise(py)?))
    }

    /// A first contract, from what a table of canonical events holds.
    #[staticmethod]
    fn infer(name: &str, table: &Bound<'_, PyAny>) -> PyResult<Self> {
        let batches = arrow_in::batches(table)?;
        let py = table.py();
        let contract = py.detach(|| CoreContract::infer(name, &batches));
        Ok(Contract::new(contract.or_raise(py)?))
    }

    fn name(&self) -> &str {
        &self.contract.name
    }

    fn version(&self) -> u32 {
        self.contract.version
    }

    fn to_yaml(&self, py: Python<'_>) -> PyResult<String> {
        self.contract.to_yaml().or_raise(py)
    }

    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.contract.to_json().or_raise(py)
    }

    /// What changed from this one to another: path, verdict, reason.
    fn compare(&self, newer: &Bound<'_, Contract>) -> Vec<(String, String, String)> {
        let changes = CoreContract::compare(&self.contract, &newer.get().contract);
        let changes = changes.into_iter();
        changes
            .map(|c| (c.path, c.compatibility.name().to_owned(), c.why))
            .collect()
    }
}
