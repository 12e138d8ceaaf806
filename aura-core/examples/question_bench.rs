//! AURA's side of `benches/questions.py`: one question, asked some times of one form of the log.
//!
//! `question_bench prepare LOG.parquet STORE` fills a store and compacts it.
//! `question_bench ask store|file|table PATH QUESTION RUNS` prints one JSON line: the seconds of each run, the rows of the answer,
//! and the most memory that the process held.

use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::record_batch::RecordBatch;
use aura_core::calendar::Grain;
use aura_core::engine::{EngineSettings, Events, Table};
use aura_core::event::Roles;
use aura_core::metric::{MetricQuery, Registry};
use aura_core::store::{Store, StoreSettings};
use serde_json::{Value, json};

/// As programs do that care for speed: memory that was freed is used again instead of being given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const METRICS: &str = r#"
version: 1
metrics:
  - {name: events, kind: simple, title: {en: Events, ru: События}, expr: count(*)}
  - {name: actors, kind: simple, title: {en: Actors, ru: Участники}, expr: count(distinct actor)}
  - {name: adopters, kind: simple, title: {en: Adopters, ru: Начавшие}, expr: count(distinct actor) filter (where event = 'feature_used')}
  - {name: buyers, kind: simple, title: {en: Buyers, ru: Покупатели}, expr: count(distinct actor) filter (where event = 'purchase')}
  - {name: searchers, kind: simple, title: {en: Searchers, ru: Искавшие}, expr: count(distinct actor) filter (where event = 'search')}
  - {name: ai_users, kind: simple, title: {en: AI users, ru: Пользователи ИИ}, expr: "count(distinct actor) filter (where event in ('ai_suggested', 'ai_accepted'))"}
  - {name: editors, kind: simple, title: {en: Editors, ru: Редакторы}, expr: "count(distinct actor) filter (where event like 'doc_%')"}
  - {name: adoption, kind: ratio, title: {en: Adoption, ru: Внедрение}, numerator: count(distinct actor) filter (where event = 'feature_used'), denominator: count(distinct actor)}
  - {name: ai_coverage, kind: ratio, title: {en: AI coverage, ru: Доля ИИ}, numerator: count(*) filter (where event = 'ai_accepted'), denominator: count(*) filter (where event = 'ai_suggested')}
  - {name: purchases, kind: simple, title: {en: Purchases, ru: Покупки}, expr: count(*) filter (where event = 'purchase')}
  - {name: revenue, kind: simple, title: {en: Revenue, ru: Выручка}, expr: sum(amount) filter (where event = 'purchase')}
  - {name: mean_amount, kind: simple, title: {en: Mean amount, ru: Средняя сумма}, expr: avg(amount)}
  - {name: largest_amount, kind: simple, title: {en: Largest amount, ru: Наибольшая сумма}, expr: max(amount)}
  - {name: errors, kind: simple, title: {en: Errors, ru: Ошибки}, expr: count(*) filter (where event = 'error_shown')}
  - {name: error_rate, kind: ratio, title: {en: Error rate, ru: Доля ошибок}, numerator: count(*) filter (where event = 'error_shown'), denominator: count(*)}
  - {name: events_per_actor, kind: ratio, title: {en: Events per actor, ru: Событий на участника}, numerator: count(*), denominator: count(distinct actor)}
  - {name: logins, kind: simple, title: {en: Logins, ru: Входы}, expr: count(*) filter (where event = 'login')}
  - {name: paid_events, kind: simple, title: {en: Paid events, ru: Платные события}, expr: "count(*) filter (where plan in ('pro', 'enterprise'))"}
  - {name: paid_actors, kind: simple, title: {en: Paying actors, ru: Платящие}, expr: "count(distinct actor) filter (where plan in ('pro', 'enterprise'))"}
  - {name: checkouts, kind: simple, title: {en: Checkouts, ru: Заказы}, expr: count(*) filter (where event = 'checkout')}
"#;

/// The questions: metrics, grain, dimensions.
const QUESTIONS: [(&str, &[&str], Grain, &[&str]); 4] = [
    ("dau_by_plan", &["actors"], Grain::Day, &["plan"]),
    (
        "events_by_week_team",
        &["events"],
        Grain::Week,
        &["team", "event"],
    ),
    ("ai_coverage", &["ai_coverage"], Grain::Week, &["team"]),
    ("adoption", &["adoption"], Grain::Week, &[]),
];

fn query(question: &str, registry: &Registry) -> Result<MetricQuery, Failure> {
    if let Some((_, metrics, grain, by)) = QUESTIONS.iter().find(|q| q.0 == question) {
        return Ok(MetricQuery::of(metrics.iter().copied())
            .grain(*grain)
            .by(by.iter().copied()));
    }
    // `twenty` asks for all metrics, `only_NAME` for one, by day and plan.
    let names: Vec<&str> = registry.metrics().iter().map(|m| m.name.as_str()).collect();
    let names = match question.strip_prefix("only_") {
        Some(name) => vec![name],
        None if question == "twenty" => names,
        None => return Err(format!("no question {question}").into()),
    };
    Ok(MetricQuery::of(names).grain(Grain::Day).by(["plan"]))
}

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
            let file = Events::from_files(path, &roles, &EngineSettings::default()).await?;
            let table = file.sql("SELECT * EXCLUDE (actor) FROM events").await?;
            let batches: Vec<RecordBatch> = table.batches().to_vec();
            Events::from_batches(batches, &roles)?
        }
        other => return Err(format!("no form {other}").into()),
    })
}

async fn ask(form: &str, path: &str, question: &str, runs: usize) -> Result<Value, Failure> {
    let registry = Registry::parse(METRICS)?;
    let query = query(question, &registry)?;
    let kept = match form {
        "file" => None,
        _ => Some(events(form, path).await?),
    };
    let mut seconds = Vec::with_capacity(runs);
    let mut answer = None;
    for _ in 0..runs {
        let begun = Instant::now();
        let table = match &kept {
            Some(events) => events.metrics(&registry, &query).await?,
            None => events(form, path).await?.metrics(&registry, &query).await?,
        };
        seconds.push(begun.elapsed().as_secs_f64());
        answer = Some(table);
    }
    let table = answer.ok_or("no runs")?;
    let scan = table.scan();
    Ok(json!({
        "seconds": seconds, "rows": rows(&table)?, "peak_rss": peak_rss(),
        "files_read": scan.files_read, "bytes_read": scan.bytes_read,
    }))
}

/// The answer as text and numbers, without the columns that only AURA gives.
fn rows(table: &Table) -> Result<Vec<Vec<Value>>, Failure> {
    let batch = table.to_batch()?;
    let schema = batch.schema();
    let ours = |name: &str| ["period_end", "complete"].contains(&name) || name.ends_with("_n");
    let columns: Vec<&ArrayRef> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .filter(|(field, _)| !ours(field.name()))
        .map(|(_, column)| column)
        .collect();
    let columns = columns
        .into_iter()
        .map(values)
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
