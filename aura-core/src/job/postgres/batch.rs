//! A transaction of PostgreSQL as the rules see it: rows that were read before, and changes that are written after.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::job::audit::{AuditEntry, Sealed};
use crate::job::kind::KindRow;
use crate::job::memory::Tables;
use crate::job::row::Row;
use crate::job::schedule::ScheduleRecord;
use crate::job::tx::{Counts, Tx};
use crate::job::{JobId, JobState};
use crate::{Error, Result};

/// What was read, and what changed since.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Jobs that are locked by this transaction or made in it; kinds; schedules.
    pub(super) tables: Tables,
    /// Jobs that were found by their key. They are not locked, and only looked at.
    pub(super) seen: BTreeMap<JobId, Row>,
    /// Numbers for new jobs.
    pub(super) numbers: VecDeque<i64>,
    /// Jobs of each kind that were being processed before.
    pub(super) running: Counts,
    /// For each kind, the earliest time of a queued job whose time has not come.
    pub(super) later: BTreeMap<String, i64>,
    /// Finished jobs that may be removed: when they finished, and their kinds.
    pub(super) old: BTreeMap<(JobState, i64, JobId), String>,
    /// The last record before each place that shall be sealed, and how many go.
    pub(super) seals: BTreeMap<i64, (Sealed, u64)>,

    pub(super) new: BTreeSet<JobId>,
    pub(super) changed: BTreeSet<JobId>,
    pub(super) gone: Vec<JobId>,
    pub(super) moved: Counts,
    pub(super) changed_kinds: BTreeSet<String>,
    pub(super) changed_schedules: BTreeSet<String>,
    pub(super) gone_schedules: Vec<String>,
    pub(super) entries: Vec<(i64, AuditEntry)>,
    pub(super) sealed: Option<Sealed>,
}

impl Batch {
    /// Takes in a job that this transaction has locked.
    pub(super) fn locked(&mut self, row: Row) {
        if !self.tables.jobs.contains_key(&row.id) {
            self.seen.remove(&row.id);
            self.tables.put(row);
        }
    }

    /// Takes in a job that this transaction has not locked.
    pub(super) fn found(&mut self, row: Row) {
        if !self.tables.jobs.contains_key(&row.id) {
            self.seen.insert(row.id, row);
        }
    }
}

impl Tx for Batch {
    fn get(&mut self, id: JobId) -> Result<Option<Row>> {
        self.tables.get(id)
    }

    fn insert(&mut self, mut row: Row) -> Result<Row> {
        let id = self
            .numbers
            .pop_front()
            .ok_or_else(|| Error::internal("there is no number left for a new job"))?;
        row.id = JobId(id);
        self.new.insert(row.id);
        self.tables.put(row.clone());
        Ok(row)
    }

    fn update(&mut self, row: &Row) -> Result<()> {
        if !self.new.contains(&row.id) {
            self.changed.insert(row.id);
        }
        self.tables.update(row)
    }

    fn delete(&mut self, id: JobId) -> Result<()> {
        self.gone.push(id);
        Ok(())
    }

    fn by_idempotency_key(&mut self, key: &str) -> Result<Option<Row>> {
        if let Some(row) = self.tables.by_idempotency_key(key)? {
            return Ok(Some(row));
        }
        let mut seen = self.seen.values();
        Ok(seen
            .find(|row| row.idempotency_key.as_deref() == Some(key))
            .cloned())
    }

    fn by_unique_key(
        &mut self,
        kind: &str,
        key: &str,
        states: &[JobState],
        after_us: Option<i64>,
    ) -> Result<Option<Row>> {
        let own = self.tables.by_unique_key(kind, key, states, after_us)?;
        let seen = self.seen.values().rev().find(|row| {
            row.unique_key.as_deref() == Some(key)
                && row.kind == kind
                && states.contains(&row.state)
                && after_us.is_none_or(|after| row.created_at_us > after)
        });
        Ok(own
            .into_iter()
            .chain(seen.cloned())
            .max_by_key(|row| row.id))
    }

    fn ready(&mut self, kind: &str, now_us: i64, limit: u64) -> Result<Vec<Row>> {
        self.tables.ready(kind, now_us, limit)
    }

    fn next_ready_us(&mut self, kind: &str) -> Result<Option<i64>> {
        let own = self.tables.next_ready_us(kind)?;
        let later = self.later.get(kind).copied();
        Ok(own.into_iter().chain(later).min())
    }

    fn expired(&mut self, now_us: i64, limit: u64) -> Result<Vec<Row>> {
        self.tables.expired(now_us, limit)
    }

    fn finished(
        &mut self,
        state: JobState,
        before_us: i64,
        limit: u64,
    ) -> Result<Vec<(JobId, String)>> {
        let keys: Vec<_> = self
            .old
            .keys()
            .filter(|(of, at, _)| *of == state && *at < before_us)
            .take(limit as usize)
            .copied()
            .collect();
        let taken = keys.into_iter().filter_map(|key| {
            let kind = self.old.remove(&key)?;
            Some((key.2, kind))
        });
        Ok(taken.collect())
    }

    fn failed(&mut self, kind: Option<&str>, limit: u64) -> Result<Vec<Row>> {
        self.tables.failed(kind, limit)
    }

    fn kind(&mut self, kind: &str) -> Result<Option<KindRow>> {
        self.tables.kind(kind)
    }

    fn put_kind(&mut self, kind: &str, row: &KindRow) -> Result<()> {
        self.changed_kinds.insert(kind.to_owned());
        self.tables.put_kind(kind, row)
    }

    fn running(&mut self, kind: &str) -> Result<u64> {
        let state = JobState::Processing;
        let running = self.running.of(kind, state) + self.moved.of(kind, state);
        Ok(u64::try_from(running).unwrap_or(0))
    }

    fn count(&mut self, kind: &str, from: Option<JobState>, to: Option<JobState>) -> Result<()> {
        self.moved.note(kind, from, to);
        Ok(())
    }

    fn schedule(&mut self, name: &str) -> Result<Option<ScheduleRecord>> {
        self.tables.schedule(name)
    }

    fn put_schedule(&mut self, record: &ScheduleRecord) -> Result<()> {
        let name = &record.schedule.name;
        self.changed_schedules.insert(name.clone());
        self.gone_schedules.retain(|gone| gone != name);
        self.tables.put_schedule(record)
    }

    fn delete_schedule(&mut self, name: &str) -> Result<bool> {
        let there = self.tables.delete_schedule(name)?;
        if there {
            self.changed_schedules.remove(name);
            self.gone_schedules.push(name.to_owned());
        }
        Ok(there)
    }

    fn due_schedules(&mut self, now_us: i64, limit: u64) -> Result<Vec<ScheduleRecord>> {
        self.tables.due_schedules(now_us, limit)
    }

    fn audit(&mut self, at_us: i64, entry: AuditEntry) -> Result<()> {
        self.entries.push((at_us, entry));
        Ok(())
    }

    fn seal(
        &mut self,
        up_to: i64,
        at_us: i64,
        actor: &str,
        request_id: Option<&str>,
    ) -> Result<u64> {
        let Some((sealed, gone)) = self.seals.get(&up_to).cloned() else {
            return Ok(0);
        };
        self.audit(at_us, sealed.entry(actor, request_id))?;
        self.sealed = Some(sealed);
        Ok(gone)
    }
}
