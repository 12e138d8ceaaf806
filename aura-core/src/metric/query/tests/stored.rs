//! Questions to a store: the same answers whatever lies where, and what is read for them. And periods of one's own.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};

use super::conformance::cells;
use crate::ErrorKind;
use crate::calendar::{Grain, PeriodTable};
use crate::engine::Events;
use crate::event::Roles;
use crate::metric::{MetricQuery, Registry};
use crate::store::Store;

const REGISTRY: &str = "
version: 1
metrics:
  - {name: events, kind: simple, expr: count(*)}
  - {name: actors, kind: simple, expr: count(distinct actor)}
  - {name: teams, kind: simple, expr: count(distinct team)}
  - {name: month_actors, kind: cumulative, expr: count(distinct actor), grain_to_date: month}
";

/// Events every six hours of 2026-01-01 to 2026-02-28, of 7 actors in 3 teams.
fn batch() -> RecordBatch {
    let hours = 0..59 * 4_i64;
    let text = |get: fn(i64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(hours.clone().map(get)))
    };
    let times = hours
        .clone()
        .map(|h| 1_767_225_600_000_000 + h * 6 * 3_600_000_000);
    RecordBatch::try_from_iter([
        ("event_id", text(|h| format!("{h:04}"))),
        ("actor", text(|h| format!("u{}", h % 7))),
        (
            "event",
            text(|h| ["view", "buy"][h as usize % 2].to_owned()),
        ),
        ("team", text(|h| format!("t{}", h % 3))),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")) as _,
        ),
    ])
    .unwrap()
}

async fn store() -> Store {
    let store = Store::in_memory().await.unwrap();
    store.append(batch()).await.unwrap();
    store.flush().await.unwrap();
    store.compact().await.unwrap();
    store
}

#[tokio::test]
async fn a_store_answers_as_its_table_does() {
    let registry = Registry::parse(REGISTRY).unwrap();
    let query = MetricQuery::of(["events", "actors", "teams", "month_actors"])
        .by(["team"])
        .grain(Grain::Week);
    let stored = store().await.events().await.unwrap();
    let table = Events::from_batches(vec![batch()], &Roles::default()).unwrap();
    let expected = table.metrics(&registry, &query).await.unwrap();
    let found = stored.metrics(&registry, &query).await.unwrap();
    assert_eq!(cells(&found), cells(&expected));
    assert_eq!(found.num_rows(), 9 * 3);
}

#[tokio::test]
async fn what_a_question_reads_of_a_store_is_explained() {
    let registry = Registry::parse(REGISTRY).unwrap();
    let events = store().await.events().await.unwrap();
    let all = MetricQuery::of(["events"]).by(["team"]);
    let whole = events.explain_metrics(&registry, &all).await.unwrap();
    assert!(
        whole.text.contains("    in one pass over the rows\n"),
        "{}",
        whole.text
    );
    assert!(whole.scan.bytes_read > 0);
    let files = whole.scan.files_read;
    assert!(files >= 2, "{}", whole.text);
    // The range is asked for, and nothing else has to be known.
    let january = all.from("2026-01-03").to("2026-01-05").as_of("2026-03-01");
    let part = events.explain_metrics(&registry, &january).await.unwrap();
    assert!(
        part.text
            .contains(&format!("the pass read 1 of {files} files, ")),
        "{}",
        part.text
    );
    assert_eq!((part.scan.files_total, part.scan.files_read), (files, 1));
    assert!(part.scan.bytes_read < whole.scan.bytes_read);
    let actors = MetricQuery {
        metrics: vec!["actors".to_owned(), "teams".to_owned()],
        ..january
    };
    let both = events.explain_metrics(&registry, &actors).await.unwrap();
    assert!(
        both.text
            .contains("    in one pass over the events, actor by actor\n")
            && both.text.contains("AggregateExec"),
        "{}",
        both.text
    );
    assert_eq!(
        (both.scan.files_total, both.scan.files_read),
        (2 * files, 2)
    );
}

#[tokio::test]
async fn periods_of_ones_own_are_asked_for() {
    let registry = Registry::parse(REGISTRY).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("periods.csv");
    let text = "grain,label,start,end\n\
                month,P01,2026-01-01,2026-01-29\n\
                month,P02,2026-01-29,2026-02-26\n\
                month,P03,2026-02-26,2026-03-26\n";
    std::fs::write(&path, text).unwrap();
    let events = Events::from_batches(vec![batch()], &Roles::default()).unwrap();
    let query = MetricQuery {
        periods: PeriodTable::load(&path).unwrap(),
        ..MetricQuery::of(["events", "actors", "month_actors"]).grain(Grain::Month)
    };
    let table = events.metrics(&registry, &query).await.unwrap();
    let rows: Vec<String> = cells(&table)
        .iter()
        .map(|row| {
            row[1..5]
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "\"P01\",112.0,7.0,7.0",
            "\"P02\",112.0,7.0,7.0",
            "\"P03\",12.0,7.0,7.0"
        ]
    );
    let late = query.to("2026-05-01");
    let error = events.metrics(&registry, &late).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(
        error
            .message()
            .contains("reach from `P01` to the end of `P03`"),
        "{error}"
    );
}
