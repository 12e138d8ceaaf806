//! Trees back into text. Reading the text gives the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;

use super::ast::{
    Aggregate, BinaryOperator, Column, Constant, Expression, MetricReference, Term, Truth,
};
use super::function::AggregateFunction;

/// How strongly an expression holds together; a part that holds less than its place needs parentheses.
fn strength<L>(expr: &Expression<L>) -> u8 {
    match expr {
        Expression::Binary { operator, .. } => rank(*operator),
        Expression::Not(_) => 3,
        Expression::Is { .. }
        | Expression::In { .. }
        | Expression::Between { .. }
        | Expression::Like { .. } => 4,
        Expression::Negate(_) => 8,
        Expression::Constant(Constant::Integer(v)) if *v < 0 => 8,
        Expression::Constant(Constant::Number(v)) if v.is_sign_negative() => 8,
        _ => 9,
    }
}

/// How strongly an operator binds.
fn rank(operator: BinaryOperator) -> u8 {
    match operator {
        BinaryOperator::Or => 1,
        BinaryOperator::And => 2,
        BinaryOperator::Concat => 5,
        BinaryOperator::Add | BinaryOperator::Subtract => 6,
        BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo => 7,
        _ => 4,
    }
}

/// How strongly an operand of `operator` must hold together.
fn operand_strength(operator: BinaryOperator) -> u8 {
    match operator {
        BinaryOperator::Or | BinaryOperator::And => 3,
        BinaryOperator::Add | BinaryOperator::Subtract => 7,
        comparison if comparison.is_comparison() => 6,
        _ => 8,
    }
}

struct Part<'a, L>(&'a Expression<L>, u8);

impl<L: Display> Display for Part<'_, L> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if strength(self.0) >= self.1 {
            self.0.fmt(f)
        } else {
            write!(f, "({})", self.0)
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

fn list<L: Display>(f: &mut Formatter<'_>, items: &[Expression<L>]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// Tells whether an operand on the left of `operator` may stand without parentheses.
fn leans(left: BinaryOperator, operator: BinaryOperator) -> bool {
    // The same rank reads from the left; a comparison of a comparison is not everybody's reading.
    let same = rank(left) == rank(operator) && !left.is_comparison();
    same || rank(left) >= operand_strength(operator)
}

impl<L: Display> Display for Expression<L> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Leaf(leaf) => leaf.fmt(f),
            Expression::Constant(constant) => constant.fmt(f),
            Expression::Not(expr) => write!(f, "not {}", Part(expr, 3)),
            // Two signs without a blank would begin a comment.
            Expression::Negate(expr) if strength(expr) == 8 => write!(f, "- {expr}"),
            Expression::Negate(expr) => write!(f, "-{}", Part(expr, 9)),
            Expression::Binary { .. } => {
                // A chain leans to the left; it is walked, not recursed into.
                let mut spine = Vec::new();
                let mut first = self;
                while let Expression::Binary {
                    left,
                    operator,
                    right,
                } = first
                {
                    spine.push((*operator, right));
                    first = left;
                    match first {
                        Expression::Binary {
                            operator: inner, ..
                        } if leans(*inner, *operator) => {}
                        _ => break,
                    }
                }
                let innermost = spine.last().map(|(operator, _)| *operator);
                Part(first, innermost.map_or(9, operand_strength)).fmt(f)?;
                for (operator, right) in spine.into_iter().rev() {
                    write!(
                        f,
                        " {} {}",
                        operator.sign(),
                        Part(right, operand_strength(operator))
                    )?;
                }
                Ok(())
            }
            Expression::Is {
                expr,
                test,
                negated,
            } => {
                let test = match test {
                    Truth::Null => "null",
                    Truth::True => "true",
                    Truth::False => "false",
                };
                write!(f, "{} is {}{test}", Part(expr, 8), not(*negated))
            }
            Expression::In {
                expr,
                list: items,
                negated,
            } => {
                write!(f, "{} {}in (", Part(expr, 8), not(*negated))?;
                list(f, items)?;
                f.write_str(")")
            }
            Expression::Between {
                expr,
                low,
                high,
                negated,
            } => write!(
                f,
                "{} {}between {} and {}",
                Part(expr, 8),
                not(*negated),
                Part(low, 8),
                Part(high, 8)
            ),
            Expression::Like {
                expr,
                pattern,
                escape,
                ignore_case,
                negated,
            } => {
                let word = if *ignore_case { "ilike" } else { "like" };
                write!(f, "{} {}{word} ", Part(expr, 8), not(*negated))?;
                quoted(f, pattern)?;
                if let Some(escape) = escape {
                    f.write_str(" escape ")?;
                    quoted(f, &escape.to_string())?;
                }
                Ok(())
            }
            Expression::Case {
                operand,
                branches,
                otherwise,
            } => {
                f.write_str("case")?;
                if let Some(operand) = operand {
                    write!(f, " {operand}")?;
                }
                for (condition, result) in branches {
                    write!(f, " when {condition} then {result}")?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " else {otherwise}")?;
                }
                f.write_str(" end")
            }
            Expression::Cast { expr, to, or_null } => {
                let word = if *or_null { "try_cast" } else { "cast" };
                write!(f, "{word}({expr} as {})", to.name())
            }
            Expression::Call {
                function,
                arguments,
            } => {
                write!(f, "{}(", function.name())?;
                list(f, arguments)?;
                f.write_str(")")
            }
        }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        if c == '\'' {
            f.write_char('\'')?;
        }
        f.write_char(c)?;
    }
    f.write_char('\'')
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Constant::Null => f.write_str("null"),
            Constant::Boolean(v) => write!(f, "{v}"),
            Constant::Integer(v) => write!(f, "{v}"),
            Constant::Number(v) => write!(f, "{v:?}"),
            Constant::Text(v) => quoted(f, v),
            Constant::Time(us) => match jiff::Timestamp::from_microsecond(*us) {
                Ok(moment) => write!(f, "timestamp '{moment}'"),
                Err(_) => f.write_str("null"),
            },
            Constant::Date(days) => {
                let day = jiff::Span::new()
                    .try_days(*days)
                    .and_then(|days| jiff::civil::date(1970, 1, 1).checked_add(days));
                match day {
                    Ok(day) => write!(f, "date '{day}'"),
                    Err(_) => f.write_str("null"),
                }
            }
            Constant::Span(span) => write!(f, "interval '{span}'"),
        }
    }
}

/// Words of SQL that are names of columns just as well; of the others nobody has to know which.
pub(super) const FREE_KEYWORDS: &[&str] = &[
    "action",
    "app",
    "browser",
    "category",
    "channel",
    "city",
    "class",
    "comment",
    "content",
    "country",
    "currency",
    "data",
    "date",
    "day",
    "device",
    "domain",
    "duration",
    "email",
    "event",
    "events",
    "feature",
    "format",
    "group_id",
    "hour",
    "id",
    "key",
    "label",
    "language",
    "level",
    "location",
    "message",
    "method",
    "minute",
    "mode",
    "model",
    "module",
    "month",
    "name",
    "number",
    "object",
    "operation",
    "os",
    "owner",
    "path",
    "plan",
    "platform",
    "priority",
    "project",
    "quarter",
    "reason",
    "region",
    "role",
    "schedule",
    "section",
    "session",
    "severity",
    "size",
    "source",
    "stage",
    "state",
    "status",
    "step",
    "summary",
    "system",
    "tag",
    "target",
    "team",
    "text",
    "time",
    "timestamp",
    "title",
    "type",
    "url",
    "user_id",
    "username",
    "value",
    "version",
    "view",
    "week",
    "work",
    "year",
    "zone",
];

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.0.as_str();
        let mut chars = name.chars();
        let plain = chars
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
        let lower = name.to_ascii_lowercase();
        let keyword = ALL_KEYWORDS
            .binary_search(&name.to_ascii_uppercase().as_str())
            .is_ok()
            && !FREE_KEYWORDS.contains(&lower.as_str());
        if plain && !keyword {
            f.write_str(name)
        } else {
            write!(f, "\"{}\"", name.replace('"', "\"\""))
        }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Term::Aggregate(aggregate) => aggregate.fmt(f),
            Term::Metric(reference) => reference.fmt(f),
        }
    }
}

impl Display for MetricReference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{{{} offset {offset}}}", self.name),
            None => write!(f, "{{{}}}", self.name),
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.kind().name())?;
        if self.distinct {
            f.write_str("distinct ")?;
        }
        if self.arguments.is_empty() {
            f.write_char('*')?;
        }
        list(f, &self.arguments)?;
        if let AggregateFunction::PercentileCont(share) = self.function {
            write!(f, ", {share}")?;
        }
        f.write_char(')')?;
        if let Some(filter) = &self.filter {
            write!(f, " filter (where {filter})")?;
        }
        Ok(())
    }
}
