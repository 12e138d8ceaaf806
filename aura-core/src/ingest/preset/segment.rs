//! Segment Spec messages, as sources send them and as raw copies (for example in object storage) hold them.
//!
//! | role | from |
//! |---|---|
//! | `event_id` | `messageId` |
//! | `actor` | `userId`, else `anonymousId` |
//! | `event` | `event` of a `track` call; else the fixed names below |
//! | `time` | `timestamp`, else `originalTimestamp`, `sentAt`, `receivedAt` |
//!
//! | `type` | `event` |
//! |---|---|
//! | `track` (also when `type` is absent and `event` is there) | the value of `event` |
//! | `page` | `Page Viewed` |
//! | `screen` | `Screen Viewed` |
//! | `identify` | `User Identified` |
//! | `group` | `Group Joined` |
//! | `alias` | `User Aliased` |
//!
//! The Spec names events of `track` calls only. The other names are AURA's, one a call and not one a page, so that
//! the number of event names stays small; which page it was is in `segment_name` and in the properties.
//!
//! | field | property |
//! |---|---|
//! | `properties.<key>` | `<key>` |
//! | `traits.<key>` | `traits_<key>` |
//! | `context.<key>` | `context_<key>` |
//! | `context.<key>.<inner>` | `context_<key>_<inner>`, for example `context_page_url` |
//! | every other field | `segment_<field>`, for example `segment_type`, `segment_anonymousId`, `segment_receivedAt` |
//!
//! Consumed: the field that each role comes from. `properties`, `traits` and `context` may be JSON text. A row that holds a whole
//! batch request is refused: its messages are the rows.
//!
//! **Source**: Segment Spec, "Common fields" (<https://www.twilio.com/docs/segment/connections/spec/common>): `timestamp` is
//! the moment of the event corrected for the clock of the device, `sentAt` is not for analysis; and the pages
//! "Track", "Page", "Screen", "Identify", "Group", "Alias" beside it.

use super::fields::{Properties, take_object, take_text, take_time, text};
use super::object::Object;
use super::{Flat, PresetError, PresetOptions};
use crate::ingest::RejectReason;

pub(super) fn apply<'a>(
    mut row: Object<'a>,
    options: &PresetOptions,
) -> Result<Flat<'a>, PresetError> {
    let event = event(&mut row)?;
    let actor = match options.actor {
        Some(_) => None,
        None => take_text(&mut row, &["userId", "anonymousId"]),
    };
    let event_id = take_text(&mut row, &["messageId"]);
    let time = take_time(
        &mut row,
        &["timestamp", "originalTimestamp", "sentAt", "receivedAt"],
    );
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
        None => take_text(row, &["event"]),
    })
}
