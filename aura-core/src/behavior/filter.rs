//! Which events a step, a start or an exclusion means.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which events: those of one name, of one of several names, or of any name; and of these all, or those that meet a
/// condition.
///
/// In JSON it is a name (`"signup"`), a list of names (`["signup", "register"]`), or an object with `event` or `events`
/// and `where`, a condition over columns in the language of metrics: `{"event": "order", "where": "amount > 100"}`. An
/// object without names means events of any name; `{}` is every event.
///
/// # Examples
/// ```
/// use aura_core::behavior::EventFilter;
///
/// let large = EventFilter::event("order").filter("amount > 100");
/// let same: EventFilter = serde_json::from_str(r#"{"event": "order", "where": "amount > 100"}"#)?;
/// assert_eq!(large, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EventFilter {
    /// The names, of which any will do; none is any name at all. At most 1,000.
    pub events: Vec<String>,
    /// A condition over columns that the events meet.
    pub condition: Option<String>,
}

impl EventFilter {
    /// Every event.
    pub fn any() -> EventFilter {
        EventFilter::default()
    }

    /// The events of one name.
    pub fn event(name: impl Into<String>) -> EventFilter {
        EventFilter {
            events: vec![name.into()],
            condition: None,
        }
    }

    /// The events of several names.
    pub fn events<S: Into<String>>(names: impl IntoIterator<Item = S>) -> EventFilter {
        EventFilter {
            events: names.into_iter().map(Into::into).collect(),
            condition: None,
        }
    }

    /// Restricts it to the events that meet a condition.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }
}

impl From<&str> for EventFilter {
    fn from(name: &str) -> Self {
        EventFilter::event(name)
    }
}

impl From<String> for EventFilter {
    fn from(name: String) -> Self {
        EventFilter::event(name)
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for EventFilter {
    fn from(names: [S; N]) -> Self {
        EventFilter::events(names)
    }
}

impl fmt::Display for EventFilter {
    /// Writes it for people: `order or refund where amount > 100`, `any event`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.events.as_slice() {
            [] if self.condition.is_none() => f.write_str("any event")?,
            [] => {}
            names => f.write_str(&names.join(" or "))?,
        }
        match &self.condition {
            Some(condition) if self.events.is_empty() => f.write_str(condition),
            Some(condition) => write!(f, " where {condition}"),
            None => Ok(()),
        }
    }
}

impl Serialize for EventFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.events.as_slice(), &self.condition) {
            ([one], None) => serializer.serialize_str(one),
            ([_, ..], None) => self.events.serialize(serializer),
            (names, condition) => {
                let mut map = serializer.serialize_map(None)?;
                match names {
                    [] => {}
                    [one] => map.serialize_entry("event", one)?,
                    several => map.serialize_entry("events", several)?,
                }
                if let Some(condition) = condition {
                    map.serialize_entry("where", condition)?;
                }
                map.end()
            }
        }
    }
}

/// The form with field names.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Object {
    /// The name of the events.
    event: Option<String>,
    /// The names of the events, of which any will do.
    events: Option<Vec<String>>,
    /// A condition over columns that the events meet.
    r#where: Option<String>,
}

/// Joins the fields of an object.
pub(super) fn joined(
    event: Option<String>,
    events: Option<Vec<String>>,
    condition: Option<String>,
) -> Result<EventFilter, &'static str> {
    let events = match (event, events) {
        (Some(_), Some(_)) => return Err("both `event` and `events` are given; give one"),
        (Some(event), None) => vec![event],
        (None, Some(events)) if events.is_empty() => {
            return Err("`events` is empty; leave it out for any event");
        }
        (None, events) => events.unwrap_or_default(),
    };
    Ok(EventFilter { events, condition })
}

impl TryFrom<Object> for EventFilter {
    type Error = &'static str;

    fn try_from(object: Object) -> Result<Self, &'static str> {
        joined(object.event, object.events, object.r#where)
    }
}

impl<'de> Deserialize<'de> for EventFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of_forms::<_, Object, D>(deserializer)
    }
}

/// Reads a name, a list of names, or an object `O`.
pub(super) fn one_of_forms<'de, T, O, D>(deserializer: D) -> Result<T, D::Error>
where
    T: From<EventFilter> + TryFrom<O>,
    T::Error: fmt::Display,
    O: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(Forms(PhantomData::<(T, O)>))
}

struct Forms<T, O>(PhantomData<(T, O)>);

impl<'de, T, O> Visitor<'de> for Forms<T, O>
where
    T: From<EventFilter> + TryFrom<O>,
    T::Error: fmt::Display,
    O: Deserialize<'de>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the name of an event, a list of names, or an object with `event` or `events` and `where`",
        )
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<T, E> {
        Ok(EventFilter::event(name).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<T, A::Error> {
        let events = Vec::<String>::deserialize(SeqAccessDeserializer::new(names))?;
        if events.is_empty() {
            return Err(serde::de::Error::custom(
                "the list of event names is empty; write {} for any event",
            ));
        }
        Ok(EventFilter::events(events).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let object = O::deserialize(MapAccessDeserializer::new(map))?;
        object.try_into().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for EventFilter {
    fn schema_name() -> Cow<'static, str> {
        "EventFilter".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let object = Object::json_schema(generator);
        schema_of_forms(
            "Which events: a name, a list of names, or names and a condition over columns.",
            object,
        )
    }
}

/// The schema of what [`one_of_forms`] reads.
pub(super) fn schema_of_forms(description: &str, object: Schema) -> Schema {
    schemars::json_schema!({
        "description": description,
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            object,
        ],
    })
}
