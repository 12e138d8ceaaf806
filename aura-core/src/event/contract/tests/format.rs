//! The format: round trips, defaults, what YAML and JSON allow, the JSON Schema.

use super::super::{Contract, Literal, OnViolation, OrderedMap, Pii};
use super::whole;
use crate::event::PropertyType;

#[test]
fn yaml_and_json_give_the_same_contract_back() {
    let contract = whole();
    contract.validate().expect("valid");
    let yaml = contract.to_yaml().expect("yaml");
    assert_eq!(Contract::parse(&yaml).expect(&yaml), contract);
    let json = contract.to_json().expect("json");
    assert_eq!(Contract::parse(&json).expect(&json), contract);
    // The same text every time, and plain serde reads it too.
    assert_eq!(
        Contract::parse(&json)
            .expect("again")
            .to_yaml()
            .expect("yaml"),
        yaml
    );
    assert_eq!(
        serde_json::from_str::<Contract>(&json).expect("serde"),
        contract
    );
}

#[test]
fn what_is_left_out_has_its_default() {
    let contract = Contract::parse("name: a\nversion: 1\n").expect("a contract");
    assert_eq!(contract, Contract::new("a", 1));
    assert_eq!(contract.on_violation, OnViolation::Quarantine);
    assert_eq!(contract.undeclared_events, OnViolation::Accept);
    let empty =
        "name: a\nversion: 1\ndescription:\nproperties:\nevents:\n  open:\n    properties:\n";
    let contract = Contract::parse(empty).expect("a contract");
    assert!(
        contract
            .events
            .get("open")
            .is_some_and(|e| e.properties.is_empty())
    );
}

#[test]
fn only_true_and_false_are_boolean_in_yaml() {
    let text =
        "name: a\nversion: 1\nproperties:\n  x: {type: string, enum: [no, on, 2026-01-31]}\n";
    let contract = Contract::parse(text).expect("a contract");
    let property = contract.properties.get("x").expect("x");
    let expected: Vec<Literal> = vec!["no".into(), "on".into(), "2026-01-31".into()];
    assert_eq!(property.allowed.as_ref(), Some(&expected));
}

#[test]
fn anchors_merge_keys_and_odd_keys_are_understood() {
    let text = "
name: a
version: 1
properties:
  plan: &text {type: string, max_length: 5}
events:
  404: {properties: {reason: *text}}
  signup:
    properties:
      mail:
        <<: *text
        pii: email
";
    let contract = Contract::parse(text).expect("a contract");
    let names: Vec<&str> = contract.events.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["404", "signup"]);
    let mail = contract
        .events
        .get("signup")
        .and_then(|e| e.properties.get("mail"));
    let mail = mail.expect("mail");
    assert_eq!((mail.max_length, mail.pii), (Some(5), Some(Pii::Email)));
    // A fault in what an alias stands for is shown where the alias is.
    let error = Contract::parse(&text.replace("max_length: 5", "max_lenght: 5")).expect_err("typo");
    assert!(
        error
            .message()
            .contains("line 5, column 30: properties.plan: unknown key `max_lenght`"),
        "{error}"
    );
}

#[test]
fn a_flow_mapping_of_yaml_is_no_broken_json() {
    let contract = Contract::parse("{name: a, version: 1}").expect("a contract");
    assert_eq!(contract, Contract::new("a", 1));
}

#[test]
fn json_escapes_are_understood() {
    let text = r#"{"name": "a\u00e9\ud83d\ude00\/", "version": 1}"#;
    assert_eq!(Contract::parse(text).expect("a contract").name, "aé😀/");
}

#[test]
fn properties_are_declared_in_the_order_of_the_file() {
    let text = "
name: a
version: 1
properties: {z: {type: string}, a: {type: date}}
events:
  one: {properties: {m: {type: integer}, z: {type: string, required: true}}}
  two: {properties: {b: {type: json}, m: {type: integer}}}
";
    let contract = Contract::parse(text).expect("a contract");
    let declared = [
        ("z", PropertyType::String),
        ("a", PropertyType::Date),
        ("m", PropertyType::Integer),
        ("b", PropertyType::Json),
    ]
    .map(|(name, ty)| (name.to_owned(), ty));
    assert_eq!(contract.declared(), declared);
    assert_eq!(contract.compile().expect("compiled").declared(), declared);
}

#[test]
fn the_json_schema_names_every_key() {
    let schema = serde_json::to_value(schemars::schema_for!(Contract)).expect("a schema");
    let text = schema.to_string();
    for key in [
        "on_violation",
        "undeclared_events",
        "max_length",
        "free_text",
        "\"enum\"",
        "owner",
    ] {
        assert!(text.contains(key), "{key} is missing in {text}");
    }
    let property = &schema["$defs"]["PropertyContract"];
    assert_eq!(property["additionalProperties"], false);
    assert_eq!(property["required"], serde_json::json!(["type"]));
    let events = &schema["properties"]["events"];
    assert_eq!(
        events["additionalProperties"]["$ref"],
        "#/$defs/EventContract"
    );
}

#[test]
fn an_ordered_map_keeps_places() {
    let mut map = OrderedMap::from_iter([("b", 1), ("a", 2)]);
    assert_eq!(map.insert("b", 3), Some(1));
    assert_eq!(map.iter().collect::<Vec<_>>(), [("b", &3), ("a", &2)]);
    assert_eq!(map.get_mut("a").copied(), Some(2));
    assert_eq!(
        (map.len(), map.is_empty(), map.contains("c")),
        (2, false, false)
    );
    let twice = serde_json::from_str::<OrderedMap<u8>>(r#"{"a": 1, "a": 2}"#);
    assert!(twice.is_err_and(|e| e.to_string().contains("`a` is given twice")));
}

#[test]
fn the_contracts_of_the_documentation_are_contracts() {
    let page = include_str!("../../../../../docs/contracts.md");
    let mut found = 0;
    for block in page.split("```yaml\n").skip(1) {
        let text = block.split("```").next().unwrap_or_default();
        let contract = Contract::parse(text).expect(text);
        contract.compile().expect(text);
        found += 1;
    }
    assert!(found >= 2, "{found} contracts found");
}
