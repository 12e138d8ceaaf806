//! Goals, budgets, mixes and comparisons over events.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::*;
use crate::engine::Events;
use crate::event::Roles;
use crate::metric::Registry;

const DAY: i64 = 86_400;
/// 2026-01-05T00:00:00Z, a Monday.
const START: i64 = 1_767_571_200;

/// Makes events of days: how many of which plan, and how many of them failed.
fn events_of(rows: &[(i64, usize, &str, usize)]) -> Events {
    let (mut actors, mut times, mut plans, mut states) = (vec![], vec![], vec![], vec![]);
    for (day, count, plan, failed) in rows {
        for i in 0..*count {
            actors.push(format!("{plan}{}", i % 40));
            times.push(START + day * DAY + (i as i64 * 37) % DAY);
            plans.push(*plan);
            states.push(if i < *failed { "failed" } else { "ok" });
        }
    }
    let batch = RecordBatch::try_from_iter([
        ("actor", Arc::new(StringArray::from(actors)) as ArrayRef),
        (
            "event",
            Arc::new(StringArray::from(vec!["sync"; times.len()])) as _,
        ),
        ("time", Arc::new(Int64Array::from(times)) as _),
        ("plan", Arc::new(StringArray::from(plans)) as _),
        ("status", Arc::new(StringArray::from(states)) as _),
    ]);
    Events::from_batches(vec![batch.unwrap()], &Roles::new("actor", "event", "time")).unwrap()
}

fn registry() -> Registry {
    Registry::parse(
        r#"
version: 1
dimensions: [{name: plan}]
metrics:
  - {name: syncs, title: {en: Syncs, ru: Синхронизации}, kind: simple, expr: count(*), direction: up}
  - {name: failures, kind: simple, expr: count(*), filter: status = 'failed', title: {en: Failures, ru: Сбои}}
  - name: failure_rate
    title: {en: Failure rate, ru: Доля сбоев}
    kind: ratio
    numerator: "{failures}"
    denominator: "{syncs}"
    direction: down
    format: percent
"#,
    )
    .unwrap()
}

fn wobble(day: i64, by: i64) -> usize {
    usize::try_from((day * 7 + by * 3) % 5).unwrap()
}

/// 63 whole days and one event more of `mean` of each of two plans.
fn days(of: impl Fn(i64, &str) -> (usize, usize)) -> Events {
    let mut rows = Vec::new();
    for day in 0..64 {
        for plan in ["free", "pro"] {
            let (count, failed) = of(day, plan);
            rows.push((day, count, plan, failed));
        }
    }
    events_of(&rows)
}

async fn found(events: &Events, rules: &str) -> Findings {
    let rules = Rules::parse(&format!("version: 1\nrules:\n{rules}")).unwrap();
    let spec = Insights::default().rules(rules);
    events.insights(&registry(), &spec).await.unwrap()
}

fn told(found: &Findings) -> Vec<(String, String)> {
    let both = |f: &Finding| {
        let ru = f.sentence.ru.clone().unwrap_or_default();
        (
            f.sentence.en.replace('\u{a0}', " "),
            ru.replace('\u{a0}', " "),
        )
    };
    found.findings.iter().map(both).collect()
}

/// Steady: 100 free and 60 pro a day, 5 % failures.
fn steady() -> Events {
    days(|day, plan| match plan {
        "free" => (100 + wobble(day, 0), 5),
        _ => (60 + wobble(day, 1), 3),
    })
}

#[tokio::test]
async fn goals_are_reached_missed_or_at_risk() {
    let rising = days(|day, plan| {
        let more = usize::try_from(day).unwrap();
        (
            if plan == "free" { 100 } else { 60 } + more + wobble(day, 0),
            3,
        )
    });
    let rules = "
  - {name: reached, kind: goal, metric: syncs, at_least: 200, date: 2026-04-01}
  - {name: on_its_way, kind: goal, metric: syncs, at_least: 320, date: 2026-04-01}
  - {name: too_much, kind: goal, metric: syncs, at_least: 400, date: 2026-04-01}
  - {name: missed, kind: goal, metric: syncs, at_least: 400, date: 2026-03-05}
";
    let found = found(&rising, rules).await;
    let by = |name: &str| found.findings.iter().find(|f| f.rule == name);
    assert!(by("on_its_way").is_none(), "{:#?}", told(&found));
    assert_eq!(by("reached").unwrap().good, Some(true));
    assert_eq!(by("missed").unwrap().severity, Severity::High);
    let risk = by("too_much").unwrap();
    let number = |name: &str| {
        risk.evidence
            .numbers
            .iter()
            .find(|n| n.name == name)
            .unwrap()
            .value
    };
    // April 1 is the 86th day after the first; the middle of its week has 160 + 2 · 83 and 4 on average.
    assert!(
        (number("forecast") - 330.0).abs() < 6.0,
        "{:?}",
        risk.evidence.numbers
    );
    assert!(number("chance") < 0.01 && number("forecast_upper") < 400.0);
    assert_eq!((risk.good, risk.kind), (Some(false), FindingKind::Goal));
    let (en, ru) = told(&found)
        .into_iter()
        .find(|(en, _)| en.contains("at risk"))
        .unwrap();
    assert!(
        en.starts_with(
            "Syncs: the target of at least 400 a day by April 1, 2026 is at risk: the forecast is 3"
        ),
        "{en}"
    );
    assert!(
        en.contains("in the last 7 days; as it goes, it will be reached by May "),
        "{en}"
    );
    assert!(
        ru.starts_with(
            "Синхронизации: цель «не меньше 400 в день» к 1 апреля 2026 г. под угрозой: прогноз 3"
        ),
        "{ru}"
    );
    assert!(
        ru.contains("(период: 7 дней); если так пойдёт дальше, она будет достигнута к "),
        "{ru}"
    );
}

#[tokio::test]
async fn a_budget_that_burns_is_told_of_the_segment_too() {
    let rules =
        "\n  - {name: slo, kind: burn_rate, metric: failure_rate, objective: 0.9, by: [plan]}\n";
    assert!(found(&steady(), rules).await.findings.is_empty());
    let burning = days(|day, plan| match (plan, day) {
        ("pro", 60..) => (60, 30),
        _ => (100, 4),
    });
    let found = found(&burning, rules).await;
    assert_eq!(found.findings.len(), 2, "{:#?}", told(&found));
    let worst = &found.findings[0];
    assert_eq!(worst.segment[0].value.as_deref(), Some("pro"));
    assert_eq!(
        (worst.severity, worst.good, worst.direction),
        (Severity::High, Some(false), Change::Up)
    );
    assert_eq!(
        told(&found)[0],
        (
            "Failure rate (plan = pro): the error budget has been spent 5.0 times as fast as allowed since March 6, 2026 (3 days): 50.0% where the objective is 10%.".to_owned(),
            "Доля сбоев (plan = pro): бюджет ошибок расходуется в 5,0 раза быстрее допустимого с 6 марта 2026 г. (3 дня): 50,0 % при цели 10 %.".to_owned()
        )
    );
}

#[tokio::test]
async fn segments_that_differ_are_compared_with_the_rest() {
    let rules = "\n  - {name: compare, kind: comparison}\n";
    assert!(found(&steady(), rules).await.findings.is_empty());
    let differing = days(|day, plan| match plan {
        "free" => (100 + wobble(day, 0), 4 + wobble(day, 1) / 2),
        _ => (60, 10 + wobble(day, 2)),
    });
    let found = found(&differing, rules).await;
    assert_eq!(found.findings.len(), 1, "{:#?}", told(&found));
    let one = &found.findings[0];
    assert_eq!((one.kind, one.good), (FindingKind::Comparison, Some(false)));
    assert!(one.score < 0.05 && one.confidence > 0.999);
    let (en, ru) = &told(&found)[0];
    assert!(en.starts_with("Failure rate (plan = pro) was 1"), "{en}");
    assert!(
        en.contains(" points higher than elsewhere from ")
            && en.contains("(95% interval of the difference: 1"),
        "{en}"
    );
    assert!(
        ru.contains("больше, чем в остальных сегментах, с ") && ru.contains(" (28 дней): "),
        "{ru}"
    );
}

#[tokio::test]
async fn a_mix_that_drifts_is_told_once() {
    let drifting = days(|day, plan| match (plan, day) {
        ("pro", 49..) => (100 + wobble(day, 0), 0),
        ("free", 49..) => (60 + wobble(day, 1), 0),
        ("pro", _) => (60 + wobble(day, 2), 0),
        _ => (100 + wobble(day, 3), 0),
    });
    let rule = "\n  - {name: mix, kind: drift}\n";
    assert!(found(&steady(), rule).await.findings.is_empty());
    let alone = found(&drifting, rule).await;
    assert_eq!(alone.findings.len(), 1, "{:#?}", alone);
    assert_eq!(
        (alone.findings[0].kind, alone.findings[0].direction),
        (FindingKind::Drift, Change::None)
    );
    let (en, ru) = &told(&alone)[0];
    assert!(en.starts_with("Syncs by plan: the mix was another one from February 23, 2026 to March 8, 2026 (14 days) than before: free from 62% to 38%, pro from 38% to 62%."), "{en}");
    assert!(ru.starts_with("Синхронизации по plan: с 23 февраля 2026 г. по 8 марта 2026 г. (14 дней) состав иной, чем прежде: free с 62 % до 38 %"), "{ru}");
    // The shift tells it, and shows the drift.
    let both = found(
        &drifting,
        &format!("{rule}  - {{name: shift, kind: shift}}\n"),
    )
    .await;
    assert!(
        both.findings.iter().all(|f| f.kind == FindingKind::Shift),
        "{:#?}",
        told(&both)
    );
    let id = &alone.findings[0].id;
    assert!(
        both.findings
            .iter()
            .any(|f| f.merged.iter().any(|m| m.id == *id))
    );
}

#[tokio::test]
async fn bounds_and_milestones_hold_of_segments() {
    let growing = days(|day, plan| match plan {
        "pro" => (60 + 8 * usize::try_from((day - 50).max(0)).unwrap(), 0),
        _ => (600, 0),
    });
    let rules = "
  - {name: bound, kind: threshold, metric: syncs, above: 120, periods: 3, by: [plan]}
  - {name: round, kind: milestone, metric: syncs, by: [plan]}
";
    let found = found(&growing, rules).await;
    let values = |rule: &str| -> Vec<Option<&str>> {
        let of = found.findings.iter().filter(|f| f.rule == rule);
        of.map(|f| f.segment.first().and_then(|p| p.value.as_deref()))
            .collect()
    };
    let mut bound = values("bound");
    bound.sort_unstable();
    assert_eq!(bound, [None, Some("free"), Some("pro")]);
    assert!(values("round").is_empty(), "{:#?}", told(&found));
    let wide = "\n  - {name: bound, kind: threshold, metric: syncs, above: 120, by: [plans]}\n";
    let rules = Rules::parse(&format!("version: 1\nrules:{wide}")).unwrap();
    let error = growing
        .insights(&registry(), &Insights::default().rules(rules))
        .await
        .unwrap_err();
    assert!(
        error.message().contains("did you mean `plan`?"),
        "{}",
        error.message()
    );
}

#[tokio::test]
async fn what_a_rule_cannot_judge_is_noted() {
    let rules = Rules::parse(
        "
version: 1
rules:
  - {name: a, kind: threshold, metric: failures, above: 1}
  - {name: b, kind: milestone, metric: failure_rate}
  - {name: c, kind: burn_rate, metric: syncs, objective: 0.99}
  - {name: d, kind: comparison, metrics: [syncs]}
  - {name: e, kind: drift, metrics: [failure_rate]}
  - {name: f, kind: goal, metric: syncs, at_least: 1, date: 1999-01-01}
  - {name: g, kind: goal, metric: syncs, at_least: 1, date: 9000-01-01}
  - {name: h, kind: drift, metrics: [syncs], periods: 4000000000}
",
    )
    .unwrap();
    let spec = Insights::default()
        .rules(rules)
        .metrics(["syncs", "failure_rate"]);
    let found = steady().insights(&registry(), &spec).await.unwrap();
    for text in [
        "rule `a`: not judged, since this run does not look at the metric `failures`",
        "rule `b`: not judged, since `failure_rate` is not a count",
        "rule `c`: not judged, since `syncs` is not a share",
        "rule `d`: not judged, since `syncs` is neither a share nor a mean",
        "rule `e`: not judged, since `failure_rate` is not a count whose segments add up",
        "rule `f`: not judged, since 1999-01-01 lies before",
        "rule `g`: not judged, since 9000-01-01 is more than",
        "rule `h`: not judged: ",
    ] {
        let said = found
            .notes
            .iter()
            .any(|n| n.en.starts_with(text) && n.ru.is_some());
        assert!(said, "{text}: {:#?}", found.notes);
    }
    assert!(found.findings.is_empty(), "{:#?}", told(&found));
}

#[test]
fn rules_that_say_nothing_sensible_are_refused() {
    for (rule, says) in [
        (
            "kind: goal, metric: m, date: 2026-01-01",
            "`at_least` or as `at_most`",
        ),
        (
            "kind: goal, metric: m, at_least: 1, at_most: 2, date: 2026-01-01",
            "one number",
        ),
        (
            "kind: goal, metric: m, at_least: 1, date: soon",
            "date: `soon` is not a time",
        ),
        (
            "kind: goal, metric: m, at_least: 1, date: 2026-01-01, risk: 1",
            "above 0 and below 1",
        ),
        ("kind: burn_rate, metric: m, objective: 99", "such as 0.99"),
        (
            "kind: burn_rate, metric: m, objective: 0.9, windows: [{long: 1, short: 2, factor: 1}]",
            "at most long",
        ),
        (
            "kind: burn_rate, metric: m, objective: 0.9, windows: [{long: 1, short: 1, factor: 0}]",
            "above 0",
        ),
        ("kind: comparison, periods: 7", "from 8"),
        ("kind: comparison, min_change: -1", "from 0"),
        ("kind: drift, reference: 1", "from 2"),
        ("kind: drift, min_psi: -0.1", "from 0"),
    ] {
        let text = format!("{{version: 1, rules: [{{name: a, {rule}}}]}}");
        let error = Rules::parse(&text).unwrap_err();
        assert!(
            error.message().contains(says),
            "{rule}: {}",
            error.message()
        );
    }
}
