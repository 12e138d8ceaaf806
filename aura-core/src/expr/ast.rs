//! What the text of a metric means: a small typed tree, in place of SQL's large one.

use super::function::{AggregateFunction, CastType, ScalarFunction};
use crate::time::Span;

/// An expression over leaves `L`: columns in a [`RowExpr`], aggregates and other metrics in a [`Formula`].
#[derive(Debug, Clone, PartialEq)]
pub enum Expression<L> {
    /// What the expression is made over.
    Leaf(L),
    /// A value written in the text.
    Constant(Constant),
    /// Logical negation.
    Not(Box<Expression<L>>),
    /// The negative of a number.
    Negate(Box<Expression<L>>),
    /// Two operands and what joins them.
    Binary {
        /// The operand before the operator.
        left: Box<Expression<L>>,
        /// The operator.
        operator: BinaryOperator,
        /// The operand after it.
        right: Box<Expression<L>>,
    },
    /// `IS [NOT] NULL`, `IS [NOT] TRUE`, `IS [NOT] FALSE`. Never null itself.
    Is {
        /// What is tested.
        expr: Box<Expression<L>>,
        /// For what.
        test: Truth,
        /// With `NOT`.
        negated: bool,
    },
    /// `[NOT] IN (…)`.
    In {
        /// What is looked for.
        expr: Box<Expression<L>>,
        /// Where; not empty.
        list: Vec<Expression<L>>,
        /// With `NOT`.
        negated: bool,
    },
    /// `[NOT] BETWEEN low AND high`, both inclusive.
    Between {
        /// What is compared.
        expr: Box<Expression<L>>,
        /// The least value.
        low: Box<Expression<L>>,
        /// The greatest value.
        high: Box<Expression<L>>,
        /// With `NOT`.
        negated: bool,
    },
    /// `[NOT] LIKE 'pattern'` and `[NOT] ILIKE 'pattern'`.
    Like {
        /// The text.
        expr: Box<Expression<L>>,
        /// The pattern: `%` is any text, `_` any one character.
        pattern: String,
        /// The character that takes the meaning from a following `%` or `_`.
        escape: Option<char>,
        /// `ILIKE`.
        ignore_case: bool,
        /// With `NOT`.
        negated: bool,
    },
    /// `CASE [operand] WHEN … THEN … ELSE … END`.
    Case {
        /// What the branches are compared with; without it they are conditions.
        operand: Option<Box<Expression<L>>>,
        /// Condition and result; not empty.
        branches: Vec<(Expression<L>, Expression<L>)>,
        /// The result when no branch holds; without it null.
        otherwise: Option<Box<Expression<L>>>,
    },
    /// `CAST(… AS type)`, `TRY_CAST(… AS type)`, `…::type`.
    Cast {
        /// What is cast.
        expr: Box<Expression<L>>,
        /// To which type.
        to: CastType,
        /// `TRY_CAST`: a value that cannot be cast is null, not an error.
        or_null: bool,
    },
    /// A function of values.
    Call {
        /// Which.
        function: ScalarFunction,
        /// As many as the function takes. The first of `date_part` and `date_trunc` is a text constant
        /// with a part that the function knows.
        arguments: Vec<Expression<L>>,
    },
}

/// One value per row: an expression over columns.
pub type RowExpr = Expression<Column>;

/// One value per period and segment: an expression over aggregates and other metrics.
pub type Formula = Expression<Term>;

/// A column of the events: a role (`actor`, `event`, `time`, `event_id`) or a property, by its exact name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column(pub String);

/// What a formula is made over.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// An aggregate of rows.
    Aggregate(Box<Aggregate>),
    /// Another metric, in braces.
    Metric(MetricReference),
}

/// An aggregate of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFunction,
    /// What is aggregated. Empty for `count(*)`; several only for `count(distinct a, b)`, which counts the
    /// different combinations in which no part is null; one for all else.
    pub arguments: Vec<RowExpr>,
    /// With `DISTINCT`.
    pub distinct: bool,
    /// `FILTER (WHERE …)`: only rows for which this is true.
    pub filter: Option<RowExpr>,
}

/// A metric named in braces: `{signups}`, `{signups offset 1 week}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricReference {
    /// The name of the metric, or the alias of an input.
    pub name: String,
    /// How far back its value is taken.
    pub offset: Option<Span>,
}

/// A value written in the text of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Nothing.
    Null,
    /// True or false.
    Boolean(bool),
    /// An integer of 64 bits.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// Text.
    Text(String),
    /// A moment, in microseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// A day, as days since 1970-01-01.
    Date(i32),
    /// A length of time.
    Span(Span),
}

/// What `IS` tests for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Nothing is there.
    Null,
    /// True.
    True,
    /// False.
    False,
}

/// What joins two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`: always a floating-point division; null where the divisor is zero.
    Divide,
    /// `%`: null where the divisor is zero.
    Modulo,
    /// `||`
    Concat,
    /// `=`
    Eq,
    /// `<>`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
    /// `AND`
    And,
    /// `OR`
    Or,
}

impl BinaryOperator {
    /// Returns the sign.
    pub fn sign(self) -> &'static str {
        match self {
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Modulo => "%",
            BinaryOperator::Concat => "||",
            BinaryOperator::Eq => "=",
            BinaryOperator::NotEq => "<>",
            BinaryOperator::Lt => "<",
            BinaryOperator::LtEq => "<=",
            BinaryOperator::Gt => ">",
            BinaryOperator::GtEq => ">=",
            BinaryOperator::And => "and",
            BinaryOperator::Or => "or",
        }
    }

    /// Tells whether the result is true or false.
    pub fn is_comparison(self) -> bool {
        use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
        matches!(self, Eq | NotEq | Lt | LtEq | Gt | GtEq)
    }
}

impl<L> Expression<L> {
    /// Calls `visit` with each direct part, in the order of the text.
    pub fn for_each_part<'a>(&'a self, visit: &mut dyn FnMut(&'a Expression<L>)) {
        match self {
            Expression::Leaf(_) | Expression::Constant(_) => {}
            Expression::Not(expr)
            | Expression::Negate(expr)
            | Expression::Is { expr, .. }
            | Expression::Like { expr, .. }
            | Expression::Cast { expr, .. } => visit(expr),
            Expression::Binary { left, right, .. } => {
                visit(left);
                visit(right);
            }
            Expression::In { expr, list, .. } => {
                visit(expr);
                list.iter().for_each(visit);
            }
            Expression::Between {
                expr, low, high, ..
            } => {
                visit(expr);
                visit(low);
                visit(high);
            }
            Expression::Case {
                operand,
                branches,
                otherwise,
            } => {
                if let Some(operand) = operand {
                    visit(operand);
                }
                for (condition, result) in branches {
                    visit(condition);
                    visit(result);
                }
                if let Some(otherwise) = otherwise {
                    visit(otherwise);
                }
            }
            Expression::Call { arguments, .. } => arguments.iter().for_each(visit),
        }
    }

    /// Calls `visit` with each leaf, in the order of the text.
    pub fn for_each_leaf<'a>(&'a self, visit: &mut dyn FnMut(&'a L)) {
        // Without recursion, so that the stack does not depend on the tree. Parts are pushed in reverse.
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            if let Expression::Leaf(leaf) = expr {
                visit(leaf);
            }
            let from = open.len();
            expr.for_each_part(&mut |part| open.push(part));
            if let Some(parts) = open.get_mut(from..) {
                parts.reverse();
            }
        }
    }
}

impl Expression<Column> {
    /// Calls `visit` with the name of each column, as often as it is named.
    pub fn for_each_column<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.for_each_leaf(&mut |column| visit(&column.0));
    }
}

impl Expression<Term> {
    /// Calls `visit` with the name of each column that its aggregates read.
    pub fn for_each_column<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        self.for_each_leaf(&mut |term| {
            if let Term::Aggregate(aggregate) = term {
                let arguments = aggregate.arguments.iter();
                for expr in arguments.chain(&aggregate.filter) {
                    expr.for_each_column(visit);
                }
            }
        });
    }

    /// Returns the metrics that the formula names, in the order of the text, as often as they are named.
    pub fn references(&self) -> Vec<&MetricReference> {
        let mut found = Vec::new();
        self.for_each_leaf(&mut |term| {
            if let Term::Metric(reference) = term {
                found.push(reference);
            }
        });
        found
    }

    /// Returns the aggregates of the formula, in the order of the text.
    pub fn aggregates(&self) -> Vec<&Aggregate> {
        let mut found = Vec::new();
        self.for_each_leaf(&mut |term| {
            if let Term::Aggregate(aggregate) = term {
                found.push(&**aggregate);
            }
        });
        found
    }
}
