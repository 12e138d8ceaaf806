//! PostHog event exports: batch exports and file downloads (JSON lines, Parquet), and CSV.
//! Which field goes where is specified in `docs/presets.md`.

use super::fields::{Properties, take_object, take_text, take_time};
use super::object::Object;
use super::{Flat, PresetOptions};

pub(super) fn apply<'a>(mut row: Object<'a>, options: &PresetOptions) -> Flat<'a> {
    let event_id = take_text(&mut row, &["uuid", "id"]);
    let actor = match options.actor {
        Some(_) => None,
        None => take_text(&mut row, &["distinct_id"]),
    };
    let event = take_text(&mut row, &["event"]);
    let time = take_time(&mut row, &["timestamp"]);
    let mut properties = Properties::default();
    for (field, prefix) in [
        ("properties", ""),
        ("person_properties", "person_properties_"),
    ] {
        if let Some(object) = take_object(&mut row, field, &options.limits) {
            properties.lift(prefix, object);
        }
    }
    for (key, value) in row {
        let name = if let Some(own) = inner(&key, "properties.") {
            own.to_owned()
        } else if let Some(own) = inner(&key, "person_properties.") {
            format!("person_properties_{own}")
        } else {
            format!("posthog_{key}")
        };
        properties.put(name, value);
    }
    Flat {
        event_id,
        actor,
        event,
        time,
        properties: properties.into_object(),
    }
}

fn inner<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    key.strip_prefix(prefix).filter(|rest| !rest.is_empty())
}
