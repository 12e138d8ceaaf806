//! Rows of a producer's format: objects whose values keep the exact text of the source.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::ingest::Limits;
use crate::ingest::json::{Kind, RawValue, split_object};

/// A JSON value in the exact text of its source: no digit of a number is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json<'a> {
    kind: Kind,
    text: Cow<'a, str>,
}

impl<'a> Json<'a> {
    /// Makes the string of this value.
    pub(crate) fn string(value: &str) -> Self {
        let text = quoted(value);
        let kind = match memchr::memchr(b'\\', text.as_bytes()) {
            Some(_) => Kind::Escaped,
            None => Kind::Plain,
        };
        Json {
            kind,
            text: Cow::Owned(text),
        }
    }

    /// Returns the text as it stands in a row.
    pub(crate) fn as_json(&self) -> &str {
        &self.text
    }

    /// Returns the value of a string; nothing for another value.
    pub(crate) fn as_string(&self) -> Option<Cow<'_, str>> {
        matches!(self.kind, Kind::Plain | Kind::Escaped).then(|| self.raw().decoded())
    }

    /// Returns the text of a number.
    pub(crate) fn as_number(&self) -> Option<&str> {
        (self.kind == Kind::Number).then_some(&self.text)
    }

    /// Returns the text of a boolean.
    pub(crate) fn as_boolean(&self) -> Option<&str> {
        matches!(self.kind, Kind::Boolean(_)).then_some(&self.text)
    }

    /// Returns the members, if it is an object.
    pub(crate) fn to_object(&self, limits: &Limits) -> Option<Object<'a>> {
        if self.kind != Kind::Object {
            return None;
        }
        match &self.text {
            Cow::Borrowed(text) => Object::parse(text, limits),
            Cow::Owned(text) => Object::parse(text, limits).map(Object::into_owned),
        }
    }

    /// Says whether both are one value: strings by what they mean, others by their text.
    pub(crate) fn is_same(&self, other: &Json<'_>) -> bool {
        self.text == other.text
            || matches!((self.as_string(), other.as_string()), (Some(a), Some(b)) if a == b)
    }

    fn raw(&self) -> RawValue<'_> {
        RawValue {
            kind: self.kind,
            text: &self.text,
        }
    }

    fn into_owned(self) -> Json<'static> {
        Json {
            kind: self.kind,
            text: Cow::Owned(self.text.into_owned()),
        }
    }
}

/// The members of an object in the order of the source, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Object<'a>(IndexMap<Cow<'a, str>, Json<'a>>);

impl<'a> Object<'a> {
    /// Reads the text of an object. `None` if it is not one valid object, too deep, or has a name
    /// twice at any depth.
    pub(crate) fn parse(text: &'a str, limits: &Limits) -> Option<Self> {
        let members = split_object(text, limits).ok()?;
        let json = |RawValue { kind, text }| Json {
            kind,
            text: Cow::Borrowed(text),
        };
        Some(Object(
            members.into_iter().map(|(k, v)| (k, json(v))).collect(),
        ))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.get(name)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds a member at the end, or gives it another value.
    pub(crate) fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: Json<'a>) {
        self.0.insert(name.into(), value);
    }

    /// Takes a member out. The others keep their order.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Json<'a>> {
        self.0.shift_remove(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    pub(super) fn into_owned(self) -> Object<'static> {
        let owned = self.0.into_iter();
        Object(
            owned
                .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                .collect(),
        )
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Json<'a>);
    type IntoIter = indexmap::map::IntoIter<Cow<'a, str>, Json<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Returns a string as JSON writes it.
pub(crate) fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
