//! Settings of a store: plain values with defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PartitionGrain;
use crate::engine::{EngineSettings, MOST_THREADS, threads_or_cores};
use crate::{Error, Result};

/// Settings of a [`Store`](super::Store).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// How finely events are divided by the calendar. Fixed when the store is made: `None` (default)
    /// is `month` for a new store, and as it is for another; a grain that differs from the store's is
    /// an error.
    pub partition: Option<PartitionGrain>,
    /// Whether threads of this process flush, compact and tidy up by themselves (default true).
    pub background: bool,
    /// Staged bytes (compressed) that make a background flush start (default 32 MiB).
    pub flush_bytes: u64,
    /// Seconds after which staged events are flushed even if they are few (default 30).
    pub flush_after_s: u64,
    /// Loose files of a partition that make a background compaction start (default 8).
    pub compact_files: usize,
    /// Rows of a compacted file (default 2,000,000).
    pub target_rows_per_file: u64,
    /// Seconds that old snapshots stay readable (default 7 days; in memory 0). Looked at about once
    /// a minute.
    pub history_s: u64,
    /// Seconds that a file stays on disk after the last snapshot that needs it, for readers that
    /// are still at work (default 600).
    pub delete_grace_s: u64,
    /// Bytes of memory for the index of event ids; beyond it the index goes to disk (default
    /// 192 MiB; without effect in memory).
    pub id_memory_bytes: usize,
    /// Threads of an ingest or a compaction, at most 1,024; 0 (default) means one per core.
    pub threads: usize,
    /// The query engine.
    pub engine: EngineSettings,
}

impl Default for StoreSettings {
    fn default() -> Self {
        StoreSettings {
            partition: None,
            background: true,
            flush_bytes: 32 << 20,
            flush_after_s: 30,
            compact_files: 8,
            target_rows_per_file: 2_000_000,
            history_s: 7 * 86_400,
            delete_grace_s: 600,
            id_memory_bytes: 192 << 20,
            threads: 0,
            engine: EngineSettings::default(),
        }
    }
}

impl StoreSettings {
    /// Returns the defaults of a store in memory: those of a directory, but no history
    /// (`history_s` 0), because every file that compaction replaced would stay in memory for it.
    /// Replaced files go `delete_grace_s` after their last snapshot.
    ///
    /// The index of event ids has no place to go to and grows with the events there;
    /// `id_memory_bytes` does not bound it.
    pub fn in_memory() -> Self {
        StoreSettings {
            history_s: 0,
            ..StoreSettings::default()
        }
    }

    /// Checks the bounds.
    pub(crate) fn validate(&self) -> Result<()> {
        let at_least = |name: &str, value: u64, least: u64| {
            if value < least {
                return Err(Error::invalid_spec(format!(
                    "store settings: `{name}` is {value}; expected at least {least}"
                )));
            }
            Ok(())
        };
        at_least("flush_bytes", self.flush_bytes, 1)?;
        at_least("flush_after_s", self.flush_after_s, 1)?;
        at_least("compact_files", self.compact_files as u64, 2)?;
        at_least("target_rows_per_file", self.target_rows_per_file, 1)?;
        at_least("id_memory_bytes", self.id_memory_bytes as u64, 1 << 20)?;
        for (name, value) in [
            ("threads", self.threads),
            ("engine.threads", self.engine.threads),
        ] {
            if value > MOST_THREADS {
                return Err(Error::invalid_spec(format!(
                    "store settings: `{name}` is {value}; expected at most {MOST_THREADS}, or 0 for one per core"
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn threads(&self) -> usize {
        threads_or_cores(self.threads)
    }
}
