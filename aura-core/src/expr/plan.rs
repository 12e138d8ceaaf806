//! Trees into DataFusion's expressions.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column as DfColumn, DFSchema, ScalarValue};
use datafusion::functions::{core, datetime, regex, string, unicode};
use datafusion::functions_aggregate as aggregates;
use datafusion::logical_expr::expr::{AggregateFunction as DfAggregate, InList};
use datafusion::logical_expr::{
    AggregateUDF, Between, BinaryExpr, Case, Expr, ExprSchemable, Like, Operator, ScalarUDF, cast,
    lit, try_cast,
};

use super::ast::{
    Aggregate, BinaryOperator, Column, Constant, Expression, Formula, MetricReference, RowExpr,
    Term, Truth,
};
use super::function::{AggregateFunction, CastType, ScalarFunction};
use super::percentile::percentile;
use crate::document::{nearest, shortened};
use crate::time::{Span, SpanUnit};
use crate::{Error, Result};

/// Puts values into one text that no other values give, none of which is null. A `struct` would say the same, but DataFusion keeps the
/// whole batch for each struct that it counts.
fn combined(values: Vec<Expr>) -> Expr {
    let texts = values.into_iter().map(|value| {
        let text = cast(value, DataType::Utf8);
        let length = cast(
            unicode::character_length().call(vec![text.clone()]),
            DataType::Utf8,
        );
        [length, lit(":"), text]
    });
    string::concat().call(texts.flatten().collect())
}

/// What an expression needs to know to become a plan: the columns, and the zone of date parts.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'a> {
    schema: &'a DFSchema,
    zone: &'a str,
}

impl<'a> PlanContext<'a> {
    /// Makes a context over the columns of `schema`; days, hours and other parts of moments are those of
    /// the IANA zone `zone`.
    pub fn new(schema: &'a DFSchema, zone: &'a str) -> Self {
        PlanContext { schema, zone }
    }

    fn column(&self, name: &str) -> Result<Expr> {
        let column = DfColumn::new_unqualified(name);
        match self.schema.qualified_field_with_unqualified_name(name) {
            Ok((qualifier, field)) => Ok(Expr::Column(DfColumn::new(
                qualifier.cloned(),
                field.name(),
            ))),
            Err(_) if self.schema.has_column(&column) => Ok(Expr::Column(column)),
            Err(_) => {
                let names = self.schema.fields().iter().map(|f| f.name().as_str());
                Err(Error::invalid_spec(no_column(name, names)))
            }
        }
    }

    /// Reads a moment by the clock of the zone; leaves days as they are.
    fn local(&self, expr: Expr) -> Result<Expr> {
        Ok(match expr.get_type(self.schema)? {
            DataType::Timestamp(_, _) => cast(
                expr,
                DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from(self.zone))),
            ),
            _ => expr,
        })
    }
}

impl RowExpr {
    /// Makes DataFusion's expression.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when the events have no such column, or when types do
    /// not fit a function.
    pub fn to_expr(&self, cx: &PlanContext<'_>) -> Result<Expr> {
        convert(self, cx, &mut |Column(name)| cx.column(name))
    }
}

impl Formula {
    /// Makes DataFusion's expression over aggregates: `aggregate` says what stands for an aggregate — the
    /// function itself ([`Aggregate::to_expr`]) or the column of a plan that computed it — and `metric` what
    /// stands for another metric.
    ///
    /// # Errors
    /// As [`RowExpr::to_expr`], and the errors of `aggregate` and `metric`.
    pub fn to_expr(
        &self,
        cx: &PlanContext<'_>,
        aggregate: &mut dyn FnMut(&Aggregate) -> Result<Expr>,
        metric: &mut dyn FnMut(&MetricReference) -> Result<Expr>,
    ) -> Result<Expr> {
        convert(self, cx, &mut |term| match term {
            Term::Aggregate(inner) => aggregate(inner),
            Term::Metric(reference) => metric(reference),
        })
    }
}

impl Aggregate {
    /// Makes DataFusion's aggregate.
    ///
    /// # Errors
    /// As [`RowExpr::to_expr`].
    pub fn to_expr(&self, cx: &PlanContext<'_>) -> Result<Expr> {
        let mut arguments = self
            .arguments
            .iter()
            .map(|a| a.to_expr(cx))
            .collect::<Result<Vec<_>>>()?;
        for argument in &mut arguments {
            match (argument.get_type(cx.schema)?, self.function) {
                // A column without any value has a type that most functions do not know.
                (DataType::Null, AggregateFunction::Count | AggregateFunction::ApproxDistinct) => {}
                // The sketch of the engine takes no floating-point numbers.
                (
                    DataType::Float16 | DataType::Float32 | DataType::Float64,
                    AggregateFunction::ApproxDistinct,
                ) => *argument = cast(argument.clone(), DataType::Utf8),
                (DataType::Null, _) => *argument = float(argument.clone()),
                _ => {}
            }
        }
        let mut filter = self.filter.as_ref().map(|f| f.to_expr(cx)).transpose()?;
        let mut distinct = self.distinct;
        let function: Arc<AggregateUDF> = match self.function {
            AggregateFunction::Count if arguments.is_empty() => {
                arguments.push(lit(1_i64));
                aggregates::count::count_udaf()
            }
            AggregateFunction::Count => {
                if arguments.len() > 1 {
                    // A combination counts when all of its parts are there.
                    for part in &arguments {
                        let there = part.clone().is_not_null();
                        filter = Some(match filter {
                            Some(filter) => filter.and(there),
                            None => there,
                        });
                    }
                    arguments = vec![if distinct {
                        combined(arguments)
                    } else {
                        lit(1_i64)
                    }];
                }
                aggregates::count::count_udaf()
            }
            AggregateFunction::Sum => aggregates::sum::sum_udaf(),
            AggregateFunction::Avg => aggregates::average::avg_udaf(),
            AggregateFunction::Min => aggregates::min_max::min_udaf(),
            AggregateFunction::Max => aggregates::min_max::max_udaf(),
            AggregateFunction::Median | AggregateFunction::PercentileCont(_) => {
                // Of integers DataFusion's median is an integer, and its overflow is not ours.
                arguments = arguments.into_iter().map(float).collect();
                match self.function {
                    AggregateFunction::PercentileCont(share) => percentile(share),
                    _ => aggregates::median::median_udaf(),
                }
            }
            AggregateFunction::ApproxDistinct => {
                distinct = false;
                aggregates::approx_distinct::approx_distinct_udaf()
            }
        };
        let filter = filter.map(Box::new);
        Ok(Expr::AggregateFunction(DfAggregate::new_udf(
            function,
            arguments,
            distinct,
            filter,
            Vec::new(),
            None,
        )))
    }
}

/// Says that there is no such column, and which are meant or are there.
fn no_column<'a>(name: &str, columns: impl Iterator<Item = &'a str> + Clone) -> String {
    const SHOWN: usize = 20;
    let hint = match nearest(name, columns.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let count = columns.clone().count();
            let listed: Vec<String> = columns.take(SHOWN).map(|c| format!("`{c}`")).collect();
            let more = match count.saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("they have {}{more}", listed.join(", "))
        }
    };
    format!("the events have no column `{}`; {hint}", shortened(name))
}

fn float(expr: Expr) -> Expr {
    cast(expr, DataType::Float64)
}

type LeafOf<'f, L> = &'f mut dyn FnMut(&L) -> Result<Expr>;

fn convert<L>(expr: &Expression<L>, cx: &PlanContext<'_>, leaf: LeafOf<'_, L>) -> Result<Expr> {
    Ok(match expr {
        Expression::Leaf(l) => leaf(l)?,
        Expression::Constant(constant) => lit(scalar(constant)),
        Expression::Not(e) => Expr::Not(Box::new(convert(e, cx, leaf)?)),
        Expression::Negate(e) => Expr::Negative(Box::new(convert(e, cx, leaf)?)),
        Expression::Binary { .. } => {
            let mut spine = Vec::new();
            let mut first = expr;
            while let Expression::Binary {
                left,
                operator,
                right,
            } = first
            {
                spine.push((*operator, right));
                first = left;
            }
            let mut result = convert(first, cx, leaf)?;
            for (operator, right) in spine.into_iter().rev() {
                result = binary(result, operator, convert(right, cx, leaf)?);
            }
            result
        }
        Expression::Is {
            expr,
            test,
            negated,
        } => {
            let inner = Box::new(convert(expr, cx, leaf)?);
            match (test, negated) {
                (Truth::Null, false) => Expr::IsNull(inner),
                (Truth::Null, true) => Expr::IsNotNull(inner),
                (Truth::True, false) => Expr::IsTrue(inner),
                (Truth::True, true) => Expr::IsNotTrue(inner),
                (Truth::False, false) => Expr::IsFalse(inner),
                (Truth::False, true) => Expr::IsNotFalse(inner),
            }
        }
        Expression::In {
            expr,
            list,
            negated,
        } => {
            let inner = Box::new(convert(expr, cx, leaf)?);
            let list = list
                .iter()
                .map(|e| convert(e, cx, leaf))
                .collect::<Result<Vec<_>>>()?;
            Expr::InList(InList::new(inner, list, *negated))
        }
        Expression::Between {
            expr,
            low,
            high,
            negated,
        } => {
            let inner = Box::new(convert(expr, cx, leaf)?);
            let low = Box::new(convert(low, cx, leaf)?);
            let high = Box::new(convert(high, cx, leaf)?);
            Expr::Between(Between::new(inner, *negated, low, high))
        }
        Expression::Like {
            expr,
            pattern,
            escape,
            ignore_case,
            negated,
        } => Expr::Like(Like::new(
            *negated,
            Box::new(convert(expr, cx, leaf)?),
            Box::new(lit(backslashed(pattern, *escape))),
            None,
            *ignore_case,
        )),
        Expression::Case {
            operand,
            branches,
            otherwise,
        } => {
            let operand = match operand {
                Some(e) => Some(Box::new(convert(e, cx, leaf)?)),
                None => None,
            };
            let branches = branches
                .iter()
                .map(|(condition, result)| {
                    let condition = Box::new(convert(condition, cx, leaf)?);
                    Ok((condition, Box::new(convert(result, cx, leaf)?)))
                })
                .collect::<Result<Vec<_>>>()?;
            let otherwise = match otherwise {
                Some(e) => Some(Box::new(convert(e, cx, leaf)?)),
                None => None,
            };
            Expr::Case(Case::new(operand, branches, otherwise))
        }
        Expression::Cast { expr, to, or_null } => {
            let inner = convert(expr, cx, leaf)?;
            let (inner, to) = match to {
                CastType::Integer => (inner, DataType::Int64),
                CastType::Number => (inner, DataType::Float64),
                CastType::Text => (inner, DataType::Utf8),
                CastType::Boolean => (inner, DataType::Boolean),
                CastType::Date => (cx.local(inner)?, DataType::Date32),
                CastType::Timestamp => (inner, crate::event::time_type()),
            };
            if *or_null {
                try_cast(inner, to)
            } else {
                cast(inner, to)
            }
        }
        Expression::Call {
            function,
            arguments,
        } => {
            let mut arguments = arguments
                .iter()
                .map(|e| convert(e, cx, leaf))
                .collect::<Result<Vec<_>>>()?;
            if matches!(
                function,
                ScalarFunction::DatePart | ScalarFunction::DateTrunc
            ) && let Some(moment) = arguments.pop()
            {
                arguments.push(cx.local(moment)?);
            }
            udf(*function).call(arguments)
        }
    })
}

/// Writes a pattern with the only escape that the engine knows, the backslash, which it knows always.
pub(crate) fn backslashed(pattern: &str, escape: Option<char>) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == escape => {
                // What follows stands for itself, which is checked where patterns are read.
                let Some(next) = chars.next() else { break };
                if matches!(next, '%' | '_' | '\\') {
                    text.push('\\');
                }
                text.push(next);
            }
            '\\' => text.push_str("\\\\"),
            c => text.push(c),
        }
    }
    text
}

fn binary(left: Expr, operator: BinaryOperator, right: Expr) -> Expr {
    let (left, op, right) = match operator {
        BinaryOperator::Divide => (
            float(left),
            Operator::Divide,
            core::nullif().call(vec![float(right), lit(0.0)]),
        ),
        BinaryOperator::Modulo => (
            left,
            Operator::Modulo,
            core::nullif().call(vec![right, lit(0_i64)]),
        ),
        BinaryOperator::Add => (left, Operator::Plus, right),
        BinaryOperator::Subtract => (left, Operator::Minus, right),
        BinaryOperator::Multiply => (left, Operator::Multiply, right),
        BinaryOperator::Concat => (left, Operator::StringConcat, right),
        BinaryOperator::Eq => (left, Operator::Eq, right),
        BinaryOperator::NotEq => (left, Operator::NotEq, right),
        BinaryOperator::Lt => (left, Operator::Lt, right),
        BinaryOperator::LtEq => (left, Operator::LtEq, right),
        BinaryOperator::Gt => (left, Operator::Gt, right),
        BinaryOperator::GtEq => (left, Operator::GtEq, right),
        BinaryOperator::And => (left, Operator::And, right),
        BinaryOperator::Or => (left, Operator::Or, right),
    };
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn scalar(constant: &Constant) -> ScalarValue {
    match constant {
        Constant::Null => ScalarValue::Null,
        Constant::Boolean(v) => ScalarValue::from(*v),
        Constant::Integer(v) => ScalarValue::from(*v),
        Constant::Number(v) => ScalarValue::from(*v),
        Constant::Text(v) => ScalarValue::from(v.as_str()),
        Constant::Time(us) => ScalarValue::TimestampMicrosecond(Some(*us), Some(Arc::from("UTC"))),
        Constant::Date(days) => ScalarValue::Date32(Some(*days)),
        Constant::Span(span) => interval(*span),
    }
}

/// Makes an interval; spans hold at most a million units, so nothing overflows.
fn interval(span: Span) -> ScalarValue {
    const SECOND_NS: i64 = 1_000_000_000;
    let count = span.count() as i32;
    let (months, days, nanoseconds) = match span.unit() {
        SpanUnit::Second => (0, 0, i64::from(count) * SECOND_NS),
        SpanUnit::Minute => (0, 0, i64::from(count) * 60 * SECOND_NS),
        SpanUnit::Hour => (0, 0, i64::from(count) * 3_600 * SECOND_NS),
        SpanUnit::Day => (0, count, 0),
        SpanUnit::Week => (0, count * 7, 0),
        SpanUnit::Month => (count, 0, 0),
        SpanUnit::Quarter => (count * 3, 0, 0),
        SpanUnit::Year => (count * 12, 0, 0),
    };
    ScalarValue::new_interval_mdn(months, days, nanoseconds)
}

fn udf(function: ScalarFunction) -> Arc<ScalarUDF> {
    match function {
        ScalarFunction::Coalesce => core::coalesce(),
        ScalarFunction::NullIf => core::nullif(),
        ScalarFunction::Greatest => core::greatest(),
        ScalarFunction::Least => core::least(),
        ScalarFunction::Lower => string::lower(),
        ScalarFunction::Upper => string::upper(),
        ScalarFunction::Trim => string::btrim(),
        ScalarFunction::Length => unicode::character_length(),
        ScalarFunction::Substr => unicode::substr(),
        ScalarFunction::StartsWith => string::starts_with(),
        ScalarFunction::EndsWith => string::ends_with(),
        ScalarFunction::Contains => string::contains(),
        ScalarFunction::SplitPart => string::split_part(),
        ScalarFunction::Replace => string::replace(),
        ScalarFunction::Concat => string::concat(),
        ScalarFunction::RegexpLike => regex::regexp_like(),
        ScalarFunction::DatePart => datetime::date_part(),
        ScalarFunction::DateTrunc => datetime::date_trunc(),
    }
}
