//! One value on its way to a column.

use super::raw::{Kind, RawValue, inside, unescape};
use crate::event::PropertyType;
use crate::ingest::RejectReason;
use crate::ingest::builder::{ACTOR, BatchBuilder, EVENT, EVENT_ID, Fault, TIME};
use crate::ingest::plan::ReadPlan;
use crate::ingest::value::{
    TimeError, parse_date, parse_integral, parse_number, parse_numeric_time, parse_time,
};

/// Where the values of a key go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// One of the roles that are text.
    Text {
        column: usize,
    },
    Time,
    Property {
        column: usize,
        ty: PropertyType,
    },
    Extra,
}

/// A value on its way to a column.
pub(super) struct Cell<'a> {
    pub(super) plan: &'a ReadPlan,
    pub(super) key: &'a str,
    pub(super) value: RawValue<'a>,
    pub(super) unescaped: &'a mut String,
    pub(super) objection: &'a mut Option<Fault>,
}

impl Cell<'_> {
    /// Appends the value to a column; false if it belongs into `extra`.
    #[inline]
    pub(super) fn fill(&mut self, target: Target, builder: &mut BatchBuilder) -> bool {
        match target {
            Target::Text { column } => self.fill_text_role(column, builder),
            Target::Time => self.fill_time(builder),
            Target::Property { column, ty } => {
                let fits = self.value.kind == Kind::Null || self.fill_property(column, ty, builder);
                if !fits {
                    builder.push_misfit(column, self.value.text);
                }
                return fits;
            }
            Target::Extra => return false,
        }
        true
    }

    /// Returns the value of a string.
    #[inline]
    fn string(&mut self) -> Option<&str> {
        match self.value.kind {
            Kind::Plain => Some(inside(self.value.text)),
            Kind::Escaped => {
                self.unescaped.clear();
                unescape(inside(self.value.text), self.unescaped);
                Some(self.unescaped)
            }
            _ => None,
        }
    }

    #[inline]
    fn fill_text_role(&mut self, column: usize, builder: &mut BatchBuilder) {
        let text = match self.value.kind {
            Kind::Plain | Kind::Escaped => self.string().unwrap_or_default(),
            Kind::Number | Kind::Boolean(_) => self.value.text,
            Kind::Null => "",
            Kind::Array | Kind::Object => {
                self.object(RejectReason::Malformed, column, |cell| {
                    let found = cell.value.kind.name();
                    format!("is {found}; expected a string, a number or a boolean")
                });
                return;
            }
        };
        if !text.is_empty() {
            builder.append_text(column, text);
        } else if column != EVENT_ID {
            self.object_missing(column);
        }
    }

    #[inline]
    fn fill_time(&mut self, builder: &mut BatchBuilder) {
        let (zone, unit) = (self.plan.time_zone.as_ref(), self.plan.time_unit);
        let time = match self.value.kind {
            Kind::Plain | Kind::Escaped => {
                parse_time(self.string().unwrap_or_default(), zone, unit)
            }
            Kind::Number => parse_numeric_time(self.value.text, unit),
            Kind::Null => Err(TimeError::Empty),
            Kind::Boolean(_) | Kind::Array | Kind::Object => {
                self.object(RejectReason::InvalidTime, TIME, |cell| {
                    let found = cell.value.kind.name();
                    format!("is {found}; expected a string or a number")
                });
                return;
            }
        };
        match time {
            Ok(micros) => builder.append_time(TIME, micros),
            Err(TimeError::Empty) => self.object_missing(TIME),
            Err(e) => self.object(RejectReason::InvalidTime, TIME, |_| {
                format!("cannot be read: {e}")
            }),
        }
    }

    /// Appends to the column of a property if the value has its type.
    #[inline]
    fn fill_property(
        &mut self,
        column: usize,
        ty: PropertyType,
        builder: &mut BatchBuilder,
    ) -> bool {
        let text = self.value.text;
        let kind = self.value.kind;
        match ty {
            PropertyType::String => match self.string() {
                Some(value) => builder.append_text(column, value),
                None => return false,
            },
            PropertyType::Integer if kind == Kind::Number => {
                match parse_integral(text.as_bytes()) {
                    Some(value) => builder.append_integer(column, value),
                    None => return false,
                }
            }
            PropertyType::Number if kind == Kind::Number => match parse_number(text.as_bytes()) {
                Some(value) => builder.append_number(column, value),
                None => return false,
            },
            PropertyType::Boolean => match kind {
                Kind::Boolean(value) => builder.append_boolean(column, value),
                _ => return false,
            },
            PropertyType::Timestamp => {
                let (zone, unit) = (self.plan.time_zone.as_ref(), self.plan.time_unit);
                let time = match self.string() {
                    Some(value) => parse_time(value, zone, unit).ok(),
                    None if kind == Kind::Number => parse_numeric_time(text, unit).ok(),
                    None => None,
                };
                match time {
                    Some(micros) => builder.append_time(column, micros),
                    None => return false,
                }
            }
            PropertyType::Date => match self.string().and_then(parse_date) {
                Some(days) => builder.append_date(column, days),
                None => return false,
            },
            PropertyType::Json => builder.append_text(column, text),
            PropertyType::Integer | PropertyType::Number => return false,
        }
        true
    }

    #[cold]
    fn object_missing(&mut self, column: usize) {
        self.object(RejectReason::MissingRole, column, |cell| {
            match cell.value.kind {
                Kind::Null => "is null",
                _ => "is empty",
            }
            .to_owned()
        });
    }

    /// Keeps the first objection of the row, until it is known that the row is valid JSON.
    #[cold]
    fn object(&mut self, reason: RejectReason, column: usize, what: impl FnOnce(&Self) -> String) {
        if self.objection.is_none() {
            let role = match column {
                EVENT_ID => "event id",
                ACTOR => "actor",
                EVENT => "event",
                _ => "time",
            };
            let message = format!("`{}`, the {role} of the row, {}", self.key, what(self));
            *self.objection = Some(Fault::new(reason, message).with_field(self.key));
        }
    }
}
