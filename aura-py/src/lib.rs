//! AURA for Python: what the package `aura` is made on. It converts, calls the core and converts back; signatures, types and
//! documentation are in `python/aura`, and every rule is in the core.
//!
//! Specs, options and reports cross as JSON, tables by Arrow's C interfaces in PyCapsules.

#![allow(
    missing_docs,
    reason = "the interface is the Python package, which documents it"
)]

mod arrow_in;
mod cells;
mod contract;
mod error;
mod events;
mod registry;
mod report;
mod schemas;
mod source;
mod store;
mod table;
mod wait;

use pyo3::prelude::*;

#[pymodule]
mod _aura {
    #[pymodule_export]
    use super::contract::Contract;
    #[pymodule_export]
    use super::events::Events;
    #[pymodule_export]
    use super::registry::{Registry, metric_sql};
    #[pymodule_export]
    use super::report::{Report, chart_svg, chart_vega_lite, rules_json};
    #[pymodule_export]
    use super::schemas::schemas;
    #[pymodule_export]
    use super::source::Source;
    #[pymodule_export]
    use super::store::Store;
    #[pymodule_export]
    use super::table::Table;
    #[pymodule_export]
    use super::wait::Cancel;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    /// Whether the extension was compiled without optimisation.
    #[pymodule_export]
    const DEBUG: bool = cfg!(debug_assertions);
}
