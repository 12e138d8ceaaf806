//! The format: round trips, defaults, the JSON Schema, order, units.

use super::super::Registry;
use super::{WHOLE, whole};
use crate::metric::{Fill, KindName, MetricDefinition};

#[test]
fn yaml_and_json_give_the_same_registry_back() {
    for registry in [whole(), Registry::builtin().expect("built-in")] {
        let yaml = registry.to_yaml().expect("yaml");
        assert_eq!(
            Registry::parse(&yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}")),
            registry
        );
        let json = registry.to_json().expect("json");
        assert_eq!(
            Registry::parse(&json).unwrap_or_else(|e| panic!("{e}\n{json}")),
            registry
        );
        assert_eq!(
            Registry::parse(&json)
                .expect("again")
                .to_yaml()
                .expect("yaml"),
            yaml
        );
        for metric in registry.metrics() {
            let json = serde_json::to_string(metric).expect("json");
            let again: MetricDefinition =
                serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}\n{json}"));
            assert_eq!(&again, metric);
        }
    }
}

#[test]
fn every_kind_is_tried() {
    let registry = whole();
    for kind in KindName::ALL {
        assert!(
            registry.metrics().iter().any(|m| m.kind.name() == kind),
            "{kind:?}"
        );
    }
}

#[test]
fn every_key_of_expressions_keeps_its_braces() {
    // A key with an expression that is not on the list would have parameters replaced as text.
    let text = "version: 1\nparameters: {p: {type: text, default: \"it's\"}, c: {type: column, default: odd name}}\nmetrics:\n";
    let f = "'{c} = {p}'";
    for definition in [
        format!("kind: simple, expr: 'count(*) filter (where {{c}} = {{p}})', filter: {f}"),
        format!(
            "kind: ratio, numerator: {{expr: count(*), filter: {f}}}, denominator: 'count({{c}})'"
        ),
        format!("kind: conversion, base: {f}, conversion: {f}, constant_properties: ['{{c}}']"),
        format!("kind: funnel, steps: [{f}, {f}], window: 1 day"),
        format!("kind: retention, start: {f}, returning: {f}, day: 1"),
        format!("kind: stickiness, active: {f}"),
        format!("kind: sessions, active: {f}, measure: count"),
        format!("kind: time_to_convert, from: {f}, to: {f}, window: 1 day, statistic: mean"),
        format!("kind: collaboration, active: {f}, object: '{{c}}', gap: 1 hour, measure: count"),
        format!("kind: lifecycle, active: {f}, state: new"),
        format!("kind: first_attempt, attempt: {f}, success: {f}, failure: {f}, key: ['{{c}}']"),
    ] {
        let text = format!("{text}  - {{name: m, {definition}}}\n");
        let registry = Registry::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let metric = registry.get("m").expect("it");
        assert!(metric.columns().contains("odd name"), "{definition}");
        let json = serde_json::to_string(metric).expect("json");
        assert!(
            !json.contains('{') || !json.contains("{p}") && !json.contains("{c}"),
            "{json}"
        );
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let registry = Registry::parse(
        "{version: 1, metrics: [{name: n, kind: simple, expr: count(*)}, {name: m, kind: simple, expr: avg(x)}, {name: r, kind: ratio, numerator: '{n}', denominator: '{m}'}]}",
    )
    .expect("a registry");
    let n = registry.get("n").expect("n");
    assert_eq!(n.title.en, "n");
    assert_eq!(
        n.unit.as_ref().map(ToString::to_string).as_deref(),
        Some("events")
    );
    assert_eq!(n.default_grain.map(|g| g.name()), Some("day"));
    assert_eq!(n.fill, Fill::Zero);
    assert_eq!(registry.get("m").map(|m| m.fill), Some(Fill::Null));
    assert!(n.dimensions.is_none() && n.filter.is_none());
}

#[test]
fn each_definition_follows_what_it_names() {
    let registry = Registry::parse(
        "version: 1
metrics:
  - {name: c, kind: derived, expr: '{b} + {a}'}
  - {name: b, kind: derived, expr: '{a} * 2'}
  - {name: d, kind: ratio, numerator: '{c}', denominator: '{a}'}
  - {name: a, kind: simple, expr: count(*), default_grain: week}
",
    )
    .unwrap_or_else(|e| panic!("{e}"));
    let order: Vec<&str> = registry
        .in_dependency_order()
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(order, ["a", "b", "c", "d"]);
    // The grain of what a metric names is its own.
    assert!(
        registry
            .metrics()
            .iter()
            .all(|m| m.default_grain.map(|g| g.name()) == Some("week"))
    );
    assert_eq!(
        registry
            .get("d")
            .and_then(|m| m.unit.as_ref())
            .map(|u| u.is_share()),
        Some(true)
    );
}

#[test]
fn the_json_schema_knows_kinds_and_keys() {
    let schema = Registry::json_schema();
    let text = schema.to_string();
    for key in [
        "instantiate",
        "numerator",
        "constant_properties",
        "first_attempt",
        "min_participants",
    ] {
        assert!(text.contains(key), "{key} is missing");
    }
    let metric = &schema["$defs"]["MetricDefinition"];
    assert_eq!(metric["additionalProperties"], false, "{metric}");
    assert_eq!(metric["required"], serde_json::json!(["name", "kind"]));
    let ratio = metric["allOf"].as_array().and_then(|rules| {
        rules
            .iter()
            .find(|r| r["if"]["properties"]["kind"]["const"] == "ratio")
    });
    let then = &ratio.expect("a rule for ratios")["then"];
    assert_eq!(
        then["required"],
        serde_json::json!(["numerator", "denominator"])
    );
    assert_eq!(then["properties"]["expr"], false);
}

#[test]
fn the_registries_of_the_documentation_are_registries() {
    let page = include_str!("../../../../../docs/metrics.md");
    let mut found = 0;
    for block in page.split("```yaml\n").skip(1) {
        let text = block.split("```").next().unwrap_or_default();
        if text.starts_with("version:") {
            Registry::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            found += 1;
        }
    }
    assert!(found >= 3, "{found} registries found");
    assert!(WHOLE.starts_with('#'));
}
