//! The metrics that come with AURA.

use std::path::Path;

use super::super::{Bindings, Registry};
use crate::metric::{KindName, MetricKind, reference_page};

fn builtin() -> Registry {
    Registry::builtin().unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_metric_that_was_promised_is_there() {
    let registry = builtin();
    for name in [
        "adoption_rate",
        "new_actors",
        "retained_actors",
        "resurrected_actors",
        "active_actors",
        "daily_active_actors",
        "weekly_active_actors",
        "monthly_active_actors",
        "events_per_actor",
        "stickiness",
        "feature_breadth",
        "ai_coverage",
        "ai_acceptance_rate",
        "ai_adoption_rate",
        "provisioning_success_rate",
        "first_attempt_success_rate",
        "time_to_provision_median",
        "time_to_provision_p95",
        "provisioning_failures",
        "collaboration_sessions",
        "collaboration_participants",
        "collaboration_duration",
        "collaborating_share",
    ] {
        assert!(registry.get(name).is_some(), "{name} is missing");
    }
}

#[test]
fn every_metric_is_described_in_both_languages() {
    let russian = |text: &str| text.chars().any(|c| ('а'..='я').contains(&c));
    for metric in builtin().metrics() {
        let description = metric
            .description
            .as_ref()
            .unwrap_or_else(|| panic!("{}", metric.name));
        for text in [&metric.title, description] {
            assert!(
                !text.en.is_empty() && !russian(&text.en),
                "{}: {}",
                metric.name,
                text.en
            );
            assert!(
                russian(text.russian()),
                "{}: {}",
                metric.name,
                text.russian()
            );
            assert!(
                !text.en.contains('{') && !text.russian().contains('{'),
                "{}",
                metric.name
            );
        }
        assert!(metric.unit.is_some(), "{} has no unit", metric.name);
        assert!(!metric.tags.is_empty(), "{} has no tag", metric.name);
    }
}

#[test]
fn parameters_reach_every_expression() {
    let mut bindings = Bindings::new();
    bindings.insert("assistant", "helper".into());
    bindings.insert("active", "kind <> 'mail'".into());
    bindings.insert("object", "repo".into());
    bindings.insert("collaboration_gap", "1 day".into());
    let registry = Registry::builtin_with(&bindings).unwrap_or_else(|e| panic!("{e}"));
    let columns = |name: &str| registry.get(name).expect(name).columns();
    assert!(columns("assisted_work_items").contains("helper"));
    assert!(!columns("assisted_work_items").contains("ai_assistant"));
    assert!(columns("active_actors").contains("kind"));
    let MetricKind::Collaboration(collaboration) =
        &registry.get("collaborating_share").expect("it").kind
    else {
        panic!("another kind");
    };
    assert_eq!(collaboration.object, "repo");
    assert_eq!(collaboration.gap.to_string(), "1 day");
    assert!(columns("collaborating_share").contains("kind"));
    // Without bindings every row is active, and no filter is left of it.
    assert!(builtin().get("active_actors").expect("it").filter.is_none());

    let mut wrong = Bindings::new();
    wrong.insert("asistant", "helper".into());
    let error = Registry::builtin_with(&wrong).expect_err("a misspelt parameter");
    assert!(
        error.message().contains(
            "`asistant`, which is no parameter of the registry; did you mean `assistant`?"
        ),
        "{error}"
    );
}

#[test]
fn the_templates_serve_other_registries() {
    let text = "
version: 7
metrics:
  - {name: searches, kind: simple, expr: count(*), filter: \"{active} and event = 'search'\"}
  - {name: searches_per_actor, kind: ratio, numerator: '{searches}', denominator: '{active_actors}'}
instantiate:
  - {template: feature_adoption, with: {feature: search, window: 14 days}}
";
    let builtin = builtin();
    let registry = builtin
        .extend(text, &Bindings::new())
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(registry.len(), builtin.len() + 4);
    assert_eq!(registry.version(), builtin.version());
    let adoption = registry.get("search_adoption").expect("it");
    assert_eq!(adoption.kind.name(), KindName::Ratio);
    assert_eq!(adoption.title.russian(), "Внедрение: search");
    assert_eq!(
        adoption.unit.as_ref().map(ToString::to_string).as_deref(),
        Some("share")
    );
    let MetricKind::Conversion(repeat) = &registry.get("search_repeat_rate").expect("it").kind
    else {
        panic!("another kind");
    };
    assert_eq!(repeat.base.to_string(), "event = 'search'");
    assert_eq!(repeat.window.expect("a window").to_string(), "14 days");
    let per_actor = registry
        .get("searches_per_actor")
        .expect("it")
        .unit
        .as_ref()
        .expect("a unit");
    assert_eq!(per_actor.to_string(), "events/actors");

    // A value with a quote stays a value.
    let text = "{version: 1, instantiate: [{template: feature_adoption, with: {feature: \"x' or 'a' = 'a\"}}]}";
    let error = builtin.extend(text, &Bindings::new()).expect_err("no name");
    assert!(error.message().contains("is not a name"), "{error}");
    let mut bindings = Bindings::new();
    bindings.insert("resource", "a\" or true --".into());
    let odd = Registry::builtin_with(&bindings).expect("an odd column");
    let text = odd.get("provision_requests").expect("it");
    assert!(text.columns().contains("a\" or true --"));
}

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics/reference.md");
    let page = reference_page(&builtin(), "The metrics that come with AURA");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, &page).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/metrics/reference.md is out of date: run this test with UPDATE=1"
    );
}

#[test]
fn a_value_that_does_not_fit_is_the_one_thing_that_is_said() {
    let mut bindings = Bindings::new();
    bindings.insert("active", "event =".into());
    let error = Registry::builtin_with(&bindings).unwrap_err();
    assert_eq!(
        error.message(),
        "built-in registry `usage`: line 6, column 5: parameters.active: `active` is no condition: line 1, column 8: \
         expected an expression, but the expression ends here"
    );
}

#[test]
fn parameters_are_bound_where_they_are_declared() {
    let mut bindings = Bindings::new();
    bindings.insert("assistant", "copilot".into());
    let error = Registry::builtin()
        .unwrap()
        .extend("version: 1\nmetrics: []", &bindings)
        .unwrap_err();
    assert_eq!(
        error.message(),
        "registry: a value is given for `assistant`, which is no parameter of the registry; it is one of the registry \
         that is extended: bind it where that is loaded"
    );
}
