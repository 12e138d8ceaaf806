//! A contract made ready to check batches: names became numbers, and rules tables.

use regex::Regex;

use super::literal::Typed;
use super::table::NameTable;
use super::validate::Patterns;
use super::{Contract, Literal, OnViolation, Pii, PropertyContract};
use crate::event::PropertyType;
use crate::{Error, Result};

/// A contract that checks batches. Cheap to share between threads.
#[derive(Debug)]
pub(crate) struct CompiledContract {
    /// Name of the contract, for messages.
    pub(super) name: String,
    /// Event names to numbers from 1; 0 is an event that is not declared.
    pub(super) events: NameTable,
    pub(super) undeclared_events: OnViolation,
    /// In the order of declaration.
    pub(super) columns: Vec<Column>,
}

/// One property: its rules for each event.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: PropertyType,
    /// By event number: the number of the rules, 0 where the property is not declared.
    pub(super) by_event: Vec<u16>,
    /// The first are those of "not declared": they allow everything.
    pub(super) rules: Vec<Rules>,
    pub(super) any_required: bool,
    /// Whether any rule looks at values.
    pub(super) any_check: bool,
}

/// The rules of one declaration.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) required: bool,
    pub(super) action: OnViolation,
    pub(super) pii: Option<Pii>,
    pub(super) checks: Checks,
}

#[derive(Debug)]
pub(super) enum Checks {
    None,
    /// Also moments (microseconds) and days.
    Integer(Range<i64>),
    Number(Range<f64>),
    Boolean {
        allowed: [bool; 2],
    },
    Text(TextChecks),
}

#[derive(Debug)]
pub(super) struct Range<T> {
    pub(super) min: Option<T>,
    pub(super) max: Option<T>,
    /// Sorted.
    pub(super) allowed: Option<Vec<T>>,
    pub(super) shown: String,
}

#[derive(Debug)]
pub(super) struct TextChecks {
    pub(super) allowed: Option<NameTable>,
    pub(super) shown: String,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<Regex>,
}

impl Contract {
    /// Lists the properties with their types: common ones first, then those of the events, each where
    /// it is first declared.
    pub(crate) fn declared(&self) -> Vec<(String, PropertyType)> {
        let mut seen = hashbrown::HashSet::new();
        let events = self.events.iter().flat_map(|(_, e)| e.properties.iter());
        self.properties
            .iter()
            .chain(events)
            .filter(|(name, _)| seen.insert(name.to_owned()))
            .map(|(name, property)| (name.to_owned(), property.ty))
            .collect()
    }

    /// Makes the contract ready to check batches.
    ///
    /// # Errors
    /// Those of [`validate`](Contract::validate).
    pub(crate) fn compile(&self) -> Result<CompiledContract> {
        self.validate()?;
        let mut patterns = Patterns::default();
        let mut columns: Vec<Column> = self
            .declared()
            .into_iter()
            .map(|(name, ty)| Column {
                name,
                ty,
                by_event: vec![0; self.events.len() + 1],
                rules: vec![Rules {
                    required: false,
                    action: OnViolation::Accept,
                    pii: None,
                    checks: Checks::None,
                }],
                any_required: false,
                any_check: false,
            })
            .collect();
        let position: hashbrown::HashMap<String, usize> = columns
            .iter()
            .enumerate()
            .map(|(i, c)| (c.name.clone(), i))
            .collect();
        let column_of = |name: &str| -> Result<usize> {
            position
                .get(name)
                .copied()
                .ok_or_else(|| Error::internal(format!("contract: `{name}` has no column")))
        };
        for (name, property) in self.properties.iter() {
            let at = column_of(name)?;
            let rules = self.rules(property, &mut patterns)?;
            if let Some(column) = columns.get_mut(at) {
                let number = column.add(rules);
                column.by_event.fill(number);
                if self.undeclared_events != OnViolation::Accept
                    && let Some(first) = column.by_event.first_mut()
                {
                    // Such a row has one violation, that of its event.
                    *first = 0;
                }
            }
        }
        for (event, (_, declared)) in self.events.iter().enumerate() {
            for (name, property) in declared.properties.iter() {
                let at = column_of(name)?;
                let rules = self.rules(property, &mut patterns)?;
                if let Some(column) = columns.get_mut(at) {
                    let number = column.add(rules);
                    if let Some(slot) = column.by_event.get_mut(event + 1) {
                        *slot = number;
                    }
                }
            }
        }
        let names: Vec<&[u8]> = self
            .events
            .iter()
            .map(|(name, _)| name.as_bytes())
            .collect();
        Ok(CompiledContract {
            name: self.name.clone(),
            events: NameTable::new(names.into_iter()),
            undeclared_events: self.undeclared_events,
            columns,
        })
    }

    fn rules(&self, property: &PropertyContract, patterns: &mut Patterns) -> Result<Rules> {
        Ok(Rules {
            required: property.required,
            action: property.on_violation.unwrap_or(self.on_violation),
            pii: property.pii,
            checks: checks(property, patterns).map_err(Error::invalid_spec)?,
        })
    }
}

impl CompiledContract {
    /// Lists the declared properties with their types, in the order of declaration: the order of
    /// columns.
    pub(crate) fn declared(&self) -> Vec<(String, PropertyType)> {
        self.columns
            .iter()
            .map(|c| (c.name.clone(), c.ty))
            .collect()
    }
}

impl Column {
    fn add(&mut self, rules: Rules) -> u16 {
        self.any_required |= rules.required;
        self.any_check |= !matches!(rules.checks, Checks::None);
        self.rules.push(rules);
        // At most one declaration for each event and a common one, far below 65,536.
        u16::try_from(self.rules.len() - 1).unwrap_or(0)
    }
}

fn checks(property: &PropertyContract, patterns: &mut Patterns) -> Result<Checks, String> {
    let typed = |literal: &Literal| literal.typed(property.ty);
    let bound = |b: &Option<Literal>| b.as_ref().map(typed).transpose();
    let (min, max) = (bound(&property.min)?, bound(&property.max)?);
    let allowed: Option<Vec<Typed>> = match &property.allowed {
        Some(all) => Some(all.iter().map(typed).collect::<Result<_, _>>()?),
        None => None,
    };
    let shown = property.allowed.as_deref().map(listed).unwrap_or_default();
    let bounded = min.is_some() || max.is_some() || allowed.is_some();
    Ok(match property.ty {
        PropertyType::Json => Checks::None,
        PropertyType::Integer | PropertyType::Timestamp | PropertyType::Date if bounded => {
            let int = |v: Typed| match v {
                Typed::Integer(v) => Some(v),
                _ => None,
            };
            let mut allowed: Option<Vec<i64>> =
                allowed.map(|all| all.into_iter().filter_map(int).collect());
            allowed.iter_mut().for_each(|all| all.sort_unstable());
            Checks::Integer(Range {
                min: min.and_then(int),
                max: max.and_then(int),
                allowed,
                shown,
            })
        }
        PropertyType::Number if bounded => {
            let float = |v: Typed| match v {
                Typed::Number(v) => Some(v),
                _ => None,
            };
            let mut allowed: Option<Vec<f64>> =
                allowed.map(|all| all.into_iter().filter_map(float).collect());
            allowed
                .iter_mut()
                .for_each(|all| all.sort_unstable_by(f64::total_cmp));
            Checks::Number(Range {
                min: min.and_then(float),
                max: max.and_then(float),
                allowed,
                shown,
            })
        }
        PropertyType::Boolean => match allowed {
            Some(all) => Checks::Boolean {
                allowed: [
                    all.contains(&Typed::Boolean(false)),
                    all.contains(&Typed::Boolean(true)),
                ],
            },
            None => Checks::None,
        },
        PropertyType::String
            if allowed.is_some() || property.pattern.is_some() || property.max_length.is_some() =>
        {
            let names: Option<Vec<String>> = allowed.map(|all| {
                all.into_iter()
                    .filter_map(|v| match v {
                        Typed::Text(v) => Some(v),
                        _ => None,
                    })
                    .collect()
            });
            Checks::Text(TextChecks {
                allowed: names.map(|n| NameTable::new(n.iter().map(|v| v.as_bytes()))),
                shown,
                max_length: property.max_length.map(|m| m as usize),
                pattern: match &property.pattern {
                    Some(pattern) => Some(patterns.get(pattern)?),
                    None => None,
                },
            })
        }
        _ => Checks::None,
    })
}

/// The values that `enum` allows, for messages.
fn listed(allowed: &[Literal]) -> String {
    const SHOWN: usize = 10;
    let mut text = allowed
        .iter()
        .take(SHOWN)
        .map(Literal::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if allowed.len() > SHOWN {
        text.push_str(&format!(" and {} more", allowed.len() - SHOWN));
    }
    text
}
