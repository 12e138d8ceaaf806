//! The query engine: one DataFusion session over events, and the tables that come out of it.

mod bounds;
mod events;
mod exact_sum;
mod extent;
mod files_table;
mod from_files;
pub(crate) mod functions;
mod ipc;
pub(crate) mod ordered;
mod query_error;
mod runtime;
mod session;
mod table;
#[cfg(test)]
mod tests;

pub use events::Events;
pub(crate) use exact_sum::ExactSum;
pub(crate) use extent::extent;
pub use ipc::read_ipc;
pub use session::EngineSettings;
pub(crate) use session::{MOST_THREADS, threads_or_cores};
pub use table::{ScanStats, Table};

pub(crate) use files_table::{FilesTable, ScanFile, query_schema};
pub(crate) use runtime::on_query_threads;
