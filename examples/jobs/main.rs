//! Ingests, analyses and reports as jobs, and finishes them after it was killed.
//!
//! `cargo run --example jobs [-- INPUT [STORE] [--die-after N]]`
//!
//! The jobs are written down in the store's database before any is begun. `--die-after N` ends the process as `kill -9` does once N of them are
//! done, in the middle of the next; the same command without it finds the jobs, takes back the one that was begun, and finishes. `INPUT` is a
//! file (default the sample in `examples/data/workspace`), `STORE` a directory (default `jobs.aura`), in which the answers are put as well.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use aura_core::job::{JobSettings, JobSpec, JobState, Jobs, Pool, PoolSettings};
use aura_core::store::Store;
use aura_core::{Error, Result};
use serde_json::json;

const SAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/data/workspace/workspace.ndjson.gz"
);

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error ({}): {e}", e.kind());
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn run(args: impl IntoIterator<Item = String>) -> Result<()> {
    let (mut places, mut die_after) = (Vec::new(), None);
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--die-after" => die_after = args.next().and_then(|n| n.parse().ok()),
            _ => places.push(arg),
        }
    }
    let mut places = places.into_iter();
    let input = places.next().unwrap_or_else(|| SAMPLE.to_owned());
    let place = places.next().unwrap_or_else(|| "jobs.aura".to_owned());

    let store = Store::open(&place).await?;
    // A short lease, so that the restart need not wait long for what the dead process held.
    let settings = JobSettings {
        lease_ms: 2_000,
        ..JobSettings::default()
    };
    let jobs = Jobs::of_store(&store).settings(settings).open().await?;

    let file = |name: &str| Path::new(&place).join(name).to_string_lossy().into_owned();
    let steps = [
        (
            "ingest",
            json!({"source": input, "roles": {"actor": "user_id"}}),
        ),
        ("compact", json!({})),
        (
            "sql",
            json!({"query": "select event, count(*) as n from events group by event order by n desc, event"}),
        ),
        (
            "metrics",
            json!({"query": {"metrics": ["active_actors"], "grain": "week"}, "output": file("active.csv")}),
        ),
        (
            "analysis",
            json!({"analysis": {"retention": {"period": "week"}}, "output": file("retention.csv")}),
        ),
        (
            "report",
            json!({"report": {"title": "Workspace"}, "html": file("report.html")}),
        ),
    ];
    let mut ids = Vec::new();
    for (n, (kind, spec)) in steps.into_iter().enumerate() {
        // The key makes a second run of this program find the jobs of the first.
        let spec = JobSpec::new(kind, spec)
            .priority(-(n as i8))
            .idempotency_key(format!("{kind} of {input}"));
        let enqueued = jobs.enqueue(&spec).await?;
        let word = if enqueued.created {
            "enqueued"
        } else {
            "found"
        };
        println!(
            "{word} job {} ({kind}), {}",
            enqueued.job.id, enqueued.job.state
        );
        ids.push(enqueued.job.id);
    }

    // One at a time: each needs what the one before made.
    let pool = Pool::builder(&jobs)
        .settings(PoolSettings {
            concurrency: 1,
            ..PoolSettings::default()
        })
        .operations(&store)
        .start()?;
    for (n, id) in ids.iter().enumerate() {
        if die_after == Some(n) {
            while jobs.status(*id).await?.state == JobState::Queued {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            die();
        }
        let job = jobs.wait(*id, None).await?;
        println!(
            "job {} ({}) is {} after {} attempt(s)",
            job.id, job.kind, job.state, job.attempt
        );
        if let (JobState::Failed, Some(error)) = (job.state, job.error) {
            return Err(Error::internal(format!(
                "{}: {}",
                error.kind, error.message
            )));
        }
    }
    pool.shutdown(Duration::from_secs(5)).await;
    let log = jobs.audit_verify(&[]).await?;
    println!(
        "the log has {} records and is {}",
        log.records,
        if log.whole { "whole" } else { "damaged" }
    );
    println!(
        "answers: {}",
        file("active.csv, retention.csv, report.html")
    );
    Ok(())
}

/// Ends this process at once: nothing is flushed, no destructor runs.
fn die() -> ! {
    let _ = Command::new("kill")
        .args(["-9", &std::process::id().to_string()])
        .status();
    std::process::abort()
}
