//! Laws over random text and random trees.

use proptest::prelude::*;

use super::super::{
    BinaryOperator, CastType, Column, Constant, Expression, Formula, RowExpr, ScalarFunction, Truth,
};
use crate::time::Span;

fn constant() -> impl Strategy<Value = Constant> {
    prop_oneof![
        Just(Constant::Null),
        any::<bool>().prop_map(Constant::Boolean),
        any::<i64>().prop_map(Constant::Integer),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(Constant::Number),
        "[ -~é\n]{0,8}".prop_map(Constant::Text),
        (-60_000_000_000_000_000_i64..200_000_000_000_000_000).prop_map(Constant::Time),
        (-700_000_i32..2_900_000).prop_map(Constant::Date),
        (1_u32..1000).prop_map(|n| Constant::Span(Span::hours(n).expect("a span"))),
    ]
}

fn boxed(expr: RowExpr) -> Box<RowExpr> {
    Box::new(expr)
}

const OPERATORS: [BinaryOperator; 14] = [
    BinaryOperator::Add,
    BinaryOperator::Subtract,
    BinaryOperator::Multiply,
    BinaryOperator::Divide,
    BinaryOperator::Modulo,
    BinaryOperator::Concat,
    BinaryOperator::Eq,
    BinaryOperator::NotEq,
    BinaryOperator::Lt,
    BinaryOperator::LtEq,
    BinaryOperator::Gt,
    BinaryOperator::GtEq,
    BinaryOperator::And,
    BinaryOperator::Or,
];

fn expression() -> impl Strategy<Value = RowExpr> {
    let name = prop_oneof![
        "[a-zA-Z_][a-zA-Z0-9_]{0,6}",
        "[ -~é]{1,6}",
        Just("time".to_owned()),
        Just("case".to_owned()),
        Just("date".to_owned()),
        Just("interval".to_owned()),
    ];
    let leaf = prop_oneof![
        name.prop_map(|n| Expression::Leaf(Column(n))),
        constant().prop_map(Expression::Constant),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let e = || inner.clone();
        prop_oneof![
            e().prop_map(|x| Expression::Not(boxed(x))),
            e().prop_filter("folded into the constant", |x| !matches!(
                x,
                Expression::Constant(Constant::Integer(_) | Constant::Number(_))
            ))
            .prop_map(|x| Expression::Negate(boxed(x))),
            (e(), prop::sample::select(&OPERATORS[..]), e()).prop_map(|(l, operator, r)| {
                Expression::Binary {
                    left: boxed(l),
                    operator,
                    right: boxed(r),
                }
            }),
            (
                e(),
                prop::sample::select(&[Truth::Null, Truth::True, Truth::False][..]),
                any::<bool>()
            )
                .prop_map(|(x, test, negated)| Expression::Is {
                    expr: boxed(x),
                    test,
                    negated
                }),
            (e(), prop::collection::vec(e(), 1..4), any::<bool>()).prop_map(
                |(x, list, negated)| Expression::In {
                    expr: boxed(x),
                    list,
                    negated
                }
            ),
            (e(), e(), e(), any::<bool>()).prop_map(|(x, l, h, negated)| Expression::Between {
                expr: boxed(x),
                low: boxed(l),
                high: boxed(h),
                negated
            }),
            (e(), "[ -~]{0,5}", any::<bool>(), any::<bool>()).prop_map(
                |(x, pattern, ignore_case, negated)| {
                    Expression::Like {
                        expr: boxed(x),
                        pattern,
                        escape: None,
                        ignore_case,
                        negated,
                    }
                }
            ),
            (
                prop::option::of(e()),
                prop::collection::vec((e(), e()), 1..3),
                prop::option::of(e())
            )
                .prop_map(|(operand, branches, otherwise)| Expression::Case {
                    operand: operand.map(boxed),
                    branches,
                    otherwise: otherwise.map(boxed)
                }),
            (e(), prop::sample::select(&CastType::ALL[..]), any::<bool>()).prop_map(
                |(x, to, or_null)| Expression::Cast {
                    expr: boxed(x),
                    to,
                    or_null
                }
            ),
            prop::collection::vec(e(), 1..4).prop_map(|arguments| Expression::Call {
                function: ScalarFunction::Coalesce,
                arguments
            }),
            e().prop_map(|x| Expression::Call {
                function: ScalarFunction::DateTrunc,
                arguments: vec![Expression::Constant(Constant::Text("month".to_owned())), x]
            }),
        ]
    })
}

/// `true and x` is read as `x`.
fn joins_true(expr: &RowExpr) -> bool {
    let is_true = |e: &RowExpr| *e == Expression::Constant(Constant::Boolean(true));
    let mut found = false;
    if let Expression::Binary {
        left,
        operator: BinaryOperator::And,
        right,
    } = expr
    {
        found = is_true(left) || is_true(right);
    }
    expr.for_each_part(&mut |part| found |= joins_true(part));
    found
}

/// What can be read can be written, and reads the same again.
fn reads_back(text: &str) -> Result<(), TestCaseError> {
    if let Ok(formula) = text.parse::<Formula>() {
        let written = formula.to_string();
        prop_assert_eq!(
            written.parse::<Formula>().ok(),
            Some(formula),
            "{} as {}",
            text,
            written
        );
    }
    if let Ok(expr) = text.parse::<RowExpr>() {
        let written = expr.to_string();
        prop_assert_eq!(
            written.parse::<RowExpr>().ok(),
            Some(expr),
            "{} as {}",
            text,
            written
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn reading_never_panics(text in "[ -~\n\t{}'\"()é]{0,60}") {
        _ = text.parse::<Formula>();
        _ = text.parse::<RowExpr>();
    }

    #[test]
    fn reading_words_never_panics(words in prop::collection::vec(prop::sample::select(&[
        "count", "(", ")", "*", "sum", "distinct", "filter", "where", "case", "when", "then", "else", "end", "{a}",
        "{", "}", "offset", "1", "'x'", "and", "or", "not", "in", "between", "like", "is", "null", "+", "-", "/", ",",
        "cast", "as", "int", "::", "interval", "extract", "from", "time", "actor", "over", "within", "group", "order",
        "by", ".", "[", "]", "select", "date", "timestamp", "escape", "\"a b\"", "percentile_cont", "0.5",
    ][..]), 0..25)) {
        reads_back(&words.join(" "))?;
    }

    #[test]
    fn sums_of_signed_terms_read_back(words in prop::collection::vec(prop::sample::select(&[
        "1", "2.5", "a", "{a}", "-", "+", "-", "+", "* ", "/ ", "(", ")", "9223372036854775808", "0", "0.0", "not ", "--\n",
        "# \n", " and ", " is null", " = ",
    ][..]), 1..16)) {
        reads_back(&words.concat())?;
    }

    #[test]
    fn what_is_read_is_written_and_read_again(words in prop::collection::vec(prop::sample::select(&[
        "1", "0", "0.5", "a", "(", ")", "+", "+", "-", "-", "*", "/", "not ", " and ", " or ", " = ", " is null", "true",
        "9223372036854775808", " in (1, -1)", "# ", "/**/",
    ][..]), 1..30)) {
        let text = words.concat();
        if let Ok(expr) = text.parse::<RowExpr>() {
            let written = expr.to_string();
            prop_assert_eq!(written.parse::<RowExpr>().ok(), Some(expr), "{}: {}", text, written);
        }
    }

    #[test]
    fn what_is_written_is_read_back(expr in expression().prop_filter("folded", |e| !joins_true(e))) {
        let text = expr.to_string();
        match text.parse::<RowExpr>() {
            Ok(again) => prop_assert_eq!(&again, &expr, "{}", text),
            // A random tree may be larger than what is read; nothing else may be wrong with it.
            Err(error) => prop_assert!(
                error.message().contains("nested") || error.message().contains("operators"),
                "{}\n{}", text, error
            ),
        }
    }
}
