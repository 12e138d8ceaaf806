//! The catalog as DuckDB sees it, and what DuckDB writes as this module sees it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::commit::Commit;
use super::file::{ColumnStats, WrittenFile};
use super::read::{TableState, load_table};
use super::table::{Column, NewColumn, NewTable, PartitionKey, SortKey, add_columns, create_table};
use super::value::timestamp_text;
use super::{create, maintain, snapshot};
use crate::Result;
use crate::event::PropertyType;
use crate::store::duckdb;

mod theirs;

const JANUARY: i64 = 1_767_225_600_000_000;
const FEBRUARY: i64 = JANUARY + 31 * 86_400_000_000;
const TABLE: i64 = 1;

/// A row: event id, actor, moment, amount.
type Event = (&'static str, &'static str, i64, Option<f64>);

/// A store of nothing but a catalog and files.
struct Lake {
    dir: PathBuf,
    db: Connection,
    files: u32,
    clock: i64,
}

impl Lake {
    fn create(dir: &Path) -> Lake {
        let db = Connection::open(dir.join("aura.db")).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        let mut lake = Lake {
            dir: dir.to_owned(),
            db,
            files: 0,
            clock: JANUARY,
        };
        let mut n = 0;
        let mut uuid = || {
            n += 1;
            Uuid::from_u128(n)
        };
        lake.db.execute_batch("BEGIN IMMEDIATE").unwrap();
        // An empty directory of the schema: files lie in `events/` below the store.
        create::create(&lake.db, JANUARY, dir.to_str().unwrap(), "", &mut uuid).unwrap();
        lake.db.execute_batch("COMMIT").unwrap();
        let column = |name: &str, ty, nullable| NewColumn {
            name: name.to_owned(),
            ty,
            nullable,
        };
        let key = |transform: &str| PartitionKey {
            column: "time".to_owned(),
            transform: transform.to_owned(),
        };
        let sort = |column: &str| SortKey {
            column: column.to_owned(),
        };
        let table = NewTable {
            name: "events".to_owned(),
            uuid: Uuid::from_u128(99),
            path: "events/".to_owned(),
            columns: vec![
                column("event_id", PropertyType::String, false),
                column("actor", PropertyType::String, false),
                column("time", PropertyType::Timestamp, false),
                column("amount", PropertyType::Number, true),
            ],
            partition: vec![key("year"), key("month")],
            sort: vec![sort("actor"), sort("time")],
        };
        lake.commit(|c, _| create_table(c, &table)).unwrap();
        lake
    }

    fn commit<R>(&mut self, change: impl FnOnce(&mut Commit<'_>, i64) -> Result<R>) -> Result<R> {
        self.clock += 1_000_000;
        self.db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut commit =
            Commit::begin(&self.db, self.clock)?.describe(Some("test"), Some("it's a message"));
        let result = change(&mut commit, self.clock);
        let result = result.and_then(|r| commit.finish().map(|_| r));
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.db.execute_batch(end).unwrap();
        result
    }

    fn state(&self, version: Option<i64>) -> TableState {
        load_table(&self.db, "events", version, &["time"]).unwrap()
    }

    /// Writes a file of the partition of its first row.
    fn write(&mut self, events: &[Event]) -> WrittenFile {
        let month = if events[0].2 < FEBRUARY { 1 } else { 2 };
        let columns = self.state(None).columns;
        let id = |name: &str| columns.iter().find(|c| c.name == name).unwrap().id;
        let texts = |f: fn(&Event) -> &'static str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(events.iter().map(f)))
        };
        let times = TimestampMicrosecondArray::from_iter_values(events.iter().map(|e| e.2));
        let arrays: Vec<(&str, ArrayRef)> = vec![
            ("event_id", texts(|e| e.0)),
            ("actor", texts(|e| e.1)),
            ("time", Arc::new(times.with_timezone("UTC"))),
            (
                "amount",
                Arc::new(Float64Array::from_iter(events.iter().map(|e| e.3))),
            ),
        ];
        let fields: Vec<Field> = arrays
            .iter()
            .map(|(name, array)| {
                let meta = ("PARQUET:field_id".to_owned(), id(name).to_string());
                Field::new(*name, array.data_type().clone(), *name == "amount")
                    .with_metadata(HashMap::from([meta]))
            })
            .collect();
        let arrays_only = arrays.into_iter().map(|(_, a)| a).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays_only).unwrap();

        self.files += 1;
        let path = format!("year=2026/month={month}/{}.parquet", self.files);
        let full = self.dir.join("events").join(&path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        let target = std::fs::File::create(&full).unwrap();
        let mut writer = ArrowWriter::try_new(target, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let bytes = std::fs::read(&full).unwrap();
        let tail = &bytes[bytes.len() - 8..bytes.len() - 4];

        let stat = |name: &str, values: Vec<Option<String>>, nan| ColumnStats {
            column_id: id(name),
            size_bytes: 50,
            value_count: values.iter().flatten().count() as u64,
            null_count: values.iter().filter(|v| v.is_none()).count() as u64,
            min: values.iter().flatten().min().cloned(),
            max: values.iter().flatten().max().cloned(),
            contains_nan: nan,
        };
        let amounts: Vec<f64> = events.iter().filter_map(|e| e.3).collect();
        let mut amount = stat(
            "amount",
            events.iter().map(|e| e.3.map(|v| v.to_string())).collect(),
            Some(false),
        );
        amount.min = amounts
            .iter()
            .copied()
            .reduce(f64::min)
            .map(|v| format!("{v:?}"));
        amount.max = amounts
            .iter()
            .copied()
            .reduce(f64::max)
            .map(|v| format!("{v:?}"));
        WrittenFile {
            path,
            record_count: events.len() as u64,
            file_size_bytes: bytes.len() as u64,
            footer_size: u64::from(u32::from_le_bytes(tail.try_into().unwrap())),
            columns: vec![
                stat(
                    "event_id",
                    events.iter().map(|e| Some(e.0.to_owned())).collect(),
                    None,
                ),
                stat(
                    "actor",
                    events.iter().map(|e| Some(e.1.to_owned())).collect(),
                    None,
                ),
                stat(
                    "time",
                    events.iter().map(|e| Some(timestamp_text(e.2))).collect(),
                    None,
                ),
                amount,
            ],
            partition_values: vec!["2026".to_owned(), month.to_string()],
        }
    }

    fn append(&mut self, events: &[Event]) -> i64 {
        let file = self.write(events);
        self.commit(|c, _| c.add_file(TABLE, &file)).unwrap()
    }

    /// Starts the script on this catalog.
    fn start(&self, command: &str, args: &[&str]) -> Child {
        duckdb::start(&self.dir.join("aura.db"), command, args)
    }

    /// Runs the script on this catalog.
    fn duckdb(&self, command: &str, args: &[&str]) -> Value {
        duckdb::run(&self.dir.join("aura.db"), command, args)
    }

    /// The event ids that DuckDB sees.
    fn ids(&self, version: Option<i64>) -> Vec<String> {
        let version = version.map(|v| v.to_string());
        let mut args = vec!["--columns", "event_id"];
        if let Some(version) = &version {
            args.extend(["--version", version]);
        }
        let rows = self.duckdb("rows", &args);
        let rows = rows["rows"].as_array().unwrap();
        rows.iter()
            .map(|r| r[0].as_str().unwrap().to_owned())
            .collect()
    }
}

fn column_names(columns: &[Column]) -> Vec<&str> {
    columns.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn duckdb_reads_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::create(dir.path());
    assert_eq!(lake.ids(None), [""; 0]);
    let january = lake.append(&[
        ("e1", "ann", JANUARY, Some(9.0)),
        ("e2", "bob", JANUARY + 500_000, Some(10.0)),
        ("e3", "bob", JANUARY + 7, None),
    ]);
    lake.append(&[
        ("e4", "cid", FEBRUARY, Some(-0.5)),
        ("e5", "ann", FEBRUARY + 1, Some(1e300)),
    ]);

    let rows = lake.duckdb("rows", &[]);
    assert_eq!(
        rows["columns"],
        json!(["event_id", "actor", "time", "amount"])
    );
    let expected = json!([
        ["e1", "ann", "2026-01-01 00:00:00+00", "9.0"],
        ["e2", "bob", "2026-01-01 00:00:00.5+00", "10.0"],
        ["e3", "bob", "2026-01-01 00:00:00.000007+00", null],
        ["e4", "cid", "2026-02-01 00:00:00+00", "-0.5"],
        ["e5", "ann", "2026-02-01 00:00:00.000001+00", "1e+300"]
    ]);
    assert_eq!(rows["rows"], expected);
    assert_eq!(lake.ids(Some(2)), ["e1", "e2", "e3"]);
    assert_eq!(
        lake.duckdb("checksum", &[])["columns"]["amount"]["count"],
        4
    );

    // Answered from the statistics of the table, of the files, and from the files.
    let asked = lake.duckdb(
        "sql",
        &[
            "SELECT min(amount), max(amount), min(time)::VARCHAR, max(actor) FROM lake.events",
            "SELECT event_id FROM lake.events WHERE time >= TIMESTAMPTZ '2026-02-01 00:00:00+00' ORDER BY 1",
            "SELECT event_id FROM lake.events WHERE actor = 'ann' ORDER BY 1",
            "SELECT count(*) FROM lake.events WHERE amount IS NULL",
            "SELECT count(*) FROM lake.events AT (TIMESTAMP => TIMESTAMPTZ '2026-01-01 00:00:02.5+00')",
        ],
    );
    assert_eq!(
        asked,
        json!([
            [[-0.5, 1e300, "2026-01-01 00:00:00+00", "cid"]],
            [["e4"], ["e5"]],
            [["e1"], ["e5"]],
            [[1]],
            [[3]]
        ])
    );
    let listed = lake.duckdb("snapshots", &[]);
    assert_eq!(listed.as_array().unwrap().len(), 4);
    assert_eq!(
        listed[1]["changes"],
        json!({"tables_created": ["main.events"]})
    );
    assert_eq!(listed[3]["changes"], json!({"tables_inserted_into": ["1"]}));
    assert_eq!(listed[3]["commit_message"], "it's a message");

    // Growth: old files have null in the new column.
    let plan = NewColumn {
        name: "plan".to_owned(),
        ty: PropertyType::String,
        nullable: true,
    };
    lake.commit(|c, _| add_columns(c, TABLE, &[plan])).unwrap();
    lake.append(&[("e6", "dan", FEBRUARY + 2, None)]);
    let asked = lake.duckdb(
        "sql",
        &[
            "SELECT count(*) FROM lake.events WHERE plan IS NULL",
            "SELECT count(*) FROM lake.events WHERE plan = 'pro'",
        ],
    );
    assert_eq!(asked, json!([[[6]], [[0]]]));
    assert_eq!(lake.ids(Some(3)).len(), 5);

    // A whole file leaves; `min` must not come from statistics that still cover it.
    lake.commit(|c, _| c.remove_file(january)).unwrap();
    let bounds = "SELECT min(time)::VARCHAR, max(actor) FROM lake.events";
    let asked = lake.duckdb(
        "sql",
        &[
            bounds,
            "SELECT count(*) FROM lake.events AT (VERSION => 3) WHERE actor = 'bob'",
        ],
    );
    assert_eq!(asked, json!([[["2026-02-01 00:00:00+00", "dan"]], [[2]]]));

    // Compaction keeps the rows, expiry the newest snapshot.
    let before = lake.duckdb("checksum", &[]);
    let old: Vec<i64> = lake.state(None).files.iter().map(|f| f.id).collect();
    let read_at = lake.state(None).snapshot.id;
    let merged = lake.write(&[
        ("e5", "ann", FEBRUARY + 1, Some(1e300)),
        ("e4", "cid", FEBRUARY, Some(-0.5)),
        ("e6", "dan", FEBRUARY + 2, None),
    ]);
    lake.commit(|c, _| {
        c.ensure_unchanged(&old, read_at)?;
        c.rewrite_files(TABLE, &old, &[merged])
    })
    .unwrap();
    assert_eq!(lake.duckdb("checksum", &[]), before);
    assert_eq!(lake.ids(Some(3)).len(), 5);
    lake.db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let expired = maintain::expire_snapshots(&lake.db, lake.clock, i64::MAX, 1).unwrap();
    lake.db.execute_batch("COMMIT").unwrap();
    assert_eq!((expired.snapshots.len(), expired.files), (7, 3));
    for file in maintain::scheduled(&lake.db, i64::MAX).unwrap() {
        std::fs::remove_file(lake.dir.join(&file.path)).unwrap();
    }
    assert_eq!(lake.duckdb("checksum", &[]), before);
    let asked = lake.duckdb(
        "sql",
        &[bounds, "SELECT count(*) FROM ducklake_snapshots('lake')"],
    );
    assert_eq!(asked, json!([[["2026-02-01 00:00:00+00", "dan"]], [[1]]]));

    // Erasure reaches every snapshot.
    let before_erasure = lake.state(None);
    let rest = lake.write(&[
        ("e4", "cid", FEBRUARY, Some(-0.5)),
        ("e6", "dan", FEBRUARY + 2, None),
    ]);
    lake.commit(|c, _| c.replace_everywhere(before_erasure.files[0].id, Some(&rest)))
        .unwrap();
    assert_eq!(lake.ids(None), ["e4", "e6"]);
    assert_eq!(lake.ids(Some(before_erasure.snapshot.id)), ["e4", "e6"]);
    let asked = lake.duckdb("sql", &["SELECT max(amount), min(actor) FROM lake.events"]);
    assert_eq!(asked, json!([[[-0.5, "cid"]]]));
}

#[test]
fn duckdb_follows_a_move() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("a");
    std::fs::create_dir(&dir).unwrap();
    let mut lake = Lake::create(&dir);
    lake.append(&[("e1", "ann", JANUARY, Some(9.0))]);
    let moved = home.path().join("b c'd");
    drop(lake.db);
    std::fs::rename(&dir, &moved).unwrap();
    let db = Connection::open(moved.join("aura.db")).unwrap();
    let lake = Lake {
        dir: moved.clone(),
        db,
        files: 1,
        clock: JANUARY,
    };
    let override_it = [
        "--data-path",
        moved.to_str().unwrap(),
        "--columns",
        "event_id",
    ];
    assert_eq!(lake.duckdb("rows", &override_it)["rows"], json!([["e1"]]));
    assert!(maintain::fix_data_path(&lake.db, moved.to_str().unwrap()).unwrap());
    assert_eq!(lake.ids(None), ["e1"]);
    assert_eq!(snapshot::latest(&lake.db).unwrap().id, 2);
}

/// The tables that DuckDB makes, against those of [`create::create`].
#[test]
fn the_tables_are_those_of_duckdb() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = dir.path().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    let lake = Lake {
        dir: theirs.clone(),
        db: Connection::open_in_memory().unwrap(),
        files: 0,
        clock: 0,
    };
    lake.duckdb(
        "sql",
        &[
            "--data-path",
            theirs.to_str().unwrap(),
            "CREATE TABLE lake.events(event_id VARCHAR NOT NULL, actor VARCHAR NOT NULL, \
             time TIMESTAMPTZ NOT NULL, amount DOUBLE)",
            "ALTER TABLE lake.events SET PARTITIONED BY (year(time), month(time))",
            "ALTER TABLE lake.events SET SORTED BY (actor ASC, time ASC)",
        ],
    );
    let theirs = Connection::open(theirs.join("aura.db")).unwrap();
    let ours_dir = dir.path().join("ours");
    std::fs::create_dir(&ours_dir).unwrap();
    let ours = Lake::create(&ours_dir).db;
    create::check_version(&theirs).unwrap();

    let ddl = |db: &Connection| -> Vec<String> {
        let sql = "SELECT replace(replace(sql, '\"', ''), ', ', ',') FROM sqlite_master \
                   WHERE type = 'table' AND name NOT LIKE 'ducklake_inlined_data__%' ORDER BY name";
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |r| r.get(0)).unwrap();
        rows.map(|r| r.unwrap()).collect()
    };
    assert_eq!(ddl(&ours), ddl(&theirs));
    let inlined = |db: &Connection| -> Vec<String> {
        let sql = "SELECT DISTINCT name || ' ' || type FROM pragma_table_info(\
                   (SELECT max(table_name) FROM ducklake_inlined_data_tables)) ORDER BY cid";
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |r| r.get(0)).unwrap();
        rows.map(|r| r.unwrap()).collect()
    };
    assert_eq!(inlined(&ours), inlined(&theirs));
    // Rows too, where DuckDB's three steps do not number them differently.
    for query in [
        "SELECT group_concat(column_id || column_order || column_name || column_type || \
         coalesce(initial_default, '-') || default_value || nulls_allowed || \
         default_value_type || default_value_dialect) FROM ducklake_column",
        "SELECT group_concat(partition_key_index || column_id || \"transform\") \
         FROM ducklake_partition_column",
        "SELECT group_concat(sort_key_index || replace(expression, '\"', '') || dialect || \
         sort_direction || null_order) FROM ducklake_sort_expression",
        "SELECT group_concat(\"key\" || coalesce(\"scope\", '-')) FROM ducklake_metadata",
    ] {
        let one = |db: &Connection| -> String { db.query_row(query, [], |r| r.get(0)).unwrap() };
        assert_eq!(one(&ours), one(&theirs), "{query}");
    }
}
