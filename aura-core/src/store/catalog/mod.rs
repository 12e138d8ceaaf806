//! The DuckLake catalog.

pub(crate) mod file;
