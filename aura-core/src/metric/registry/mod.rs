//! Registries: definitions by name, checked together.

mod builtin;
mod check;
mod compare;
mod parameter;
mod read;
mod source;
mod template;
mod text;

#[cfg(test)]
mod tests;

use hashbrown::HashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use parameter::{Bindings, Parameter, ParameterType};
pub use template::Template;

use super::definition::{LocalText, MetricDefinition};
use crate::event::contract::OrderedMap;
use crate::{Error, ErrorKind, Result};
use source::Source;

/// A column, or an expression over columns, by which metrics may be cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// The name of the column.
    pub name: String,
    /// The title for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<LocalText>,
    /// What its values mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<LocalText>,
}

/// Definitions by name, in the order of their files, checked together: names are unique, references are known and
/// in no circle, units fit, and no definition is finer than what it is made of.
///
/// Every definition of a registry has its `default_grain`, and its `unit` where that is declared or follows from
/// the formula.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    version: u32,
    metrics: Vec<MetricDefinition>,
    positions: HashMap<String, usize>,
    dimensions: Vec<Dimension>,
    parameters: OrderedMap<Parameter>,
    templates: Vec<Template>,
    /// Positions in the order in which each definition follows what it names.
    order: Vec<usize>,
}

impl PartialEq for Registry {
    /// Two registries are equal when they define the same: version, metrics and dimensions. Parameters and
    /// templates are how they came to it.
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
            && self.metrics == other.metrics
            && self.dimensions == other.dimensions
    }
}

impl Registry {
    /// Reads a registry from JSON or YAML and checks it; parameters have their defaults.
    ///
    /// Text that begins with `{` is tried as JSON first. At most 8 MiB, 32 levels of nesting and 10,000
    /// definitions are read.
    ///
    /// # Errors
    /// [`InvalidSpec`](ErrorKind::InvalidSpec) when the text is not a registry. The message has a line for each
    /// fault (at most ten), with line and column (from 1, in characters), the path, the value found and what was
    /// expected; for an unknown name it gives the nearest known one.
    ///
    /// # Examples
    /// ```
    /// use aura_core::metric::Registry;
    ///
    /// let registry = Registry::parse("
    /// version: 1
    /// metrics:
    ///   - {name: signups, kind: simple, expr: count(*), filter: event = 'signup'}
    /// ")?;
    /// assert_eq!(registry.names().collect::<Vec<_>>(), ["signups"]);
    ///
    /// let error = Registry::parse("
    /// version: 1
    /// metrics:
    ///   - {name: signups, kind: simple, expr: cuont(*)}
    /// ").unwrap_err();
    /// assert_eq!(
    ///     error.message(),
    ///     "registry: line 4, column 41: metrics[0].expr: unknown function `cuont`; did you mean `count`?"
    /// );
    /// # Ok::<(), aura_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Registry> {
        Registry::parse_with(text, &Bindings::new())
    }

    /// Reads a registry with values for its parameters. See [`parse`](Registry::parse).
    ///
    /// # Errors
    /// As [`parse`](Registry::parse); also for a value of no parameter, or of another type.
    pub fn parse_with(text: &str, bindings: &Bindings) -> Result<Registry> {
        read::read(&[named(text)], bindings, None)
    }

    /// Reads a registry that adds to this one: its definitions may name the metrics and templates of this one.
    /// The version stays that of this one.
    ///
    /// # Errors
    /// As [`parse`](Registry::parse); also for names that this one has already.
    pub fn extend(&self, text: &str, bindings: &Bindings) -> Result<Registry> {
        read::read(&[named(text)], bindings, Some(&self.detached()))
    }

    /// Makes a registry of definitions.
    ///
    /// # Errors
    /// [`InvalidSpec`](ErrorKind::InvalidSpec) with all faults (at most ten).
    pub fn from_definitions(
        version: u32,
        metrics: Vec<MetricDefinition>,
        dimensions: Vec<Dimension>,
    ) -> Result<Registry> {
        let mut registry = Registry {
            version,
            dimensions,
            ..Registry::default()
        };
        for metric in metrics {
            if registry.get(&metric.name).is_some() {
                return Err(Error::invalid_spec(format!(
                    "the metric `{}` is given twice",
                    metric.name
                )));
            }
            registry.push(metric);
        }
        registry.checked()
    }

    /// Puts two registries together. A definition, dimension or template of one name that is the same in both is
    /// kept once. The version is that of this one.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when a name means different things, and
    /// [`InvalidSpec`](ErrorKind::InvalidSpec) as in [`from_definitions`](Registry::from_definitions).
    pub fn merge(mut self, other: &Registry) -> Result<Registry> {
        let twice = |what: &str, name: &str| {
            let message = format!(
                "the {what} `{name}` is in both registries, with different meanings; rename one of them"
            );
            Err(Error::new(ErrorKind::Conflict, message))
        };
        for dimension in &other.dimensions {
            match self.dimension(&dimension.name) {
                Some(own) if own != dimension => return twice("dimension", &dimension.name),
                Some(_) => {}
                None => self.dimensions.push(dimension.clone()),
            }
        }
        for metric in &other.metrics {
            match self.get(&metric.name) {
                Some(own) if own != metric => return twice("metric", &metric.name),
                Some(_) => {}
                None => self.push(metric.clone()),
            }
        }
        for (name, parameter) in other.parameters.iter() {
            match self.parameters.get(name) {
                Some(own) if own != parameter => return twice("parameter", name),
                Some(_) => {}
                None => _ = self.parameters.insert(name, parameter.clone()),
            }
        }
        for template in other.detached().templates {
            if self.template(&template.name).is_none() {
                self.templates.push(template);
            }
        }
        self.checked()
    }

    fn checked(mut self) -> Result<Registry> {
        const SHOWN: usize = 10;
        let problems = check::check(&mut self);
        if problems.is_empty() {
            return Ok(self);
        }
        let mut lines: Vec<String> = problems
            .iter()
            .take(SHOWN)
            .map(|(number, problem)| {
                let name = self.metrics.get(*number).map_or("", |m| &m.name);
                format!("metric `{name}`: {}: {}", problem.path, problem.message)
            })
            .collect();
        if problems.len() > SHOWN {
            lines.push(format!("and {} more", problems.len() - SHOWN));
        }
        Err(Error::invalid_spec(lines.join("\n")))
    }

    /// The registry without the places of its templates, which are of another reading.
    fn detached(&self) -> Registry {
        let mut registry = self.clone();
        for template in &mut registry.templates {
            template.source = None;
        }
        registry
    }

    fn push(&mut self, metric: MetricDefinition) {
        self.positions
            .insert(metric.name.clone(), self.metrics.len());
        self.metrics.push(metric);
    }

    /// Returns the version of the definitions.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Returns the definition of a metric.
    pub fn get(&self, name: &str) -> Option<&MetricDefinition> {
        self.metrics.get(*self.positions.get(name)?)
    }

    /// Returns the definition of a metric that must be there.
    ///
    /// # Errors
    /// [`InvalidSpec`](ErrorKind::InvalidSpec) with the nearest name when there is none.
    pub fn metric(&self, name: &str) -> Result<&MetricDefinition> {
        self.get(name).ok_or_else(|| {
            let hint = match crate::document::nearest(name, self.names()) {
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => String::new(),
            };
            let name = crate::document::shortened(name);
            Error::invalid_spec(format!("there is no metric `{name}`{hint}"))
        })
    }

    /// Returns the names of the metrics, in the order of their files.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.metrics.iter().map(|m| m.name.as_str())
    }

    /// Returns the definitions, in the order of their files.
    pub fn metrics(&self) -> &[MetricDefinition] {
        &self.metrics
    }

    /// Returns the definitions so that each follows the metrics that it names.
    pub fn in_dependency_order(&self) -> impl ExactSizeIterator<Item = &MetricDefinition> {
        self.order
            .iter()
            .filter_map(|i| self.metrics.get(*i))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Returns the number of metrics.
    pub fn len(&self) -> usize {
        self.metrics.len()
    }

    /// Tells whether there is no metric.
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    /// Returns the declared dimensions.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Returns a declared dimension.
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.name == name)
    }

    /// Returns the parameters, with the values they were bound to as their defaults.
    pub fn parameters(&self) -> &OrderedMap<Parameter> {
        &self.parameters
    }

    /// Returns the templates.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Returns a template.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.iter().find(|t| t.name == name)
    }
}

fn named(text: &str) -> Source {
    Source {
        name: "registry".to_owned(),
        text: text.to_owned(),
    }
}
