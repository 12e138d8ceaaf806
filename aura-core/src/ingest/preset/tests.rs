use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

mod exact;
mod laws;
mod page;

fn object(value: impl Into<Value>) -> Object<'static> {
    let text = value.into().to_string();
    Object::parse(&text, &Limits::default())
        .unwrap()
        .into_owned()
}

fn mapped(preset: Preset, row: Value) -> Flat<'static> {
    apply(preset, object(row), &PresetOptions::default()).unwrap()
}

fn properties(flat: &Flat<'_>) -> Value {
    let member = |(name, value): (&str, &Json<'_>)| {
        let value = serde_json::from_str(value.as_json()).unwrap();
        (name.to_owned(), value)
    };
    Value::Object(flat.properties.iter().map(member).collect())
}

fn canonical(flat: &Flat<'_>) -> Value {
    serde_json::from_str(&canonical_json(flat)).unwrap()
}

fn refused(preset: Preset, row: Value) -> PresetError {
    apply(preset, object(row), &PresetOptions::default()).unwrap_err()
}

fn sample(name: &str) -> Vec<Map<String, Value>> {
    let path = format!(
        "{}/../examples/data/presets/{name}.ndjson",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// `event_id / actor / event / time` with `-` for an absent role; for a refused row its field.
fn roles(preset: Preset, row: Map<String, Value>) -> String {
    let text = |role: Option<String>| role.unwrap_or_else(|| "-".to_owned());
    match apply(preset, object(row), &PresetOptions::default()) {
        Ok(flat) => format!(
            "{} / {} / {} / {}",
            text(flat.event_id),
            text(flat.actor),
            text(flat.event),
            text(flat.time.map(|time| match time {
                TimeValue::Text(text) => text,
                TimeValue::Number(number) => format!("#{number}"),
            }))
        ),
        Err(e) => format!("refused: {} ({})", e.field, e.reason.code()),
    }
}

fn assert_roles(preset: Preset, name: &str, rows: usize, expected: &[(usize, &str)]) {
    let sample = sample(name);
    assert_eq!(sample.len(), rows);
    for (line, want) in expected {
        assert_eq!(
            roles(preset, sample[line - 1].clone()),
            *want,
            "{name}, line {line}"
        );
    }
}

#[test]
fn names_are_the_same_in_code_and_json() {
    for preset in [
        Preset::Segment,
        Preset::CloudEvents,
        Preset::PostHog,
        Preset::Mixpanel,
    ] {
        assert_eq!(json!(preset), json!(preset.name()));
        let back: Preset = serde_json::from_value(json!(preset.name())).unwrap();
        assert_eq!(back, preset);
    }
}

#[test]
fn segment_sample() {
    assert_roles(
        Preset::Segment,
        "segment",
        27,
        &[
            (
                1,
                "ajs-next-0001 / 7f3c0d9e-1111-4a52-8c55-000000000001 / Page Viewed / 2026-03-01T09:00:00.010Z",
            ),
            (
                2,
                "ajs-next-0002 / u_101 / Plan Selected / 2026-03-01T09:07:00.020Z",
            ),
            (
                3,
                "ajs-next-0003 / u_101 / User Identified / 2026-03-01T09:14:00.030Z",
            ),
            (
                17,
                "ajs-next-0017 / u_103 / Screen Viewed / 2026-03-05T18:00:00.170Z",
            ),
            (
                18,
                "ajs-next-0018 / u_103 / Group Joined / 2026-03-05T18:01:00.180Z",
            ),
            (
                19,
                "ajs-next-0019 / u_103 / User Aliased / 2026-03-05T18:02:00.190Z",
            ),
            (
                20,
                "node-0020 / 104 / Invoice Paid / 2026-03-06T08:00:00+01:00",
            ),
            (
                21,
                "ios-0021 / 7f3c0d9e-4444-4a52-8c55-000000000004 / App Opened / 2026-03-06T10:00:00.000Z",
            ),
            (
                22,
                "ajs-next-0002 / u_101 / Plan Selected / 2026-03-01T09:07:00.020Z",
            ),
            (23, "refused: type (malformed)"),
            (24, "refused: batch (malformed)"),
            (25, "x-0025 / u_101 / - / 2026-03-06T12:00:00Z"),
            (26, "x-0026 / - / Ping / 2026-03-06T12:01:00Z"),
        ],
    );
}

#[test]
fn segment_properties() {
    let rows = sample("segment");
    let flat = mapped(Preset::Segment, Value::Object(rows[3].clone()));
    assert_eq!(
        properties(&flat),
        json!({
            "order_id": "o-1",
            "revenue": 28.5,
            "products": [{"sku": "S-1", "quantity": 1}],
            "context_ip": "203.0.113.14",
            "context_locale": "de-DE",
            "context_library_name": "analytics.js",
            "context_library_version": "2.1.0",
            "context_page_path": "/pricing",
            "context_page_title": "Pricing",
            "context_page_url": "https://tally.example/pricing",
            "context_userAgent": "Mozilla/5.0",
            "segment_type": "track",
            "segment_anonymousId": "7f3c0d9e-1111-4a52-8c55-000000000001",
            "segment_channel": "browser",
            "segment_integrations": {"All": true},
            "segment_originalTimestamp": "2026-03-01T09:21:00.896Z",
            "segment_sentAt": "2026-03-01T09:21:00.040Z",
            "segment_receivedAt": "2026-03-01T09:21:01.040Z",
            "segment_version": 2,
        })
    );
    let flat = mapped(Preset::Segment, Value::Object(rows[17].clone()));
    assert_eq!(properties(&flat)["traits_name"], json!("Initech"));
    assert_eq!(properties(&flat)["segment_groupId"], json!("g_7"));
}

#[test]
fn segment_keeps_what_collides_and_what_is_deep() {
    let rows = sample("segment");
    let flat = mapped(Preset::Segment, Value::Object(rows[26].clone()));
    assert_eq!(
        properties(&flat),
        json!({
            "segment_type": "mine",
            "segment_type_": "track",
            "context_ip": "198.51.100.1",
            "context_ip_": "203.0.113.99",
            "context_a_b": {"c": [1, 2, {"d": null}]},
        })
    );
    // An own property named like a role does not become the role.
    let flat = mapped(Preset::Segment, Value::Object(rows[19].clone()));
    assert_eq!(
        canonical(&flat),
        json!({
            "event_id": "node-0020",
            "actor": "104",
            "event": "Invoice Paid",
            "time": "2026-03-06T08:00:00+01:00",
            "amount": 120,
            "type": "card",
            "event_": "inner",
            "time_": "noon",
        })
    );
}

#[test]
fn segment_says_what_is_wrong() {
    let e = refused(Preset::Segment, json!({"type": "video"}));
    assert_eq!(
        e.to_string(),
        "segment: `type` is `video`, expected track, page, screen, identify, group or alias"
    );
    assert!(
        refused(Preset::Segment, json!({}))
            .message
            .contains("absent")
    );
}

#[test]
fn cloud_events_sample() {
    let all = &[
        (
            1,
            "https://ci.example.org/builds|b-0000 / ada / org.example.build.started / 2026-03-01T08:15:00Z",
        ),
        (
            17,
            "https://ci.example.org/mirror|b-0000 / ada / org.example.build.started / 2026-03-05T08:15:00Z",
        ),
        (
            19,
            "https://ci.example.org/builds|b-0018 / bob / org.example.note / 2026-03-05T13:15:00.250+02:00",
        ),
        (
            21,
            "https://ci.example.org/builds|b-0020 / - / org.example.ping / 2026-03-06T08:15:00Z",
        ),
        (
            22,
            "https://ci.example.org/builds|b-0021 / ada / org.example.ping / -",
        ),
        (23, "refused: specversion (malformed)"),
        (24, "refused: id (missing_role)"),
        (
            25,
            "urn:a%7Cb|c|d / ada / org.example.weird / 2026-03-07T08:15:00Z",
        ),
    ];
    assert_roles(Preset::CloudEvents, "cloud_events", 26, all);
    let e = refused(
        Preset::CloudEvents,
        Value::Object(sample("cloud_events")[22].clone()),
    );
    assert_eq!(
        e.message,
        "cloud_events: `specversion` is \"0.3\", expected \"1.0\""
    );
}

#[test]
fn cloud_events_properties() {
    let rows = sample("cloud_events");
    let flat = mapped(Preset::CloudEvents, Value::Object(rows[19].clone()));
    assert_eq!(
        properties(&flat),
        json!({
            "source": "https://ci.example.org/builds",
            "datacontenttype": "application/json",
            "data_pipeline": "web",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "partitionkey": "web",
            "sequence": "12",
            "userid": "u-7",
        })
    );
    let data = |line: usize| {
        properties(&mapped(
            Preset::CloudEvents,
            Value::Object(rows[line - 1].clone()),
        ))
    };
    assert_eq!(data(18)["data"], json!("plain text"));
    assert_eq!(data(19)["data_base64"], json!("iVBORw0KGgo="));
    assert_eq!(data(26)["data"], json!([1, 2, 3]));
    assert_eq!(
        data(1)["data_stages"],
        json!([{"name": "test", "ok": true}])
    );
}

#[test]
fn cloud_events_batch_is_an_array_of_the_same_rows() {
    let path = format!(
        "{}/../examples/data/presets/cloud_events.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let batch: Vec<Map<String, Value>> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rows = sample("cloud_events");
    let expected: Vec<_> = [0, 1, 2, 18, 22].map(|i: usize| rows[i].clone()).into();
    assert_eq!(batch, expected);
}

#[test]
fn the_actor_can_be_another_property() {
    let rows = sample("cloud_events");
    let options = PresetOptions {
        actor: Some("userid".to_owned()),
        ..PresetOptions::default()
    };
    let flat = apply(Preset::CloudEvents, object(rows[19].clone()), &options).unwrap();
    assert_eq!(flat.actor.as_deref(), Some("u-7"));
    assert_eq!(properties(&flat)["userid"], json!("u-7"));
    assert_eq!(properties(&flat)["subject"], json!("cleo"));
    let flat = apply(Preset::CloudEvents, object(rows[0].clone()), &options).unwrap();
    assert_eq!(flat.actor, None);

    let options = PresetOptions {
        actor: Some("posthog_person_id".to_owned()),
        ..PresetOptions::default()
    };
    let flat = apply(
        Preset::PostHog,
        object(sample("posthog")[0].clone()),
        &options,
    )
    .unwrap();
    assert_eq!(
        flat.actor.as_deref(),
        Some("5f0c9a10-0000-4000-8000-000000000000")
    );
    assert_eq!(
        properties(&flat)["posthog_distinct_id"],
        json!("ada@example.org")
    );
}

#[test]
fn posthog_sample() {
    assert_roles(
        Preset::PostHog,
        "posthog",
        26,
        &[
            (
                1,
                "0195a000-0000-7000-8000-000000000000 / ada@example.org / $pageview / 2026-03-01T10:00:00.000000+00:00",
            ),
            (
                2,
                "0195a000-0000-7000-8000-000000000001 / 018f-anon-1 / $autocapture / 2026-03-01T10:09:00.001000+00:00",
            ),
            (
                23,
                "0195a000-0000-7000-8000-000000000022 / bob@example.org / - / 2026-03-05T10:18:00.022000+00:00",
            ),
            (
                24,
                "0195a000-0000-7000-8000-000000000023 / - / lonely / 2026-03-05T10:27:00.023000+00:00",
            ),
            (
                26,
                "0195a000-0000-7000-8000-000000000025 / ada@example.org / from api / 2026-03-06T10:00:00.025000+00:00",
            ),
        ],
    );
}

#[test]
fn posthog_properties() {
    let rows = sample("posthog");
    let flat = |line: usize| mapped(Preset::PostHog, Value::Object(rows[line - 1].clone()));
    assert_eq!(
        properties(&flat(3)),
        json!({
            "$current_url": "https://app.example/billing",
            "$browser": "Firefox",
            "$lib": "web",
            "$session_id": "s-0",
            "$set": {"plan": "team"},
            "rows": 20,
            "person_properties_email": "bob@example.org",
            "person_properties_plan": "team",
            "posthog_person_id": "5f0c9a10-0000-4000-8000-000000000002",
            "posthog_set": null,
            "posthog_set_once": null,
            "posthog_team_id": 42,
            "posthog_ip": "203.0.113.2",
            "posthog_site_url": "",
            "posthog_created_at": "2026-03-01T10:18:02+00:00",
            "posthog_elements": null,
        })
    );
    let text = properties(&flat(21));
    assert_eq!(text["feature"], json!("sql"));
    assert_eq!(text["nested"], json!({"a": [1, 2]}));
    assert_eq!(text["person_properties_email"], json!("ada@example.org"));
    let broken = properties(&flat(22));
    assert_eq!(broken["posthog_properties"], json!("not json"));
    assert_eq!(broken["posthog_person_properties"], json!(""));
    let clash = flat(25);
    assert_eq!(clash.event.as_deref(), Some("clash"));
    assert_eq!(properties(&clash)["posthog_ip"], json!("mine"));
    assert_eq!(properties(&clash)["posthog_ip_"], json!("203.0.113.24"));
    let canonical = canonical(&clash);
    assert_eq!(canonical["event"], json!("clash"));
    assert_eq!(canonical["event_"], json!("inner"));
    assert_eq!(canonical["timestamp"], json!("inner"));
}

#[test]
fn posthog_columns_of_a_table() {
    let flat = mapped(
        Preset::PostHog,
        json!({
            "uuid": "u", "event": "e", "distinct_id": "d", "timestamp": "2026-03-01 10:00:00.000000",
            "properties.$browser": "Safari", "person_properties.plan": "team", "properties.": "odd",
            "properties": "{\"a\":1,\"a\":2}",
        }),
    );
    assert_eq!(
        properties(&flat),
        json!({
            "$browser": "Safari",
            "person_properties_plan": "team",
            "posthog_properties.": "odd",
            // Text with a key twice stays text: an object could hold one of the values only.
            "posthog_properties": "{\"a\":1,\"a\":2}",
        })
    );
    assert_eq!(Preset::PostHog.default_time_zone(), Some("UTC"));
}

#[test]
fn mixpanel_sample() {
    assert_roles(
        Preset::Mixpanel,
        "mixpanel",
        27,
        &[
            (1, "ins000000 / user-0 / Signed Up / #1772352000"),
            (2, "ins000001 / user-1 / Report Viewed / #1772355600"),
            (19, "ins000018 / user-1 / Report Viewed / #1772352000123"),
            (20, "ins000019 / 12345 / Report Viewed / #1772352060"),
            (21, "ins000001 / user-1 / Report Viewed / #1772355600"),
            (22, "ins000021 / - / Report Viewed / #1772352120"),
            (24, "ins000023 / user-3 / No Time / -"),
            (25, "- / user-3 / No Insert Id / #1772352240"),
            (27, "ins000026 / user-4 / From Table / 1772352360"),
        ],
    );
    let rows = sample("mixpanel");
    let flat = mapped(Preset::Mixpanel, Value::Object(rows[25].clone()));
    assert_eq!(
        properties(&flat),
        json!({"event": "inner", "mixpanel_project": "mine", "mixpanel_project_": 7})
    );
    let flat = mapped(Preset::Mixpanel, Value::Object(rows[26].clone()));
    assert_eq!(
        properties(&flat),
        json!({"plan": "growth", "$city": "Lima"})
    );
}

#[test]
fn mixpanel_project_time_moves_to_utc() {
    let options = PresetOptions {
        time_zone: Some(jiff::tz::TimeZone::get("America/Los_Angeles").unwrap()),
        ..PresetOptions::default()
    };
    let time = |time: Value| {
        let row = object(json!({"event": "e", "properties": {"time": time}}));
        apply(Preset::Mixpanel, row, &options).map(|flat| flat.time)
    };
    let utc = |text: &str| Ok(Some(TimeValue::Text(text.to_owned())));
    // Mixpanel's own example: Pacific projects add 8 hours, and 7 in summer.
    assert_eq!(time(json!(1_772_352_000)), utc("2026-03-01T16:00:00Z"));
    assert_eq!(time(json!(1_783_000_000)), utc("2026-07-02T20:46:40Z"));
    assert_eq!(
        time(json!(1_772_352_000_123_i64)),
        utc("2026-03-01T16:00:00.123Z")
    );
    assert_eq!(time(json!(1_772_352_000.5)), utc("2026-03-01T16:00:00.5Z"));
    assert_eq!(time(json!("1772352000")), utc("2026-03-01T16:00:00Z"));
    // 02:30 on 2026-03-08 does not exist there; 01:30 on 2026-11-01 exists twice.
    assert_eq!(time(json!(1_772_937_000)), utc("2026-03-08T10:30:00Z"));
    assert_eq!(time(json!(1_793_496_600)), utc("2026-11-01T08:30:00Z"));
    // Text says its own zone.
    assert_eq!(
        time(json!("2026-03-01T08:00:00Z")),
        utc("2026-03-01T08:00:00Z")
    );
    let e = time(json!(u64::MAX)).unwrap_err();
    assert_eq!(
        (e.field.as_str(), e.reason),
        ("time", RejectReason::InvalidTime)
    );
}
