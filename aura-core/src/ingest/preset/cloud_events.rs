//! CloudEvents 1.0 in the JSON event format (structured mode) and, as a JSON array, its batch format.
//! Which field goes where is specified in `docs/presets.md`.

use super::fields::{Properties, take_text, take_time, text};
use super::object::{Json, Object};
use super::{Flat, PresetError, PresetOptions};
use crate::ingest::RejectReason;

const VERSION: &str = "1.0";

pub(super) fn apply<'a>(
    mut row: Object<'a>,
    options: &PresetOptions,
) -> Result<Flat<'a>, PresetError> {
    match row.remove("specversion") {
        Some(version) if version.as_string().as_deref() == Some(VERSION) => {}
        found => {
            return Err(PresetError::new(
                "specversion",
                RejectReason::Malformed,
                match found {
                    Some(found) => format!(
                        "cloud_events: `specversion` is {}, expected \"{VERSION}\"",
                        shown(&found)
                    ),
                    None => format!(
                        "cloud_events: `specversion` is absent, expected \"{VERSION}\"; is the row a CloudEvent?"
                    ),
                },
            ));
        }
    }
    let id = required(take_text(&mut row, &["id"]), "id")?;
    let source = required(row.get("source").and_then(text), "source")?;
    let event = required(take_text(&mut row, &["type"]), "type")?;
    let actor = match options.actor {
        Some(_) => None,
        None => take_text(&mut row, &["subject"]),
    };
    let time = take_time(&mut row, &["time"]);
    let mut properties = Properties::default();
    if let Some(data) = row.remove("data") {
        match data.to_object(&options.limits) {
            Some(members) => properties.lift("data_", members),
            None => properties.put("data".to_owned(), data),
        }
    }
    properties.lift("", row);
    Ok(Flat {
        event_id: Some(format!("{}|{id}", source.replace('|', "%7C"))),
        actor,
        event: Some(event),
        time,
        properties: properties.into_object(),
    })
}

fn required(value: Option<String>, field: &str) -> Result<String, PresetError> {
    value.ok_or_else(|| {
        PresetError::new(
            field,
            RejectReason::MissingRole,
            format!("cloud_events: the required attribute `{field}` is absent or empty"),
        )
    })
}

fn shown(value: &Json<'_>) -> String {
    value.as_json().chars().take(100).collect()
}
