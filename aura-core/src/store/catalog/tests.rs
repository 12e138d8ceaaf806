//! The catalog by itself. What DuckDB makes of it is in `interop`.

use rusqlite::Connection;
use uuid::Uuid;

use super::commit::Commit;
use super::file::{ColumnStats, WrittenFile};
use super::table::{NewColumn, NewTable, PartitionKey, SortKey, add_columns, create_table};
use super::{create, inlined, maintain, read, snapshot, stats, table};
use crate::ErrorKind;
use crate::event::PropertyType;

mod upkeep;

const T0: i64 = 1_767_225_600_000_000;
const HOUR: i64 = 3_600_000_000;

fn uuids() -> impl FnMut() -> Uuid {
    let mut n = 0;
    move || {
        n += 1;
        Uuid::from_u128(n)
    }
}

fn column(name: &str, ty: PropertyType) -> NewColumn {
    NewColumn {
        name: name.to_owned(),
        ty,
        nullable: true,
    }
}

fn new_table() -> NewTable {
    NewTable {
        name: "events".to_owned(),
        uuid: Uuid::from_u128(7),
        path: "events/".to_owned(),
        columns: vec![
            column("actor", PropertyType::String),
            column("time", PropertyType::Timestamp),
            column("amount", PropertyType::Number),
        ],
        partition: vec![PartitionKey {
            column: "time".to_owned(),
            transform: "year".to_owned(),
        }],
        sort: vec![SortKey {
            column: "actor".to_owned(),
        }],
    }
}

/// A catalog with the table `events`, id 1.
fn catalog() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("BEGIN").unwrap();
    create::create(&db, T0, "/data", "main/", &mut uuids()).unwrap();
    let mut commit = Commit::begin(&db, T0).unwrap();
    let (id, columns) = create_table(&mut commit, &new_table()).unwrap();
    assert_eq!((id, columns.len()), (1, 3));
    commit.finish().unwrap();
    db.execute_batch("COMMIT").unwrap();
    db
}

fn stat(column_id: i64, min: &str, max: &str) -> ColumnStats {
    ColumnStats {
        column_id,
        size_bytes: 10,
        value_count: 2,
        null_count: 0,
        min: Some(min.to_owned()),
        max: Some(max.to_owned()),
        contains_nan: (column_id == 3).then_some(false),
    }
}

fn file(name: &str, actors: (&str, &str), amounts: (&str, &str)) -> WrittenFile {
    WrittenFile {
        path: format!("year=2026/{name}"),
        record_count: 2,
        file_size_bytes: 100,
        footer_size: 20,
        columns: vec![
            stat(1, actors.0, actors.1),
            stat(2, "2026-01-01 00:00:00+00", "2026-01-02 00:00:00+00"),
            stat(3, amounts.0, amounts.1),
        ],
        partition_values: vec!["2026".to_owned()],
    }
}

/// Runs a commit in a transaction of its own, `hours` after the first.
fn commit<R>(
    db: &Connection,
    hours: i64,
    change: impl FnOnce(&mut Commit<'_>) -> crate::Result<R>,
) -> crate::Result<R> {
    db.execute_batch("BEGIN IMMEDIATE")?;
    let mut commit = Commit::begin(db, T0 + hours * HOUR)?;
    let result = change(&mut commit).and_then(|r| commit.finish().map(|_| r));
    db.execute_batch(if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    result
}

fn column_stats(db: &Connection) -> Vec<(i64, bool, Option<String>, Option<String>)> {
    let mut statement = db
        .prepare(
            "SELECT column_id, contains_null, min_value, max_value \
             FROM ducklake_table_column_stats ORDER BY column_id",
        )
        .unwrap();
    let rows = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn bounds(db: &Connection, column_id: i64) -> Option<(String, String)> {
    let all = column_stats(db);
    let row = all.into_iter().find(|r| r.0 == column_id)?;
    row.2.zip(row.3)
}

fn texts(a: &str, b: &str) -> Option<(String, String)> {
    Some((a.to_owned(), b.to_owned()))
}

#[test]
fn a_new_catalog_is_what_duckdb_makes() {
    let db = catalog();
    let row: (String, String, i64) = db
        .query_row(
            "SELECT snapshot_time, changes_made, next_catalog_id FROM ducklake_snapshot \
             JOIN ducklake_snapshot_changes USING (snapshot_id) WHERE snapshot_id = 1",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .unwrap();
    assert_eq!(
        row,
        (
            "2026-01-01 00:00:00.000001+00".to_owned(),
            "created_table:\"main\".\"events\"".to_owned(),
            4
        )
    );
    let path: String = db
        .query_row(
            "SELECT \"value\" FROM ducklake_metadata WHERE \"key\" = 'data_path'",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(path, "/data/");
    let state = read::load_table(&db, "events", None, &["time"]).unwrap();
    assert_eq!(state.directory.path, "main/events/");
    assert_eq!(state.partition, [(2, "year".to_owned())]);
    assert_eq!(state.columns[1].ty, "timestamptz");
    assert!(state.files.is_empty());
}

#[test]
fn files_come_and_go_with_snapshots() {
    let db = catalog();
    let a = commit(&db, 1, |c| {
        c.add_file(1, &file("a", ("x", "z"), ("9.0", "10.0")))
    })
    .unwrap();
    let b = commit(&db, 2, |c| {
        c.add_file(1, &file("b", ("m", "y"), ("-1.5", "2.0")))
    })
    .unwrap();
    commit(&db, 3, |c| c.remove_file(a)).unwrap();

    let ids = |version| -> Vec<i64> {
        let state = read::load_table(&db, "events", version, &["time", "actor"]).unwrap();
        state.files.iter().map(|f| f.id).collect()
    };
    assert_eq!(ids(Some(2)), [a]);
    assert_eq!(ids(Some(3)), [a, b]);
    assert_eq!(ids(None), [b]);

    let state = read::load_table(&db, "events", None, &["time", "actor", "nothing"]).unwrap();
    assert_eq!(state.snapshot.changes, "deleted_from_table:1");
    let b = &state.files[0];
    assert_eq!(b.path.path, "main/events/year=2026/b");
    assert_eq!(b.row_id_start, Some(2));
    assert_eq!(b.partition_values, [Some("2026".to_owned())]);
    assert_eq!(
        b.stats[0].as_ref().unwrap().max.as_deref(),
        Some("2026-01-02 00:00:00+00")
    );
    assert_eq!(b.stats[1].as_ref().unwrap().min.as_deref(), Some("m"));
    assert_eq!(b.stats[2], None);

    // The table's statistics keep covering what an old snapshot sees; numbers compare as numbers.
    assert_eq!(bounds(&db, 1), texts("m", "z"));
    assert_eq!(bounds(&db, 3), texts("-1.5", "10.0"));
    let table = stats::table_stats(&db, 1).unwrap().unwrap();
    assert_eq!(
        (table.record_count, table.next_row_id, table.file_size_bytes),
        (4, 4, 100)
    );

    let e = commit(&db, 4, |c| c.remove_file(a)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Conflict);
    assert_eq!(snapshot::latest(&db).unwrap().id, 4);
    assert_eq!(read::files_since(&db, 1, 1).unwrap(), [b.id]);
}

#[test]
fn snapshots_are_found_by_id_and_time() {
    let db = catalog();
    commit(&db, 1, |c| {
        c.add_file(1, &file("a", ("x", "z"), ("9.0", "10.0")))
    })
    .unwrap();
    // The clock went back: times still grow.
    commit(&db, 0, |c| {
        c.add_file(1, &file("b", ("x", "z"), ("9.0", "10.0")))
    })
    .unwrap();
    let at = |us| snapshot::snapshot_at(&db, us).map(|s| s.id);
    assert_eq!(at(T0 + HOUR - 1).unwrap(), 1);
    assert_eq!(at(T0 + HOUR).unwrap(), 2);
    assert_eq!(at(T0 + HOUR + 1).unwrap(), 3);
    let e = at(T0 - 1).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert!(e.message().contains("2026-01-01 00:00:00+00"), "{e}");
    assert_eq!(
        snapshot::snapshot(&db, 99).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(snapshot::snapshots(&db).unwrap().len(), 4);
}

#[test]
fn an_empty_commit_makes_no_snapshot() {
    let db = catalog();
    commit(&db, 1, |_| Ok(())).unwrap();
    assert_eq!(snapshot::latest(&db).unwrap().id, 1);
    assert_eq!(
        Commit::begin(&db, T0).err().unwrap().kind(),
        ErrorKind::Internal
    );
}

#[test]
fn a_schema_grows() {
    let db = catalog();
    commit(&db, 1, |c| {
        c.add_file(1, &file("a", ("x", "z"), ("9.0", "10.0")))
    })
    .unwrap();
    let added = commit(&db, 2, |c| {
        let first = add_columns(c, 1, &[column("plan", PropertyType::String)])?;
        let second = add_columns(c, 1, &[column("n", PropertyType::Integer)])?;
        let mut grown = file("b", ("a", "b"), ("1.0", "2.0"));
        grown.columns.push(stat(4, "free", "pro"));
        c.add_file(1, &grown)?;
        Ok([first, second].concat())
    })
    .unwrap();
    assert_eq!(added.iter().map(|c| c.id).collect::<Vec<_>>(), [4, 5]);
    let state = read::load_table(&db, "events", None, &[]).unwrap();
    assert_eq!(state.snapshot.schema_version, 2);
    assert_eq!(
        state.snapshot.changes,
        "inserted_into_table:1,altered_table:1"
    );
    assert_eq!(state.columns.len(), 5);
    assert_eq!(table::columns_at(&db, 1, 2).unwrap().len(), 3);
    // One table of inlined rows a version, and the newest has all columns.
    let tables = inlined::data_tables(&db, 1).unwrap();
    assert_eq!(tables.len(), 2);
    assert_eq!(tables[1].name, "ducklake_inlined_data_1_2");
    db.execute(
        "INSERT INTO ducklake_inlined_data_1_2 VALUES (4, 3, NULL, 'q', '2026-01-01 00:00:00+00', 'nan', 'pro', 7)",
        [],
    )
    .unwrap();
    let rows = inlined::rows(&db, 1, Some(3)).unwrap();
    assert_eq!(rows[0].columns, [1, 2, 3, 4, 5]);
    assert_eq!(rows[0].rows[0].values[4].as_deref(), Some("7"));
    // Rows before have null in the new columns.
    let plan = &column_stats(&db)[3];
    assert_eq!((plan.0, plan.1), (4, true));
    assert_eq!(plan.2.as_deref(), Some("free"));

    for name in ["PLAN", ""] {
        let e = commit(&db, 3, |c| {
            add_columns(c, 1, &[column(name, PropertyType::Date)])
        });
        assert_eq!(e.unwrap_err().kind(), ErrorKind::InvalidSpec);
    }
    let mut required = column("required", PropertyType::Date);
    required.nullable = false;
    let e = commit(&db, 3, |c| add_columns(c, 1, &[required]));
    assert_eq!(e.unwrap_err().kind(), ErrorKind::InvalidSpec);
    let e = commit(&db, 3, |c| create_table(c, &new_table()));
    assert_eq!(e.unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn a_rewrite_keeps_the_number_of_rows() {
    let db = catalog();
    let a = commit(&db, 1, |c| {
        c.add_file(1, &file("a", ("x", "z"), ("9.0", "10.0")))
    })
    .unwrap();
    let b = commit(&db, 2, |c| {
        c.add_file(1, &file("b", ("m", "y"), ("1.0", "2.0")))
    })
    .unwrap();
    let mut merged = file("c", ("m", "z"), ("1.0", "10.0"));
    merged.record_count = 4;
    let ids = commit(&db, 3, |c| {
        c.ensure_unchanged(&[a, b], 3)?;
        c.rewrite_files(1, &[a, b], std::slice::from_ref(&merged))
    })
    .unwrap();
    let state = read::load_table(&db, "events", None, &[]).unwrap();
    assert_eq!(
        state.snapshot.changes,
        "inserted_into_table:1,rewrite_delete:1"
    );
    assert_eq!(state.files.iter().map(|f| f.id).collect::<Vec<_>>(), ids);
    assert_eq!(stats::table_stats(&db, 1).unwrap().unwrap().record_count, 4);

    let e = commit(&db, 4, |c| c.ensure_unchanged(&[a], 3)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Conflict);
    // Erasure reads files that ended before as well.
    assert!(commit(&db, 4, |c| c.ensure_unchanged(&[a], 4)).is_ok());
    // A row that DuckDB deleted after the file was read.
    db.execute_batch(
        "CREATE TABLE ducklake_inlined_delete_1(file_id BIGINT, row_id BIGINT, begin_snapshot BIGINT); \
         INSERT INTO ducklake_inlined_delete_1 VALUES (2, 1, 5), (2, 0, 5)",
    )
    .unwrap();
    assert!(commit(&db, 4, |c| c.ensure_unchanged(&ids, 5)).is_ok());
    let e = commit(&db, 4, |c| c.ensure_unchanged(&ids, 4)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Conflict);
    assert_eq!(inlined::deleted_positions(&db, 1, 5).unwrap()[&2], [0, 1]);
    // DuckDB adds a deletion of snapshot 7 to the file of those of snapshot 5.
    db.execute_batch(
        "INSERT INTO ducklake_delete_file (delete_file_id, table_id, begin_snapshot, data_file_id, \
         path, path_is_relative, format, delete_count, partial_max) \
         VALUES (9, 1, 5, 2, 'd', 1, 'parquet', 3, 7)",
    )
    .unwrap();
    assert!(commit(&db, 4, |c| c.ensure_unchanged(&ids, 7)).is_ok());
    let e = commit(&db, 4, |c| c.ensure_unchanged(&ids, 6)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Conflict);
}

#[test]
fn unknown_bounds_stay_unknown() {
    let db = catalog();
    commit(&db, 1, |c| {
        c.add_file(1, &file("a", ("a", "b"), ("1.0", "2.0")))
    })
    .unwrap();
    let mut unknown = file("b", ("c", "d"), ("3.0", "4.0"));
    unknown.columns[0].max = None;
    unknown.columns[2].contains_nan = Some(true);
    unknown.columns[2].min = None;
    unknown.columns[2].max = None;
    commit(&db, 2, |c| c.add_file(1, &unknown)).unwrap();
    commit(&db, 3, |c| {
        c.add_file(1, &file("c", ("e", "f"), ("5.0", "6.0")))
    })
    .unwrap();
    assert_eq!(bounds(&db, 1), None);
    assert_eq!(
        column_stats(&db).iter().map(|r| r.0).collect::<Vec<_>>(),
        [2, 3]
    );
    assert_eq!(bounds(&db, 3), texts("1.0", "6.0"));
    let nan: bool = db
        .query_row(
            "SELECT contains_nan FROM ducklake_table_column_stats WHERE column_id = 3",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert!(nan);
}

#[test]
fn wrong_files_are_refused() {
    let db = catalog();
    let mut wrong = file("a", ("a", "b"), ("1.0", "2.0"));
    wrong.partition_values.clear();
    let e = commit(&db, 1, |c| c.add_file(1, &wrong)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Internal);
    let mut wrong = file("a", ("a", "b"), ("1.0", "2.0"));
    wrong.columns[0].column_id = 9;
    let e = commit(&db, 1, |c| c.add_file(1, &wrong)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Internal);
}

#[test]
fn other_versions_are_refused() {
    let db = catalog();
    create::check_version(&db).unwrap();
    for (found, expected) in [
        ("1.1-dev1", "upgrade AURA"),
        ("1.1", "upgrade AURA"),
        ("2", "upgrade AURA"),
        ("0.4", "AUTOMATIC_MIGRATION"),
    ] {
        db.execute(
            "UPDATE ducklake_metadata SET \"value\" = ?1 WHERE \"key\" = 'version'",
            [found],
        )
        .unwrap();
        let e = create::check_version(&db).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Conflict);
        assert!(
            e.message().contains(found) && e.message().contains(expected),
            "{e}"
        );
    }
}
