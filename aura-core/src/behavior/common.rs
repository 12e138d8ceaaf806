//! What all analyses have in common: of which events, when, by what, of whom.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable};

use crate::calendar::{Calendar, PreparedCalendar};
use crate::expr::{PlanContext, parse_condition};
use crate::{Error, Result};

/// Most columns that an analysis is broken down by.
pub(crate) const MAX_BY: usize = 8;

/// The fields that every spec has.
#[derive(Debug, Clone)]
pub(crate) struct Common<'a> {
    pub(crate) by: &'a [String],
    pub(crate) filter: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
    pub(crate) to: Option<&'a str>,
    pub(crate) actor: Option<&'a str>,
    /// The zone, and where weeks and years begin.
    pub(crate) calendar: Calendar,
}

/// The common fields, checked.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) calendar: PreparedCalendar,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) filter: Option<Expr>,
    pub(crate) by: Vec<String>,
}

impl Common<'_> {
    /// Checks the fields.
    pub(crate) fn check(&self, schema: &DFSchema) -> Result<Scope> {
        let calendar = self.calendar.prepare()?;
        let instant = |field: &str, text: Option<&str>| match text {
            Some(text) => match calendar.instant(text) {
                Ok(us) => Ok(Some(us)),
                Err(e) => Err(Error::invalid_spec(format!("{field}: {}", e.message()))),
            },
            None => Ok(None),
        };
        let (from, to) = (instant("from", self.from)?, instant("to", self.to)?);
        if let (Some(first), Some(end)) = (from, to)
            && first >= end
        {
            return Err(Error::invalid_spec(format!(
                "to: the range from {} to {} is empty; `to` is the first moment that is no longer asked for",
                self.from.unwrap_or_default(),
                self.to.unwrap_or_default()
            )));
        }
        if self.by.len() > MAX_BY {
            return Err(Error::invalid_spec(format!(
                "by: {} columns; at most {MAX_BY} are possible",
                self.by.len()
            )));
        }
        for (i, column) in self.by.iter().enumerate() {
            if self.by.iter().take(i).any(|c| c == column) {
                return Err(Error::invalid_spec(format!(
                    "by: the column `{column}` is named twice"
                )));
            }
        }
        let filter = match self.filter {
            Some(text) => Some(condition("filter", text, schema, calendar.time_zone())?),
            None => None,
        };
        Ok(Scope {
            calendar,
            from,
            to,
            filter,
            by: self.by.to_vec(),
        })
    }
}

/// Reads a condition over columns; `field` is where it stands in the spec.
pub(crate) fn condition(field: &str, text: &str, schema: &DFSchema, zone: &str) -> Result<Expr> {
    let wrong = |why: &str| Error::invalid_spec(format!("{field}: {why}"));
    let expr =
        parse_condition(text, &Default::default()).map_err(|fault| wrong(&fault.to_string()))?;
    let expr = expr
        .to_expr(&PlanContext::new(schema, zone))
        .map_err(|e| wrong(e.message()))?;
    match expr.get_type(schema).map_err(Error::from)? {
        DataType::Boolean | DataType::Null => Ok(expr),
        other => Err(wrong(&format!(
            "the condition has the type {other}; true or false is expected"
        ))),
    }
}

/// Writes the builder methods of the fields that every spec has: `by`, `filter`, `from`, `to`, `time_zone`, `actor`.
macro_rules! common_methods {
    () => {
        /// Adds a column to break the result down by, or several.
        #[must_use]
        pub fn by(mut self, columns: impl Into<$crate::behavior::ColumnNames>) -> Self {
            self.by.extend(columns.into().0);
            self
        }

        /// Sets which events count: a condition over columns.
        #[must_use]
        pub fn filter(mut self, condition: impl Into<String>) -> Self {
            self.filter = Some(condition.into());
            self
        }

        /// Sets the first moment.
        #[must_use]
        pub fn from(mut self, moment: impl Into<String>) -> Self {
            self.from = Some(moment.into());
            self
        }

        /// Sets the first moment no longer asked for.
        #[must_use]
        pub fn to(mut self, moment: impl Into<String>) -> Self {
            self.to = Some(moment.into());
            self
        }

        /// Sets the time zone of days, moments without an offset, and calendar windows.
        #[must_use]
        pub fn time_zone(mut self, zone: impl Into<String>) -> Self {
            self.time_zone = zone.into();
            self
        }

        /// Moves the role of the actor to another column: a team, an account.
        #[must_use]
        pub fn actor(mut self, column: impl Into<String>) -> Self {
            self.actor = Some(column.into());
            self
        }
    };
}
pub(crate) use common_methods;

pub(crate) fn utc() -> String {
    "UTC".to_owned()
}

pub(crate) fn is_utc(zone: &str) -> bool {
    zone == "UTC"
}

pub(crate) fn yes() -> bool {
    true
}

pub(crate) fn is_yes(value: &bool) -> bool {
    *value
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
