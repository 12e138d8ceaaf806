//! The tables of jobs as maps, with the indexes that the rules ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::Result;
use crate::job::audit::{AuditEntry, AuditHead, AuditRecord, Chain, Sealed};
use crate::job::kind::KindRow;
use crate::job::row::Row;
use crate::job::schedule::ScheduleRecord;
use crate::job::tx::{Counts, Tx};
use crate::job::{JobId, JobState};

/// Everything that a store holds.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) jobs: BTreeMap<JobId, Row>,
    pub(crate) next_id: i64,
    /// Queued jobs by kind, falling priority, time and number.
    ready: BTreeSet<(String, i16, i64, JobId)>,
    leases: BTreeSet<(i64, JobId)>,
    finished: BTreeSet<(JobState, i64, JobId)>,
    by_idempotency_key: HashMap<String, JobId>,
    by_unique_key: BTreeSet<(String, JobId)>,
    pub(crate) counts: Counts,
    pub(crate) kinds: BTreeMap<String, KindRow>,
    pub(crate) schedules: BTreeMap<String, ScheduleRecord>,
    pub(crate) log: Vec<AuditRecord>,
    pub(crate) chain: Chain,
    pub(crate) sealed: Option<Sealed>,
}

impl Default for Tables {
    fn default() -> Self {
        Tables {
            jobs: BTreeMap::new(),
            next_id: 1,
            ready: BTreeSet::new(),
            leases: BTreeSet::new(),
            finished: BTreeSet::new(),
            by_idempotency_key: HashMap::new(),
            by_unique_key: BTreeSet::new(),
            counts: Counts::default(),
            kinds: BTreeMap::new(),
            schedules: BTreeMap::new(),
            log: Vec::new(),
            chain: Chain {
                head: AuditHead::start(),
            },
            sealed: None,
        }
    }
}

impl Tables {
    /// Takes a job in, with its number.
    pub(crate) fn put(&mut self, row: Row) {
        self.remove(row.id);
        let id = row.id;
        match row.state {
            JobState::Queued => {
                self.ready.insert((
                    row.kind.clone(),
                    -i16::from(row.priority),
                    row.run_at_us,
                    id,
                ));
            }
            JobState::Processing => {
                self.leases.insert((row.lease_until_us.unwrap_or(0), id));
            }
            state => {
                self.finished
                    .insert((state, row.finished_at_us.unwrap_or(0), id));
            }
        }
        if let Some(key) = &row.idempotency_key {
            self.by_idempotency_key.insert(key.clone(), id);
        }
        if let Some(key) = &row.unique_key {
            self.by_unique_key.insert((key.clone(), id));
        }
        self.jobs.insert(id, row);
    }

    fn remove(&mut self, id: JobId) {
        let Some(row) = self.jobs.remove(&id) else {
            return;
        };
        match row.state {
            JobState::Queued => {
                self.ready
                    .remove(&(row.kind, -i16::from(row.priority), row.run_at_us, id));
            }
            JobState::Processing => {
                self.leases.remove(&(row.lease_until_us.unwrap_or(0), id));
            }
            state => {
                self.finished
                    .remove(&(state, row.finished_at_us.unwrap_or(0), id));
            }
        }
        if let Some(key) = &row.idempotency_key {
            self.by_idempotency_key.remove(key);
        }
        if let Some(key) = row.unique_key {
            self.by_unique_key.remove(&(key, id));
        }
    }

    /// The priorities of the queued jobs of `kind` (negated), each with its earliest time.
    fn levels(&self, kind: &str) -> Vec<(i16, i64)> {
        let mut levels = Vec::new();
        let mut from = (kind.to_owned(), i16::MIN, i64::MIN, JobId(i64::MIN));
        while let Some((of, level, at, _)) = self.ready.range(from.clone()..).next() {
            if of != kind {
                break;
            }
            levels.push((*level, *at));
            from.1 = level + 1;
        }
        levels
    }

    fn rows(&self, ids: impl Iterator<Item = JobId>) -> Vec<Row> {
        ids.filter_map(|id| self.jobs.get(&id).cloned()).collect()
    }
}

impl Tx for Tables {
    fn get(&mut self, id: JobId) -> Result<Option<Row>> {
        Ok(self.jobs.get(&id).cloned())
    }

    fn insert(&mut self, mut row: Row) -> Result<Row> {
        row.id = JobId(self.next_id);
        self.next_id += 1;
        self.put(row.clone());
        Ok(row)
    }

    fn update(&mut self, row: &Row) -> Result<()> {
        self.put(row.clone());
        Ok(())
    }

    fn delete(&mut self, id: JobId) -> Result<()> {
        self.remove(id);
        Ok(())
    }

    fn by_idempotency_key(&mut self, key: &str) -> Result<Option<Row>> {
        let id = self.by_idempotency_key.get(key);
        Ok(id.and_then(|id| self.jobs.get(id)).cloned())
    }

    fn by_unique_key(
        &mut self,
        kind: &str,
        key: &str,
        states: &[JobState],
        after_us: Option<i64>,
    ) -> Result<Option<Row>> {
        let range = (key.to_owned(), JobId(i64::MIN))..=(key.to_owned(), JobId(i64::MAX));
        let mut rows = self
            .by_unique_key
            .range(range)
            .rev()
            .filter_map(|(_, id)| self.jobs.get(id));
        Ok(rows
            .find(|row| {
                row.kind == kind
                    && states.contains(&row.state)
                    && after_us.is_none_or(|after| row.created_at_us > after)
            })
            .cloned())
    }

    fn ready(&mut self, kind: &str, now_us: i64, limit: u64) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (level, _) in self.levels(kind) {
            let from = (kind.to_owned(), level, i64::MIN, JobId(i64::MIN));
            let to = (kind.to_owned(), level, now_us, JobId(i64::MAX));
            let room = (limit as usize).saturating_sub(rows.len());
            let ids = self.ready.range(from..=to).map(|(_, _, _, id)| *id);
            rows.extend(self.rows(ids.take(room)));
        }
        Ok(rows)
    }

    fn next_ready_us(&mut self, kind: &str) -> Result<Option<i64>> {
        Ok(self.levels(kind).into_iter().map(|(_, at)| at).min())
    }

    fn expired(&mut self, now_us: i64, limit: u64) -> Result<Vec<Row>> {
        let ids = self.leases.range(..(now_us, JobId(i64::MIN)));
        Ok(self.rows(ids.map(|(_, id)| *id).take(limit as usize)))
    }

    fn finished(
        &mut self,
        state: JobState,
        before_us: i64,
        limit: u64,
    ) -> Result<Vec<(JobId, String)>> {
        let from = (state, i64::MIN, JobId(i64::MIN));
        let to = (state, before_us, JobId(i64::MIN));
        let ids = self.finished.range(from..to).map(|(_, _, id)| *id);
        let rows = self.rows(ids.take(limit as usize)).into_iter();
        Ok(rows.map(|row| (row.id, row.kind)).collect())
    }

    fn failed(&mut self, kind: Option<&str>, limit: u64) -> Result<Vec<Row>> {
        let from = (JobState::Failed, i64::MIN, JobId(i64::MIN));
        let to = (JobState::Failed, i64::MAX, JobId(i64::MAX));
        let rows = self
            .finished
            .range(from..=to)
            .filter_map(|(_, _, id)| self.jobs.get(id));
        Ok(rows
            .filter(|row| kind.is_none_or(|kind| row.kind == kind))
            .take(limit as usize)
            .cloned()
            .collect())
    }

    fn kind(&mut self, kind: &str) -> Result<Option<KindRow>> {
        Ok(self.kinds.get(kind).copied())
    }

    fn put_kind(&mut self, kind: &str, row: &KindRow) -> Result<()> {
        self.kinds.insert(kind.to_owned(), *row);
        Ok(())
    }

    fn running(&mut self, kind: &str) -> Result<u64> {
        Ok(self.counts.of(kind, JobState::Processing).unsigned_abs())
    }

    fn count(&mut self, kind: &str, from: Option<JobState>, to: Option<JobState>) -> Result<()> {
        self.counts.note(kind, from, to);
        Ok(())
    }

    fn schedule(&mut self, name: &str) -> Result<Option<ScheduleRecord>> {
        Ok(self.schedules.get(name).cloned())
    }

    fn put_schedule(&mut self, record: &ScheduleRecord) -> Result<()> {
        self.schedules
            .insert(record.schedule.name.clone(), record.clone());
        Ok(())
    }

    fn delete_schedule(&mut self, name: &str) -> Result<bool> {
        Ok(self.schedules.remove(name).is_some())
    }

    fn due_schedules(&mut self, now_us: i64, limit: u64) -> Result<Vec<ScheduleRecord>> {
        let mut due: Vec<_> = self
            .schedules
            .values()
            .filter(|record| record.next_at_us.is_some_and(|at| at <= now_us))
            .cloned()
            .collect();
        due.sort_by_key(|record| (record.next_at_us, record.schedule.name.clone()));
        due.truncate(limit as usize);
        Ok(due)
    }

    fn audit(&mut self, at_us: i64, entry: AuditEntry) -> Result<()> {
        let record = self.chain.add(at_us, entry)?;
        self.log.push(record);
        Ok(())
    }

    fn seal(
        &mut self,
        up_to: i64,
        at_us: i64,
        actor: &str,
        request_id: Option<&str>,
    ) -> Result<u64> {
        let before = self.log.len();
        let Some(last) = self.log.iter().rfind(|record| record.seq <= up_to) else {
            return Ok(0);
        };
        let sealed = Sealed::from(last);
        self.log.retain(|record| record.seq > sealed.seq);
        let gone = before - self.log.len();
        self.audit(at_us, sealed.entry(actor, request_id))?;
        self.sealed = Some(sealed);
        Ok(gone as u64)
    }
}
