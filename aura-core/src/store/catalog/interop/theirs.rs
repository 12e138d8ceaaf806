//! Changes that DuckDB makes.

use super::*;

#[test]
fn what_duckdb_writes_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::create(dir.path());
    lake.append(&[("e0", "zed", JANUARY, Some(0.0))]);
    let second = lake.append(&[
        ("e1", "ann", JANUARY, Some(9.0)),
        ("e2", "bob", JANUARY + 1, Some(10.0)),
        ("e3", "bob", JANUARY + 2, None),
    ]);
    let ours = lake.state(None);

    // Few rows go into the database, and as files on demand.
    let row = |id: &str, amount: &str| {
        json!([{"event_id": id, "actor": "kim", "time": "2026-01-31 23:00:00.5+00", "amount": amount}])
            .to_string()
    };
    lake.duckdb("insert", &["--rows", &row("d1", "nan")]);
    lake.duckdb("insert", &["--rows", &row("d2", "1e300"), "--as-file"]);
    let state = lake.state(None);
    assert_eq!(state.snapshot.schema_version, ours.snapshot.schema_version);
    let inlined = &state.inlined[0];
    assert_eq!(inlined.columns, [1, 2, 3, 4]);
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(
        inlined.rows[0].values,
        [
            text("d1"),
            text("kim"),
            text("2026-01-31 23:00:00.5+00"),
            text("nan")
        ]
    );
    assert_eq!(inlined.rows[0].row_id, 4);
    assert_eq!(
        crate::store::catalog::read::files_since(&lake.db, TABLE, ours.snapshot.next_file_id)
            .unwrap(),
        [state.files[2].id]
    );
    let file = &state.files[2];
    assert!(
        file.path.path.starts_with("events/year=2026/month=1/"),
        "{file:?}"
    );
    assert!(lake.dir.join(&file.path.path).exists());
    assert_eq!(file.partition_values, [text("2026"), text("1")]);
    assert_eq!(
        file.stats[0].as_ref().unwrap().min.as_deref(),
        Some("2026-01-31 23:00:00.5+00")
    );

    // One deleted row goes into the database by its position, many into a file.
    let deleted = lake.duckdb("delete", &["--where", "event_id = 'e2'"]);
    assert_eq!(deleted["deleted"], 1);
    let state = lake.state(None);
    let file = state.files.iter().find(|f| f.id == second).unwrap();
    assert_eq!(file.row_id_start, Some(1));
    assert_eq!(file.deleted_positions, [1]);
    lake.duckdb("delete", &["--where", "event_id = 'e3'", "--as-file"]);
    let state = lake.state(None);
    let file = state.files.iter().find(|f| f.id == second).unwrap();
    assert_eq!(file.delete_files.len(), 1);
    let gone = file.delete_files[0].delete_count + file.deleted_positions.len() as u64;
    assert!(lake.dir.join(&file.delete_files[0].path.path).exists());
    assert_eq!(gone, 2, "{file:?}");
    let e = lake.commit(|c, _| c.ensure_unchanged(&[second], ours.snapshot.id));
    assert_eq!(e.unwrap_err().kind(), crate::ErrorKind::Conflict);

    // A column of DuckDB's, and a row that has it; then one of ours.
    lake.duckdb("sql", &["ALTER TABLE lake.events ADD COLUMN score INTEGER"]);
    lake.duckdb(
        "insert",
        &[
            "--rows",
            r#"[{"event_id": "d3", "actor": "ann", "time": "2026-01-01", "score": 7}]"#,
        ],
    );
    let plan = NewColumn {
        name: "plan".to_owned(),
        ty: PropertyType::String,
        nullable: true,
    };
    let added = lake.commit(|c, _| add_columns(c, TABLE, &[plan])).unwrap();
    assert_eq!(added[0].id, 6);
    lake.duckdb(
        "insert",
        &[
            "--rows",
            r#"[{"event_id": "d4", "actor": "ann", "time": "2026-01-01", "plan": "pro"}]"#,
        ],
    );
    let state = lake.state(None);
    assert_eq!(
        column_names(&state.columns),
        ["event_id", "actor", "time", "amount", "score", "plan"]
    );
    assert_eq!(state.columns[4].ty, "int32");
    assert_eq!(state.inlined.len(), 3);
    assert_eq!(state.inlined[1].rows[0].values[4].as_deref(), Some("7"));
    assert_eq!(state.inlined[2].rows[0].values[5].as_deref(), Some("pro"));
    assert_eq!(lake.ids(None), ["d1", "d2", "d3", "d4", "e0", "e1"]);

    // DuckDB's own flush backdates a file; its rows are the ones that were inlined.
    let before = lake.state(None);
    lake.duckdb("sql", &["CALL ducklake_flush_inlined_data('lake')"]);
    let state = lake.state(None);
    assert!(state.inlined.is_empty());
    let new =
        crate::store::catalog::read::files_since(&lake.db, TABLE, before.snapshot.next_file_id)
            .unwrap();
    let flushed: Vec<_> = state.files.iter().filter(|f| new.contains(&f.id)).collect();
    assert!(!flushed.is_empty());
    assert!(
        flushed
            .iter()
            .any(|f| f.begin_snapshot < before.snapshot.id)
    );
    assert!(flushed.iter().any(|f| f.partial_max.is_some()));
    assert_eq!(lake.ids(None), ["d1", "d2", "d3", "d4", "e0", "e1"]);

    // A row that AURA may not have is refused by DuckDB.
    let bad = lake.start(
        "insert",
        &["--rows", r#"[{"event_id": "bad", "time": "2026-01-01"}]"#],
    );
    let bad = bad.wait_with_output().unwrap();
    assert!(
        !bad.status.success() && stderr(&bad).contains("NOT NULL"),
        "{bad:?}"
    );
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a statement in a transaction of DuckDB's that commits after `ours` has.
fn overtake(lake: &mut Lake, statement: &str, ours: impl FnOnce(&mut Lake)) -> Output {
    let signals = tempfile::tempdir().unwrap();
    let (ready, go) = (signals.path().join("ready"), signals.path().join("go"));
    let child = lake.start(
        "sql",
        &[
            "BEGIN",
            statement,
            &format!("touch {}", ready.display()),
            &format!("wait {}", go.display()),
            "COMMIT",
        ],
    );
    let start = std::time::Instant::now();
    while !ready.exists() && start.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    ours(lake);
    std::fs::write(go, "").unwrap();
    child.wait_with_output().unwrap()
}

/// SQLite gives a transaction of DuckDB's one state to read, and refuses its commit once there is a
/// newer one: nothing is lost, and nothing comes back.
#[test]
fn concurrent_changes_of_duckdb_are_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut lake = Lake::create(dir.path());
    let events: [Event; 2] = [
        ("e1", "ann", JANUARY, Some(9.0)),
        ("e2", "bob", JANUARY, Some(1.0)),
    ];
    let file = lake.append(&events);
    let delete = "DELETE FROM lake.events WHERE event_id = 'e2'";
    let refused = |outcome: Output| {
        let message = stderr(&outcome);
        let known = message.contains("conflict") || message.contains("database is locked");
        assert!(!outcome.status.success() && known, "{outcome:?}");
    };

    refused(overtake(&mut lake, delete, |lake| {
        let merged = lake.write(&events);
        lake.commit(|c, _| c.rewrite_files(TABLE, &[file], &[merged]))
            .unwrap();
    }));
    assert_eq!(lake.ids(None), ["e1", "e2"]);

    refused(overtake(&mut lake, delete, |lake| {
        let id = lake.state(None).files[0].id;
        let rest = lake.write(&events[1..]);
        lake.commit(|c, _| c.replace_everywhere(id, Some(&rest)))
            .unwrap();
    }));
    assert_eq!(lake.ids(None), ["e2"]);

    // The same statement again, by itself, is accepted.
    lake.duckdb("sql", &[delete]);
    assert_eq!(lake.ids(None), [""; 0]);
}
