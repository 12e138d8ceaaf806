//! Kills a writing process at random moments and looks at what is left: every acknowledged event must be
//! there exactly once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use aura_core::ingest::Source;
use aura_core::store::{Store, StoreSettings};

const KILLS: u64 = 200;
/// 2026-01-01T00:00:00Z
const START: i64 = 1_767_225_600_000_000;
const DAY: i64 = 86_400_000_000;

fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

/// Steps of a pseudo-random sequence (SplitMix64), so that a failing run can be repeated.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn batch(name: &str, actor: &str, rows: usize, at: i64) -> RecordBatch {
    let ids = StringArray::from_iter_values((0..rows).map(|i| format!("{name}-{i}")));
    let times =
        TimestampMicrosecondArray::from_iter_values((0..rows).map(|i| at + i as i64 * DAY / 4));
    RecordBatch::try_from_iter([
        ("event_id", Arc::new(ids) as _),
        ("actor", Arc::new(StringArray::from(vec![actor; rows])) as _),
        ("event", Arc::new(StringArray::from(vec!["e"; rows])) as _),
        ("time", Arc::new(times.with_timezone("UTC")) as _),
    ])
    .unwrap()
}

fn settings() -> StoreSettings {
    StoreSettings {
        flush_bytes: 20_000,
        compact_files: 3,
        ..StoreSettings::default()
    }
}

/// The process that is killed. It says on standard output what was acknowledged.
#[test]
#[ignore = "the process that `every_acknowledged_event_survives_kill` starts and kills"]
fn child() {
    let dir = std::env::var("AURA_CRASH_DIR").unwrap();
    let seed: u64 = std::env::var("AURA_CRASH_SEED").unwrap().parse().unwrap();
    run(async {
        let store = Store::builder(&dir)
            .settings(settings())
            .open()
            .await
            .unwrap();
        let say = |line: String| {
            let mut out = std::io::stdout().lock();
            writeln!(out, "\n@{line}").unwrap();
            out.flush().unwrap();
        };
        say("open".to_owned());
        let mut state = seed;
        for step in 0.. {
            let name = format!("s{seed}x{step}");
            match next(&mut state) % 16 {
                0 => drop(store.flush().await.unwrap()),
                1 => drop(store.compact().await.unwrap()),
                2 => {
                    let actor = format!("gone{seed}x{step}");
                    store.append(batch(&name, &actor, 7, START)).await.unwrap();
                    store.erase(actor.clone()).await.unwrap();
                    say(format!("erased {actor}"));
                }
                3 => {
                    let old = START - 400 * DAY;
                    store.append(batch(&name, "old", 5, old)).await.unwrap();
                    store.expire(START - 300 * DAY).await.unwrap();
                    say(format!("expired {name}"));
                }
                4..=6 => {
                    let mut text = String::from("event_id,actor,event,time\n");
                    for i in 0..300 {
                        text.push_str(&format!(
                            "{name}-{i},u{},bulk,2026-0{}-01T00:00:00Z\n",
                            i % 9,
                            i % 4 + 1
                        ));
                    }
                    let report = store
                        .ingest(Source::bytes(name.clone(), text))
                        .await
                        .unwrap();
                    assert_eq!(report.accepted, 300);
                    say(format!("ack {name} 300"));
                }
                _ => {
                    // Sent twice: an answer that was lost is asked for again.
                    let rows = 1 + (next(&mut state) % 40) as usize;
                    let sent = batch(&name, "u1", rows, START);
                    store.append(sent.clone()).await.unwrap();
                    say(format!("ack {name} {rows}"));
                    assert_eq!(store.append(sent).await.unwrap().accepted, 0);
                }
            }
        }
    });
}

#[test]
fn every_acknowledged_event_survives_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<String, usize> = BTreeMap::new();
    let (mut erased, mut expired) = (HashSet::new(), HashSet::new());
    let mut state = 1;
    let mut kills = 0;
    for seed in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "child",
                "--exact",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("AURA_CRASH_DIR", dir.path())
            .env("AURA_CRASH_SEED", seed.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            lines
                .lines()
                .map_while(Result::ok)
                .filter(|l| l.starts_with('@'))
                .collect::<Vec<_>>()
        });
        std::thread::sleep(Duration::from_millis(40 + next(&mut state) % 260));
        assert!(
            child.try_wait().unwrap().is_none(),
            "seed {seed}: the child ended by itself"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        for line in reader.join().unwrap() {
            let mut words = line.trim_start_matches('@').split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("ack"), Some(name), Some(rows)) => {
                    if let Ok(rows) = rows.parse() {
                        acknowledged.insert(name.to_owned(), rows);
                    }
                }
                (Some("erased"), Some(actor), _) => drop(erased.insert(actor.to_owned())),
                (Some("expired"), Some(name), _) => drop(expired.insert(name.to_owned())),
                _ => {}
            }
        }
        if seed % 20 == 19 {
            check(dir.path(), &acknowledged, &erased, &expired);
        }
    }
    assert!(
        kills >= KILLS && acknowledged.len() > 100,
        "{kills} kills, {} acks",
        acknowledged.len()
    );
    assert!(!erased.is_empty() && !expired.is_empty());
}

/// The id and the actor of every event, sorted, as a program reads them that shares no code with AURA.
fn in_duckdb(dir: &Path) -> Vec<(String, String)> {
    let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/check_ducklake.py");
    let output = Command::new(python)
        .arg(script)
        .arg("sql")
        .arg(dir.join("aura.db"))
        .arg("SELECT event_id, actor FROM lake.events ORDER BY ALL")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "check_ducklake.py failed:\n{}\nSet AURA_PYTHON to an interpreter that has the packages.",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut found: Vec<Vec<(String, String)>> = serde_json::from_slice(&output.stdout).unwrap();
    found.pop().unwrap()
}

fn check(
    dir: &Path,
    acknowledged: &BTreeMap<String, usize>,
    erased: &HashSet<String>,
    expired: &HashSet<String>,
) {
    let rows: Vec<(String, String)> = run(async {
        let store = Store::builder(dir)
            .settings(settings())
            .open()
            .await
            .unwrap();
        let events = store.events().await.unwrap();
        let table = events
            .sql("SELECT event_id, actor FROM events")
            .await
            .unwrap();
        let batch = table.to_batch().unwrap();
        // DuckDB sees what is flushed.
        store.flush().await.unwrap();
        let text = |c: usize| {
            let column =
                arrow::compute::cast(batch.column(c), &arrow::datatypes::DataType::Utf8).unwrap();
            column
                .as_string::<i32>()
                .iter()
                .map(|v| v.unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        text(0).into_iter().zip(text(1)).collect()
    });
    let mut own: Vec<&(String, String)> = rows.iter().collect();
    own.sort_unstable();
    let theirs = in_duckdb(dir);
    assert_eq!(theirs.len(), own.len(), "DuckDB counts other rows");
    assert!(
        theirs.iter().eq(own),
        "DuckDB sees other rows than AURA does"
    );
    let mut stored: HashMap<&str, usize> = HashMap::new();
    let mut seen = HashSet::new();
    for (id, actor) in &rows {
        assert!(seen.insert(id), "event {id} is there twice");
        assert!(
            !erased.contains(actor),
            "event {id} of the erased {actor} is there"
        );
        let (name, _) = id.rsplit_once('-').unwrap();
        assert!(!expired.contains(name), "the expired event {id} is there");
        *stored.entry(name).or_default() += 1;
    }
    for (name, rows) in acknowledged {
        assert_eq!(
            stored.get(name.as_str()),
            Some(rows),
            "acknowledged batch {name}"
        );
    }
}
