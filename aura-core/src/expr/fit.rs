//! Whether the parts of an expression fit together: what the engine would refuse in words of its own, or only when it
//! meets the rows.

use std::fmt::Display;

use super::ast::{BinaryOperator, Column, Constant, Expression, RowExpr, Truth};
use super::function::ScalarFunction;
use super::shape::{Columns, Shape};
use crate::document::shortened;

/// Returns what an expression over columns gives, or says what does not fit.
pub(super) fn row(expr: &RowExpr, columns: Columns<'_>) -> Result<Shape, String> {
    shape(expr, &|column: &Column| Ok(columns(&column.0)))
}

type Leaf<'f, L> = &'f dyn Fn(&L) -> Result<Shape, String>;

/// A part with what it gives.
type Part<'e, L> = (&'e Expression<L>, Shape);

pub(super) fn shape<L: Display>(expr: &Expression<L>, leaf: Leaf<'_, L>) -> Result<Shape, String> {
    let of = |e: &Expression<L>| shape(e, leaf);
    Ok(match expr {
        Expression::Leaf(l) => leaf(l)?,
        Expression::Constant(constant) => Shape::of_constant(constant),
        Expression::Not(e) => {
            condition("not", e, of(e)?)?;
            Shape::Boolean
        }
        Expression::Negate(e) => match of(e)? {
            found @ (Shape::Number | Shape::Span | Shape::Unknown) => found,
            other => return Err(takes("-", "a number", e, other)),
        },
        Expression::Binary { .. } => chain(expr, leaf)?,
        Expression::Is { expr, test, .. } => {
            let found = of(expr)?;
            match test {
                Truth::Null => {}
                Truth::True => condition("is true", expr, found)?,
                Truth::False => condition("is false", expr, found)?,
            }
            Shape::Boolean
        }
        Expression::In { expr, list, .. } => {
            let found = of(expr)?;
            for item in list {
                compared("in", (expr, found), (item, of(item)?))?;
            }
            Shape::Boolean
        }
        Expression::Between {
            expr, low, high, ..
        } => {
            let found = of(expr)?;
            for bound in [low, high] {
                compared("between", (expr, found), (bound, of(bound)?))?;
            }
            Shape::Boolean
        }
        Expression::Like { expr, .. } => {
            text("like", expr, of(expr)?)?;
            Shape::Boolean
        }
        Expression::Case {
            operand,
            branches,
            otherwise,
        } => {
            let operand = match operand {
                Some(e) => Some((&**e, of(e)?)),
                None => None,
            };
            for (when, _) in branches {
                let found = of(when)?;
                match operand {
                    Some(operand) => compared("case", operand, (when, found))?,
                    None => condition("case when", when, found)?,
                }
            }
            let results = branches.iter().map(|(_, result)| result);
            one_of("case", results.chain(otherwise.as_deref()), leaf)?
        }
        Expression::Cast { expr, to, .. } => match of(expr)? {
            Shape::Nested => return Err(takes("cast", "one value", expr, Shape::Nested)),
            _ => Shape::of_cast(*to),
        },
        Expression::Call {
            function,
            arguments,
        } => call(*function, arguments, leaf)?,
    })
}

/// A chain `a + b + …` leans to the left: it is walked, not recursed into.
fn chain<L: Display>(expr: &Expression<L>, leaf: Leaf<'_, L>) -> Result<Shape, String> {
    let mut spine = Vec::new();
    let mut first = expr;
    while let Expression::Binary {
        left,
        operator,
        right,
    } = first
    {
        spine.push((&**left, *operator, &**right));
        first = left;
    }
    let mut found = shape(first, leaf)?;
    for (left, operator, right) in spine.into_iter().rev() {
        found = binary((left, found), operator, (right, shape(right, leaf)?))?;
    }
    Ok(found)
}

fn binary<L: Display>(
    left: Part<'_, L>,
    operator: BinaryOperator,
    right: Part<'_, L>,
) -> Result<Shape, String> {
    use BinaryOperator as B;
    let sign = operator.sign();
    match operator {
        B::And | B::Or => {
            condition(sign, left.0, left.1)?;
            condition(sign, right.0, right.1)?;
            Ok(Shape::Boolean)
        }
        B::Concat => {
            for (part, found) in [left, right] {
                if found == Shape::Nested {
                    return Err(takes(sign, "text", part, found));
                }
            }
            Ok(Shape::Text)
        }
        B::Multiply | B::Divide | B::Modulo => {
            for (part, found) in [left, right] {
                if !matches!(found, Shape::Number | Shape::Unknown) {
                    return Err(takes(sign, "numbers", part, found));
                }
            }
            Ok(Shape::Number)
        }
        B::Add | B::Subtract => sum(left, operator, right),
        _ => {
            compared(sign, left, right)?;
            Ok(Shape::Boolean)
        }
    }
}

/// A sum is of numbers, of lengths of time, or of a moment and a length of time.
fn sum<L: Display>(
    left: Part<'_, L>,
    operator: BinaryOperator,
    right: Part<'_, L>,
) -> Result<Shape, String> {
    let sign = operator.sign();
    for (part, found) in [left, right] {
        if matches!(found, Shape::Text | Shape::Boolean | Shape::Nested) {
            return Err(takes(
                sign,
                "numbers, or moments and lengths of time",
                part,
                found,
            ));
        }
    }
    let minus = operator == BinaryOperator::Subtract;
    Ok(match (left.1, right.1) {
        (Shape::Number, Shape::Number) => Shape::Number,
        (Shape::Span, Shape::Span) => Shape::Span,
        (Shape::Time, Shape::Span) => Shape::Time,
        (Shape::Span, Shape::Time) if !minus => Shape::Time,
        (Shape::Time, Shape::Time) if minus => Shape::Span,
        (Shape::Unknown, _) | (_, Shape::Unknown) => Shape::Unknown,
        (a, b) => {
            return Err(format!(
                "`{sign}` is not of {} and {}, `{}` and `{}`",
                a.words(),
                b.words(),
                written(left.0),
                written(right.0)
            ));
        }
    })
}

fn call<L: Display>(
    function: ScalarFunction,
    arguments: &[Expression<L>],
    leaf: Leaf<'_, L>,
) -> Result<Shape, String> {
    use ScalarFunction as F;
    let name = function.name();
    match function {
        F::Coalesce | F::NullIf | F::Greatest | F::Least => {
            return one_of(name, arguments.iter(), leaf);
        }
        F::Concat => {
            for argument in arguments {
                let found = shape(argument, leaf)?;
                if found == Shape::Nested {
                    return Err(takes(name, "text", argument, found));
                }
            }
        }
        F::DatePart | F::DateTrunc => {
            if let Some(moment) = arguments.get(1) {
                let found = shape(moment, leaf)?;
                if !matches!(found, Shape::Time | Shape::Unknown) {
                    let message = takes(name, "a moment", moment, found);
                    return Err(match found {
                        Shape::Text => format!("{message}; cast it, such as cast(… as timestamp)"),
                        _ => message,
                    });
                }
            }
        }
        F::Lower
        | F::Upper
        | F::Trim
        | F::Length
        | F::Substr
        | F::StartsWith
        | F::EndsWith
        | F::Contains
        | F::SplitPart
        | F::Replace
        | F::RegexpLike => {
            for (place, argument) in arguments.iter().enumerate() {
                let found = shape(argument, leaf)?;
                let counts = match function {
                    F::Substr => place > 0,
                    F::SplitPart => place == 2,
                    _ => false,
                };
                match (counts, found) {
                    (_, Shape::Unknown) | (true, Shape::Number) => {}
                    (true, _) => return Err(takes(name, "numbers here", argument, found)),
                    (false, _) => text(name, argument, found)?,
                }
            }
        }
    }
    Ok(Shape::of_call(function))
}

/// Values of which one is taken are of one kind.
fn one_of<'e, L: Display + 'e>(
    name: &str,
    parts: impl Iterator<Item = &'e Expression<L>>,
    leaf: Leaf<'_, L>,
) -> Result<Shape, String> {
    let mut known: Option<Part<'_, L>> = None;
    for part in parts {
        let found = shape(part, leaf)?;
        match known {
            _ if found == Shape::Unknown => {}
            None => known = Some((part, found)),
            Some((_, other)) if other == found => {}
            Some((first, other)) => {
                return Err(format!(
                    "`{name}` gives values of one kind; `{}` is {} and `{}` is {}: cast one of them",
                    written(first),
                    other.words(),
                    written(part),
                    found.words()
                ));
            }
        }
    }
    Ok(known.map_or(Shape::Unknown, |(_, found)| found))
}

fn condition<L: Display>(word: &str, part: &Expression<L>, found: Shape) -> Result<(), String> {
    match found {
        Shape::Boolean | Shape::Unknown => Ok(()),
        other => Err(takes(word, "conditions", part, other)),
    }
}

fn text<L: Display>(word: &str, part: &Expression<L>, found: Shape) -> Result<(), String> {
    match found {
        Shape::Text | Shape::Unknown => Ok(()),
        Shape::Nested => Err(takes(word, "text", part, found)),
        other => Err(format!(
            "{}; cast it, such as cast(… as varchar)",
            takes(word, "text", part, other)
        )),
    }
}

fn takes<L: Display>(word: &str, wanted: &str, part: &Expression<L>, found: Shape) -> String {
    format!(
        "`{word}` takes {wanted}; `{}` is {}",
        written(part),
        found.words()
    )
}

fn written<L: Display>(part: &Expression<L>) -> String {
    shortened(&part.to_string()).to_string()
}

/// Values of different kinds are compared where a text stands for a value of the other kind.
fn compared<L: Display>(
    word: &str,
    (left, a): Part<'_, L>,
    (right, b): Part<'_, L>,
) -> Result<(), String> {
    for (part, found) in [(left, a), (right, b)] {
        if found == Shape::Nested {
            return Err(takes(word, "single values", part, found));
        }
    }
    let fits = match ((left, a), (right, b)) {
        ((Expression::Constant(Constant::Text(text)), _), (_, other))
        | ((_, other), (Expression::Constant(Constant::Text(text)), _)) => match other {
            Shape::Text | Shape::Unknown => true,
            Shape::Number => text.trim().parse::<f64>().is_ok(),
            Shape::Time => is_moment(text),
            Shape::Boolean | Shape::Span | Shape::Nested => false,
        },
        _ => {
            let pair = [a, b];
            let has = |shape: Shape| pair.contains(&shape);
            a == b
                || has(Shape::Unknown)
                // Text is read as the other, row by row.
                || (has(Shape::Text) && (has(Shape::Number) || has(Shape::Time)))
        }
    };
    if fits {
        return Ok(());
    }
    Err(format!(
        "`{word}` compares {} with {}: `{}` and `{}`",
        a.words(),
        b.words(),
        written(left),
        written(right)
    ))
}

/// Tells whether the engine reads a text as a moment or a day.
fn is_moment(text: &str) -> bool {
    use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
    // That one knows no years far away.
    string_to_timestamp_nanos(text).is_ok() || text.parse::<jiff::civil::DateTime>().is_ok()
}
