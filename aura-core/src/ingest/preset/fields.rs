//! What the presets share: taking roles out of a row and giving the rest names.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::TimeValue;

/// Collects properties under names that are unique.
#[derive(Debug, Default)]
pub(super) struct Properties(Map<String, Value>);

impl Properties {
    /// Adds a property. A name that is taken by another value gets `_` appended until it is free.
    pub(super) fn put(&mut self, mut name: String, value: Value) {
        while let Some(present) = self.0.get(&name) {
            if *present == value {
                return;
            }
            name.push('_');
        }
        self.0.insert(name, value);
    }

    /// Adds every member of `object` as `<prefix><key>`.
    pub(super) fn lift(&mut self, prefix: &str, object: Map<String, Value>) {
        for (key, value) in object {
            self.put(format!("{prefix}{key}"), value);
        }
    }

    /// Like [`lift`](Self::lift), and the members of objects in it as `<prefix><key>_<inner key>`.
    pub(super) fn lift_two_levels(&mut self, prefix: &str, object: Map<String, Value>) {
        for (key, value) in object {
            match value {
                Value::Object(inner) => self.lift(&format!("{prefix}{key}_"), inner),
                value => self.put(format!("{prefix}{key}"), value),
            }
        }
    }

    pub(super) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

/// Returns a value as the text of a role: text that is not blank, a number, a boolean.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Takes the first of `keys` that can be the text of a role. The others stay.
pub(super) fn take_text(row: &mut Map<String, Value>, keys: &[&str]) -> Option<String> {
    let key = keys
        .iter()
        .find(|key| row.get(**key).and_then(text).is_some())?;
    row.remove(*key).as_ref().and_then(text)
}

/// Takes the first of `keys` that can be a time. The others stay.
pub(super) fn take_time(row: &mut Map<String, Value>, keys: &[&str]) -> Option<TimeValue> {
    let key = keys
        .iter()
        .find(|key| row.get(**key).is_some_and(is_time))?;
    match row.remove(*key)? {
        Value::String(text) => Some(TimeValue::Text(text)),
        Value::Number(number) => Some(TimeValue::Number(number)),
        _ => None,
    }
}

fn is_time(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        value => value.is_number(),
    }
}

/// Takes an object, or the text of one as CSV and Parquet exports have it. Anything else stays.
pub(super) fn take_object(row: &mut Map<String, Value>, key: &str) -> Option<Map<String, Value>> {
    match row.remove(key)? {
        Value::Object(object) => Some(object),
        Value::String(text) => match object_in(&text) {
            Some(object) => Some(object),
            None => {
                row.insert(key.to_owned(), Value::String(text));
                None
            }
        },
        other => {
            row.insert(key.to_owned(), other);
            None
        }
    }
}

/// Parses the text of an object. With the same key twice it is not one, because a map would lose a value.
fn object_in(text: &str) -> Option<Map<String, Value>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str::<UniqueKeys>(text).ok().map(|o| o.0)
}

struct UniqueKeys(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = UniqueKeys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<UniqueKeys, A::Error> {
                let mut map = Map::new();
                while let Some((key, value)) = access.next_entry::<String, Value>()? {
                    if map.insert(key, value).is_some() {
                        return Err(serde::de::Error::custom("a key twice"));
                    }
                }
                Ok(UniqueKeys(map))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
