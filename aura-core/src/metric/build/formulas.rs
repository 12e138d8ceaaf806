//! The kinds that are formulas: over aggregates, and over metrics.

use super::{Builder, Problem, name_fault};
use crate::calendar::Grain;
use crate::document::{Path, shortened};
use crate::expr::{Formula, restricting};
use crate::metric::file::OperandFile;
use crate::metric::kind::{CumulativeRange, Derived, MetricKind, Operand};

impl Builder<'_> {
    pub(super) fn aggregates_only(&mut self) -> Option<Formula> {
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

    pub(super) fn operand(&mut self, key: &str) -> Option<Operand> {
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

    pub(super) fn derived(&mut self) -> Option<MetricKind> {
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

    pub(super) fn cumulative(&mut self) -> Option<MetricKind> {
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
