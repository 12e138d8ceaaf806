//! SQL's tree into ours; what has no place there is refused by name.

use std::cell::Cell;
use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator as SqlOperator, CaseWhen, CastKind, Expr, Ident, Spanned, UnaryOperator, Value,
};

use super::Scope;
use super::ast::{BinaryOperator, Constant, Expression, Truth};
use super::function::{ScalarFunction, refusal};
use super::leaf::{Leaf, number};
use super::lex::{Brace, MAX_DEPTH, fault, place};
use super::refuse::refused;
use super::sql_types::{cast_type, span, typed_string};
use crate::document::{Fault, Place, shortened};

pub(super) struct Converter<'a> {
    pub(super) scope: &'a Scope,
    braces: &'a BTreeMap<String, Brace>,
    /// How deep the walk is in the tree: what follows a value (`is null`, `::int`) nests without parentheses.
    depth: Cell<usize>,
}

/// The place of the first token of an expression, without going down the tree on the left.
pub(super) fn at_of(expr: &Expr) -> Place {
    let mut first = expr;
    loop {
        first = match first {
            Expr::BinaryOp { left, .. } => left,
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => inner,
            Expr::InList { expr, .. } | Expr::Between { expr, .. } | Expr::Like { expr, .. } => {
                expr
            }
            other => return place(other.span().start),
        };
    }
}

pub(super) fn refuse<T>(expr: &Expr, what: &str) -> Result<T, Fault> {
    Err(fault(
        at_of(expr),
        format!("{what} is not allowed in a metric"),
    ))
}

impl<'a> Converter<'a> {
    pub(super) fn new(scope: &'a Scope, braces: &'a BTreeMap<String, Brace>) -> Self {
        Converter {
            scope,
            braces,
            depth: Cell::new(0),
        }
    }

    pub(super) fn expression<L: Leaf>(&self, expr: &Expr) -> Result<Expression<L>, Fault> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            let message = format!("the expression is nested deeper than {MAX_DEPTH} levels");
            return Err(fault(at_of(expr), message));
        }
        self.depth.set(depth + 1);
        let result = self.chain(expr);
        self.depth.set(depth);
        result
    }

    fn chain<L: Leaf>(&self, expr: &Expr) -> Result<Expression<L>, Fault> {
        // A chain `a + b + …` leans to the left: it is walked, not recursed into.
        let mut spine = Vec::new();
        let mut first = expr;
        while let Expr::BinaryOp { left, op, right } = first {
            spine.push((op, right, first));
            first = left;
        }
        let mut result = self.operand(first)?;
        for (op, right, whole) in spine.into_iter().rev() {
            let operator = operator(op).ok_or_else(|| {
                fault(
                    at_of(whole),
                    format!("the operator `{op}` is not allowed in a metric"),
                )
            })?;
            result = joined(result, operator, self.expression(right)?);
        }
        Ok(result)
    }

    fn boxed<L: Leaf>(&self, expr: &Expr) -> Result<Box<Expression<L>>, Fault> {
        self.expression(expr).map(Box::new)
    }

    fn list<L: Leaf>(&self, list: &[Expr]) -> Result<Vec<Expression<L>>, Fault> {
        list.iter().map(|e| self.expression(e)).collect()
    }

    fn operand<L: Leaf>(&self, expr: &Expr) -> Result<Expression<L>, Fault> {
        match expr {
            Expr::Nested(inner) => self.expression(inner),
            Expr::Identifier(name) => self.name(name),
            Expr::CompoundIdentifier(parts) => {
                let name: Vec<&str> = parts.iter().map(|p| p.value.as_str()).collect();
                Err(fault(
                    at_of(expr),
                    format!(
                        "`{}` names another table; a metric reads the events and nothing else (a name with a point is written in double quotes)",
                        shortened(&name.join("."))
                    ),
                ))
            }
            Expr::Value(value) => self.value(expr, &value.value),
            Expr::TypedString(typed) => typed_string(expr, typed),
            Expr::Interval(interval) => span(expr, interval),
            Expr::UnaryOp { op, expr: inner } => self.unary(expr, *op, inner),
            Expr::IsNull(e) => self.is(e, Truth::Null, false),
            Expr::IsNotNull(e) => self.is(e, Truth::Null, true),
            Expr::IsTrue(e) => self.is(e, Truth::True, false),
            Expr::IsNotTrue(e) => self.is(e, Truth::True, true),
            Expr::IsFalse(e) => self.is(e, Truth::False, false),
            Expr::IsNotFalse(e) => self.is(e, Truth::False, true),
            Expr::InList {
                expr: e,
                list,
                negated,
            } => {
                if list.is_empty() {
                    return refuse(expr, "an empty list of `in`");
                }
                Ok(Expression::In {
                    expr: self.boxed(e)?,
                    list: self.list(list)?,
                    negated: *negated,
                })
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => Ok(Expression::Between {
                expr: self.boxed(expr)?,
                low: self.boxed(low)?,
                high: self.boxed(high)?,
                negated: *negated,
            }),
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => self.like(*negated, expr, pattern, escape_char.as_deref(), false),
            Expr::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => self.like(*negated, expr, pattern, escape_char.as_deref(), true),
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => Ok(Expression::Case {
                operand: operand.as_deref().map(|e| self.boxed(e)).transpose()?,
                branches: conditions
                    .iter()
                    .map(|CaseWhen { condition, result }| {
                        Ok((self.expression(condition)?, self.expression(result)?))
                    })
                    .collect::<Result<_, Fault>>()?,
                otherwise: else_result.as_deref().map(|e| self.boxed(e)).transpose()?,
            }),
            Expr::Cast {
                kind,
                expr: e,
                data_type,
                array: false,
                format: None,
            } => Ok(Expression::Cast {
                expr: self.boxed(e)?,
                to: cast_type(data_type, at_of(expr))?,
                or_null: matches!(kind, CastKind::TryCast | CastKind::SafeCast),
            }),
            Expr::Extract { field, expr: e, .. } => {
                let name = field.to_string();
                let part = self.part(ScalarFunction::DatePart, &name, at_of(expr))?;
                Ok(Expression::Call {
                    function: ScalarFunction::DatePart,
                    arguments: vec![part, self.expression(e)?],
                })
            }
            Expr::Substring {
                expr: text,
                substring_from: Some(from),
                substring_for,
                ..
            } => {
                let mut arguments = vec![self.expression(text)?, self.expression(from)?];
                if let Some(count) = substring_for {
                    arguments.push(self.expression(count)?);
                }
                Ok(Expression::Call {
                    function: ScalarFunction::Substr,
                    arguments,
                })
            }
            Expr::Trim {
                trim_where: None,
                trim_what: None,
                expr,
                trim_characters: None,
            } => Ok(Expression::Call {
                function: ScalarFunction::Trim,
                arguments: vec![self.expression(expr)?],
            }),
            Expr::Function(call) => self.function(expr, call),
            other => refuse(other, refused(other)),
        }
    }

    fn name<L: Leaf>(&self, name: &Ident) -> Result<Expression<L>, Fault> {
        let at = place(name.span.start);
        if name.quote_style.is_none() {
            let lower = name.value.to_ascii_lowercase();
            // Functions that SQL calls without parentheses.
            if lower.starts_with("current_") || lower == "localtimestamp" || lower == "localtime" {
                return Err(fault(at, refusal(&lower, false)));
            }
        }
        if name.value.is_empty() {
            return Err(fault(at, "the name of a column is empty"));
        }
        L::column(&name.value, at)
    }

    fn value<L: Leaf>(&self, expr: &Expr, value: &Value) -> Result<Expression<L>, Fault> {
        let constant = match value {
            Value::Number(text, false) => number(text).ok_or_else(|| {
                fault(
                    at_of(expr),
                    format!("`{}` is not a finite number", shortened(text)),
                )
            })?,
            Value::SingleQuotedString(text) => Constant::Text(text.clone()),
            Value::Boolean(value) => Constant::Boolean(*value),
            Value::Null => Constant::Null,
            Value::Placeholder(key) => {
                return match self.braces.get(key) {
                    Some(brace) => L::brace(self, brace),
                    None => refuse(expr, "a placeholder"),
                };
            }
            _ => return refuse(expr, "this form of a constant"),
        };
        Ok(Expression::Constant(constant))
    }

    fn unary<L: Leaf>(
        &self,
        whole: &Expr,
        op: UnaryOperator,
        inner: &Expr,
    ) -> Result<Expression<L>, Fault> {
        match op {
            UnaryOperator::Not => Ok(Expression::Not(self.boxed(inner)?)),
            UnaryOperator::Plus => self.expression(inner),
            UnaryOperator::Minus => {
                if let Expr::Value(value) = inner
                    && let Value::Number(text, false) = &value.value
                    && let Some(constant) = number(&format!("-{text}"))
                {
                    return Ok(Expression::Constant(constant));
                }
                Ok(negative(self.expression(inner)?))
            }
            other => Err(fault(
                at_of(whole),
                format!("the operator `{other}` is not allowed in a metric"),
            )),
        }
    }

    fn is<L: Leaf>(&self, expr: &Expr, test: Truth, negated: bool) -> Result<Expression<L>, Fault> {
        Ok(Expression::Is {
            expr: self.boxed(expr)?,
            test,
            negated,
        })
    }

    fn like<L: Leaf>(
        &self,
        negated: bool,
        expr: &Expr,
        pattern: &Expr,
        escape: Option<&Value>,
        ignore_case: bool,
    ) -> Result<Expression<L>, Fault> {
        // A bound text is a constant too.
        let text: Expression<L> = self.expression(pattern)?;
        let Expression::Constant(Constant::Text(pattern_text)) = text else {
            return Err(fault(
                at_of(pattern),
                "the pattern of `like` is a text in quotes",
            ));
        };
        let escape = match escape {
            None => None,
            Some(Value::SingleQuotedString(text)) if text.chars().count() == 1 => {
                text.chars().next()
            }
            Some(_) => return Err(fault(at_of(pattern), "`escape` is one character in quotes")),
        };
        if let Some(escape) = escape {
            let mut chars = pattern_text.chars();
            while let Some(c) = chars.next() {
                let next = if c == escape { chars.next() } else { Some('%') };
                if !next.is_some_and(|n| n == '%' || n == '_' || n == escape) {
                    let message = format!(
                        "in the pattern of `like` the escape `{escape}` stands before `%`, `_` or itself"
                    );
                    return Err(fault(at_of(pattern), message));
                }
            }
        }
        Ok(Expression::Like {
            expr: self.boxed(expr)?,
            pattern: pattern_text,
            escape,
            ignore_case,
            negated,
        })
    }
}

/// Negates. The negative of a number that is written, in parentheses or behind a `+` too, is that number, since the sign
/// is a part of it when it is written back.
fn negative<L>(expr: Expression<L>) -> Expression<L> {
    match expr {
        Expression::Constant(Constant::Integer(v)) if v >= 0 => {
            Expression::Constant(Constant::Integer(-v))
        }
        Expression::Constant(Constant::Number(v)) if v.is_sign_positive() => {
            Expression::Constant(Constant::Number(-v))
        }
        other => Expression::Negate(Box::new(other)),
    }
}

/// Joins two operands; `true and x`, which bound parameters bring about, is `x`.
fn joined<L>(left: Expression<L>, operator: BinaryOperator, right: Expression<L>) -> Expression<L> {
    let is_true = |e: &Expression<L>| matches!(e, Expression::Constant(Constant::Boolean(true)));
    if operator == BinaryOperator::And && is_true(&left) {
        return right;
    }
    if operator == BinaryOperator::And && is_true(&right) {
        return left;
    }
    Expression::Binary {
        left: Box::new(left),
        operator,
        right: Box::new(right),
    }
}

fn operator(op: &SqlOperator) -> Option<BinaryOperator> {
    Some(match op {
        SqlOperator::Plus => BinaryOperator::Add,
        SqlOperator::Minus => BinaryOperator::Subtract,
        SqlOperator::Multiply => BinaryOperator::Multiply,
        SqlOperator::Divide => BinaryOperator::Divide,
        SqlOperator::Modulo => BinaryOperator::Modulo,
        SqlOperator::StringConcat => BinaryOperator::Concat,
        SqlOperator::Eq => BinaryOperator::Eq,
        SqlOperator::NotEq => BinaryOperator::NotEq,
        SqlOperator::Lt => BinaryOperator::Lt,
        SqlOperator::LtEq => BinaryOperator::LtEq,
        SqlOperator::Gt => BinaryOperator::Gt,
        SqlOperator::GtEq => BinaryOperator::GtEq,
        SqlOperator::And => BinaryOperator::And,
        SqlOperator::Or => BinaryOperator::Or,
        _ => return None,
    })
}
