//! The objects that every language of this crate has.
//!
//! They may be used from several threads at once. A call blocks its thread until it is done; the work is done on threads of the
//! library. What is optional and not given has its default.

mod cancel;
mod contract;
mod error;
mod events;
mod functions;
mod ipc;
mod progress;
mod registry;
mod source;
mod store;
mod table;

pub use cancel::Cancel;
pub use contract::Contract;
pub use error::AuraError;
pub use events::Events;
pub use functions::{
    chart_svg, chart_vega_lite, report_html, report_markdown, rules_json, schemas, version,
};
pub use progress::{IngestProgress, Progress};
pub use registry::Registry;
pub use source::Source;
pub use store::Store;
pub use table::{Scan, Table};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The result of every call that can fail.
pub type Result<T> = std::result::Result<T, AuraError>;

/// Reads a value from JSON; the default without one.
fn parse_or_default<T: DeserializeOwned + Default>(what: &str, text: Option<&str>) -> Result<T> {
    match text {
        Some(text) => Ok(aura_core::json::parse(what, text)?),
        None => Ok(T::default()),
    }
}

/// Writes a value as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value);
    Ok(text.map_err(|e| aura_core::Error::internal(format!("a value cannot be written: {e}")))?)
}
