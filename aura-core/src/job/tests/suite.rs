//! What every store must do.

use std::time::Duration;

use serde_json::{Value, json};

use super::kit::*;
use crate::ErrorKind;
use crate::job::{
    CatchUp, Claim, Heartbeat, Held, JobError, JobFilter, JobId, JobState, Jobs, KindSettings,
    Prune, Rate, Schedule, Unique,
};

pub(super) async fn a_job_goes_its_way(kit: Kit) {
    let jobs = kit.open().await.acting("ada", Some("r-1"));
    let job = enqueue(&jobs, spec("work").timeout_ms(5_000)).await;
    assert_eq!(
        (job.state, job.attempt, job.token),
        (JobState::Queued, 0, 0)
    );
    assert_eq!(
        (job.actor.as_str(), job.request_id.as_deref()),
        ("ada", Some("r-1"))
    );
    assert_eq!((job.created_at_us, job.run_at_us), (START, START));
    assert_eq!(jobs.status(job.id).await.unwrap(), job);

    kit.advance(SECOND);
    let mine = claim_one(&jobs, "work").await;
    assert_eq!((mine.id, mine.state), (job.id, JobState::Processing));
    assert_eq!((mine.attempt, mine.token), (1, 1));
    assert_eq!(mine.worker.as_deref(), Some("w"));
    assert_eq!(mine.started_at_us, Some(START + SECOND));
    assert_eq!(mine.lease_until_us, Some(START + 31 * SECOND));
    assert_eq!(mine.spec, json!({"of": "work"}));
    assert!(claim(&jobs, &["work"], 10).await.is_empty());

    kit.advance(10 * SECOND);
    let beat = Heartbeat {
        id: job.id,
        token: 1,
        progress: Some(json!({"rows": 7})),
    };
    assert_eq!(jobs.heartbeat(&[beat], None).await.unwrap(), [Held::Yes]);
    let seen = jobs.status(job.id).await.unwrap();
    assert_eq!(seen.lease_until_us, Some(START + 41 * SECOND));
    assert_eq!(seen.progress, Some(json!({"rows": 7})));

    let done = jobs.complete(job.id, 1, &json!({"rows": 9})).await.unwrap();
    assert_eq!(done.state, JobState::Done);
    assert_eq!(done.result, Some(json!({"rows": 9})));
    assert_eq!((done.lease_until_us, done.error.clone()), (None, None));
    assert_eq!(done.finished_at_us, Some(START + 11 * SECOND));
    assert_eq!(jobs.status(job.id).await.unwrap(), done);

    let missing = jobs.status(JobId(999_999)).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let missing = jobs.complete(JobId(999_999), 1, &Value::Null).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);

    let figures = jobs.open_metrics().await.unwrap();
    for line in [
        r#"aura_job_enqueued_total{kind="work"} 1"#,
        r#"aura_job_attempts_total{kind="work",outcome="done"} 1"#,
        r#"aura_job_depth{kind="work",state="done"} 1"#,
        r#"aura_job_wait_seconds_sum{kind="work"} 1.0"#,
        r#"aura_job_run_seconds_sum{kind="work"} 10.0"#,
        r#"aura_job_failed_share{kind="work"} 0.0"#,
        "# EOF",
    ] {
        assert!(figures.lines().any(|l| l == line), "{line}: {figures}");
    }

    let count = jobs.counts().await.unwrap().remove(0);
    assert_eq!(
        (count.kind.as_str(), count.done, count.queued),
        ("work", 1, 0)
    );
    assert!(jobs.audit_verify(&[]).await.unwrap().whole);
}

pub(super) async fn an_idempotency_key_makes_one_job(kit: Kit) {
    let jobs = kit.open().await;
    let with_key = || spec("work").idempotency_key("upload 7");
    let first = enqueue(&jobs, with_key()).await;
    // While it is queued, while it runs, and after.
    for _ in 0..3 {
        let again = jobs.enqueue(&with_key()).await.unwrap();
        assert_eq!((again.job.id, again.created), (first.id, false));
        if let Some(mine) = claim(&jobs, &["work"], 1).await.pop() {
            complete(&jobs, &mine).await;
        }
    }
    let other = jobs
        .enqueue(&spec("other").idempotency_key("upload 7"))
        .await;
    let error = other.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("upload 7"), "{error}");

    let several = [with_key(), spec("work"), with_key()];
    let answers = jobs.enqueue_all(&several).await.unwrap();
    let created: Vec<bool> = answers.iter().map(|a| a.created).collect();
    assert_eq!(created, [false, true, false]);
    let twice = [
        spec("a").idempotency_key("new"),
        spec("b").idempotency_key("new"),
    ];
    let error = jobs.enqueue_all(&twice).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let new = jobs
        .enqueue(&spec("c").idempotency_key("new"))
        .await
        .unwrap();
    assert!(new.created, "a refused call leaves nothing behind");
}

pub(super) async fn a_unique_key_counts_in_its_states_and_period(kit: Kit) {
    let jobs = kit.open().await;
    let unique = |states: &[JobState], period_ms| {
        spec("work").unique(Unique {
            key: "tenant 1".to_owned(),
            states: states.to_vec(),
            period_ms,
        })
    };
    let live = [JobState::Queued, JobState::Processing];
    let first = enqueue(&jobs, unique(&live, None)).await;
    let again = jobs.enqueue(&unique(&live, None)).await.unwrap();
    assert_eq!((again.job.id, again.created), (first.id, false));
    // The same key of another kind is another key.
    let mut other = unique(&live, None);
    other.kind = "other".to_owned();
    enqueue(&jobs, other).await;

    let mine = claim_one(&jobs, "work").await;
    assert!(!jobs.enqueue(&unique(&live, None)).await.unwrap().created);
    assert!(
        jobs.enqueue(&unique(&[JobState::Queued], None))
            .await
            .unwrap()
            .created
    );
    complete(&jobs, &mine).await;

    // Done counts only for who says so, and only for a time.
    let done = [JobState::Done];
    kit.advance(10 * SECOND);
    assert!(!jobs.enqueue(&unique(&done, None)).await.unwrap().created);
    assert!(
        !jobs
            .enqueue(&unique(&done, Some(10_001)))
            .await
            .unwrap()
            .created
    );
    assert!(
        jobs.enqueue(&unique(&done, Some(10_000)))
            .await
            .unwrap()
            .created
    );
}

pub(super) async fn the_order_is_priority_then_time_then_number(kit: Kit) {
    let jobs = kit.open().await;
    let mut expected = Vec::new();
    for (name, kind, priority, run_at) in [
        ("f", "a", -3, 0),
        ("d", "b", 0, 5),
        ("c", "a", 0, 1),
        ("e", "a", 0, 5),
        ("a", "b", 10, 9),
        ("later", "a", 10, 10),
        ("b", "a", 2, 9),
    ] {
        let spec = spec(kind).priority(priority).run_at_us(START + run_at);
        let job = enqueue(&jobs, spec).await;
        expected.push((name, job.id));
    }
    kit.advance(9);
    expected.retain(|(name, _)| *name != "later");
    expected.sort();
    let ids: Vec<JobId> = expected.iter().map(|(_, id)| *id).collect();
    let mut got: Vec<JobId> = claim(&jobs, &["a", "b"], 2)
        .await
        .iter()
        .map(|j| j.id)
        .collect();
    got.extend(
        claim(&jobs, &["b", "a", "b"], 100)
            .await
            .iter()
            .map(|j| j.id),
    );
    assert_eq!(got, ids);

    let claim_of = Claim::of(["a"]);
    assert_eq!(
        jobs.claim(&claim_of).await.unwrap().next_at_us,
        Some(START + 10)
    );
    kit.advance(1);
    let last = jobs.claim(&claim_of).await.unwrap();
    assert_eq!(last.jobs.len(), 1);
    assert_eq!(jobs.claim(&claim_of).await.unwrap().next_at_us, None);
    assert!(
        jobs.claim(&Claim::of::<String>([]))
            .await
            .unwrap()
            .jobs
            .is_empty()
    );
    let too_many = jobs
        .claim(&Claim::of(["a"]).limit(1_001))
        .await
        .unwrap_err();
    assert_eq!(too_many.kind(), ErrorKind::InvalidSpec);
}

pub(super) async fn a_late_answer_is_dropped(kit: Kit) {
    let jobs = kit.open().await;
    let job = enqueue(&jobs, spec("work").retry(0, 0)).await;
    let slow = claim_one(&jobs, "work").await;
    kit.advance(31 * SECOND);
    let quick = claim_one(&jobs, "work").await;
    assert_eq!((quick.id, quick.token, quick.attempt), (job.id, 2, 2));

    let error = jobs
        .complete(job.id, slow.token, &json!("slow"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("token 2, not 1"), "{error}");
    let beat = |token| Heartbeat {
        id: job.id,
        token,
        progress: None,
    };
    let held = jobs.heartbeat(&[beat(1), beat(2)], None).await.unwrap();
    assert_eq!(held, [Held::Lost, Held::Yes]);
    assert_eq!(
        jobs.fail(job.id, 1, &lasting()).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(
        jobs.release(job.id, 1).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );

    let done = jobs.complete(job.id, 2, &json!("quick")).await.unwrap();
    // Said again, because the first answer's acknowledgement was lost.
    assert_eq!(
        jobs.complete(job.id, 2, &json!("quick")).await.unwrap(),
        done
    );
    assert_eq!(
        jobs.complete(job.id, 1, &json!("slow"))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Conflict
    );
    assert_eq!(
        jobs.status(job.id).await.unwrap().result,
        Some(json!("quick"))
    );
    let held = jobs.heartbeat(&[beat(2)], None).await.unwrap();
    assert_eq!(held, [Held::Lost]);
    let completed = jobs.changes(0, 100, Duration::ZERO).await.unwrap();
    let completed = completed
        .iter()
        .filter(|r| r.action == "job.complete")
        .count();
    assert_eq!(completed, 1);
}

pub(super) async fn an_orphan_is_rescued_and_fails_at_its_last_attempt(kit: Kit) {
    let jobs = kit.open().await;
    let job = enqueue(&jobs, spec("crash").max_attempts(3).retry(1_000, 1_500)).await;
    for attempt in 1..=3 {
        let mine = claim_one(&jobs, "crash").await;
        assert_eq!(mine.attempt, attempt);
        // At the end of its lease it is still its worker's.
        kit.advance(30 * SECOND);
        assert!(claim(&jobs, &["crash"], 1).await.is_empty());
        assert_eq!(
            jobs.status(job.id).await.unwrap().state,
            JobState::Processing
        );
        kit.advance(1);
        // Whoever claims anything rescues.
        claim(&jobs, &["other"], 1).await;
        kit.advance(2 * SECOND);
    }
    let failed = jobs.status(job.id).await.unwrap();
    assert_eq!((failed.state, failed.attempt), (JobState::Failed, 3));
    let error = failed.error.unwrap();
    assert_eq!(error.kind, JobError::LEASE_EXPIRED);
    assert!(
        error.message.contains("attempt 3 of 3"),
        "{}",
        error.message
    );
    assert!(claim(&jobs, &["crash"], 1).await.is_empty());
}

pub(super) async fn only_retryable_errors_are_retried(kit: Kit) {
    let jobs = kit.open().await;
    let retried = enqueue(&jobs, spec("work").max_attempts(2).retry(4_000, 60_000)).await;
    let mine = claim_one(&jobs, "work").await;
    let again = jobs.fail(mine.id, mine.token, &passing()).await.unwrap();
    assert_eq!(
        (again.state, again.error),
        (JobState::Queued, Some(passing()))
    );
    let wait = again.run_at_us - kit.now();
    assert!((0..=4 * SECOND).contains(&wait), "{wait}");
    kit.advance(4 * SECOND);
    let mine = claim_one(&jobs, "work").await;
    assert_eq!(mine.attempt, 2);
    let failed = jobs.fail(mine.id, mine.token, &passing()).await.unwrap();
    assert_eq!((failed.id, failed.state), (retried.id, JobState::Failed));
    assert_eq!(failed.finished_at_us, Some(kit.now()));
    let error = jobs
        .fail(mine.id, mine.token, &passing())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.message().contains("is failed and cannot fail"),
        "{error}"
    );

    let job = enqueue(&jobs, spec("work")).await;
    let mine = claim_one(&jobs, "work").await;
    let failed = jobs.fail(job.id, mine.token, &lasting()).await.unwrap();
    assert_eq!((failed.state, failed.attempt), (JobState::Failed, 1));

    // An error that was overcome is not kept.
    enqueue(&jobs, spec("work").retry(0, 0)).await;
    let mine = claim_one(&jobs, "work").await;
    jobs.fail(mine.id, mine.token, &passing()).await.unwrap();
    let mine = claim_one(&jobs, "work").await;
    assert_eq!(mine.error, Some(passing()));
    assert_eq!(complete(&jobs, &mine).await.error, None);
}

pub(super) async fn a_job_given_back_has_not_used_its_attempt(kit: Kit) {
    let jobs = kit.open().await;
    let job = enqueue(&jobs, spec("work").max_attempts(1)).await;
    for token in 1..=3 {
        let mine = claim_one(&jobs, "work").await;
        assert_eq!((mine.attempt, mine.token), (1, token));
        let back = jobs.release(mine.id, mine.token).await.unwrap();
        assert_eq!((back.state, back.attempt), (JobState::Queued, 0));
    }
    let mine = claim_one(&jobs, "work").await;
    jobs.cancel(job.id).await.unwrap();
    let stopped = jobs.release(mine.id, mine.token).await.unwrap();
    assert_eq!(stopped.state, JobState::Cancelled);
}

pub(super) async fn a_job_can_be_called_off(kit: Kit) {
    let jobs = kit.open().await;
    let queued = enqueue(&jobs, spec("work")).await;
    let cancelled = jobs.cancel(queued.id).await.unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert_eq!(cancelled.finished_at_us, Some(START));
    assert!(claim(&jobs, &["work"], 1).await.is_empty());
    assert_eq!(jobs.cancel(queued.id).await.unwrap(), cancelled);

    enqueue(&jobs, spec("work")).await;
    let mine = claim_one(&jobs, "work").await;
    let asked = jobs.cancel(mine.id).await.unwrap();
    assert_eq!(
        (asked.state, asked.cancel_requested),
        (JobState::Processing, true)
    );
    jobs.cancel(mine.id).await.unwrap();
    let beat = Heartbeat {
        id: mine.id,
        token: mine.token,
        progress: None,
    };
    let held = jobs
        .heartbeat(std::slice::from_ref(&beat), None)
        .await
        .unwrap();
    assert_eq!(held, [Held::CancelRequested]);
    let stopped = jobs.fail(mine.id, mine.token, &passing()).await.unwrap();
    assert_eq!(stopped.state, JobState::Cancelled);

    // Who was faster keeps the result.
    enqueue(&jobs, spec("work")).await;
    let mine = claim_one(&jobs, "work").await;
    jobs.cancel(mine.id).await.unwrap();
    assert_eq!(complete(&jobs, &mine).await.state, JobState::Done);
    assert_eq!(
        jobs.cancel(mine.id).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );

    // Whose worker died is not tried again.
    let orphan = enqueue(&jobs, spec("work")).await;
    claim_one(&jobs, "work").await;
    jobs.cancel(orphan.id).await.unwrap();
    kit.advance(31 * SECOND);
    assert!(claim(&jobs, &["work"], 1).await.is_empty());
    assert_eq!(
        jobs.status(orphan.id).await.unwrap().state,
        JobState::Cancelled
    );
}

pub(super) async fn failed_jobs_can_be_replayed_and_old_ones_removed(kit: Kit) {
    let jobs = kit.open().await;
    let mut ids = Vec::new();
    for kind in ["a", "a", "b"] {
        enqueue(&jobs, spec(kind)).await;
        let mine = claim_one(&jobs, kind).await;
        jobs.fail(mine.id, mine.token, &lasting()).await.unwrap();
        ids.push(mine.id);
        kit.advance(SECOND);
    }
    let again = jobs.replay(ids[0]).await.unwrap();
    assert_eq!(
        (again.state, again.attempt, again.token),
        (JobState::Queued, 0, 1)
    );
    assert_eq!((again.error, again.finished_at_us), (None, None));
    assert_eq!(
        jobs.replay(ids[0]).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    let mine = claim_one(&jobs, "a").await;
    assert_eq!((mine.id, mine.token), (ids[0], 2));
    complete(&jobs, &mine).await;
    assert_eq!(
        jobs.replay(ids[0]).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );

    assert_eq!(jobs.replay_failed(Some("b"), 10).await.unwrap(), 1);
    assert_eq!(jobs.replay_failed(None, 10).await.unwrap(), 1);
    assert_eq!(jobs.replay_failed(None, 10).await.unwrap(), 0);
    for id in &ids[1..] {
        jobs.cancel(*id).await.unwrap();
        jobs.replay(*id).await.unwrap();
        jobs.cancel(*id).await.unwrap();
    }

    kit.advance(SECOND);
    let wrong = Prune::before_us(kit.now()).states([JobState::Queued]);
    assert_eq!(
        jobs.prune(&wrong).await.unwrap_err().kind(),
        ErrorKind::InvalidSpec
    );
    assert_eq!(jobs.prune(&Prune::before_us(START)).await.unwrap(), 0);
    let all = Prune::before_us(kit.now());
    assert_eq!(jobs.prune(&all.clone().limit(2)).await.unwrap(), 2);
    assert_eq!(jobs.prune(&all).await.unwrap(), 1);
    assert!(jobs.list(&JobFilter::default()).await.unwrap().is_empty());
    let counts = jobs.counts().await.unwrap();
    assert!(
        counts
            .iter()
            .all(|c| c.queued + c.processing + c.done + c.failed + c.cancelled == 0)
    );
    // A number is never used twice.
    let next = enqueue(&jobs, spec("a")).await;
    assert!(next.id > ids[2]);
    assert!(jobs.audit_verify(&[]).await.unwrap().whole);
}

pub(super) async fn kinds_have_limits(kit: Kit) {
    let jobs = kit.open().await;
    for _ in 0..10 {
        enqueue(&jobs, spec("slow")).await;
        enqueue(&jobs, spec("rated")).await;
    }
    let two = KindSettings {
        max_running: Some(2),
        ..KindSettings::default()
    };
    jobs.set_kind("slow", two).await.unwrap();
    let mine = claim(&jobs, &["slow"], 5).await;
    assert_eq!(mine.len(), 2);
    assert!(claim(&jobs, &["slow"], 5).await.is_empty());
    complete(&jobs, &mine[0]).await;
    assert_eq!(claim(&jobs, &["slow"], 5).await.len(), 1);

    let rate = Some(Rate {
        count: 3,
        period_ms: 3_000,
    });
    let rated = KindSettings {
        rate,
        ..KindSettings::default()
    };
    jobs.set_kind("rated", rated).await.unwrap();
    assert_eq!(claim(&jobs, &["rated"], 5).await.len(), 3);
    let none = jobs.claim(&Claim::of(["rated"])).await.unwrap();
    assert_eq!(
        (none.jobs.len(), none.next_at_us),
        (0, Some(kit.now() + SECOND))
    );
    kit.advance(SECOND);
    assert_eq!(claim(&jobs, &["rated"], 5).await.len(), 1);

    jobs.pause(Some("slow")).await.unwrap();
    complete(&jobs, &mine[1]).await;
    assert!(claim(&jobs, &["slow"], 5).await.is_empty());
    enqueue(&jobs, spec("slow")).await;
    assert_eq!(
        jobs.kinds().await.unwrap(),
        [
            ("rated".to_owned(), rated),
            (
                "slow".to_owned(),
                KindSettings {
                    paused: true,
                    ..two
                }
            )
        ]
    );
    jobs.resume(Some("slow")).await.unwrap();
    jobs.pause(None).await.unwrap();
    assert!(claim(&jobs, &["slow"], 5).await.is_empty());
    jobs.resume(None).await.unwrap();
    assert_eq!(claim(&jobs, &["slow"], 5).await.len(), 1);

    let error = jobs.drain(Some("slow"), Duration::from_millis(50)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);
    for job in jobs.list(&JobFilter::default()).await.unwrap() {
        if job.state == JobState::Processing {
            complete(&jobs, &job).await;
        }
    }
    jobs.drain(None, Duration::from_secs(5)).await.unwrap();
    let zero = KindSettings {
        max_running: Some(0),
        ..KindSettings::default()
    };
    assert_eq!(
        jobs.set_kind("slow", zero).await.unwrap_err().kind(),
        ErrorKind::InvalidSpec
    );
    assert_eq!(
        jobs.set_kind("*", two).await.unwrap_err().kind(),
        ErrorKind::InvalidSpec
    );
}

fn every_minute(catch_up: CatchUp) -> Schedule {
    Schedule {
        name: "minutely".to_owned(),
        cron: "* * * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        job: spec("tick"),
        catch_up,
    }
}

const MINUTE: i64 = 60 * SECOND;

pub(super) async fn a_tick_makes_one_job(kit: Kit) {
    let (one, two) = (kit.open().await, kit.open().await);
    kit.advance(30 * SECOND);
    let record = one
        .put_schedule(&every_minute(CatchUp::Latest))
        .await
        .unwrap();
    assert_eq!(record.next_at_us, Some(START + MINUTE));
    assert!(one.tick().await.unwrap().is_empty());
    for minute in 1..=3 {
        kit.clock.set(START + minute * MINUTE);
        // Another process that starts now puts its schedule again.
        two.put_schedule(&every_minute(CatchUp::Latest))
            .await
            .unwrap();
        let (a, b) = tokio::join!(one.tick(), two.tick());
        let enqueued = [a.unwrap(), b.unwrap()].concat();
        assert_eq!(enqueued.len(), 1, "minute {minute}");
        assert_eq!(enqueued[0].run_at_us, START + minute * MINUTE);
        assert_eq!(enqueued[0].actor, "schedule:minutely");
    }
    // Removed and put again within the minute, it does not run that minute again.
    one.delete_schedule("minutely").await.unwrap();
    assert_eq!(
        one.delete_schedule("minutely").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    kit.clock.set(START + 3 * MINUTE - SECOND);
    one.put_schedule(&every_minute(CatchUp::Latest))
        .await
        .unwrap();
    kit.clock.set(START + 3 * MINUTE);
    one.tick().await.unwrap();
    let schedules = two.schedules().await.unwrap();
    assert_eq!(schedules[0].last_at_us, Some(START + 3 * MINUTE));
    assert_eq!(claim(&one, &["tick"], 100).await.len(), 3);

    let mut wrong = every_minute(CatchUp::Latest);
    wrong.cron = "every day".to_owned();
    assert_eq!(
        one.put_schedule(&wrong).await.unwrap_err().kind(),
        ErrorKind::InvalidSpec
    );
}

pub(super) async fn missed_ticks_are_caught_up_as_asked(kit: Kit) {
    let jobs = kit.open().await;
    jobs.put_schedule(&every_minute(CatchUp::Latest))
        .await
        .unwrap();
    let mut all = every_minute(CatchUp::All);
    all.name = "all".to_owned();
    all.job.kind = "all".to_owned();
    jobs.put_schedule(&all).await.unwrap();
    kit.advance(10 * MINUTE + SECOND);
    assert_eq!(jobs.tick().await.unwrap().len(), 11);
    assert!(jobs.tick().await.unwrap().is_empty());
    let latest = claim(&jobs, &["tick"], 100).await;
    assert_eq!(latest.len(), 1);
    assert_eq!(latest[0].run_at_us, START + 10 * MINUTE);
    assert_eq!(claim(&jobs, &["all"], 100).await.len(), 10);
}

pub(super) async fn waiting_ends_with_the_job(kit: Kit) {
    let (jobs, elsewhere) = (kit.open().await, kit.open().await);
    let job = enqueue(&jobs, spec("work")).await;
    let error = jobs
        .wait(job.id, Some(Duration::from_millis(20)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);

    let waiting = tokio::spawn({
        let jobs = jobs.clone();
        async move { jobs.wait(job.id, Some(Duration::from_secs(20))).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = std::time::Instant::now();
    let mine = claim_one(&elsewhere, "work").await;
    complete(&elsewhere, &mine).await;
    let done = waiting.await.unwrap().unwrap();
    assert_eq!(done.state, JobState::Done);
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
    // What is finished is not waited for.
    jobs.wait(job.id, Some(Duration::ZERO)).await.unwrap();
    let missing = jobs.wait(JobId(999_999), None).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);

    // A worker that waits for work is woken by another process.
    let waiting = tokio::spawn({
        let jobs = jobs.clone();
        async move {
            let claim = Claim::of(["late"]);
            jobs.claim_within(&claim, Duration::from_secs(20)).await
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = std::time::Instant::now();
    enqueue(&elsewhere, spec("late")).await;
    assert_eq!(waiting.await.unwrap().unwrap().jobs.len(), 1);
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
}

pub(super) async fn changes_come_in_their_order(kit: Kit) {
    let jobs = kit.open().await;
    assert!(
        jobs.changes(0, 10, Duration::ZERO)
            .await
            .unwrap()
            .is_empty()
    );
    let job = enqueue(&jobs, spec("work").retry(0, 0)).await;
    let mine = claim_one(&jobs, "work").await;
    jobs.fail(mine.id, mine.token, &passing()).await.unwrap();
    let mine = claim_one(&jobs, "work").await;
    complete(&jobs, &mine).await;
    let changes = jobs.changes(0, 10, Duration::ZERO).await.unwrap();
    let said: Vec<(i64, &str, &str)> = changes
        .iter()
        .map(|c| (c.seq, c.action.as_str(), c.outcome.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (1, "job.enqueue", "queued"),
            (2, "job.claim", "processing"),
            (3, "job.retry", "queued"),
            (4, "job.claim", "processing"),
            (5, "job.complete", "done"),
        ]
    );
    assert!(
        changes
            .iter()
            .all(|c| c.object == format!("job:{}", job.id))
    );
    assert_eq!(
        jobs.changes(3, 1, Duration::ZERO).await.unwrap(),
        changes[3..4]
    );
    let waiting = tokio::spawn({
        let jobs = jobs.clone();
        async move { jobs.changes(5, 10, Duration::from_secs(20)).await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    enqueue(&kit.open().await, spec("work")).await;
    assert_eq!(waiting.await.unwrap().unwrap()[0].seq, 6);

    assert_eq!(jobs.audit_seal(3).await.unwrap(), 3);
    let error = jobs.changes(1, 10, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(jobs.changes(3, 10, Duration::ZERO).await.unwrap()[0].seq, 4);
}

pub(super) async fn jobs_are_listed_page_by_page(kit: Kit) {
    let jobs = kit.open().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        let kind = if n % 2 == 0 { "even" } else { "odd" };
        ids.push(enqueue(&jobs, spec(kind)).await.id);
    }
    complete(&jobs, &claim_one(&jobs, "even").await).await;
    ids.reverse();
    let mut seen = Vec::new();
    let mut filter = JobFilter {
        limit: Some(3),
        ..JobFilter::default()
    };
    loop {
        let page = jobs.list(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        seen.extend(page.iter().map(|job| job.id));
    }
    assert_eq!(seen, ids);
    let of = async |state, kind: Option<&str>| {
        let filter = JobFilter {
            state,
            kind: kind.map(str::to_owned),
            ..JobFilter::default()
        };
        jobs.list(&filter).await.unwrap().len()
    };
    assert_eq!(of(None, Some("even")).await, 4);
    assert_eq!(of(Some(JobState::Queued), Some("even")).await, 3);
    assert_eq!(of(Some(JobState::Done), None).await, 1);
    assert_eq!(of(Some(JobState::Failed), None).await, 0);
    filter.limit = Some(0);
    assert_eq!(
        jobs.list(&filter).await.unwrap_err().kind(),
        ErrorKind::InvalidSpec
    );
}

pub(super) async fn several_handles_share_the_queue(kit: Kit) {
    let handles = [kit.open().await, kit.open().await, kit.open().await];
    let specs: Vec<_> = (0..300).map(|_| spec("work")).collect();
    handles[0].enqueue_all(&specs).await.unwrap();
    let work = |jobs: Jobs| {
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = claim(&jobs, &["work"], 7).await;
                if claimed.is_empty() {
                    return mine;
                }
                for job in claimed {
                    complete(&jobs, &job).await;
                    mine.push(job.id);
                }
            }
        })
    };
    let workers: Vec<_> = (0..6).map(|n| work(handles[n % 3].clone())).collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    // A claim of PostgreSQL may find all that is left in the hands of others, and leave it to them.
    let rest = work(handles[0].clone()).await.unwrap();
    all.extend(rest);
    all.sort_unstable();
    let whole = all.len();
    all.dedup();
    assert_eq!((all.len(), whole), (300, 300), "each job once");
    let counts = handles[1].counts().await.unwrap();
    assert_eq!(
        (counts[0].done, counts[0].queued, counts[0].processing),
        (300, 0, 0)
    );
    let report = handles[2].audit_verify(&[]).await.unwrap();
    assert!(report.whole, "{report:?}");
    assert_eq!(report.records, 900);
}

pub(super) async fn refused_operations_leave_the_others_alone(kit: Kit) {
    let jobs = kit.open().await;
    let good: Vec<_> = (0..50)
        .map(|n| {
            let jobs = jobs.clone();
            tokio::spawn(async move {
                if n % 3 == 0 {
                    jobs.complete(JobId(10_000 + n), 1, &Value::Null)
                        .await
                        .map(|job| job.id)
                } else {
                    jobs.enqueue(&spec("work")).await.map(|e| e.job.id)
                }
            })
        })
        .collect();
    for (n, task) in good.into_iter().enumerate() {
        let answer = task.await.unwrap();
        match n % 3 {
            0 => assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound),
            _ => drop(answer.unwrap()),
        }
    }
    assert_eq!(jobs.counts().await.unwrap()[0].queued, 33);
}

pub(super) async fn large_and_odd_payloads_do_no_harm(kit: Kit) {
    let jobs = kit.open().await;
    let mut large = spec("work");
    large.spec = Value::String("x".repeat(100 << 20));
    let error = jobs.enqueue(&large).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(error.message().contains("104857602 bytes"), "{error}");
    drop(large);
    assert!(jobs.list(&JobFilter::default()).await.unwrap().is_empty());

    let odd = "\0 \u{1} \u{fffd} 'quoted' \\ \u{202e} \u{10ffff}";
    let mut strange = spec("work");
    strange.spec = json!({ odd: [odd, 1e300, i64::MIN, u64::MAX] });
    let job = enqueue(&jobs, strange.clone()).await;
    assert_eq!(jobs.status(job.id).await.unwrap().spec, strange.spec);
    let mine = claim_one(&jobs, "work").await;
    let beat = Heartbeat {
        id: mine.id,
        token: mine.token,
        progress: Some(json!(odd)),
    };
    jobs.heartbeat(&[beat], None).await.unwrap();
    // What is no UTF-8, and has a NUL, which PostgreSQL does not take.
    let error = JobError::from_bytes("C\0", b"bad \xff\xfe byte \0 end", true);
    let failed = jobs.fail(mine.id, mine.token, &error).await.unwrap();
    let said = failed.error.unwrap();
    assert_eq!(said.kind, "C\u{fffd}");
    assert_eq!(said.message, "bad \u{fffd}\u{fffd} byte \u{fffd} end");
    kit.advance(10 * SECOND);
    let mine = claim_one(&jobs, "work").await;
    let long = JobError::fatal("LONG", "é".repeat(1 << 20));
    let failed = jobs.fail(mine.id, mine.token, &long).await.unwrap();
    assert!(failed.error.unwrap().message.len() < 17_000);

    jobs.replay(job.id).await.unwrap();
    let mine = claim_one(&jobs, "work").await;
    let huge = json!("y".repeat(5 << 20));
    let error = jobs.complete(mine.id, mine.token, &huge).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    let done = jobs
        .complete(mine.id, mine.token, &json!(odd))
        .await
        .unwrap();
    assert_eq!(done.result, Some(json!(odd)));

    for (wrong, what) in [
        (spec(""), "`kind` is empty"),
        (spec("a\nb"), "control character"),
        (spec("work").priority(11), "`priority` is 11"),
        (spec("work").max_attempts(0), "`max_attempts` is 0"),
        (spec("work").timeout_ms(0), "`timeout_ms` is 0"),
        (spec("work").delay_ms(u64::MAX), "`delay_ms`"),
        (
            spec("work").delay_ms(1).run_at_us(1),
            "both `run_at_us` and `delay_ms`",
        ),
        (
            spec("work").idempotency_key("k".repeat(501)),
            "has 501 bytes",
        ),
        (
            spec("work").unique(Unique {
                states: vec![],
                ..Unique::key("u")
            }),
            "`unique.states` is empty",
        ),
    ] {
        let error = jobs.enqueue(&wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        assert!(error.message().contains(what), "{error}");
    }
    let named = jobs
        .acting("a\0ctor".repeat(1_000), Some("r\0"))
        .enqueue(&spec("work"))
        .await;
    assert!(named.unwrap().job.actor.starts_with("a\u{fffd}ctor"));
    assert!(jobs.audit_verify(&[]).await.unwrap().whole);
}
