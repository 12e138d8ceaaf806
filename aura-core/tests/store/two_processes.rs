//! Two processes that write to one directory at once: every event counts once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aura_core::ingest::Source;
use aura_core::store::{Store, StoreSettings};

use crate::common::{ask, batch, counts, csv, open, run, sums};

const DIR: &str = "AURA_TWO_PROCESSES_DIR";
const NAME: &str = "AURA_TWO_PROCESSES_NAME";
const ROUNDS: usize = 12;
/// Rows of an append and of a file.
const ROWS: usize = 300;

/// Flushes and compacts by itself as well, and early.
fn settings() -> StoreSettings {
    StoreSettings {
        flush_bytes: 40_000,
        flush_after_s: 1,
        compact_files: 3,
        ..StoreSettings::default()
    }
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{path:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
#[ignore = "the processes that `two_processes_write_at_once` starts"]
fn child() {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let name = std::env::var(NAME).unwrap();
    run(async {
        let store = Store::builder(dir.join("my.aura"))
            .settings(settings())
            .open()
            .await
            .unwrap();
        std::fs::write(dir.join(format!("{name} is there")), "").unwrap();
        wait_for(&dir.join("go"));
        let mut accepted = 0;
        for round in 0..ROUNDS {
            let mut add = |report| accepted += sums(&report).1;
            // What only this process has; what both have, whole and in part; and the same again.
            let own = batch(&format!("own {name} {round}"), 0, ROWS);
            add(store.append(own.clone()).await.unwrap());
            let both = format!("both {round}");
            add(store.append(batch(&both, 0, ROWS)).await.unwrap());
            let first = if name == "a" { 0 } else { ROWS / 2 };
            let overlapping = batch(&format!("part {round}"), first, ROWS);
            add(store.append(overlapping).await.unwrap());
            add(store.append(own).await.unwrap());
            // The same file, and one of its own.
            add(store
                .ingest(dir.join(format!("{round}.csv")))
                .await
                .unwrap());
            let text = csv(&format!("file {name} {round}"), 0, ROWS);
            add(store.ingest(Source::bytes("own", text)).await.unwrap());
            match round % 4 {
                1 => drop(store.flush().await.unwrap()),
                3 => drop(store.compact().await.unwrap()),
                _ => {}
            }
        }
        println!("\n@accepted {accepted}");
    });
}

fn start(dir: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "two_processes::child",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(DIR, dir)
        .env(NAME, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn two_processes_write_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        let text = csv(&format!("file {round}"), 0, ROWS);
        std::fs::write(dir.path().join(format!("{round}.csv")), text).unwrap();
    }
    let children = ["a", "b"].map(|name| start(dir.path(), name));
    for name in ["a", "b"] {
        wait_for(&dir.path().join(format!("{name} is there")));
    }
    std::fs::write(dir.path().join("go"), "").unwrap();
    let accepted: Vec<i64> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{text}\n{error}");
            let said = text.lines().find_map(|l| l.strip_prefix("@accepted "));
            said.unwrap().parse().unwrap()
        })
        .collect();
    // Of each round: twice the own batch and the own file, the batch and the file of both, and what overlaps.
    let of_a_round = 2 * ROWS + 2 * ROWS + 2 * ROWS + ROWS + ROWS / 2;
    let events = (ROUNDS * of_a_round) as i64;
    assert_eq!(accepted.iter().sum::<i64>(), events, "{accepted:?}");
    run(async {
        let store = open(&dir.path().join("my.aura")).await;
        assert_eq!(counts(&store).await, (events, events));
        // Each one under its name, with its own values.
        let sql = "SELECT count(*) FROM events \
                   WHERE CAST(split_part(event_id, '-', 2) AS BIGINT) = n AND actor = concat('u', n % 10)";
        let found = ask(&store.events().await.unwrap(), sql).await;
        assert_eq!(found, [[Some(events.to_string())]]);
        store.compact().await.unwrap();
        assert_eq!(counts(&store).await, (events, events));
        store.expire_snapshots(i64::MAX).await.unwrap();
        let stats = store.stats().await.unwrap();
        assert_eq!(stats.events, events as u64);
        // What lost against the other process has left nothing behind.
        assert_eq!(stats.bytes, stats.bytes_on_disk);
    });
}
