//! Vectors, another engine, and the metrics that the kernels compute.

mod conformance;
mod duckdb;
mod metrics;
mod places;
