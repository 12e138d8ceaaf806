//! Puts a violation into words.

use arrow::array::StringArray;

use super::super::compile::{Checks, Column, Range, Rules, TextChecks};
use super::super::literal::{day_text, moment_text};
use super::{Rule, Values, Violation};
use crate::document::shortened;
use crate::event::PropertyType;
use crate::ingest::block::Misfit;

/// What is needed to put a violation into words.
pub(super) struct Checked<'a> {
    pub(super) column: &'a Column,
    pub(super) events: &'a StringArray,
    pub(super) numbers: &'a [u16],
}

impl Checked<'_> {
    pub(super) fn explain(
        &self,
        values: &Values<'_>,
        suspects: &[u32],
        misfits: &[&Misfit],
        found: &mut Vec<Violation>,
    ) {
        for misfit in misfits {
            let Some(rules) = self.rules(misfit.row) else {
                continue;
            };
            let ty = match self.column.ty {
                PropertyType::String => "text",
                PropertyType::Integer => "an integer of 64 bits",
                PropertyType::Number => "a number",
                PropertyType::Boolean => "true or false",
                PropertyType::Timestamp => "a timestamp",
                PropertyType::Date => "a date",
                PropertyType::Json => "a JSON value",
            };
            let value = shown(rules, || format!("`{}`", misfit.found));
            let message = format!("{value} is not {ty}");
            found.push(self.violation(misfit.row, rules, Rule::Type, message));
        }
        for &row in suspects {
            let Some(rules) = self.rules(row) else {
                continue;
            };
            let at = row as usize;
            if values.is_null(at) {
                // What does not have the right type is null in its column, but not missing.
                if rules.required && misfits.binary_search_by_key(&row, |m| m.row).is_err() {
                    let message = "is missing, but required".to_owned();
                    found.push(self.violation(row, rules, Rule::Required, message));
                }
            } else if let Some((rule, message)) = self.broken(values, at, rules) {
                found.push(self.violation(row, rules, rule, message));
            }
        }
    }

    /// Returns the rules for the event of a row, if it declares the property.
    fn rules(&self, row: u32) -> Option<&Rules> {
        let number = *self.numbers.get(row as usize)?;
        match *self.column.by_event.get(number as usize)? {
            0 => None,
            rule => self.column.rules.get(rule as usize),
        }
    }

    fn violation(&self, row: u32, rules: &Rules, rule: Rule, message: String) -> Violation {
        let property = &self.column.name;
        let event = shortened(self.events.value(row as usize));
        let colon = if rule == Rule::Required { "" } else { ":" };
        Violation {
            row,
            property: Some(property.clone()),
            rule,
            message: format!("`{property}` of event `{event}`{colon} {message}"),
            action: rules.action,
        }
    }

    /// Checks one value in full.
    fn broken(&self, values: &Values<'_>, row: usize, rules: &Rules) -> Option<(Rule, String)> {
        match (values, &rules.checks) {
            (Values::Integers(all, _), Checks::Integer(range)) => {
                self.out_of_integers(*all.get(row)?, range, rules)
            }
            (Values::Days(all, _), Checks::Integer(range)) => {
                self.out_of_integers(i64::from(*all.get(row)?), range, rules)
            }
            (Values::Numbers(all, _), Checks::Number(range)) => {
                let value = *all.get(row)?;
                // Searching by `==` finds 0 for -0 and nothing for NaN.
                let known = |all: &Vec<f64>| all.contains(&value);
                if range.allowed.as_ref().is_some_and(|all| !known(all)) {
                    return Some(not_allowed(
                        shown(rules, || value.to_string()),
                        &range.shown,
                    ));
                }
                match (range.min, range.max) {
                    (Some(min), _) if value < min || value.is_nan() => {
                        Some(below(shown(rules, || value.to_string()), min.to_string()))
                    }
                    (_, Some(max)) if value > max || value.is_nan() => {
                        Some(above(shown(rules, || value.to_string()), max.to_string()))
                    }
                    _ => None,
                }
            }
            (Values::Booleans(array), Checks::Boolean { allowed: [no, yes] }) => {
                let value = array.value(row);
                let fits = if value { *yes } else { *no };
                let only = (*yes).to_string();
                (!fits).then(|| not_allowed(shown(rules, || value.to_string()), &only))
            }
            (Values::Texts(array), Checks::Text(checks)) => {
                text_fault(array.value(row), checks, rules)
            }
            _ => None,
        }
    }

    fn out_of_integers(
        &self,
        value: i64,
        range: &Range<i64>,
        rules: &Rules,
    ) -> Option<(Rule, String)> {
        let text = |v: i64| match self.column.ty {
            PropertyType::Timestamp => moment_text(v),
            PropertyType::Date => day_text(v),
            _ => v.to_string(),
        };
        let found = || shown(rules, || text(value));
        if let Some(all) = &range.allowed
            && all.binary_search(&value).is_err()
        {
            return Some(not_allowed(found(), &range.shown));
        }
        match (range.min, range.max) {
            (Some(min), _) if value < min => Some(below(found(), text(min))),
            (_, Some(max)) if value > max => Some(above(found(), text(max))),
            _ => None,
        }
    }
}

fn text_fault(value: &str, checks: &TextChecks, rules: &Rules) -> Option<(Rule, String)> {
    let found = || shown(rules, || format!("\"{}\"", shortened(value)));
    if let Some(allowed) = &checks.allowed
        && allowed.find(value.as_bytes()) == 0
    {
        return Some(not_allowed(found(), &checks.shown));
    }
    if let Some(most) = checks.max_length
        && value.len() > most
    {
        let length = value.chars().count();
        if length > most {
            let message = format!(
                "{} has {length} characters, more than the maximum {most}",
                found()
            );
            return Some((Rule::MaxLength, message));
        }
    }
    if let Some(pattern) = &checks.pattern
        && !pattern.is_match(value)
    {
        let message = format!("{} does not match the pattern `{pattern}`", found());
        return Some((Rule::Pattern, message));
    }
    None
}

fn not_allowed(found: String, allowed: &str) -> (Rule, String) {
    (Rule::Enum, format!("{found} is not one of {allowed}"))
}

fn below(found: String, min: String) -> (Rule, String) {
    (Rule::Min, format!("{found} is below the minimum {min}"))
}

fn above(found: String, max: String) -> (Rule, String) {
    (Rule::Max, format!("{found} is above the maximum {max}"))
}

/// Shows a value, unless it is personal data: messages end up in logs.
fn shown(rules: &Rules, value: impl Fn() -> String) -> String {
    match rules.pii {
        Some(pii) => format!("the value (hidden: {})", pii.name()),
        None => value(),
    }
}
