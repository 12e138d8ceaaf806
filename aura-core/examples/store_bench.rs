//! AURA's side of `benches/run.py`: one measurement a run, printed as one JSON line.
//!
//! `store_bench ingest-ndjson FILE | ingest-csv FILE | append EVENTS CALLERS | compact | month-count | memory FILE`
//! The store is made in the working directory; `AURA_BENCH_DATA` names the folder of the benchmark's log.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;
use aura_core::event::contract::Contract;
use aura_core::ingest::IngestOptions;
use aura_core::store::{Store, StoreSettings};
use serde_json::{Value, json};

/// As programs do that care for speed: memory that was freed is used again instead of being given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome = Result<Value, Box<dyn std::error::Error + Send + Sync>>;

const START: i64 = 1_767_225_600_000_000;
const BATCH: usize = 1_000;

/// What every row of an ingested file is checked against.
const CONTRACT: &str = r"
name: bench
version: 1
properties:
  team: {type: string, required: true, max_length: 40}
  plan: {type: string, required: true, enum: [free, pro, enterprise]}
  country: {type: string, required: true}
  channel: {type: string, required: true, pattern: '^ch\d+$'}
  amount: {type: number, min: 0, unit: USD}
events:
  purchase:
    properties:
      amount: {type: number, required: true, min: 0, unit: USD}
";

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ingest-ndjson" | "ingest-csv", file] => ingest(file).await,
        ["append", events, callers] => append(events, callers).await,
        ["compact"] => compact().await,
        ["month-count"] => month_count().await,
        ["memory", file] => memory(file).await,
        _ => Err("usage: see the head of this program".into()),
    };
    match outcome {
        Ok(figures) => println!("{figures}"),
        Err(e) => {
            eprintln!("store_bench: {e}");
            std::process::exit(1);
        }
    }
}

async fn open() -> aura_core::Result<Store> {
    let settings = StoreSettings {
        background: false,
        ..StoreSettings::default()
    };
    Store::builder("bench.aura").settings(settings).open().await
}

fn log() -> Result<PathBuf, std::env::VarError> {
    Ok(PathBuf::from(std::env::var("AURA_BENCH_DATA")?).join("events.parquet"))
}

async fn count(store: &Store) -> aura_core::Result<i64> {
    let table = store
        .events()
        .await?
        .sql("SELECT count(DISTINCT event_id) FROM events")
        .await?;
    Ok(table
        .to_batch()?
        .column(0)
        .as_primitive::<Int64Type>()
        .value(0))
}

fn checked() -> aura_core::Result<IngestOptions> {
    Ok(IngestOptions::default().contract(Contract::parse(CONTRACT)?))
}

async fn ingest(file: &str) -> Outcome {
    let store = open().await?;
    let begun = Instant::now();
    let report = store.ingest_with(file, &checked()?).await?;
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(report.rejected, 0);
    let stats = store.stats().await?;
    assert_eq!(count(&store).await? as u64, report.accepted);
    Ok(json!({"seconds": seconds, "events": stats.events, "bytes": stats.bytes}))
}

fn batch(first: usize) -> aura_core::Result<RecordBatch> {
    let rows = first..first + BATCH;
    let text = |f: &dyn Fn(usize) -> String| StringArray::from_iter_values(rows.clone().map(f));
    let times = TimestampMicrosecondArray::from_iter_values(
        rows.clone().map(|i| START + i as i64 * 388_800),
    );
    Ok(RecordBatch::try_from_iter([
        ("event_id", Arc::new(text(&|i| i.to_string())) as _),
        (
            "actor",
            Arc::new(text(&|i| format!("u{}", i.wrapping_mul(7_919) % 1_000_003))) as _,
        ),
        (
            "event",
            Arc::new(text(&|i| {
                ["page_view", "search", "purchase"][i % 3].to_owned()
            })) as _,
        ),
        ("time", Arc::new(times.with_timezone("UTC")) as _),
        (
            "plan",
            Arc::new(text(&|i| ["free", "pro"][i % 2].to_owned())) as _,
        ),
    ])?)
}

/// Callers that each wait for the answer to one batch before they send the next, with upkeep on.
async fn append(events: &str, callers: &str) -> Outcome {
    let (events, callers): (usize, usize) = (events.parse()?, callers.parse()?);
    let store = Store::open("bench.aura").await?;
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut waits = Vec::new();
            let mut first = caller * BATCH;
            while first < events {
                let batch = batch(first)?;
                let sent = Instant::now();
                store.append(batch).await?;
                waits.push(sent.elapsed().as_secs_f64() * 1e3);
                first += callers * BATCH;
            }
            aura_core::Result::<Vec<f64>>::Ok(waits)
        }));
    }
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| {
        waits
            .get(((waits.len() - 1) as f64 * share) as usize)
            .copied()
    };
    let stored = count(&store).await?;
    Ok(json!({"seconds": seconds, "events": stored, "p50_ms": at(0.5), "p99_ms": at(0.99)}))
}

async fn compact() -> Outcome {
    let store = open().await?;
    store.ingest(log()?).await?;
    let begun = Instant::now();
    store.compact().await?;
    let seconds = begun.elapsed().as_secs_f64();
    let stats = store.stats().await?;
    Ok(json!({"seconds": seconds, "events": stats.events, "bytes": stats.bytes}))
}

async fn month_count() -> Outcome {
    let store = open().await?;
    store.ingest(log()?).await?;
    store.compact().await?;
    let before = store.stats().await?;
    let events = store.events().await?;
    let begun = Instant::now();
    let month = "SELECT count(*) FROM events WHERE time >= '2026-03-01T00:00:00Z' AND time < '2026-04-01T00:00:00Z'";
    let table = events.sql(month).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let scan = table.scan();
    let in_month = std::fs::read_dir("bench.aura/events/year=2026/month=3")?.count();
    Ok(json!({
        "seconds": seconds, "events": before.events, "files_read": scan.files_read, "files_in_month": in_month,
        "files_total": scan.files_total, "bytes_read": scan.bytes_read, "bytes_total": before.bytes,
    }))
}

/// A figure of `/proc/self/status` in bytes.
fn status(key: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(key))
        .ok_or("no such figure")?;
    let kib: u64 = line
        .trim_start_matches(':')
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib * 1024)
}

async fn memory(file: &str) -> Outcome {
    let store = open().await?;
    let baseline_rss = status("VmRSS")?;
    let begun = Instant::now();
    let report = store.ingest_with(file, &checked()?).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak_rss = status("VmHWM")?;
    Ok(
        json!({"seconds": seconds, "events": report.accepted, "baseline_rss": baseline_rss, "peak_rss": peak_rss}),
    )
}
