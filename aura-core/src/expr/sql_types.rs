//! SQL's types and typed constants into ours.

use datafusion::sql::sqlparser::ast::{DataType, Expr, Interval, TypedString, Value};

use super::ast::{Constant, Expression};
use super::convert::{at_of, refuse};
use super::function::CastType;
use super::lex::fault;
use crate::document::{Fault, Place, shortened};

pub(super) fn cast_type(data_type: &DataType, at: Place) -> Result<CastType, Fault> {
    let name = data_type.to_string().to_ascii_lowercase();
    let found = match name.as_str() {
        "int" | "integer" | "bigint" | "int8" | "int64" => CastType::Integer,
        "double" | "double precision" | "float" | "real" | "float8" | "float64" => CastType::Number,
        "varchar" | "text" | "string" | "character varying" => CastType::Text,
        "boolean" | "bool" => CastType::Boolean,
        "date" => CastType::Date,
        "timestamp" | "timestamptz" | "timestamp with time zone" | "datetime" => {
            CastType::Timestamp
        }
        _ => {
            let known: Vec<&str> = CastType::ALL.into_iter().map(CastType::name).collect();
            return Err(fault(
                at,
                format!(
                    "a cast to `{}` is not allowed; known types are {}",
                    shortened(&name),
                    known.join(", ")
                ),
            ));
        }
    };
    Ok(found)
}

pub(super) fn typed_string<L>(whole: &Expr, typed: &TypedString) -> Result<Expression<L>, Fault> {
    let at = at_of(whole);
    let Value::SingleQuotedString(text) = &typed.value.value else {
        return refuse(whole, "this form of a constant");
    };
    let shown = shortened(text);
    let constant = match cast_type(&typed.data_type, at)? {
        CastType::Date => {
            let day = Some(text)
                .filter(|t| t.len() == 10)
                .and_then(|t| t.parse::<jiff::civil::Date>().ok())
                .and_then(|d| jiff::civil::date(1970, 1, 1).until(d).ok());
            let day = day.ok_or_else(|| {
                fault(at, format!("'{shown}' is not a day, such as '2026-01-31'"))
            })?;
            Constant::Date(day.get_days())
        }
        CastType::Timestamp => {
            let moment = text.parse::<jiff::Timestamp>().map_err(|_| {
                fault(
                    at,
                    format!(
                        "'{shown}' is not a moment with its zone, such as '2026-01-31T00:00:00Z'"
                    ),
                )
            })?;
            Constant::Time(moment.as_microsecond())
        }
        _ => return refuse(whole, "this form of a constant"),
    };
    Ok(Expression::Constant(constant))
}

pub(super) fn span<L>(whole: &Expr, interval: &Interval) -> Result<Expression<L>, Fault> {
    let Interval {
        value,
        leading_field,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    } = interval
    else {
        return refuse(whole, "this form of an interval");
    };
    let Expr::Value(value) = &**value else {
        return refuse(whole, "an interval that is not a constant");
    };
    let count = match &value.value {
        Value::SingleQuotedString(text) | Value::Number(text, false) => text,
        _ => return refuse(whole, "an interval that is not a constant"),
    };
    let text = match leading_field {
        Some(unit) => format!("{count} {unit}"),
        None => count.clone(),
    };
    match text.parse() {
        Ok(span) => Ok(Expression::Constant(Constant::Span(span))),
        Err(e) => Err(fault(at_of(whole), e.message())),
    }
}
