//! What kind of value an expression gives, as far as its text tells: enough to find conditions that are none.

use super::ast::{BinaryOperator, Constant, Expression, RowExpr, Term};
use super::function::{AggregateFunction, CastType, ScalarFunction};
use super::{Column, Formula};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Boolean,
    Number,
    Text,
    Time,
    Span,
    /// A column, null, or what depends on one.
    Unknown,
}

impl Shape {
    fn words(self) -> &'static str {
        match self {
            Shape::Boolean => "true or false",
            Shape::Number => "a number",
            Shape::Text => "text",
            Shape::Time => "a moment",
            Shape::Span => "a length of time",
            Shape::Unknown => "a value",
        }
    }
}

fn shape<L>(expr: &Expression<L>, leaf: &dyn Fn(&L) -> Shape) -> Shape {
    match expr {
        Expression::Leaf(l) => leaf(l),
        Expression::Constant(constant) => match constant {
            Constant::Null => Shape::Unknown,
            Constant::Boolean(_) => Shape::Boolean,
            Constant::Integer(_) | Constant::Number(_) => Shape::Number,
            Constant::Text(_) => Shape::Text,
            Constant::Time(_) | Constant::Date(_) => Shape::Time,
            Constant::Span(_) => Shape::Span,
        },
        Expression::Not(_)
        | Expression::Is { .. }
        | Expression::In { .. }
        | Expression::Between { .. }
        | Expression::Like { .. } => Shape::Boolean,
        Expression::Negate(_) => Shape::Unknown,
        Expression::Binary { operator, .. } => match operator {
            BinaryOperator::Concat => Shape::Text,
            BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo => {
                Shape::Number
            }
            // Of numbers, or of moments and lengths of time.
            BinaryOperator::Add | BinaryOperator::Subtract => Shape::Unknown,
            _ => Shape::Boolean,
        },
        Expression::Case {
            branches,
            otherwise,
            ..
        } => branches
            .first()
            .map(|(_, result)| result)
            .or(otherwise.as_deref())
            .map_or(Shape::Unknown, |e| shape(e, leaf)),
        Expression::Cast { to, .. } => match to {
            CastType::Integer | CastType::Number => Shape::Number,
            CastType::Text => Shape::Text,
            CastType::Boolean => Shape::Boolean,
            CastType::Date | CastType::Timestamp => Shape::Time,
        },
        Expression::Call {
            function,
            arguments,
        } => match function {
            ScalarFunction::Coalesce
            | ScalarFunction::NullIf
            | ScalarFunction::Greatest
            | ScalarFunction::Least => arguments.first().map_or(Shape::Unknown, |e| shape(e, leaf)),
            ScalarFunction::Lower
            | ScalarFunction::Upper
            | ScalarFunction::Trim
            | ScalarFunction::Substr
            | ScalarFunction::SplitPart
            | ScalarFunction::Replace
            | ScalarFunction::Concat => Shape::Text,
            ScalarFunction::Length | ScalarFunction::DatePart => Shape::Number,
            ScalarFunction::StartsWith
            | ScalarFunction::EndsWith
            | ScalarFunction::Contains
            | ScalarFunction::RegexpLike => Shape::Boolean,
            ScalarFunction::DateTrunc => Shape::Time,
        },
    }
}

pub(super) fn row_shape(expr: &RowExpr) -> Shape {
    shape(expr, &|column: &Column| match column.0.as_str() {
        crate::event::ACTOR | crate::event::EVENT | crate::event::EVENT_ID => Shape::Text,
        crate::event::TIME => Shape::Time,
        _ => Shape::Unknown,
    })
}

/// Says why `expr` is no condition, if its text shows that.
pub(super) fn check_condition(expr: &RowExpr) -> Result<(), String> {
    match row_shape(expr) {
        Shape::Boolean | Shape::Unknown => Ok(()),
        other => Err(format!(
            "a filter is a condition, true or false for each row; this is {}",
            other.words()
        )),
    }
}

/// Says why a formula gives no number, if its text shows that.
pub(super) fn check_number(formula: &Formula) -> Result<(), String> {
    let leaf = |term: &Term| match term {
        Term::Aggregate(aggregate) => match aggregate.function {
            AggregateFunction::Min | AggregateFunction::Max => aggregate
                .arguments
                .first()
                .map_or(Shape::Unknown, row_shape),
            _ => Shape::Number,
        },
        Term::Metric(_) => Shape::Number,
    };
    match shape(formula, &leaf) {
        Shape::Number | Shape::Unknown => Ok(()),
        other => Err(format!("a metric is a number; this is {}", other.words())),
    }
}

/// Says why `expr` cannot be aggregated, if its text shows that.
pub(super) fn check_argument(function: AggregateFunction, expr: &RowExpr) -> Result<(), String> {
    let wants_number = matches!(
        function,
        AggregateFunction::Sum
            | AggregateFunction::Avg
            | AggregateFunction::Median
            | AggregateFunction::PercentileCont(_)
    );
    let shape = row_shape(expr);
    if wants_number && !matches!(shape, Shape::Number | Shape::Unknown | Shape::Span) {
        return Err(format!(
            "`{}` is of numbers; this is {}",
            function.kind().name(),
            shape.words()
        ));
    }
    Ok(())
}
