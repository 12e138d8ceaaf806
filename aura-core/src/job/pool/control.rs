//! The loop of a pool.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use super::running::{Outcome, Phase, Running, Why};
use super::{Counters, Order, PoolSettings};
use crate::job::breaker::Breaker;
use crate::job::{
    BreakerSettings, Claim, Claimed, Handler, Heartbeat, Held, JobError, JobId, JobState, Jobs,
    Prune,
};
use crate::{Error, ErrorKind, Result};

/// How often schedules and orphans are looked at, and the store when it gave no signal.
const LOOK: Duration = Duration::from_secs(1);
/// How often old jobs are removed.
const PRUNE: Duration = Duration::from_secs(60);
/// Between two attempts to bring an answer to a store that cannot be used.
const AGAIN: Duration = Duration::from_millis(200);

/// What comes back from the store.
enum Reply {
    Claimed(Result<Claimed>),
    Beats(Vec<JobId>, Result<Vec<Held>>),
    /// The answer of this job was taken to the store, or dropped.
    Answered(JobId, i64, Result<JobState>),
}

struct Worker {
    handler: Arc<dyn Handler>,
    breaker: Option<Breaker>,
}

pub(super) struct Control {
    jobs: Jobs,
    settings: PoolSettings,
    workers: BTreeMap<String, Worker>,
    runtime: Handle,
    own_runtime: tokio::runtime::Runtime,
    counters: Arc<Counters>,
    orders: watch::Receiver<Order>,
}

impl Control {
    pub(super) fn new(
        jobs: Jobs,
        settings: PoolSettings,
        handlers: BTreeMap<String, (Arc<dyn Handler>, Option<BreakerSettings>)>,
        runtime: Handle,
        counters: Arc<Counters>,
        orders: watch::Receiver<Order>,
    ) -> Result<Self> {
        let own_runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|e| Error::io("cannot start the pool", e))?;
        let workers = handlers
            .into_iter()
            .map(|(kind, (handler, breaker))| {
                let breaker = breaker.map(Breaker::new);
                (kind, Worker { handler, breaker })
            })
            .collect();
        Ok(Control {
            jobs,
            settings,
            workers,
            runtime,
            own_runtime,
            counters,
            orders,
        })
    }

    pub(super) fn run(self) {
        let Control {
            jobs,
            settings,
            workers,
            runtime,
            own_runtime,
            counters,
            orders,
        } = self;
        let (outcome, outcomes) = unbounded_channel();
        let (reply, replies) = unbounded_channel();
        let mut state = State {
            worker_jobs: jobs.acting(&settings.worker, None),
            grace: Duration::from_millis(settings.stop_grace_ms),
            jobs,
            settings,
            workers,
            runtime,
            counters,
            running: BTreeMap::new(),
            outcome,
            reply,
            claiming: false,
            claim_at: Some(Instant::now()),
            shutdown: None,
        };
        own_runtime.block_on(state.serve(orders, outcomes, replies));
    }
}

struct State {
    jobs: Jobs,
    /// The same jobs, with the worker as the actor.
    worker_jobs: Jobs,
    settings: PoolSettings,
    grace: Duration,
    workers: BTreeMap<String, Worker>,
    runtime: Handle,
    counters: Arc<Counters>,
    running: BTreeMap<JobId, Running>,
    outcome: UnboundedSender<Outcome>,
    reply: UnboundedSender<Reply>,
    /// Whether a claim is on its way.
    claiming: bool,
    /// When to claim next.
    claim_at: Option<Instant>,
    /// Until when what runs may go on; set when the pool shuts down.
    shutdown: Option<Instant>,
}

impl State {
    async fn serve(
        &mut self,
        mut orders: watch::Receiver<Order>,
        mut outcomes: UnboundedReceiver<Outcome>,
        mut replies: UnboundedReceiver<Reply>,
    ) {
        let jobs = self.jobs.clone();
        let signals = jobs.store().signals();
        let _interest = signals.interest();
        let mut work = signals.work();
        let mut elsewhere = signals.elsewhere();
        let mut cancelled = signals.cancelled();
        let lease = Duration::from_millis(self.jobs.settings().lease_ms);
        let mut beat = every(lease / 3);
        let mut look = every(LOOK);
        let mut prune = every(PRUNE);
        let mut ordered = true;
        loop {
            if self.shutdown.is_some() && self.running.is_empty() && !self.claiming {
                return;
            }
            self.claim_if_due();
            let due = self.due();
            tokio::select! {
                Some(outcome) = outcomes.recv() => self.ended(outcome),
                Some(reply) = replies.recv() => self.replied(reply),
                id = cancelled.recv() => match id {
                    Ok(id) => self.cancel(id),
                    Err(_) => self.look_at_running().await,
                },
                Ok(()) = work.changed() => self.claim_at = Some(Instant::now()),
                Ok(()) = elsewhere.changed() => self.look_at_running().await,
                _ = beat.tick() => self.beat(),
                _ = look.tick() => self.look(),
                _ = prune.tick() => self.prune(),
                () = sleep_until(due) => self.overdue(),
                // Without a handle of the pool nobody can order any more; this branch rests then.
                order = orders.changed(), if ordered => {
                    let grace = match (&order, *orders.borrow_and_update()) {
                        (Ok(()), Order::Shutdown(grace)) => grace,
                        (Ok(()), Order::Run) => continue,
                        (Err(_), _) => Duration::ZERO,
                    };
                    ordered = order.is_ok();
                    let until = Instant::now() + grace;
                    self.shutdown = Some(self.shutdown.map_or(until, |at| at.min(until)));
                }
            }
        }
    }

    /// Attempts whose handlers work.
    fn working(&self) -> usize {
        self.running
            .values()
            .filter(|r| r.phase != Phase::Answered)
            .count()
    }

    fn note_running(&self) {
        let running = self.working() as u64;
        self.counters.running.store(running, Ordering::Relaxed);
    }

    fn claim_if_due(&mut self) {
        let now = Instant::now();
        let free = (self.settings.concurrency as usize).saturating_sub(self.working());
        let due = self.claim_at.is_some_and(|at| at <= now);
        if !due || self.claiming || self.shutdown.is_some() || free == 0 {
            return;
        }
        let now_us = self.jobs.clock().now_us();
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        let mut limit = free;
        let mut kinds = Vec::with_capacity(self.workers.len());
        for (kind, worker) in &self.workers {
            let room = worker
                .breaker
                .as_ref()
                .map_or(free, |breaker| breaker.room(free, now_us));
            if room > 0 {
                kinds.push(kind.clone());
                // While a kind is on trial, one job of it is enough; the next claim follows at once.
                limit = limit.min(room);
            }
        }
        self.claim_at = Some(now + LOOK);
        if kinds.is_empty() {
            return;
        }
        self.claiming = true;
        let claim = Claim::of(kinds)
            .limit(limit)
            .worker(self.settings.worker.clone());
        let (jobs, reply) = (self.jobs.clone(), self.reply.clone());
        tokio::spawn(async move {
            let _ = reply.send(Reply::Claimed(jobs.claim(&claim).await));
        });
    }

    fn replied(&mut self, reply: Reply) {
        match reply {
            Reply::Claimed(claimed) => {
                self.claiming = false;
                match claimed {
                    Ok(claimed) => self.claimed(claimed),
                    Err(error) => {
                        tracing::warn!(%error, "jobs cannot be claimed");
                        self.claim_at = Some(Instant::now() + AGAIN);
                    }
                }
            }
            Reply::Beats(ids, Ok(held)) => {
                for (id, held) in ids.into_iter().zip(held) {
                    let why = match held {
                        Held::Yes => continue,
                        Held::CancelRequested => Why::Cancelled,
                        Held::Lost => Why::Lost,
                    };
                    self.tell(id, why);
                }
            }
            Reply::Beats(_, Err(error)) => {
                tracing::warn!(%error, "leases of jobs cannot be extended");
            }
            Reply::Answered(id, token, taken) => {
                let counters = &self.counters;
                let counter = match &taken {
                    Ok(JobState::Done) => Some(&counters.completed),
                    // Given back at a shutdown, or called off: neither is a failure of the handler.
                    Ok(_) => None,
                    Err(_) => Some(&counters.lost),
                };
                if let Some(counter) = counter {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                if let Err(error) = taken {
                    tracing::warn!(%error, id = id.0, "the answer of a job was dropped");
                }
                if self.running.get(&id).is_some_and(|r| r.token == token) {
                    self.running.remove(&id);
                }
            }
        }
        self.note_running();
    }

    fn claimed(&mut self, claimed: Claimed) {
        let now = Instant::now();
        if let Some(at) = claimed.next_at_us {
            let wait = at.saturating_sub(self.jobs.clock().now_us()).max(1_000);
            let at = now + Duration::from_micros(wait.unsigned_abs());
            self.claim_at = Some(self.claim_at.map_or(at, |before| before.min(at)));
        }
        if !claimed.jobs.is_empty() {
            self.claim_at = Some(now);
        }
        let now_us = self.jobs.clock().now_us();
        for job in claimed.jobs {
            let Some(worker) = self.workers.get_mut(&job.kind) else {
                continue;
            };
            if let Some(breaker) = &mut worker.breaker {
                breaker.claimed(now_us);
            }
            let id = job.id;
            let handler = Arc::clone(&worker.handler);
            let running = Running::start(job, handler, &self.runtime, self.outcome.clone());
            if let Some(mut before) = self.running.insert(id, running) {
                // An earlier attempt of the same job, whose lease ended: it has nothing to say any more.
                before.end();
                self.counters.lost.fetch_add(1, Ordering::Relaxed);
            }
            if self.shutdown.is_some() {
                self.tell(id, Why::Shutdown);
            }
        }
    }

    /// A handler has ended by itself.
    fn ended(&mut self, outcome: Outcome) {
        let Some(running) = self.running.get_mut(&outcome.id) else {
            return;
        };
        if running.token != outcome.token || running.phase == Phase::Answered {
            return;
        }
        running.phase = Phase::Answered;
        let why = running.why;
        // A handler that stopped because the pool shuts down has not failed.
        let given_back = why == Some(Why::Shutdown) && outcome.result.is_err();
        let kind = running.kind.clone();
        if why.is_none() {
            self.tell_breaker(&kind, &outcome.result);
        }
        if outcome.result.is_err() && !given_back && why != Some(Why::Lost) {
            self.counters.failed.fetch_add(1, Ordering::Relaxed);
        }
        let answer = match outcome.result {
            _ if given_back => Answer::Release,
            Ok(result) => Answer::Complete(result),
            Err(error) => Answer::Fail(error),
        };
        self.answer(outcome.id, outcome.token, answer);
        self.claim_at = Some(Instant::now());
        self.note_running();
    }

    fn tell_breaker(&mut self, kind: &str, result: &Result<serde_json::Value, JobError>) {
        let now_us = self.jobs.clock().now_us();
        if let Some(worker) = self.workers.get_mut(kind)
            && let Some(breaker) = &mut worker.breaker
        {
            let was_open = breaker.is_open();
            match result {
                Err(error) if error.retryable => breaker.failed(now_us),
                _ => breaker.succeeded(),
            }
            if breaker.is_open() && !was_open {
                tracing::warn!(
                    kind,
                    "the breaker is open: no jobs of this kind for a while"
                );
            }
        }
    }

    /// Takes an answer to the store, again and again while that cannot be used.
    fn answer(&self, id: JobId, token: i64, answer: Answer) {
        let (jobs, reply) = (self.worker_jobs.clone(), self.reply.clone());
        // After its lease the job belongs to whoever takes it next.
        let until = Instant::now() + Duration::from_millis(jobs.settings().lease_ms);
        tokio::spawn(async move {
            let taken = loop {
                let taken = answer.give(&jobs, id, token).await;
                match taken {
                    Err(e) if e.kind() == ErrorKind::Unavailable && Instant::now() < until => {
                        tokio::time::sleep(AGAIN).await;
                    }
                    // The result is too large. (On a full disk this is refused, too, and the job is taken back after its lease.)
                    Err(e) if e.kind() == ErrorKind::ResourceExhausted => {
                        let error = JobError::from(&e);
                        let fatal = JobError {
                            retryable: false,
                            ..error
                        };
                        break Answer::Fail(fatal).give(&jobs, id, token).await;
                    }
                    taken => break taken,
                }
            };
            let _ = reply.send(Reply::Answered(id, token, taken));
        });
    }

    fn tell(&mut self, id: JobId, why: Why) {
        let grace = self.grace;
        if let Some(running) = self.running.get_mut(&id) {
            running.tell(why, grace);
        }
    }

    fn cancel(&mut self, id: JobId) {
        self.tell(id, Why::Cancelled);
    }

    /// Looks whether another process cancelled what runs here, or took it.
    async fn look_at_running(&mut self) {
        let ids: Vec<JobId> = self
            .running
            .iter()
            .filter(|(_, r)| r.phase == Phase::Working)
            .map(|(id, _)| *id)
            .collect();
        if ids.is_empty() {
            return;
        }
        let Ok(seen) = self.jobs.store().glance(ids).await else {
            return;
        };
        for glance in seen {
            let token = self.running.get(&glance.id).map(|r| r.token);
            if token != Some(glance.token) || glance.state != JobState::Processing {
                self.tell(glance.id, Why::Lost);
            } else if glance.cancel_requested {
                self.tell(glance.id, Why::Cancelled);
            }
        }
    }

    /// Gives a sign of life for everything that runs, and for what is on its way to the store.
    fn beat(&self) {
        if self.running.is_empty() {
            return;
        }
        let beats: Vec<Heartbeat> = self
            .running
            .iter()
            .filter(|(_, r)| r.why != Some(Why::Lost))
            .map(|(id, r)| Heartbeat {
                id: *id,
                token: r.token,
                progress: r.context.take_progress(),
            })
            .collect();
        let (jobs, reply) = (self.worker_jobs.clone(), self.reply.clone());
        tokio::spawn(async move {
            let ids = beats.iter().map(|beat| beat.id).collect();
            let _ = reply.send(Reply::Beats(ids, jobs.heartbeat(&beats, None).await));
        });
    }

    /// Schedules, and orphans when there is no room to claim.
    fn look(&mut self) {
        if self.shutdown.is_some() {
            return;
        }
        let jobs = self.worker_jobs.clone();
        tokio::spawn(async move {
            if let Err(error) = jobs.tick().await {
                tracing::warn!(%error, "schedules cannot be looked at");
            }
            if let Err(error) = jobs.claim(&Claim::of::<String>([])).await {
                tracing::warn!(%error, "orphans cannot be looked at");
            }
        });
    }

    fn prune(&self) {
        let now_us = self.jobs.clock().now_us();
        let keep = [
            (
                self.settings.keep_done_s,
                &[JobState::Done, JobState::Cancelled][..],
            ),
            (self.settings.keep_failed_s, &[JobState::Failed][..]),
        ];
        for (keep_s, states) in keep {
            let Some(keep_s) = keep_s else {
                continue;
            };
            let keep_us = i64::try_from(keep_s.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
            let prune =
                Prune::before_us(now_us.saturating_sub(keep_us)).states(states.iter().copied());
            let jobs = self.worker_jobs.clone();
            tokio::spawn(async move {
                // Ten thousand a minute at most: the rest has time.
                for _ in 0..10 {
                    match jobs.prune(&prune).await {
                        Ok(gone) if gone == u64::from(prune.limit) => {}
                        Ok(_) => return,
                        Err(error) => {
                            tracing::warn!(%error, "old jobs cannot be removed");
                            return;
                        }
                    }
                }
            });
        }
    }

    /// When the next thing is due: a claim, a timeout, the end of a grace.
    fn due(&self) -> Instant {
        let far = Instant::now() + LOOK;
        let running = self.running.values().filter_map(Running::due);
        let busy = self.claiming || self.working() >= self.settings.concurrency as usize;
        let claim = self.claim_at.filter(|_| !busy && self.shutdown.is_none());
        let shutdown = self
            .shutdown
            .filter(|_| self.running.values().any(|r| r.phase == Phase::Working));
        running.chain(claim).chain(shutdown).fold(far, Instant::min)
    }

    /// Ends what takes too long.
    fn overdue(&mut self) {
        let now = Instant::now();
        if self.shutdown.is_some_and(|at| at <= now) {
            let ids: Vec<JobId> = self.running.keys().copied().collect();
            for id in ids {
                self.tell(id, Why::Shutdown);
            }
        }
        let mut ended = Vec::new();
        for (id, running) in &mut self.running {
            let timed_out = running.deadline <= now;
            let stop_due = matches!(running.phase, Phase::Stopping(at) if at <= now);
            if running.phase == Phase::Answered || !(timed_out || stop_due) {
                continue;
            }
            running.end();
            self.counters.abandoned.fetch_add(1, Ordering::Relaxed);
            let answer = match running.why {
                Some(Why::Shutdown) => Some(Answer::Release),
                Some(Why::Lost) => None,
                Some(Why::Cancelled) => Some(Answer::Fail(JobError::fatal(
                    "CANCELLED",
                    "the job was cancelled, and its handler did not stop by itself",
                ))),
                None => Some(Answer::Fail(JobError::retryable(
                    JobError::TIMEOUT,
                    format!(
                        "the attempt took longer than {} ms and was ended",
                        running.timeout_ms
                    ),
                ))),
            };
            ended.push((*id, running.token, running.kind.clone(), answer));
        }
        for (id, token, kind, answer) in ended {
            match answer {
                Some(answer) => {
                    if let Answer::Fail(error) = &answer {
                        self.counters.failed.fetch_add(1, Ordering::Relaxed);
                        if error.kind == JobError::TIMEOUT {
                            self.tell_breaker(&kind, &Err(error.clone()));
                        }
                    }
                    self.answer(id, token, answer);
                }
                None => {
                    self.counters.lost.fetch_add(1, Ordering::Relaxed);
                    self.running.remove(&id);
                }
            }
            self.claim_at = Some(now);
        }
        self.note_running();
    }
}

/// What becomes of an attempt.
enum Answer {
    Complete(serde_json::Value),
    Fail(JobError),
    Release,
}

impl Answer {
    async fn give(&self, jobs: &Jobs, id: JobId, token: i64) -> Result<JobState> {
        let job = match self {
            Answer::Complete(result) => jobs.complete(id, token, result).await,
            Answer::Fail(error) => jobs.fail(id, token, error).await,
            Answer::Release => jobs.release(id, token).await,
        };
        job.map(|job| job.state)
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let period = period.max(Duration::from_millis(10));
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
