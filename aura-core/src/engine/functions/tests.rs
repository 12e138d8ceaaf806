//! The functions against naive ones, vectors, and ClickHouse.

mod groups;
mod naive;
mod sql;
