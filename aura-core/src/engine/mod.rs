//! The query engine: one DataFusion session over events, and the tables that come out of it.

mod bounds;
mod events;
mod extent;
mod files_table;
mod from_files;
pub(crate) mod functions;
#[allow(
    dead_code,
    unused_imports,
    reason = "the rooms of metrics and of behaviour run their kernels on it"
)]
pub(crate) mod ordered;
mod query_error;
mod runtime;
mod session;
mod table;
#[cfg(test)]
mod tests;

pub use events::Events;
pub(crate) use extent::extent;
pub use session::EngineSettings;
pub(crate) use session::threads_or_cores;
pub use table::{ScanStats, Table};

pub(crate) use files_table::{FilesTable, ScanFile, query_schema};
pub(crate) use runtime::on_query_threads;
