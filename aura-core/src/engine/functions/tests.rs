//! The functions against naive ones, vectors, and ClickHouse.

mod naive;
mod sql;
