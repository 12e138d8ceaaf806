//! One metric: what it is called, what it means, and how it is computed.

use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::file::DefinitionFile;
use super::kind::MetricKind;
use super::unit::Unit;
use crate::calendar::Grain;
use crate::event::{ACTOR, TIME};
use crate::expr::RowExpr;

/// Text for people in the languages of AURA.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalText {
    /// English.
    pub en: String,
    /// Russian; where it is missing the English text is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ru: Option<String>,
}

impl LocalText {
    /// Makes a text in English.
    pub fn english(text: impl Into<String>) -> Self {
        LocalText {
            en: text.into(),
            ru: None,
        }
    }

    /// Returns the text in Russian, or in English where there is none.
    pub fn russian(&self) -> &str {
        self.ru.as_deref().unwrap_or(&self.en)
    }
}

/// Which way a metric should go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
    /// Neither is better in itself.
    #[default]
    Neither,
}

/// What stands in a period without any event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// 0: nothing happened, and that is a count.
    Zero,
    /// Null: there is no value.
    Null,
    /// The value of the period before; null where there is none.
    Previous,
}

/// How a value is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A number: `1,234.5`.
    #[default]
    Number,
    /// A share as a percentage: 0.125 is `12.5 %`.
    Percent,
    /// A length of time in words: `2 h 5 min`.
    Duration,
    /// An amount of money in the currency that is the unit, an ISO 4217 code.
    Currency,
}

/// The definition of a metric. In YAML and JSON it has the keys of the reference page; reading it checks it.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricDefinition {
    /// The name: lower-case letters, digits and `_`, at most 64 characters, a letter first.
    pub name: String,
    /// The title for people; the name where none is given.
    pub title: LocalText,
    /// The formula in words, its denominators and its edge cases.
    pub description: Option<LocalText>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The unit: the one declared, or in a [`Registry`](super::Registry) the one that follows from the formula.
    pub unit: Option<Unit>,
    /// Which way is good.
    pub direction: Direction,
    /// How values are shown.
    pub format: Format,
    /// Digits after the decimal point, from 0 to 10; without it as many as the format needs.
    pub decimals: Option<u8>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The grain of a query that names none, and the finest that a query may ask for; always there in a
    /// [`Registry`](super::Registry).
    pub default_grain: Option<Grain>,
    /// The dimensions by which it may be cut, in order; `None` means any column.
    pub dimensions: Option<Vec<String>>,
    /// Which rows count, for all parts of the metric.
    pub filter: Option<RowExpr>,
    /// What stands in a period without any event.
    pub fill: Fill,
    /// How it is computed.
    pub kind: MetricKind,
}

impl MetricDefinition {
    /// Returns the columns of the events that computing it reads, `actor` and `time` included where the kind
    /// needs them, in alphabetical order; not those of the metrics that it names.
    pub fn columns(&self) -> BTreeSet<String> {
        let mut columns = BTreeSet::new();
        let mut add = |name: &str| {
            columns.insert(name.to_owned());
        };
        if let Some(filter) = &self.filter {
            filter.for_each_column(&mut add);
        }
        self.kind.for_each_column(&mut add);
        if !matches!(self.kind, MetricKind::Derived(_)) {
            add(TIME);
        }
        if self.kind.needs_actor() {
            add(ACTOR);
        }
        columns
    }
}

impl Serialize for MetricDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        DefinitionFile::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MetricDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = DefinitionFile::deserialize(deserializer)?;
        file.definition().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for MetricDefinition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MetricDefinition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        DefinitionFile::json_schema(generator)
    }
}
