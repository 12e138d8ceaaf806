//! The same questions in SQL, answered by DuckDB.

use serde_json::{Value, json};

use crate::behavior::testing::{BASE, DAY, Row, cells, events, run};
use crate::behavior::{
    Analysis, Lifecycle, Retention, RetentionMode, Sessions, SessionsOutput, Stickiness,
    StickinessOutput,
};
use crate::calendar::Grain;
use crate::python;

const COHORTS: &str = "with a as (select distinct actor, date_trunc('week', time) w from events), \
    f as (select actor, min(w) c from a group by 1), \
    r as (select c, actor, date_diff('day', c, w) // 7 k from a join f using (actor))";

fn questions() -> Vec<(Analysis, Vec<&'static str>, String)> {
    let weekly = Retention::default().period(Grain::Week);
    let gaps = "with g as (select *, case when time - lag(time) over w <= interval 30 minute then 0 else 1 end fresh \
        from events window w as (partition by actor order by time)), \
        n as (select *, sum(fresh) over (partition by actor order by time rows unbounded preceding) s from g), \
        sessions as (select actor, s, min(time) a, max(time) b, count(*) e, epoch_us(max(time)) - epoch_us(min(time)) d from n group by 1, 2)";
    vec![
        (
            weekly.clone().into(),
            vec!["cohort", "offset", "retained"],
            format!("{COHORTS} select epoch_us(c), k, count(*) from r group by all order by all"),
        ),
        (
            weekly.mode(RetentionMode::OnOrAfter).into(),
            vec!["cohort", "offset", "retained"],
            format!(
                "{COHORTS}, l as (select c, actor, max(k) m from r group by all) \
                 select epoch_us(c), g.k, count(*) from l, (select distinct k from r) g where m >= g.k group by all order by all"
            ),
        ),
        (
            Sessions::new().into(),
            vec![
                "sessions",
                "actors",
                "events",
                "single_event",
                "duration_mean",
                "duration_median",
                "duration_p95",
            ],
            format!(
                "{gaps} select count(*), count(distinct actor), sum(e), count(*) filter (e = 1), avg(d / 1e6), \
                 quantile_cont(d / 1e6, 0.5), quantile_cont(d / 1e6, 0.95) from sessions"
            ),
        ),
        (
            Sessions::new().output(SessionsOutput::Table).into(),
            vec!["actor", "session", "start", "end", "events"],
            format!("{gaps} select actor, s, epoch_us(a), epoch_us(b), e from sessions order by 1, 2"),
        ),
        (
            Stickiness::new().into(),
            vec!["active_periods", "actors"],
            "with a as (select actor, count(distinct date_trunc('day', time)) n from events group by 1) \
             select n, count(*) from a group by 1 order by 1"
                .to_owned(),
        ),
        (
            Stickiness::new()
                .within(Grain::Week)
                .output(StickinessOutput::Ratio)
                .into(),
            vec!["interval", "actors"],
            "select epoch_us(date_trunc('week', time)), count(distinct actor) from events group by 1 order by 1".to_owned(),
        ),
        (
            Lifecycle::new().period(Grain::Week).into(),
            vec!["period", "new", "returning", "resurrected"],
            "with a as (select distinct actor, date_trunc('week', time) w from events), \
             b as (select *, lag(w) over (partition by actor order by w) p from a) \
             select epoch_us(w), count(*) filter (p is null), count(*) filter (w - p = interval 7 day), \
             count(*) filter (w - p > interval 7 day) from b group by 1 order by 1"
                .to_owned(),
        ),
    ]
}

/// Runs statements over the rows by `tests/behavior/run_sql.py`.
fn duckdb(rows: &[Row], statements: &[String]) -> Vec<Value> {
    let data: Vec<Value> = rows
        .iter()
        .map(|r| json!([r.actor, r.event, r.time]))
        .collect();
    let input = json!({"rows": data, "statements": statements});
    let answers = python::run("behavior/run_sql.py", &[], &input);
    answers.as_array().unwrap().clone()
}

fn near(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => found == expected,
    }
}

#[test]
fn duckdb_has_the_same_answers() {
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let actors = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let rows: Vec<Row> = (0..2_000)
        .map(|_| Row {
            actor: actors[(random(12) * random(12) / 12) as usize],
            event: ["view", "buy"][random(2) as usize],
            time: BASE + random(70) as i64 * DAY + random(DAY as u64 / 4) as i64,
            plan: None,
            n: None,
            amount: None,
        })
        .collect();
    let events = events(&rows, 3, 2);
    let questions = questions();
    let statements: Vec<String> = questions.iter().map(|(_, _, sql)| sql.clone()).collect();
    let answers = duckdb(&rows, &statements);
    assert_eq!(answers.len(), questions.len());
    for ((spec, columns, _), answer) in questions.into_iter().zip(answers) {
        let found: Vec<Vec<Value>> = cells(&run(&events, spec.clone()).unwrap())
            .into_iter()
            // What SQL has no row for.
            .filter(|row| row.get("retained").is_none_or(|n| *n != 0))
            .filter(|row| row.get("active_periods").is_none() || row["actors"] != 0)
            .map(|row| columns.iter().map(|c| row[*c].clone()).collect())
            .collect();
        let expected: Vec<Vec<Value>> = serde_json::from_value(answer).unwrap();
        assert!(!expected.is_empty());
        let equal = found.len() == expected.len()
            && found
                .iter()
                .zip(&expected)
                .all(|(f, e)| f.iter().zip(e).all(|(f, e)| near(f, e)));
        assert!(equal, "{spec:?}\n{found:?}\n{expected:?}");
    }
}
