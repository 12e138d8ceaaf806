//! Measures the queue of jobs and prints the figures beside their bars.
//!
//! `cargo run --profile bench --features postgres --example job_bench -- [sqlite] [postgres=URL] [rows=N] [seconds=N]`
//!
//! - throughput: 256 callers, each of which enqueues a job, waits until it is done, and begins again; a worker that claims up to 256 jobs at
//!   a time and completes each. Every step is durable before it is answered, and has its record in the audit log.
//! - latency: on an idle queue, from the call of `enqueue` to the claim by a worker that waits for work; and the same with the worker on another
//!   handle of the same database, as in another process.
//! - with `rows=N`, the same again with N jobs queued (for later) and N finished in the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aura_core::job::{Claim, JobSpec, Jobs, JobsBuilder};
use serde_json::{Value, json};

const CALLERS: usize = 256;

struct Settings {
    rows: usize,
    seconds: u64,
}

fn main() {
    let mut settings = Settings {
        rows: 0,
        seconds: 5,
    };
    let mut stores: Vec<String> = Vec::new();
    for arg in std::env::args().skip(1) {
        match arg.split_once('=') {
            Some(("rows", n)) => settings.rows = n.parse().expect("rows=N"),
            Some(("seconds", n)) => settings.seconds = n.parse().expect("seconds=N"),
            _ => stores.push(arg),
        }
    }
    if stores.is_empty() {
        stores.push("sqlite".to_owned());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    println!(
        "fsync of 4 KiB appended to a file: {:.2} ms (median of 200)",
        fsync_ms()
    );
    for store in stores {
        let dir = tempfile::tempdir_in(".").unwrap();
        let open = || -> JobsBuilder {
            match store.split_once('=') {
                None if store == "sqlite" => Jobs::sqlite(dir.path().join("aura.db")),
                None if store == "memory" => Jobs::in_memory(),
                #[cfg(feature = "postgres")]
                Some(("postgres", url)) => Jobs::postgres(url).schema("aura_job_bench"),
                _ => panic!("{store}: expected sqlite, memory or postgres=URL"),
            }
        };
        let name = store.split('=').next().unwrap().to_owned();
        let bar = if name == "postgres" { 5_000 } else { 10_000 };
        runtime.block_on(async {
            let jobs = open().open().await.unwrap();
            let empty = throughput(&jobs, &settings).await;
            println!("{name}: {empty:.0} jobs/s enqueued, run and completed, {CALLERS} callers (bar {bar})");
            latency(&name, &jobs, &jobs).await;
            if name != "memory" {
                let other = open().open().await.unwrap();
                latency(&format!("{name}, worker elsewhere"), &other, &jobs).await;
            }
            if settings.rows > 0 {
                fill(&jobs, settings.rows).await;
                let full = throughput(&jobs, &settings).await;
                println!(
                    "{name}: {full:.0} jobs/s with {} queued and {} finished in the table: {:.0} % of the above (bar 80 %)",
                    settings.rows,
                    settings.rows,
                    100.0 * full / empty
                );
                latency(&format!("{name}, full table"), &jobs, &jobs).await;
            }
            let began = Instant::now();
            let report = jobs.audit_verify(&[]).await.unwrap();
            assert!(report.whole, "{report:?}");
            println!(
                "{name}: audit log of {} records verified in {:.2} s",
                report.records,
                began.elapsed().as_secs_f64()
            );
        });
    }
}

/// The time of the step that a durable commit cannot do without.
fn fsync_ms() -> f64 {
    use std::io::Write;
    let mut file = tempfile::tempfile_in(".").unwrap();
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            file.write_all(&[1; 4096]).unwrap();
            let began = Instant::now();
            file.sync_data().unwrap();
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Jobs a second, over `seconds` after one second of warming up.
async fn throughput(jobs: &Jobs, settings: &Settings) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let worker = {
        let (jobs, stop) = (jobs.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let claim = Claim::of(["bench"]).limit(CALLERS as u32).worker("bench");
                let claimed = jobs
                    .claim_within(&claim, Duration::from_millis(20))
                    .await
                    .unwrap();
                for job in claimed.jobs {
                    let jobs = jobs.clone();
                    tokio::spawn(async move {
                        jobs.complete(job.id, job.token, &json!({"n": 1}))
                            .await
                            .unwrap();
                    });
                }
            }
        })
    };
    let callers: Vec<_> = (0..CALLERS)
        .map(|n| {
            let (jobs, stop, done) = (jobs.clone(), stop.clone(), done.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let spec = JobSpec::new("bench", json!({"caller": n}));
                    let id = jobs.enqueue(&spec).await.unwrap().job.id;
                    jobs.wait(id, None).await.unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (began, before) = (Instant::now(), done.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs(settings.seconds)).await;
    let rate = (done.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        let _ = tokio::time::timeout(Duration::from_secs(5), caller).await;
    }
    worker.await.unwrap();
    rate
}

/// From the call of enqueue to the claim, on an idle queue.
async fn latency(name: &str, worker: &Jobs, caller: &Jobs) {
    let began = Instant::now();
    let (claimed, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let stop = Arc::new(AtomicBool::new(false));
    let task = {
        let (jobs, stop) = (worker.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let half = Duration::from_millis(500);
                let mine = jobs.claim_within(&Claim::of(["idle"]), half).await.unwrap();
                if let Some(job) = mine.jobs.first() {
                    let _ = claimed.send(began.elapsed());
                    jobs.complete(job.id, job.token, &Value::Null)
                        .await
                        .unwrap();
                }
            }
        })
    };
    let mut times = Vec::new();
    for n in 0..300 {
        tokio::time::sleep(Duration::from_millis(20 + n % 7)).await;
        let start = began.elapsed();
        caller
            .enqueue(&JobSpec::new("idle", Value::Null))
            .await
            .unwrap();
        let end = seen.recv().await.unwrap();
        times.push((end.saturating_sub(start)).as_secs_f64() * 1e3);
    }
    stop.store(true, Ordering::Relaxed);
    task.await.unwrap();
    times.sort_by(f64::total_cmp);
    println!(
        "{name}: enqueue to claim on an idle queue: p50 {:.1} ms, p99 {:.1} ms (bar 20 ms)",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
}

/// Puts jobs into the table: queued for later, and done.
async fn fill(jobs: &Jobs, rows: usize) {
    let later = JobSpec::new("bench", json!({"caller": 0})).delay_ms(86_400_000);
    let soon = JobSpec::new("fill", json!({"caller": 0}));
    for _ in 0..rows / 1_000 {
        let batch: Vec<JobSpec> = vec![later.clone(); 1_000];
        jobs.enqueue_all(&batch).await.unwrap();
        let batch: Vec<JobSpec> = vec![soon.clone(); 1_000];
        jobs.enqueue_all(&batch).await.unwrap();
        let claimed = jobs.claim(&Claim::of(["fill"]).limit(1_000)).await.unwrap();
        assert_eq!(claimed.jobs.len(), 1_000);
        let completing: Vec<_> = claimed
            .jobs
            .into_iter()
            .map(|job| {
                let jobs = jobs.clone();
                tokio::spawn(async move { jobs.complete(job.id, job.token, &Value::Null).await })
            })
            .collect();
        for completed in completing {
            completed.await.unwrap().unwrap();
        }
    }
}
