//! What the JSON Schema of a definition says beyond its fields.

use schemars::Schema;
use serde_json::{Value, json};

use super::file::keys_of;
use super::kind::KindName;

/// Adds, for each kind, the keys that it needs and those that it does not have.
pub(super) fn keys_of_kinds(schema: &mut Schema) {
    let every: Vec<&str> = KindName::ALL
        .into_iter()
        .map(keys_of)
        .flat_map(|(needed, allowed)| needed.iter().chain(allowed).copied())
        .collect();
    let rules: Vec<Value> = KindName::ALL
        .into_iter()
        .map(|kind| {
            let (needed, allowed) = keys_of(kind);
            let others: serde_json::Map<String, Value> = every
                .iter()
                .filter(|key| !needed.contains(key) && !allowed.contains(key))
                .map(|key| ((*key).to_owned(), Value::Bool(false)))
                .collect();
            json!({
                "if": {"properties": {"kind": {"const": kind.name()}}},
                "then": {"required": needed, "properties": others},
            })
        })
        .collect();
    schema.insert("allOf".to_owned(), Value::Array(rules));
}
