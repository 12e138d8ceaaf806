//! What counts as compatible, as breaking, and as words.

use super::super::{Change, Compatibility, Contract};
use super::whole;
use crate::ErrorKind;

const OLD: &str = "
name: shop
version: 4
description: What the shop sends
properties:
  plan: {type: string}
events:
  open: {}
  purchase:
    owner: checkout
    properties:
      amount: {type: number, min: 0, max: 10, unit: USD}
      coupon: {type: string, enum: [a, b], pii: other, max_length: 9}
";

/// Compares the old contract with itself after one replacement in its text.
fn change(from: &str, to: &str) -> Vec<(String, Compatibility)> {
    assert!(OLD.contains(from), "{from}");
    let old = Contract::parse(OLD).expect("a contract");
    let new = Contract::parse(&OLD.replacen(from, to, 1)).expect(to);
    let changes = Contract::compare(&old, &new);
    for Change { path, why, .. } in &changes {
        assert!(why.len() > 20 && !path.is_empty(), "{path}: {why}");
    }
    changes
        .into_iter()
        .map(|c| (c.path, c.compatibility))
        .collect()
}

#[test]
fn every_change_has_its_path_and_its_kind() {
    use Compatibility::{Breaking, Compatible, Documentation};
    let purchase = "events.purchase.properties";
    let cases: &[(&str, &str, &str, Compatibility)] = &[
        (
            "{type: string}",
            "{type: string}\n  lang: {type: string, enum: [en]}",
            "properties.lang",
            Compatible,
        ),
        (
            "  open: {}",
            "  open: {properties: {tab: {type: string}}}",
            "events.open.properties.tab",
            Compatible,
        ),
        (
            "  open: {}",
            "  open: {properties: {tab: {type: string, required: true}}}",
            "events.open.properties.tab",
            Breaking,
        ),
        (
            "  open: {}",
            "  open: {properties: {plan: {type: string}}}",
            "events.open.properties.plan",
            Breaking,
        ),
        (
            "What the shop",
            "All that the shop",
            "description",
            Documentation,
        ),
        (
            "owner: checkout",
            "owner: payments",
            "events.purchase.owner",
            Documentation,
        ),
        (
            "    owner: checkout\n",
            "",
            "events.purchase.owner",
            Documentation,
        ),
        (
            "{type: string}",
            "{type: string, description: x}",
            "properties.plan.description",
            Documentation,
        ),
        (
            "  open: {}",
            "  open: {}\n  close: {}",
            "events.close",
            Breaking,
        ),
        ("  open: {}\n", "", "events.open", Breaking),
        ("name: shop", "name: store", "name", Breaking),
        (
            "version: 4",
            "version: 4\non_violation: drop",
            "on_violation",
            Breaking,
        ),
        (
            "version: 4",
            "version: 4\nundeclared_events: drop",
            "undeclared_events",
            Breaking,
        ),
        (
            "properties:\n  plan: {type: string}\n",
            "",
            "properties.plan",
            Breaking,
        ),
        (
            "{type: string}",
            "{type: json}",
            "properties.plan.type",
            Breaking,
        ),
        (
            "{type: string}",
            "{type: string, required: true}",
            "properties.plan.required",
            Breaking,
        ),
        ("min: 0", "min: -1", "amount.min", Breaking),
        ("min: 0, ", "", "amount.min", Breaking),
        ("max: 10", "max: 11", "amount.max", Breaking),
        ("unit: USD", "unit: EUR", "amount.unit", Breaking),
        ("enum: [a, b]", "enum: [a, b, c]", "coupon.enum", Breaking),
        ("enum: [a, b]", "enum: [a]", "coupon.enum", Breaking),
        ("enum: [a, b], ", "", "coupon.enum", Breaking),
        (
            "max_length: 9",
            "max_length: 10",
            "coupon.max_length",
            Breaking,
        ),
        (
            "max_length: 9",
            "max_length: 9, pattern: a|b",
            "coupon.pattern",
            Breaking,
        ),
        ("pii: other", "pii: id", "coupon.pii", Breaking),
        (
            "pii: other",
            "pii: other, on_violation: drop",
            "coupon.on_violation",
            Breaking,
        ),
    ];
    for (from, to, path, kind) in cases {
        let path = if path.starts_with("amount") || path.starts_with("coupon") {
            format!("{purchase}.{path}")
        } else {
            (*path).to_owned()
        };
        assert_eq!(change(from, to), [(path, *kind)], "{from:?} to {to:?}");
    }
}

#[test]
fn what_means_the_same_is_no_change() {
    assert_eq!(change("min: 0", "min: 0.0"), []);
    assert_eq!(change("enum: [a, b]", "enum: [b, a]"), []);
    assert_eq!(change("min: 0, max: 10", "max: 10, min: 0"), []);
    assert_eq!(change("version: 4", "version: 5"), []);
    assert_eq!(
        change("version: 4", "version: 4\non_violation: quarantine"),
        []
    );
    let contract = whole();
    assert_eq!(Contract::compare(&contract, &contract), []);
}

#[test]
fn a_value_exchanged_is_two_changes() {
    let changes = change("enum: [a, b]", "enum: [a, c]");
    assert_eq!(changes.len(), 2, "{changes:?}");
}

#[test]
fn reasons_are_sentences_about_the_values() {
    let old = Contract::parse(OLD).expect("a contract");
    let new = Contract::parse(&OLD.replace("max: 10", "max: 11")).expect("a contract");
    assert_eq!(
        Contract::compare(&old, &new)[0].to_string(),
        "events.purchase.properties.amount.max (breaking): `10` became `11`; other values are right than before"
    );
}

#[test]
fn the_version_must_grow_with_every_change() {
    let old = Contract::parse(OLD).expect("a contract");
    let with = |version: u32, from: &str, to: &str| {
        let text = OLD.replace("version: 4", &format!("version: {version}"));
        Contract::parse(&text.replacen(from, to, 1)).expect("a contract")
    };
    for (from, to) in [
        ("max: 10", "max: 9"),
        ("What the", "All the"),
        ("open: {}", "open: {properties: {x: {type: date}}}"),
    ] {
        assert_eq!(
            Contract::upgrade_check(&old, &with(5, from, to))
                .expect("grown")
                .len(),
            1
        );
        assert_eq!(
            Contract::upgrade_check(&old, &with(9, from, to))
                .expect("grown")
                .len(),
            1
        );
        for version in [3, 4] {
            let error =
                Contract::upgrade_check(&old, &with(version, from, to)).expect_err("not grown");
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(error.message().contains("version 5 or above"), "{error}");
        }
    }
    assert_eq!(
        Contract::upgrade_check(&old, &with(4, "", "")).expect("the same"),
        []
    );
    assert_eq!(
        Contract::upgrade_check(&old, &with(5, "", "")).expect("grown"),
        []
    );
    assert!(Contract::upgrade_check(&old, &with(3, "", "")).is_err());
    let error =
        Contract::upgrade_check(&old, &with(4, "max: 10", "max: 9")).expect_err("not grown");
    assert_eq!(
        error.message(),
        "contract `shop`: version 4 has changed (1 changes, 1 of them breaking); give it version 5 or above\n  \
         events.purchase.properties.amount.max (breaking): `10` became `9`; other values are right than before"
    );
}

#[test]
fn changes_are_serde_values() {
    let old = Contract::parse(OLD).expect("a contract");
    let changes = Contract::compare(&old, &whole());
    let text = serde_json::to_string(&changes).expect("json");
    assert!(text.contains("\"compatibility\":\"breaking\""));
    assert_eq!(
        serde_json::from_str::<Vec<Change>>(&text).expect("changes"),
        changes
    );
}
