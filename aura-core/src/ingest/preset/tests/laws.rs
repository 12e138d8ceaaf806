//! What holds for any row.

use super::*;

/// Every scalar of a value, as text.
fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|v| leaves(v, into)),
        Value::Object(members) => members.values().for_each(|v| leaves(v, into)),
        Value::String(text) => into.push(text.clone()),
        scalar => into.push(scalar.to_string()),
    }
}

const KEYS: &[&str] = &[
    "type",
    "event",
    "event_name",
    "userId",
    "anonymousId",
    "messageId",
    "timestamp",
    "originalTimestamp",
    "properties",
    "traits",
    "context",
    "page",
    "id",
    "source",
    "subject",
    "time",
    "data",
    "data_base64",
    "data_x",
    "x",
    "uuid",
    "distinct_id",
    "person_properties",
    "properties.x",
    "$insert_id",
    "insert_id",
    "segment_x",
    "posthog_x",
    "mixpanel_x",
    "context_page_x",
    "actor",
    "actor_",
    "extra",
    "event_",
];

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z ]{0,6}".prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            objects(inner.clone()).prop_map(Value::Object),
            // The text of an object, as tables have it.
            objects(inner).prop_map(|o| Value::String(Value::Object(o).to_string())),
        ]
    })
}

fn objects(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![
        4 => prop::sample::select(KEYS).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec((key, inner), 0..8).prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn nothing_is_lost(
        mut row in objects(values()),
        call in prop::sample::select(vec!["track", "page", "identify", "alias"]),
    ) {
        for preset in [Preset::Segment, Preset::CloudEvents, Preset::PostHog, Preset::Mixpanel] {
            match preset {
                Preset::Segment => {
                    row.insert("type".to_owned(), json!(call));
                }
                Preset::CloudEvents => {
                    for required in ["id", "source", "type"] {
                        row.insert(required.to_owned(), json!(format!("{required}-1")));
                    }
                    row.insert("specversion".to_owned(), json!("1.0"));
                }
                _ => {}
            }
            let flat = apply(preset, object(row.clone()), &PresetOptions::default()).unwrap();
            let canonical = canonical(&flat);
            let roles = [
                flat.event_id.is_some(),
                flat.actor.is_some(),
                flat.event.is_some(),
                flat.time.is_some(),
            ];
            let count = roles.iter().filter(|there| **there).count();
            prop_assert_eq!(canonical.as_object().map(Map::len), Some(flat.properties.iter().count() + count));

            let mut kept = Vec::new();
            leaves(&canonical, &mut kept);
            kept.push("1.0".to_owned()); // `specversion`, consumed
            kept.extend(flat.event_id.iter().filter_map(|id| id.split_once('|')).map(|(_, id)| id.to_owned()));
            let mut wanted = Vec::new();
            for (key, value) in &row {
                // Text of an object may have become its members.
                match value {
                    Value::String(text) if ["properties", "traits", "context", "person_properties"].contains(&key.as_str()) => {
                        match serde_json::from_str::<Map<String, Value>>(text) {
                            Ok(inner) if !kept.contains(text) => leaves(&Value::Object(inner), &mut wanted),
                            _ => wanted.push(text.clone()),
                        }
                    }
                    value => leaves(value, &mut wanted),
                }
            }
            for leaf in wanted {
                prop_assert!(
                    kept.contains(&leaf),
                    "{:?} of {} is lost in {:?}", leaf, Value::Object(row.clone()), flat
                );
            }
        }
    }

    #[test]
    fn any_row_gives_an_answer(row in objects(values()), zone in any::<bool>()) {
        let options = PresetOptions {
            actor: zone.then(|| "x".to_owned()),
            time_zone: zone.then(|| jiff::tz::TimeZone::get("Europe/Lisbon").unwrap()),
            ..PresetOptions::default()
        };
        for preset in [Preset::Segment, Preset::CloudEvents, Preset::PostHog, Preset::Mixpanel] {
            if let Ok(flat) = apply(preset, object(row.clone()), &options) {
                canonical(&flat);
            }
        }
    }
}
