//! The canonical schema that every stored event has, and the types that properties may take.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of the column that holds the event's own id (text, unique in a store).
pub const EVENT_ID: &str = "event_id";
/// Name of the column that says who acted (text).
pub const ACTOR: &str = "actor";
/// Name of the column that says what happened (text).
pub const EVENT: &str = "event";
/// Name of the column that says when (UTC microseconds).
pub const TIME: &str = "time";
/// Name of the column that keeps undeclared or ill-typed properties, as one JSON object in text.
pub const EXTRA: &str = "extra";

/// Most columns of properties that a store has: SQLite, which holds the catalog and its inlined rows, has at most 2,000
/// columns in a table, and some of these are others. What is beyond stays in `extra`.
pub(crate) const MOST_PROPERTIES: usize = 1_900;

/// The type of a property column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    /// UTF-8 text.
    String,
    /// A signed 64-bit integer.
    Integer,
    /// A 64-bit float.
    Number,
    /// True or false.
    Boolean,
    /// A moment, kept as UTC microseconds.
    Timestamp,
    /// A calendar day.
    Date,
    /// Any JSON value, kept as text.
    Json,
}

impl PropertyType {
    /// Returns the name used in contracts, for example `"integer"`.
    pub fn name(self) -> &'static str {
        match self {
            PropertyType::String => "string",
            PropertyType::Integer => "integer",
            PropertyType::Number => "number",
            PropertyType::Boolean => "boolean",
            PropertyType::Timestamp => "timestamp",
            PropertyType::Date => "date",
            PropertyType::Json => "json",
        }
    }

    /// Returns the Arrow type of the canonical column.
    pub fn arrow_type(self) -> DataType {
        match self {
            PropertyType::String | PropertyType::Json => DataType::Utf8,
            PropertyType::Integer => DataType::Int64,
            PropertyType::Number => DataType::Float64,
            PropertyType::Boolean => DataType::Boolean,
            PropertyType::Timestamp => time_type(),
            PropertyType::Date => DataType::Date32,
        }
    }
}

/// Says whether a column name is one of AURA's own.
pub(crate) fn is_reserved(name: &str) -> bool {
    [EVENT_ID, ACTOR, EVENT, TIME, EXTRA]
        .iter()
        .any(|r| r.eq_ignore_ascii_case(name))
}

/// The Arrow type of every moment in AURA: microseconds since 1970-01-01T00:00:00Z.
pub(crate) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// Returns the schema `event_id, actor, event, time, <properties in the given order>, extra`.
///
/// `event_id`, `actor`, `event` and `time` are not nullable; the rest is.
pub fn canonical_schema<'a>(
    properties: impl IntoIterator<Item = (&'a str, PropertyType)>,
) -> SchemaRef {
    let mut fields = vec![
        Field::new(EVENT_ID, DataType::Utf8, false),
        Field::new(ACTOR, DataType::Utf8, false),
        Field::new(EVENT, DataType::Utf8, false),
        Field::new(TIME, time_type(), false),
    ];
    for (name, ty) in properties {
        fields.push(Field::new(name, ty.arrow_type(), true));
    }
    fields.push(Field::new(EXTRA, DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}
