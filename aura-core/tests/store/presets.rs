//! The samples of the producers' formats, through the store. What is in them, and why, is said in the README beside
//! them; the expected rows were read off the files.

use aura_core::ingest::{IngestOptions, IngestReport, Preset};
use aura_core::store::Store;

use crate::common::{ask, assert_works, repository, run, sums};

async fn ingest(store: &Store, file: &str, preset: Preset) -> IngestReport {
    let path = repository("examples/data/presets").join(file);
    let options = IngestOptions::with_preset(preset);
    store.ingest_with(path, &options).await.unwrap()
}

/// The rejected lines and their reasons.
fn rejected(report: &IngestReport) -> Vec<(u64, &'static str)> {
    report
        .rejects
        .iter()
        .map(|r| (r.row, r.reason.code()))
        .collect()
}

fn row(values: &[&str]) -> Vec<Option<String>> {
    values
        .iter()
        .map(|v| (*v != "null").then(|| (*v).to_owned()))
        .collect()
}

async fn one(store: &Store, sql: &str, values: &[&str]) {
    let found = ask(&store.events().await.unwrap(), sql).await;
    assert_eq!(found, [row(values)], "{sql}");
}

/// A row without a role is told by the fields of its own format, and of them by the one to look at first.
#[test]
fn a_missing_role_is_named_as_the_producer_names_it() {
    run(async {
        for (preset, row, field, words) in [
            (
                Preset::Segment,
                r#"{"type":"track","event":"x","timestamp":"2026-01-01T00:00:00Z"}"#,
                "userId",
                "`userId` or `anonymousId`, which is its actor",
            ),
            (
                Preset::Segment,
                r#"{"type":"track","event":"x","userId":"u"}"#,
                "timestamp",
                "`timestamp` or `originalTimestamp`",
            ),
            (
                Preset::Mixpanel,
                r#"{"properties":{"distinct_id":"u","time":1767225600}}"#,
                "event",
                "`event_name`",
            ),
            (
                Preset::PostHog,
                r#"{"uuid":"1","event":"x","timestamp":"2026-01-01 00:00:00"}"#,
                "distinct_id",
                "`distinct_id`, which is its actor",
            ),
        ] {
            let store = Store::in_memory().await.unwrap();
            let options = IngestOptions::with_preset(preset);
            let source = aura_core::ingest::Source::bytes("rows", row);
            let report = store.ingest_with(source, &options).await.unwrap();
            assert_eq!(sums(&report), (1, 0, 1, 0));
            let reject = &report.rejects[0];
            assert_eq!(reject.field.as_deref(), Some(field));
            assert!(reject.message.contains(words), "{}", reject.message);
            assert_eq!(reject.original, row.as_bytes());
        }
    });
}

#[test]
fn segment() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let report = ingest(&store, "segment.ndjson", Preset::Segment).await;
        assert_eq!(sums(&report), (27, 22, 4, 1));
        assert_eq!(
            rejected(&report),
            [
                (23, "malformed"),
                (24, "malformed"),
                (25, "missing_role"),
                (26, "missing_role")
            ]
        );
        let sql = "SELECT actor, event, CAST(time AS BIGINT), plan, CAST(seats AS BIGINT), CAST(price AS DOUBLE), context_ip \
                   FROM events WHERE event_id = 'ajs-next-0002'";
        one(
            &store,
            sql,
            &[
                "u_101",
                "Plan Selected",
                "1772356020020000",
                "free",
                "3",
                "9.5",
                "203.0.113.12",
            ],
        )
        .await;
        // A number as the user, and a time with an offset; an anonymous one.
        let sql =
            "SELECT actor, event, CAST(time AS BIGINT) FROM events WHERE event_id = 'node-0020'";
        one(&store, sql, &["104", "Invoice Paid", "1772780400000000"]).await;
        let sql = "SELECT actor, event FROM events WHERE event_id = 'ios-0021'";
        let anonymous = "7f3c0d9e-4444-4a52-8c55-000000000004";
        one(&store, sql, &[anonymous, "App Opened"]).await;
        let again = ingest(&store, "segment.ndjson", Preset::Segment).await;
        assert_eq!(sums(&again), (27, 0, 4, 23));
        assert_works(&store, 22).await;
    });
}

#[test]
fn cloud_events() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let report = ingest(&store, "cloud_events.ndjson", Preset::CloudEvents).await;
        assert_eq!(sums(&report), (26, 22, 4, 0));
        assert_eq!(
            rejected(&report),
            [
                (21, "missing_role"),
                (22, "missing_role"),
                (23, "malformed"),
                (24, "missing_role")
            ]
        );
        let sql = "SELECT actor, event, CAST(time AS BIGINT) AS us FROM events WHERE actor = 'bob' AND event = 'org.example.note' \
                   ORDER BY us";
        let found = ask(&store.events().await.unwrap(), sql).await;
        assert_eq!(
            found,
            [
                row(&["bob", "org.example.note", "1772702100000000"]),
                row(&["bob", "org.example.note", "1772709300250000"]),
            ]
        );
        // The id of an event is unique per source: both of this one are there.
        let sql = "SELECT count(*), count(DISTINCT event_id), min(actor) FROM events \
                   WHERE event = 'org.example.build.started' AND event_id LIKE '%b-0000%'";
        one(&store, sql, &["2", "2", "ada"]).await;
        // The same events as a batch, of which one is refused for another reason.
        let batch = ingest(&store, "cloud_events.json", Preset::CloudEvents).await;
        assert_eq!((sums(&batch).0, sums(&batch).2), (5, 1));
        let alone = Store::in_memory().await.unwrap();
        let report = ingest(&alone, "cloud_events.json", Preset::CloudEvents).await;
        assert_eq!(sums(&report), (5, 4, 1, 0));
        assert_works(&alone, 4).await;
    });
}

#[test]
fn posthog() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let report = ingest(&store, "posthog.ndjson", Preset::PostHog).await;
        assert_eq!(sums(&report), (26, 24, 2, 0));
        assert_eq!(
            rejected(&report),
            [(23, "missing_role"), (24, "missing_role")]
        );
        let id = |n: u32| format!("0195a000-0000-7000-8000-0000000000{n:02}");
        for n in [25, 21] {
            let sql = format!("SELECT count(*) FROM events WHERE event_id = '{}'", id(n));
            one(&store, &sql, &["1"]).await;
        }
        let sql = format!(
            "SELECT actor, event, CAST(time AS BIGINT) FROM events WHERE event_id = '{}'",
            id(2)
        );
        let values = ["bob@example.org", "feature used", "1772360280002000"];
        one(&store, &sql, &values).await;
        // The CSV has the same events, with times of which the zone is not said.
        let alone = Store::in_memory().await.unwrap();
        let report = ingest(&alone, "posthog.csv", Preset::PostHog).await;
        assert_eq!(sums(&report), (21, 21, 0, 0));
        one(&alone, &sql, &values).await;
        let again = ingest(&store, "posthog.csv", Preset::PostHog).await;
        assert_eq!(sums(&again), (21, 0, 0, 21));
        assert_works(&alone, 21).await;
    });
}

#[test]
fn mixpanel() {
    run(async {
        let store = Store::in_memory().await.unwrap();
        let report = ingest(&store, "mixpanel.ndjson", Preset::Mixpanel).await;
        assert_eq!(sums(&report), (27, 24, 2, 1));
        assert_eq!(
            rejected(&report),
            [(22, "missing_role"), (24, "missing_role")]
        );
        for (event, actor, time, plan) in [
            ("Signed Up", "user-0", "1772352000000000", "growth"),
            ("From Table", "user-4", "1772352360000000", "growth"),
            ("No Insert Id", "user-3", "1772352240000000", "null"),
        ] {
            let sql = format!(
                "SELECT actor, min(CAST(time AS BIGINT)), max(plan) FROM events WHERE event = '{event}' AND actor = '{actor}' GROUP BY actor"
            );
            one(&store, &sql, &[actor, time, plan]).await;
        }
        // Milliseconds, and a number as the actor.
        let sql = "SELECT count(*) FROM events WHERE CAST(time AS BIGINT) = 1772352000123000 AND actor = 'user-1'";
        one(&store, sql, &["1"]).await;
        let sql = "SELECT CAST(time AS BIGINT) FROM events WHERE actor = '12345'";
        one(&store, sql, &["1772352060000000"]).await;
        assert_works(&store, 24).await;
    });
}
