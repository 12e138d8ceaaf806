//! Real activity: 16,126 commits with clocks, zones and an order of their own. The expected numbers are computed by
//! `examples/data/commits/expected.py`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Command;

use aura_core::ingest::Source;
use aura_core::store::{Store, StoreSettings};
use serde_json::Value;

use crate::common::{ask, open, quiet, repository, run, sums};

fn file() -> PathBuf {
    repository("examples/data/commits/commits.ndjson.gz")
}

fn expected() -> Value {
    let text = std::fs::read(repository("examples/data/commits/expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn lines() -> Vec<String> {
    let file = std::fs::File::open(file()).unwrap();
    BufReader::new(flate2::read::GzDecoder::new(file))
        .lines()
        .map(Result::unwrap)
        .collect()
}

/// Compares all that is expected with what a store holds.
async fn assert_holds_all(store: &Store) {
    let expected = expected();
    let events = store.events().await.unwrap();
    let sql = "SELECT count(*) AS rows, count(DISTINCT event_id) AS events, count(DISTINCT actor) AS actors, \
               count(*) FILTER (WHERE event = 'merge') AS merges, count(*) FILTER (WHERE bot) AS bots, sum(files) AS files, \
               sum(insertions) AS insertions, sum(deletions) AS deletions, sum(human_co_authors) AS human_co_authors, \
               count(ai_assistant) AS with_assistant, min(CAST(time AS BIGINT)) AS time_min_us, \
               max(CAST(time AS BIGINT)) AS time_max_us, sum(CAST(time AS BIGINT) / 1000000) AS time_sum_s FROM events";
    let table = events.sql(sql).await.unwrap();
    let found = ask(&events, sql).await;
    for (field, value) in table.schema().fields().iter().zip(&found[0]) {
        let name = field.name();
        assert_eq!(
            *value,
            Some(expected[name].to_string()),
            "{name} of the whole log"
        );
    }
    let sql = "SELECT repo, count(*), sum(insertions), sum(deletions), count(ai_assistant), \
               sum(CAST(time AS BIGINT) / 1000000) FROM events GROUP BY repo ORDER BY repo";
    let found = ask(&events, sql).await;
    let per_repo = expected["per_repo"].as_object().unwrap();
    assert_eq!(found.len(), per_repo.len());
    for row in found {
        let of = &per_repo[row[0].as_deref().unwrap()];
        let keys = [
            "commits",
            "insertions",
            "deletions",
            "with_assistant",
            "time_sum_s",
        ];
        let expected: Vec<_> = keys.iter().map(|k| Some(of[k].to_string())).collect();
        assert_eq!(row[1..], expected[..], "{:?}", row[0]);
    }
    // Months of UTC, whatever the month was where the author sat.
    let sql = "SELECT date_trunc('month', time), count(*) FROM events GROUP BY 1";
    let months: BTreeMap<String, String> = ask(&events, sql)
        .await
        .into_iter()
        .map(|row| {
            (
                row[0].as_deref().unwrap()[..7].to_owned(),
                row[1].clone().unwrap(),
            )
        })
        .collect();
    let expected: BTreeMap<String, String> = expected["per_month"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(month, n)| (month.clone(), n.to_string()))
        .collect();
    assert_eq!(months, expected);
}

/// Every row of a store, in an order of its own.
async fn content(store: &Store) -> Vec<Vec<Option<String>>> {
    let sql = "SELECT event_id, actor, event, CAST(time AS BIGINT), repo, bot, files, insertions, deletions, \
               human_co_authors, ai_assistant, extra FROM events ORDER BY event_id";
    ask(&store.events().await.unwrap(), sql).await
}

async fn assert_same(store: &Store, expected: &[Vec<Option<String>>]) {
    let found = content(store).await;
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
}

#[test]
fn the_expected_numbers_are_fresh() {
    let python = std::env::var("AURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python)
        .arg(repository("examples/data/commits/expected.py"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let fresh: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(fresh, expected());
    // What is known of the log from elsewhere; and that it is as uneven as the tests need it.
    for (name, value) in [
        ("rows", 16_126),
        ("actors", 1_152),
        ("insertions", 4_497_777),
        ("with_assistant", 1_213),
        ("offsets", 25),
        ("earlier_than_the_row_before", 3_660),
        ("in_another_month_than_where_the_author_was", 87),
    ] {
        assert_eq!(fresh[name], value, "{name}");
    }
}

#[test]
fn all_commits_are_there_before_and_after_flush_and_compaction() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let store = open(dir.path()).await;
        let report = store.ingest(file()).await.unwrap();
        assert_eq!(sums(&report), (16_126, 16_126, 0, 0));
        assert_holds_all(&store).await;
        let again = store.ingest(file()).await.unwrap();
        assert_eq!(sums(&again), (16_126, 0, 0, 16_126));
        assert_holds_all(&store).await;
        let before = content(&store).await;
        store.compact().await.unwrap();
        assert_holds_all(&store).await;
        assert_same(&store, &before).await;
        drop(store);
        let store = open(dir.path()).await;
        assert_holds_all(&store).await;
        let again = store.ingest(file()).await.unwrap();
        assert_eq!(sums(&again), (16_126, 0, 0, 16_126));
    });
}

#[test]
fn times_are_normalised_to_utc() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        store.ingest(file()).await.unwrap();
        let sql = "SELECT event_id, CAST(time AS BIGINT) FROM events";
        let found: BTreeMap<String, i64> = ask(&store.events().await.unwrap(), sql)
            .await
            .into_iter()
            .map(|row| {
                (
                    row[0].clone().unwrap(),
                    row[1].as_deref().unwrap().parse().unwrap(),
                )
            })
            .collect();
        let mut offsets = std::collections::BTreeSet::new();
        for line in lines() {
            let row: Value = serde_json::from_str(&line).unwrap();
            let text = row["time"].as_str().unwrap();
            offsets.insert(text[19..].to_owned());
            let time: jiff::Timestamp = text.parse().unwrap();
            let id = row["event_id"].as_str().unwrap();
            assert_eq!(found[id], time.as_microsecond(), "{line}");
        }
        assert_eq!(offsets.len(), 25);
        assert_eq!(found.len(), 16_126);
    });
}

/// Rows in any order, in many inputs, most of them older than what is there: the same store.
#[test]
fn late_rows_make_the_same_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = lines();
    let mut state = 9u64;
    for last in (1..rows.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        rows.swap(last, (state >> 33) as usize % (last + 1));
    }
    run(async {
        let ordered = Store::in_memory().await.unwrap();
        ordered.ingest(file()).await.unwrap();
        let expected = content(&ordered).await;
        let settings = StoreSettings {
            target_rows_per_file: 3_000,
            ..quiet()
        };
        let store = Store::builder(dir.path())
            .settings(settings)
            .open()
            .await
            .unwrap();
        // The newest that has all properties comes first: nearly all that follow are late.
        let time = |row: &&String| row.split("\"time\":\"").nth(1).map(str::to_owned);
        let whole = rows.iter().filter(|r| !r.contains(":null"));
        let newest = whole.max_by_key(time).unwrap();
        let report = store
            .ingest(Source::bytes("newest", newest.clone()))
            .await
            .unwrap();
        assert_eq!(sums(&report), (1, 1, 0, 0));
        let mut accepted = 1;
        for (n, part) in rows.chunks(4_000).enumerate() {
            let source = Source::bytes(format!("part {n}"), part.join("\n"));
            accepted += sums(&store.ingest(source).await.unwrap()).1;
            if n == 2 {
                store.compact().await.unwrap();
            }
        }
        assert_eq!(accepted, 16_126);
        assert_holds_all(&store).await;
        assert_same(&store, &expected).await;
        store.compact().await.unwrap();
        assert_holds_all(&store).await;
        assert_same(&store, &expected).await;
    });
}

/// The same commits as small appends, which are staged and flushed.
#[test]
fn appended_commits_are_the_same_as_ingested_ones() {
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let ordered = Store::in_memory().await.unwrap();
        ordered.ingest(file()).await.unwrap();
        let all = ordered
            .events()
            .await
            .unwrap()
            .sql("SELECT * FROM events ORDER BY insertions, event_id")
            .await
            .unwrap()
            .to_batch()
            .unwrap();
        let store = open(dir.path()).await;
        for at in (0..all.num_rows()).step_by(1_000) {
            let rows = all.slice(at, 1_000.min(all.num_rows() - at));
            let report = store.append(rows).await.unwrap();
            assert_eq!(report.duplicate, 0);
            if at == 8_000 {
                store.flush().await.unwrap();
            }
        }
        let expected = content(&ordered).await;
        assert_same(&store, &expected).await;
        store.flush().await.unwrap();
        assert_same(&store, &expected).await;
        assert_holds_all(&store).await;
        store.compact().await.unwrap();
        assert_same(&store, &expected).await;
        let again = store.ingest(file()).await.unwrap();
        assert_eq!(sums(&again), (16_126, 0, 0, 16_126));
    });
}
