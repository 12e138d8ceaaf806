//! What time takes away: old partitions, old snapshots, files that nobody needs.

use std::sync::Arc;

use rusqlite::Connection;

use super::ExpireReport;
use crate::Result;
use crate::store::Shared;
use crate::store::catalog::commit::Commit;
use crate::store::catalog::maintain as upkeep;
use crate::store::catalog::read::DataFile;
use crate::store::catalog::value::parse_timestamp_us;
use crate::store::read::{current, deleted_rows};
use crate::store::writer::{WriterHandle, wait};

pub(super) fn expire_once(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    older_than_us: i64,
) -> Result<ExpireReport> {
    let state = current(conn)?;
    let grain = shared.settings.partition;
    let limit = grain.of(older_than_us);
    let old: Vec<&DataFile> = state
        .files
        .iter()
        .filter(|f| {
            let range = f.stats.first().and_then(Option::as_ref);
            let time = |t: Option<&String>| t.and_then(|t| parse_timestamp_us(t));
            let Some((min, max)) =
                range.and_then(|r| Some((time(r.min.as_ref())?, time(r.max.as_ref())?)))
            else {
                return false;
            };
            let divided =
                !f.partition_values.is_empty() && f.partition_values.iter().all(Option::is_some);
            if divided {
                max < older_than_us && grain.of(min) < limit
            } else {
                max < older_than_us
            }
        })
        .collect();
    if old.is_empty() {
        return Ok(ExpireReport::default());
    }
    let mut report = ExpireReport {
        files: old.len() as u64,
        events: 0,
    };
    for file in &old {
        let deleted = deleted_rows(shared, file, state.snapshot.id)?;
        report.events += file.record_count - deleted.len() as u64;
    }
    let ids: Vec<i64> = old.iter().map(|f| f.id).collect();
    wait(writer.transact(move |w| {
        let mut commit =
            Commit::begin(&w.conn, w.shared.clock.now_us())?.describe(Some("aura"), Some("expire"));
        for id in ids {
            commit.remove_file(id)?;
        }
        commit.finish()?;
        // Ids of the dropped events may come again.
        w.known.forget();
        Ok(())
    })?)?;
    Ok(report)
}

pub(super) fn expire_snapshots(writer: &WriterHandle, older_than_us: i64) -> Result<u64> {
    wait(writer.transact(move |w| {
        let now = w.shared.clock.now_us();
        let expired = upkeep::expire_snapshots(&w.conn, now, older_than_us, 1)?;
        Ok(expired.snapshots.len() as u64)
    })?)
}

/// Deletes files that no snapshot has needed since `before_us`.
pub(super) fn delete_scheduled(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    conn: &Connection,
    before_us: i64,
) -> Result<()> {
    let mut done = Vec::new();
    for file in upkeep::scheduled(conn, before_us)? {
        let (store, path) = match (
            file.path.strip_prefix("events/"),
            file.path.strip_prefix("quarantine/"),
        ) {
            (Some(path), _) if file.path_is_relative => (&shared.events, path),
            (_, Some(path)) if file.path_is_relative => (&shared.quarantine, path),
            // A path outside the store is not ours to delete.
            _ => continue,
        };
        store.delete(path)?;
        done.push(file.id);
    }
    if done.is_empty() {
        return Ok(());
    }
    wait(writer.transact(move |w| upkeep::unschedule(&w.conn, &done))?)
}
