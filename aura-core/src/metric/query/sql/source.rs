//! The table of events in another engine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{ACTOR, EVENT, EVENT_ID, TIME};

/// Where another engine keeps the events. The column of times is of the type that holds instants (`TIMESTAMPTZ`,
/// in Databricks and BigQuery `TIMESTAMP`); properties have the names that metrics use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlSource {
    /// The parts of the name of the table, such as schema and table.
    pub table: Vec<String>,
    /// The column that says who.
    #[serde(default = "actor")]
    pub actor: String,
    /// The column that says what.
    #[serde(default = "event")]
    pub event: String,
    /// The column that says when.
    #[serde(default = "time")]
    pub time: String,
    /// The column of the ids of events.
    #[serde(default = "event_id")]
    pub event_id: String,
}

fn actor() -> String {
    ACTOR.to_owned()
}

fn event() -> String {
    EVENT.to_owned()
}

fn time() -> String {
    TIME.to_owned()
}

fn event_id() -> String {
    EVENT_ID.to_owned()
}

impl SqlSource {
    /// Names a table whose columns are called `actor`, `event` and `time`.
    pub fn table<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> SqlSource {
        SqlSource {
            table: parts.into_iter().map(Into::into).collect(),
            actor: actor(),
            event: event(),
            time: time(),
            event_id: event_id(),
        }
    }

    pub(super) fn column<'a>(&'a self, name: &'a str) -> &'a str {
        match name {
            ACTOR => &self.actor,
            EVENT => &self.event,
            TIME => &self.time,
            EVENT_ID => &self.event_id,
            other => other,
        }
    }
}
