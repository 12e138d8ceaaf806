//! Mapping presets: rows of well-known event formats to roles and flat properties.
//!
//! A preset is a pure function over one row, given as a JSON object. Nothing is lost: what is not a role becomes a
//! property, and the few fields that are consumed are named in the page of each preset. Names of properties do
//! not depend on what else is in the row, so that a column means the same in every row:
//!
//! * the event's own properties keep their names (CloudEvents: `data_<key>`);
//! * other fields of the envelope get a fixed prefix (`segment_`, `posthog_`, `mixpanel_`; CloudEvents attributes
//!   need none, because their names have no `_`);
//! * flattening ends at the level that each preset names; what is deeper stays a JSON value;
//! * values keep the exact text of the source (numbers of any size, too), and properties stand in its order: those of
//!   the event itself first, then the others in the order of the preset's page;
//! * an object without members has nothing to flatten and gives no property;
//! * if two fields still get the same name with different values, the later one gets `_` appended.

mod cloud_events;
mod fields;
mod mixpanel;
mod object;
mod posthog;
mod segment;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use object::quoted;
pub(crate) use object::{Json, Object};

use super::{Limits, RejectReason};
use crate::event::{ACTOR, EVENT, EVENT_ID, TIME, is_reserved};

/// A well-known event format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Preset {
    /// Segment Spec messages: `track`, `page`, `screen`, `identify`, `group` and `alias` calls, one a row.
    #[serde(rename = "segment")]
    Segment,
    /// CloudEvents 1.0 in the JSON format: one event a row, or a JSON array (the batch format).
    #[serde(rename = "cloud_events")]
    CloudEvents,
    /// PostHog event exports: JSON lines, CSV or Parquet.
    #[serde(rename = "posthog")]
    PostHog,
    /// Mixpanel raw event exports: JSON lines.
    #[serde(rename = "mixpanel")]
    Mixpanel,
}

impl Preset {
    /// Returns the name in specs, for example `"cloud_events"`.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Segment => "segment",
            Preset::CloudEvents => "cloud_events",
            Preset::PostHog => "posthog",
            Preset::Mixpanel => "mixpanel",
        }
    }

    /// Returns the zone of times that carry none, where the format defines one: PostHog stores UTC and writes
    /// `2026-03-01 12:00:00.000000` in CSV. A zone given by the caller goes before it.
    pub(crate) fn default_time_zone(self) -> Option<&'static str> {
        match self {
            Preset::PostHog => Some("UTC"),
            Preset::Segment | Preset::CloudEvents | Preset::Mixpanel => None,
        }
    }
}

/// What a caller may change about a preset.
#[derive(Debug, Clone, Default)]
pub(crate) struct PresetOptions {
    /// Name of the property (after mapping, for example a CloudEvents extension attribute or
    /// `posthog_person_id`) that is the actor. It stays a property; what would have been the actor becomes one.
    pub(crate) actor: Option<String>,
    /// Mixpanel only: the zone of a project whose numeric times count local time. See [`mixpanel`].
    pub(crate) time_zone: Option<jiff::tz::TimeZone>,
    /// How deep an object may be that is text.
    pub(crate) limits: Limits,
}

/// A row after mapping. A role that is absent is for the reader to reject.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Flat<'a> {
    pub(crate) event_id: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) time: Option<TimeValue>,
    pub(crate) properties: Object<'a>,
}

/// A time as the source gave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeValue {
    /// A date and time in text, or the text of a number as tables have it.
    Text(String),
    /// A number, as the source writes it.
    Number(String),
}

/// Why a row is not one of its format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct PresetError {
    /// The field at fault.
    pub(crate) field: String,
    pub(crate) reason: RejectReason,
    pub(crate) message: String,
}

impl PresetError {
    fn new(field: &str, reason: RejectReason, message: String) -> Self {
        PresetError {
            field: field.to_owned(),
            reason,
            message,
        }
    }
}

/// Maps one row.
///
/// # Errors
/// The row is not of the format: an unknown Segment `type`, a CloudEvents attribute that is missing or of another
/// version, a Mixpanel time that its zone cannot hold.
pub(crate) fn apply<'a>(
    preset: Preset,
    row: Object<'a>,
    options: &PresetOptions,
) -> Result<Flat<'a>, PresetError> {
    let mut flat = match preset {
        Preset::Segment => segment::apply(row, options),
        Preset::CloudEvents => cloud_events::apply(row, options),
        Preset::PostHog => Ok(posthog::apply(row, options)),
        Preset::Mixpanel => mixpanel::apply(row, options),
    }?;
    if let Some(name) = &options.actor {
        flat.actor = flat.properties.get(name).and_then(fields::text);
    }
    Ok(flat)
}

/// Returns the text of the row under the canonical names: `event_id`, `actor`, `event`, `time` and the properties. A
/// property with one of those names or named `extra` gets `_` appended until its name is free.
pub(crate) fn canonical_json(flat: &Flat<'_>) -> String {
    let time = flat.time.as_ref().map(|time| match time {
        TimeValue::Text(text) => quoted(text),
        TimeValue::Number(number) => number.clone(),
    });
    let roles = [
        (EVENT_ID, flat.event_id.as_deref().map(quoted)),
        (ACTOR, flat.actor.as_deref().map(quoted)),
        (EVENT, flat.event.as_deref().map(quoted)),
        (TIME, time),
    ];
    let mut out = String::from("{");
    let mut put = |name: &str, value: &str| {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        out.push_str(value);
    };
    for (name, value) in roles {
        if let Some(value) = value {
            put(name, &value);
        }
    }
    for (name, value) in flat.properties.iter() {
        if is_reserved(name) {
            let mut free = format!("{name}_");
            while flat.properties.contains(&free) {
                free.push('_');
            }
            put(&free, value.as_json());
        } else {
            put(name, value.as_json());
        }
    }
    out.push('}');
    out
}
