//! The same answers wherever the events lie, and however many are asked together.

use crate::behavior::testing::{BASE, HOUR, Row, batch, events};
use crate::behavior::{
    Analysis, Cohort, Lifecycle, Retention, RetentionMode, RetentionOutput, RetentionWindow,
    Sessions, SessionsOutput, Stickiness, StickinessOutput,
};
use crate::calendar::Grain;
use crate::store::Store;

fn rows(seed: u64, count: usize) -> Vec<Row> {
    let mut state = seed;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let actors = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    (0..count)
        .map(|_| Row {
            actor: actors[random(12) as usize],
            event: ["sign", "view", "buy", "quit"][random(4) as usize],
            time: BASE + random(40 * 24 * 2) as i64 * HOUR / 2,
            plan: [None, Some("free"), Some("pro")][random(3) as usize],
            n: [None, Some(1), Some(2)][random(3) as usize],
            amount: Some(random(1_000) as f64 / 10.0),
        })
        .collect()
}

fn analyses() -> Vec<Analysis> {
    let retention = Retention::new("sign", "buy").period(Grain::Week);
    vec![
        retention.clone().by("plan").value("amount").into(),
        retention.clone().cohort(Cohort::Recurring).by("n").into(),
        retention.clone().window(RetentionWindow::Rolling).into(),
        retention
            .clone()
            .mode(RetentionMode::OnOrAfter)
            .output(RetentionOutput::Curve)
            .into(),
        retention.clone().output(RetentionOutput::Summary).into(),
        retention.clone().output(RetentionOutput::Streaks).into(),
        retention.output(RetentionOutput::Survival).into(),
        Retention::default().filter("plan = 'pro'").into(),
        // Alone these need but one event of a period, see `Kernel::distinct`.
        Retention::default().period(Grain::Day).into(),
        Retention::new("view", "view")
            .cohort(Cohort::FirstInRange)
            .period(Grain::Week)
            .from("2026-03-12")
            .output(RetentionOutput::Curve)
            .into(),
        Retention::default().mode(RetentionMode::Streak).into(),
        Retention::default().mode(RetentionMode::OnOrAfter).into(),
        Retention::default().mode(RetentionMode::OnOrBefore).into(),
        Retention::default().cohort(Cohort::Recurring).into(),
        Retention::default().cohort_period(Grain::Month).into(),
        Retention::default().output(RetentionOutput::Summary).into(),
        Retention::default().output(RetentionOutput::Streaks).into(),
        Retention::default()
            .output(RetentionOutput::Survival)
            .into(),
        Stickiness::new().into(),
        Stickiness::new()
            .period(Grain::Week)
            .within(Grain::Month)
            .into(),
        Lifecycle::new().into(),
        Lifecycle::new()
            .period(Grain::Week)
            .from("2026-03-16")
            .filter("n = 1")
            .into(),
        Sessions::new().gap("3h".parse().unwrap()).by("plan").into(),
        Sessions::new()
            .start_on("sign")
            .end_on("quit")
            .period(Grain::Day)
            .into(),
        Sessions::new()
            .gap("3h".parse().unwrap())
            .output(SessionsOutput::Table)
            .by("n")
            .into(),
        Stickiness::new().by("plan").into(),
        Stickiness::new()
            .within(Grain::Week)
            .output(StickinessOutput::Ratio)
            .into(),
        Lifecycle::new().period(Grain::Week).by("plan").into(),
        Lifecycle::new().actor("plan").into(),
        Sessions::new().actor("n").into(),
    ]
}

#[tokio::test]
async fn a_store_answers_as_its_table_does() {
    let rows = rows(11, 600);
    let store = Store::in_memory().await.unwrap();
    for (part, upkeep) in rows.chunks(200).zip(0..) {
        store.append(batch(part)).await.unwrap();
        match upkeep {
            0 => {
                store.flush().await.unwrap();
                store.compact().await.unwrap();
            }
            1 => store.flush().await.map(|_| ()).unwrap(),
            // The last part stays staged.
            _ => {}
        }
    }
    let stored = store.events().await.unwrap();
    let table = events(&rows, 2, 2);
    let together = table.run_all(&analyses()).await.unwrap();
    for (analysis, expected) in analyses().iter().zip(&together) {
        assert!(expected.num_rows() > 0, "{analysis:?}");
        for place in [&stored, &table] {
            let found = place.run(analysis).await.unwrap();
            assert_eq!(found.to_string(), expected.to_string(), "{analysis:?}");
            assert_eq!(found.notes(), expected.notes(), "{analysis:?}");
        }
    }
}

/// In a compacted store an actor with more rows than a block has comes in parts, to the analyses that take them.
#[tokio::test]
async fn an_actor_in_parts_is_one_actor() {
    let mut rows = rows(12, 3_000);
    let events = ["sign", "view", "buy", "quit"];
    rows.extend((0..150_000_i64).map(|i| Row {
        actor: "c",
        event: events[i as usize % 4],
        // Now and then a pause, and ties.
        time: BASE + i / 3 * 40_000_000 + i / 3_000 * HOUR,
        plan: [Some("free"), Some("pro")][(i / 70_000) as usize % 2],
        n: Some(i % 2),
        amount: None,
    }));
    let store = Store::in_memory().await.unwrap();
    store.append(batch(&rows)).await.unwrap();
    store.flush().await.unwrap();
    store.compact().await.unwrap();
    let stored = store.events().await.unwrap();
    let table = self::events(&rows, 2, 2);
    let sessions = Sessions::new().gap("30m".parse().unwrap());
    let longest = sessions.clone().max_length("5h".parse().unwrap());
    let all: [Analysis; 9] = [
        sessions.clone().into(),
        longest.into(),
        sessions.clone().filter("n = 1").from("2026-03-20").into(),
        sessions.by("plan").into(),
        Retention::default().period(Grain::Day).into(),
        Retention::default()
            .filter("n = 1")
            .output(RetentionOutput::Streaks)
            .into(),
        Stickiness::new().by("plan").into(),
        Lifecycle::new().period(Grain::Week).into(),
        Lifecycle::new().filter("plan = 'pro'").into(),
    ];
    for analysis in &all {
        let expected = table.run(analysis).await.unwrap();
        let found = stored.run(analysis).await.unwrap();
        assert_eq!(found.to_string(), expected.to_string(), "{analysis:?}");
    }
}

#[test]
fn specs_are_read_as_they_are_written() {
    for analysis in analyses() {
        let text = serde_json::to_string(&analysis).unwrap();
        assert_eq!(serde_json::from_str::<Analysis>(&text).unwrap(), analysis);
    }
    for text in [
        r#"{"retention": {"strat": "sign"}}"#,
        r#"{"sessions": {"gap": 30}}"#,
        r#"{"stickiness": {"period": "days"}}"#,
        r#"{"lifecycle": {"window": "7d"}}"#,
    ] {
        assert!(serde_json::from_str::<Analysis>(text).is_err(), "{text}");
    }
}

#[test]
fn the_schema_names_every_field() {
    let schema = schemars::schema_for!(Analysis);
    let text = serde_json::to_string(&schema).unwrap();
    for field in [
        "\"returning\"",
        "\"cohort_period\"",
        "\"brackets\"",
        "\"inactive\"",
        "\"max_length\"",
        "\"start_on\"",
        "\"percentiles\"",
        "\"within\"",
        "\"as_of\"",
        "\"week_start\"",
    ] {
        assert!(text.contains(field), "{field}");
    }
}
