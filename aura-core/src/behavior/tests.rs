//! Vectors, another engine, and the metrics that the kernels compute.

mod conformance;
mod duckdb;
mod exact_sum;
mod metrics;
mod places;
