//! AI coverage, adoption of AI and collaboration of real commits, by month and repository, against
//! `tests/metric/commits.py`.

use std::collections::HashMap;

use serde_json::Value;

use super::conformance::{cells, same};
use crate::calendar::Grain;
use crate::engine::{EngineSettings, Events};
use crate::event::Roles;
use crate::metric::{Bindings, MetricQuery, Registry};
use crate::python::run;

#[tokio::test]
async fn real_commits_by_month_and_repository() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/commits/commits.ndjson.gz"
    );
    let roles = Roles::new("actor_id", "event", "time");
    let events = Events::from_files(file, &roles, &EngineSettings::default())
        .await
        .unwrap();
    let mut bindings = Bindings::new();
    bindings.insert("object", "repo".into());
    let registry = Registry::builtin_with(&bindings).unwrap();
    let query = MetricQuery::of(["ai_coverage", "ai_adoption_rate", "collaboration_sessions"])
        .grain(Grain::Month)
        .by(["repo"]);
    let table = events.metrics(&registry, &query).await.unwrap();
    let schema = table.schema();
    let names = [
        "period_label",
        "repo",
        "ai_coverage",
        "ai_coverage_n",
        "ai_adoption_rate",
        "ai_adoption_rate_n",
        "collaboration_sessions",
    ];
    let places: Vec<usize> = names.iter().map(|n| schema.index_of(n).unwrap()).collect();
    let expected = run("metric/commits.py", &[], &Value::Null);
    let expected: HashMap<(String, String), &Vec<Value>> = expected
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let row = row.as_array().unwrap();
            let text = |at: usize| row[at].as_str().unwrap().to_owned();
            ((text(0), text(1)), row)
        })
        .collect();
    assert_eq!(expected.len(), 372);
    let rows = cells(&table);
    // 12 repositories in every month from September 2018 on.
    assert_eq!(rows.len() % 12, 0);
    let mut found = 0;
    for row in rows {
        let row: Vec<Value> = places.iter().map(|at| row[*at].clone()).collect();
        let text = |at: usize| row[at].as_str().unwrap().to_owned();
        match expected.get(&(text(0), text(1))) {
            Some(expected) => {
                found += 1;
                assert!(
                    row.iter().zip(*expected).all(|(a, b)| same(a, b)),
                    "{row:?} {expected:?}"
                );
            }
            None => assert_eq!(
                row[2..],
                [Value::Null, 0.0.into(), Value::Null, 0.0.into(), 0.0.into()],
                "{row:?}"
            ),
        }
    }
    assert_eq!(found, expected.len());
}
