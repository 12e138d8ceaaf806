//! The functions in SQL: the vectors of ClickHouse, and what is refused.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::datasource::MemTable;
use serde_json::{Value, json};

use crate::ErrorKind;
use crate::engine::{EngineSettings, Events};
use crate::event::Roles;

const SECOND: i64 = 1_000_000;

/// Events of rows, in `parts` partitions.
fn events(rows: &[(&str, i64, &str)], parts: usize) -> Events {
    let batch = |rows: &[(&str, i64, &str)]| {
        let actor: StringArray = rows.iter().map(|r| Some(r.0)).collect();
        let time: TimestampMicrosecondArray = rows.iter().map(|r| Some(r.1 * SECOND)).collect();
        let event: StringArray = rows.iter().map(|r| Some(r.2)).collect();
        let ok: BooleanArray = rows
            .iter()
            .map(|r| (r.2 != "d").then_some(r.2 == "a"))
            .collect();
        let n: Int32Array = rows.iter().map(|_| Some(1)).collect();
        RecordBatch::try_from_iter_with_nullable([
            ("actor", Arc::new(actor) as _, false),
            ("time", Arc::new(time.with_timezone("UTC")) as _, true),
            ("event", Arc::new(event) as _, true),
            ("ok", Arc::new(ok) as _, true),
            ("n", Arc::new(n) as _, true),
        ])
        .unwrap()
    };
    let size = rows.len().div_ceil(parts).max(1);
    let mut partitions: Vec<Vec<RecordBatch>> =
        rows.chunks(size).map(|rows| vec![batch(rows)]).collect();
    if partitions.is_empty() {
        partitions.push(vec![batch(&[])]);
    }
    let schema = partitions[0][0].schema();
    let table = MemTable::try_new(schema, partitions).unwrap();
    let settings = EngineSettings {
        threads: parts,
        ..EngineSettings::default()
    };
    Events::from_provider(
        Arc::new(table),
        &Roles::new("actor", "event", "time"),
        &settings,
    )
    .unwrap()
}

fn cell(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Timestamp(..) => {
            let us = column.as_primitive::<TimestampMicrosecondType>().value(row);
            assert_eq!(us % SECOND, 0);
            (us / SECOND).into()
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            (0..list.len()).map(|i| cell(&list, i)).collect()
        }
        other => panic!("{other}"),
    }
}

async fn ask(events: &Events, query: &str) -> Vec<Value> {
    let table = events
        .sql(query)
        .await
        .unwrap_or_else(|e| panic!("{query}: {e}"));
    let batch = table.to_batch().unwrap();
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|c| cell(c, row)).collect())
        .collect()
}

#[tokio::test]
async fn clickhouse_gives_the_same() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/conformance/functions/clickhouse.json"
    );
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut cases, mut faults) = (0, Vec::new());
    for (name, data) in vectors["data"].as_object().unwrap() {
        let rows: Vec<(&str, i64, &str)> = data
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().unwrap();
                (text("actor"), row["time"].as_i64().unwrap(), text("event"))
            })
            .collect();
        let (one, three) = (events(&rows, 1), events(&rows, 3));
        for case in vectors["cases"][name].as_array().unwrap() {
            cases += 1;
            let query = format!(
                "SELECT actor, {} AS x FROM events GROUP BY actor ORDER BY actor",
                case["expression"].as_str().unwrap()
            );
            let expected = case["expected"].as_array().unwrap();
            for (parts, events) in [(1, &one), (3, &three)] {
                let found = ask(events, &query).await;
                assert_eq!(found.len(), expected.len());
                let different = found.iter().zip(expected).find(|(f, e)| f != e);
                if let Some((found, expected)) = different {
                    faults.push(format!(
                        "{name}, {parts}: {query}: {found}, expected {expected}"
                    ));
                }
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(
        cases,
        vectors["cases"]
            .as_object()
            .unwrap()
            .values()
            .map(|c| c.as_array().unwrap().len())
            .sum::<usize>()
    );
    assert!(cases > 150);
}

#[tokio::test]
async fn where_clickhouse_differs() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/conformance/functions/differences.json"
    );
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let rows = case["data"].as_array().unwrap().iter().map(|row| {
            let text = |key: &str| row[key].as_str().unwrap();
            (text("actor"), row["time"].as_i64().unwrap(), text("event"))
        });
        let rows: Vec<(&str, i64, &str)> = rows.collect();
        let expression = case["expression"].as_str().unwrap();
        let query = format!("SELECT {expression} AS x FROM events");
        let expected = &case["expected"];
        for parts in [1, 2] {
            let found = events(&rows, parts).sql(&query).await;
            match (found, expected.get("error")) {
                (Ok(table), None) => {
                    let found = cell(table.to_batch().unwrap().column(0), 0);
                    assert_eq!(&found, expected, "{}", case["description"]);
                    let theirs = case["clickhouse"]["result"].as_f64();
                    let ours = found.as_f64().or(found.as_bool().map(f64::from));
                    assert_eq!(
                        theirs == ours,
                        case["same"] == true,
                        "{}",
                        case["description"]
                    );
                }
                (Err(error), Some(end)) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
                    assert!(error.to_string().contains(end.as_str().unwrap()), "{error}");
                }
                (found, _) => panic!("{}: {found:?}", case["description"]),
            }
        }
    }
}

#[tokio::test]
async fn the_other_functions() {
    let rows = [
        ("a", 0, "a"),
        ("a", 10, "b"),
        ("a", 100, "a"),
        ("a", 130, "c"),
        ("b", 5, "b"),
        ("b", 5, "a"),
    ];
    for parts in [1, 2, 4] {
        let events = events(&rows, parts);
        let query = "SELECT actor, window_funnel_events(INTERVAL '1 minute', time, event = 'a', event IN ('b', 'c')) AS x \
                     FROM events GROUP BY actor ORDER BY actor";
        assert_eq!(
            ask(&events, query).await,
            [json!(["a", [0, 10]]), json!(["b", [5, 5]])]
        );
        let query = "SELECT actor, time, sessionize(time, '30 seconds') OVER (PARTITION BY actor ORDER BY time) AS s \
                     FROM events ORDER BY actor, time, event";
        let sessions = [
            json!(["a", 0, 1]),
            json!(["a", 10, 1]),
            json!(["a", 100, 2]),
            json!(["a", 130, 2]),
            json!(["b", 5, 1]),
            json!(["b", 5, 1]),
        ];
        assert_eq!(ask(&events, query).await, sessions);
        // Null is not met.
        let query =
            "SELECT retention(ok, NOT ok) AS x FROM events WHERE event <> 'a' OR actor = 'b'";
        assert_eq!(ask(&events, query).await, [json!([[1, 1]])]);
    }
    let none = events(&[], 1);
    let query = "SELECT window_funnel('1 day', time, event = 'a') AS a, sequence_match('(?1)', time, event = 'a') AS b, \
                 sequence_count('(?1)', time, event = 'a') AS c, retention(event = 'a') AS d, \
                 sequence_match_events('(?1)', time, event = 'a') AS e, \
                 sequence_next_node('forward', 'head', time, event, true) AS f FROM events";
    assert_eq!(
        ask(&none, query).await,
        [json!([0, false, 0, [0], [], null])]
    );
}

#[tokio::test]
async fn many_groups_are_as_each_alone() {
    // Every group is `i` events a, then as many b, one a second; more groups than a batch has rows.
    let names: Vec<String> = (0..9_000).map(|i| format!("u{i:05}")).collect();
    let mut rows: Vec<(&str, i64, &str)> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let n = (i % 4) as i64;
        rows.extend((0..n).map(|t| (name.as_str(), t, "a")));
        rows.extend((n..2 * n).map(|t| (name.as_str(), t, "b")));
        rows.push((name, 100, "d"));
    }
    // From everywhere into every batch.
    let step = 7_919;
    let rows: Vec<_> = (0..rows.len())
        .map(|i| rows[i * step % rows.len()])
        .collect();
    assert_eq!(rows.len(), 36_000);
    for parts in [1, 3] {
        let events = events(&rows, parts);
        let query = "WITH g AS (SELECT actor, window_funnel('10 seconds', 'strict_once', time, event = 'a', event = 'b', event = 'b') AS f, \
                     sequence_count('(?1).*(?2)', time, event = 'a', event = 'b') AS c, \
                     sequence_match('(?1)(?1)(?2)', time, event = 'a', event = 'b') FILTER (WHERE time < TIMESTAMP '1970-01-01T00:00:04Z') AS m, \
                     window_funnel_events('1 minute', time, event = 'a', event = 'b') AS e, \
                     retention(event = 'a', event = 'b', event = 'c') FILTER (WHERE event <> 'b' OR time < TIMESTAMP '1970-01-01T00:00:02Z') AS r \
                     FROM events GROUP BY actor) SELECT f, c, m, e, r, count(*) AS n FROM g GROUP BY ALL ORDER BY f, c, m, e";
        let query = query.replace("GROUP BY ALL", "GROUP BY f, c, m, e, r");
        assert_eq!(
            ask(&events, &query).await,
            [
                json!([0, 0, false, [], [0, 0, 0], 2_250]),
                json!([2, 1, false, [0, 1], [1, 1, 0], 2_250]),
                json!([3, 1, true, [1, 2], [1, 0, 0], 2_250]),
                json!([3, 1, true, [2, 3], [1, 0, 0], 2_250]),
            ]
        );
    }
}

#[tokio::test]
async fn wrong_calls_say_what_is_wrong() {
    let events = events(&[("a", 0, "a")], 1);
    let many = vec!["ok"; 65].join(", ");
    let calls = [
        ("window_funnel('7 days', time)", "0 conditions"),
        (
            "window_funnel('0 days', time, ok)",
            "is not a length of time",
        ),
        ("window_funnel('1 month', time, ok)", "argument 1"),
        ("window_funnel(7, time, ok)", "argument 1 is Int64"),
        (
            "window_funnel('1 day', 'strict', time, ok)",
            "no mode `strict`",
        ),
        (
            "window_funnel('1 day', 'allow_reentry', time, ok)",
            "strict_order only",
        ),
        (
            "window_funnel('1 day', event, ok, ok)",
            "argument 3 is Boolean",
        ),
        ("window_funnel('1 day', time, n)", "argument 3 is Int32"),
        ("window_funnel(event, time, ok)", "a constant"),
        (
            "sequence_match('(?1', time, ok)",
            "character 4: `)` is expected",
        ),
        (
            "sequence_match('(?1)x', time, ok)",
            "character 5: found `x`",
        ),
        ("sequence_match('é', time, ok)", "character 1: found `é`"),
        (
            "sequence_match('(?2)', time, ok)",
            "there is no condition 2; there are 1",
        ),
        (
            "sequence_match('(?0)', time, ok)",
            "there is no condition 0",
        ),
        (
            "sequence_match('(?99999999999999999999)', time, ok)",
            "too large",
        ),
        ("sequence_match('(?t<5)(?1)', time, ok)", "none before it"),
        ("sequence_match('(?1)(?t<5)', time, ok)", "none after it"),
        (
            "sequence_match('(?1)(?t=5)(?1)', time, ok)",
            "one of <=, <, >=, >, ==",
        ),
        (
            "sequence_match('(?1)(?t<9223372036854775807)(?1)', time, ok)",
            "too long",
        ),
        ("sequence_match('.*', time, ok)", "names no event"),
        ("sequence_match('', time, ok)", "names no event"),
        (
            "sequence_next_node('up', 'head', time, event, ok)",
            "the direction is `up`",
        ),
        (
            "sequence_next_node('backward', 'head', time, event, ok)",
            "the base is `head`",
        ),
        (
            "sequence_next_node('forward', 'first_match', time, event, ok)",
            "at least one condition",
        ),
        ("sessionize(time) OVER (ORDER BY time)", "1 arguments"),
        ("sessionize(time, '1 day') OVER (ORDER BY time DESC)", ""),
    ];
    for (call, part) in calls {
        let error = match events.sql(&format!("SELECT {call} FROM events")).await {
            Err(error) => error,
            // One row has no order.
            Ok(_) if part.is_empty() => continue,
            Ok(table) => panic!("{call}: {table}"),
        };
        assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{call}: {error}");
        assert!(error.to_string().contains(part), "{call}: {error}");
    }
    let error = events
        .sql(&format!("SELECT retention({many}) FROM events"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("65 conditions"), "{error}");
    let long = "(?1)".repeat(300);
    let query = format!("SELECT sequence_match('{long}', time, ok) FROM events");
    let error = events.sql(&query).await.unwrap_err();
    assert!(
        error.to_string().contains("more than 256 events"),
        "{error}"
    );
}
