//! Findings over events.

#[path = "../../examples/insight_bench/planted.rs"]
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "the bench uses more of it"
)]
mod planted;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

use super::*;
use crate::engine::{EngineSettings, Events};
use crate::event::Roles;
use crate::metric::{MetricQuery, Registry};

const DAY: i64 = 86_400;
/// 2026-01-05T00:00:00Z, a Monday.
const START: i64 = 1_767_571_200;

/// Makes events of days: how many, of which plan.
fn events_of(rows: &[(i64, usize, &str)]) -> Events {
    let (mut actors, mut times, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for (day, count, plan) in rows {
        for i in 0..*count {
            actors.push(format!("{plan}{}", i % 40));
            times.push(START + day * DAY + (i as i64 * 37) % DAY);
            plans.push(*plan);
        }
    }
    let batch = RecordBatch::try_from_iter([
        ("actor", Arc::new(StringArray::from(actors)) as ArrayRef),
        (
            "event",
            Arc::new(StringArray::from(vec!["view"; times.len()])) as _,
        ),
        ("time", Arc::new(Int64Array::from(times)) as _),
        ("plan", Arc::new(StringArray::from(plans)) as _),
    ]);
    Events::from_batches(vec![batch.unwrap()], &Roles::new("actor", "event", "time")).unwrap()
}

fn registry() -> Registry {
    Registry::parse(
        "
version: 1
dimensions: [{name: plan}]
metrics:
  - {name: views, title: {en: Views, ru: Просмотры}, kind: simple, expr: count(*), direction: up}
",
    )
    .unwrap()
}

/// 60 days of two plans, of which one has half as many from the 40th day on.
fn halved() -> Events {
    let wobble = |day: i64| (day * 7 % 5) as usize;
    let rows: Vec<_> = (0..60)
        .flat_map(|day| {
            let pro = if day < 40 { 60 } else { 30 };
            [
                (day, pro + wobble(day), "pro"),
                (day, 80 + wobble(day + 3), "free"),
            ]
        })
        .collect();
    events_of(&rows)
}

#[tokio::test]
async fn a_shift_of_one_plan_is_one_finding_in_both_languages() {
    let found = halved()
        .insights(&registry(), &Insights::default())
        .await
        .unwrap();
    assert_eq!(found.findings.len(), 1, "{:#?}", found.findings);
    let finding = &found.findings[0];
    assert_eq!(finding.kind, FindingKind::Shift);
    assert_eq!(
        finding.segment,
        [Part {
            dimension: "plan".into(),
            value: Some("pro".into())
        }]
    );
    assert_eq!(finding.window.first, "2026-02-14");
    assert_eq!(finding.good, Some(false));
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(finding.size.actors, Some(34.0));
    assert_eq!(
        finding.sentence.en,
        "Views (plan = pro) have been 48% lower since February 14, 2026 (19\u{a0}days): 32 a day instead of 62."
    );
    assert_eq!(
        finding.sentence.ru.as_deref(),
        Some(
            "Просмотры (plan = pro): на 48\u{a0}% меньше с 14 февраля 2026\u{a0}г. (19\u{a0}дней): 32 в день вместо 62."
        )
    );
    assert!(
        finding.merged.iter().any(|m| m.segment.is_empty()),
        "{:?}",
        finding.merged
    );
    // The spec gives the numbers again.
    let query: MetricQuery = serde_json::from_value(finding.evidence.spec.clone()).unwrap();
    let table = halved().metrics(&registry(), &query).await.unwrap();
    assert_eq!(table.num_rows(), finding.evidence.series.values.len());
    // And the same again, to the byte.
    let again = halved()
        .insights(&registry(), &Insights::default())
        .await
        .unwrap();
    assert_eq!(again, found);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Findings>(&text).unwrap(), found);
}

#[tokio::test]
async fn what_was_known_is_ongoing_and_what_is_over_resolved() {
    let spec = Insights::default();
    let first = halved().insights(&registry(), &spec).await.unwrap();
    let again = halved()
        .insights(&registry(), &spec.clone().previous(first.clone()))
        .await
        .unwrap();
    assert_eq!(again.findings[0].status, Status::Ongoing);
    assert_eq!(again.findings[0].id, first.findings[0].id);
    // Before the change there is nothing to find.
    let earlier = spec.clone().to("2026-02-10").previous(first.clone());
    let earlier = halved().insights(&registry(), &earlier).await.unwrap();
    assert_eq!(earlier.findings.len(), 1);
    assert_eq!(earlier.findings[0].status, Status::Resolved);
    // What was resolved is told once.
    let once = spec.to("2026-02-10").previous(earlier);
    let once = halved().insights(&registry(), &once).await.unwrap();
    assert!(once.findings.is_empty());
}

#[tokio::test]
async fn feedback_changes_the_order() {
    let first = halved()
        .insights(&registry(), &Insights::default())
        .await
        .unwrap();
    let said = |verdict, until: Option<&str>| Feedback {
        id: first.findings[0].id.clone(),
        verdict,
        until: until.map(str::to_owned),
        metric: None,
    };
    let score = |found: &Findings| found.findings[0].score;
    for (feedback, factor) in [
        (said(Verdict::Useful, None), 1.5),
        (said(Verdict::NotUseful, None), 0.3),
        (said(Verdict::Snoozed, None), 0.0),
        (said(Verdict::Snoozed, Some("2026-12-01")), 0.0),
        (said(Verdict::Snoozed, Some("2026-01-10")), 1.0),
    ] {
        let spec = Insights::default().feedback(feedback);
        let found = halved().insights(&registry(), &spec).await.unwrap();
        assert!((score(&found) - factor * score(&first)).abs() < 1e-9);
    }
}

#[tokio::test]
async fn bad_input_gives_no_findings_and_says_why() {
    let spec = Insights::default();
    let says = |found: &Findings, text: &str| {
        assert!(found.findings.is_empty());
        assert!(
            found
                .notes
                .iter()
                .any(|n| n.en.contains(text) && n.ru.is_some()),
            "{text}: {:?}",
            found.notes
        );
    };
    let empty = events_of(&[]).insights(&registry(), &spec).await.unwrap();
    says(&empty, "no events");
    let one = events_of(&[(0, 1, "pro")])
        .insights(&registry(), &spec)
        .await
        .unwrap();
    says(&one, "0 complete periods");
    let flat: Vec<_> = (0..60).map(|day| (day, 50, "pro")).collect();
    let flat = events_of(&flat).insights(&registry(), &spec).await.unwrap();
    says(&flat, "the same value in every period: views");
    let none = halved()
        .insights(&Registry::default(), &spec)
        .await
        .unwrap();
    says(&none, "no metrics");
    let nulls = Registry::parse(
        "{version: 1, metrics: [{name: nothing, kind: simple, expr: count(*), filter: event = 'never'}]}",
    )
    .unwrap();
    let nulls = halved().insights(&nulls, &spec).await.unwrap();
    says(&nulls, "no value in any period: nothing");
    let absent =
        Registry::parse("{version: 1, metrics: [{name: paid, kind: simple, expr: sum(amount)}]}")
            .unwrap();
    let absent = halved().insights(&absent, &spec).await.unwrap();
    says(&absent, "no column `amount`");
}

#[tokio::test]
async fn specs_that_say_nothing_sensible_are_refused() {
    let refused = async |spec: Insights, text: &str| {
        let error = halved().insights(&registry(), &spec).await.unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidSpec);
        assert!(error.message().contains(text), "{}", error.message());
    };
    refused(
        Insights::default().metrics(["view"]),
        "did you mean `views`?",
    )
    .await;
    refused(Insights::default().by(["plans"]), "did you mean `plan`?").await;
    refused(Insights::default().from("soon"), "is not a time").await;
    let rate = Insights {
        false_discovery_rate: 0.0,
        ..Insights::default()
    };
    refused(rate, "false_discovery_rate").await;
}

#[test]
fn rules_are_checked_with_their_place() {
    let error = Rules::parse("version: 1\nrules:\n  - {name: a, kind: shfit}\n").unwrap_err();
    assert!(error.message().contains("line 3"), "{}", error.message());
    for (text, says) in [
        ("{version: 0, rules: []}", "version is 0"),
        (
            "{version: 1, rules: [{name: a, kind: trend}, {name: a, kind: shift}]}",
            "given twice",
        ),
        (
            "{version: 1, rules: [{name: a, kind: threshold, metric: m}]}",
            "`above` or as `below`",
        ),
        (
            "{version: 1, rules: [{name: a, kind: anomaly, min_change: -1}]}",
            "from 0",
        ),
    ] {
        let error = Rules::parse(text).unwrap_err();
        assert!(error.message().contains(says), "{}", error.message());
    }
    assert_eq!(Rules::builtin().unwrap().rules.len(), 4);
}

#[tokio::test]
async fn bounds_and_milestones_are_told() {
    let rules = Rules::parse(
        "
version: 1
rules:
  - {name: too_few, kind: threshold, metric: views, below: 120, periods: 5}
  - {name: never_so_many, kind: milestone, metric: views}
",
    )
    .unwrap();
    let spec = Insights::default().rules(rules);
    let found = halved().insights(&registry(), &spec).await.unwrap();
    assert_eq!(found.findings.len(), 1, "{:#?}", found.findings);
    assert_eq!(found.findings[0].kind, FindingKind::Threshold);
    assert_eq!(found.findings[0].window.first, "2026-02-14");
    assert!(
        found.findings[0]
            .sentence
            .en
            .starts_with("Views have been below the bound of 120 a day since February 14")
    );
}

/// Makes events of a planted log.
fn planted_events(log: &planted::Log) -> Events {
    let rows = &log.rows;
    let text = |of: &dyn Fn(&planted::Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let time = |r: &planted::Row| {
        ((planted::FIRST_DAY + r.day as i64) * DAY + i64::from(r.second)) * 1_000_000
    };
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(time));
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("actor", text(&|r| Some(r.actor.to_string()))),
        ("event", text(&|r| Some(r.event.to_owned()))),
        ("time", Arc::new(times.with_timezone("UTC"))),
        (
            "status",
            text(&|r| r.failed.map(|f| if f { "failed" } else { "ok" }.to_owned())),
        ),
    ];
    for (place, name) in planted::DIMENSIONS.iter().enumerate() {
        columns.push((name, text(&|r| Some(r.at[place].to_owned()))));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    Events::from_batches(vec![batch], &Roles::new("actor", "event", "time")).unwrap()
}

#[tokio::test]
async fn planted_stories_are_found() {
    let log = planted::log(4, 3, 400);
    let registry = Registry::parse(planted::REGISTRY).unwrap();
    let found = planted_events(&log)
        .insights(&registry, &Insights::default())
        .await
        .unwrap();
    for story in &log.stories {
        let (dimension, value) = &story.segment[0];
        let is_of = |p: &Part| p.dimension == *dimension && p.value.as_ref() == Some(value);
        let told = found.findings.iter().any(|f| {
            f.segment.iter().any(is_of)
                || f.drivers
                    .iter()
                    .take(1)
                    .any(|d| d.segment.iter().any(is_of))
        });
        assert!(
            told,
            "{story:?} in {:#?}",
            found
                .findings
                .iter()
                .map(|f| &f.sentence.en)
                .collect::<Vec<_>>()
        );
    }
    assert!(
        found.findings.len() <= 5,
        "{:#?}",
        found
            .findings
            .iter()
            .map(|f| &f.sentence.en)
            .collect::<Vec<_>>()
    );
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.en.contains("taken for holidays")),
        "{:?}",
        found.notes
    );
}

#[tokio::test]
async fn the_rise_of_assisted_commits_is_among_the_first_findings() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/commits/commits.ndjson.gz"
    );
    let roles = Roles::new("actor_id", "event", "time");
    let events = Events::from_files(file, &roles, &EngineSettings::default())
        .await
        .unwrap();
    let found = events
        .insights(&Registry::builtin().unwrap(), &Insights::default())
        .await
        .unwrap();
    let told: Vec<_> = found
        .findings
        .iter()
        .map(|f| (&f.sentence.en, f.score))
        .collect();
    let place = found.findings.iter().position(|f| {
        let about = [
            "ai_coverage",
            "assisted_work_items",
            "active_ai_actors",
            "ai_adoption_rate",
        ];
        about.contains(&f.metric.as_str())
            && f.direction == Change::Up
            && f.window.from.as_str() >= "2025-05"
            && f.window.from.as_str() < "2026-02"
    });
    assert!(place.is_some_and(|p| p < 3), "{told:#?}");
    let finding = &found.findings[place.unwrap()];
    let repository = |part: &Part| part.dimension == "repo";
    let drivers = finding
        .drivers
        .iter()
        .any(|d| d.segment.iter().any(repository));
    assert!(
        drivers || finding.segment.iter().any(repository),
        "{finding:#?}"
    );
}
