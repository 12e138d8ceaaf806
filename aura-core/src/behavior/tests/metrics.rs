//! The metrics of the kinds `retention` and `sessions`.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use crate::behavior::Sessions;
use crate::behavior::testing::{Row, cells, compare, events, group, rows, run};
use crate::calendar::Grain;
use crate::metric::{MetricQuery, Registry};

const REGISTRY: &str = r#"
version: 1
metrics:
  - {name: day_2, kind: retention, start: event = 'sign', returning: "event in ('view', 'buy')", day: 2}
  - {name: from_day_1, kind: retention, start: event = 'sign', returning: "event in ('view', 'buy')", day: 1, mode: on_or_after}
  - {name: again, kind: retention, start: event = 'sign', day: 3, cohort: recurring}
  - {name: sessions, kind: sessions, measure: count, gap: 6h}
  - {name: per_actor, kind: sessions, measure: per_actor, gap: 6h}
  - {name: mean_duration, kind: sessions, measure: mean_duration, gap: 6h}
  - {name: median_duration, kind: sessions, measure: median_duration, gap: 6h}
  - {name: events_of, kind: sessions, measure: events_per_session, gap: 6h}
"#;

fn answer(rows: &[Row], query: &MetricQuery) -> Vec<BTreeMap<String, Value>> {
    let registry = Registry::parse(REGISTRY).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let events = events(rows, 2, 2);
    cells(&runtime.block_on(events.metrics(&registry, query)).unwrap())
}

fn near(found: &Value, expected: Option<f64>) -> bool {
    match (found.as_f64(), expected) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sessions_are_those_of_the_analysis(rows in rows(60), zone in prop::sample::select(vec!["UTC", "America/New_York"])) {
        let query = MetricQuery::of(["sessions", "per_actor", "mean_duration", "median_duration", "events_of"])
            .grain(Grain::Week)
            .by(["plan"])
            .time_zone(zone);
        let spec = Sessions::new().gap("6h".parse().unwrap()).period(Grain::Week).by("plan").time_zone(zone);
        let table = run(&events(&rows, 1, 1), &spec).unwrap();
        let expected: BTreeMap<(String, String), _> = cells(&table)
            .into_iter()
            .map(|row| ((row["period"].to_string(), row["plan"].to_string()), row))
            .collect();
        let found = answer(&rows, &query);
        prop_assert_eq!(found.len(), expected.len());
        for row in found {
            let other = &expected[&(row["period"].to_string(), row["plan"].to_string())];
            let pairs = [
                ("sessions", "sessions"),
                ("per_actor", "sessions_per_actor"),
                ("mean_duration", "duration_mean"),
                ("median_duration", "duration_median"),
                ("events_of", "events_per_session"),
            ];
            for (name, theirs) in pairs {
                prop_assert!(near(&row[name], other[theirs].as_f64()), "{} {:?} {:?}", name, row, other);
            }
        }
    }

    #[test]
    fn retention_is_what_the_definition_says(rows in rows(60), by: bool) {
        let mut query = MetricQuery::of(["day_2", "from_day_1", "again"]).grain(Grain::Week);
        if by {
            query = query.by(["plan"]);
        }
        let calendar = query.calendar().prepare().unwrap();
        let Some(as_of) = rows.iter().map(|r| r.time).max() else {
            return Ok(());
        };
        let day_of = |us: i64| calendar.period_of(Grain::Day, us).unwrap();
        let week_of = |us: i64| calendar.period_of(Grain::Week, us).unwrap();
        let dims: Vec<String> = query.by.clone();
        // Retained and all, by metric, week and group.
        let mut counts: BTreeMap<(&str, i64, String), (usize, usize)> = BTreeMap::new();
        for (metric, day, after, recurring) in
            [("day_2", 2, false, false), ("from_day_1", 1, true, false), ("again", 3, false, true)]
        {
            for actor in ["a", "b", "c", "d"] {
                let own: Vec<&Row> = rows.iter().filter(|r| r.actor == actor).collect();
                let starts: Vec<&&Row> = own.iter().filter(|r| r.event == "sign").collect();
                let mut firsts: BTreeMap<i64, i64> = BTreeMap::new();
                for start in &starts {
                    let key = if recurring { week_of(start.time).start_us() } else { 0 };
                    let first = firsts.entry(key).or_insert(start.time);
                    *first = start.time.min(*first);
                }
                for start in firsts.into_values() {
                    let ended = calendar.offset(&day_of(start), day).unwrap().end_us() <= as_of;
                    if !ended {
                        continue;
                    }
                    let ties = starts.iter().filter(|r| r.time == start);
                    let of = ties.map(|r| group(r, &dims)).min_by(compare).unwrap();
                    let retained = own.iter().any(|r| {
                        let returns = match recurring {
                            true => r.event == "sign",
                            false => r.event == "view" || r.event == "buy",
                        };
                        let days = calendar.between(&day_of(start), &day_of(r.time)).unwrap();
                        returns && r.time >= start && (days == day || (after && days > day))
                    });
                    let name = of.first().map_or(String::new(), |(_, v)| v.to_string());
                    let cell = counts.entry((metric, week_of(start).start_us(), name)).or_default();
                    cell.0 += usize::from(retained);
                    cell.1 += 1;
                }
            }
        }
        for row in answer(&rows, &query) {
            for metric in ["day_2", "from_day_1", "again"] {
                let name = if by { row["plan"].to_string() } else { String::new() };
                let key = (metric, row["period"].as_i64().unwrap(), name);
                let (retained, all) = counts.remove(&key).unwrap_or_default();
                let share = (all > 0).then(|| retained as f64 / all as f64);
                prop_assert!(near(&row[metric], share), "{} {:?} {:?}", metric, row, share);
                prop_assert_eq!(&row[&format!("{metric}_n")], &Value::from(all));
            }
        }
        prop_assert!(counts.is_empty(), "{:?}", counts);
    }
}

#[test]
fn a_moment_before_all_events_knows_nothing() {
    let row = Row {
        actor: "a",
        event: "sign",
        time: crate::behavior::testing::BASE,
        plan: None,
        n: None,
        amount: None,
    };
    let query = MetricQuery::of(["day_2"])
        .grain(Grain::Week)
        .as_of("2020-01-01");
    let found = answer(&[row], &query);
    assert_eq!(found[0]["day_2"], Value::Null);
    assert_eq!(found[0]["day_2_n"], 0);
}
