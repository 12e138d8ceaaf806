//! The store as DuckDB sees it (`tests/interop/check_ducklake.py`, run by `AURA_PYTHON`): the same rows and the same
//! checksum of each column as AURA's own, after everything that changes it; and what DuckDB writes, as AURA sees it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::DataType;
use aura_core::engine::Events;
use aura_core::ingest::Source;
use aura_core::store::{SnapshotAt, Store};
use aura_core::time::ManualClock;
use serde_json::{Value, json};

use crate::common::{DAY, START, ask, batch, counts, quiet, repository, run, sums};

fn python(command: &str, dir: &Path, args: &[&str]) -> Value {
    let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/check_ducklake.py");
    let output = Command::new(python)
        .arg(script)
        .arg(command)
        .arg(dir.join("aura.db"))
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "check_ducklake.py {command} {args:?} failed:\n{}\nSet AURA_PYTHON to an interpreter that has the packages.",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

type Rows = Vec<Vec<Option<String>>>;

/// How many values a column has, and their sum in an order-free form.
fn checksums(columns: &[String], rows: &Rows) -> BTreeMap<String, (usize, u64)> {
    let of = |at: usize| {
        rows.iter()
            .filter_map(|row| row[at].as_ref())
            .fold((0, 0u64), |(count, sum), value| {
                let mut hasher = DefaultHasher::new();
                value.hash(&mut hasher);
                (count + 1, sum.wrapping_add(hasher.finish()))
            })
    };
    columns
        .iter()
        .enumerate()
        .map(|(at, name)| (name.clone(), of(at)))
        .collect()
}

/// A value in the one form that both programs' texts are brought to.
fn same_form(ty: &DataType, value: Option<String>) -> Option<String> {
    let value = value?;
    Some(match ty {
        DataType::Float64 => value.parse::<f64>().unwrap().to_bits().to_string(),
        _ => value,
    })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All rows of AURA's, sorted, with the names and types of the columns.
async fn ours(events: &Events) -> (Vec<(String, DataType)>, Rows) {
    let columns: Vec<(String, DataType)> = events
        .schema()
        .fields()
        .iter()
        .map(|f| (f.name().clone(), f.data_type().clone()))
        .collect();
    let values: Vec<String> = columns
        .iter()
        .map(|(name, ty)| match ty {
            DataType::Timestamp(..) => format!("CAST({} AS BIGINT)", quoted(name)),
            _ => quoted(name),
        })
        .collect();
    let sql = format!("SELECT {} FROM events", values.join(", "));
    (columns.clone(), sorted(&columns, ask(events, &sql).await))
}

fn sorted(columns: &[(String, DataType)], rows: Rows) -> Rows {
    let mut rows: Rows = rows
        .into_iter()
        .map(|row| {
            let both = row.into_iter().zip(columns);
            both.map(|(value, (_, ty))| same_form(ty, value)).collect()
        })
        .collect();
    rows.sort();
    rows
}

/// All rows that DuckDB sees, sorted.
fn theirs(dir: &Path, columns: &[(String, DataType)], version: Option<i64>) -> Rows {
    let values: Vec<String> = columns
        .iter()
        .map(|(name, ty)| match ty {
            DataType::Timestamp(..) => format!("epoch_us({})::VARCHAR", quoted(name)),
            _ => format!("{}::VARCHAR", quoted(name)),
        })
        .collect();
    let at = version.map_or(String::new(), |v| format!(" AT (VERSION => {v})"));
    let sql = format!("SELECT {} FROM lake.events{at}", values.join(", "));
    let found = python("sql", dir, &[&sql]);
    let rows: Rows = serde_json::from_value(found[0].clone()).unwrap();
    sorted(columns, rows)
}

/// What a step must have left, in DuckDB's eyes as in AURA's. Returns the snapshot and AURA's rows.
async fn agree(store: &Store, dir: &Path, step: &str, expected: usize) -> (i64, Rows) {
    let stats = store.stats().await.unwrap();
    assert_eq!(
        stats.staged_events, 0,
        "{step}: DuckDB sees what is flushed"
    );
    let (columns, own) = ours(&store.events().await.unwrap()).await;
    assert_eq!(own.len(), expected, "{step}");
    let other = theirs(dir, &columns, None);
    assert_eq!(other.len(), own.len(), "{step}");
    let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(checksums(&names, &other), checksums(&names, &own), "{step}");
    assert_eq!(other, own, "{step}");
    // DuckDB has no column that AURA does not show.
    let described = python("rows", dir, &[]);
    let mut there: Vec<String> = serde_json::from_value(described["columns"].clone()).unwrap();
    let mut shown = names.clone();
    there.sort();
    shown.sort();
    assert_eq!(there, shown, "{step}");
    (stats.snapshot, own)
}

/// Time travel to a snapshot gives the rows it had, in both programs.
async fn travel(store: &Store, dir: &Path, step: &str, then: &(i64, Rows)) {
    let (version, rows) = then;
    let old = store.snapshot(SnapshotAt::Version(*version)).await.unwrap();
    let (columns, own) = ours(&old).await;
    assert_eq!(own, *rows, "{step}");
    assert_eq!(theirs(dir, &columns, Some(*version)), *rows, "{step}");
}

/// Rows with columns of every type that a store has.
fn grown(first: usize, rows: usize) -> RecordBatch {
    let numbers = first..first + rows;
    let base = batch("grown", first, rows);
    let mut columns: Vec<(String, arrow::array::ArrayRef)> = base
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .zip(base.columns().iter().cloned())
        .collect();
    let moments = TimestampMicrosecondArray::from_iter(
        numbers
            .clone()
            .map(|i| (i % 3 > 0).then_some(START - i as i64)),
    );
    let more: [(&str, arrow::array::ArrayRef); 6] = [
        (
            "score",
            Arc::new(Float64Array::from_iter(
                numbers
                    .clone()
                    .map(|i| (i % 4 > 0).then_some(i as f64 / 7.0 - 1e-9)),
            )),
        ),
        (
            "flag",
            Arc::new(BooleanArray::from_iter(
                numbers.clone().map(|i| (i % 5 > 0).then_some(i % 2 == 0)),
            )),
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter(
                numbers
                    .clone()
                    .map(|i| (i % 6 > 0).then_some(20_000 - i as i32)),
            )),
        ),
        ("moment", Arc::new(moments.with_timezone("UTC"))),
        (
            "text \"with\" signs",
            Arc::new(StringArray::from_iter(
                numbers
                    .clone()
                    .map(|i| (i % 2 > 0).then(|| format!("ü, 'q' \"{i}\"\n"))),
            )),
        ),
        (
            "big",
            Arc::new(Int64Array::from_iter_values(
                numbers.map(|i| i64::MAX - i as i64),
            )),
        ),
    ];
    columns.extend(more.into_iter().map(|(n, c)| (n.to_owned(), c)));
    RecordBatch::try_from_iter(columns).unwrap()
}

#[test]
fn duckdb_sees_the_same_after_every_step() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("my.aura");
    run(async {
        let clock = ManualClock::new(START + 400 * DAY);
        let store = Store::builder(&dir)
            .settings(quiet())
            .clock(Arc::new(clock))
            .open()
            .await
            .unwrap();
        agree(&store, &dir, "nothing", 0).await;

        store.append(batch("first", 0, 1_000)).await.unwrap();
        store.append(batch("first", 500, 1_000)).await.unwrap();
        store.flush().await.unwrap();
        let flushed = agree(&store, &dir, "append and flush", 1_500).await;

        let shop = repository("examples/data/shop.ndjson");
        let report = store.ingest(shop).await.unwrap();
        assert_eq!(sums(&report), (2_004, 2_000, 3, 1));
        let ingested = agree(&store, &dir, "ingest", 3_500).await;
        let rejected = python(
            "sql",
            &dir,
            &["SELECT count(*), count(DISTINCT reason) FROM lake.quarantine"],
        );
        assert_eq!(rejected, json!([[[3, 2]]]));

        store.compact().await.unwrap();
        let compacted = agree(&store, &dir, "compaction", 3_500).await;
        assert_eq!(compacted.1, ingested.1);

        let report = store.append(grown(0, 300)).await.unwrap();
        assert_eq!(report.columns_added.len(), 6);
        store.flush().await.unwrap();
        let widened = agree(&store, &dir, "schema growth", 3_800).await;
        store.compact().await.unwrap();
        let wide = agree(&store, &dir, "compaction of what grew", 3_800).await;
        assert_eq!(wide.1, widened.1);

        // January goes: 744 of the first 1,500 hours, and all 300 of the later batch.
        let report = store.expire(START + 31 * DAY).await.unwrap();
        assert_eq!(report.events, 1_044);
        agree(&store, &dir, "expiry", 2_756).await;

        for (step, then) in [
            ("flushed", &flushed),
            ("ingested", &ingested),
            ("compacted", &compacted),
            ("widened", &widened),
            ("wide", &wide),
        ] {
            travel(&store, &dir, step, then).await;
        }

        let of_u3 = flushed.1.iter().filter(|r| r[1].as_deref() == Some("u3"));
        assert_eq!(of_u3.count(), 150);
        let report = store.erase("u3").await.unwrap();
        assert!(report.events > 150, "{report:?}");
        let sql = "SELECT count(*) FROM events WHERE actor = 'u3'";
        assert_eq!(
            ask(&store.events().await.unwrap(), sql).await,
            [[Some("0".to_owned())]]
        );
        let left = counts(&store).await.0 as usize;
        agree(&store, &dir, "erasure", left).await;
        // Out of the past as well, and nothing else out of it.
        for (step, (version, rows)) in [("flushed", flushed), ("wide", wide)] {
            let rest: Rows = rows
                .into_iter()
                .filter(|r| r[1].as_deref() != Some("u3"))
                .collect();
            travel(&store, &dir, step, &(version, rest)).await;
        }

        store.expire_snapshots(i64::MAX).await.unwrap();
        agree(&store, &dir, "expiry of snapshots", left).await;
    });
}

#[test]
fn aura_sees_what_duckdb_inserts_and_deletes() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("my.aura");
    run(async {
        let store = Store::builder(&dir).settings(quiet()).open().await.unwrap();
        store.append(batch("own", 0, 100)).await.unwrap();
        store.flush().await.unwrap();
        let before = agree(&store, &dir, "own rows", 100).await;

        let row = |id: &str, n: i64| {
            json!([{"event_id": id, "actor": "duck", "event": "quack", "time": "2026-01-02 03:04:05.000006+00", "n": n}])
                .to_string()
        };
        // Few rows go into the database itself; on demand DuckDB writes a file.
        python("insert", &dir, &["--rows", &row("d1", 1)]);
        agree(&store, &dir, "an inserted row", 101).await;
        python("insert", &dir, &["--rows", &row("d2", 2), "--as-file"]);
        agree(&store, &dir, "a row inserted as a file", 102).await;
        let sql = "SELECT actor, event, CAST(time AS BIGINT), n FROM events WHERE event_id = 'd1'";
        let text = |s: &str| Some(s.to_owned());
        let micros = START + DAY + (3 * 3_600 + 4 * 60 + 5) * 1_000_000 + 6;
        assert_eq!(
            ask(&store.events().await.unwrap(), sql).await,
            [[
                text("duck"),
                text("quack"),
                Some(micros.to_string()),
                text("1")
            ]]
        );
        let many = "INSERT INTO lake.events (event_id, actor, event, time, n) \
                    SELECT 'm' || i, 'duck', 'quack', TIMESTAMPTZ '2026-02-01 00:00:00+00' + INTERVAL 1 HOUR * i, i \
                    FROM range(1000) t(i)";
        python("sql", &dir, &[many]);
        let inserted = agree(&store, &dir, "many inserted rows", 1_102).await;

        // What DuckDB has inserted is known: sent again, it is a duplicate.
        let again = Source::bytes(
            "again",
            "event_id,actor,event,time,n\nd1,x,y,2026-01-01T00:00:00Z,9\nm7,x,y,2026-01-01T00:00:00Z,9\n",
        );
        assert_eq!(sums(&store.ingest(again).await.unwrap()), (2, 0, 0, 2));

        let deleted = python("delete", &dir, &["--where", "event_id = 'own-5'"]);
        assert_eq!(deleted["deleted"], 1);
        agree(&store, &dir, "a deleted row", 1_101).await;
        let deleted = python(
            "delete",
            &dir,
            &["--where", "n % 2 = 1 AND actor = 'duck'", "--as-file"],
        );
        assert_eq!(deleted["deleted"], 501);
        agree(&store, &dir, "many deleted rows", 600).await;
        let deleted = python("delete", &dir, &["--where", "event_id = 'd2'"]);
        assert_eq!(deleted["deleted"], 1);
        let rest = agree(&store, &dir, "a deleted row of DuckDB's own", 599).await;
        assert_eq!(store.stats().await.unwrap().events, 599);

        store.compact().await.unwrap();
        let compacted = agree(&store, &dir, "compaction", 599).await;
        assert_eq!(compacted.1, rest.1);
        let deleted = python("delete", &dir, &["--where", "event_id = 'own-7'"]);
        assert_eq!(deleted["deleted"], 1);
        agree(&store, &dir, "a row deleted after compaction", 598).await;
        store.compact().await.unwrap();
        agree(&store, &dir, "another compaction", 598).await;

        travel(&store, &dir, "own rows", &before).await;
        travel(&store, &dir, "inserted rows", &inserted).await;
        travel(&store, &dir, "compacted", &compacted).await;
    });
}
