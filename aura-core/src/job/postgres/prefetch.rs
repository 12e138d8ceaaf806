//! Reads what a batch of operations will ask for, and locks what it may change.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use super::batch::Batch;
use super::link::Link;
use super::read::{column, job, jobs, schedule, select_jobs, settings};
use crate::Result;
use crate::job::audit::Sealed;
use crate::job::execute::{ALL_KINDS, MOST_RESCUED, MOST_SCHEDULES, tick_key, ticks_due};
use crate::job::kind::KindRow;
use crate::job::op::{Context, Op};
use crate::job::{JobId, JobState};

/// What a batch needs.
#[derive(Debug, Default)]
struct Needs {
    ids: BTreeSet<i64>,
    idempotency_keys: BTreeSet<String>,
    unique_keys: BTreeSet<String>,
    new: i64,
    /// Whether schedules are looked at, and how late it is.
    tick_us: Option<i64>,
    schedules: BTreeSet<String>,
    kinds: BTreeSet<String>,
    /// How many jobs of each kind are wanted.
    wanted: BTreeMap<String, u64>,
    /// Whether orphans are looked for, and how late it is.
    claim_us: Option<i64>,
}

impl Needs {
    fn of(work: &[(Context, Op)]) -> Self {
        let mut needs = Needs::default();
        for (context, op) in work {
            match op {
                Op::Enqueue(rows) => {
                    for new in rows {
                        needs.new += 1;
                        needs
                            .idempotency_keys
                            .extend(new.row.idempotency_key.clone());
                        needs.unique_keys.extend(new.row.unique_key.clone());
                    }
                }
                Op::Claim { kinds, limit, .. } => {
                    needs.claim_us = needs.claim_us.max(Some(context.now_us));
                    needs.kinds.insert(ALL_KINDS.to_owned());
                    for kind in kinds {
                        needs.kinds.insert(kind.clone());
                        *needs.wanted.entry(kind.clone()).or_default() += u64::from(*limit);
                    }
                }
                Op::Beat { beats, .. } => needs.ids.extend(beats.iter().map(|beat| beat.id.0)),
                Op::Complete { id, .. }
                | Op::Fail { id, .. }
                | Op::Release { id, .. }
                | Op::Cancel(id)
                | Op::Replay(id) => {
                    needs.ids.insert(id.0);
                }
                Op::SetKind { kind, .. } | Op::Pause { kind, .. } => {
                    needs.kinds.insert(kind.clone());
                }
                Op::PutSchedule(schedule) => {
                    needs.schedules.insert(schedule.name.clone());
                }
                Op::DeleteSchedule(name) => {
                    needs.schedules.insert(name.clone());
                }
                Op::Tick => needs.tick_us = needs.tick_us.max(Some(context.now_us)),
                Op::ReplayFailed { .. } | Op::Prune { .. } | Op::Audit(_) | Op::Seal { .. } => {}
            }
        }
        needs
    }
}

/// Reads and locks, in the one order that all transactions keep.
pub(super) async fn prefetch(link: &mut Link, work: &[(Context, Op)]) -> Result<Batch> {
    let mut needs = Needs::of(work);
    let mut batch = Batch::default();
    if !needs.ids.is_empty() {
        let ids: Vec<i64> = needs.ids.iter().copied().collect();
        let rows = link
            .query(
                select_jobs!("WHERE id = ANY($1) ORDER BY id FOR UPDATE"),
                &[&ids],
            )
            .await?;
        for row in jobs(&rows)? {
            batch.locked(row);
        }
    }
    schedules(link, &mut needs, &mut batch).await?;
    keys(link, &needs, &mut batch).await?;
    kinds(link, &needs, &mut batch).await?;
    claims(link, &needs, &mut batch).await?;
    for (_, op) in work {
        old(link, op, &mut batch).await?;
    }
    if needs.new > 0 {
        let rows = link
            .query(
                "SELECT nextval('aura_job_id') FROM generate_series(1, $1::bigint)",
                &[&needs.new],
            )
            .await?;
        for row in &rows {
            batch.numbers.push_back(column(row, 0)?);
        }
    }
    Ok(batch)
}

async fn schedules(link: &mut Link, needs: &mut Needs, batch: &mut Batch) -> Result<()> {
    if !needs.schedules.is_empty() {
        let names: Vec<String> = needs.schedules.iter().cloned().collect();
        let rows = link
            .query(
                "SELECT name, schedule, next_at_us, last_at_us FROM aura_job_schedule WHERE name = ANY($1) ORDER BY name FOR UPDATE",
                &[&names],
            )
            .await?;
        for row in &rows {
            let record = schedule(row)?;
            let name = record.schedule.name.clone();
            batch.tables.schedules.insert(name, record);
        }
    }
    let Some(now_us) = needs.tick_us else {
        return Ok(());
    };
    // A schedule that another process looks at now is left to it.
    let rows = link
        .query(
            "SELECT name, schedule, next_at_us, last_at_us FROM aura_job_schedule
             WHERE next_at_us <= $1 ORDER BY next_at_us, name LIMIT $2 FOR UPDATE SKIP LOCKED",
            &[&now_us, &(MOST_SCHEDULES as i64)],
        )
        .await?;
    for row in &rows {
        let record = schedule(row)?;
        for tick_us in ticks_due(&record, now_us) {
            needs.new += 1;
            needs.idempotency_keys.insert(tick_key(&record, tick_us));
        }
        let unique = record.schedule.job.unique.as_ref();
        needs
            .unique_keys
            .extend(unique.map(|unique| unique.key.clone()));
        let name = record.schedule.name.clone();
        batch.tables.schedules.entry(name).or_insert(record);
    }
    Ok(())
}

/// Jobs with the keys of new ones. The locks keep another process from using the same key meanwhile.
async fn keys(link: &mut Link, needs: &Needs, batch: &mut Batch) -> Result<()> {
    if needs.idempotency_keys.is_empty() && needs.unique_keys.is_empty() {
        return Ok(());
    }
    let schema = link.place.schema.clone();
    let hash =
        |what: &str, key: &String| xxh3_64(format!("{schema} {what} {key}").as_bytes()) as i64;
    let mut locks: Vec<i64> = needs
        .idempotency_keys
        .iter()
        .map(|key| hash("idempotency", key))
        .chain(needs.unique_keys.iter().map(|key| hash("unique", key)))
        .collect();
    locks.sort_unstable();
    locks.dedup();
    link.query(
        "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k",
        &[&locks],
    )
    .await?;
    let of = |keys: &BTreeSet<String>| keys.iter().cloned().collect::<Vec<_>>();
    if !needs.idempotency_keys.is_empty() {
        let keys = of(&needs.idempotency_keys);
        let rows = link
            .query(select_jobs!("WHERE idempotency_key = ANY($1)"), &[&keys])
            .await?;
        for row in jobs(&rows)? {
            batch.found(row);
        }
    }
    if !needs.unique_keys.is_empty() {
        let keys = of(&needs.unique_keys);
        // The latest in each state is enough: whatever states count, the latest job is among them.
        let rows = link
            .query(
                select_jobs!(
                    "WHERE id IN (SELECT max(id) FROM aura_job WHERE unique_key = ANY($1) GROUP BY unique_key, kind, state)"
                ),
                &[&keys],
            )
            .await?;
        for row in jobs(&rows)? {
            batch.found(row);
        }
    }
    Ok(())
}

async fn kinds(link: &mut Link, needs: &Needs, batch: &mut Batch) -> Result<()> {
    if needs.kinds.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = needs.kinds.iter().cloned().collect();
    let rows = link
        .query(
            "SELECT kind, settings, arrival_us FROM aura_job_kind WHERE kind = ANY($1) ORDER BY kind FOR UPDATE",
            &[&names],
        )
        .await?;
    for row in &rows {
        let kind: String = column(row, 0)?;
        let row = KindRow {
            settings: settings(&kind, column(row, 1)?)?,
            arrival_us: column(row, 2)?,
        };
        batch.tables.kinds.insert(kind, row);
    }
    if rows.is_empty() {
        return Ok(());
    }
    // Read after the lock: nobody else starts jobs of these kinds any more.
    let rows = link
        .query(
            "SELECT kind, queued, processing, done, failed, cancelled FROM aura_job_count WHERE kind = ANY($1)",
            &[&names],
        )
        .await?;
    for row in &rows {
        let of = |at| column(row, at);
        let counts = [of(1)?, of(2)?, of(3)?, of(4)?, of(5)?];
        batch.running.0.insert(column(row, 0)?, counts);
    }
    Ok(())
}

async fn claims(link: &mut Link, needs: &Needs, batch: &mut Batch) -> Result<()> {
    let Some(now_us) = needs.claim_us else {
        return Ok(());
    };
    let rows = link
        .query(
            select_jobs!(
                "WHERE state = 1 AND lease_until_us < $1 ORDER BY lease_until_us, id LIMIT $2 FOR UPDATE SKIP LOCKED"
            ),
            &[&now_us, &(MOST_RESCUED as i64)],
        )
        .await?;
    for row in jobs(&rows)? {
        batch.locked(row);
    }
    let paused = |kind: &str| {
        let row = batch.tables.kinds.get(kind);
        row.is_some_and(|row| row.settings.paused)
    };
    if paused(ALL_KINDS) {
        return Ok(());
    }
    let mut names = Vec::new();
    let mut rooms = Vec::new();
    let mut limited = false;
    for (kind, wanted) in &needs.wanted {
        let settings = batch.tables.kinds.get(kind);
        let running = batch.running.of(kind, JobState::Processing);
        let room = settings.map_or(*wanted, |row| {
            row.room(u64::try_from(running).unwrap_or(0), *wanted, now_us)
        });
        limited |= settings.is_some();
        if !paused(kind) {
            names.push(kind.as_str());
            rooms.push(room as i64);
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    // More are looked at than are taken, since others may look at the same.
    let looks: Vec<i64> = rooms
        .iter()
        .map(|room| if *room > 0 { room + 64 } else { 0 })
        .collect();
    let wanted = needs.wanted.values().map(|n| *n as i64).max().unwrap_or(0);
    // Jobs of a kind that is full must not take the places of those of another.
    let most: i64 = match limited {
        true => looks.iter().sum(),
        false => wanted,
    };
    let rows = link
        .query(
            select_jobs!(
                "WHERE state = 0 AND id IN (
                     SELECT c.id FROM unnest($1::text[], $3::bigint[]) AS k(kind, look)
                     CROSS JOIN LATERAL (
                         SELECT j.id FROM generate_series(-10, 10) AS p(priority)
                         CROSS JOIN LATERAL (
                             SELECT id, priority, run_at_us FROM aura_job
                             WHERE state = 0 AND kind = k.kind AND priority = p.priority AND run_at_us <= $2
                             ORDER BY run_at_us, id LIMIT k.look
                         ) AS j
                         ORDER BY j.priority DESC, j.run_at_us, j.id LIMIT k.look
                     ) AS c
                 )
                 ORDER BY priority DESC, run_at_us, id LIMIT $4 FOR UPDATE SKIP LOCKED"
            ),
            &[&names, &now_us, &looks, &most],
        )
        .await?;
    let found = rows.len() as i64;
    for row in &rows {
        batch.locked(job(row)?);
    }
    if found < wanted || limited {
        let rows = link
            .query(
                "SELECT k.kind, min(c.run_at_us) FROM unnest($1::text[], $3::bigint[]) AS k(kind, look)
                 CROSS JOIN generate_series(-10, 10) AS p(priority)
                 CROSS JOIN LATERAL (
                     SELECT run_at_us FROM aura_job
                     WHERE state = 0 AND kind = k.kind AND priority = p.priority AND run_at_us > CASE k.look WHEN 0 THEN $4::bigint ELSE $2::bigint END
                     ORDER BY run_at_us LIMIT 1
                 ) AS c GROUP BY k.kind",
                // Of a kind that is full, nothing was looked at above: what is ready counts, too.
                &[&names, &now_us, &looks, &i64::MIN],
            )
            .await?;
        for row in &rows {
            batch.later.insert(column(row, 0)?, column(row, 1)?);
        }
    }
    Ok(())
}

/// Jobs and records that are at their end.
async fn old(link: &mut Link, op: &Op, batch: &mut Batch) -> Result<()> {
    match op {
        Op::Prune {
            states,
            before_us,
            limit,
        } => {
            for state in states.iter().filter(|state| state.is_final()) {
                let rows = link
                    .query(
                        "SELECT id, kind, finished_at_us FROM aura_job
                         WHERE state >= 2 AND state = $1 AND finished_at_us < $2
                         ORDER BY finished_at_us, id LIMIT $3 FOR UPDATE SKIP LOCKED",
                        &[&state.code(), before_us, &i64::from(*limit)],
                    )
                    .await?;
                for row in &rows {
                    let id = JobId(column(row, 0)?);
                    let at_us: i64 = column(row, 2)?;
                    // One that another operation of this batch works on stays this time.
                    if !batch.tables.jobs.contains_key(&id) {
                        batch.old.insert((*state, at_us, id), column(row, 1)?);
                    }
                }
            }
        }
        Op::ReplayFailed { kind, limit } => {
            let rows = link
                .query(
                    select_jobs!(
                        "WHERE state >= 2 AND state = $1 AND ($2::text IS NULL OR kind = $2)
                         ORDER BY finished_at_us, id LIMIT $3 FOR UPDATE SKIP LOCKED"
                    ),
                    &[&JobState::Failed.code(), kind, &i64::from(*limit)],
                )
                .await?;
            for row in jobs(&rows)? {
                batch.locked(row);
            }
        }
        Op::Seal { up_to } => {
            let rows = link
                .query(
                    "SELECT seq, hash, (SELECT count(*) FROM aura_audit WHERE seq <= $1) FROM aura_audit
                     WHERE seq <= $1 ORDER BY seq DESC LIMIT 1",
                    &[up_to],
                )
                .await?;
            if let Some(row) = rows.first() {
                let sealed = Sealed {
                    seq: column(row, 0)?,
                    hash: column(row, 1)?,
                };
                let gone: i64 = column(row, 2)?;
                batch.seals.insert(*up_to, (sealed, gone.unsigned_abs()));
            }
        }
        _ => {}
    }
    Ok(())
}
