//! The contract as a value: the one definition of the file format, for serde and JSON Schema alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Literal, OrderedMap};
use crate::event::PropertyType;

/// What happens to a row that breaks a rule. Ordered by strictness: when a row breaks several rules,
/// the greatest action counts.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnViolation {
    /// The row is stored; the violation is counted.
    Accept,
    /// The row goes to quarantine, with the reason and its original bytes.
    #[default]
    Quarantine,
    /// The row is counted and forgotten.
    Drop,
}

impl OnViolation {
    /// Returns the name used in contracts, for example `"quarantine"`.
    pub fn name(self) -> &'static str {
        match self {
            OnViolation::Accept => "accept",
            OnViolation::Quarantine => "quarantine",
            OnViolation::Drop => "drop",
        }
    }
}

/// The kind of personal data that a property holds. The values of a tagged property never appear in
/// the messages of violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pii {
    /// An e-mail address.
    Email,
    /// The name of a person, or a part of it.
    Name,
    /// A telephone number.
    Phone,
    /// An IP address.
    Ip,
    /// An address or coordinates.
    Location,
    /// A number or text that identifies a person or a device.
    Id,
    /// Text that people write, which may hold anything.
    FreeText,
    /// Any other personal data.
    Other,
}

impl Pii {
    /// Returns the name used in contracts, for example `"free_text"`.
    pub fn name(self) -> &'static str {
        match self {
            Pii::Email => "email",
            Pii::Name => "name",
            Pii::Phone => "phone",
            Pii::Ip => "ip",
            Pii::Location => "location",
            Pii::Id => "id",
            Pii::FreeText => "free_text",
            Pii::Other => "other",
        }
    }
}

fn accept() -> OnViolation {
    OnViolation::Accept
}

/// A data contract: the events that a source should send, their properties, and what to do with rows
/// that differ.
///
/// Read one with [`parse`](Contract::parse) or [`load`](Contract::load), which check it and say line
/// and column of what is wrong. A value made in code or by plain serde is checked by
/// [`validate`](Contract::validate).
///
/// # Examples
/// ```
/// use aura_core::event::contract::Contract;
///
/// let contract = Contract::parse("
/// name: shop
/// version: 1
/// events:
///   purchase:
///     properties:
///       amount: {type: number, required: true, min: 0, unit: USD}
/// ")?;
/// assert_eq!(contract.events.len(), 1);
/// assert_eq!(Contract::parse(&contract.to_json()?)?, contract);
/// # Ok::<(), aura_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Name of the contract; not empty.
    pub name: String,
    /// Version, from 1. It must grow with every change.
    #[schemars(range(min = 1))]
    pub version: u32,
    /// What the contract is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What happens to a row that breaks a rule, unless the property says otherwise.
    #[serde(default)]
    pub on_violation: OnViolation,
    /// What happens to an event that is not declared.
    #[serde(default = "accept")]
    pub undeclared_events: OnViolation,
    /// Properties of every event, declared or not. An event that declares the same name replaces
    /// the rules for itself.
    #[serde(default, skip_serializing_if = "OrderedMap::is_empty")]
    pub properties: OrderedMap<PropertyContract>,
    /// The events.
    #[serde(default)]
    pub events: OrderedMap<EventContract>,
}

impl Contract {
    /// Makes a contract that declares nothing.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        Contract {
            name: name.into(),
            version,
            description: None,
            on_violation: OnViolation::default(),
            undeclared_events: accept(),
            properties: OrderedMap::new(),
            events: OrderedMap::new(),
        }
    }
}

/// One event of a contract.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventContract {
    /// When the event is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its properties. Others may be sent; they are kept unchecked.
    #[serde(skip_serializing_if = "OrderedMap::is_empty")]
    pub properties: OrderedMap<PropertyContract>,
}

/// One property: its type and its rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PropertyContract {
    /// The type, the same wherever the name is declared: it is one column.
    #[serde(rename = "type")]
    pub ty: PropertyType,
    /// Whether the property must be there and not null (default false).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The values allowed. For every type but `json`.
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<Literal>>,
    /// The least value allowed, inclusive. For integer, number, timestamp and date; moments and days
    /// as text (`2026-01-31T00:00:00Z`, `2026-01-31`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Literal>,
    /// The greatest value allowed, inclusive. As `min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Literal>,
    /// A regular expression that must match somewhere in the text (anchor it with `^` and `$` to
    /// match all of it, as in JSON Schema). For string. The syntax is that of the crate `regex`:
    /// no look-around, no back-references, and time linear in the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The most characters (Unicode scalar values) allowed. For string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// The unit of the values, for example `ms` or `USD`. Not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The kind of personal data, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pii: Option<Pii>,
    /// What the property means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What happens to a row that breaks a rule of this property, if it differs from the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_violation: Option<OnViolation>,
}

impl PropertyContract {
    /// Makes an optional property without rules.
    pub fn new(ty: PropertyType) -> Self {
        PropertyContract {
            ty,
            required: false,
            allowed: None,
            min: None,
            max: None,
            pattern: None,
            max_length: None,
            unit: None,
            pii: None,
            description: None,
            on_violation: None,
        }
    }
}
