//! Sequences against the functions of SQL, which are checked against naive ones.

use serde_json::Value;

use crate::behavior::funnel::vectors::{cells, events, file};
use crate::behavior::{Analysis, EventFilter, Sequence};
use crate::engine::Events;

const NAMES: [&str; 3] = ["view", "add", "buy"];

async fn in_sql(events: &Events, pattern: &str, by: &str) -> Vec<Value> {
    let conditions = "event = 'view', event = 'add', event = 'buy' AND amount > 10";
    let query = format!(
        "WITH g AS (SELECT actor, {by} AS by, sequence_match('{pattern}', time, {conditions}) AS m, \
                    sequence_count('{pattern}', time, {conditions}) AS c \
                    FROM events WHERE event IN ('view', 'add') OR event = 'buy' AND amount > 10 GROUP BY actor) \
         SELECT by, count(*) AS actors, count(*) FILTER (WHERE m) AS matched, sum(c) AS matches \
         FROM g GROUP BY by ORDER BY by"
    );
    cells(&events.sql(&query).await.unwrap())
}

#[tokio::test]
async fn agrees_with_sql() {
    let vectors = file();
    let patterns = [
        "(?1)(?2)",
        "(?1).*(?3)",
        "(?1)(?t<=3600)(?2)",
        "(?2)(?t>3600).(?t<90000)(?3)",
        "..(?1)",
        "(?1).*(?1).*(?2)",
    ];
    let filters = || {
        let buy = EventFilter::event(NAMES[2]).filter("amount > 10");
        [NAMES[0].into(), NAMES[1].into(), buy]
    };
    let mut specs: Vec<Analysis> = Vec::new();
    for pattern in patterns {
        specs.push(Sequence::new(pattern, filters()).into());
        specs.push(Sequence::new(pattern, filters()).by("actor").into());
    }
    let mut before: Option<Vec<Vec<Value>>> = None;
    for (parts, reversed) in [(1, false), (3, true), (5, false)] {
        let events = events(&vectors, parts, reversed);
        let tables = events.run_all(&specs).await.unwrap();
        let found: Vec<Vec<Value>> = tables.iter().map(cells).collect();
        for (pattern, pair) in patterns.iter().zip(found.chunks(2)) {
            for (rows, by) in pair.iter().zip(["'all'", "max(actor)"]) {
                let expected = in_sql(&events, pattern, by).await;
                assert_eq!(rows.len(), expected.len());
                for (row, expected) in rows.iter().zip(expected) {
                    let row = row.as_array().unwrap();
                    // From the end: actors, matched, share, its bounds, matches, two times.
                    let n = row.len();
                    let counts = [&row[n - 8], &row[n - 7], &row[n - 3]];
                    let expected = [&expected[1], &expected[2], &expected[3]];
                    assert_eq!(counts, expected, "{pattern} {by}");
                }
            }
        }
        if let Some(before) = &before {
            assert_eq!(before, &found);
        }
        before = Some(found);
    }
}

#[tokio::test]
async fn wrong_specs_name_the_field() {
    let events = events(&file(), 1, false);
    let none: [&str; 0] = [];
    let wrong = [
        (Sequence::new("(?1)", none), "events: 0 given"),
        (
            Sequence::new("(?3)", ["view", "buy"]),
            "pattern: the pattern, character 4: there is no condition 3",
        ),
        (
            Sequence::new("(?1)", ["view"]).by("share"),
            "by: the result has a column `share`",
        ),
        (
            Sequence::new("(?1)", ["view"]).by("nothing"),
            "by: the events have no column",
        ),
        (
            Sequence::new("(?1)", [EventFilter::any().filter("amount +")]),
            "events[0]: ",
        ),
    ];
    for (spec, start) in wrong {
        let error = events.run(&spec).await.unwrap_err();
        assert!(error.message().starts_with(start), "{error}");
    }
    let table = events.run(Sequence::new("(?1)", ["nobody"])).await.unwrap();
    assert_eq!(
        (table.num_rows(), cells(&table)[0][0].clone()),
        (1, 0.0.into())
    );
    assert_eq!(table.notes(), ["no event meets any of the conditions"]);
}
