//! Templates: definitions with parameters, made once and used often.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::{Bindings, Parameter, Values};
use crate::document::{Node, Path, nearest, shortened};
use crate::event::contract::OrderedMap;
use crate::metric::definition::LocalText;

/// Definitions with parameters.
#[derive(Debug, Clone)]
pub struct Template {
    pub(super) name: String,
    pub(super) description: Option<LocalText>,
    pub(super) parameters: OrderedMap<Parameter>,
    /// Each definition as it stands in the file, and the way to it.
    pub(super) metrics: Arc<Vec<(Node, Path)>>,
    /// The parameters of the registry that the template stands in.
    pub(super) values: Values,
    /// The number of its text among those of this reading; none if it came with another registry.
    pub(super) source: Option<usize>,
}

impl Template {
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it is for.
    pub fn description(&self) -> Option<&LocalText> {
        self.description.as_ref()
    }

    /// Returns the parameters, in their order.
    pub fn parameters(&self) -> &OrderedMap<Parameter> {
        &self.parameters
    }

    /// Binds the parameters; says what is missing or too much.
    pub(super) fn bind(&self, with: &Bindings) -> Result<Values, String> {
        let mut values = self.values.clone();
        for (name, _) in with.iter() {
            if !self.parameters.contains(name) {
                let hint = match nearest(name, self.parameters.iter().map(|(n, _)| n)) {
                    Some(meant) => format!("; did you mean `{meant}`?"),
                    None => String::new(),
                };
                return Err(format!(
                    "the template `{}` has no parameter `{}`{hint}",
                    self.name,
                    shortened(name)
                ));
            }
        }
        for (name, parameter) in self.parameters.iter() {
            let Some(value) = with.get(name).or(parameter.default.as_ref()) else {
                return Err(format!(
                    "the parameter `{name}` of the template `{}` is missing",
                    self.name
                ));
            };
            values.bind(name, parameter.ty, value)?;
        }
        Ok(values)
    }
}

/// A use of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InstantiateFile {
    /// The name of the template.
    pub(super) template: String,
    /// Values for its parameters.
    #[serde(default)]
    pub(super) with: Bindings,
}
