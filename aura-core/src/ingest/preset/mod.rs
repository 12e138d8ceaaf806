//! Mapping presets: rows of well-known event formats to roles and flat properties.
//!
//! A preset is a pure function over one row, given as a JSON object. Which field goes where is specified in
//! `docs/presets.md`.

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
///
/// The event's own properties keep their names (CloudEvents: `data_<key>`), other fields of the envelope get a
/// fixed prefix, and values keep their exact text. `docs/presets.md` has a table of every field, with sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Preset {
    /// Segment Spec messages: `track`, `page`, `screen`, `identify`, `group` and `alias` calls, one a row.
    ///
    /// Actor: `userId`, else `anonymousId`. Event: `event` of a `track` call, else `Page Viewed`, `Screen Viewed`,
    /// `User Identified`, `Group Joined`, `User Aliased`. Time: `timestamp`, else `originalTimestamp`, `sentAt`,
    /// `receivedAt`. Event id: `messageId`. Prefixes: `traits_`, `context_`, `segment_`.
    #[serde(rename = "segment")]
    Segment,
    /// CloudEvents 1.0 in the JSON format: one event a row, or a JSON array (the batch format).
    ///
    /// Actor: `subject`. Event: `type`. Time: `time`. Event id: `<source>|<id>`. Prefix: `data_`; attributes have none.
    #[serde(rename = "cloud_events")]
    CloudEvents,
    /// PostHog event exports: JSON lines, CSV or Parquet.
    ///
    /// Actor: `distinct_id`. Event: `event`. Time: `timestamp`, UTC where it has no zone. Event id: `uuid`, else `id`.
    /// Prefixes: `person_properties_`, `posthog_`.
    #[serde(rename = "posthog")]
    PostHog,
    /// Mixpanel raw event exports: JSON lines.
    ///
    /// Actor: `distinct_id`. Event: `event`. Time: `time`, in the zone of the project where `time_zone` states it. Event id:
    /// `$insert_id`. Prefix: `mixpanel_`.
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

    /// Lists the fields that the actor, the event and the time come from.
    fn role_fields(self) -> [&'static [&'static str]; 3] {
        match self {
            Preset::Segment => [segment::ACTOR, segment::EVENT, segment::TIME],
            Preset::CloudEvents => [&["subject"], &["type"], &["time"]],
            Preset::PostHog => [&["distinct_id"], &["event"], &["timestamp"]],
            Preset::Mixpanel => [&["distinct_id"], mixpanel::EVENT, &["time"]],
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
    /// Mixpanel only: the zone of a project whose numeric times count local time. See `docs/presets.md`.
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

/// Says which role a mapped row lacks, by the fields of the source that it could have come from.
pub(crate) fn missing_role(
    flat: &Flat<'_>,
    preset: Preset,
    options: &PresetOptions,
) -> Option<PresetError> {
    let [actor, event, time] = preset.role_fields();
    let named = options.actor.as_deref().map(|name| [name]);
    let (role, fields) = if flat.actor.is_none() {
        (ACTOR, named.as_ref().map_or(actor, |name| &name[..]))
    } else if flat.event.is_none() {
        (EVENT, event)
    } else if flat.time.is_none() {
        (TIME, time)
    } else {
        return None;
    };
    let listed: Vec<String> = fields.iter().map(|f| format!("`{f}`")).collect();
    Some(PresetError::new(
        fields.first().unwrap_or(&role),
        RejectReason::MissingRole,
        format!(
            "{}: the row has no {}, which is its {role}",
            preset.name(),
            listed.join(" or ")
        ),
    ))
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
