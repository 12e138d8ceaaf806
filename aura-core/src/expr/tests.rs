mod laws;
mod limits;
mod plan;
mod refused;

use super::{Formula, RowExpr};

/// What is written, and how it is written back.
const FORMULAS: &[(&str, &str)] = &[
    ("COUNT(*)", "count(*)"),
    ("count( DISTINCT actor )", "count(distinct actor)"),
    (
        "count(distinct actor, feature)",
        "count(distinct actor, feature)",
    ),
    (
        "sum(amount) FILTER (WHERE event = 'purchase' AND plan IN ('pro','team'))",
        "sum(amount) filter (where event = 'purchase' and plan in ('pro', 'team'))",
    ),
    ("mean(amount)", "avg(amount)"),
    ("median(x) + min(x) - max(x)", "median(x) + min(x) - max(x)"),
    (
        "percentile_cont(duration, 0.95)",
        "percentile_cont(duration, 0.95)",
    ),
    (
        "percentile_cont(0.5) within group (order by duration) filter (where duration > 0)",
        "percentile_cont(duration, 0.5) filter (where duration > 0)",
    ),
    ("quantile(x, 1)", "percentile_cont(x, 1)"),
    ("approx_count_distinct(actor)", "approx_distinct(actor)"),
    ("{a} / nullif({b}, 0)", "{a} / nullif({b}, 0)"),
    ("({a} - {b}) / {c}", "({a} - {b}) / {c}"),
    ("{a} - ({b} - {c})", "{a} - ({b} - {c})"),
    ("{a} - {b} - {c}", "{a} - {b} - {c}"),
    ("{a} - -+3 * -(2) - -{b}", "{a} - -3 * -2 - -{b}"),
    (
        "{signups} / {signups OFFSET 1 week} - 1",
        "{signups} / {signups offset 1 week} - 1",
    ),
    ("{a offset '2 mo'}", "{a offset 2 months}"),
    (
        "case when {a} > 10 then {a} else 0 end",
        "case when {a} > 10 then {a} else 0 end",
    ),
    (
        "sum(case event when 'a' then 1 else -1 end)",
        "sum(case event when 'a' then 1 else -1 end)",
    ),
    (
        "count(*) filter (where not (a or b))",
        "count(*) filter (where not (a or b))",
    ),
    ("count(*) -- rows\n / 2", "count(*) / 2"),
    (
        "sum(cast(x as int)) + sum(x::double)",
        "sum(cast(x as bigint)) + sum(cast(x as double))",
    ),
    ("sum(-x * -3)", "sum(-x * -3)"),
    ("1e3 * count(*)", "1000.0 * count(*)"),
    (
        "{select} / {end} + {case} - {union offset 1 day}",
        "{select} / {end} + {case} - {union offset 1 day}",
    ),
];

const ROWS: &[(&str, &str)] = &[
    ("event = 'sign''up'", "event = 'sign''up'"),
    ("a and (b or c) and not d", "a and (b or c) and not d"),
    ("x between 1 and 2 + 3", "x between 1 and (2 + 3)"),
    ("x not in (1, -2)", "x not in (1, -2)"),
    ("name like 'a!%%' escape '!'", "name like 'a!%%' escape '!'"),
    ("name NOT ILIKE '%x'", "name not ilike '%x'"),
    ("plan is not null", "plan is not null"),
    ("(a = b) is true", "(a = b) is true"),
    (
        "extract(hour from time) >= 9",
        "date_part('hour', time) >= 9",
    ),
    (
        "date_trunc('Week', time) = timestamp '2026-01-05T00:00:00+01:00'",
        "date_trunc('week', time) = timestamp '2026-01-04T23:00:00Z'",
    ),
    ("day > date '2026-01-31'", "day > date '2026-01-31'"),
    (
        "time - created < interval '7 days'",
        "time - created < interval '7 days'",
    ),
    (
        "time < created + interval 2 hour",
        "time < created + interval '2 hours'",
    ),
    (
        "coalesce(lower(trim(a)), 'x') || b = 'y'",
        "(coalesce(lower(trim(a)), 'x') || b) = 'y'",
    ),
    (
        "starts_with(\"Odd name\", 'é')",
        "starts_with(\"Odd name\", 'é')",
    ),
    ("userId = 5", "userId = 5"),
    ("true and event = 'a'", "event = 'a'"),
    ("substring(a from 2 for 3) = 'x'", "substr(a, 2, 3) = 'x'"),
    (
        "regexp_like(path, '^/docs/')",
        "regexp_like(path, '^/docs/')",
    ),
    ("a % 2 = 0 or a / 2 > 1", "a % 2 = 0 or a / 2 > 1"),
];

#[test]
fn formulas_are_read_and_written_back() {
    for (text, expected) in FORMULAS {
        let formula: Formula = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(formula.to_string(), *expected, "{text}");
        let again: Formula = expected
            .parse()
            .unwrap_or_else(|e| panic!("{expected}: {e}"));
        assert_eq!(again, formula, "{text}");
    }
}

#[test]
fn rows_are_read_and_written_back() {
    for (text, expected) in ROWS {
        let expr: RowExpr = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(expr.to_string(), *expected, "{text}");
        let again: RowExpr = expected
            .parse()
            .unwrap_or_else(|e| panic!("{expected}: {e}"));
        assert_eq!(again, expr, "{text}");
    }
}

#[test]
fn columns_and_references_are_found_in_the_order_of_the_text() {
    let formula: Formula = "sum(a) filter (where b = 1) / {m} + case when {n} > 1 then count(c) end + {m offset 1 day}"
        .parse()
        .expect("a formula");
    let mut columns = Vec::new();
    formula.for_each_column(&mut |name| columns.push(name.to_owned()));
    assert_eq!(columns, ["a", "b", "c"]);
    let references: Vec<String> = formula
        .references()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(references, ["{m}", "{n}", "{m offset 1 day}"]);
    assert_eq!(formula.aggregates().len(), 2);
}

#[test]
fn free_words_are_names_wherever_a_name_may_stand() {
    for word in super::print::FREE_KEYWORDS {
        for around in [
            "# = 1",
            "1 < #",
            "# is null",
            "not #",
            "# in (#, 2)",
            "# between # and #",
            "# like 'x'",
            "-# + # * #",
            "coalesce(#, #)",
            "cast(# as bigint) > 1",
            "case # when # then # else # end",
            "case when # then # end",
            "(#)",
            "date_trunc('day', #) = #",
            "# || # = 'x'",
        ] {
            let bare = around.replace('#', word);
            let quoted = around.replace('#', &format!("\"{word}\""));
            let bare_expr: RowExpr = bare.parse().unwrap_or_else(|e| panic!("{bare}: {e}"));
            assert_eq!(bare_expr, quoted.parse().expect("quoted"), "{bare}");
        }
        let bare: Formula = format!("count(distinct {word}, {word}) filter (where {word} is null)")
            .parse()
            .unwrap_or_else(|e| panic!("{word}: {e}"));
        assert_eq!(bare.aggregates().len(), 1);
    }
}
