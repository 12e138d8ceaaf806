//! What a store holds and costs.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::catalog::value::parse_timestamp_us;
use super::catalog::{read, snapshot};
use super::sort::bucket_of_path;
use super::{Store, staging};
use crate::Result;
use crate::event::TIME;

/// Figures of a store, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStats {
    /// Events, staged ones included.
    pub events: u64,
    /// Events that are durable in the database and not yet in a file.
    pub staged_events: u64,
    /// Bytes of the staged batches (compressed).
    pub staged_bytes: u64,
    /// Parquet files of the newest snapshot.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Files of the newest snapshot that compaction has not sorted yet.
    pub loose_files: u64,
    /// Calendar partitions that have files.
    pub partitions: u64,
    /// Bytes of all files on disk, those that only old snapshots need included.
    pub bytes_on_disk: u64,
    /// Bytes of the database and its log.
    pub database_bytes: u64,
    /// Rejected rows kept.
    pub quarantined: u64,
    /// Id of the newest snapshot.
    pub snapshot: i64,
    /// Snapshots that can be read.
    pub snapshots: u64,
    /// Smallest time of the events in files, in UTC microseconds.
    pub time_min_us: Option<i64>,
    /// Largest time of the events in files, in UTC microseconds.
    pub time_max_us: Option<i64>,
    /// Files that queries of this process have read. (One query's share is in its table's `scan()`.)
    pub files_read: u64,
    /// Bytes that queries of this process have read from files.
    pub bytes_read: u64,
    /// Bytes of memory of the index of event ids; 0 before the first write.
    pub id_index_bytes: u64,
}

impl Store {
    /// Returns figures of the store.
    ///
    /// # Errors
    /// `Unavailable` when the database or the directory cannot be read now.
    pub async fn stats(&self) -> Result<StoreStats> {
        self.blocking(|shared, _, conn| {
            let tx = conn.unchecked_transaction()?;
            let state = read::load_table(&tx, super::EVENTS, None, &[TIME])?;
            let rejects = read::load_table(&tx, super::QUARANTINE, None, &[])?;
            let (staged_events, staged_bytes) = staging::pending(&tx, super::EVENTS)?;
            let (staged_rejects, _) = staging::pending(&tx, super::QUARANTINE)?;
            let snapshots = snapshot::snapshots(&tx)?.len() as u64;
            tx.commit()?;
            let mut stats = StoreStats {
                staged_events,
                staged_bytes,
                files: state.files.len() as u64,
                snapshot: state.snapshot.id,
                snapshots,
                quarantined: staged_rejects
                    + rejects.files.iter().map(|f| f.record_count).sum::<u64>(),
                database_bytes: shared.db.bytes(),
                bytes_on_disk: [&shared.events, &shared.quarantine]
                    .into_iter()
                    .map(|files| Ok(files.list()?.iter().map(|f| f.size_bytes).sum::<u64>()))
                    .sum::<Result<u64>>()?,
                files_read: shared.scanned.files.load(Ordering::Relaxed),
                bytes_read: shared.scanned.bytes.load(Ordering::Relaxed),
                id_index_bytes: shared.ids.memory_bytes() as u64,
                ..StoreStats::default()
            };
            let mut partitions = BTreeMap::new();
            let mut rows = 0;
            for file in &state.files {
                stats.bytes += file.file_size_bytes;
                stats.loose_files += u64::from(bucket_of_path(&file.path.path).is_none());
                partitions.insert(file.partition_values.clone(), ());
                rows += file.record_count
                    - super::read::deleted_rows(shared, file, state.snapshot.id)?.len() as u64;
                if let Some(Some(range)) = file.stats.first() {
                    let parsed = |t: &Option<String>| t.as_deref().and_then(parse_timestamp_us);
                    stats.time_min_us = min(stats.time_min_us, parsed(&range.min));
                    stats.time_max_us = max(stats.time_max_us, parsed(&range.max));
                }
            }
            stats.partitions = partitions.len() as u64;
            let inlined: usize = state.inlined.iter().map(|i| i.rows.len()).sum();
            stats.events = rows + inlined as u64 + staged_events;
            Ok(stats)
        })
        .await
    }
}

fn min(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

fn max(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).max()
}
