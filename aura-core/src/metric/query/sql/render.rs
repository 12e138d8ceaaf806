//! Expressions in a dialect.

use crate::event::TIME;
use crate::expr::{
    Aggregate, AggregateFunction, BinaryOperator, CastType, Column, Constant, Expression, Formula,
    RowExpr, ScalarFunction, Term, Truth, backslashed,
};
use crate::time::SpanUnit;
use crate::{Error, Result};

use super::dialect::SqlDialect;
use super::source::SqlSource;

/// Writes expressions over the columns of a source.
pub(super) struct Render<'a> {
    pub(super) dialect: SqlDialect,
    pub(super) source: &'a SqlSource,
    pub(super) zone: &'a str,
}

type Leaf<'f, L> = &'f dyn Fn(&L) -> Result<String>;

impl Render<'_> {
    pub(super) fn column(&self, name: &str) -> String {
        format!("e.{}", self.dialect.name_of(self.source.column(name)))
    }

    pub(super) fn row(&self, expr: &RowExpr) -> Result<String> {
        self.expression(expr, &|Column(name)| Ok(self.column(name)))
    }

    pub(super) fn formula(
        &self,
        formula: &Formula,
        leaf: &dyn Fn(&Term) -> Result<String>,
    ) -> Result<String> {
        self.expression(formula, leaf)
    }

    fn no(&self, what: &str) -> Error {
        Error::invalid_spec(format!(
            "{what} cannot be said in the SQL of {}",
            self.dialect.name()
        ))
    }

    /// Writes an aggregate, its filter as a `CASE`, which every dialect has.
    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> Result<String> {
        let filter = aggregate.filter.as_ref().map(|f| self.row(f)).transpose()?;
        let args = aggregate
            .arguments
            .iter()
            .map(|a| self.row(a))
            .collect::<Result<Vec<_>>>()?;
        if args.len() > 1 {
            let there = args.iter().map(|a| format!("{a} IS NOT NULL"));
            let conditions: Vec<String> = filter.into_iter().chain(there).collect();
            let condition = conditions.join(" AND ");
            return Ok(match aggregate.distinct {
                true => self.dialect.distinct_rows(&condition, &args),
                false => format!("COUNT(CASE WHEN {condition} THEN 1 END)"),
            });
        }
        let argument = match (args.first(), filter) {
            (None, None) => return Ok("COUNT(*)".to_owned()),
            (None, Some(filter)) => format!("CASE WHEN {filter} THEN 1 END"),
            (Some(argument), None) => argument.clone(),
            (Some(argument), Some(filter)) => format!("CASE WHEN {filter} THEN {argument} END"),
        };
        self.dialect
            .aggregate(aggregate.function, aggregate.distinct, &argument)
            .ok_or_else(|| {
                let name = match aggregate.function {
                    AggregateFunction::Median => "a median in a group",
                    AggregateFunction::PercentileCont(_) => "a percentile in a group",
                    _ => "an approximate number of different values",
                };
                self.no(name)
            })
    }

    fn expression<L>(&self, expr: &Expression<L>, leaf: Leaf<'_, L>) -> Result<String> {
        let not = |negated: bool| if negated { "NOT " } else { "" };
        let inner = |e: &Expression<L>| self.expression(e, leaf);
        Ok(match expr {
            Expression::Leaf(l) => leaf(l)?,
            Expression::Constant(constant) => self.constant(constant)?,
            Expression::Not(e) => format!("(NOT {})", inner(e)?),
            Expression::Negate(e) => format!("(- {})", inner(e)?),
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
                let mut text = inner(first)?;
                for (operator, right) in spine.into_iter().rev() {
                    text = self.binary(&text, operator, &inner(right)?);
                }
                text
            }
            Expression::Is {
                expr,
                test,
                negated,
            } => {
                let e = inner(expr)?;
                match (test, negated) {
                    (Truth::Null, negated) => format!("({e} IS {}NULL)", not(*negated)),
                    (Truth::True, false) => format!("COALESCE({e}, FALSE)"),
                    (Truth::True, true) => format!("(NOT COALESCE({e}, FALSE))"),
                    (Truth::False, false) => format!("(NOT COALESCE({e}, TRUE))"),
                    (Truth::False, true) => format!("COALESCE({e}, TRUE)"),
                }
            }
            Expression::In {
                expr,
                list,
                negated,
            } => {
                let list = list.iter().map(inner).collect::<Result<Vec<_>>>()?;
                format!(
                    "({} {}IN ({}))",
                    inner(expr)?,
                    not(*negated),
                    list.join(", ")
                )
            }
            Expression::Between {
                expr,
                low,
                high,
                negated,
            } => format!(
                "({} {}BETWEEN {} AND {})",
                inner(expr)?,
                not(*negated),
                inner(low)?,
                inner(high)?
            ),
            Expression::Like {
                expr,
                pattern,
                escape,
                ignore_case,
                negated,
            } => {
                let (e, negated) = (inner(expr)?, not(*negated));
                // The backslash is the escape that every dialect can be told; in BigQuery it is always one.
                let pattern = backslashed(pattern, *escape);
                let escape = match pattern.contains('\\') && self.dialect != SqlDialect::Bigquery {
                    true => format!(" ESCAPE {}", self.dialect.text("\\")),
                    false => String::new(),
                };
                let pattern = self.dialect.text(&pattern);
                match (ignore_case, self.dialect) {
                    (true, SqlDialect::Bigquery) => {
                        format!("(LOWER({e}) {negated}LIKE LOWER({pattern}))")
                    }
                    (true, _) => format!("({e} {negated}ILIKE {pattern}{escape})"),
                    (false, _) => format!("({e} {negated}LIKE {pattern}{escape})"),
                }
            }
            Expression::Case {
                operand,
                branches,
                otherwise,
            } => {
                let mut text = "CASE".to_owned();
                if let Some(operand) = operand {
                    text.push_str(&format!(" {}", inner(operand)?));
                }
                for (condition, result) in branches {
                    text.push_str(&format!(
                        " WHEN {} THEN {}",
                        inner(condition)?,
                        inner(result)?
                    ));
                }
                if let Some(otherwise) = otherwise {
                    text.push_str(&format!(" ELSE {}", inner(otherwise)?));
                }
                text.push_str(" END");
                text
            }
            Expression::Cast { expr, to, or_null } => {
                let mut e = inner(expr)?;
                if *to == CastType::Date && self.is_time(&e) {
                    e = self.dialect.local(&e, self.zone);
                }
                let word = match or_null {
                    true => self
                        .dialect
                        .try_cast()
                        .ok_or_else(|| self.no("`try_cast`"))?,
                    false => "CAST",
                };
                format!("{word}({e} AS {})", self.dialect.type_name(*to))
            }
            Expression::Call {
                function,
                arguments,
            } => self.call(*function, arguments, leaf)?,
        })
    }

    fn is_time(&self, text: &str) -> bool {
        text == self.column(TIME)
    }

    fn call<L>(
        &self,
        function: ScalarFunction,
        arguments: &[Expression<L>],
        leaf: Leaf<'_, L>,
    ) -> Result<String> {
        let args = arguments
            .iter()
            .map(|a| self.expression(a, leaf))
            .collect::<Result<Vec<_>>>()?;
        let is_date = matches!(
            function,
            ScalarFunction::DatePart | ScalarFunction::DateTrunc
        );
        if is_date
            && let (Some(Expression::Constant(Constant::Text(part))), Some(moment)) =
                (arguments.first(), args.get(1))
        {
            if !self.is_time(moment) {
                return Err(
                    self.no("a part of a column other than the time, whose type is not known,")
                );
            }
            if function == ScalarFunction::DateTrunc {
                return match self.dialect {
                    SqlDialect::Duckdb | SqlDialect::Postgresql => Ok(format!(
                        "(DATE_TRUNC({}, {}) AT TIME ZONE {})",
                        self.dialect.text(part),
                        self.dialect.local(moment, self.zone),
                        self.dialect.text(self.zone)
                    )),
                    _ => Err(self.no("`date_trunc` in a zone")),
                };
            }
            if part == "epoch" {
                return match self.dialect {
                    SqlDialect::Duckdb | SqlDialect::Postgresql => {
                        Ok(format!("EXTRACT(epoch FROM {moment})"))
                    }
                    SqlDialect::Snowflake => Ok(format!("DATE_PART(EPOCH_SECOND, {moment})")),
                    SqlDialect::Databricks | SqlDialect::Bigquery => {
                        Ok(format!("UNIX_SECONDS({moment})"))
                    }
                };
            }
            return Ok(self
                .dialect
                .date_part(part, &self.dialect.local(moment, self.zone)));
        }
        self.dialect
            .call(function, &args)
            .ok_or_else(|| self.no(&format!("`{}`", function.name())))
    }

    fn binary(&self, left: &str, operator: BinaryOperator, right: &str) -> String {
        let double = self.dialect.type_name(CastType::Number);
        match (operator, self.dialect) {
            (BinaryOperator::Divide, _) => {
                format!("(CAST({left} AS {double}) / NULLIF(CAST({right} AS {double}), 0))")
            }
            (BinaryOperator::Modulo, _) => format!("MOD({left}, NULLIF({right}, 0))"),
            (operator, _) => format!("({left} {} {right})", operator.sign().to_uppercase()),
        }
    }

    fn constant(&self, constant: &Constant) -> Result<String> {
        let d = self.dialect;
        Ok(match constant {
            Constant::Null => "NULL".to_owned(),
            Constant::Boolean(v) => v.to_string().to_uppercase(),
            Constant::Integer(v) => v.to_string(),
            Constant::Number(v) => format!("CAST({v:?} AS {})", d.type_name(CastType::Number)),
            Constant::Text(v) => d.text(v),
            Constant::Time(us) => d.moment(*us).ok_or_else(|| self.no("this moment"))?,
            Constant::Date(days) => {
                let us = i64::from(*days) * 86_400_000_000;
                let at = jiff::Timestamp::from_microsecond(us).map_err(|_| self.no("this day"))?;
                format!("DATE '{}'", at.strftime("%Y-%m-%d"))
            }
            Constant::Span(span) => {
                // Not every dialect knows quarters.
                let (count, unit) = match span.unit() {
                    SpanUnit::Quarter => (u64::from(span.count()) * 3, "month"),
                    unit => (u64::from(span.count()), unit.name()),
                };
                if d == SqlDialect::Bigquery && span.unit() >= SpanUnit::Month {
                    // Its moments move by days at most.
                    return Err(self.no("a length of time in months or years"));
                }
                match d {
                    SqlDialect::Duckdb | SqlDialect::Postgresql | SqlDialect::Snowflake => {
                        format!("INTERVAL '{count} {unit}'")
                    }
                    SqlDialect::Databricks => {
                        format!("INTERVAL '{count}' {}", unit.to_uppercase())
                    }
                    SqlDialect::Bigquery => format!("INTERVAL {count} {}", unit.to_uppercase()),
                }
            }
        })
    }
}
