use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::*;
use crate::ErrorKind;
use crate::event::Roles;

fn batch() -> RecordBatch {
    RecordBatch::try_from_iter([
        (
            "user_id",
            Arc::new(StringArray::from(vec!["a", "b", "a"])) as _,
        ),
        (
            "what",
            Arc::new(StringArray::from(vec!["view", "view", "buy"])) as _,
        ),
        (
            "at",
            Arc::new(TimestampMillisecondArray::from(vec![0, 1_500, 3_000])) as _,
        ),
    ])
    .unwrap()
}

fn roles() -> Roles {
    Roles::new("user_id", "what", "at").with_time_zone("UTC")
}

fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

#[test]
fn roles_are_canonical_columns_and_keep_their_own_names() {
    let events = Events::from_batches(vec![batch()], &roles()).unwrap();
    let names: Vec<_> = events
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    assert_eq!(names, ["actor", "event", "time", "user_id", "what", "at"]);
    let table = run(events.sql("SELECT actor, user_id, time FROM events ORDER BY time")).unwrap();
    let batch = table.to_batch().unwrap();
    let times = batch.column(2).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(times.values().to_vec(), [0, 1_500_000, 3_000_000]);
    assert_eq!(batch.column(0).len(), 3);
}

#[test]
fn a_naive_time_needs_a_zone_when_the_events_are_made() {
    let error =
        Events::from_batches(vec![batch()], &Roles::new("user_id", "what", "at")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(error.message().contains("`time_zone`"), "{error}");
    let berlin = roles().with_time_zone("Europe/Berlin");
    let events = Events::from_batches(vec![batch()], &berlin).unwrap();
    let table = run(events.sql("SELECT min(time) FROM events")).unwrap();
    let first = table.to_batch().unwrap();
    assert_eq!(
        first
            .column(0)
            .as_primitive::<TimestampMicrosecondType>()
            .value(0),
        -3_600_000_000
    );
}

#[test]
fn only_queries_are_run() {
    let events = Events::from_batches(vec![batch()], &roles()).unwrap();
    for statement in [
        "DROP TABLE events",
        "CREATE TABLE x AS SELECT 1",
        "INSERT INTO events SELECT * FROM events",
        "SET datafusion.execution.batch_size = 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "COPY events TO '/tmp/x.csv'",
        "SELECT nothing FROM events",
        "SELECT * FROM '/etc/passwd'",
        "SELEC 1",
        "SELECT 1; SELECT 2",
    ] {
        let error = run(events.sql(statement)).expect_err(statement);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{statement}: {error}");
    }
}

#[test]
fn what_is_wrong_with_a_query_is_said_once_and_in_our_words() {
    let rows = batch();
    let renamed: [(&str, _); 3] = [
        ("user_id", Arc::clone(rows.column(0))),
        ("what", Arc::clone(rows.column(1))),
        ("at", Arc::clone(rows.column(2))),
    ];
    let betrag = ("Betrag", Arc::clone(rows.column(0)));
    let rows = RecordBatch::try_from_iter(renamed.into_iter().chain([betrag])).unwrap();
    let events = Events::from_batches(vec![rows], &roles()).unwrap();
    for (query, words) in [
        (
            "SELEC 1",
            "the query cannot be read: Expected: an SQL statement, found: SELEC",
        ),
        (
            "SELECT 'a",
            "the query cannot be read: Unterminated string literal",
        ),
        (
            "SELECT 1 FROM event",
            "there is no table `event`; the table to ask is `events`",
        ),
        (
            "SELECT betrag FROM events",
            "there is no column `betrag`; there is `Betrag`: write it in double quotes, \"Betrag\"",
        ),
        (
            "SELECT actr FROM events",
            "there is no column `actr`; did you mean `actor`?",
        ),
    ] {
        let error = run(events.sql(query)).expect_err(query);
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{query}: {error}");
        assert!(error.message().starts_with(words), "{query}: {error}");
        for theirs in ["ParserError", "datafusion", "Error"] {
            assert!(!error.message().contains(theirs), "{query}: {error}");
        }
        assert!(std::error::Error::source(&error).is_none(), "{query}");
    }
    let error = run(events.sql("SELECT betrag FROM events")).unwrap_err();
    assert!(
        error
            .message()
            .contains("the columns are `actor`, `event`, `time`"),
        "{error}"
    );
    assert_eq!(
        run(events.sql("SELECT \"Betrag\" FROM events"))
            .unwrap()
            .num_rows(),
        3
    );
}

#[test]
fn a_deep_expression_is_an_answer_or_an_error_but_no_overflow() {
    let events = Events::from_batches(vec![batch()], &roles()).unwrap();
    let deep = format!(
        "SELECT {}1{} FROM events",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    assert!(run(events.sql(&deep)).is_err());
    let sum = |terms: usize| format!("SELECT {} FROM events", vec!["1"; terms].join(" + "));
    assert_eq!(run(events.sql(&sum(200))).unwrap().num_rows(), 3);
    let error = run(events.sql(&sum(1_500))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    let not = format!("SELECT {} true FROM events", "NOT ".repeat(1_500));
    assert_eq!(
        run(events.sql(&not)).unwrap_err().kind(),
        ErrorKind::InvalidSpec
    );
}

#[test]
fn an_empty_answer_has_its_schema() {
    let events = Events::from_batches(vec![batch()], &roles()).unwrap();
    let table =
        run(events.sql("SELECT event, count(*) AS n FROM events WHERE false GROUP BY event"))
            .unwrap();
    assert_eq!(table.num_rows(), 0);
    assert_eq!(table.schema().fields().len(), 2);
    assert!(table.to_string().contains("event"));
    let count = run(events.sql("SELECT count(*) FROM events"))
        .unwrap()
        .to_batch()
        .unwrap();
    assert_eq!(count.column(0).as_primitive::<Int64Type>().value(0), 3);
}

#[test]
fn a_registered_table_becomes_events() {
    let session = datafusion::prelude::SessionContext::new();
    session.register_batch("log", batch()).unwrap();
    let events = run(Events::from_table(&session, "log", &roles())).unwrap();
    assert_eq!(
        run(events.sql("SELECT * FROM events")).unwrap().num_rows(),
        3
    );
    let error = run(Events::from_table(&session, "logs", &roles())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn files_become_events_without_a_store() {
    let dir = tempfile::tempdir().unwrap();
    for part in ["a", "b"] {
        let csv = format!(
            "user_id,event,ts,n\n{part},x,2026-01-01T00:00:00Z,1\n{part},y,2026-01-02T00:00:00Z,2\n"
        );
        std::fs::write(dir.path().join(format!("{part}.csv")), csv).unwrap();
        let file = std::fs::File::create(dir.path().join(format!("{part}.parquet"))).unwrap();
        let mut out = parquet::arrow::ArrowWriter::try_new(file, batch().schema(), None).unwrap();
        out.write(&batch()).unwrap();
        out.close().unwrap();
    }
    let from = |pattern: &str, roles: &Roles| {
        let pattern = dir.path().join(pattern).to_string_lossy().into_owned();
        run(Events::from_files(
            &pattern,
            roles,
            &EngineSettings::default(),
        ))
    };
    let sql = "SELECT sum(n), count(DISTINCT actor) FROM events WHERE event = 'y'";
    let table = run(from("*.csv", &Roles::default()).unwrap().sql(sql)).unwrap();
    let got = table.to_batch().unwrap();
    assert_eq!(got.column(0).as_primitive::<Int64Type>().value(0), 4);
    let events = from("*.parquet", &roles()).unwrap();
    assert_eq!(
        run(events.sql("SELECT user_id FROM events WHERE event = 'view'"))
            .unwrap()
            .num_rows(),
        4
    );
    assert_eq!(
        from("*.nothing", &roles()).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        from("*", &roles()).unwrap_err().kind(),
        ErrorKind::InvalidData
    );
    std::fs::write(
        dir.path().join("bad.csv"),
        "user_id,event,ts\n,x,2026-01-01T00:00:00Z\n",
    )
    .unwrap();
    let error = from("bad.csv", &Roles::default()).unwrap_err();
    assert!(error.message().contains("row 2"), "{error}");
}

#[test]
fn more_threads_than_any_machine_has_are_refused() {
    let settings = EngineSettings {
        threads: 1_025,
        ..EngineSettings::default()
    };
    let said = settings.context().map(drop).expect_err("refused");
    assert_eq!(said.kind(), ErrorKind::InvalidSpec);
    assert!(said.message().contains("`threads` is 1025"), "{said}");
}
