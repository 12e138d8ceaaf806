//! The keys of a file into a definition, each fault with its place, and back.

mod behaviour;
mod write;

use super::behaviour::{
    CollaborationMeasure, FirstAttemptMetric, LifecycleMetric, SessionMeasure, SessionsMetric,
    TimeToConvertMetric,
};
use super::definition::{Fill, LocalText, MetricDefinition};
use super::file::{DefinitionFile, OperandFile, keys_of};
use super::kind::{
    Calculation, Conversion, CumulativeRange, Derived, KindName, MetricKind, Operand,
};
use crate::calendar::Grain;
use crate::document::{Path, Place, nearest, shortened};
use crate::expr::{
    AggregateFunction, BinaryOperator, Expression, Formula, RowExpr, Scope, parse_condition,
    parse_formula, restricting,
};
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
    let fill = file.fill.unwrap_or_else(|| default_fill(&kind));
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

    fn aggregates_only(&mut self) -> Option<Formula> {
        let expr = self.formula(Path::of(&["expr"]), self.file.expr.as_deref()?)?;
        if let Some(reference) = expr.references().first() {
            let message = format!(
                "`{{{}}}` names a metric; a formula over metrics is of kind `derived` or `ratio`",
                shortened(&reference.name)
            );
            self.say("expr", message);
            return None;
        }
        if expr.aggregates().is_empty() {
            self.say(
                "expr",
                "there is no aggregate, such as count(*) or sum(amount)",
            );
            return None;
        }
        Some(expr)
    }

    fn operand(&mut self, key: &str) -> Option<Operand> {
        let side = match key {
            "numerator" => self.file.numerator.as_ref(),
            _ => self.file.denominator.as_ref(),
        }?;
        let (path, text, filter) = match side {
            OperandFile::Expr(text) => (Path::of(&[key]), text, None),
            OperandFile::Filtered(file) => {
                (Path::of(&[key, "expr"]), &file.expr, file.filter.as_deref())
            }
        };
        let filter = match filter {
            Some(text) => restricting(self.condition_at(Path::of(&[key, "filter"]), text)?),
            None => None,
        };
        let expr = self.formula(path.clone(), text)?;
        let aggregates = !expr.aggregates().is_empty();
        if !aggregates && expr.references().is_empty() {
            let message = "there is no aggregate, such as count(*), and no metric in braces";
            self.problems.push(Problem::new(path, message));
            return None;
        }
        if filter.is_some() && !aggregates {
            let message =
                "a filter is for aggregates, and this side names metrics only; filter these";
            self.problems
                .push(Problem::new(Path::of(&[key, "filter"]), message));
            return None;
        }
        Some(Operand { expr, filter })
    }

    fn derived(&mut self) -> Option<MetricKind> {
        let expr = self.formula(Path::of(&["expr"]), self.file.expr.as_deref()?)?;
        if let Some(aggregate) = expr.aggregates().first() {
            let message = format!(
                "`{}` is an aggregate; a derived metric is a formula over metrics: make it a metric of its own and name it in braces",
                shortened(&aggregate.to_string())
            );
            self.say("expr", message);
            return None;
        }
        let references = expr.references();
        if references.is_empty() {
            self.say(
                "expr",
                "the formula names no metric; write names in braces, such as {signups}",
            );
            return None;
        }
        if self.file.filter.is_some() {
            self.say(
                "filter",
                "a derived metric has no rows of its own; filter the metrics that it names",
            );
            return None;
        }
        let inputs = self.file.inputs.clone().unwrap_or_default();
        let before = self.problems.len();
        for (i, input) in inputs.iter().enumerate() {
            let path = Path::of(&["inputs"]).index(i);
            let alias = input.alias();
            if let Some(fault) = name_fault(alias) {
                let key = if input.alias.is_some() {
                    "alias"
                } else {
                    "name"
                };
                self.problems.push(Problem::new(path.key(key), fault));
            }
            if inputs.iter().take(i).any(|other| other.alias() == alias) {
                let message = format!("`{alias}` is given twice; give one of them another `alias`");
                self.problems.push(Problem::new(path.clone(), message));
            } else if !references.iter().any(|r| r.name == alias) {
                let message = format!("the formula does not name `{{{}}}`", shortened(alias));
                self.problems.push(Problem::new(path.clone(), message));
            } else if references
                .iter()
                .any(|r| r.name == alias && r.offset.is_some())
            {
                let message = format!(
                    "`{{{alias} offset …}}` and an input of this name; give the offset in one place"
                );
                self.problems.push(Problem::new(path.clone(), message));
            }
            if input.offset_window.is_some() && input.offset_to_grain.is_some() {
                let message = "`offset_window` and `offset_to_grain` exclude each other";
                self.problems.push(Problem::new(path, message));
            }
        }
        if before < self.problems.len() {
            return None;
        }
        Some(MetricKind::Derived(Derived { expr, inputs }))
    }

    fn cumulative(&mut self) -> Option<MetricKind> {
        let expr = self.aggregates_only()?;
        let grain = self.file.default_grain.unwrap_or(Grain::Day);
        let over = match (self.file.window, self.file.grain_to_date) {
            (Some(_), Some(_)) => {
                self.say("window", "`window` and `grain_to_date` exclude each other");
                return None;
            }
            (Some(window), None) => {
                if window.is_shorter_than(grain) {
                    let message = format!("{window} is shorter than the default grain, {grain}");
                    self.say("window", message);
                    return None;
                }
                CumulativeRange::Window(window)
            }
            (None, Some(to_date)) => {
                if to_date < grain {
                    let message = format!("{to_date} is finer than the default grain, {grain}");
                    self.say("grain_to_date", message);
                    return None;
                }
                CumulativeRange::ToDate(to_date)
            }
            (None, None) => CumulativeRange::AllTime,
        };
        Some(MetricKind::Cumulative { expr, over })
    }
}

fn default_fill(kind: &MetricKind) -> Fill {
    let additive = |expr: &Formula| {
        let counts = expr.aggregates().iter().all(|a| {
            use AggregateFunction::{ApproxDistinct, Count, Sum};
            matches!(a.function, Count | Sum | ApproxDistinct)
        });
        counts && !divides(expr)
    };
    let zero = match kind {
        MetricKind::Simple { expr } | MetricKind::Cumulative { expr, .. } => additive(expr),
        MetricKind::Conversion(c) => c.calculation == Calculation::Conversions,
        MetricKind::Funnel(f) => f.calculation == Calculation::Conversions,
        MetricKind::Sessions(s) => s.measure == SessionMeasure::Count,
        MetricKind::Collaboration(c) => {
            matches!(
                c.measure,
                CollaborationMeasure::Count | CollaborationMeasure::Actors
            )
        }
        MetricKind::Lifecycle(_) => true,
        _ => false,
    };
    if zero { Fill::Zero } else { Fill::Null }
}

fn divides<L>(expr: &Expression<L>) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if let Expression::Binary {
            operator: BinaryOperator::Divide | BinaryOperator::Modulo,
            ..
        } = expr
        {
            return true;
        }
        expr.for_each_part(&mut |part| open.push(part));
    }
    false
}
