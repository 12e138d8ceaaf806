//! How the canonical columns come from the columns of a source.

use arrow::datatypes::{DataType, Schema, SchemaRef};
use jiff::tz::TimeZone;

use crate::event::{ACTOR, EVENT, EVENT_ID, ResolvedRoles, TIME, TimeUnit};
use crate::{Error, Result};

/// The roles of a source, looked up, and how its times are read.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    roles: ResolvedRoles,
    pub(super) zone: Option<TimeZone>,
    pub(super) unit: TimeUnit,
}

/// Where a canonical column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Column(String),
    /// The same text in every row.
    Constant(String),
    /// The times, converted.
    Time,
}

impl Shape {
    pub(crate) fn new(roles: ResolvedRoles, zone: Option<TimeZone>, unit: TimeUnit) -> Self {
        Shape { roles, zone, unit }
    }

    /// The shape of a table that has the canonical columns already.
    pub(crate) fn canonical(schema: &Schema) -> Self {
        let event_id = schema.index_of(EVENT_ID).is_ok();
        Shape {
            roles: ResolvedRoles {
                actor: ACTOR.to_owned(),
                event: Some(EVENT.to_owned()),
                event_name: None,
                time: TIME.to_owned(),
                event_id: event_id.then(|| EVENT_ID.to_owned()),
            },
            zone: None,
            unit: TimeUnit::default(),
        }
    }

    /// Tells whether a column of the table `events` holds the actors.
    pub(crate) fn is_actor(&self, column: &str) -> bool {
        column == ACTOR || column == self.roles.actor
    }

    pub(super) fn actor(&self) -> &str {
        &self.roles.actor
    }

    pub(super) fn time(&self) -> &str {
        &self.roles.time
    }

    pub(super) fn event_id(&self) -> Option<&str> {
        self.roles.event_id.as_deref()
    }

    /// Returns where the column `name` of the table `events` comes from, and its type there.
    ///
    /// # Errors
    /// `InvalidSpec` when there is no such column; the message lists those that exist.
    pub(super) fn place(&self, events: &SchemaRef, name: &str) -> Result<(Place, DataType)> {
        let Ok(field) = events.field_with_name(name) else {
            let names: Vec<_> = events.fields().iter().map(|f| f.name().as_str()).collect();
            return Err(Error::invalid_spec(format!(
                "the events have no column `{name}`; their columns are {}",
                names.join(", ")
            )));
        };
        let roles = &self.roles;
        let place = match name {
            ACTOR => Place::Column(roles.actor.clone()),
            TIME => Place::Time,
            EVENT => match (&roles.event, &roles.event_name) {
                (Some(event), _) => Place::Column(event.clone()),
                (None, constant) => Place::Constant(constant.clone().unwrap_or_default()),
            },
            EVENT_ID => Place::Column(roles.event_id.clone().unwrap_or_else(|| name.to_owned())),
            other => Place::Column(other.to_owned()),
        };
        Ok((place, field.data_type().clone()))
    }
}
