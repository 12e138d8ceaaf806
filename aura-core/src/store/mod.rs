//! The durable home of events.

pub(crate) mod catalog;
pub(crate) mod files;
pub(crate) mod parquet_out;
pub(crate) mod partition;
pub(crate) mod sort;

pub use partition::PartitionGrain;
