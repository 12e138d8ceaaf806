//! The steps of a funnel, and what must not happen between them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::behavior::EventFilter;
use crate::behavior::filter::{joined, one_of_forms, schema_of_forms};
use crate::time::Span;

/// One step of a [`Funnel`](super::Funnel): which events, and how it is reached.
///
/// In JSON a name, a list of names, or an object with the fields of [`EventFilter`] and with `name`, `within` and
/// `optional`: `{"event": "order", "where": "amount > 100", "name": "large order", "within": "1 hour"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which events.
    pub events: EventFilter,
    /// What the step is called in the result; by default its events.
    pub name: Option<String>,
    /// How long after the step before it the step may be, both ends included. Not for the first step.
    pub within: Option<Span>,
    /// Whether the next step may follow without this one. Not for the first and the last step.
    pub optional: bool,
}

impl Step {
    /// Makes a step of events.
    pub fn new(events: impl Into<EventFilter>) -> Step {
        Step {
            events: events.into(),
            name: None,
            within: None,
            optional: false,
        }
    }

    /// Sets what the step is called in the result.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets how long after the step before it the step may be.
    #[must_use]
    pub fn within(mut self, span: Span) -> Self {
        self.within = Some(span);
        self
    }

    /// Lets the next step follow without this one.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(super) fn title(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => self.events.to_string(),
        }
    }
}

impl<F: Into<EventFilter>> From<F> for Step {
    fn from(events: F) -> Self {
        Step::new(events)
    }
}

/// Writes the fields of an event filter.
fn write_events<M: SerializeMap>(map: &mut M, events: &EventFilter) -> Result<(), M::Error> {
    match events.events.as_slice() {
        [] => {}
        [one] => map.serialize_entry("event", one)?,
        several => map.serialize_entry("events", several)?,
    }
    match &events.condition {
        Some(condition) => map.serialize_entry("where", condition),
        None => Ok(()),
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.name.is_none() && self.within.is_none() && !self.optional {
            return self.events.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        write_events(&mut map, &self.events)?;
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        if let Some(within) = &self.within {
            map.serialize_entry("within", within)?;
        }
        if self.optional {
            map.serialize_entry("optional", &true)?;
        }
        map.end()
    }
}

/// A step with field names.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StepObject {
    /// The name of the events.
    event: Option<String>,
    /// The names of the events, of which any will do.
    events: Option<Vec<String>>,
    /// A condition over columns that the events meet.
    r#where: Option<String>,
    /// What the step is called in the result.
    name: Option<String>,
    /// How long after the step before it the step may be.
    within: Option<Span>,
    /// Whether the next step may follow without this one.
    #[serde(default)]
    optional: bool,
}

impl TryFrom<StepObject> for Step {
    type Error = &'static str;

    fn try_from(object: StepObject) -> Result<Self, &'static str> {
        Ok(Step {
            events: joined(object.event, object.events, object.r#where)?,
            name: object.name,
            within: object.within,
            optional: object.optional,
        })
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of_forms::<_, StepObject, D>(deserializer)
    }
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let object = StepObject::json_schema(generator);
        schema_of_forms(
            "One step of a funnel: which events, and how it is reached.",
            object,
        )
    }
}

/// Events that end a chain when they lie between two steps of a [`Funnel`](super::Funnel): after its event of the one, or
/// of the next step that it holds where that one is optional and left out, and before its event of the other, in the same
/// way.
///
/// In JSON a name, a list of names, or an object with the fields of [`EventFilter`] and with `after` and `before`:
/// `{"event": "cancel", "after": 1, "before": 3}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// Which events.
    pub events: EventFilter,
    /// The step, from 1, after which they matter; by default the first.
    pub after: Option<usize>,
    /// The step before which they matter; by default the last.
    pub before: Option<usize>,
}

impl Exclusion {
    /// Excludes events between the first and the last step.
    pub fn new(events: impl Into<EventFilter>) -> Exclusion {
        Exclusion {
            events: events.into(),
            after: None,
            before: None,
        }
    }

    /// Excludes them between two steps, counted from 1.
    #[must_use]
    pub fn between(mut self, after: usize, before: usize) -> Self {
        (self.after, self.before) = (Some(after), Some(before));
        self
    }
}

impl<F: Into<EventFilter>> From<F> for Exclusion {
    fn from(events: F) -> Self {
        Exclusion::new(events)
    }
}

impl Serialize for Exclusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.after.is_none() && self.before.is_none() {
            return self.events.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        write_events(&mut map, &self.events)?;
        if let Some(after) = &self.after {
            map.serialize_entry("after", after)?;
        }
        if let Some(before) = &self.before {
            map.serialize_entry("before", before)?;
        }
        map.end()
    }
}

/// An exclusion with field names.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExclusionObject {
    /// The name of the events.
    event: Option<String>,
    /// The names of the events, of which any will do.
    events: Option<Vec<String>>,
    /// A condition over columns that the events meet.
    r#where: Option<String>,
    /// The step, from 1, after which they matter.
    after: Option<usize>,
    /// The step before which they matter.
    before: Option<usize>,
}

impl TryFrom<ExclusionObject> for Exclusion {
    type Error = &'static str;

    fn try_from(object: ExclusionObject) -> Result<Self, &'static str> {
        Ok(Exclusion {
            events: joined(object.event, object.events, object.r#where)?,
            after: object.after,
            before: object.before,
        })
    }
}

impl<'de> Deserialize<'de> for Exclusion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of_forms::<_, ExclusionObject, D>(deserializer)
    }
}

impl JsonSchema for Exclusion {
    fn schema_name() -> Cow<'static, str> {
        "Exclusion".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let object = ExclusionObject::json_schema(generator);
        schema_of_forms(
            "Events that end an attempt between two steps of a funnel.",
            object,
        )
    }
}
