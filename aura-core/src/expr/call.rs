//! Calls of functions, with their arguments.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use super::ast::{Constant, Expression};
use super::convert::{Converter, at_of};
use super::function::{AggregateKind, DATE_PARTS, ScalarFunction, date_part, refusal, trunc_part};
use super::leaf::Leaf;
use super::lex::fault;
use crate::document::{Fault, Place, shortened};

impl Converter<'_> {
    /// Reads the part of a moment that a function is asked for.
    pub(super) fn part<L: Leaf>(
        &self,
        function: ScalarFunction,
        name: &str,
        at: Place,
    ) -> Result<Expression<L>, Fault> {
        let known = match function {
            ScalarFunction::DateTrunc => trunc_part(name),
            _ => date_part(name),
        };
        match known {
            Some(part) => Ok(Expression::Constant(Constant::Text(part.to_owned()))),
            None => {
                let known = match function {
                    ScalarFunction::DateTrunc => {
                        "second, minute, hour, day, week, month, quarter, year".to_owned()
                    }
                    _ => DATE_PARTS.join(", "),
                };
                let name = name.to_ascii_lowercase();
                let name = shortened(&name);
                Err(fault(
                    at,
                    format!(
                        "`{}` knows no part `{name}`; known are {known}",
                        function.name()
                    ),
                ))
            }
        }
    }

    pub(super) fn function<L: Leaf>(
        &self,
        whole: &Expr,
        call: &Function,
    ) -> Result<Expression<L>, Fault> {
        let at = at_of(whole);
        let name = call.name.to_string();
        if call.over.is_some() {
            return Err(fault(
                at,
                format!(
                    "`{}` with `over` is a window function and not allowed in a metric; use `kind: cumulative`, or an offset",
                    shortened(&name)
                ),
            ));
        }
        if call.null_treatment.is_some() || !matches!(call.parameters, FunctionArguments::None) {
            return Err(fault(
                at,
                format!("`{}` takes arguments only", shortened(&name)),
            ));
        }
        if let Some(kind) = AggregateKind::find(&name) {
            return L::aggregate(self, kind, call, at);
        }
        let Some(function) = ScalarFunction::find(&name) else {
            return Err(fault(at, refusal(&name, L::AGGREGATES)));
        };
        let name = function.name();
        if call.filter.is_some() || !call.within_group.is_empty() {
            return Err(fault(
                at,
                format!("`filter` is for aggregates, and `{name}` is none"),
            ));
        }
        let FunctionArguments::List(list) = &call.args else {
            return Err(fault(
                at,
                format!("`{name}` needs its arguments in parentheses"),
            ));
        };
        if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(fault(
                at,
                format!("`distinct` is for aggregates, and `{name}` is none"),
            ));
        }
        let (least, most) = function.arity();
        if list.args.len() < least || list.args.len() > most {
            let count = match (least, most) {
                (a, b) if a == b => a.to_string(),
                (a, b) => format!("{a} to {b}"),
            };
            return Err(fault(
                at,
                format!(
                    "`{name}` takes {count} arguments, found {}",
                    list.args.len()
                ),
            ));
        }
        let mut arguments = Vec::with_capacity(list.args.len());
        for argument in &list.args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else {
                return Err(fault(
                    at,
                    format!("the arguments of `{name}` have no names and no `*`"),
                ));
            };
            let mut argument = self.expression(expr)?;
            if arguments.is_empty()
                && matches!(
                    function,
                    ScalarFunction::DatePart | ScalarFunction::DateTrunc
                )
            {
                let Expression::Constant(Constant::Text(part)) = &argument else {
                    return Err(fault(
                        at_of(expr),
                        format!(
                            "the first argument of `{name}` is a part in quotes, such as 'day'"
                        ),
                    ));
                };
                argument = self.part(function, part, at_of(expr))?;
            }
            arguments.push(argument);
        }
        if function == ScalarFunction::RegexpLike {
            check_pattern(arguments.get(1)).map_err(|m| fault(at, m))?;
        }
        Ok(Expression::Call {
            function,
            arguments,
        })
    }
}

/// A pattern is a constant, so that it is checked once, at load.
fn check_pattern<L>(pattern: Option<&Expression<L>>) -> Result<(), String> {
    let Some(Expression::Constant(Constant::Text(pattern))) = pattern else {
        return Err("the pattern of `regexp_like` is a text in quotes".to_owned());
    };
    let built = regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .nest_limit(64)
        .build();
    built.map(|_| ()).map_err(|e| {
        let text = e.to_string();
        let reason = text.lines().last().unwrap_or(&text).trim();
        let reason = reason.strip_prefix("error: ").unwrap_or(reason);
        format!(
            "{:?} is not a regular expression: {reason}",
            shortened(pattern)
        )
    })
}
