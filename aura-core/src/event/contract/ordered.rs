//! A map that remembers the order in which a contract declares things: it is the order of columns.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use hashbrown::HashMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map from names to `T` that keeps the order of insertion. Two maps are equal when they hold the
/// same entries in the same order.
#[derive(Debug, Clone)]
pub struct OrderedMap<T> {
    entries: Vec<(String, T)>,
    positions: HashMap<String, usize>,
}

impl<T> OrderedMap<T> {
    /// Makes an empty map.
    pub fn new() -> Self {
        OrderedMap {
            entries: Vec::new(),
            positions: HashMap::new(),
        }
    }

    /// Appends an entry, or replaces the value of a name in its place; returns the value replaced.
    pub fn insert(&mut self, name: impl Into<String>, value: T) -> Option<T> {
        let name = name.into();
        if let Some(&at) = self.positions.get(&name)
            && let Some(entry) = self.entries.get_mut(at)
        {
            return Some(std::mem::replace(&mut entry.1, value));
        }
        self.positions.insert(name.clone(), self.entries.len());
        self.entries.push((name, value));
        None
    }

    /// Returns the value of `name`.
    pub fn get(&self, name: &str) -> Option<&T> {
        let at = *self.positions.get(name)?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// Returns the value of `name` to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let at = *self.positions.get(name)?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Tells whether there is an entry called `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.positions.contains_key(name)
    }

    /// Returns the entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, v)| (name.as_str(), v))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T> Default for OrderedMap<T> {
    fn default() -> Self {
        OrderedMap::new()
    }
}

impl<T: PartialEq> PartialEq for OrderedMap<T> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<N: Into<String>, T> FromIterator<(N, T)> for OrderedMap<T> {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(entries: I) -> Self {
        let mut map = OrderedMap::new();
        for (name, value) in entries {
            map.insert(name, value);
        }
        map
    }
}

impl<T: Serialize> Serialize for OrderedMap<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrderedMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = OrderedMap<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping from names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut map = OrderedMap::new();
                while let Some(name) = access.next_key::<String>()? {
                    if map.contains(&name) {
                        return Err(A::Error::custom(format!("`{name}` is given twice")));
                    }
                    let value = access.next_value()?;
                    map.insert(name, value);
                }
                Ok(map)
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OrderedMap<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        std::collections::BTreeMap::<String, T>::json_schema(generator)
    }
}
