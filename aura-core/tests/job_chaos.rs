//! Real processes on one store of jobs, killed at every edge: whatever happens, each job is finished once, and the log is whole.
//!
//! `AURA_CHAOS_KILLS` sets how many are killed (default 60 for SQLite and 30 for PostgreSQL).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aura_core::ErrorKind;
use aura_core::job::{
    Claim, Heartbeat, Held, JobContext, JobError, JobFilter, JobId, JobSettings, JobSpec, JobState,
    Jobs, JobsBuilder, Pool,
};
use aura_core::time::{Clock, SystemClock};
use serde_json::{Value, json};

/// Jobs that are enqueued; each enqueues another one.
const JOBS: usize = 300;
const PROCESSES: usize = 3;
const SECOND: i64 = 1_000_000;

/// A clock that goes wrong by a fixed time.
#[derive(Debug)]
struct Skewed(i64);

impl Clock for Skewed {
    fn now_us(&self) -> i64 {
        SystemClock.now_us() + self.0
    }
}

/// Steps of a pseudo-random sequence (SplitMix64), so that a failing run can be looked at again.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

fn builder(place: &str, lease_ms: u64) -> JobsBuilder {
    let builder = match place.split_once('#') {
        #[cfg(feature = "postgres")]
        Some((url, schema)) => Jobs::postgres(url).schema(schema),
        _ => Jobs::sqlite(place),
    };
    builder.settings(JobSettings {
        lease_ms,
        ..JobSettings::default()
    })
}

/// A store that is away for a moment is asked again.
async fn again<T>(mut ask: impl AsyncFnMut() -> aura_core::Result<T>) -> aura_core::Result<T> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match ask().await {
            Err(e) if e.kind() == ErrorKind::Unavailable && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            answer => return answer,
        }
    }
}

/// Ends this process as `kill -9` does: nothing is flushed, no destructor runs.
fn die() -> ! {
    let _ = Command::new("kill")
        .args(["-9", &std::process::id().to_string()])
        .status();
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The process that is killed, by itself or by others.
#[test]
#[ignore = "the process that the other tests start and kill"]
fn child() {
    let place = std::env::var("AURA_CHAOS_STORE").unwrap();
    let mut state: u64 = std::env::var("AURA_CHAOS_SEED").unwrap().parse().unwrap();
    let skew: i64 = std::env::var("AURA_CHAOS_SKEW").unwrap().parse().unwrap();
    let deadly = std::env::var("AURA_CHAOS_DEADLY").is_ok();
    run(async {
        let builder = builder(&place, 500).clock(Arc::new(Skewed(skew)));
        let jobs = again(async || builder.clone().open().await).await.unwrap();
        println!("\n@open");
        loop {
            let limit = 1 + (next(&mut state) % 5) as u32;
            let claim = Claim::of(["root", "leaf"]).limit(limit);
            let wait = Duration::from_millis(100);
            let claimed = again(async || jobs.claim_within(&claim, wait).await).await;
            for job in claimed.unwrap().jobs {
                let edge = next(&mut state) % 16;
                // After the claim.
                if deadly && edge == 0 {
                    die();
                }
                if job.kind == "root" {
                    let leaf = JobSpec::new("leaf", job.spec.clone())
                        .max_attempts(1_000)
                        .retry(0, 0)
                        .idempotency_key(format!("leaf of {}", job.id));
                    again(async || jobs.enqueue(&leaf).await).await.unwrap();
                    // After the enqueueing of another job.
                    if deadly && edge == 1 {
                        die();
                    }
                }
                let beat = Heartbeat {
                    id: job.id,
                    token: job.token,
                    progress: Some(json!(edge)),
                };
                let held =
                    again(async || jobs.heartbeat(std::slice::from_ref(&beat), None).await).await;
                if held.unwrap() == [Held::Lost] {
                    continue;
                }
                if deadly && edge == 2 {
                    die();
                }
                let result = json!({"token": job.token});
                let answered = match edge {
                    // In the middle of a commit.
                    3 | 4 if deadly => {
                        let (jobs, id, token) = (jobs.clone(), job.id, job.token);
                        tokio::spawn(async move {
                            let _ = jobs.complete(id, token, &result).await;
                        });
                        let us = next(&mut state) % 8_000;
                        tokio::time::sleep(Duration::from_micros(us)).await;
                        die()
                    }
                    5 => {
                        let error = JobError::retryable("TEST", "once more");
                        again(async || jobs.fail(job.id, job.token, &error).await).await
                    }
                    6 => again(async || jobs.release(job.id, job.token).await).await,
                    _ => again(async || jobs.complete(job.id, job.token, &result).await).await,
                };
                match answered {
                    Ok(_) => {}
                    Err(e) if e.kind() == ErrorKind::Conflict => {}
                    Err(e) => panic!("{e}"),
                }
                // After the answer.
                if deadly && edge == 7 {
                    die();
                }
            }
        }
    });
}

fn start(place: &str, seed: u64, skew: i64, deadly: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "child",
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("AURA_CHAOS_STORE", place)
        .env("AURA_CHAOS_SEED", seed.to_string())
        .env("AURA_CHAOS_SKEW", skew.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if deadly {
        command.env("AURA_CHAOS_DEADLY", "1");
    }
    command.spawn().unwrap()
}

/// Kills processes that work on a store, and looks at what is left. `disturb` is called between kills.
fn chaos(place: &str, kills: usize, mut disturb: impl FnMut(usize)) {
    let jobs = run(builder(place, 500).open()).unwrap();
    let root = |n: usize| {
        JobSpec::new("root", json!({"n": n}))
            .max_attempts(1_000)
            .retry(0, 0)
            .idempotency_key(format!("root {n}"))
    };
    let mut state = 7;
    let mut enqueued = 0;
    let mut killed = 0;
    let mut seed = 0;
    let mut running: Vec<(Child, Instant)> = Vec::new();
    let began = Instant::now();
    while killed < kills {
        assert!(
            began.elapsed() < Duration::from_secs(30 + kills as u64 * 3),
            "{killed} kills"
        );
        // New jobs come in all the time.
        while enqueued < JOBS * killed / kills + JOBS / 10 && enqueued < JOBS {
            run(again(async || jobs.enqueue(&root(enqueued)).await)).unwrap();
            enqueued += 1;
        }
        while running.len() < PROCESSES {
            seed += 1;
            let skew = match next(&mut state) % 8 {
                0 => 20 * SECOND,
                1 => -20 * SECOND,
                _ => 0,
            };
            let ms = 150 + next(&mut state) % 500;
            let child = start(place, seed, skew, true);
            running.push((child, Instant::now() + Duration::from_millis(ms)));
        }
        running.retain_mut(|(child, until)| {
            let ended = child.try_wait().unwrap();
            if let Some(status) = ended {
                assert!(
                    !status.success() && status.code().is_none(),
                    "a child failed: {status}"
                );
            } else if Instant::now() < *until {
                return true;
            } else {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            killed += 1;
            disturb(killed);
            false
        });
        std::thread::sleep(Duration::from_millis(5));
    }
    for (child, _) in &mut running {
        let _ = child.kill();
        let _ = child.wait();
    }
    for n in enqueued..JOBS {
        run(again(async || jobs.enqueue(&root(n)).await)).unwrap();
    }
    // Sent again, because the sender does not know whether it was taken.
    for n in (0..JOBS).step_by(17) {
        let answer = run(again(async || jobs.enqueue(&root(n)).await)).unwrap();
        assert!(!answer.created, "root {n}");
    }
    // One that does not die finishes what is left; its clock is later than all others.
    let mut last = start(place, 0, 120 * SECOND, false);
    let finished = Instant::now() + Duration::from_secs(120);
    loop {
        let counts = run(jobs.counts()).unwrap();
        let done: u64 = counts.iter().map(|c| c.done).sum();
        if done == 2 * JOBS as u64 {
            break;
        }
        assert!(Instant::now() < finished, "{counts:?}");
        assert!(last.try_wait().unwrap().is_none(), "the last child ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    last.kill().unwrap();
    last.wait().unwrap();
    run(look(&jobs));
}

/// Every job was finished once, and the log says the same.
async fn look(jobs: &Jobs) {
    let mut all = BTreeMap::new();
    let mut filter = JobFilter {
        limit: Some(1_000),
        ..JobFilter::default()
    };
    loop {
        let page = jobs.list(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        all.extend(page.into_iter().map(|job| (job.id, job)));
    }
    assert_eq!(all.len(), 2 * JOBS);
    let mut numbers = BTreeMap::<&str, Vec<u64>>::new();
    for job in all.values() {
        assert_eq!(job.state, JobState::Done, "{job:?}");
        // The answer that was kept is that of the last holder.
        assert_eq!(job.result, Some(json!({"token": job.token})));
        let n = job.spec["n"].as_u64().unwrap();
        numbers.entry(&job.kind).or_default().push(n);
    }
    for kind in ["root", "leaf"] {
        let of_kind = numbers.get_mut(kind).unwrap();
        of_kind.sort_unstable();
        assert_eq!(*of_kind, (0..JOBS as u64).collect::<Vec<_>>(), "{kind}");
    }
    let mut completed = BTreeMap::<String, usize>::new();
    let (mut claims, mut rescues, mut after) = (0, 0, 0);
    loop {
        let page = jobs.changes(after, 5_000, Duration::ZERO).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.seq;
        for record in page {
            match record.action.as_str() {
                "job.complete" => *completed.entry(record.object).or_default() += 1,
                "job.claim" => claims += 1,
                "job.rescue" => rescues += 1,
                _ => {}
            }
        }
    }
    assert_eq!(completed.len(), 2 * JOBS);
    assert!(completed.values().all(|n| *n == 1), "{completed:?}");
    assert!(
        rescues > 0,
        "nothing was rescued: nobody died while working"
    );
    let report = jobs.audit_verify(&[]).await.unwrap();
    assert!(report.whole, "{report:?}");
    eprintln!(
        "{} jobs, {claims} claims, {rescues} rescues, {} records",
        all.len(),
        report.records
    );
}

fn kills(default: usize) -> usize {
    std::env::var("AURA_CHAOS_KILLS").map_or(default, |n| n.parse().unwrap())
}

#[test]
fn sqlite_survives_killed_processes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("aura.db");
    let place = file.to_str().unwrap().to_owned();
    // Somebody else holds the database now and then.
    let stop = Arc::new(AtomicBool::new(false));
    let busy = std::thread::spawn({
        let (stop, file) = (stop.clone(), file.clone());
        move || {
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
                hold(&file, Duration::from_millis(150));
            }
        }
    });
    chaos(&place, kills(60), |_| {});
    stop.store(true, Ordering::Relaxed);
    busy.join().unwrap();
}

/// Keeps everybody from writing for a while.
fn hold(file: &Path, time: Duration) {
    if let Ok(conn) = rusqlite::Connection::open(file)
        && conn.busy_timeout(Duration::from_secs(5)).is_ok()
        && conn.execute_batch("BEGIN IMMEDIATE").is_ok()
    {
        std::thread::sleep(time);
        conn.execute_batch("ROLLBACK").unwrap();
    }
}

/// A server of this test alone, so that it may be restarted.
#[cfg(feature = "postgres")]
#[test]
fn postgres_survives_killed_processes_and_restarts() {
    let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = format!("{}/tests/job/server.py", env!("CARGO_MANIFEST_DIR"));
    let mut server = Command::new(&python)
        .args([&script, "--own"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = server.stdin.take().unwrap();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    let mut url = String::new();
    output.read_line(&mut url).unwrap();
    assert!(
        url.starts_with("postgres://"),
        "{script} says why there is no server"
    );
    let place = format!("{}#chaos", url.trim());
    let all = kills(30);
    let mut restarts = 0;
    chaos(&place, all, |killed| {
        if killed % (all / 5).max(1) == 0 {
            writeln!(input, "restart").unwrap();
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            assert_eq!(line, "restarted\n");
            restarts += 1;
        }
    });
    assert!(restarts >= 5, "{restarts}");
    drop(input);
    server.wait().unwrap();
}

/// The process with a pool that is killed while it works.
#[test]
#[ignore = "the process that `a_killed_pool_is_replaced_in_time` starts and kills"]
fn pool_child() {
    let place = std::env::var("AURA_CHAOS_STORE").unwrap();
    run(async {
        let jobs = Jobs::sqlite(&place).open().await.unwrap();
        let _pool = Pool::builder(&jobs)
            .handler("work", |job: JobContext| async move {
                if job.job().attempt == 1 {
                    std::future::pending::<()>().await;
                }
                Ok(Value::Null)
            })
            .start()
            .unwrap();
        std::future::pending::<()>().await;
    });
}

/// With the default settings, a job whose process was killed is finished by another within 40 seconds.
#[test]
fn a_killed_pool_is_replaced_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("aura.db");
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "pool_child",
                "--exact",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("AURA_CHAOS_STORE", &file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let jobs = run(Jobs::sqlite(&file).open()).unwrap();
    let job = run(jobs.enqueue(&JobSpec::new("work", Value::Null)))
        .unwrap()
        .job;
    let mut first = start();
    let state = |id: JobId| run(jobs.status(id)).unwrap().state;
    let until = Instant::now() + Duration::from_secs(20);
    while state(job.id) != JobState::Processing {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let killed = Instant::now();
    let mut second = start();
    let done = run(jobs.wait(job.id, Some(Duration::from_secs(60)))).unwrap();
    let took = killed.elapsed();
    second.kill().unwrap();
    second.wait().unwrap();
    assert_eq!((done.state, done.attempt), (JobState::Done, 2));
    assert!(took < Duration::from_secs(40), "{took:?}");
    eprintln!("rescued and done {took:?} after the kill (bar 40 s)");
}
