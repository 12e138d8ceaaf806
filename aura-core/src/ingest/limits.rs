//! What a reader accepts before it says no. Every limit bounds memory or time against bad input.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits of the readers. The defaults suit a host with 512 MiB to spare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest row of a text source in bytes (default 16 MiB). A longer row is quarantined with its
    /// first `max_original_bytes` bytes; the rows after it are read.
    pub max_row_bytes: usize,
    /// Deepest nesting of a JSON value (default 128). A deeper row is quarantined.
    pub max_json_depth: usize,
    /// Most columns of a source (default 2,000). More is an error.
    pub max_columns: usize,
    /// Most bytes of the original row kept in a reject (default 64 KiB).
    pub max_original_bytes: usize,
    /// Most bytes that one compressed source may expand to (default 1 TiB). More is an error.
    pub max_decompressed_bytes: u64,
    /// Largest ratio of expanded to compressed bytes, looked at after the first 64 MiB (default
    /// 1,000). More is an error: no honest log compresses so well. It is also the most rows that a batch of Arrow IPC
    /// has a byte, beyond the first 32,768 rows: nulls and runs take no room.
    pub max_compression_ratio: u64,
    /// Most bytes of a source that are held in memory at once (default 256 MiB): all of a Parquet or Arrow IPC
    /// source that is a stream or compressed, since those formats need random access, and each batch
    /// of Arrow IPC, which has no smaller part. More is an error.
    pub max_held_bytes: u64,
    /// Rows looked at to find the columns and types of a source without contract (default 10,000).
    pub sample_rows: usize,
    /// Target size of the pieces that are parsed in parallel (default 8 MiB).
    pub block_bytes: usize,
    /// Most rejects kept in memory and returned with the report (default 1,000). All of them are in
    /// the store's quarantine.
    pub max_rejects_returned: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_row_bytes: 16 << 20,
            max_json_depth: 128,
            max_columns: 2_000,
            max_original_bytes: 64 << 10,
            max_decompressed_bytes: 1 << 40,
            max_compression_ratio: 1_000,
            max_held_bytes: 256 << 20,
            sample_rows: 10_000,
            block_bytes: 8 << 20,
            max_rejects_returned: 1_000,
        }
    }
}
