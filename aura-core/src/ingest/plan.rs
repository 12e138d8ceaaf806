//! What to read from a source: which keys become which columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::event::{
    ACTOR, EVENT, EVENT_ID, EXTRA, MOST_PROPERTIES, PropertyType, TIME, TimeUnit, canonical_schema,
};

/// A property to read: a key (JSON) or header name (CSV, tables) and the column it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanColumn {
    /// Key or header in the source. Where a source key equals a reserved column name
    /// (`event_id`, `actor`, `event`, `time`, `extra`) but is not that role, `name` differs: `<key>_`.
    pub(crate) key: String,
    /// Name of the column in the canonical batch.
    pub(crate) name: String,
    /// Type of the column.
    pub(crate) ty: PropertyType,
}

/// The plan of one ingest: the same for every block, so that blocks are independent.
#[derive(Debug, Clone)]
pub(crate) struct ReadPlan {
    /// Key of the event id, if the source has one.
    pub(crate) event_id: Option<String>,
    /// Key of the actor.
    pub(crate) actor: String,
    /// Key of the event name; `None` when `event_name` is the name of every row.
    pub(crate) event: Option<String>,
    pub(crate) event_name: Option<String>,
    /// Key of the time.
    pub(crate) time: String,
    /// Zone of times that carry none; without it such a row is rejected.
    pub(crate) time_zone: Option<jiff::tz::TimeZone>,
    /// Unit of numeric times.
    pub(crate) time_unit: TimeUnit,
    /// Properties, in the order of the batch. Every other key goes to `extra`.
    pub(crate) properties: Vec<PlanColumn>,
    /// How many properties of the source are no columns because the store may have no more.
    pub(crate) beyond: usize,
    /// The canonical schema, with `event_id` nullable.
    pub(crate) schema: SchemaRef,
}

impl ReadPlan {
    /// What a careful reader of the report should know about the plan.
    pub(crate) fn note(&self, source: &str) -> Option<String> {
        let beyond = self.beyond;
        (beyond > 0).then(|| {
            format!(
                "{source}: {beyond} properties are kept in `extra`, since a store has at most {MOST_PROPERTIES} columns of properties"
            )
        })
    }

    /// Returns the schema of the batches that the readers of a plan with `properties` make.
    pub(crate) fn schema_of(properties: &[PlanColumn]) -> SchemaRef {
        let canonical = canonical_schema(properties.iter().map(|p| (p.name.as_str(), p.ty)));
        let mut fields: Vec<Arc<Field>> = canonical.fields().iter().cloned().collect();
        fields[0] = Arc::new(Field::new(EVENT_ID, DataType::Utf8, true));
        Arc::new(Schema::new(fields))
    }

    /// Returns the column name for a property key: the key, with `_` appended while it is reserved.
    pub(crate) fn column_name(key: &str) -> String {
        let mut name = key.to_owned();
        while [EVENT_ID, ACTOR, EVENT, TIME, EXTRA].contains(&name.as_str()) {
            name.push('_');
        }
        name
    }
}
