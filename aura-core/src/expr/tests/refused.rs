//! What is not on the list is refused by name and place.

use super::super::{Formula, RowExpr};

/// A formula, and what is said about it.
const FORMULAS: &[(&str, &str)] = &[
    ("", "line 1, column 1: the expression is empty"),
    (
        "count(*); drop table events",
        "line 1, column 9: `;` is not allowed",
    ),
    (
        "(select count(*) from events)",
        "line 1, column 2: `select` is not allowed",
    ),
    (
        "sum(x) / (\n  SELECT 1)",
        "line 2, column 3: `select` is not allowed",
    ),
    ("sum(x in (select y from t))", "`select` is not allowed"),
    (
        "count(*) from events",
        "line 1, column 10: expected the end of the expression, found `from`",
    ),
    (
        "sum(orders.amount)",
        "line 1, column 5: `orders.amount` names another table",
    ),
    (
        "sum(x) over (partition by y)",
        "`sum` with `over` is a window function",
    ),
    (
        "row_number() over ()",
        "`row_number` with `over` is a window function",
    ),
    (
        "sum(x) + random()",
        "line 1, column 10: `random` is not allowed: it is volatile",
    ),
    (
        "count(*) + now()",
        "`now` is not allowed: it reads the clock",
    ),
    (
        "sum(read_parquet('x'))",
        "`read_parquet` is not allowed: it is a table function",
    ),
    (
        "count(*) filter (where pg_sleep(10) = 1)",
        "line 1, column 24: `pg_sleep` is not allowed: it has a side effect",
    ),
    (
        "cuont(*)",
        "unknown function `cuont`; did you mean `count`?",
    ),
    (
        "window_funnel(1)",
        "`window_funnel` is not allowed: behaviour over time has kinds of its own",
    ),
    (
        "sum(amount) + amount",
        "line 1, column 15: `amount` is a column outside of an aggregate",
    ),
    ("sum(sum(x))", "line 1, column 5: `sum` is an aggregate"),
    (
        "count(*) filter (where count(*) > 1)",
        "`count` is an aggregate; there is none in a filter",
    ),
    (
        "count(*) filter (where 5)",
        "a filter is a condition, true or false for each row; this is a number",
    ),
    (
        "count(*) > 5",
        "a metric is a number; this is true or false",
    ),
    (
        "sum(event)",
        "line 1, column 5: `sum` is of numbers; this is text",
    ),
    ("sum(a, b)", "`sum` takes one argument, found 2"),
    ("count()", "rows are counted by `count(*)`"),
    (
        "count(a, b)",
        "combinations are counted by `count(distinct a, b)`",
    ),
    ("sum(*)", "`*` is for `count(*)` alone"),
    ("count(distinct *)", "`*` is for `count(*)` alone"),
    ("max(distinct x)", "`max` takes no `distinct`"),
    (
        "percentile_cont(x, 95)",
        "line 1, column 20: the share of `percentile_cont` is a number from 0 to 1",
    ),
    ("percentile_cont(x)", "takes a value and a share"),
    (
        "sum(x) within group (order by y)",
        "`within group` is for `percentile_cont`",
    ),
    ("{a", "line 1, column 1: `{` is not closed by `}`"),
    ("{a} }", "line 1, column 5: `}` closes no `{`"),
    ("{a b}", "`{a b}` is not understood"),
    ("{a offset 1 fortnight}", "is not a length of time"),
    ("{}", "braces hold a name"),
    (
        "$1 + count(*)",
        "line 1, column 1: `$1` is not allowed: parameters are written in braces",
    ),
    (
        "count(*) + 'x",
        "line 1, column 12: unterminated string literal",
    ),
    (
        "count(*) +",
        "expected an expression, but the expression ends here",
    ),
    ("1e999 * count(*)", "`1e999` is not a finite number"),
    ("count(*) & 1", "the operator `&` is not allowed"),
    ("[1, 2]", "an array is not allowed"),
    ("count(*) collate x", "`collate` is not allowed"),
    ("sum(x -> 'a')", "the operator `->` is not allowed"),
    ("sum(exists (x))", "found `x`"),
    ("sum(a.b.c)", "`a.b.c` names another table"),
    ("*", "line 1, column 1: expected an expression, found `*`"),
    ("sum(round(x))", "unknown function `round`"),
    ("sum(cast(x as blob))", "a cast to `blob` is not allowed"),
    (
        "count(*) filter (where time at time zone 'UTC' > 1)",
        "`at time zone` (the zone is that of the question) is not allowed",
    ),
    (
        "count(*) filter (where date_part('fortnight', time) = 1)",
        "`date_part` knows no part `fortnight`",
    ),
    (
        "count(*) filter (where a like b)",
        "the pattern of `like` is a text in quotes",
    ),
    (
        "count(*) filter (where regexp_like(a, '('))",
        "is not a regular expression",
    ),
    (
        "count(*) filter (where day = date '2026-02-30')",
        "'2026-02-30' is not a day",
    ),
    (
        "count(*) filter (where time > timestamp '2026-01-01')",
        "is not a moment with its zone",
    ),
    ("sum(current_timestamp)", "reads the clock"),
    ("sum(lower(distinct x))", "`distinct` is for aggregates"),
    ("sum(nullif(x))", "`nullif` takes 2 arguments, found 1"),
];

#[test]
fn everything_else_is_refused_by_name_and_place() {
    let mut wrong = String::new();
    for (text, expected) in FORMULAS {
        match text.parse::<Formula>() {
            Ok(formula) => wrong.push_str(&format!("{text}\n  accepted as {formula:?}\n")),
            Err(error) if !error.message().contains(expected) => {
                wrong.push_str(&format!(
                    "{text}\n  says     {error}\n  expected {expected}\n"
                ));
            }
            Err(error) => assert!(error.message().starts_with("line "), "{text}: {error}"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn rows_name_no_metric() {
    let error = "{signups} > 1".parse::<RowExpr>().expect_err("a metric");
    assert_eq!(
        error.message(),
        "line 1, column 1: `signups` is no parameter; a metric cannot be named among the rows, only in a formula over metrics"
    );
}
