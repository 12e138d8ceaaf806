//! What changed between two registries.

use super::super::Registry;
use super::{WHOLE, whole};
use crate::ErrorKind;
use crate::event::contract::Compatibility::{Breaking, Compatible, Documentation};

#[test]
fn each_change_has_its_path_and_meaning() {
    let old = whole();
    let cases = [
        (
            "expr: count(distinct actor)\n    filter: event = 'purchase'",
            "expr: approx_distinct(actor)\n    filter: event = 'purchase'",
            "metrics.buyers.expr",
            Breaking,
        ),
        ("unit: USD", "unit: EUR", "metrics.revenue.unit", Breaking),
        (
            "window: 28 days",
            "window: 30 days",
            "metrics.rolling_buyers.window",
            Breaking,
        ),
        (
            "dimensions: [plan]",
            "dimensions: [plan, team]",
            "metrics.purchases.dimensions",
            Compatible,
        ),
        (
            "dimensions: [plan]",
            "dimensions: []",
            "metrics.purchases.dimensions",
            Breaking,
        ),
        (
            "owner: checkout",
            "owner: sales",
            "metrics.purchases.owner",
            Documentation,
        ),
        ("day: 7", "day: 8", "metrics.kept.day", Breaking),
        (
            "state: resurrected",
            "state: new",
            "metrics.back.state",
            Breaking,
        ),
        (
            "fill: previous",
            "fill: zero",
            "metrics.revenue.fill",
            Breaking,
        ),
    ];
    for (before, after, path, compatibility) in cases {
        assert!(WHOLE.contains(before), "{before}");
        let new = Registry::parse(&WHOLE.replace(before, after))
            .unwrap_or_else(|e| panic!("{after}: {e}"));
        let changes = Registry::compare(&old, &new);
        let found = changes
            .iter()
            .find(|c| c.path == path)
            .unwrap_or_else(|| panic!("{path}: {changes:?}"));
        assert_eq!(found.compatibility, compatibility, "{found}");
        let error = Registry::upgrade_check(&old, &new).expect_err("the same version");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(
            error.message().contains("give it version 4 or above"),
            "{error}"
        );
    }
}

#[test]
fn what_came_and_went_is_told() {
    let old = Registry::parse("{version: 1, metrics: [{name: a, kind: simple, expr: count(*)}]}")
        .expect("old");
    let new = Registry::parse(
        "{version: 2, dimensions: [{name: x}], metrics: [{name: b, kind: simple, expr: count(*)}]}",
    )
    .expect("new");
    let changes = Registry::upgrade_check(&old, &new).expect("a new version");
    let told: Vec<_> = changes
        .iter()
        .map(|c| (c.path.as_str(), c.compatibility))
        .collect();
    assert_eq!(
        told,
        [
            ("metrics.b", Compatible),
            ("metrics.a", Breaking),
            ("dimensions.x", Compatible)
        ]
    );
    let error = Registry::upgrade_check(&new, &old).expect_err("back");
    assert!(
        error.message().contains("version 1 is below version 2"),
        "{error}"
    );
}

#[test]
fn the_same_in_other_words_is_no_change() {
    let old = whole();
    let new = Registry::parse(&WHOLE.replace("count(distinct actor)", "COUNT( DISTINCT actor )"))
        .expect("new");
    assert_eq!(Registry::compare(&old, &new), []);
    assert_eq!(Registry::upgrade_check(&old, &new).expect("no change"), []);
}
