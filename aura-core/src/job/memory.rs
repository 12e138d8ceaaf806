//! Jobs in memory: for tests, and for hosts that do not need them to survive.

mod tables;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

pub(crate) use tables::Tables;

use super::audit::{AuditHead, AuditRecord, Sealed};
use super::execute::execute;
use super::op::{Answer, Context, Effects, Op};
use super::row::Row;
use super::schedule::ScheduleRecord;
use super::signals::Signals;
use super::store::{Glance, JobFilter, JobStore};
use super::tx::Counts;
use super::{JobId, KindSettings};
use crate::Result;

/// Jobs that are gone with the process.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    tables: Mutex<Tables>,
    signals: Signals,
}

impl MemoryStore {
    pub(crate) fn new() -> Self {
        MemoryStore {
            tables: Mutex::default(),
            signals: Signals::new(),
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl JobStore for MemoryStore {
    async fn run(&self, context: Context, op: Op) -> Result<Answer> {
        let mut effects = Effects::default();
        let (answer, grew) = {
            let mut tables = self.tables();
            let before = tables.log.len();
            let answer = execute(&mut *tables, &context, op, &mut effects)?;
            (answer, tables.log.len() != before)
        };
        self.signals.tell(&effects, grew);
        answer
    }

    async fn get(&self, id: JobId) -> Result<Option<Row>> {
        Ok(self.tables().jobs.get(&id).cloned())
    }

    async fn list(&self, filter: JobFilter) -> Result<Vec<Row>> {
        let before = filter.before.unwrap_or(JobId(i64::MAX));
        let tables = self.tables();
        let fits = |row: &&Row| {
            filter.state.is_none_or(|state| row.state == state)
                && filter.kind.as_ref().is_none_or(|kind| row.kind == *kind)
        };
        let limit = filter.limit.unwrap_or(100) as usize;
        let rows = tables.jobs.range(..before).rev().map(|(_, row)| row);
        Ok(rows.filter(fits).take(limit).cloned().collect())
    }

    async fn glance(&self, ids: Vec<JobId>) -> Result<Vec<Glance>> {
        let tables = self.tables();
        let rows = ids.iter().filter_map(|id| tables.jobs.get(id));
        Ok(rows
            .map(|row| Glance {
                id: row.id,
                state: row.state,
                token: row.token,
                cancel_requested: row.cancel_requested,
            })
            .collect())
    }

    async fn counts(&self) -> Result<Counts> {
        Ok(self.tables().counts.clone())
    }

    async fn kinds(&self) -> Result<Vec<(String, KindSettings)>> {
        let tables = self.tables();
        let kinds = tables.kinds.iter();
        Ok(kinds
            .map(|(name, row)| (name.clone(), row.settings))
            .collect())
    }

    async fn schedules(&self) -> Result<Vec<ScheduleRecord>> {
        Ok(self.tables().schedules.values().cloned().collect())
    }

    async fn audit_page(&self, after: i64, limit: u32) -> Result<Vec<AuditRecord>> {
        let tables = self.tables();
        let records = tables.log.iter().filter(|record| record.seq > after);
        Ok(records.take(limit as usize).cloned().collect())
    }

    async fn audit_ends(&self) -> Result<(Option<Sealed>, AuditHead)> {
        let tables = self.tables();
        Ok((tables.sealed.clone(), tables.chain.head.clone()))
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }
}
