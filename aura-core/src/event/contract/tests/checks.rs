//! Each rule on values inside and outside of it.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};

use super::super::{Contract, OnViolation, Rule, Violation};
use super::batch;
use crate::ErrorKind;
use crate::event::PropertyType;
use crate::ingest::block::Misfit;

/// Checks one property `p` of event `e` with the rules given as YAML, over one column.
fn found(ty: PropertyType, rules: &str, values: ArrayRef) -> Vec<(u32, Rule, String)> {
    let text = format!(
        "{{name: c, version: 1, events: {{e: {{properties: {{p: {{type: {}, {rules}}}}}}}}}}}",
        ty.name()
    );
    let contract = Contract::parse(&text).expect(&text);
    let events = vec!["e"; values.len()];
    contract
        .compile()
        .expect("compiled")
        .check(&batch(&events, vec![("p", ty, values)]), &[])
        .expect("checked")
        .into_iter()
        .map(|v| {
            assert_eq!(v.property.as_deref(), Some("p"));
            assert_eq!(v.action, OnViolation::Quarantine);
            let message = v.message.strip_prefix("`p` of event `e`").expect("prefix");
            (
                v.row,
                v.rule,
                message.trim_start_matches([':', ' ']).to_owned(),
            )
        })
        .collect()
}

fn said(row: u32, rule: Rule, message: &str) -> (u32, Rule, String) {
    (row, rule, message.to_owned())
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn required() {
    let values = texts(&[Some("a"), None, Some("")]);
    let missing = said(1, Rule::Required, "is missing, but required");
    let ty = PropertyType::String;
    assert_eq!(
        found(ty, "required: true", values.clone()),
        std::slice::from_ref(&missing)
    );
    assert_eq!(
        found(PropertyType::Json, "required: true", values.clone()),
        [missing]
    );
    assert_eq!(found(ty, "required: false", values), []);
}

#[test]
fn range_of_integers() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![
        Some(-3),
        Some(0),
        None,
        Some(5),
        Some(6),
        Some(i64::MAX),
        Some(i64::MIN),
    ]));
    let ty = PropertyType::Integer;
    let low = said(0, Rule::Min, "-3 is below the minimum 0");
    let lowest = said(6, Rule::Min, "-9223372036854775808 is below the minimum 0");
    let high = said(4, Rule::Max, "6 is above the maximum 5");
    let highest = said(5, Rule::Max, "9223372036854775807 is above the maximum 5");
    assert_eq!(
        found(ty, "min: 0", values.clone()),
        [low.clone(), lowest.clone()]
    );
    assert_eq!(
        found(ty, "max: 5.0", values.clone()),
        [high.clone(), highest.clone()]
    );
    assert_eq!(
        found(ty, "min: 0, max: 5", values),
        [low, high, highest, lowest]
    );
}

#[test]
fn range_of_numbers() {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![
        -0.0,
        0.5,
        -0.1,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ]));
    let ty = PropertyType::Number;
    assert_eq!(
        found(ty, "min: 0", values.clone()),
        [
            said(2, Rule::Min, "-0.1 is below the minimum 0"),
            said(3, Rule::Min, "NaN is below the minimum 0"),
            said(5, Rule::Min, "-inf is below the minimum 0"),
        ]
    );
    assert_eq!(
        found(ty, "max: 0.25", values.clone()),
        [
            said(1, Rule::Max, "0.5 is above the maximum 0.25"),
            said(3, Rule::Max, "NaN is above the maximum 0.25"),
            said(4, Rule::Max, "inf is above the maximum 0.25"),
        ]
    );
    assert_eq!(found(ty, "required: true", values), []);
}

#[test]
fn range_of_moments_and_days() {
    let hour = 3_600_000_000;
    let values: ArrayRef = Arc::new(
        TimestampMicrosecondArray::from(vec![Some(-1), Some(0), Some(hour), Some(hour + 1), None])
            .with_timezone("UTC"),
    );
    let rules = "min: '1970-01-01T00:00:00Z', max: '1970-01-01T03:00:00+02:00'";
    assert_eq!(
        found(PropertyType::Timestamp, rules, values),
        [
            said(
                0,
                Rule::Min,
                "1969-12-31T23:59:59.999999Z is below the minimum 1970-01-01T00:00:00Z"
            ),
            said(
                3,
                Rule::Max,
                "1970-01-01T01:00:00.000001Z is above the maximum 1970-01-01T01:00:00Z"
            ),
        ]
    );
    let values: ArrayRef = Arc::new(Date32Array::from(vec![-1, 0, 31, i32::MAX]));
    assert_eq!(
        found(
            PropertyType::Date,
            "min: 1970-01-01, max: 1970-01-31",
            values
        ),
        [
            said(0, Rule::Min, "1969-12-31 is below the minimum 1970-01-01"),
            said(2, Rule::Max, "1970-02-01 is above the maximum 1970-01-31"),
            said(
                3,
                Rule::Max,
                "2147483647 days since 1970 is above the maximum 1970-01-31"
            ),
        ]
    );
}

#[test]
fn enumerations() {
    let values = texts(&[Some("free"), Some("pro"), Some("Free"), Some(""), None]);
    assert_eq!(
        found(PropertyType::String, "enum: [free, pro]", values),
        [
            said(2, Rule::Enum, "\"Free\" is not one of \"free\", \"pro\""),
            said(3, Rule::Enum, "\"\" is not one of \"free\", \"pro\""),
        ]
    );
    let values: ArrayRef = Arc::new(Int64Array::from(vec![404, 200, 500, 201]));
    assert_eq!(
        found(PropertyType::Integer, "enum: [500, 200, 404]", values),
        [said(3, Rule::Enum, "201 is not one of 500, 200, 404")]
    );
    let values: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, 1.5, f64::NAN]));
    assert_eq!(
        found(PropertyType::Number, "enum: [0, 1]", values),
        [
            said(1, Rule::Enum, "1.5 is not one of 0, 1"),
            said(2, Rule::Enum, "NaN is not one of 0, 1"),
        ]
    );
    let values: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
    assert_eq!(
        found(PropertyType::Boolean, "enum: [true]", values),
        [said(1, Rule::Enum, "false is not one of true")]
    );
    let values: ArrayRef = Arc::new(Date32Array::from(vec![0, 1]));
    assert_eq!(
        found(PropertyType::Date, "enum: [1970-01-02]", values),
        [said(
            0,
            Rule::Enum,
            "1970-01-01 is not one of \"1970-01-02\""
        )]
    );
    let many: Vec<String> = (10..30).map(|i| format!("v{i}")).collect();
    let rules = format!("enum: [{}]", many.join(", "));
    let message = &found(PropertyType::String, &rules, texts(&[Some("x")]))[0].2;
    assert!(message.ends_with("\"v19\" and 10 more"), "{message}");
}

#[test]
fn length_is_counted_in_characters() {
    let values = texts(&[
        Some("äöü"),
        Some("abcd"),
        Some("äöüß"),
        Some(""),
        Some("😀😀😀"),
    ]);
    assert_eq!(
        found(PropertyType::String, "max_length: 3", values),
        [
            said(
                1,
                Rule::MaxLength,
                "\"abcd\" has 4 characters, more than the maximum 3"
            ),
            said(
                2,
                Rule::MaxLength,
                "\"äöüß\" has 4 characters, more than the maximum 3"
            ),
        ]
    );
    let long = "x".repeat(1_000);
    let message = &found(PropertyType::String, "max_length: 3", texts(&[Some(&long)]))[0].2;
    assert!(
        message.starts_with(&format!("\"{}…\" has 1000", "x".repeat(100))),
        "{message}"
    );
}

#[test]
fn patterns_match_anywhere_unless_anchored() {
    let values = texts(&[Some("AB-1"), Some("xAB-1x"), Some("AB"), None, Some("AB-1")]);
    assert_eq!(
        found(PropertyType::String, "pattern: 'AB-\\d'", values.clone()),
        [said(
            2,
            Rule::Pattern,
            "\"AB\" does not match the pattern `AB-\\d`"
        )]
    );
    let anchored = found(PropertyType::String, "pattern: '^AB-\\d$'", values);
    assert_eq!(anchored.iter().map(|v| v.0).collect::<Vec<_>>(), [1, 2]);
    // More distinct values than are remembered.
    let many: Vec<String> = (0..5_000).map(|i| format!("n{}", i % 2_500)).collect();
    let values: ArrayRef = Arc::new(StringArray::from(many.clone()));
    let rows: Vec<u32> = found(PropertyType::String, "pattern: '[02468]$'", values)
        .iter()
        .map(|v| v.0)
        .collect();
    assert_eq!(
        rows,
        (0..5_000).filter(|i| i % 2 == 1).collect::<Vec<u32>>()
    );
}

#[test]
fn the_first_broken_rule_of_a_property_counts() {
    let rules = "enum: [ab], max_length: 3, pattern: '^a'";
    let rows = found(PropertyType::String, rules, texts(&[Some("bbbb")]));
    assert_eq!(rows[0].1, Rule::Enum);
    let rows = found(
        PropertyType::String,
        "max_length: 3, pattern: '^a'",
        texts(&[Some("bbbb")]),
    );
    assert_eq!((rows.len(), rows[0].1), (1, Rule::MaxLength));
}

const SHOP: &str = "
name: shop
version: 1
properties:
  plan: {type: string, required: true, enum: [free, pro]}
events:
  purchase:
    properties:
      amount: {type: number, required: true, min: 0, on_violation: drop}
      mail: {type: string, pattern: '@', pii: email, on_violation: accept}
  open:
    properties:
      plan: {type: string}
";

fn shop(undeclared: OnViolation, misfits: &[Misfit]) -> Vec<Violation> {
    let mut contract = Contract::parse(SHOP).expect("a contract");
    contract.undeclared_events = undeclared;
    let batch = batch(
        &["purchase", "open", "other", "purchase"],
        vec![
            (
                "mail",
                PropertyType::String,
                texts(&[Some("ada"), Some("x"), Some("x"), None]),
            ),
            (
                "amount",
                PropertyType::Number,
                Arc::new(Float64Array::from(vec![
                    Some(-3.0),
                    Some(-1.0),
                    Some(-1.0),
                    None,
                ])),
            ),
            (
                "plan",
                PropertyType::String,
                texts(&[Some("pro"), None, Some("gold"), None]),
            ),
        ],
    );
    contract
        .compile()
        .expect("compiled")
        .check(&batch, misfits)
        .expect("checked")
}

fn short(all: &[Violation]) -> Vec<(u32, Option<&str>, Rule, OnViolation)> {
    all.iter()
        .map(|v| (v.row, v.property.as_deref(), v.rule, v.action))
        .collect()
}

#[test]
fn violations_come_by_row_and_in_the_order_of_declaration() {
    let all = shop(OnViolation::Accept, &[]);
    assert_eq!(
        short(&all),
        [
            (0, Some("amount"), Rule::Min, OnViolation::Drop),
            (0, Some("mail"), Rule::Pattern, OnViolation::Accept),
            // An event that is not declared is accepted, but has the common properties.
            (2, Some("plan"), Rule::Enum, OnViolation::Quarantine),
            (3, Some("plan"), Rule::Required, OnViolation::Quarantine),
            (3, Some("amount"), Rule::Required, OnViolation::Drop),
        ]
    );
    assert_eq!(
        all[0].message,
        "`amount` of event `purchase`: -3 is below the minimum 0"
    );
    assert_eq!(
        all[1].message,
        "`mail` of event `purchase`: the value (hidden: email) does not match the pattern `@`"
    );
    assert_eq!(
        all[4].message,
        "`amount` of event `purchase` is missing, but required"
    );
}

#[test]
fn an_undeclared_event_has_one_violation() {
    for action in [OnViolation::Quarantine, OnViolation::Drop] {
        let all = shop(action, &[]);
        let of_row: Vec<_> = all.iter().filter(|v| v.row == 2).cloned().collect();
        assert_eq!(short(&of_row), [(2, None, Rule::UndeclaredEvent, action)]);
        assert_eq!(
            of_row[0].message,
            "event `other` is not declared in contract `shop`"
        );
    }
}

#[test]
fn misfits_are_violations_where_the_property_is_declared() {
    let misfit = |row, column, found: &str| Misfit {
        row,
        column,
        found: found.to_owned(),
    };
    // Columns: event_id, actor, event, time, mail, amount, plan, extra.
    let misfits = [
        misfit(0, 7, "not a property"),
        misfit(1, 5, "\"lots\""),
        misfit(3, 4, "7"),
        misfit(3, 5, "\"lots\""),
        misfit(9, 5, "no such row"),
    ];
    let all = shop(OnViolation::Accept, &misfits);
    let last: Vec<_> = all.iter().filter(|v| v.row == 3).cloned().collect();
    assert_eq!(
        short(&last),
        [
            (3, Some("plan"), Rule::Required, OnViolation::Quarantine),
            (3, Some("amount"), Rule::Type, OnViolation::Drop),
            (3, Some("mail"), Rule::Type, OnViolation::Accept),
        ]
    );
    assert_eq!(
        last[1].message,
        "`amount` of event `purchase`: `\"lots\"` is not a number"
    );
    assert_eq!(
        last[2].message,
        "`mail` of event `purchase`: the value (hidden: email) is not text"
    );
    // `open` does not declare `amount`: the value is in `extra`, and right.
    assert!(all.iter().all(|v| v.row != 1), "{all:?}");
}

#[test]
fn a_column_that_is_not_there_is_missing_in_every_row() {
    let contract = Contract::parse(SHOP)
        .expect("a contract")
        .compile()
        .expect("compiled");
    let all = contract
        .check(&batch(&["open", "purchase"], vec![]), &[])
        .expect("checked");
    assert_eq!(
        short(&all),
        [
            (1, Some("plan"), Rule::Required, OnViolation::Quarantine),
            (1, Some("amount"), Rule::Required, OnViolation::Drop),
        ]
    );
    assert_eq!(
        contract.check(&batch(&[], vec![]), &[]).expect("checked"),
        []
    );
}

#[test]
fn a_column_of_another_type_is_an_error() {
    let contract = Contract::parse(SHOP)
        .expect("a contract")
        .compile()
        .expect("compiled");
    let wrong: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = batch(&["open"], vec![("amount", PropertyType::Integer, wrong)]);
    let error = contract.check(&batch, &[]).expect_err("another type");
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.message().contains("`amount`"), "{error}");
}

#[test]
fn slices_of_batches_are_checked_as_themselves() {
    let contract = Contract::parse(SHOP)
        .expect("a contract")
        .compile()
        .expect("compiled");
    let amounts: Vec<Option<f64>> = (0..300)
        .map(|i| (i % 7 != 0).then_some(f64::from(i % 5) - 1.0))
        .collect();
    let plans: Vec<Option<&str>> = (0..300)
        .map(|i| ["pro", "free", "gold"].get(i % 4).copied())
        .collect();
    let events: Vec<&str> = (0..300)
        .map(|i| ["purchase", "open", "other"][i % 3])
        .collect();
    let whole = batch(
        &events,
        vec![
            (
                "amount",
                PropertyType::Number,
                Arc::new(Float64Array::from(amounts)),
            ),
            ("plan", PropertyType::String, texts(&plans)),
        ],
    );
    let all = contract.check(&whole, &[]).expect("checked");
    assert!(all.len() > 100);
    for (from, len) in [(0, 300), (1, 64), (63, 65), (65, 200), (299, 1), (300, 0)] {
        let expected: Vec<Violation> = all
            .iter()
            .filter(|v| (from..from + len).contains(&(v.row as usize)))
            .map(|v| Violation {
                row: v.row - from as u32,
                ..v.clone()
            })
            .collect();
        assert_eq!(
            contract
                .check(&whole.slice(from, len), &[])
                .expect("checked"),
            expected
        );
    }
}
