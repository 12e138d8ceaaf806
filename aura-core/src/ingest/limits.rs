//! What a reader accepts before it says no. Every limit bounds memory or time against bad input.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Limits of the readers. The defaults suit a host with 512 MiB to spare. All but `max_original_bytes` and
/// `max_rejects_returned` are at least 1; with a 0 an ingest or append is refused as `InvalidSpec`.
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

impl Limits {
    /// Refuses limits under which nothing can be read.
    ///
    /// # Errors
    /// `InvalidSpec` with the name of a limit that is 0 and has to be more.
    pub(crate) fn check(&self) -> Result<()> {
        let Limits {
            max_row_bytes,
            max_json_depth,
            max_columns,
            max_original_bytes: _,
            max_decompressed_bytes,
            max_compression_ratio,
            max_held_bytes,
            sample_rows,
            block_bytes,
            max_rejects_returned: _,
        } = *self;
        for (name, is_zero) in [
            ("max_row_bytes", max_row_bytes == 0),
            ("max_json_depth", max_json_depth == 0),
            ("max_columns", max_columns == 0),
            ("max_decompressed_bytes", max_decompressed_bytes == 0),
            ("max_compression_ratio", max_compression_ratio == 0),
            ("max_held_bytes", max_held_bytes == 0),
            ("sample_rows", sample_rows == 0),
            ("block_bytes", block_bytes == 0),
        ] {
            if is_zero {
                return Err(Error::invalid_spec(format!(
                    "the limit `{name}` is 0, with which nothing can be read; it must be at least 1"
                )));
            }
        }
        Ok(())
    }
}
