//! Questions as SQL: texts of every dialect, and the answers of DuckDB and PostgreSQL to those of the vectors.

use serde_json::{Value, json};

use super::conformance::{same, vectors};
use crate::metric::query::{Comparison, SqlDialect, SqlSource, Top};
use crate::metric::{MetricQuery, Registry};
use crate::python::run;

const REGISTRY: &str = r#"
version: 1
metrics:
  - {name: actors, kind: simple, expr: count(distinct actor)}
  - {name: buyers, kind: simple, expr: count(distinct actor), filter: "event = 'it''s \\ bought' and \"Wei\"\"rd\" is not true"}
  - {name: pairs, kind: simple, expr: 'count(distinct actor, team)'}
  - {name: buy_rate, kind: ratio, numerator: '{buyers}', denominator: '{actors}'}
  - {name: growth, kind: derived, expr: '{actors} - {actors offset 1 week}'}
  - {name: weekly, kind: cumulative, expr: count(distinct actor), window: 7 days}
  - {name: evenings, kind: simple, expr: "count(*) filter (where date_part('hour', time) >= 18 and starts_with(team, 'a'))"}
  - {name: bought, kind: conversion, base: event = 'view', conversion: event = 'buy', window: 2 days, constant_properties: [team]}
  - {name: middle, kind: simple, expr: median(amount)}
"#;

fn query() -> MetricQuery {
    MetricQuery::of([
        "buy_rate", "pairs", "growth", "weekly", "evenings", "bought",
    ])
    .by(["team", "the \"plan\""])
    .filter("amount > 0.5 or amount is null")
    .from("2026-03-28")
    .to("2026-03-30")
    .time_zone("Europe/Berlin")
    .compare_to(Comparison::PreviousPeriod)
    .order_by("growth", true)
    .limit(100)
}

/// Top values by a metric of its own, and totals.
fn query_of_totals() -> MetricQuery {
    MetricQuery::of(["buy_rate", "bought"])
        .by(["the \"plan\"", "team"])
        .filter("team like 'a!_%' escape '!' and time >= timestamp '2026-03-28T00:00:00Z' - interval '7 days'")
        .from("2026-03-28")
        .to("2026-03-29")
        .top(Top {
            dimension: Some("team".to_owned()),
            metric: Some("weekly".to_owned()),
            other: "the 'others'".to_owned(),
            ..Top::new(3)
        })
        .totals()
        .compare_to(Comparison::PreviousPeriod)
        .order_by("buy_rate", true)
}

fn source() -> SqlSource {
    SqlSource {
        actor: "user id".to_owned(),
        ..SqlSource::table(["my schema", "events"])
    }
}

/// The texts are in `tests/metric/sql`; `AURA_WRITE_SQL=1` writes them anew, to be read before they are committed.
#[test]
fn texts_are_those_that_were_read() {
    let registry = Registry::parse(REGISTRY).unwrap();
    for dialect in SqlDialect::ALL {
        for (query, part) in [(query(), ""), (query_of_totals(), "_totals")] {
            let name = dialect.name().to_lowercase();
            let path = format!(
                "{}/tests/metric/sql/{name}{part}.sql",
                env!("CARGO_MANIFEST_DIR")
            );
            let text = query.to_sql(&registry, &source(), dialect).unwrap();
            if std::env::var_os("AURA_WRITE_SQL").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            let expected = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                text == expected,
                "{path} differs; AURA_WRITE_SQL=1 writes it anew:\n{text}"
            );
        }
    }
}

#[test]
fn what_cannot_be_said_is_refused() {
    let registry = Registry::parse(REGISTRY).unwrap();
    let refused = |query: MetricQuery, dialect| {
        query
            .to_sql(&registry, &source(), dialect)
            .unwrap_err()
            .message()
            .to_owned()
    };
    let ranged = |name: &str| MetricQuery::of([name]).from("2026-01-01").to("2026-01-03");
    assert_eq!(
        refused(MetricQuery::of(["actors"]), SqlDialect::Duckdb),
        "a query that is written as SQL needs `from` and `to`: its periods are written out"
    );
    assert_eq!(
        refused(ranged("middle"), SqlDialect::Bigquery),
        "the metric `middle`: a median in a group cannot be said in the SQL of BigQuery"
    );
    assert_eq!(
        refused(
            ranged("actors").order_by("aktors", true),
            SqlDialect::Duckdb
        ),
        "order: the result has no column `aktors`; did you mean `actors`?"
    );
    assert_eq!(
        refused(ranged("actors").by(["actors"]), SqlDialect::Duckdb),
        "the result would have two columns `actors`; rename the metric or the dimension, or ask in two queries"
    );
    assert_eq!(
        refused(
            ranged("actors").fill(crate::metric::Fill::Previous),
            SqlDialect::Duckdb
        ),
        "the metric `actors` carries on the value of an earlier period, which may lie before the first one that is \
         written out; for SQL, fill with `zero` or `null`"
    );
    assert_eq!(
        refused(
            ranged("actors")
                .filter("time - interval '1 quarter' > timestamp '2026-01-01T00:00:00Z'"),
            SqlDialect::Bigquery
        ),
        "a length of time in months or years cannot be said in the SQL of BigQuery"
    );
    let builtin = Registry::builtin().unwrap();
    let error = ranged("new_actors")
        .to_sql(&builtin, &source(), SqlDialect::Duckdb)
        .unwrap_err();
    assert_eq!(
        error.message(),
        "the metric `new_actors` is of the kind `lifecycle`, which is not written as SQL; metrics of the kinds simple, \
         ratio, derived, cumulative and conversion are"
    );
}

/// Returns the statements of all vectors that can be written, with what they must give.
fn jobs(dialect: SqlDialect) -> (Value, Vec<Vec<(String, Value)>>) {
    let (mut jobs, mut expected) = (Vec::new(), Vec::new());
    for (name, vector) in vectors() {
        let registry = Registry::parse(vector["registry"].as_str().unwrap()).unwrap();
        let (mut statements, mut answers) = (Vec::new(), Vec::new());
        for case in vector["cases"].as_array().unwrap() {
            let rows = case["expected"]["rows"].as_array();
            let Some((first, last)) = rows.and_then(|r| Some((r.first()?, r.last()?))) else {
                continue;
            };
            let mut query: MetricQuery = serde_json::from_value(case["query"].clone()).unwrap();
            // Periods are written out, so that the range must be known.
            let start = |row: &Value| row[0].as_str().unwrap().to_owned();
            query.from.get_or_insert(start(first));
            query.to.get_or_insert(start(last).replace("00Z", "01Z"));
            let mut columns: Vec<Value> = case["expected"]["columns"].as_array().unwrap().clone();
            let mut lines = rows.unwrap().clone();
            // Metrics that cannot be written are left out, with their columns.
            let words = query.metrics.clone();
            let whole = query.clone();
            query.metrics.retain(|metric| {
                let alone = MetricQuery {
                    metrics: vec![metric.clone()],
                    ..whole.clone()
                };
                alone
                    .to_sql(&registry, &SqlSource::table(["events"]), dialect)
                    .is_ok()
            });
            if query.metrics.is_empty() {
                continue;
            }
            for metric in words.iter().filter(|m| !query.metrics.contains(m)) {
                for name in [metric.clone(), format!("{metric}_n")] {
                    if let Some(at) = columns
                        .iter()
                        .position(|c| c.as_str() == Some(name.as_str()))
                    {
                        columns.remove(at);
                        for line in &mut lines {
                            line.as_array_mut().unwrap().remove(at);
                        }
                    }
                }
            }
            statements.push(
                query
                    .to_sql(&registry, &SqlSource::table(["events"]), dialect)
                    .unwrap(),
            );
            answers.push((
                format!("{name}: {}", case["description"]),
                json!({"columns": columns, "rows": lines}),
            ));
        }
        let mut columns = json!({"time": "time", "actor": "string", "event": "string"});
        for (name, ty) in vector["columns"].as_object().unwrap() {
            columns[name] = ty.clone();
        }
        jobs.push(json!({"columns": columns, "data": vector["data"], "statements": statements}));
        expected.push(answers);
    }
    (jobs.into(), expected)
}

fn check(dialect: SqlDialect, engine: &str) -> usize {
    let (jobs, expected) = jobs(dialect);
    let answers = run("metric/run_sql.py", &[engine], &jobs);
    let (mut cases, mut faults) = (0, Vec::new());
    for ((found, expected), job) in answers
        .as_array()
        .unwrap()
        .iter()
        .zip(&expected)
        .zip(jobs.as_array().unwrap())
    {
        for (at, (found, (what, expected))) in
            found.as_array().unwrap().iter().zip(expected).enumerate()
        {
            cases += 1;
            let statement = &job["statements"][at].as_str().unwrap();
            if found["columns"] != expected["columns"] {
                faults.push(format!(
                    "{what}: {found}, expected {}\n{statement}",
                    expected["columns"]
                ));
                continue;
            }
            let (found, expected) = (
                found["rows"].as_array().unwrap(),
                expected["rows"].as_array().unwrap(),
            );
            let equal = found.len() == expected.len()
                && found.iter().zip(expected).all(|(a, b)| {
                    let (a, b) = (a.as_array().unwrap(), b.as_array().unwrap());
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
                });
            if !equal {
                faults.push(format!(
                    "{what}: {found:?}\nexpected {expected:?}\n{statement}"
                ));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {cases} faults:\n{}",
        faults.len(),
        faults[0]
    );
    cases
}

#[test]
fn duckdb_gives_the_same_numbers() {
    assert_eq!(check(SqlDialect::Duckdb, "duckdb"), 67);
}

#[test]
fn postgresql_gives_the_same_numbers() {
    assert_eq!(check(SqlDialect::Postgresql, "postgresql"), 67);
}
