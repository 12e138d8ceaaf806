//! Mixpanel raw event exports: one `{"event": .., "properties": {..}}` a row.
//! Which field goes where is specified in `docs/presets.md`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fields::{Properties, take_object, take_text, take_time};
use super::object::Object;
use super::{Flat, PresetError, PresetOptions, TimeValue};
use crate::event::TimeUnit;
use crate::ingest::RejectReason;
use crate::ingest::value::{TimeError, parse_numeric_time};

pub(super) const EVENT: &[&str] = &["event", "event_name", "mp_event_name"];

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
    let event = take_text(&mut row, EVENT);
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
