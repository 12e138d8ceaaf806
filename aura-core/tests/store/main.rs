//! The store through its public interface: what it does with bad input, with real data, on a full disk, beside
//! other processes and other programs.

#[path = "../common/mod.rs"]
mod common;

mod bad_binary;
mod bad_text;
mod bad_values;
mod bombs;
mod duckdb;
mod formats;
mod full_disk;
mod git_log;
mod many_columns;
mod presets;
mod quickstart;
mod roles;
mod sources;
mod two_processes;
