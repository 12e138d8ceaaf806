//! The metric language: SQL's expressions over an allow-list.
//!
//! Text is read by DataFusion's own SQL parser (the generic dialect) and becomes a small typed tree: a
//! [`RowExpr`] gives one value per row and is made over columns; a [`Formula`] gives one value per period and
//! segment and is made over aggregates and over other metrics in braces. What is not on the list is refused by
//! name and place. Parameters are bound as values in the tree, never as text. The language is described for
//! its users in `docs/metrics.md`.
//!
//! Differences from SQL: names are taken exactly as they are written, `/` always divides in floating point, and
//! dividing by zero gives null.

mod ast;
mod call;
mod convert;
mod fit;
mod function;
mod leaf;
mod lex;
mod percentile;
mod plan;
mod print;
mod refuse;
mod shape;
mod sql_types;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

pub use ast::{
    Aggregate, BinaryOperator, Column, Constant, Expression, Formula, MetricReference, RowExpr,
    Term, Truth,
};
pub use function::{AggregateFunction, AggregateKind, CastType, DATE_PARTS, ScalarFunction};
pub(crate) use percentile::at_share;
pub use plan::PlanContext;
pub(crate) use plan::backslashed;
pub(crate) use shape::{Shape, check_condition, check_number};

use crate::document::{Fault, Place};
use crate::{Error, Result};
use convert::Converter;
use leaf::Leaf;
use lex::{fault, lower_first, place};

/// What a parameter in braces stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    Constant(Constant),
    Column(String),
    Condition(RowExpr),
}

/// The parameters that an expression may name in braces.
pub(crate) type Scope = BTreeMap<String, Bound>;

impl FromStr for RowExpr {
    type Err = Error;

    /// Reads an expression over columns.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) with line, column and reason when the text is not
    /// such an expression, or holds anything that is not on the allow-list.
    fn from_str(text: &str) -> Result<RowExpr> {
        parse_row(text, &Scope::new()).map_err(|e| Error::invalid_spec(e.to_string()))
    }
}

impl FromStr for Formula {
    type Err = Error;

    /// Reads an expression over aggregates and metrics.
    ///
    /// # Errors
    /// As for [`RowExpr`].
    ///
    /// # Examples
    /// ```
    /// use aura_core::metric::Formula;
    ///
    /// let formula: Formula = "count(DISTINCT actor) FILTER (WHERE event = 'signup')".parse()?;
    /// assert_eq!(formula.to_string(), "count(distinct actor) filter (where event = 'signup')");
    ///
    /// let refused = "sum((select amount from orders))".parse::<Formula>().unwrap_err();
    /// assert!(refused.message().starts_with("line 1, column 6: `select` is not allowed"));
    /// # Ok::<(), aura_core::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Formula> {
        parse_formula(text, &Scope::new()).map_err(|e| Error::invalid_spec(e.to_string()))
    }
}

/// Reads an expression over columns; places in the fault count from the start of `text`.
pub(crate) fn parse_row(text: &str, scope: &Scope) -> Result<RowExpr, Fault> {
    parse(text, scope)
}

/// Reads a condition: an expression over columns that is true or false.
pub(crate) fn parse_condition(text: &str, scope: &Scope) -> Result<RowExpr, Fault> {
    let expr: RowExpr = parse(text, scope)?;
    shape::check_condition(&expr, &shape::roles).map_err(|message| fault(START, message))?;
    Ok(expr)
}

/// Leaves out a filter that every row passes.
pub(crate) fn restricting(condition: RowExpr) -> Option<RowExpr> {
    (condition != Expression::Constant(Constant::Boolean(true))).then_some(condition)
}

/// Reads an expression over aggregates and metrics.
pub(crate) fn parse_formula(text: &str, scope: &Scope) -> Result<Formula, Fault> {
    let formula: Formula = parse(text, scope)?;
    shape::check_number(&formula, &shape::roles).map_err(|message| fault(START, message))?;
    Ok(formula)
}

const START: Place = Place { line: 1, column: 1 };

/// Reads an expression, and makes sure that what is written of it can be read again: with parameters bound, and
/// with the parentheses that SQL does without, it may be larger than its text.
fn parse<L: Leaf + Display + PartialEq>(text: &str, scope: &Scope) -> Result<Expression<L>, Fault> {
    // The parser's tree is as deep as the operators it may have, and is walked and dropped by recursion: more than
    // a small stack of the host can be trusted with.
    const NEEDED: usize = 1 << 20;
    const GROWN: usize = 4 << 20;
    stacker::maybe_grow(NEEDED, GROWN, || parse_twice(text, scope))
}

fn parse_twice<L: Leaf + Display + PartialEq>(
    text: &str,
    scope: &Scope,
) -> Result<Expression<L>, Fault> {
    let expr = parse_once::<L>(text, scope)?;
    match parse_once::<L>(&expr.to_string(), &Scope::new()) {
        Ok(again) if again == expr => Ok(expr),
        Ok(_) => Err(fault(
            START,
            "the expression would not be read back as it is written; use parentheses",
        )),
        Err(e) => Err(fault(
            START,
            format!(
                "the expression is too large when it is written out: {}",
                e.message
            ),
        )),
    }
}

fn parse_once<L: Leaf>(text: &str, scope: &Scope) -> Result<Expression<L>, Fault> {
    let tokens = lex::tokens(text)?;
    let end = tokens.tokens.last().map_or(START, |t| place(t.span.end));
    let mut parser = Parser::new(&GenericDialect {}).with_tokens_with_locations(tokens.tokens);
    let expr = parser.parse_expr().map_err(|e| syntax(&e, end))?;
    let TokenWithSpan { token, span } = parser.peek_token();
    if token != Token::EOF {
        let message = format!("expected the end of the expression, found `{token}`");
        return Err(fault(place(span.start), message));
    }
    Converter::new(scope, &tokens.braces).expression(&expr)
}

/// Says what the parser found wrong, in our form.
fn syntax(error: &ParserError, end: Place) -> Fault {
    let text = match error {
        ParserError::RecursionLimitExceeded => {
            return fault(START, "the expression is nested too deep");
        }
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
    };
    // The parser ends its text with ` at Line: 1, Column: 2`, except at the end of the input.
    let (message, at) = match text.rsplit_once(" at Line: ") {
        Some((message, at)) => {
            let mut numbers = at.split(", Column: ").map(str::parse);
            match (numbers.next(), numbers.next()) {
                (Some(Ok(line)), Some(Ok(column))) => (message, Place { line, column }),
                _ => (message, end),
            }
        }
        None => (text.as_str(), end),
    };
    let message = match message
        .strip_prefix("Expected: ")
        .and_then(|m| m.split_once(", found: "))
    {
        Some((expected, "EOF")) => format!("expected {expected}, but the expression ends here"),
        Some((expected, found)) => format!("expected {expected}, found `{found}`"),
        None => lower_first(message),
    };
    fault(at, message)
}
