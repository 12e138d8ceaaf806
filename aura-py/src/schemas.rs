//! The JSON Schemas of specs and options, from which `generate.py` writes signatures and types.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::OrRaise;

/// Returns the JSON Schema of each spec and each set of options, by its name.
#[pyfunction]
pub(crate) fn schemas(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let schemas = PyDict::new(py);
    for (name, schema) in aura_core::json::schemas() {
        let text = serde_json::to_string(&schema)
            .map_err(|e| aura_core::Error::internal(format!("the schema of {name}: {e}")));
        schemas.set_item(name, text.or_raise(py)?)?;
    }
    Ok(schemas)
}
