//! Segment Spec messages, as sources send them and as raw copies (for example in object storage) hold them.
//! Which field goes where is specified in `docs/presets.md`.

use super::fields::{Properties, take_object, take_text, take_time, text};
use super::object::Object;
use super::{Flat, PresetError, PresetOptions};
use crate::ingest::RejectReason;

pub(super) const ACTOR: &[&str] = &["userId", "anonymousId"];
pub(super) const EVENT: &[&str] = &["event"];
pub(super) const TIME: &[&str] = &["timestamp", "originalTimestamp", "sentAt", "receivedAt"];

pub(super) fn apply<'a>(
    mut row: Object<'a>,
    options: &PresetOptions,
) -> Result<Flat<'a>, PresetError> {
    let event = event(&mut row)?;
    let actor = match options.actor {
        Some(_) => None,
        None => take_text(&mut row, ACTOR),
    };
    let event_id = take_text(&mut row, &["messageId"]);
    let time = take_time(&mut row, TIME);
    let mut properties = Properties::default();
    if let Some(own) = take_object(&mut row, "properties", &options.limits) {
        properties.lift("", own);
    }
    if let Some(traits) = take_object(&mut row, "traits", &options.limits) {
        properties.lift("traits_", traits);
    }
    if let Some(context) = take_object(&mut row, "context", &options.limits) {
        properties.lift_two_levels("context_", context, &options.limits);
    }
    properties.lift("segment_", row);
    Ok(Flat {
        event_id,
        actor,
        event,
        time,
        properties: properties.into_object(),
    })
}

fn event(row: &mut Object<'_>) -> Result<Option<String>, PresetError> {
    let call = row.get("type").and_then(text);
    let fixed = match call.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("track") => None,
        None if row.contains("event") => None,
        Some("page") => Some("Page Viewed"),
        Some("screen") => Some("Screen Viewed"),
        Some("identify") => Some("User Identified"),
        Some("group") => Some("Group Joined"),
        Some("alias") => Some("User Aliased"),
        None if row.contains("batch") => {
            return Err(PresetError::new(
                "batch",
                RejectReason::Malformed,
                "segment: the row is a batch request; give the messages in its `batch` as rows"
                    .to_owned(),
            ));
        }
        _ => {
            return Err(PresetError::new(
                "type",
                RejectReason::Malformed,
                format!(
                    "segment: `type` is {}, expected track, page, screen, identify, group or alias",
                    call.map_or_else(|| "absent".to_owned(), |c| format!("`{c}`"))
                ),
            ));
        }
    };
    Ok(match fixed {
        Some(name) => Some(name.to_owned()),
        None => take_text(row, EVENT),
    })
}
