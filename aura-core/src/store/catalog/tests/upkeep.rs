//! What leaves the catalog.

use super::*;

#[test]
fn an_erased_value_is_nowhere() {
    let db = catalog();
    let a = commit(&db, 1, |c| {
        c.add_file(1, &file("a", ("secret", "z"), ("9.0", "10.0")))
    })
    .unwrap();
    let b = commit(&db, 2, |c| {
        c.add_file(1, &file("b", ("m", "secret"), ("1.0", "2.0")))
    })
    .unwrap();
    commit(&db, 3, |c| c.remove_file(b)).unwrap();
    db.execute(
        "INSERT INTO ducklake_inlined_data_1_1 VALUES (4, 3, NULL, 'secret', NULL, NULL)",
        [],
    )
    .unwrap();
    let new = commit(&db, 4, |c| {
        let mut kept = file("c", ("x", "z"), ("9.5", "10.0"));
        kept.record_count = 1;
        let new = c.replace_everywhere(a, Some(&kept))?;
        c.replace_everywhere(b, None)?;
        let rows = inlined::rows(&db, 1, None)?;
        c.erase_inlined(1, &rows[0].table, &[rows[0].rows[0].key])?;
        Ok(new)
    })
    .unwrap();
    let state = read::load_table(&db, "events", Some(2), &[]).unwrap();
    assert_eq!(state.files.len(), 1);
    assert_eq!(Some(state.files[0].id), new);
    assert_eq!(state.files[0].row_id_start, Some(0));
    assert_eq!(
        read::load_table(&db, "events", Some(3), &[])
            .unwrap()
            .files
            .len(),
        1
    );
    assert_eq!(
        snapshot::latest(&db).unwrap().changes,
        "inserted_into_table:1,deleted_from_table:1,inlined_delete:1"
    );
    assert_eq!(bounds(&db, 1), texts("x", "z"));
    assert_eq!(stats::table_stats(&db, 1).unwrap().unwrap().record_count, 1);
    let waiting = maintain::scheduled(&db, i64::MAX).unwrap();
    assert_eq!(
        waiting.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
        ["main/events/year=2026/a", "main/events/year=2026/b"]
    );
    let e = commit(&db, 5, |c| c.replace_everywhere(a, None)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Conflict);

    for table in ["ducklake_file_column_stats", "ducklake_table_column_stats"] {
        let left: i64 = db
            .query_row(
                &format!("SELECT count(*) FROM {table} WHERE 'secret' IN (min_value, max_value)"),
                [],
                |r| r.get(0),
            )
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[test]
fn expiry_frees_what_no_snapshot_sees() {
    let db = catalog();
    let a = commit(&db, 1, |c| {
        c.add_file(1, &file("a", ("a", "b"), ("1.0", "2.0")))
    })
    .unwrap();
    commit(&db, 2, |c| {
        c.add_file(1, &file("b", ("m", "n"), ("1.0", "2.0")))
    })
    .unwrap();
    commit(&db, 3, |c| c.remove_file(a)).unwrap();
    commit(&db, 4, |c| {
        add_columns(c, 1, &[column("n", PropertyType::Integer)])
    })
    .unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Snapshot 3 still sees `a`.
    let expired = maintain::expire_snapshots(&db, T0, T0 + 2 * HOUR, 1).unwrap();
    assert_eq!((expired.snapshots.len(), expired.files), (3, 0));
    let expired = maintain::expire_snapshots(&db, T0 + 9 * HOUR, i64::MAX, 0).unwrap();
    assert_eq!((expired.snapshots, expired.files), (vec![3, 4], 1));
    db.execute_batch("COMMIT").unwrap();

    assert_eq!(bounds(&db, 1), texts("m", "n"));
    assert_eq!(stats::table_stats(&db, 1).unwrap().unwrap().record_count, 2);
    assert_eq!(inlined::data_tables(&db, 1).unwrap().len(), 1);
    assert!(maintain::scheduled(&db, T0 + 9 * HOUR).unwrap().is_empty());
    let waiting = maintain::scheduled(&db, T0 + 9 * HOUR + 1).unwrap();
    assert_eq!((waiting[0].id, waiting[0].path_is_relative), (a, true));
    maintain::unschedule(&db, &[a]).unwrap();
    assert!(maintain::scheduled(&db, i64::MAX).unwrap().is_empty());
    assert_eq!(
        read::load_table(&db, "events", None, &[])
            .unwrap()
            .files
            .len(),
        1
    );
}

#[test]
fn a_moved_directory_is_noticed() {
    let db = catalog();
    assert!(!maintain::fix_data_path(&db, "/data").unwrap());
    assert!(maintain::fix_data_path(&db, "/elsewhere/").unwrap());
    assert!(!maintain::fix_data_path(&db, "/elsewhere").unwrap());
}
