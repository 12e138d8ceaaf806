//! Units of metrics, and what formulas make of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::shortened;
use crate::event::{ACTOR, EVENT_ID};
use crate::expr::{
    AggregateFunction, BinaryOperator, Expression, Formula, MetricReference, ScalarFunction, Term,
};
use crate::{Error, Result};

/// The unit of a metric: `events`, `seconds`, `USD`, a quotient `events/actors`, a product `USD*seconds`, or
/// `share`, the quotient of equal units, from 0 to 1 where the part is one of the whole.
///
/// A name has letters, digits and `_`. Names of time and of AURA's own units are read in singular, plural and
/// short form (`s`, `sec`, `second`); any other name is taken as it is, so that `user` and `users` are two
/// units. Units are compared and not converted: `minutes` and `seconds` do not add.
///
/// # Examples
/// ```
/// use aura_core::metric::Unit;
///
/// let unit: Unit = "event / actor".parse()?;
/// assert_eq!(unit.to_string(), "events/actors");
/// assert!("share".parse::<Unit>()?.is_share());
/// # Ok::<(), aura_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// By name the power, never 0.
    powers: BTreeMap<String, i32>,
}

/// Names that mean the same, with the one that is kept.
const SAME: &[(&[&str], &str)] = &[
    (&["us", "microsecond"], "microseconds"),
    (&["ms", "millisecond"], "milliseconds"),
    (&["s", "sec", "second"], "seconds"),
    (&["min", "minute"], "minutes"),
    (&["h", "hour"], "hours"),
    (&["day"], "days"),
    (&["week"], "weeks"),
    (&["event"], "events"),
    (&["actor"], "actors"),
    (&["session"], "sessions"),
];

const TIMES: [&str; 7] = [
    "microseconds",
    "milliseconds",
    "seconds",
    "minutes",
    "hours",
    "days",
    "weeks",
];

impl Unit {
    /// Returns the unit of a quotient of equal units.
    pub fn share() -> Unit {
        Unit::default()
    }

    /// Makes a unit of one name, which is known to be right.
    pub(crate) fn named(name: &str) -> Unit {
        Unit {
            powers: BTreeMap::from([(name.to_owned(), 1)]),
        }
    }

    /// Tells whether it is the quotient of equal units.
    pub fn is_share(&self) -> bool {
        self.powers.is_empty()
    }

    /// Tells whether it is a length of time.
    pub fn is_time(&self) -> bool {
        self.powers.len() == 1 && TIMES.iter().any(|time| self.powers.get(*time) == Some(&1))
    }

    /// Tells whether it is `percent`.
    pub(crate) fn is_percent(&self) -> bool {
        *self == Unit::named("percent")
    }

    fn times(&self, other: &Unit, sign: i32) -> Unit {
        let mut powers = self.powers.clone();
        for (name, power) in &other.powers {
            let entry = powers.entry(name.clone()).or_insert(0);
            *entry = entry.saturating_add(sign * power);
            if *entry == 0 {
                powers.remove(name);
            }
        }
        Unit { powers }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_share() {
            return f.write_str("share");
        }
        let mut above = Vec::new();
        let mut below = Vec::new();
        for (name, power) in &self.powers {
            let side = if *power > 0 { &mut above } else { &mut below };
            side.extend(std::iter::repeat_n(
                name.as_str(),
                power.unsigned_abs() as usize,
            ));
        }
        if above.is_empty() {
            above.push("1");
        }
        f.write_str(&above.join("*"))?;
        for name in below {
            write!(f, "/{name}")?;
        }
        Ok(())
    }
}

impl FromStr for Unit {
    type Err = Error;

    /// Reads names joined by `*` and `/`, from left to right.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for any other text, and for more than eight names.
    fn from_str(text: &str) -> Result<Unit> {
        let wrong = || {
            Error::invalid_spec(format!(
                "\"{}\" is not a unit; write a name such as `events`, `seconds` or `USD`, a quotient such as `events/actors`, or `share`",
                shortened(text)
            ))
        };
        let mut unit = Unit::default();
        let mut sign = 1;
        let mut rest = text;
        for _ in 0..8 {
            let end = rest.find(['*', '/']).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end).ok_or_else(wrong)?;
            unit = unit.times(&factor(name.trim()).ok_or_else(wrong)?, sign);
            match after.chars().next() {
                None => return Ok(unit),
                Some('/') => sign = -1,
                Some(_) => sign = 1,
            }
            rest = after.get(1..).unwrap_or_default();
        }
        Err(wrong())
    }
}

fn factor(name: &str) -> Option<Unit> {
    if matches!(name, "1" | "share" | "ratio" | "fraction") {
        return Some(Unit::share());
    }
    let mut chars = name.chars();
    let right = chars.next().is_some_and(char::is_alphabetic)
        && name.len() <= 64
        && chars.all(|c| c.is_alphanumeric() || c == '_');
    if !right {
        return None;
    }
    let same = SAME.iter().find(|(names, _)| names.contains(&name));
    Some(Unit::named(same.map_or(name, |(_, kept)| kept)))
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Unit {
    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A unit: `events`, `seconds`, `USD`, a quotient such as `events/actors`, or `share`.",
        })
    }
}

/// What is known of the unit of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    Unit(Unit),
    /// A number written in the text: it adds to any unit.
    Number,
    /// Not known: of a column, a condition or text.
    Unknown,
}

impl Known {
    fn same(self, other: Known, what: &str) -> Result<Known, String> {
        match (self, other) {
            (Known::Unit(a), Known::Unit(b)) if a != b => Err(format!(
                "`{what}` of `{a}` and `{b}`; both sides need the same unit"
            )),
            (Known::Unit(a), _) | (_, Known::Unit(a)) => Ok(Known::Unit(a)),
            (Known::Unknown, _) | (_, Known::Unknown) => Ok(Known::Unknown),
            (Known::Number, Known::Number) => Ok(Known::Number),
        }
    }

    /// Multiplies (`sign` 1) or divides (`sign` -1).
    pub(crate) fn times(self, other: Known, sign: i32) -> Known {
        match (self, other) {
            (Known::Unknown, _) | (_, Known::Unknown) => Known::Unknown,
            (Known::Number, Known::Number) => Known::Number,
            (Known::Unit(a), Known::Unit(b)) => Known::Unit(a.times(&b, sign)),
            (Known::Unit(a), Known::Number) => Known::Unit(a),
            (Known::Number, Known::Unit(b)) => Known::Unit(Unit::share().times(&b, sign)),
        }
    }

    pub(crate) fn unit(self) -> Option<Unit> {
        match self {
            Known::Unit(unit) => Some(unit),
            Known::Number | Known::Unknown => None,
        }
    }
}

/// Finds the unit of a formula; `metric` gives those of the metrics that it names.
pub(crate) fn infer(
    formula: &Formula,
    metric: &dyn Fn(&MetricReference) -> Option<Unit>,
) -> Result<Known, String> {
    match formula {
        Expression::Leaf(Term::Metric(reference)) => {
            Ok(metric(reference).map_or(Known::Unknown, Known::Unit))
        }
        Expression::Leaf(Term::Aggregate(aggregate)) => Ok(match aggregate.function {
            AggregateFunction::Count | AggregateFunction::ApproxDistinct => {
                let different =
                    aggregate.distinct || aggregate.function == AggregateFunction::ApproxDistinct;
                match aggregate.arguments.as_slice() {
                    _ if !different => Known::Unit(Unit::named("events")),
                    [Expression::Leaf(column)] if column.0 == ACTOR => {
                        Known::Unit(Unit::named("actors"))
                    }
                    [Expression::Leaf(column)] if column.0 == EVENT_ID => {
                        Known::Unit(Unit::named("events"))
                    }
                    _ => Known::Unknown,
                }
            }
            _ => Known::Unknown,
        }),
        Expression::Constant(_) => Ok(Known::Number),
        Expression::Negate(e) => infer(e, metric),
        Expression::Binary { .. } => {
            let mut spine = Vec::new();
            let mut first = formula;
            while let Expression::Binary {
                left,
                operator,
                right,
            } = first
            {
                spine.push((*operator, right));
                first = left;
            }
            let mut known = infer(first, metric)?;
            for (operator, right) in spine.into_iter().rev() {
                let other = infer(right, metric)?;
                known = match operator {
                    BinaryOperator::Multiply => known.times(other, 1),
                    BinaryOperator::Divide => known.times(other, -1),
                    BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Modulo => {
                        known.same(other, operator.sign())?
                    }
                    comparison if comparison.is_comparison() => {
                        known.same(other, comparison.sign())?;
                        Known::Unknown
                    }
                    _ => Known::Unknown,
                };
            }
            Ok(known)
        }
        Expression::Case {
            operand,
            branches,
            otherwise,
        } => {
            let conditions = branches.iter().map(|(condition, _)| condition);
            match operand {
                Some(operand) => _ = same_of(conditions.chain([&**operand]), "case", metric)?,
                None => {
                    for condition in conditions {
                        infer(condition, metric)?;
                    }
                }
            }
            let results = branches.iter().map(|(_, result)| result);
            same_of(results.chain(otherwise.as_deref()), "case", metric)
        }
        Expression::Cast { expr, .. } => infer(expr, metric),
        Expression::Call {
            function,
            arguments,
        } => match function {
            ScalarFunction::Coalesce
            | ScalarFunction::NullIf
            | ScalarFunction::Greatest
            | ScalarFunction::Least => same_of(arguments.iter(), function.name(), metric),
            _ => Ok(Known::Unknown),
        },
        Expression::In { expr, list, .. } => {
            same_of(list.iter().chain([&**expr]), "in", metric).map(|_| Known::Unknown)
        }
        Expression::Between {
            expr, low, high, ..
        } => same_of(
            [expr, low, high].into_iter().map(|e| &**e),
            "between",
            metric,
        )
        .map(|_| Known::Unknown),
        Expression::Is { expr, .. } | Expression::Like { expr, .. } | Expression::Not(expr) => {
            infer(expr, metric).map(|_| Known::Unknown)
        }
    }
}

fn same_of<'a>(
    parts: impl Iterator<Item = &'a Formula>,
    what: &str,
    metric: &dyn Fn(&MetricReference) -> Option<Unit>,
) -> Result<Known, String> {
    let mut known = Known::Number;
    for part in parts {
        known = known.same(infer(part, metric)?, what)?;
    }
    Ok(known)
}
