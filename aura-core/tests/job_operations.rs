//! The operations of the library as jobs.

#[path = "../../examples/jobs/main.rs"]
#[expect(dead_code, reason = "its main function is that of the program")]
mod example;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use aura_core::job::{JobId, JobRecord, JobSpec, JobState, Jobs, Pool, operations};
use aura_core::store::Store;
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z
const START_S: usize = 1_767_225_600;
const LONG: Option<Duration> = Some(Duration::from_secs(60));

fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

/// Events of 10 actors, one an hour.
fn csv(rows: usize) -> String {
    let mut text = String::from("event_id,actor,event,time\n");
    for i in 0..rows {
        let (event, time) = (["view", "buy"][i % 2], START_S + i * 3_600);
        text.push_str(&format!("e{i},u{},{event},{time}\n", i % 10));
    }
    text
}

async fn done(jobs: &Jobs, kind: &str, spec: Value) -> JobRecord {
    let job = jobs.enqueue(&JobSpec::new(kind, spec)).await.unwrap().job;
    jobs.wait(job.id, LONG).await.unwrap()
}

#[test]
fn every_operation_runs_as_a_job() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("in.csv"), csv(2_000)).unwrap();
    run(async {
        let store = Store::open(path("my.aura")).await.unwrap();
        let jobs = Jobs::of_store(&store).open().await.unwrap();
        let pool = Pool::builder(&jobs).operations(&store).start().unwrap();
        let mut seen = Vec::new();
        let mut ask = async |kind: &'static str, spec: Value| {
            let job = done(&jobs, kind, spec).await;
            assert_eq!(job.state, JobState::Done, "{kind}: {:?}", job.error);
            seen.push(kind);
            job.result.unwrap()
        };
        let report = ask("ingest", json!({"source": path("in.csv")})).await;
        assert_eq!(
            (&report["accepted"], &report["rejected"]),
            (&json!(2_000), &json!(0))
        );
        assert_eq!(ask("flush", json!({})).await["rows"], 0);
        ask("compact", Value::Null).await;
        let counted = ask(
            "sql",
            json!({"query": "select event, count(*) as n from events group by event order by event"}),
        )
        .await;
        assert_eq!(
            counted["rows"],
            json!([{"event": "buy", "n": 1_000}, {"event": "view", "n": 1_000}])
        );
        let active = ask(
            "metrics",
            json!({"query": {"metrics": ["active_actors"], "grain": "month"}, "output": path("active.csv")}),
        )
        .await;
        assert_eq!(active["file"], path("active.csv"));
        assert!(
            std::fs::read_to_string(path("active.csv"))
                .unwrap()
                .contains("active_actors")
        );
        let funnel = ask(
            "analysis",
            json!({"analysis": {"funnel": {"steps": ["view", "buy"], "within": "7d"}}}),
        )
        .await;
        assert_eq!(funnel["row_count"], 2);
        let findings = ask("insights", json!({"insights": {}})).await;
        assert!(findings.is_object());
        ask(
            "report",
            json!({"report": {"title": "Jobs"}, "html": path("report.html"), "markdown": path("report.md")}),
        )
        .await;
        assert!(
            std::fs::read_to_string(path("report.html"))
                .unwrap()
                .contains("Jobs")
        );
        let erased = ask("erase", json!({"actor": "u1"})).await;
        // Counted in the files of all snapshots: before and after the compaction.
        assert!(erased["events"].as_u64().unwrap() >= 200, "{erased}");
        let left = ask(
            "sql",
            json!({"query": "select count(*) as n from events where actor = 'u1'"}),
        )
        .await;
        assert_eq!(left["rows"], json!([{"n": 0}]));
        ask("expire", json!({"older_than_us": START_S * 1_000_000})).await;
        seen.sort_unstable();
        seen.dedup();
        let mut all: Vec<&str> = operations().collect();
        all.sort_unstable();
        assert_eq!(seen, all, "each operation of the library was a job");

        for (kind, spec, words) in [
            (
                "ingest",
                json!({"source": path("in.csv"), "colour": 1}),
                "unknown field `colour`",
            ),
            ("ingest", json!({"source": path("none.csv")}), "none.csv"),
            (
                "sql",
                json!({"query": "select nothing from events"}),
                "nothing",
            ),
            (
                "metrics",
                json!({"query": {"metrics": ["no_such_metric"]}}),
                "no_such_metric",
            ),
            (
                "sql",
                json!({"query": "select 1", "output": path("x.doc")}),
                "names no format",
            ),
            ("report", json!({}), "names no file"),
            ("flush", json!({"now": true}), "unknown field `now`"),
        ] {
            let job = done(&jobs, kind, spec).await;
            assert_eq!(
                (job.state, job.attempt),
                (JobState::Failed, 1),
                "{kind} {words}"
            );
            let error = job.error.unwrap();
            assert!(error.message.contains(words), "{kind}: {}", error.message);
        }
        assert!(!Path::new(&path("x.doc")).exists());
        pool.shutdown(Duration::from_secs(5)).await;
    });
}

/// Jobs may be the first in a database that becomes a store.
#[test]
fn a_store_is_made_around_the_jobs() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let jobs = Jobs::sqlite(dir.path().join("aura.db"))
            .open()
            .await
            .unwrap();
        let job = jobs
            .enqueue(&JobSpec::new("flush", json!({})))
            .await
            .unwrap()
            .job;
        let store = Store::open(dir.path()).await.unwrap();
        let pool = Pool::builder(&jobs).operations(&store).start().unwrap();
        assert_eq!(jobs.wait(job.id, LONG).await.unwrap().state, JobState::Done);
        pool.shutdown(Duration::from_secs(5)).await;
    });
}

/// The example, as a process of its own.
#[test]
#[ignore = "the process that `the_example_is_killed_and_finishes_after_a_restart` starts"]
fn child() {
    let args = std::env::var("AURA_EXAMPLE_ARGS").unwrap();
    run(example::run(args.split('|').map(str::to_owned))).unwrap();
}

#[test]
fn the_example_is_killed_and_finishes_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("my.aura");
    let input = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/data/workspace/workspace.ndjson.gz");
    let start = |more: &str| {
        let args = format!("{}|{}{more}", input.display(), store.display());
        Command::new(std::env::current_exe().unwrap())
            .args([
                "child",
                "--exact",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("AURA_EXAMPLE_ARGS", args)
            .stderr(Stdio::inherit())
            .output()
            .unwrap()
    };
    let killed = start("|--die-after|3");
    assert!(killed.status.code().is_none(), "{:?}", killed.status);
    assert!(!store.join("report.html").exists());
    let states = || {
        run(async {
            let jobs = Jobs::sqlite(store.join("aura.db")).open().await.unwrap();
            let mut all = jobs.list(&Default::default()).await.unwrap();
            all.reverse();
            all
        })
    };
    let half: Vec<JobState> = states().iter().map(|job| job.state).collect();
    assert_eq!(half[..3], [JobState::Done; 3]);
    assert!(
        half[4..].iter().all(|state| *state == JobState::Queued),
        "{half:?}"
    );

    let finished = start("");
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(finished.status.success(), "{said}");
    assert!(said.contains("is whole"), "{said}");
    let all = states();
    assert_eq!(all.len(), 6);
    for (n, job) in all.iter().enumerate() {
        assert_eq!(job.state, JobState::Done);
        assert_eq!(job.id, JobId(n as i64 + 1));
        // What was done before the kill was not done again.
        assert!(job.attempt == 1 || n == 3, "{job:?}");
    }
    for file in ["active.csv", "retention.csv", "report.html"] {
        assert!(store.join(file).exists(), "{file}");
    }
}
