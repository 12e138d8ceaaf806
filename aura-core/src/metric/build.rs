//! The keys of a file into a definition, each fault with its place, and back.

mod behaviour;
mod fill;
mod formulas;
mod write;

use super::behaviour::{
    FirstAttemptMetric, LifecycleMetric, SessionMeasure, SessionsMetric, TimeToConvertMetric,
};
use super::definition::{LocalText, MetricDefinition};
use super::file::{DefinitionFile, keys_of};
use super::kind::{Conversion, KindName, MetricKind};
use crate::calendar::Grain;
use crate::document::{Path, Place, nearest, shortened};
use crate::expr::{Formula, RowExpr, Scope, parse_condition, parse_formula, restricting};
use crate::time::Span;
use crate::{Error, Result};

/// One thing wrong in a definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    /// From the definition to the part at fault.
    pub(super) path: Path,
    /// Whether the name at the end of the path is at fault, and not its value.
    pub(super) on_key: bool,
    /// Where in the text of that value, counted from its start.
    pub(super) within: Option<Place>,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(path: Path, message: impl Into<String>) -> Self {
        Problem {
            path,
            on_key: false,
            within: None,
            message: message.into(),
        }
    }

    pub(super) fn on_key(key: &str, message: impl Into<String>) -> Self {
        Problem {
            on_key: true,
            ..Problem::new(Path::of(&[key]), message)
        }
    }
}

/// Longest name of a metric, dimension, template or parameter.
const MAX_NAME: usize = 64;

/// Says why `name` cannot be a name, if it cannot.
pub(super) fn name_fault(name: &str) -> Option<String> {
    let mut chars = name.chars();
    let right = chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && name.len() <= MAX_NAME
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if right {
        return None;
    }
    Some(format!(
        "\"{}\" is not a name; a name has lower-case letters, digits and `_`, a letter first, and at most {MAX_NAME} characters",
        shortened(name)
    ))
}

impl DefinitionFile {
    /// Makes a definition that names no parameters.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) with the path of the first fault.
    pub(crate) fn definition(&self) -> Result<MetricDefinition> {
        let mut problems = Vec::new();
        let built = build(self, &Scope::new(), &mut problems);
        match (built, problems.first()) {
            (Some(definition), None) => Ok(definition),
            (_, Some(problem)) => {
                let within = problem
                    .within
                    .map_or_else(String::new, |at| format!("{at}: "));
                Err(Error::invalid_spec(format!(
                    "metric `{}`: {}: {within}{}",
                    shortened(&self.name),
                    problem.path,
                    problem.message
                )))
            }
            (None, None) => Err(Error::internal("a definition without fault was not built")),
        }
    }
}

/// Makes the definition; adds what is wrong to `problems`. `None` only with a problem.
pub(super) fn build(
    file: &DefinitionFile,
    scope: &Scope,
    problems: &mut Vec<Problem>,
) -> Option<MetricDefinition> {
    let mut builder = Builder {
        file,
        scope,
        problems,
    };
    builder.names();
    let keys = builder.keys();
    let filter = builder
        .condition("filter", file.filter.as_deref())
        .and_then(restricting);
    let kind = keys.then(|| builder.kind()).flatten();
    let kind = kind?;
    let fill = file.fill.unwrap_or_else(|| fill::default_fill(&kind));
    let default_grain = match kind {
        MetricKind::Derived(_) | MetricKind::Ratio { .. } => file.default_grain,
        _ => Some(file.default_grain.unwrap_or(Grain::Day)),
    };
    Some(MetricDefinition {
        name: file.name.clone(),
        title: file
            .title
            .clone()
            .unwrap_or_else(|| LocalText::english(&file.name)),
        description: file.description.clone(),
        owner: file.owner.clone(),
        unit: file.unit.clone(),
        direction: file.direction.unwrap_or_default(),
        format: file.format.unwrap_or_default(),
        decimals: file.decimals.and_then(|d| u8::try_from(d).ok()),
        tags: file.tags.clone(),
        default_grain,
        dimensions: file.dimensions.clone(),
        filter,
        fill,
        kind,
    })
}

struct Builder<'a> {
    file: &'a DefinitionFile,
    scope: &'a Scope,
    problems: &'a mut Vec<Problem>,
}

fn article(list: &[&str]) -> String {
    let quoted: Vec<String> = list.iter().map(|k| format!("`{k}`")).collect();
    quoted.join(", ")
}

impl Builder<'_> {
    fn say(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(Path::of(&[key]), message));
    }

    fn names(&mut self) {
        if let Some(fault) = name_fault(&self.file.name) {
            self.say("name", fault);
        }
        if self.file.decimals.is_some_and(|d| d > 10) {
            self.say("decimals", "at most 10 digits are shown");
        }
        for (key, text) in [
            ("title", &self.file.title),
            ("description", &self.file.description),
        ] {
            if text.as_ref().is_some_and(|t| t.en.trim().is_empty()) {
                self.problems
                    .push(Problem::new(Path::of(&[key, "en"]), "the text is empty"));
            }
        }
        for key in ["tags", "dimensions", "constant_properties", "key"] {
            let list = match key {
                "tags" => Some(&self.file.tags),
                "dimensions" => self.file.dimensions.as_ref(),
                "constant_properties" => self.file.constant_properties.as_ref(),
                _ => self.file.key.as_ref(),
            };
            let Some(list) = list else { continue };
            for (i, name) in list.iter().enumerate() {
                let path = Path::of(&[key]).index(i);
                if name.is_empty() {
                    self.problems.push(Problem::new(path, "the name is empty"));
                } else if list.iter().take(i).any(|other| other == name) {
                    let message = format!("`{}` is given twice", shortened(name));
                    self.problems.push(Problem::new(path, message));
                }
            }
        }
        if self.file.key.as_ref().is_some_and(Vec::is_empty) {
            self.say(
                "key",
                "the list is empty; it needs a column that tells one thing attempted from another",
            );
        }
    }

    /// Tells whether the keys are those of the kind.
    fn keys(&mut self) -> bool {
        let kind = self.file.kind;
        let (needed, allowed) = keys_of(kind);
        let given = self.file.given();
        let before = self.problems.len();
        for key in &given {
            if needed.contains(key) || allowed.contains(key) {
                continue;
            }
            let owners: Vec<&str> = KindName::ALL
                .into_iter()
                .filter(|k| {
                    let (needed, allowed) = keys_of(*k);
                    needed.contains(key) || allowed.contains(key)
                })
                .map(KindName::name)
                .collect();
            let own: Vec<&str> = needed.iter().chain(allowed).copied().collect();
            let message = format!(
                "`{key}` belongs to the kind {}; a metric of kind `{}` has {}",
                article(&owners),
                kind.name(),
                article(&own)
            );
            self.problems.push(Problem::on_key(key, message));
        }
        for key in needed {
            if !given.contains(key) {
                let message = format!(
                    "the key `{key}` is missing; a metric of kind `{}` needs it",
                    kind.name()
                );
                self.problems.push(Problem::new(Path::default(), message));
            }
        }
        before == self.problems.len()
    }

    fn parsed<T>(&mut self, path: Path, parsed: Result<T, crate::document::Fault>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(fault) => {
                self.problems.push(Problem {
                    path,
                    on_key: false,
                    within: fault.at,
                    message: fault.message,
                });
                None
            }
        }
    }

    fn condition_at(&mut self, path: Path, text: &str) -> Option<RowExpr> {
        self.parsed(path, parse_condition(text, self.scope))
    }

    /// Reads a condition that may be missing.
    fn condition(&mut self, key: &str, text: Option<&str>) -> Option<RowExpr> {
        self.condition_at(Path::of(&[key]), text?)
    }

    fn formula(&mut self, path: Path, text: &str) -> Option<Formula> {
        self.parsed(path, parse_formula(text, self.scope))
    }

    fn kind(&mut self) -> Option<MetricKind> {
        match self.file.kind {
            KindName::Simple => {
                let expr = self.aggregates_only()?;
                Some(MetricKind::Simple { expr })
            }
            KindName::Ratio => {
                let numerator = self.operand("numerator");
                let denominator = self.operand("denominator");
                Some(MetricKind::Ratio {
                    numerator: numerator?,
                    denominator: denominator?,
                })
            }
            KindName::Derived => self.derived(),
            KindName::Cumulative => self.cumulative(),
            KindName::Conversion => {
                let base = self.condition("base", self.file.base.as_deref());
                let conversion = self.condition("conversion", self.file.conversion.as_deref());
                Some(MetricKind::Conversion(Conversion {
                    base: base?,
                    conversion: conversion?,
                    window: self.file.window,
                    constant_properties: self.file.constant_properties.clone().unwrap_or_default(),
                    calculation: self.file.calculation.unwrap_or_default(),
                }))
            }
            KindName::Funnel => self.funnel(),
            KindName::Retention => self.retention(),
            KindName::Stickiness => self.stickiness(),
            KindName::Sessions => {
                let active = self.active()?;
                let measure = self.measure(&SessionMeasure::NAMES)?;
                let half_hour = Span::minutes(30).ok();
                Some(MetricKind::Sessions(SessionsMetric {
                    active,
                    gap: self.file.gap.or(half_hour)?,
                    measure,
                }))
            }
            KindName::TimeToConvert => {
                let from = self.condition("from", self.file.from.as_deref());
                let to = self.condition("to", self.file.to.as_deref());
                Some(MetricKind::TimeToConvert(TimeToConvertMetric {
                    from: from?,
                    to: to?,
                    window: self.file.window?,
                    constant_properties: self.file.constant_properties.clone().unwrap_or_default(),
                    statistic: self.file.statistic?,
                }))
            }
            KindName::Collaboration => self.collaboration(),
            KindName::Lifecycle => {
                let active = self.active()?;
                let state = self.file.state?;
                Some(MetricKind::Lifecycle(LifecycleMetric { active, state }))
            }
            KindName::FirstAttempt => {
                let attempt = self.condition("attempt", self.file.attempt.as_deref());
                let success = self.condition("success", self.file.success.as_deref());
                let failure = self.condition("failure", self.file.failure.as_deref());
                Some(MetricKind::FirstAttempt(FirstAttemptMetric {
                    attempt: attempt?,
                    success: success?,
                    failure: failure?,
                    key: self.file.key.clone()?,
                }))
            }
        }
    }

    /// Reads `active`: `None` is a fault, `Some(None)` is all events.
    fn active(&mut self) -> Option<Option<RowExpr>> {
        match self.file.active.as_deref() {
            None => Some(None),
            Some(text) => self.condition("active", Some(text)).map(restricting),
        }
    }

    fn measure<T: Copy>(&mut self, known: &[(&'static str, T)]) -> Option<T> {
        let name = self.file.measure.as_deref()?;
        if let Some((_, measure)) = known.iter().find(|(n, _)| *n == name) {
            return Some(*measure);
        }
        let names: Vec<&str> = known.iter().map(|(n, _)| *n).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("expected one of {}", article(&names)),
        };
        self.say(
            "measure",
            format!("unknown value `{}`; {hint}", shortened(name)),
        );
        None
    }
}
