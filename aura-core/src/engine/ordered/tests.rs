//! The scan against a naive one: all rows, grouped by actor, sorted by the tie rule.

mod conditions;
mod extents;
mod faults;
mod files;
mod kernels;
mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int64Type};
use proptest::prelude::*;

use super::counts::{CountRows, DistinctActors, GroupCounts};
use super::groups::{NO_PERIOD, Periods};
use super::*;
use crate::Result;
use crate::engine::{EngineSettings, Events};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    id: String,
    actor: String,
    event: String,
    time: i64,
    team: Option<String>,
    n: Option<i64>,
}

/// What is seen of a row: time, event, n, team (the order of the tie rule after the id).
type Seen = (i64, Option<String>, Option<i64>, Option<String>);
type Actors = BTreeMap<String, Vec<Seen>>;

/// The naive scan.
fn naive(rows: &[Row], with_ids: bool, keep: impl Fn(&Row) -> bool) -> Actors {
    let mut actors: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows.iter().filter(|r| keep(r)) {
        actors
            .entry(row.actor.clone())
            .or_default()
            .push(row.clone());
    }
    let seen = |r: &Row| (r.time, Some(r.event.clone()), r.n, r.team.clone());
    actors
        .into_iter()
        .map(|(actor, mut rows)| {
            rows.sort_by_key(|r| {
                let id = if with_ids {
                    r.id.clone()
                } else {
                    String::new()
                };
                let (time, event, n, team) = seen(r);
                (time, id, event, n, team)
            });
            (actor, rows.iter().map(seen).collect())
        })
        .collect()
}

/// Writes down all that it sees. Columns: event, n, team.
struct Collect;

impl Collect {
    fn request() -> Request {
        let mut request = Request {
            names: true,
            ..Request::default()
        };
        for (place, column) in ["event", "n", "team"].into_iter().enumerate() {
            assert_eq!(request.want(column), place);
        }
        request
    }
}

impl Kernel for Collect {
    type State = Actors;

    fn new_state(&self) -> Actors {
        Actors::new()
    }

    fn block(&self, state: &mut Actors, block: &ActorBlock) -> Result<()> {
        let names = block.names.as_ref().unwrap();
        assert_eq!(names.len(), block.actors());
        assert_eq!(*block.starts.last().unwrap() as usize, block.times.len());
        assert!(block.columns.iter().all(|c| c.len() == block.times.len()));
        let numbers = block.columns[1].values().unwrap();
        let numbers = numbers.as_primitive::<Int64Type>();
        let texts = [0, 2].map(|place: usize| {
            let (codes, texts) = block.columns[place].codes().unwrap();
            (codes, texts.to_array())
        });
        let text = |place: usize, row: usize| {
            let (codes, texts) = &texts[place];
            let code = codes[row] as usize;
            texts.is_valid(code).then(|| texts.value(code).to_owned())
        };
        for (actor, rows) in block.rows().enumerate() {
            let rows: Vec<Seen> = rows
                .map(|row| {
                    let n = numbers.is_valid(row).then(|| numbers.value(row));
                    (block.times[row], text(0, row), n, text(1, row))
                })
                .collect();
            assert!(!rows.is_empty());
            let before = state.insert(names.value(actor).to_owned(), rows);
            assert_eq!(before, None, "an actor came twice");
        }
        Ok(())
    }

    fn combine(&self, mut into: Actors, from: Actors) -> Result<Actors> {
        for (actor, rows) in from {
            assert_eq!(into.insert(actor, rows), None, "an actor came twice");
        }
        Ok(into)
    }
}

/// How text comes.
#[derive(Debug, Clone, Copy)]
enum Text {
    Plain,
    Large,
    View,
    Codes,
    OddCodes,
}

impl Text {
    fn of(self, texts: impl Iterator<Item = Option<String>>) -> ArrayRef {
        let plain: ArrayRef = Arc::new(texts.collect::<StringArray>());
        let codes = |key, value| DataType::Dictionary(Box::new(key), Box::new(value));
        let ty = match self {
            Text::Plain => return plain,
            Text::Large => DataType::LargeUtf8,
            Text::View => DataType::Utf8View,
            Text::Codes => codes(DataType::Int32, DataType::Utf8),
            Text::OddCodes => codes(DataType::UInt16, DataType::LargeUtf8),
        };
        arrow::compute::cast(&plain, &ty).unwrap()
    }
}

fn texts() -> impl Strategy<Value = Text> {
    prop_oneof![
        Just(Text::Plain),
        Just(Text::Large),
        Just(Text::View),
        Just(Text::Codes),
        Just(Text::OddCodes),
    ]
}

fn batch(rows: &[Row], text: Text, with_ids: bool) -> RecordBatch {
    let of = |get: &dyn Fn(&Row) -> Option<String>| text.of(rows.iter().map(get));
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.time));
    let numbers: Int64Array = rows.iter().map(|r| r.n).collect();
    let mut columns = vec![
        ("team", of(&|r| r.team.clone()), true),
        ("n", Arc::new(numbers) as ArrayRef, true),
        ("actor", of(&|r| Some(r.actor.clone())), true),
        ("time", Arc::new(times.with_timezone("UTC")) as _, true),
        ("event", of(&|r| Some(r.event.clone())), true),
    ];
    if with_ids {
        columns.push(("event_id", of(&|r| Some(r.id.clone())), true));
    }
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

const ACTORS: [&str; 8] = [
    "a",
    "b",
    "",
    "twelve bytes",
    "thirteen byte",
    "a very long name of an actor, 1",
    "a very long name of an actor, 2",
    "Ünïcödé 日本",
];

/// Actor, event, time, team, n.
type Fields = (usize, usize, i64, Option<usize>, Option<i64>);

/// Rows with many ties. Ids are unique, in no order.
fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let row = (
        0..ACTORS.len(),
        0..3_usize,
        0..12_i64,
        proptest::option::of(0..3_usize),
        proptest::option::of(0..3_i64),
    );
    proptest::collection::vec(row, 0..most).prop_map(|rows| {
        let row = |(i, fields): (usize, Fields)| {
            let (actor, event, time, team, n) = fields;
            Row {
                id: format!("{}-{i}", xxhash_rust::xxh3::xxh3_64(&[i as u8]) % 7),
                actor: ACTORS[actor].to_owned(),
                event: ["view", "buy", "signup"][event].to_owned(),
                time: time * 10_000_000_000,
                team: team.map(|t| format!("team {t}")),
                n,
            }
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

fn settings(threads: usize) -> EngineSettings {
    EngineSettings {
        threads,
        ..EngineSettings::default()
    }
}

fn tiny() -> Sizes {
    Sizes {
        batch: 7,
        block: 5,
        bucket: 4,
        task: 6,
    }
}

fn source(batches: Vec<RecordBatch>, threads: usize) -> ScanSource {
    let table = datafusion::datasource::MemTable::try_new(batches[0].schema(), vec![batches]);
    let roles = crate::event::Roles::default();
    let table = Arc::new(table.unwrap());
    let events = Events::from_provider(table, &roles, &settings(threads)).unwrap();
    ScanSource {
        sizes: tiny(),
        ..events.scan_source()
    }
}

fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}
