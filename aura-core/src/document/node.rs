//! A YAML or JSON document as a tree in which every value knows its line and column.

use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use super::path::{Path, Step};

/// A line and a column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: Option<Place>,
    pub(crate) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{at}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) at: Place,
    pub(crate) text: String,
}

/// Deepest nesting of a document. The formats here need fewer than ten levels.
const MAX_DEPTH: usize = 32;

impl Node {
    /// Reads YAML. Aliases and merge keys are expanded, within limits; booleans are `true` and
    /// `false` only, so that `no` and `on` are text.
    pub(crate) fn from_yaml(text: &str) -> Result<Node, Fault> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: MAX_DEPTH,
                flow_nesting_limit: MAX_DEPTH,
                max_aliases: 10_000,
                max_anchors: 10_000,
                max_nodes: 1_000_000,
                max_events: 2_000_000,
                max_recorded_anchor_events: 200_000,
                max_recorded_anchor_bytes: 16 << 20,
                // One anchor for a property that many events share is what anchors are for.
                enforce_alias_anchor_ratio: false,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: 200_000,
                max_replay_stack_depth: 16,
            },
            strict_booleans: true,
            reject_unsupported_tags: true,
            emit_comments: false,
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options::<Located>(text, options)
            .map(Node::from)
            .map_err(|e| {
                let at = e.location().map(place).filter(|p| p.line > 0);
                let mut message = e
                    .without_snippet()
                    .render_with_formatter(&serde_saphyr::UserMessageFormatter);
                // The renderer ends its text with the place that `Fault` puts in front.
                if let Some(p) = at
                    && let Some(bare) =
                        message.strip_suffix(&format!(" at line {}, column {}", p.line, p.column))
                {
                    message = bare.to_owned();
                }
                Fault {
                    at,
                    message: format!("not valid YAML: {message}"),
                }
            })
    }

    /// Reads JSON.
    pub(crate) fn from_json(text: &str) -> Result<Node, Fault> {
        let mut node: Node = serde_json::from_str::<Bare>(text)
            .map(|Bare(node)| node)
            .map_err(|e| {
                // Columns of the parser are bytes, and name the last one read.
                let line = text.lines().nth(e.line().saturating_sub(1)).unwrap_or("");
                let read = e.column().min(line.len());
                let column = line
                    .char_indices()
                    .take_while(|(offset, _)| *offset < read)
                    .count()
                    .max(1);
                let whole = e.to_string();
                let message = whole.split(" at line ").next().unwrap_or(&whole);
                Fault {
                    at: Some(Place {
                        line: e.line().max(1) as u64,
                        column: column as u64,
                    }),
                    message: format!("not valid JSON: {message}"),
                }
            })?;
        // The text is valid JSON from here on. Its values and keys stand in the text in the order
        // of a walk through the tree, and each begins with a token of its own.
        let mut places = Places::new(text);
        node.locate(&mut places);
        node.check_json(0)?;
        Ok(node)
    }

    fn locate(&mut self, places: &mut Places<'_>) {
        self.at = places.next().unwrap_or_default();
        match &mut self.kind {
            Kind::List(items) => items.iter_mut().for_each(|item| item.locate(places)),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    key.at = places.next().unwrap_or_default();
                    value.locate(places);
                }
            }
            _ => {}
        }
    }

    /// Refuses what the parser of JSON lets pass: keys given twice, and deep nesting.
    fn check_json(&self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault {
                at: Some(self.at),
                message: format!("nested deeper than {MAX_DEPTH} levels"),
            });
        }
        match &self.kind {
            Kind::List(items) => items.iter().try_for_each(|i| i.check_json(depth + 1)),
            Kind::Map(entries) => {
                let mut seen = hashbrown::HashSet::with_capacity(entries.len());
                for (key, value) in entries {
                    if !seen.insert(key.text.as_str()) {
                        return Err(Fault {
                            at: Some(key.at),
                            message: format!("the key `{}` is given twice", key.text),
                        });
                    }
                    value.check_json(depth + 1)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Returns the place of what `path` names, or of the nearest part that exists around it; of its
    /// key rather than its value if `on_key`.
    pub(crate) fn place(&self, path: &Path, on_key: bool) -> Place {
        let mut node = self;
        let mut at = self.at;
        for step in &path.0 {
            let found = match (step, &node.kind) {
                (Step::Key(name), Kind::Map(entries)) => entries
                    .iter()
                    .find(|(key, _)| key.text == *name)
                    .map(|(key, value)| (if on_key { key.at } else { value.at }, value)),
                (Step::Index(i), Kind::List(items)) => items.get(*i).map(|item| (item.at, item)),
                _ => None,
            };
            match found {
                Some((place, next)) => (at, node) = (place, next),
                None => break,
            }
        }
        at
    }

    /// Returns the text that `path` leads to, if there is one.
    pub(crate) fn text_at(&self, path: &Path) -> Option<&str> {
        let mut node = self;
        for step in &path.0 {
            node = match (step, &node.kind) {
                (Step::Key(name), Kind::Map(entries)) => {
                    &entries.iter().find(|(key, _)| key.text == *name)?.1
                }
                (Step::Index(i), Kind::List(items)) => items.get(*i)?,
                _ => return None,
            };
        }
        match &node.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn place(location: serde_saphyr::Location) -> Place {
    Place {
        line: location.line(),
        column: location.column(),
    }
}

/// The places of the tokens of a valid JSON text, without `}`, `]`, `,` and `:`.
struct Places<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    next: Place,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Places {
            chars: text.chars().peekable(),
            next: Place { line: 1, column: 1 },
        }
    }

    fn advance(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        if c == '\n' {
            self.next.line += 1;
            self.next.column = 1;
        } else {
            self.next.column += 1;
        }
        Some(c)
    }
}

impl Iterator for Places<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        loop {
            let at = self.next;
            match self.advance()? {
                '{' | '[' => return Some(at),
                '"' => {
                    while let Some(c) = self.advance() {
                        match c {
                            '\\' => _ = self.advance(),
                            '"' => break,
                            _ => {}
                        }
                    }
                    return Some(at);
                }
                '}' | ']' | ',' | ':' => {}
                c if c.is_whitespace() => {}
                _ => {
                    while let Some(&c) = self.chars.peek()
                        && !matches!(c, '}' | ']' | ',')
                        && !c.is_whitespace()
                    {
                        self.advance();
                    }
                    return Some(at);
                }
            }
        }
    }
}

/// A node of YAML while it is read.
struct Located(Spanned<Shape<Located, Spanned<String>>>);

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Located)
    }
}

impl From<Located> for Node {
    fn from(Located(spanned): Located) -> Node {
        Node {
            at: place(spanned.referenced),
            kind: spanned.value.into_kind(Node::from, |key| Key {
                at: place(key.referenced),
                text: key.value,
            }),
        }
    }
}

/// A node of JSON while it is read: places come after.
struct Bare(Node);

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = Shape::<Bare, String>::deserialize(deserializer)?;
        let at = Place::default();
        Ok(Bare(Node {
            at,
            kind: shape.into_kind(|Bare(node)| node, |text| Key { at, text }),
        }))
    }
}

/// What a value is, over values `N` and keys `K` that do or do not know their place.
enum Shape<N, K> {
    Scalar(Kind),
    List(Vec<N>),
    Map(Vec<(K, N)>),
}

impl<N, K> Shape<N, K> {
    fn into_kind(self, node: impl Fn(N) -> Node, key: impl Fn(K) -> Key) -> Kind {
        match self {
            Shape::Scalar(kind) => kind,
            Shape::List(items) => Kind::List(items.into_iter().map(node).collect()),
            Shape::Map(entries) => Kind::Map(
                entries
                    .into_iter()
                    .map(|(k, v)| (key(k), node(v)))
                    .collect(),
            ),
        }
    }
}

impl<'de, N: Deserialize<'de>, K: Deserialize<'de>> Deserialize<'de> for Shape<N, K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<N, K>(std::marker::PhantomData<(N, K)>);

        impl<'de, N: Deserialize<'de>, K: Deserialize<'de>> Visitor<'de> for Any<N, K> {
            type Value = Shape<N, K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping, a list, a number, text, true, false or null")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Shape::Scalar(Kind::Null))
            }

            fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
                Ok(Shape::Scalar(Kind::Bool(v)))
            }

            fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
                Ok(Shape::Scalar(Kind::Integer(v)))
            }

            fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
                Ok(Shape::Scalar(
                    i64::try_from(v).map_or(Kind::Unsigned(v), Kind::Integer),
                ))
            }

            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Self::Value, E> {
                Ok(Shape::Scalar(Kind::Float(v)))
            }

            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Shape::Scalar(Kind::Text(v.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(Shape::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Shape::Map(entries))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                _: D,
            ) -> Result<Self::Value, D::Error> {
                Err(D::Error::custom("unexpected wrapper"))
            }
        }

        deserializer.deserialize_any(Any(std::marker::PhantomData))
    }
}
