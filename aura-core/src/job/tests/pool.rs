//! The pool: what it does with handlers of every kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::kit::*;
use crate::job::{
    BreakerSettings, JobContext, JobError, JobSettings, JobState, Jobs, Pool, PoolSettings,
    Schedule, blocking,
};

const LONG: Option<Duration> = Some(Duration::from_secs(30));

fn settings(concurrency: u32) -> PoolSettings {
    PoolSettings {
        concurrency,
        stop_grace_ms: 100,
        ..PoolSettings::default()
    }
}

#[test]
fn a_pool_runs_jobs_side_by_side_and_not_more_than_it_may() {
    run(async {
        let kit = Kit::sqlite();
        let jobs = kit.open().await;
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (running, peak) = (now.clone(), most.clone());
        let pool = Pool::builder(&jobs)
            .settings(settings(3))
            .handler("square", move |job: JobContext| {
                let (running, peak) = (running.clone(), peak.clone());
                async move {
                    peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    sleep(Duration::from_millis(20)).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    let n: i64 = job.parse()?;
                    Ok(json!(n * n))
                }
            })
            .start()
            .unwrap();
        let mut ids = Vec::new();
        for n in 0..20 {
            let mut spec = spec("square");
            spec.spec = json!(n);
            ids.push(enqueue(&jobs, spec).await.id);
        }
        for (n, id) in ids.into_iter().enumerate() {
            let done = jobs.wait(id, LONG).await.unwrap();
            assert_eq!(done.result, Some(json!(n * n)));
            assert_eq!(done.worker.as_deref(), Some("pool"));
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
        let wrong = enqueue(&jobs, spec("square")).await;
        let failed = jobs.wait(wrong.id, LONG).await.unwrap();
        assert_eq!((failed.state, failed.attempt), (JobState::Failed, 1));
        assert_eq!(failed.error.unwrap().kind, "INVALID_SPEC");
        // The job is done a moment before the pool has heard so.
        let until = Instant::now() + Duration::from_secs(10);
        while pool.stats().completed < 20 && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
        let stats = pool.stats();
        assert_eq!((stats.completed, stats.failed, stats.lost), (20, 1, 0));
        pool.shutdown(Duration::from_secs(5)).await;
        assert!(jobs.audit_verify(&[]).await.unwrap().whole);
    });
}

/// Handlers that panic, never return, block for ever or start processes leave the queue working.
#[test]
fn hostile_handlers_leave_the_queue_working() {
    run(async {
        let kit = Kit::sqlite();
        let jobs = kit.open().await;
        let pool = Pool::builder(&jobs)
            .settings(settings(2))
            .handler("panic", |_: JobContext| async {
                panic!("at the {}", "disco")
            })
            .handler("hang", |_: JobContext| async {
                std::future::pending::<()>().await;
                Ok(Value::Null)
            })
            .handler(
                "block",
                blocking(|_| {
                    // Longer than the test; the thread ends with the process.
                    std::thread::sleep(Duration::from_secs(3_600));
                    Ok(Value::Null)
                }),
            )
            .handler("blocking panic", blocking(|_| panic!("in a thread")))
            .handler(
                "fork",
                blocking(|_| {
                    let child = std::process::Command::new("sh")
                        .args(["-c", "sleep 2 & exit 3"])
                        .status();
                    let code = child.ok().and_then(|status| status.code());
                    Err(JobError::fatal("CHILD", format!("exit code {code:?}")))
                }),
            )
            .handler("well", |_: JobContext| async { Ok(json!("well")) })
            .start()
            .unwrap();
        let mut failing = Vec::new();
        for kind in ["panic", "hang", "block", "blocking panic", "fork"] {
            // A busy machine may take long to start a thread or a process.
            let limit = match kind {
                "hang" | "block" => 200,
                _ => 60_000,
            };
            let spec = spec(kind).timeout_ms(limit).max_attempts(2).retry(0, 0);
            failing.push(enqueue(&jobs, spec).await.id);
        }
        let well: Vec<_> = [
            enqueue(&jobs, spec("well")).await,
            enqueue(&jobs, spec("well")).await,
        ]
        .into();
        let mut said = Vec::new();
        for id in failing {
            let job = jobs.wait(id, LONG).await.unwrap();
            assert_eq!(job.state, JobState::Failed);
            let error = job.error.unwrap();
            said.push((job.attempt, error.kind, error.message));
        }
        let said: Vec<(u32, &str, &str)> = said
            .iter()
            .map(|(n, kind, message)| (*n, kind.as_str(), message.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (2, "PANIC", "the handler panicked: at the disco"),
                (
                    2,
                    "TIMEOUT",
                    "the attempt took longer than 200 ms and was ended"
                ),
                (
                    2,
                    "TIMEOUT",
                    "the attempt took longer than 200 ms and was ended"
                ),
                (2, "PANIC", "the handler panicked: in a thread"),
                (1, "CHILD", "exit code Some(3)"),
            ]
        );
        for job in well {
            assert_eq!(
                jobs.wait(job.id, LONG).await.unwrap().result,
                Some(json!("well"))
            );
        }
        assert_eq!(pool.stats().abandoned, 4);
        pool.shutdown(Duration::from_secs(1)).await;
    });
}

/// A handler that holds up the whole runtime does not cost others their leases.
#[test]
fn leases_live_while_the_runtime_is_held_up() {
    let kit = Kit::sqlite();
    let builder = kit.builder().unwrap().settings(JobSettings {
        lease_ms: 300,
        ..JobSettings::default()
    });
    let builder = builder.clock(Arc::new(crate::time::SystemClock));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let job = runtime.block_on(async {
        let jobs = builder.open().await.unwrap();
        let pool = Pool::builder(&jobs)
            .settings(settings(1))
            .handler("rude", |_: JobContext| async {
                std::thread::sleep(Duration::from_millis(1_500));
                Ok(json!("done at last"))
            })
            .start()
            .unwrap();
        let job = enqueue(&jobs, spec("rude")).await;
        let job = jobs.wait(job.id, LONG).await.unwrap();
        assert_eq!(pool.stats().lost, 0);
        pool.shutdown(Duration::from_secs(1)).await;
        job
    });
    assert_eq!((job.state, job.attempt), (JobState::Done, 1));
}

#[test]
fn cancelling_reaches_the_handler_from_here_and_from_elsewhere() {
    run(async {
        let kit = Kit::sqlite();
        let (jobs, elsewhere) = (kit.open().await, kit.open().await);
        let pool = Pool::builder(&jobs)
            .settings(settings(4))
            .handler("polite", |job: JobContext| async move {
                job.progress(json!("waiting"));
                job.cancelled().await;
                assert!(job.is_cancelled() && job.cancel_token().is_cancelled());
                Err(JobError::fatal("STOPPED", "as you wish"))
            })
            .handler("deaf", |_: JobContext| async {
                std::future::pending::<()>().await;
                Ok(Value::Null)
            })
            .start()
            .unwrap();
        for from in [&jobs, &elsewhere] {
            for kind in ["polite", "deaf"] {
                let job = enqueue(&jobs, spec(kind)).await;
                while jobs.status(job.id).await.unwrap().state == JobState::Queued {
                    sleep(Duration::from_millis(5)).await;
                }
                let began = Instant::now();
                from.cancel(job.id).await.unwrap();
                let stopped = jobs.wait(job.id, LONG).await.unwrap();
                assert_eq!(stopped.state, JobState::Cancelled);
                let error = stopped.error.unwrap();
                let expected = if kind == "polite" {
                    "STOPPED"
                } else {
                    "CANCELLED"
                };
                assert_eq!(error.kind, expected);
                assert!(
                    began.elapsed() < Duration::from_secs(3),
                    "{:?}",
                    began.elapsed()
                );
            }
        }
        pool.shutdown(Duration::from_secs(1)).await;
    });
}

#[test]
fn a_pool_that_shuts_down_gives_back_what_it_cannot_finish() {
    run(async {
        let kit = Kit::sqlite();
        let jobs = kit.open().await;
        let start = |concurrency| {
            Pool::builder(&jobs)
                .settings(settings(concurrency))
                .handler("short", |_: JobContext| async {
                    sleep(Duration::from_millis(200)).await;
                    Ok(Value::Null)
                })
                .handler("endless", |job: JobContext| async move {
                    job.cancelled().await;
                    Err(JobError::fatal("STOPPED", "the pool ends"))
                })
                .start()
                .unwrap()
        };
        let pool = start(2);
        let short = enqueue(&jobs, spec("short")).await;
        let endless = enqueue(&jobs, spec("endless").max_attempts(1)).await;
        while pool.stats().running < 2 {
            sleep(Duration::from_millis(5)).await;
        }
        let waiting = enqueue(&jobs, spec("short")).await;
        pool.shutdown(Duration::from_millis(600)).await;
        assert_eq!(jobs.status(short.id).await.unwrap().state, JobState::Done);
        let back = jobs.status(endless.id).await.unwrap();
        assert_eq!((back.state, back.attempt), (JobState::Queued, 0));
        assert_eq!(
            jobs.status(waiting.id).await.unwrap().state,
            JobState::Queued
        );

        // Dropped without a word, it does the same.
        let pool = start(2);
        while pool.stats().running < 2 {
            sleep(Duration::from_millis(5)).await;
        }
        drop(pool);
        let until = Instant::now() + Duration::from_secs(10);
        while jobs.status(endless.id).await.unwrap().state != JobState::Queued {
            assert!(Instant::now() < until);
            sleep(Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn a_breaker_leaves_a_broken_service_alone() {
    run(async {
        let kit = Kit::memory();
        let jobs = kit.open().await;
        let calls = Arc::new(AtomicUsize::new(0));
        let called = calls.clone();
        let pool = Pool::builder(&jobs)
            .settings(settings(1))
            .handler("call", move |job: JobContext| {
                let n = called.fetch_add(1, Ordering::SeqCst);
                async move {
                    match n {
                        0..=3 => Err(JobError::retryable("DOWN", "connection refused")),
                        _ => Ok(json!(job.job().attempt)),
                    }
                }
            })
            .handler("local", |_: JobContext| async { Ok(Value::Null) })
            .breaker(
                "call",
                BreakerSettings {
                    failures: 3,
                    cool_down_ms: 10_000,
                },
            )
            .start()
            .unwrap();
        let job = enqueue(&jobs, spec("call").retry(0, 0).max_attempts(20)).await;
        let settle = async || {
            sleep(Duration::from_millis(300)).await;
            let local = enqueue(&jobs, spec("local")).await;
            jobs.wait(local.id, LONG).await.unwrap();
        };
        settle().await;
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        kit.advance(10 * SECOND);
        settle().await;
        assert_eq!(
            calls.load(Ordering::SeqCst),
            3 + 1,
            "one trial, which fails"
        );
        kit.advance(10 * SECOND);
        let done = jobs.wait(job.id, LONG).await.unwrap();
        assert_eq!(done.result, Some(json!(5)));
        pool.shutdown(Duration::from_secs(1)).await;
    });
}

#[test]
fn a_pool_keeps_schedules_and_delays() {
    run(async {
        let kit = Kit::memory();
        let jobs = kit.open().await;
        let pool = Pool::builder(&jobs)
            .handler("tick", |job: JobContext| async move {
                Ok(json!(job.job().run_at_us))
            })
            .start()
            .unwrap();
        let schedule = Schedule {
            name: "minutely".to_owned(),
            cron: "* * * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            job: spec("tick"),
            catch_up: Default::default(),
        };
        jobs.put_schedule(&schedule).await.unwrap();
        let delayed = enqueue(&jobs, spec("tick").delay_ms(59_000)).await;
        sleep(Duration::from_millis(100)).await;
        assert_eq!(
            jobs.status(delayed.id).await.unwrap().state,
            JobState::Queued
        );
        kit.advance(60 * SECOND);
        jobs.wait(delayed.id, LONG).await.unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while jobs.counts().await.unwrap()[0].done < 2 {
            assert!(Instant::now() < until, "the tick did not come");
            sleep(Duration::from_millis(20)).await;
        }
        pool.shutdown(Duration::from_secs(1)).await;
    });
}

/// A pool whose lease ended under it (its machine slept, say) is told, and its answer is dropped.
#[test]
fn a_pool_that_lost_a_job_stops_it() {
    run(async {
        let kit = Kit::sqlite();
        let (jobs, elsewhere) = (kit.open().await, kit.open().await);
        let stopped = Arc::new(AtomicUsize::new(0));
        let told = stopped.clone();
        let pool = Pool::builder(&jobs)
            .settings(settings(1))
            .handler("work", move |job: JobContext| {
                let told = told.clone();
                async move {
                    job.cancelled().await;
                    told.fetch_add(1, Ordering::SeqCst);
                    Ok(json!("too late"))
                }
            })
            .start()
            .unwrap();
        let job = enqueue(&jobs, spec("work").retry(0, 0)).await;
        while pool.stats().running == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        kit.advance(31 * SECOND);
        // Another process takes it back, and works on it itself.
        let mine = loop {
            if let Some(mine) = claim(&elsewhere, &["work"], 1).await.pop() {
                break mine;
            }
        };
        assert_eq!((mine.id, mine.token), (job.id, 2));
        let until = Instant::now() + Duration::from_secs(10);
        while pool.stats().lost == 0 {
            assert!(Instant::now() < until, "the pool was not told");
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(stopped.load(Ordering::SeqCst), 1);
        let done = elsewhere
            .complete(mine.id, mine.token, &json!("in time"))
            .await
            .unwrap();
        assert_eq!(done.result, Some(json!("in time")));
        pool.shutdown(Duration::from_secs(1)).await;
    });
}

#[test]
fn wrong_settings_of_a_pool_are_refused() {
    run(async {
        let jobs = Jobs::in_memory().open().await.unwrap();
        let message =
            |builder: crate::job::PoolBuilder| builder.start().unwrap_err().message().to_owned();
        let pool = || Pool::builder(&jobs);
        assert!(message(pool().settings(settings(0))).contains("`concurrency` is 0"));
        let well = |_: JobContext| async { Ok(Value::Null) };
        assert!(message(pool().handler("a\tb", well)).contains("control character"));
    });
    let jobs = run(Jobs::in_memory().open()).unwrap();
    let outside = Pool::builder(&jobs).start().unwrap_err();
    assert!(
        outside.message().contains("outside of a Tokio runtime"),
        "{outside}"
    );
}
