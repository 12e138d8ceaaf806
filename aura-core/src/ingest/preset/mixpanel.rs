//! Mixpanel raw event exports: one `{"event": .., "properties": {..}}` a row.
//!
//! | role | from |
//! |---|---|
//! | `event_id` | `$insert_id`, else `insert_id` (tables of data pipelines) |
//! | `actor` | `distinct_id` |
//! | `event` | `event`, else `event_name`, `mp_event_name` (tables of data pipelines) |
//! | `time` | `time`: seconds or milliseconds, told apart by size |
//!
//! All but `event` are looked for in `properties` first and beside it then.
//!
//! | field | property |
//! |---|---|
//! | `properties.<key>`, also as JSON text | `<key>`; `$` stays: `$city`. Objects and lists stay JSON values |
//! | every other field | `mixpanel_<field>` |
//!
//! Consumed: the field that each role comes from.
//!
//! **Time zone.** Exports of projects that keep local time (the rule before 2023) count `time` from 1970-01-01T00:00:00
//! *in the zone of the project*: "You must add back the offset between project time and UTC". For such exports
//! state the zone of the project as the `time_zone` of the roles, and numeric times are moved to UTC. An hour that occurs twice when clocks
//! go back is read as its first occurrence, one that clocks skip as if they had not gone forward yet. Without
//! a zone, numbers count from 1970 in UTC, as in projects made since 2023. `mp_processing_time_ms` and the like are UTC and stay as they are.
//!
//! **Duplicates.** Mixpanel takes two events as one when `event`, `distinct_id`, `time` and `$insert_id` agree (and when it compacts, `time` only to
//! the day), and shows the one that arrived last; raw exports still hold both. AURA compares `$insert_id` alone and keeps
//! the first. Where `$insert_id` is unique, as Mixpanel asks for, both give the same; where an application reuses it for
//! different events, name another event id.
//!
//! **Source**: Mixpanel, "Raw Event Export" (<https://docs.mixpanel.com/reference/raw-event-export>), "Exporting Raw Data"
//! (<https://mixpanel.com/help/reference/exporting-raw-data>: the zone), "Event Deduplication" (<https://docs.mixpanel.com/reference/event-deduplication>).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fields::{Properties, take_object, take_text, take_time};
use super::object::Object;
use super::{Flat, PresetError, PresetOptions, TimeValue};
use crate::event::TimeUnit;
use crate::ingest::RejectReason;
use crate::ingest::value::{TimeError, parse_numeric_time};

pub(super) fn apply<'a>(
    mut row: Object<'a>,
    options: &PresetOptions,
) -> Result<Flat<'a>, PresetError> {
    let mut own = take_object(&mut row, "properties", &options.limits).unwrap_or_default();
    let mut take = |keys: &[&str]| take_text(&mut own, keys).or_else(|| take_text(&mut row, keys));
    let event_id = take(&["$insert_id", "insert_id"]);
    let actor = match options.actor {
        Some(_) => None,
        None => take(&["distinct_id"]),
    };
    let time = take_time(&mut own, &["time"]).or_else(|| take_time(&mut row, &["time"]));
    let event = take_text(&mut row, &["event", "event_name", "mp_event_name"]);
    let time = match (time, &options.time_zone) {
        (Some(time), Some(zone)) => Some(to_utc(time, zone)?),
        (time, _) => time,
    };
    let mut properties = Properties::default();
    properties.lift("", own);
    properties.lift("mixpanel_", row);
    Ok(Flat {
        event_id,
        actor,
        event,
        time,
        properties: properties.into_object(),
    })
}

/// Reads a number, also in text, as the wall clock of `zone` and returns the moment in RFC 3339. Text that is a date
/// and time is left to the reader.
fn to_utc(time: TimeValue, zone: &TimeZone) -> Result<TimeValue, PresetError> {
    let number = match &time {
        TimeValue::Number(number) => number.clone(),
        TimeValue::Text(text) => text.trim().to_owned(),
    };
    let local_us = match parse_numeric_time(&number, TimeUnit::Auto) {
        Ok(micros) => micros,
        Err(TimeError::Unreadable(_)) if matches!(time, TimeValue::Text(_)) => return Ok(time),
        Err(e) => return Err(invalid(e.to_string())),
    };
    let moment = Timestamp::from_microsecond(local_us).and_then(|local| {
        let wall = TimeZone::UTC.to_datetime(local);
        zone.to_ambiguous_timestamp(wall).compatible()
    });
    match moment {
        Ok(moment) => Ok(TimeValue::Text(moment.to_string())),
        Err(_) => Err(invalid(format!(
            "`{number}` is out of range: expected seconds or milliseconds since 1970"
        ))),
    }
}

fn invalid(why: String) -> PresetError {
    PresetError::new(
        "time",
        RejectReason::InvalidTime,
        format!("mixpanel: `time`: {why}"),
    )
}
