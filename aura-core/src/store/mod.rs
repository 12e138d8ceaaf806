//! The durable home of events.

pub(crate) mod catalog;
pub(crate) mod db;
pub(crate) mod files;
pub(crate) mod ids;
pub(crate) mod parquet_out;
pub(crate) mod partition;
pub(crate) mod sort;
pub(crate) mod sql_error;

pub use partition::PartitionGrain;
