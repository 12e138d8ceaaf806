//! Serde values out of a located tree: what the derived code finds wrong gets its line, its column,
//! its path, and the name that was probably meant.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use super::node::{Fault, Kind, Node, Place};
use super::path::{Path, Step, nearest};

/// Makes a `T` from a tree.
pub(crate) fn decode<'de, T: de::Deserialize<'de>>(node: &'de Node) -> Result<T, Fault> {
    decode_inside(node, &Path::default())
}

/// Makes a `T` from the part of a tree that `parent` leads to.
pub(crate) fn decode_inside<'de, T: de::Deserialize<'de>>(
    node: &'de Node,
    parent: &Path,
) -> Result<T, Fault> {
    T::deserialize(Source(node)).map_err(|mut e| {
        e.path.reverse();
        let mut path = parent.clone();
        path.0.append(&mut e.path);
        Fault {
            at: Some(e.at.unwrap_or(node.at)),
            message: if path.0.is_empty() {
                e.message
            } else {
                format!("{path}: {}", e.message)
            },
        }
    })
}

/// The fault on its way up: the path is collected from its end.
#[derive(Debug)]
struct Failure {
    message: String,
    at: Option<Place>,
    path: Vec<Step>,
}

impl Failure {
    fn new(message: String) -> Self {
        Failure {
            message,
            at: None,
            path: Vec::new(),
        }
    }

    fn at(mut self, place: Place) -> Self {
        self.at.get_or_insert(place);
        self
    }

    fn inside(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    quoted.join(", ")
}

fn unknown(what: &str, name: &str, expected: &'static [&'static str]) -> Failure {
    let name = super::shortened(name);
    let hint = match nearest(&name, expected.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("expected one of {}", listed(expected)),
    };
    Failure::new(format!("unknown {what} `{name}`; {hint}"))
}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Failure::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(v) => format!("`{v}`"),
            Unexpected::Unsigned(v) => format!("the number {v}"),
            Unexpected::Signed(v) => format!("the number {v}"),
            Unexpected::Float(v) => format!("the number {v}"),
            Unexpected::Str(v) => format!("the text \"{}\"", super::shortened(v)),
            Unexpected::Unit => "nothing (null)".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a mapping".to_owned(),
            other => other.to_string(),
        };
        // The names that serde gives to types are those of Rust.
        let expected = match expected.to_string().as_str() {
            "a string" => "text (a number or true/false needs quotes to be text)".to_owned(),
            "a boolean" => "`true` or `false`".to_owned(),
            "u32" => "a whole number from 0 to 4294967295".to_owned(),
            "a sequence" => "a list".to_owned(),
            other if other.starts_with("struct ") => "a mapping".to_owned(),
            other => other.to_owned(),
        };
        Failure::new(format!("found {found}, expected {expected}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        unknown("value", variant, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        unknown("key", field, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Failure::new(format!("the key `{field}` is missing"))
    }
}

#[derive(Clone, Copy)]
struct Source<'de>(&'de Node);

impl<'de> Source<'de> {
    fn unexpected(self) -> Unexpected<'de> {
        match &self.0.kind {
            Kind::Null => Unexpected::Unit,
            Kind::Bool(v) => Unexpected::Bool(*v),
            Kind::Integer(v) => Unexpected::Signed(*v),
            Kind::Unsigned(v) => Unexpected::Unsigned(*v),
            Kind::Float(v) => Unexpected::Float(*v),
            Kind::Text(v) => Unexpected::Str(v),
            Kind::List(_) => Unexpected::Seq,
            Kind::Map(_) => Unexpected::Map,
        }
    }
}

impl<'de> de::Deserializer<'de> for Source<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(v) => visitor.visit_bool(*v),
            Kind::Integer(v) => visitor.visit_i64(*v),
            Kind::Unsigned(v) => visitor.visit_u64(*v),
            Kind::Float(v) => visitor.visit_f64(*v),
            Kind::Text(v) => visitor.visit_borrowed_str(v),
            Kind::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Kind::Map(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
            }),
        }
        .map_err(|e| e.at(self.0.at))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.kind {
            // A key of YAML with nothing after it: `properties:`.
            Kind::Null => visitor
                .visit_map(Entries {
                    rest: [].iter(),
                    value: None,
                })
                .map_err(|e| e.at(self.0.at)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match &self.0.kind {
            // A derived struct also takes a list of its fields; the formats here do not.
            Kind::List(_) => Err(de::Error::invalid_type(Unexpected::Seq, &"a mapping"))
                .map_err(|e: Failure| e.at(self.0.at)),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match &self.0.kind {
            Kind::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Kind::Map(entries) => match entries.as_slice() {
                [(key, node)] => visitor.visit_enum(Variant { key, node }),
                several => Err(Failure::new(format!(
                    "found a mapping with {} keys, expected one key: one of {}",
                    several.len(),
                    listed(variants)
                ))),
            },
            _ => {
                let expected = format!("one of {}", listed(variants));
                Err(de::Error::invalid_type(
                    self.unexpected(),
                    &expected.as_str(),
                ))
            }
        }
        .map_err(|e: Failure| e.at(self.0.at))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct identifier ignored_any
    }
}

/// A value that is one of several kinds, named by the only key of a mapping.
struct Variant<'de> {
    key: &'de super::node::Key,
    node: &'de Node,
}

impl<'de> Variant<'de> {
    fn inside<T>(&self, read: Result<T, Failure>) -> Result<T, Failure> {
        read.map_err(|e| e.at(self.node.at).inside(Step::Key(self.key.text.clone())))
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Failure> {
        let name = self.key.text.as_str().into_deserializer();
        let value = seed.deserialize(name);
        let value = value.map_err(|e: Failure| e.at(self.key.at))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        let expected = format!("the text `{}` alone", self.key.text);
        let found = Source(self.node).unexpected();
        self.inside(Err(de::Error::invalid_type(found, &expected.as_str())))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        self.inside(seed.deserialize(Source(self.node)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.inside(de::Deserializer::deserialize_any(
            Source(self.node),
            visitor,
        ))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let source = Source(self.node);
        self.inside(de::Deserializer::deserialize_struct(
            source, "", fields, visitor,
        ))
    }
}

struct Items<'de>(std::iter::Enumerate<std::slice::Iter<'de, Node>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        let Some((index, node)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Source(node))
            .map(Some)
            .map_err(|e| e.at(node.at).inside(Step::Index(index)))
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (super::node::Key, Node)>,
    value: Option<&'de (super::node::Key, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        self.value = self.rest.next();
        let Some((key, _)) = self.value else {
            return Ok(None);
        };
        seed.deserialize(key.text.as_str().into_deserializer())
            .map(Some)
            .map_err(|e: Failure| e.at(key.at))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let Some((key, node)) = self.value.take() else {
            return Err(Failure::new("a value was read before its key".to_owned()));
        };
        seed.deserialize(Source(node))
            .map_err(|e| e.at(node.at).inside(Step::Key(key.text.clone())))
    }
}
