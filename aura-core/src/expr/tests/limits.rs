//! Text made to hurt: bounded time, and no stack overflow even on a small stack.

use super::super::lex::{MAX_NESTING, MAX_OPERATORS, MAX_TOKENS};
use super::super::{Formula, RowExpr};

/// Runs on a thread with half a MiB of stack.
fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(512 << 10)
        .spawn(run)
        .expect("a thread");
    thread.join().expect("no panic");
}

fn says(text: &str) -> String {
    match text.parse::<Formula>() {
        Ok(_) => panic!("accepted"),
        Err(error) => error.message().to_owned(),
    }
}

#[test]
fn text_made_to_overflow_is_refused() {
    on_small_stack(|| {
        let many = 100_000;
        for text in [
            format!("{}1{}", "(".repeat(many), ")".repeat(many)),
            vec!["1"; many].join("+"),
            format!("{}1", "-".repeat(many)),
            format!("{} true", "not ".repeat(many)),
            format!("{}x{}", "sum(".repeat(many), ")".repeat(many)),
            format!(
                "{}{}",
                "case when 1 then ".repeat(many),
                "1 end ".repeat(many)
            ),
            "{".repeat(many),
            "[".repeat(many),
            "/*".repeat(many),
            format!(
                "count(*) filter (where x in ({}))",
                vec!["1"; many].join(",")
            ),
            format!(
                "count(*) filter (where {})",
                vec!["a = 1"; many].join(" or ")
            ),
            "'".repeat(many + 1),
            format!("{}x", "x::int::".repeat(many)),
            format!("x{}", ".x".repeat(many)),
        ] {
            says(&text);
        }
    });
}

#[test]
fn text_just_under_the_bytes_is_bounded_too() {
    on_small_stack(|| {
        for (unit, whole) in [
            ("(", "the expression is nested deeper than 24 levels"),
            ("1+", "more than 200 operators"),
            ("-", ""),
            ("not ", "more than 200 operators"),
            ("case when ", "nested deeper"),
            ("x,", ""),
        ] {
            let said = says(&unit.repeat((16 << 10) / unit.len()));
            assert!(said.contains(whole), "{unit}: {said}");
        }
        let said = says(&"x".repeat((16 << 10) + 1));
        assert!(
            said.contains("16385 bytes, more than the 16384 allowed"),
            "{said}"
        );
    });
}

#[test]
fn what_nests_without_parentheses_is_bounded() {
    on_small_stack(|| {
        for (end, count) in [
            (" is null", 199),
            ("::int", 199),
            (" like 'x'", 199),
            (" between 1 and 2", 60),
            (" in (1)", 199),
        ] {
            let error = format!("a{}", end.repeat(count))
                .parse::<RowExpr>()
                .expect_err("too deep");
            assert!(
                error.message().contains("nested deeper than 48 levels"),
                "{error}"
            );
            // Written out it has parentheses.
            let error = format!("a{}", end.repeat(45))
                .parse::<RowExpr>()
                .expect_err("too large");
            assert!(
                error
                    .message()
                    .contains("when it is written out: the expression is nested deeper than 24"),
                "{error}"
            );
        }
        let error = format!("a{}", " = b".repeat(100))
            .parse::<RowExpr>()
            .expect_err("too large");
        assert!(
            error.message().contains("when it is written out"),
            "{error}"
        );
    });
}

#[test]
fn what_is_within_the_limits_works_on_a_small_stack() {
    on_small_stack(|| {
        let chain = vec!["count(*)"; MAX_OPERATORS / 2].join("+");
        let formula: Formula = chain.parse().expect("a chain");
        assert_eq!(formula.aggregates().len(), MAX_OPERATORS / 2);
        let copy = formula.clone();
        assert_eq!(copy, formula);
        assert_eq!(copy.to_string().parse::<Formula>().expect("again"), formula);

        let nots = format!("{}a", "not ".repeat(40));
        let expr: RowExpr = nots.parse().expect("negations");
        assert!(expr.to_string().starts_with("not not not"));
        let signs = format!("{}a", "- ".repeat(40));
        let expr: RowExpr = signs.parse().expect("signs");
        assert_eq!(expr.to_string().parse::<RowExpr>().expect("again"), expr);

        let nested = format!("{}a{}", "(".repeat(MAX_NESTING), ")".repeat(MAX_NESTING));
        assert_eq!(
            nested.parse::<RowExpr>().expect("nested"),
            "a".parse().expect("a")
        );

        let list = vec!["1"; MAX_TOKENS / 2 - 10].join(",");
        let expr: RowExpr = format!("x in ({list})").parse().expect("a list");
        assert_eq!(expr.to_string().parse::<RowExpr>().expect("again"), expr);
    });
}

#[test]
fn signs_of_written_numbers_are_read_back() {
    let same = |a: &str, b: &str| {
        let (a, b): (RowExpr, RowExpr) = (a.parse().expect(a), b.parse().expect(b));
        assert_eq!(a, b);
        assert_eq!(a.to_string().parse::<RowExpr>().expect("again"), a);
    };
    same("-+1", "-1");
    same("-(1)", "-1");
    same("-+(+1.5)", "-1.5");
    same("-(-1)", "- -1");
    same("-+-+1", "- -1");
    same("-(9223372036854775808)", "-9223372036854775808.0");
    same("1 - -(2)", "1 - -2");
    let long = format!("1{} +1{}-+1+ +1", "+1".repeat(90), "+ +1".repeat(40));
    let expr: RowExpr = long.parse().expect("a long sum");
    assert_eq!(expr.to_string().parse::<RowExpr>().expect("again"), expr);
}
