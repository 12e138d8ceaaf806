//! A full disk: what is asked for ends with `ResourceExhausted`, what was acknowledged stays, the store opens and
//! answers, and works again once there is room.
//!
//! The disk is a file system of some megabytes where the test may mount one (as root, or where users have name spaces
//! of their own), and beside that always a limit on the size of files, which needs no rights.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
use aura_core::ingest::Source;
use aura_core::store::Store;
use aura_core::{Error, ErrorKind};

use crate::common::{START, batch, counts, csv, files_below, open, run, sums};

const DIR: &str = "AURA_FULL_DISK_DIR";
/// What the child that could not mount ends with.
const CANNOT_MOUNT: i32 = 77;

/// `rows` events with properties that no compression makes small.
fn incompressible(name: &str, rows: usize) -> RecordBatch {
    let mut state = name.bytes().fold(7u64, |s, b| s * 31 + u64::from(b));
    let mut text = || -> String {
        (0..12)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                format!("{:08x}", state >> 32)
            })
            .collect()
    };
    let noise = StringArray::from_iter_values((0..rows).map(|_| text()));
    let ids = StringArray::from_iter_values((0..rows).map(|i| format!("{name}-{i}")));
    let times = TimestampMicrosecondArray::from_iter_values((0..rows).map(|i| START + i as i64));
    RecordBatch::try_from_iter([
        ("event_id", Arc::new(ids) as _),
        ("actor", Arc::new(StringArray::from(vec!["u"; rows])) as _),
        ("event", Arc::new(StringArray::from(vec!["e"; rows])) as _),
        ("time", Arc::new(times.with_timezone("UTC")) as _),
        ("noise", Arc::new(noise) as _),
    ])
    .unwrap()
}

fn exhausted<T: std::fmt::Debug>(what: &str, outcome: Result<T, Error>) {
    match outcome {
        Err(e) => assert_eq!(e.kind(), ErrorKind::ResourceExhausted, "{what}: {e:?}"),
        Ok(done) => panic!("{what} had room: {done:?}"),
    }
}

/// Appends until there is no room, and returns how many events were acknowledged and the batch that was not.
async fn fill(store: &Store) -> (i64, RecordBatch) {
    let mut acknowledged = 0;
    for n in 0..500 {
        let rows = incompressible(&format!("fill{n}"), 2_000);
        match store.append(rows.clone()).await {
            Ok(report) => {
                assert_eq!(sums(&report), (2_000, 2_000, 0, 0));
                acknowledged += 2_000;
            }
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::ResourceExhausted, "{e:?}");
                return (acknowledged, rows);
            }
        }
    }
    panic!("{acknowledged} events and no end of the disk");
}

/// Every work that writes fails, and changes nothing.
async fn nothing_can_be_written(store: &Store, events: i64, refused: &RecordBatch) {
    exhausted("append", store.append(refused.clone()).await);
    exhausted("flush", store.flush().await);
    let text = csv("more", 0, 100);
    exhausted("ingest", store.ingest(Source::bytes("more", text)).await);
    exhausted("compact", store.compact().await);
    exhausted("expire", store.expire(i64::MAX).await);
    exhausted("erase", store.erase("u1").await);
    assert_eq!(counts(store).await, (events, events));
    assert_eq!(store.stats().await.unwrap().events, events as u64);
}

/// There is room again: what was refused is taken, once, and no file is left over.
async fn everything_works(dir: &Path, store: &Store, mut events: i64, refused: &RecordBatch) {
    assert_eq!(counts(store).await, (events, events));
    let report = store.append(refused.clone()).await.unwrap();
    assert_eq!(sums(&report), (2_000, 2_000, 0, 0));
    let text = csv("more", 0, 100);
    let source = Source::bytes("more", text);
    assert_eq!(sums(&store.ingest(source).await.unwrap()), (100, 100, 0, 0));
    events += 2_100;
    assert_eq!(counts(store).await, (events, events));
    store.flush().await.unwrap();
    assert_eq!(counts(store).await, (events, events));
    store.compact().await.unwrap();
    assert_eq!(counts(store).await, (events, events));
    let again = store.append(refused.clone()).await.unwrap();
    assert_eq!(sums(&again), (2_000, 0, 0, 2_000));
    store.expire_snapshots(i64::MAX).await.unwrap();
    let stats = store.stats().await.unwrap();
    assert_eq!(stats.events, events as u64);
    let left = files_below(dir);
    assert_eq!(left.len() as u64, stats.files, "{left:?}");
    assert_eq!(stats.bytes, stats.bytes_on_disk);
}

fn child(test: &str, script: &str, dir: &Path) -> Output {
    Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(format!("full_disk::{test}"))
        .args(["--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .output()
        .unwrap()
}

fn dir_of_child() -> PathBuf {
    std::env::var_os(DIR)
        .expect("started by the test beside it")
        .into()
}

fn said(output: &Output, key: &str) -> Option<i64> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(&format!("@{key} ")))?;
    line.parse().ok()
}

fn assert_succeeded(output: &Output) {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
}

#[test]
#[ignore = "the process that `a_limit_on_the_size_of_files` starts"]
fn with_small_files() {
    let dir = dir_of_child();
    run(async {
        let store = open(&dir).await;
        let before = counts(&store).await.0;
        let (acknowledged, refused) = fill(&store).await;
        let events = before + acknowledged;
        nothing_can_be_written(&store, events, &refused).await;
        drop(store);
        let store = open(&dir).await;
        assert_eq!(counts(&store).await, (events, events));
        nothing_can_be_written(&store, events, &refused).await;
        println!("\n@events {events}");
    });
}

#[test]
fn a_limit_on_the_size_of_files() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        store.append(batch("first", 0, 1_000)).await.unwrap();
        store.flush().await.unwrap();
        store.append(batch("second", 0, 1_000)).await.unwrap();
    });
    // A write beyond the limit fails once the signal that would end the process is ignored. The unit is 512 bytes, or
    // in some shells 1,024.
    let database = std::fs::metadata(dir.path().join("aura.db")).unwrap().len();
    let blocks = database / 512 + 2_048;
    let script = format!("trap '' XFSZ; ulimit -f {blocks} || exit 1; exec \"$0\" \"$@\"");
    let output = child("with_small_files", &script, dir.path());
    assert_succeeded(&output);
    let events = said(&output, "events").unwrap();
    assert!(events >= 2_000, "{events}");
    run(async {
        let store = open(dir.path()).await;
        let refused = incompressible(&format!("fill{}", (events - 2_000) / 2_000), 2_000);
        everything_works(dir.path(), &store, events, &refused).await;
    });
}

#[test]
#[ignore = "the process that `a_small_file_system` starts"]
fn on_a_small_file_system() {
    let disk = dir_of_child();
    let dir = disk.join("my.aura");
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1; 36 << 20]).unwrap();
    run(async {
        let store = open(&dir).await;
        store.append(batch("first", 0, 1_000)).await.unwrap();
        store.flush().await.unwrap();
        store.append(batch("second", 0, 1_000)).await.unwrap();
        let (acknowledged, refused) = fill(&store).await;
        let events = 2_000 + acknowledged;
        // To the last byte.
        let mut rest = std::fs::File::create(disk.join("rest")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let piece = vec![2; size];
            while rest.write_all(&piece).is_ok() {}
        }
        drop(rest);
        nothing_can_be_written(&store, events, &refused).await;
        drop(store);
        let store = open(&dir).await;
        assert_eq!(counts(&store).await, (events, events));
        nothing_can_be_written(&store, events, &refused).await;
        // Room, and the same store goes on.
        std::fs::remove_file(&ballast).unwrap();
        std::fs::remove_file(disk.join("rest")).unwrap();
        everything_works(&dir, &store, events, &refused).await;
        drop(store);
        let events = events + 2_100;
        assert_eq!(counts(&open(&dir).await).await, (events, events));
        println!("\n@events {events}");
    });
}

#[test]
fn a_small_file_system() {
    let disk = tempfile::tempdir().unwrap();
    let mount = format!(
        "mount -t tmpfs -o size=48m aura-test \"${DIR}\" || exit {CANNOT_MOUNT}; exec \"$0\" \"$@\""
    );
    // The mount is in a name space of the child's, and goes with it.
    for space in ["unshare -m", "unshare -r -m"] {
        let script = format!("exec {space} sh -c '{mount}' \"$0\" \"$@\"");
        let output = child("on_a_small_file_system", &script, disk.path());
        let unshared = !String::from_utf8_lossy(&output.stderr).contains("unshare");
        if unshared && output.status.code() != Some(CANNOT_MOUNT) {
            assert_succeeded(&output);
            assert!(said(&output, "events").unwrap() > 4_100);
            return;
        }
    }
    eprintln!("no file system can be mounted here; `a_limit_on_the_size_of_files` stands alone");
}
