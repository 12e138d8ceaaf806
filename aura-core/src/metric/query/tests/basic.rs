//! The shape of answers: totals, top values, comparisons, order, limit, notes and explanations. The numbers are small
//! enough to be counted by hand.

use serde_json::json;

use super::conformance::events as events_of;
use crate::calendar::Grain;
use crate::engine::{Events, Table};
use crate::metric::query::{Comparison, Top};
use crate::metric::{MetricQuery, Registry};

const REGISTRY: &str = "
version: 1
metrics:
  - {name: events, kind: simple, expr: count(*)}
  - {name: actors, kind: simple, expr: count(distinct actor)}
  - {name: buyers, kind: simple, expr: count(distinct actor), filter: event = 'buy'}
  - {name: buy_rate, kind: ratio, numerator: '{buyers}', denominator: '{actors}'}
";

fn events() -> Events {
    let row = |time: &str, actor: &str, event: &str, team: Option<&str>| json!({"time": time, "actor": actor, "event": event, "team": team});
    events_of(&json!({
        "columns": {"team": "string"},
        "data": [
            row("2026-01-01T00:00:00Z", "a", "view", Some("x")),
            row("2026-01-01T01:00:00Z", "b", "view", Some("y")),
            row("2026-01-02T00:00:00Z", "a", "buy", Some("x")),
            row("2026-01-04T00:00:00Z", "c", "view", None),
            row("2026-01-04T00:00:00Z", "a", "view", Some("x")),
            row("2026-01-04T00:00:00Z", "a", "view", Some("y")),
            row("2026-01-04T00:00:00Z", "d", "view", Some("z")),
        ],
    }))
}

async fn ask(query: MetricQuery) -> Table {
    let registry = Registry::parse(REGISTRY).unwrap();
    events().metrics(&registry, &query).await.unwrap()
}

fn drawn(table: &Table) -> String {
    // Without the frame.
    let text = table.to_string();
    let lines = text.lines().filter(|l| !l.starts_with('+'));
    lines
        .map(|l| {
            let cells: Vec<&str> = l.trim_matches('|').split('|').map(str::trim).collect();
            cells.join(",") + "\n"
        })
        .collect()
}

#[tokio::test]
async fn totals_are_counted_and_not_added_up() {
    let table = ask(MetricQuery::of(["actors", "buy_rate"])
        .by(["team"])
        .grain(Grain::Week)
        .totals())
    .await;
    // Actor a is in two teams and once in the total.
    assert_eq!(
        drawn(&table),
        "period,period_label,team,is_total,actors,buy_rate,buy_rate_n,complete\n\
         2025-12-29T00:00:00Z,2026-W01,x,false,1,1.0,1,false\n\
         2025-12-29T00:00:00Z,2026-W01,y,false,2,0.0,2,false\n\
         2025-12-29T00:00:00Z,2026-W01,z,false,1,0.0,1,false\n\
         2025-12-29T00:00:00Z,2026-W01,,false,1,0.0,1,false\n\
         2025-12-29T00:00:00Z,2026-W01,,true,4,0.25,4,false\n"
    );
    assert_eq!(
        table.notes(),
        [
            "the period 2026-W01 is not complete: its values will still change",
            "some events have no value of `team`; they stand in the rows in which it is null",
            "`buy_rate`: the denominator is less than 30 in 5 of 5 rows; such shares vary by chance",
        ]
    );
}

#[tokio::test]
async fn the_others_are_counted_together() {
    let query = MetricQuery::of(["events", "actors"])
        .by(["team"])
        .grain(Grain::Week);
    let table = ask(query.clone().top(Top::new(1))).await;
    assert_eq!(
        drawn(&table),
        "period,period_label,team,events,actors,complete\n\
         2025-12-29T00:00:00Z,2026-W01,other,4,4,false\n\
         2025-12-29T00:00:00Z,2026-W01,x,3,1,false\n"
    );
    let clash = Top {
        other: "x".to_owned(),
        ..Top::new(2)
    };
    let registry = Registry::parse(REGISTRY).unwrap();
    let error = events()
        .metrics(&registry, &query.top(clash))
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "top: `x` is itself one of the greatest values of `team`; give the others another name with `other`"
    );
}

#[tokio::test]
async fn periods_are_compared() {
    let query = MetricQuery::of(["events"]).grain(Grain::Day);
    let table = ask(query.clone().compare_to(Comparison::PreviousPeriod)).await;
    assert_eq!(
        drawn(&table),
        "period,period_label,compare_period,events,events_compare,events_change,events_change_pct,complete\n\
         2026-01-01T00:00:00Z,2026-01-01,2025-12-31T00:00:00Z,2,0,2,,true\n\
         2026-01-02T00:00:00Z,2026-01-02,2026-01-01T00:00:00Z,1,2,-1,-50.0,true\n\
         2026-01-03T00:00:00Z,2026-01-03,2026-01-02T00:00:00Z,0,1,-1,-100.0,true\n\
         2026-01-04T00:00:00Z,2026-01-04,2026-01-03T00:00:00Z,4,0,4,,false\n"
    );
    let fourth = query.clone().from("2026-01-04").to("2026-01-05");
    let table = ask(fourth
        .clone()
        .compare_to(Comparison::From("2026-01-01".to_owned())))
    .await;
    assert!(
        drawn(&table)
            .ends_with("2026-01-04T00:00:00Z,2026-01-04,2026-01-01T00:00:00Z,4,2,2,100.0,false\n")
    );
    let table = ask(fourth.clone().compare_to(Comparison::Periods(2))).await;
    assert!(
        drawn(&table)
            .ends_with("2026-01-04T00:00:00Z,2026-01-04,2026-01-02T00:00:00Z,4,1,3,300.0,false\n")
    );
    let leap = query
        .from("2028-02-29")
        .to("2028-03-01")
        .compare_to(Comparison::PreviousYear);
    let table = ask(leap).await;
    assert!(drawn(&table).ends_with("2028-02-29T00:00:00Z,2028-02-29,,0,,,,false\n"));
    assert!(
        table
            .notes()
            .contains(&"1 periods have no counterpart to compare with".to_owned())
    );
}

#[tokio::test]
async fn rows_are_ordered_and_limited() {
    let query = MetricQuery::of(["events"]).by(["team"]).grain(Grain::Day);
    let table = ask(query
        .order_by("events", true)
        .order_by("team", true)
        .limit(3))
    .await;
    assert_eq!(
        drawn(&table),
        "period,period_label,team,events,complete\n\
         2026-01-04T00:00:00Z,2026-01-04,z,1,false\n\
         2026-01-01T00:00:00Z,2026-01-01,y,1,true\n\
         2026-01-04T00:00:00Z,2026-01-04,y,1,false\n"
    );
}

#[tokio::test]
async fn one_scan_answers_many_metrics() {
    let registry = Registry::parse(REGISTRY).unwrap();
    let query = MetricQuery::of(["events", "actors", "buyers", "buy_rate"]).filter("team = 'x'");
    let explanation = events().explain_metrics(&registry, &query).await.unwrap();
    assert_eq!(
        explanation
            .text
            .matches("scan over the period: 3 aggregates")
            .count(),
        1
    );
    assert!(
        explanation
            .text
            .contains("  count(distinct actor) filter (where event = 'buy')\n")
    );
    assert!(explanation.text.contains("  where team = 'x'\n"));
    assert!(
        explanation
            .text
            .contains("    in one pass over the events, actor by actor\n")
    );
}
