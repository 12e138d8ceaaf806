//! What kind of value an expression gives, as far as its text and the types of the columns tell.

use arrow::datatypes::DataType;

use super::ast::{Aggregate, Constant, Term};
use super::function::{AggregateFunction, CastType, ScalarFunction};
use super::{Formula, RowExpr, fit};

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Boolean,
    Number,
    Text,
    Time,
    Span,
    /// Bytes, a list, a structure, a map: what no operator takes.
    Nested,
    /// A column of a type that is not known, null, or what depends on one.
    Unknown,
}

/// What is known of columns.
pub(crate) type Columns<'a> = &'a dyn Fn(&str) -> Shape;

impl Shape {
    /// Returns what the values of a type are.
    pub(crate) fn of(data_type: &DataType) -> Shape {
        match data_type {
            DataType::Boolean => Shape::Boolean,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Shape::Text,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Shape::Time,
            DataType::Duration(_) | DataType::Interval(_) => Shape::Span,
            DataType::Dictionary(_, value) => Shape::of(value),
            numeric if numeric.is_numeric() => Shape::Number,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Shape::Nested,
            nested if nested.is_nested() => Shape::Nested,
            _ => Shape::Unknown,
        }
    }

    pub(super) fn of_constant(constant: &Constant) -> Shape {
        match constant {
            Constant::Null => Shape::Unknown,
            Constant::Boolean(_) => Shape::Boolean,
            Constant::Integer(_) | Constant::Number(_) => Shape::Number,
            Constant::Text(_) => Shape::Text,
            Constant::Time(_) | Constant::Date(_) => Shape::Time,
            Constant::Span(_) => Shape::Span,
        }
    }

    pub(super) fn of_cast(to: CastType) -> Shape {
        match to {
            CastType::Integer | CastType::Number => Shape::Number,
            CastType::Text => Shape::Text,
            CastType::Boolean => Shape::Boolean,
            CastType::Date | CastType::Timestamp => Shape::Time,
        }
    }

    /// Returns what a function gives whose result does not depend on its arguments.
    pub(super) fn of_call(function: ScalarFunction) -> Shape {
        use ScalarFunction as F;
        match function {
            F::Coalesce | F::NullIf | F::Greatest | F::Least => Shape::Unknown,
            F::Lower | F::Upper | F::Trim | F::Substr | F::SplitPart | F::Replace | F::Concat => {
                Shape::Text
            }
            F::Length | F::DatePart => Shape::Number,
            F::StartsWith | F::EndsWith | F::Contains | F::RegexpLike => Shape::Boolean,
            F::DateTrunc => Shape::Time,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Shape::Boolean => "true or false",
            Shape::Number => "a number",
            Shape::Text => "text",
            Shape::Time => "a moment",
            Shape::Span => "a length of time",
            Shape::Nested => "bytes, a list or a structure",
            Shape::Unknown => "a value",
        }
    }
}

/// What is known of columns without the events: the roles.
pub(super) fn roles(name: &str) -> Shape {
    match name {
        crate::event::ACTOR | crate::event::EVENT | crate::event::EVENT_ID => Shape::Text,
        crate::event::TIME => Shape::Time,
        _ => Shape::Unknown,
    }
}

/// Says why `expr` is no condition, if that can be seen.
pub(crate) fn check_condition(expr: &RowExpr, columns: Columns<'_>) -> Result<(), String> {
    match fit::row(expr, columns)? {
        Shape::Boolean | Shape::Unknown => Ok(()),
        other => Err(format!(
            "a filter is a condition, true or false for each row; this is {}",
            other.words()
        )),
    }
}

/// Says why a formula gives no number, if that can be seen.
pub(crate) fn check_number(formula: &Formula, columns: Columns<'_>) -> Result<(), String> {
    let leaf = |term: &Term| match term {
        Term::Aggregate(aggregate) => match aggregate.function {
            AggregateFunction::Min | AggregateFunction::Max => match aggregate.arguments.first() {
                Some(argument) => fit::row(argument, columns),
                None => Ok(Shape::Unknown),
            },
            _ => Ok(Shape::Number),
        },
        Term::Metric(_) => Ok(Shape::Number),
    };
    match fit::shape(formula, &leaf)? {
        Shape::Number | Shape::Unknown => Ok(()),
        other => Err(format!("a metric is a number; this is {}", other.words())),
    }
}

/// Says why `expr` cannot be aggregated, if that can be seen.
pub(super) fn check_argument(
    function: AggregateFunction,
    expr: &RowExpr,
    columns: Columns<'_>,
) -> Result<(), String> {
    let shape = fit::row(expr, columns)?;
    let wants_number = matches!(
        function,
        AggregateFunction::Sum
            | AggregateFunction::Avg
            | AggregateFunction::Median
            | AggregateFunction::PercentileCont(_)
    );
    if !wants_number || matches!(shape, Shape::Number | Shape::Unknown) {
        return Ok(());
    }
    let hint = match shape {
        Shape::Text => "; cast it, such as try_cast(… as double)",
        Shape::Boolean => "; rows are counted by `count(*) filter (where …)`",
        Shape::Span => "; take seconds, such as date_part('epoch', a) - date_part('epoch', b)",
        _ => "",
    };
    Err(format!(
        "`{}` is of numbers; this is {}{hint}",
        function.kind().name(),
        shape.words()
    ))
}

impl Aggregate {
    /// Says what does not fit together in arguments and filter, given what is known of the columns.
    pub(crate) fn check(&self, columns: Columns<'_>) -> Result<(), String> {
        for argument in &self.arguments {
            check_argument(self.function, argument, columns)?;
        }
        match &self.filter {
            Some(filter) => check_condition(filter, columns),
            None => Ok(()),
        }
    }
}
