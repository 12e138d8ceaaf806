//! What the presets share: taking roles out of a row and giving the rest names.

use super::TimeValue;
use super::object::{Json, Object};
use crate::ingest::Limits;

/// Collects properties under names that are unique.
#[derive(Debug, Default)]
pub(super) struct Properties<'a>(Object<'a>);

impl<'a> Properties<'a> {
    /// Adds a property. A name that is taken by another value gets `_` appended until it is free.
    pub(super) fn put(&mut self, mut name: String, value: Json<'a>) {
        while let Some(present) = self.0.get(&name) {
            if present.is_same(&value) {
                return;
            }
            name.push('_');
        }
        self.0.insert(name, value);
    }

    /// Adds every member of `object` as `<prefix><key>`.
    pub(super) fn lift(&mut self, prefix: &str, object: Object<'a>) {
        for (key, value) in object {
            self.put(format!("{prefix}{key}"), value);
        }
    }

    /// Like [`lift`](Self::lift), and the members of objects in it as `<prefix><key>_<inner key>`.
    pub(super) fn lift_two_levels(&mut self, prefix: &str, object: Object<'a>, limits: &Limits) {
        for (key, value) in object {
            match value.to_object(limits) {
                Some(inner) => self.lift(&format!("{prefix}{key}_"), inner),
                None => self.put(format!("{prefix}{key}"), value),
            }
        }
    }

    pub(super) fn into_object(self) -> Object<'a> {
        self.0
    }
}

/// Returns a value as the text of a role: text that is not blank, a number or a boolean as the source
/// writes it.
pub(super) fn text(value: &Json<'_>) -> Option<String> {
    match value.as_string() {
        Some(text) => (!text.trim().is_empty()).then(|| text.into_owned()),
        None => value
            .as_number()
            .or(value.as_boolean())
            .map(ToOwned::to_owned),
    }
}

/// Takes the first of `keys` that can be the text of a role. The others stay.
pub(super) fn take_text(row: &mut Object<'_>, keys: &[&str]) -> Option<String> {
    let (key, text) = keys
        .iter()
        .find_map(|key| Some((*key, row.get(key).and_then(text)?)))?;
    row.remove(key);
    Some(text)
}

/// Takes the first of `keys` that can be a time. The others stay.
pub(super) fn take_time(row: &mut Object<'_>, keys: &[&str]) -> Option<TimeValue> {
    let (key, time) = keys
        .iter()
        .find_map(|key| Some((*key, row.get(key).and_then(time)?)))?;
    row.remove(key);
    Some(time)
}

fn time(value: &Json<'_>) -> Option<TimeValue> {
    match value.as_string() {
        Some(text) => (!text.trim().is_empty()).then(|| TimeValue::Text(text.into_owned())),
        None => value
            .as_number()
            .map(|number| TimeValue::Number(number.to_owned())),
    }
}

/// Takes an object, or the text of one as CSV and Parquet exports have it. Anything else stays, also
/// the text of an object that has a key twice: it is not one that a row may have.
pub(super) fn take_object<'a>(
    row: &mut Object<'a>,
    key: &str,
    limits: &Limits,
) -> Option<Object<'a>> {
    let value = row.get(key)?;
    let object = match value.as_string() {
        Some(text) => Object::parse(&text, limits).map(Object::into_owned),
        None => value.to_object(limits),
    }?;
    row.remove(key);
    Some(object)
}
