//! AURA's side of `benches/questions.py`: one question, asked some times of one form of the log.
//!
//! `question_bench prepare LOG.parquet STORE` fills a store and compacts it.
//! `question_bench ask store|file|table PATH QUESTION RUNS` prints one JSON line: the seconds of each run, the rows of the answer,
//! and the most memory that the process held. A `table` is made of a Parquet file, before the time.

mod questions;

use std::fs::File;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use aura_core::engine::{EngineSettings, Events, Table};
use aura_core::event::Roles;
use aura_core::store::{Store, StoreSettings};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use questions::Question;
use serde_json::{Value, json};

/// As programs do that care for speed: memory that was freed is used again instead of being given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Rows of a batch of a table in memory.
const TABLE_ROWS: usize = 1 << 17;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prepare", log, store] => prepare(log, store).await,
        ["ask", form, path, question, runs] => {
            println!("{}", ask(form, path, question, runs.parse()?).await?);
            Ok(())
        }
        _ => Err("usage: see the head of this program".into()),
    }
}

async fn prepare(log: &str, path: &str) -> Result<(), Failure> {
    let store = open(path).await?;
    store.ingest(log).await?;
    store.compact().await?;
    Ok(())
}

async fn open(path: &str) -> aura_core::Result<Store> {
    let settings = StoreSettings {
        background: false,
        ..StoreSettings::default()
    };
    Store::builder(path).settings(settings).open().await
}

/// Opens a form of the log. A file is opened for each run; a store and a table are there.
async fn events(form: &str, path: &str) -> Result<Events, Failure> {
    let roles = Roles::new("user_id", "event", "time");
    Ok(match form {
        "store" => open(path).await?.events().await?,
        "file" => Events::from_files(path, &roles, &EngineSettings::default()).await?,
        "table" => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
            let batches = reader.with_batch_size(TABLE_ROWS).build()?;
            Events::from_batches(batches.collect::<Result<Vec<RecordBatch>, _>>()?, &roles)?
        }
        other => return Err(format!("no form {other}").into()),
    })
}

async fn ask(form: &str, path: &str, question: &str, runs: usize) -> Result<Value, Failure> {
    let question = Question::named(question)?;
    let kept = match form {
        "file" => None,
        _ => Some(events(form, path).await?),
    };
    let mut seconds = Vec::with_capacity(runs);
    let mut answer = None;
    for _ in 0..runs {
        let begun = Instant::now();
        let table = match &kept {
            Some(events) => question.ask(events).await?,
            None => question.ask(&events(form, path).await?).await?,
        };
        seconds.push(begun.elapsed().as_secs_f64());
        answer = Some(table);
    }
    let table = answer.ok_or("no runs")?;
    let scan = table.scan();
    Ok(json!({
        "seconds": seconds, "rows": rows(&table, question.columns())?, "peak_rss": peak_rss(),
        "files_read": scan.files_read, "bytes_read": scan.bytes_read,
    }))
}

/// These columns of the answer as text and numbers.
fn rows(table: &Table, columns: &[&str]) -> Result<Vec<Vec<Value>>, Failure> {
    let batch = table.to_batch()?;
    let columns = columns
        .iter()
        .map(|name| {
            values(
                batch
                    .column_by_name(name)
                    .ok_or(format!("no column {name}"))?,
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column[row].clone()).collect())
        .collect())
}

fn values(column: &ArrayRef) -> Result<Vec<Value>, Failure> {
    Ok(match column.data_type() {
        DataType::Int64 => column
            .as_primitive::<Int64Type>()
            .iter()
            .map(|v| json!(v))
            .collect(),
        DataType::Float64 => column
            .as_primitive::<Float64Type>()
            .iter()
            .map(|v| json!(v))
            .collect(),
        _ => {
            let text = arrow::compute::cast(column, &DataType::Utf8)?;
            let text = text.as_string::<i32>();
            (0..text.len())
                .map(|i| json!(text.is_valid(i).then(|| text.value(i))))
                .collect()
        }
    })
}

/// The most memory that this process held, in bytes, where the system tells.
fn peak_rss() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .ok()
        .map(|kib: u64| kib * 1024)
}
