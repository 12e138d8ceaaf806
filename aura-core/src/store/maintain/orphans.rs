//! Files that a crash left between their writing and their commit.

use std::collections::HashSet;

use uuid::Uuid;

use super::before;
use crate::Result;
use crate::store::Shared;
use crate::store::files::{FileEntry, FileStore, PART, SCRATCH};
use crate::store::sort::bucket_of_path;

/// Files that no process will commit any more, found while no other AURA had the store open.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    /// Those that are too young to be deleted, by their place.
    events: Vec<FileEntry>,
    quarantine: Vec<FileEntry>,
}

impl Orphans {
    /// Looks for them. Only call it while no other process of AURA has the store open.
    ///
    /// A file that AURA did not name is left alone, whatever it is. It may be a user's; or DuckDB,
    /// which takes no part in the lock, has written it and is about to commit it.
    pub(crate) fn find(shared: &Shared) -> Result<Orphans> {
        let found = |files: &FileStore| -> Result<Vec<FileEntry>> {
            let mut all = files.list()?;
            all.retain(|f| is_ours(&f.path));
            Ok(all)
        };
        Ok(Orphans {
            events: found(&shared.events)?,
            quarantine: found(&shared.quarantine)?,
        })
    }

    /// Deletes those that the catalog does not know and that were last changed longer ago than the
    /// setting `delete_grace_s`: who puts back an older `aura.db` can still put back the newer one.
    pub(crate) fn sweep(&mut self, shared: &Shared) -> Result<()> {
        if self.events.is_empty() && self.quarantine.is_empty() {
            return Ok(());
        }
        let known = known(shared)?;
        let before_us = before(shared.clock.now_us(), shared.settings.delete_grace_s);
        for (prefix, files, found) in [
            ("events/", &shared.events, &mut self.events),
            ("quarantine/", &shared.quarantine, &mut self.quarantine),
        ] {
            found.retain(|f| !known.contains(&format!("{prefix}{}", f.path)));
            let (old, young) = std::mem::take(found)
                .into_iter()
                .partition(|f| f.modified_us.is_some_and(|t| t <= before_us));
            *found = young;
            let old: Vec<FileEntry> = old;
            for file in old {
                files.delete(&file.path)?;
            }
        }
        Ok(())
    }
}

/// The files that a snapshot needs or that wait for their deletion, below the store's directory.
fn known(shared: &Shared) -> Result<HashSet<String>> {
    shared.read(|conn| {
        let mut known = HashSet::new();
        for query in [
            "SELECT path, table_id FROM ducklake_data_file WHERE path_is_relative = 1",
            "SELECT path, table_id FROM ducklake_delete_file WHERE path_is_relative = 1",
            "SELECT path, NULL FROM ducklake_files_scheduled_for_deletion",
        ] {
            let mut statement = conn.prepare(query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let path: String = row.get(0)?;
                let table: Option<i64> = row.get(1)?;
                known.insert(match table {
                    Some(t) if t == shared.events_table => format!("events/{path}"),
                    Some(t) if t == shared.quarantine_table => format!("quarantine/{path}"),
                    _ => path,
                });
            }
        }
        Ok(known)
    })
}

/// Returns whether a path is one that AURA makes up: a name with a UUID, at the root or in a
/// directory of a partition.
fn is_ours(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(id) = name.strip_prefix(SCRATCH) {
        return directory.is_empty() && is_uuid(id);
    }
    let mut keys = ["year=", "month=", "day="].into_iter();
    let partition = directory.is_empty()
        || directory.split('/').all(|part| {
            keys.next()
                .and_then(|key| part.strip_prefix(key))
                .is_some_and(|value| value.parse::<i64>().is_ok())
        });
    let stem = name
        .strip_suffix(PART)
        .unwrap_or(name)
        .strip_suffix(".parquet");
    let Some((head, id)) = stem.and_then(|s| s.split_at_checked(s.len().checked_sub(36)?)) else {
        return false;
    };
    partition && is_uuid(id) && (head.is_empty() || bucket_of_path(name).is_some())
}

/// Only the form with hyphens is ours.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_names_that_the_store_makes_up_are_its_own() {
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
        for ours in [
            format!("{id}.parquet"),
            format!("{id}.parquet.part"),
            format!("year=2026/{id}.parquet"),
            format!("year=-44/month=3/day=15/{id}.parquet"),
            format!("year=2026/month=1/bucket-3-of-8-{id}.parquet.part"),
            format!(".scratch-{id}"),
        ] {
            assert!(is_ours(&ours), "{ours}");
        }
        for foreign in [
            "mine.parquet".to_owned(),
            "2025/mine2.parquet".to_owned(),
            "readme.csv".to_owned(),
            format!("{id}.csv"),
            format!("2025/{id}.parquet"),
            format!("year=2026/mine/{id}.parquet"),
            format!("month=1/{id}.parquet"),
            format!("year=2026/month=1/ducklake-{id}.parquet"),
            format!("year=2026/month=1/mine-{id}.parquet"),
            format!("year=2026/.scratch-{id}"),
            ".parquet".to_owned(),
            "é0f8fad5b-d9cb-469f-a165-70867728950.parquet".to_owned(),
        ] {
            assert!(!is_ours(&foreign), "{foreign}");
        }
    }
}
