//! Random histories of several workers on each store, compared after every step with a model that shares no code with it: clocks that
//! jump, workers that crash and forget what they hold, late answers.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::kit::*;
use crate::ErrorKind;
use crate::job::{
    Claim, Heartbeat, Held, JobFilter, JobId, JobRecord, JobSpec, JobState, Jobs, KindSettings,
    Prune, Unique,
};

const KINDS: [&str; 3] = ["a", "b", "c"];
const LEASE: i64 = 30 * SECOND;

#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        kind: usize,
        priority: i8,
        delay_ms: u64,
        attempts: u32,
        unique: Option<(u8, u8, Option<u64>)>,
        idempotent: Option<u8>,
    },
    Claim {
        handle: usize,
        kinds: u8,
        limit: u32,
    },
    Complete(usize),
    Fail(usize, bool),
    Release(usize),
    Beat(usize),
    Cancel(usize),
    Replay(usize),
    ReplayFailed(Option<usize>),
    Prune(i64),
    Pause(usize, bool),
    Limit(usize, Option<u32>),
    Clock(i64),
    /// A process dies: its handle is opened anew, what it held it forgets.
    Crash(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let unique =
        proptest::option::weighted(0.3, (0..2u8, 1..32u8, proptest::option::of(1..40_000u64)));
    let step = prop_oneof![
        6 => (0..3usize, -1..2i8, prop_oneof![Just(0), 1..60_000u64], 1..4u32, unique, proptest::option::weighted(0.2, 0..6u8))
            .prop_map(|(kind, priority, delay_ms, attempts, unique, idempotent)| Step::Enqueue {
                kind, priority, delay_ms, attempts, unique, idempotent,
            }),
        6 => (0..2usize, 1..8u8, 1..4u32).prop_map(|(handle, kinds, limit)| Step::Claim { handle, kinds, limit }),
        3 => any::<prop::sample::Index>().prop_map(|n| Step::Complete(n.index(64))),
        3 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(n, retry)| Step::Fail(n.index(64), retry)),
        1 => any::<prop::sample::Index>().prop_map(|n| Step::Release(n.index(64))),
        2 => any::<prop::sample::Index>().prop_map(|n| Step::Beat(n.index(64))),
        2 => any::<prop::sample::Index>().prop_map(|n| Step::Cancel(n.index(64))),
        1 => any::<prop::sample::Index>().prop_map(|n| Step::Replay(n.index(64))),
        1 => proptest::option::of(0..3usize).prop_map(Step::ReplayFailed),
        1 => (0..100 * SECOND).prop_map(Step::Prune),
        1 => (0..4usize, any::<bool>()).prop_map(|(kind, paused)| Step::Pause(kind, paused)),
        1 => (0..3usize, proptest::option::of(1..3u32)).prop_map(|(kind, most)| Step::Limit(kind, most)),
        4 => prop_oneof![0..SECOND, 0..40 * SECOND, -50 * SECOND..0].prop_map(Step::Clock),
        1 => (0..2usize).prop_map(Step::Crash),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A job as the model sees it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    id: i64,
    kind: String,
    state: JobState,
    priority: i8,
    attempt: u32,
    max_attempts: u32,
    run_at: i64,
    lease: Option<i64>,
    token: i64,
    cancel: bool,
    error: Option<String>,
    unique: Option<String>,
    key: Option<String>,
    created: i64,
    finished: Option<i64>,
}

impl From<&JobRecord> for Seen {
    fn from(job: &JobRecord) -> Self {
        Seen {
            id: job.id.0,
            kind: job.kind.clone(),
            state: job.state,
            priority: job.priority,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            run_at: job.run_at_us,
            lease: job.lease_until_us,
            token: job.token,
            cancel: job.cancel_requested,
            error: job.error.as_ref().map(|e| e.kind.clone()),
            unique: job.unique_key.clone(),
            key: job.idempotency_key.clone(),
            created: job.created_at_us,
            finished: job.finished_at_us,
        }
    }
}

#[derive(Debug, Default)]
struct Model {
    jobs: Vec<Seen>,
    paused: [bool; 4],
    most: [Option<u32>; 3],
    transitions: usize,
    /// Claims that some worker holds, or believes to hold.
    held: Vec<(usize, i64, i64)>,
}

impl Model {
    fn job(&mut self, id: i64) -> Option<&mut Seen> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// The nth of what there is, old and new.
    fn nth(&self, n: usize) -> Option<i64> {
        (!self.jobs.is_empty()).then(|| self.jobs[n % self.jobs.len()].id)
    }

    /// Ends an attempt. A retry's time is drawn; whoever calls looks whether it lies in its range.
    fn end(&mut self, id: i64, error: &str, retryable: bool, now: i64) -> JobState {
        self.transitions += 1;
        let job = self.job(id).unwrap();
        job.lease = None;
        job.error = Some(error.to_owned());
        job.state = if job.cancel {
            JobState::Cancelled
        } else if retryable && job.attempt < job.max_attempts {
            JobState::Queued
        } else {
            JobState::Failed
        };
        if job.state != JobState::Queued {
            job.finished = Some(now);
        }
        job.state
    }

    fn rescue(&mut self, now: i64) -> Vec<i64> {
        let mut expired: Vec<(i64, i64)> = self
            .jobs
            .iter()
            .filter(|j| j.state == JobState::Processing && j.lease.unwrap() < now)
            .map(|j| (j.lease.unwrap(), j.id))
            .collect();
        expired.sort_unstable();
        expired
            .into_iter()
            .filter(|(_, id)| self.end(*id, "LEASE_EXPIRED", true, now) == JobState::Queued)
            .map(|(_, id)| id)
            .collect()
    }

    fn claimable(&self, kinds: &[&str], limit: u32, now: i64) -> Vec<i64> {
        if self.paused[3] {
            return Vec::new();
        }
        let mut queued: Vec<&Seen> = self
            .jobs
            .iter()
            .filter(|j| {
                j.state == JobState::Queued && j.run_at <= now && kinds.contains(&j.kind.as_str())
            })
            .collect();
        queued.sort_by_key(|j| (-j.priority, j.run_at, j.id));
        let mut taken = Vec::new();
        for job in queued {
            let kind = KINDS.iter().position(|k| *k == job.kind).unwrap();
            let running = self
                .jobs
                .iter()
                .filter(|j| {
                    j.kind == job.kind && (j.state == JobState::Processing || taken.contains(&j.id))
                })
                .count();
            let full = self.most[kind].is_some_and(|most| running >= most as usize);
            if !self.paused[kind] && !full && taken.len() < limit as usize {
                taken.push(job.id);
            }
        }
        taken
    }
}

struct World {
    kit: Kit,
    handles: [Jobs; 2],
    model: Model,
}

impl World {
    async fn new(kit: Kit) -> Self {
        let handles = [kit.open().await, kit.open().await];
        World {
            kit,
            handles,
            model: Model::default(),
        }
    }

    /// Jobs that go back to the queue have a time that was drawn: it is taken from the store once it is known to be in its range.
    async fn draw(&mut self, ids: &[i64], base_ms: i64) {
        let now = self.kit.now();
        for id in ids {
            let run_at = self.handles[0].status(JobId(*id)).await.unwrap().run_at_us;
            let job = self.model.job(*id).unwrap();
            let longest = (base_ms << (job.attempt - 1)).min(20_000) * 1_000;
            assert!((0..=longest).contains(&(run_at - now)), "{run_at} {now}");
            job.run_at = run_at;
        }
    }

    async fn step(&mut self, step: &Step) {
        let now = self.kit.now();
        let one = self.handles[0].clone();
        match step {
            Step::Enqueue {
                kind,
                priority,
                delay_ms,
                attempts,
                unique,
                idempotent,
            } => {
                let mut spec = JobSpec::new(KINDS[*kind], json!({"kind": kind}))
                    .priority(*priority)
                    .delay_ms(*delay_ms)
                    .max_attempts(*attempts)
                    .retry(5_000, 20_000);
                let states: Vec<JobState> = JobState::ALL
                    .into_iter()
                    .enumerate()
                    .filter(|(n, _)| unique.is_some_and(|(_, mask, _)| mask & (1 << n) != 0))
                    .map(|(_, state)| state)
                    .collect();
                if let Some((key, _, period_ms)) = unique {
                    spec = spec.unique(Unique {
                        key: format!("u{key}"),
                        states: states.clone(),
                        period_ms: *period_ms,
                    });
                }
                if let Some(key) = idempotent {
                    spec = spec.idempotency_key(format!("i{key}"));
                }
                let same_key = self
                    .model
                    .jobs
                    .iter()
                    .find(|j| j.key.is_some() && j.key == spec.idempotency_key);
                let answer = self.handles[*kind % 2].enqueue(&spec).await;
                if let Some(other) = same_key {
                    if other.kind != KINDS[*kind] {
                        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Conflict);
                    } else {
                        let answer = answer.unwrap();
                        assert_eq!((answer.job.id.0, answer.created), (other.id, false));
                    }
                    return;
                }
                let there = self.model.jobs.iter().rev().find(|j| {
                    unique.is_some_and(|(key, _, period)| {
                        j.unique == Some(format!("u{key}"))
                            && j.kind == KINDS[*kind]
                            && states.contains(&j.state)
                            && period.is_none_or(|p| j.created > now - p as i64 * 1_000)
                    })
                });
                let answer = answer.unwrap();
                if let Some(there) = there {
                    assert_eq!((answer.job.id.0, answer.created), (there.id, false));
                    return;
                }
                assert!(answer.created);
                assert!(self.model.jobs.iter().all(|j| j.id < answer.job.id.0));
                self.model.transitions += 1;
                self.model.jobs.push(Seen {
                    id: answer.job.id.0,
                    kind: KINDS[*kind].to_owned(),
                    state: JobState::Queued,
                    priority: *priority,
                    attempt: 0,
                    max_attempts: *attempts,
                    run_at: now + *delay_ms as i64 * 1_000,
                    lease: None,
                    token: 0,
                    cancel: false,
                    error: None,
                    unique: unique.map(|(key, ..)| format!("u{key}")),
                    key: idempotent.map(|key| format!("i{key}")),
                    created: now,
                    finished: None,
                });
            }
            Step::Claim {
                handle,
                kinds,
                limit,
            } => {
                let kinds: Vec<&str> = (0..3)
                    .filter(|n| kinds & (1 << n) != 0)
                    .map(|n| KINDS[n])
                    .collect();
                let rescued = self.model.rescue(now);
                let claim = Claim::of(kinds.iter().copied()).limit(*limit).worker("w");
                let got = self.handles[*handle].claim(&claim).await.unwrap().jobs;
                // One that was rescued may have been claimed in the same moment, if its wait was drawn as nothing.
                for id in &rescued {
                    if let Some(job) = got.iter().find(|job| job.id.0 == *id) {
                        self.model.job(*id).unwrap().run_at = job.run_at_us;
                    } else {
                        self.draw(&[*id], 5_000).await;
                    }
                }
                let expected = self.model.claimable(&kinds, *limit, now);
                let ids: Vec<i64> = got.iter().map(|job| job.id.0).collect();
                assert_eq!(ids, expected);
                for id in ids {
                    self.model.transitions += 1;
                    let job = self.model.job(id).unwrap();
                    job.state = JobState::Processing;
                    job.attempt += 1;
                    job.token += 1;
                    job.lease = Some(now + LEASE);
                    let token = job.token;
                    self.model.held.push((*handle, id, token));
                }
            }
            Step::Complete(n) | Step::Fail(n, _) | Step::Release(n) | Step::Beat(n) => {
                if self.model.held.is_empty() {
                    return;
                }
                let (handle, id, token) = self.model.held[n % self.model.held.len()];
                let jobs = self.handles[handle].clone();
                let before = self.model.job(id).cloned();
                let mine = before
                    .as_ref()
                    .is_some_and(|j| j.state == JobState::Processing && j.token == token);
                if let Step::Beat(_) = step {
                    let beat = Heartbeat {
                        id: JobId(id),
                        token,
                        progress: None,
                    };
                    let held = jobs.heartbeat(&[beat], None).await.unwrap()[0];
                    let cancel = before.is_some_and(|j| j.cancel);
                    let expected = match (mine, cancel) {
                        (false, _) => Held::Lost,
                        (true, true) => Held::CancelRequested,
                        (true, false) => Held::Yes,
                    };
                    assert_eq!(held, expected);
                    if mine {
                        self.model.job(id).unwrap().lease = Some(now + LEASE);
                    }
                    return;
                }
                let error = match step {
                    Step::Fail(_, true) => passing(),
                    _ => lasting(),
                };
                let answer = match step {
                    Step::Complete(_) => jobs.complete(JobId(id), token, &json!(token)).await,
                    Step::Fail(..) => jobs.fail(JobId(id), token, &error).await,
                    _ => jobs.release(JobId(id), token).await,
                };
                if !mine {
                    let again = matches!(step, Step::Complete(_))
                        && before
                            .as_ref()
                            .is_some_and(|j| j.state == JobState::Done && j.token == token);
                    match answer {
                        Ok(job) => assert!(again, "{job:?}"),
                        Err(e) if before.is_none() => assert_eq!(e.kind(), ErrorKind::NotFound),
                        Err(e) => assert!(!again && e.kind() == ErrorKind::Conflict, "{e}"),
                    }
                    return;
                }
                answer.unwrap();
                match step {
                    Step::Fail(_, retry) => {
                        let state = self.model.end(id, &error.kind, *retry, now);
                        if state == JobState::Queued {
                            self.draw(&[id], 5_000).await;
                        }
                    }
                    step => {
                        self.model.transitions += 1;
                        let job = self.model.job(id).unwrap();
                        job.lease = None;
                        if matches!(step, Step::Complete(_)) {
                            job.state = JobState::Done;
                            job.error = None;
                            job.finished = Some(now);
                        } else if job.cancel {
                            job.state = JobState::Cancelled;
                            job.error = None;
                            job.finished = Some(now);
                        } else {
                            job.state = JobState::Queued;
                            job.attempt -= 1;
                            job.run_at = now;
                        }
                    }
                }
            }
            Step::Cancel(n) => {
                let Some(id) = self.model.nth(*n) else { return };
                let answer = one.cancel(JobId(id)).await;
                let job = self.model.job(id).unwrap();
                let mut moved = 1;
                match job.state {
                    JobState::Queued => {
                        job.state = JobState::Cancelled;
                        job.cancel = true;
                        job.finished = Some(now);
                    }
                    JobState::Processing => {
                        moved = usize::from(!job.cancel);
                        job.cancel = true;
                    }
                    JobState::Cancelled => moved = 0,
                    JobState::Done | JobState::Failed => {
                        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Conflict);
                        return;
                    }
                }
                answer.unwrap();
                self.model.transitions += moved;
            }
            Step::Replay(n) => {
                let Some(id) = self.model.nth(*n) else { return };
                let answer = self.handles[1].replay(JobId(id)).await;
                let job = self.model.job(id).unwrap();
                if !matches!(job.state, JobState::Failed | JobState::Cancelled) {
                    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Conflict);
                    return;
                }
                answer.unwrap();
                replay(job, now);
                self.model.transitions += 1;
            }
            Step::ReplayFailed(kind) => {
                let kind = kind.map(|k| KINDS[k]);
                let count = one.replay_failed(kind, 100).await.unwrap();
                let mut expected = 0;
                for job in &mut self.model.jobs {
                    if job.state == JobState::Failed && kind.is_none_or(|k| job.kind == k) {
                        replay(job, now);
                        expected += 1;
                    }
                }
                assert_eq!(count, expected);
                self.model.transitions += expected as usize;
            }
            Step::Prune(age) => {
                let states = [JobState::Done, JobState::Failed];
                let prune = Prune::before_us(now - age).states(states);
                let gone = one.prune(&prune).await.unwrap();
                let before = self.model.jobs.len();
                self.model.jobs.retain(|j| {
                    !(states.contains(&j.state) && j.finished.is_some_and(|at| at < now - age))
                });
                assert_eq!(gone, (before - self.model.jobs.len()) as u64);
                self.model.transitions += usize::from(gone > 0);
            }
            Step::Pause(kind, paused) => {
                let name = KINDS.get(*kind).copied();
                match paused {
                    true => one.pause(name).await.unwrap(),
                    false => one.resume(name).await.unwrap(),
                }
                self.model.paused[*kind] = *paused;
                self.model.transitions += 1;
            }
            Step::Limit(kind, most) => {
                let settings = KindSettings {
                    paused: self.model.paused[*kind],
                    max_running: *most,
                    rate: None,
                };
                one.set_kind(KINDS[*kind], settings).await.unwrap();
                self.model.most[*kind] = *most;
                self.model.transitions += 1;
            }
            Step::Clock(us) => self.kit.advance(*us),
            Step::Crash(handle) => {
                self.handles[*handle] = self.kit.open().await;
                // Some of its claims it forgets; others answer late.
                let mut n = 0;
                self.model.held.retain(|(of, ..)| {
                    n += 1;
                    of != handle || n % 2 == 0
                });
            }
        }
    }

    /// The store holds what the model holds, and its log is whole.
    async fn compare(&self) {
        let filter = JobFilter {
            limit: Some(1_000),
            ..JobFilter::default()
        };
        let mut stored: Vec<Seen> = self.handles[1]
            .list(&filter)
            .await
            .unwrap()
            .iter()
            .map(Seen::from)
            .collect();
        stored.reverse();
        assert_eq!(stored, self.model.jobs);
        for count in self.handles[0].counts().await.unwrap() {
            let of = |state| {
                let jobs = self.model.jobs.iter();
                jobs.filter(|j| j.kind == count.kind && j.state == state)
                    .count() as u64
            };
            assert_eq!(
                JobState::ALL.map(of),
                [
                    count.queued,
                    count.processing,
                    count.done,
                    count.failed,
                    count.cancelled
                ]
            );
        }
    }
}

fn replay(job: &mut Seen, now: i64) {
    job.state = JobState::Queued;
    job.attempt = 0;
    job.cancel = false;
    job.error = None;
    job.run_at = now;
    job.finished = None;
}

fn compare_with_model(cases: u32, kit: impl Fn() -> Kit) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&steps(), |steps| {
            run(async {
                let mut world = World::new(kit()).await;
                for step in &steps {
                    world.step(step).await;
                    world.compare().await;
                }
                let report = world.handles[0].audit_verify(&[]).await.unwrap();
                assert!(report.whole, "{report:?}");
                assert_eq!(report.records, world.model.transitions as u64);
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn memory_is_as_the_model() {
    compare_with_model(400, Kit::memory);
}

#[test]
fn sqlite_is_as_the_model() {
    compare_with_model(40, Kit::sqlite);
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_is_as_the_model() {
    compare_with_model(15, Kit::postgres);
}

/// The answers that the model would accept are not all answers: a store that is wrong in one way is found.
#[test]
fn the_model_finds_a_wrong_store() {
    run(async {
        let mut world = World::new(Kit::memory()).await;
        let enqueue = Step::Enqueue {
            kind: 0,
            priority: 0,
            delay_ms: 0,
            attempts: 1,
            unique: None,
            idempotent: None,
        };
        world.step(&enqueue).await;
        world.compare().await;
        // Somebody changes the job behind the model's back.
        let job = claim_one(&world.handles[0], "a").await;
        world.handles[0]
            .complete(job.id, job.token, &Value::Null)
            .await
            .unwrap();
        let compared = tokio::spawn(async move { world.compare().await }).await;
        assert!(compared.unwrap_err().is_panic());
    });
}
