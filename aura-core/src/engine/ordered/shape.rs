//! How the canonical columns come from the columns of a source.

use arrow::datatypes::{DataType, Schema, SchemaRef};
use jiff::tz::TimeZone;

use super::code::is_text;
use crate::event::{ACTOR, EVENT, EVENT_ID, ResolvedRoles, TIME, TimeUnit};
use crate::{Error, Result};

/// The roles of a source, looked up, and how its times are read.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    roles: ResolvedRoles,
    /// The column that stands in for the actor: its name in the table `events` and in the source.
    moved: Option<(String, String)>,
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
        Shape {
            roles,
            moved: None,
            zone,
            unit,
        }
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
            moved: None,
            zone: None,
            unit: TimeUnit::default(),
        }
    }

    /// Tells whether a column of the table `events` holds the actors.
    pub(crate) fn is_actor(&self, column: &str) -> bool {
        column == ACTOR || column == self.roles.actor
    }

    /// Moves the role of the actor to another column of the table `events`, so that a scan is by the values
    /// of that column. Under the name `actor` conditions and columns still find what was there before.
    ///
    /// # Errors
    /// `InvalidSpec` when there is no such column, or it cannot tell who.
    pub(crate) fn with_actor(&self, events: &SchemaRef, column: &str) -> Result<Shape> {
        let (place, ty) = self.place(events, column)?;
        let simple = is_text(&ty) || ty.is_integer() || ty == DataType::Boolean;
        match place {
            Place::Column(source) if simple => Ok(Shape {
                moved: (column != ACTOR).then(|| (column.to_owned(), source)),
                ..self.clone()
            }),
            _ => Err(Error::invalid_spec(format!(
                "actor: the column `{column}` has the type {ty}; a column that tells who holds text or whole numbers"
            ))),
        }
    }

    /// Tells whether another column than the source's own stands in for the actor.
    pub(super) fn is_moved(&self) -> bool {
        self.moved.is_some()
    }

    /// Returns the column of the table `events` that tells who.
    pub(super) fn who(&self) -> &str {
        self.moved.as_ref().map_or(ACTOR, |(name, _)| name)
    }

    pub(super) fn actor(&self) -> &str {
        match &self.moved {
            Some((_, source)) => source,
            None => &self.roles.actor,
        }
    }

    pub(super) fn time(&self) -> &str {
        &self.roles.time
    }

    pub(super) fn event_id(&self) -> Option<&str> {
        self.roles.event_id.as_deref()
    }

    /// Says why the table `events` has no column `name`, if it has none.
    ///
    /// # Errors
    /// As [`place`](Self::place).
    pub(crate) fn check(&self, events: &SchemaRef, name: &str) -> Result<()> {
        self.place(events, name).map(|_| ())
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
