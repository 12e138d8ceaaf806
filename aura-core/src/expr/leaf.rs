//! What differs between expressions over rows and formulas over aggregates.

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::ast::{Aggregate, Column, Constant, Expression, MetricReference, Term};
use super::convert::{Converter, at_of};
use super::function::{AggregateFunction, AggregateKind};
use super::lex::{Brace, fault};
use super::{Bound, RowExpr, shape};
use crate::document::{Fault, Place, nearest, shortened};

/// The leaves of an expression: how names, braces and aggregates become one.
pub(super) trait Leaf: Sized {
    /// Whether aggregates may be called, for suggestions.
    const AGGREGATES: bool;

    fn column(name: &str, at: Place) -> Result<Expression<Self>, Fault>;

    fn brace(cx: &Converter<'_>, brace: &Brace) -> Result<Expression<Self>, Fault>;

    fn aggregate(
        cx: &Converter<'_>,
        kind: AggregateKind,
        call: &Function,
        at: Place,
    ) -> Result<Expression<Self>, Fault>;
}

impl Leaf for Column {
    const AGGREGATES: bool = false;

    fn column(name: &str, _: Place) -> Result<Expression<Self>, Fault> {
        Ok(Expression::Leaf(Column(name.to_owned())))
    }

    fn brace(cx: &Converter<'_>, brace: &Brace) -> Result<Expression<Self>, Fault> {
        let name = shortened(&brace.name);
        match cx.scope.get(&brace.name) {
            Some(_) if brace.offset.is_some() => Err(fault(
                brace.at,
                format!("`{name}` is a parameter and has no offset"),
            )),
            Some(Bound::Constant(constant)) => Ok(Expression::Constant(constant.clone())),
            Some(Bound::Column(column)) => Ok(Expression::Leaf(Column(column.clone()))),
            Some(Bound::Condition(condition)) => Ok(condition.clone()),
            None => {
                let hint = match nearest(&brace.name, cx.scope.keys().map(String::as_str)) {
                    Some(meant) => format!("did you mean {{{meant}}}?"),
                    None => {
                        "a metric cannot be named among the rows, only in a formula over metrics"
                            .to_owned()
                    }
                };
                Err(fault(brace.at, format!("`{name}` is no parameter; {hint}")))
            }
        }
    }

    fn aggregate(
        _: &Converter<'_>,
        kind: AggregateKind,
        _: &Function,
        at: Place,
    ) -> Result<Expression<Self>, Fault> {
        Err(fault(
            at,
            format!(
                "`{}` is an aggregate; there is none in a filter, nor inside of another aggregate",
                kind.name()
            ),
        ))
    }
}

impl Leaf for Term {
    const AGGREGATES: bool = true;

    fn column(name: &str, at: Place) -> Result<Expression<Self>, Fault> {
        let name = shortened(name);
        Err(fault(
            at,
            format!(
                "`{name}` is a column outside of an aggregate; aggregate it, such as sum({name}), or name a metric in braces, {{{name}}}"
            ),
        ))
    }

    fn brace(cx: &Converter<'_>, brace: &Brace) -> Result<Expression<Self>, Fault> {
        let name = shortened(&brace.name);
        match cx.scope.get(&brace.name) {
            Some(_) if brace.offset.is_some() => Err(fault(
                brace.at,
                format!("`{name}` is a parameter and has no offset"),
            )),
            Some(Bound::Constant(constant)) => Ok(Expression::Constant(constant.clone())),
            Some(Bound::Column(_) | Bound::Condition(_)) => Err(fault(
                brace.at,
                format!(
                    "the parameter `{name}` stands for columns of rows; use it inside of an aggregate"
                ),
            )),
            None => Ok(Expression::Leaf(Term::Metric(MetricReference {
                name: brace.name.clone(),
                offset: brace.offset,
            }))),
        }
    }

    fn aggregate(
        cx: &Converter<'_>,
        kind: AggregateKind,
        call: &Function,
        at: Place,
    ) -> Result<Expression<Self>, Fault> {
        aggregate(cx, kind, call, at).map(|a| Expression::Leaf(Term::Aggregate(Box::new(a))))
    }
}

fn aggregate(
    cx: &Converter<'_>,
    kind: AggregateKind,
    call: &Function,
    at: Place,
) -> Result<Aggregate, Fault> {
    let name = kind.name();
    let FunctionArguments::List(list) = &call.args else {
        return Err(fault(
            at,
            format!("`{name}` needs its arguments in parentheses"),
        ));
    };
    if !list.clauses.is_empty() {
        return Err(fault(
            at,
            format!("`{name}` takes no clause such as `order by` or `limit` in its parentheses"),
        ));
    }
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let mut arguments: Vec<&Expr> = Vec::new();
    let mut star = false;
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(expr),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => star = true,
            _ => {
                return Err(fault(
                    at,
                    format!("the arguments of `{name}` have no names and no `table.*`"),
                ));
            }
        }
    }
    let filter = match &call.filter {
        Some(filter) => {
            let condition: RowExpr = cx.expression(filter)?;
            shape::check_condition(&condition, &shape::roles)
                .map_err(|m| fault(at_of(filter), m))?;
            super::restricting(condition)
        }
        None => None,
    };
    if star && (kind != AggregateKind::Count || distinct || !arguments.is_empty()) {
        return Err(fault(
            at,
            format!("`*` is for `count(*)` alone; name the column of `{name}`"),
        ));
    }
    let function = match kind {
        AggregateKind::PercentileCont => {
            let share = percentile(call, &mut arguments, at)?;
            AggregateFunction::PercentileCont(share)
        }
        _ if !call.within_group.is_empty() => {
            return Err(fault(
                at,
                format!("`within group` is for `percentile_cont`, not for `{name}`"),
            ));
        }
        AggregateKind::Count => AggregateFunction::Count,
        AggregateKind::Sum => AggregateFunction::Sum,
        AggregateKind::Avg => AggregateFunction::Avg,
        AggregateKind::Min => AggregateFunction::Min,
        AggregateKind::Max => AggregateFunction::Max,
        AggregateKind::Median => AggregateFunction::Median,
        AggregateKind::ApproxDistinct => AggregateFunction::ApproxDistinct,
    };
    if distinct
        && !matches!(
            function,
            AggregateFunction::Count | AggregateFunction::Sum | AggregateFunction::Avg
        )
    {
        return Err(fault(at, format!("`{name}` takes no `distinct`")));
    }
    let (least, most) = match function {
        AggregateFunction::Count if star => (0, 0),
        AggregateFunction::Count if distinct => (1, 8),
        _ => (1, 1),
    };
    if arguments.len() < least || arguments.len() > most {
        let hint = match function {
            AggregateFunction::Count if arguments.is_empty() => "; rows are counted by `count(*)`",
            AggregateFunction::Count => "; combinations are counted by `count(distinct a, b)`",
            _ => "",
        };
        let message = format!(
            "`{name}` takes one argument, found {}{hint}",
            arguments.len()
        );
        return Err(fault(at, message));
    }
    let arguments = arguments
        .into_iter()
        .map(|argument| {
            let expr: RowExpr = cx.expression(argument)?;
            shape::check_argument(function, &expr, &shape::roles)
                .map_err(|m| fault(at_of(argument), m))?;
            Ok(expr)
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    Ok(Aggregate {
        function,
        arguments,
        distinct,
        filter,
    })
}

/// Takes the share out of `percentile_cont(x, 0.95)` or `percentile_cont(0.95) within group (order by x)`.
fn percentile<'e>(
    call: &'e Function,
    arguments: &mut Vec<&'e Expr>,
    at: Place,
) -> Result<f64, Fault> {
    let share = match (arguments.as_slice(), call.within_group.as_slice()) {
        ([value, share], []) => {
            let (value, share) = (*value, *share);
            *arguments = vec![value];
            share
        }
        ([share], [order]) => {
            if order.options.asc == Some(false) {
                return Err(fault(
                    at,
                    "`percentile_cont` orders upwards; take 1 minus the share instead of `desc`",
                ));
            }
            let share = *share;
            *arguments = vec![&order.expr];
            share
        }
        _ => {
            return Err(fault(
                at,
                "`percentile_cont` takes a value and a share, such as percentile_cont(duration, 0.95)",
            ));
        }
    };
    let number = match share {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    };
    number
        .filter(|n: &f64| (0.0..=1.0).contains(n))
        .ok_or_else(|| {
            fault(
                at_of(share),
                "the share of `percentile_cont` is a number from 0 to 1, such as 0.95",
            )
        })
}

/// Makes a number out of its text: an integer if it is one.
pub(super) fn number(text: &str) -> Option<Constant> {
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Constant::Integer(integer));
    }
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite())?;
    Some(Constant::Number(number))
}
