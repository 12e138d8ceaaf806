//! Vectors, another engine, and the metrics that the kernels compute.

mod conformance;
mod docs;
mod duckdb;
mod hostile;
mod metrics;
mod places;
