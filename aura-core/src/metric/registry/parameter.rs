//! Parameters: what may be set from outside, in a registry and in its templates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::Grain;
use crate::document::{Key, Kind, Node};
use crate::event::contract::{Literal, OrderedMap};
use crate::expr::{Bound, Constant, Scope, parse_condition};
use crate::metric::build::name_fault;
use crate::metric::definition::LocalText;
use crate::metric::file::is_expression;
use crate::time::Span;

/// What a parameter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// A text: a constant in expressions.
    Text,
    /// A number: a constant in expressions.
    Number,
    /// The name of a column.
    Column,
    /// A condition over columns: `event = 'signup' and plan <> 'free'`.
    Condition,
    /// A length of time: `7 days`.
    Window,
    /// A grain: `week`.
    Grain,
}

/// A parameter of a registry or of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it stands for.
    #[serde(rename = "type")]
    pub ty: ParameterType,
    /// Its value where none is given; without it, one must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Literal>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<LocalText>,
}

/// Values for parameters, by name. Conditions, columns, windows and grains are text.
pub type Bindings = OrderedMap<Literal>;

/// Parameters with values: as the tree of an expression, and as text for names and titles.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    pub(super) scope: Scope,
    texts: OrderedMap<String>,
}

impl Values {
    /// Binds a parameter to a value.
    pub(super) fn bind(
        &mut self,
        name: &str,
        ty: ParameterType,
        value: &Literal,
    ) -> Result<(), String> {
        let text = match value {
            Literal::String(text) => text.clone(),
            other => other.to_string(),
        };
        let wrong = |expected: &str| format!("`{name}` is {value}, expected {expected}");
        let is_text = matches!(value, Literal::String(_));
        let bound = match ty {
            ParameterType::Text if is_text => Bound::Constant(Constant::Text(text.clone())),
            ParameterType::Text => return Err(wrong("text (in quotes)")),
            ParameterType::Number => Bound::Constant(match value {
                Literal::Integer(v) => Constant::Integer(*v),
                Literal::Number(v) if v.is_finite() => Constant::Number(*v),
                _ => return Err(wrong("a number")),
            }),
            ParameterType::Column if is_text && !text.is_empty() => Bound::Column(text.clone()),
            ParameterType::Column => return Err(wrong("the name of a column")),
            ParameterType::Condition if is_text => Bound::Condition(
                parse_condition(&text, &Scope::new())
                    .map_err(|fault| format!("`{name}` is no condition: {fault}"))?,
            ),
            ParameterType::Condition => return Err(wrong("a condition in text")),
            ParameterType::Window => {
                let span: Span = text
                    .parse()
                    .map_err(|e: crate::Error| format!("`{name}`: {}", e.message()))?;
                Bound::Constant(Constant::Span(span))
            }
            ParameterType::Grain => {
                let grain: Grain = text
                    .parse()
                    .map_err(|e: crate::Error| format!("`{name}`: {}", e.message()))?;
                Bound::Constant(Constant::Text(grain.name().to_owned()))
            }
        };
        self.scope.insert(name.to_owned(), bound);
        self.texts.insert(name, text);
        Ok(())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|(name, _)| name)
    }

    /// Copies a definition with the parameters replaced in its names and words; expressions stay as they are. With
    /// `strict`, a name in braces that is no parameter is a fault: its place and the name.
    pub(super) fn replace(&self, node: &Node, strict: bool) -> Result<Node, (Node, String)> {
        let kind = match &node.kind {
            Kind::Text(text) => self.replaced(text, node, strict)?,
            Kind::List(items) => Kind::List(
                items
                    .iter()
                    .map(|item| self.replace(item, strict))
                    .collect::<Result<_, _>>()?,
            ),
            Kind::Map(entries) => Kind::Map(
                entries
                    .iter()
                    .map(|(key, value)| self.replaced_entry(key, value, strict))
                    .collect::<Result<_, _>>()?,
            ),
            other => other.clone(),
        };
        Ok(Node { at: node.at, kind })
    }

    fn replaced_entry(
        &self,
        key: &Key,
        value: &Node,
        strict: bool,
    ) -> Result<(Key, Node), (Node, String)> {
        let value = if is_expression(&key.text) {
            value.clone()
        } else {
            self.replace(value, strict)?
        };
        Ok((key.clone(), value))
    }

    fn replaced(&self, text: &str, node: &Node, strict: bool) -> Result<Kind, (Node, String)> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            result.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                result.push('{');
                rest = after;
                continue;
            };
            match (self.texts.get(name), self.scope.get(name)) {
                (Some(value), bound) => {
                    // A number in place of a whole value stays a number.
                    if let (true, Some(Bound::Constant(Constant::Integer(number)))) = (
                        before.is_empty() && behind.is_empty() && result.is_empty(),
                        bound,
                    ) {
                        return Ok(Kind::Integer(*number));
                    }
                    result.push_str(value);
                    rest = behind;
                }
                (None, _) if strict && name_fault(name).is_none() => {
                    return Err((node.clone(), name.to_owned()));
                }
                (None, _) => {
                    result.push('{');
                    rest = after;
                }
            }
        }
        result.push_str(rest);
        Ok(Kind::Text(result))
    }
}
