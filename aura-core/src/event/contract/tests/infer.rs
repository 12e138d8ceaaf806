//! A contract written from data: the data keep to it, and their order does not matter.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, UInt8Array,
};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::super::{Contract, Literal, Pii};
use super::batch;
use crate::ErrorKind;
use crate::event::PropertyType;

/// `rows` events: `open`, `buy` and `rare` in turns of 10, 9 and 1 of 20.
fn sample(rows: usize) -> RecordBatch {
    let event = |i: usize| match i % 20 {
        0..10 => "open",
        10..19 => "buy",
        _ => "rare",
    };
    let events: Vec<&str> = (0..rows).map(event).collect();
    let texts = |value: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from((0..rows).map(value).collect::<Vec<_>>()))
    };
    let buys = |i: usize| event(i) == "buy";
    batch(
        &events,
        vec![
            (
                "plan",
                PropertyType::String,
                texts(&|i| Some(["pro", "free", "team"][i % 3].to_owned())),
            ),
            (
                "order",
                PropertyType::String,
                texts(&|i| buys(i).then(|| format!("o{i}"))),
            ),
            (
                "amount",
                PropertyType::Number,
                Arc::new(Float64Array::from(
                    (0..rows)
                        .map(|i| buys(i).then_some(i as f64 / 7.0))
                        .collect::<Vec<_>>(),
                )),
            ),
            (
                "count",
                PropertyType::Integer,
                Arc::new(Int64Array::from(
                    (0..rows)
                        .map(|i| (i % 3 == 0).then_some(i as i64))
                        .collect::<Vec<_>>(),
                )),
            ),
            (
                "contact",
                PropertyType::String,
                texts(&|i| Some(format!("u{}@example.org", i % 4))),
            ),
            (
                "from",
                PropertyType::String,
                texts(&|i| Some(format!("192.0.2.{}", i % 250))),
            ),
            (
                "app_version",
                PropertyType::String,
                texts(&|i| Some(format!("1.2.3.{i}"))),
            ),
            (
                "call",
                PropertyType::String,
                texts(&|i| (i % 3 == 0).then(|| format!("+49 30 {:07}", i))),
            ),
            (
                "first_name",
                PropertyType::String,
                texts(&|_| Some("Ada".to_owned())),
            ),
            (
                "cart",
                PropertyType::String,
                texts(&|i| buys(i).then(|| format!("[{i}, {{\"a\": 1}}]"))),
            ),
            (
                "mixed",
                PropertyType::String,
                texts(&|i| Some(if i % 2 == 0 { "{}" } else { "[x" }.to_owned())),
            ),
            (
                "trial",
                PropertyType::Boolean,
                Arc::new(BooleanArray::from(vec![true; rows])),
            ),
            (
                "day",
                PropertyType::Date,
                Arc::new(Date32Array::from(vec![20_000; rows])),
            ),
            ("nothing", PropertyType::String, texts(&|_| None)),
            (
                "Plan",
                PropertyType::String,
                texts(&|_| Some("same name but for case".to_owned())),
            ),
            (
                "",
                PropertyType::String,
                texts(&|_| Some("no name".to_owned())),
            ),
        ],
    )
}

#[test]
fn it_says_what_was_seen() {
    let contract = Contract::infer("shop", &[sample(2_000)]).expect("inferred");
    let events: Vec<&str> = contract.events.iter().map(|(name, _)| name).collect();
    assert_eq!(events, ["buy", "open", "rare"]);
    let buy = contract.events.get("buy").expect("buy");
    let names: Vec<&str> = buy.properties.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "plan",
            "order",
            "amount",
            "count",
            "contact",
            "from",
            "app_version",
            "call",
            "first_name",
            "cart",
            "mixed",
            "trial",
            "day"
        ]
    );
    let of = |event: &str, name: &str| {
        let event = contract.events.get(event).expect("event");
        event.properties.get(name).expect(name).clone()
    };
    let plans: Vec<Literal> = vec!["free".into(), "pro".into(), "team".into()];
    let plan = of("buy", "plan");
    assert_eq!((plan.ty, plan.required), (PropertyType::String, true));
    assert_eq!(plan.allowed, Some(plans));
    // No ranges, no enumeration of many values, and required only where always there.
    let amount = of("buy", "amount");
    assert_eq!(
        (amount.required, amount.min, amount.max),
        (true, None, None)
    );
    assert_eq!(
        (of("buy", "order").allowed, of("buy", "count").required),
        (None, false)
    );
    assert_eq!(of("buy", "cart").ty, PropertyType::Json);
    assert_eq!(of("buy", "mixed").ty, PropertyType::String);
    // `rare` has 100 rows: just enough.
    assert!(of("rare", "plan").required);
    let tags = [
        "contact",
        "from",
        "call",
        "first_name",
        "app_version",
        "plan",
    ]
    .map(|n| of("open", n).pii);
    assert_eq!(
        tags,
        [
            Some(Pii::Email),
            Some(Pii::Ip),
            Some(Pii::Phone),
            Some(Pii::Name),
            None,
            None
        ]
    );
    // Personal data are not listed, few as they may be.
    assert_eq!(of("open", "contact").allowed, None);
}

#[test]
fn few_rows_give_no_rules() {
    let contract = Contract::infer("shop", &[sample(40)]).expect("inferred");
    for (_, event) in contract.events.iter() {
        for (name, property) in event.properties.iter() {
            assert!(!property.required && property.allowed.is_none(), "{name}");
        }
    }
}

#[test]
fn the_sample_keeps_to_its_contract() {
    for rows in [0, 1, 99, 700, 2_000] {
        let sample = sample(rows);
        let contract = Contract::infer("shop", std::slice::from_ref(&sample)).expect("inferred");
        let yaml = contract.to_yaml().expect("yaml");
        assert_eq!(Contract::parse(&yaml).expect(&yaml), contract);
        let found = contract
            .compile()
            .expect("compiled")
            .check(&sample, &[])
            .expect("checked");
        assert_eq!(found, [], "{rows} rows");
    }
}

#[test]
fn the_order_of_rows_and_batches_does_not_matter() {
    let sample = sample(1_000);
    let whole = Contract::infer("shop", std::slice::from_ref(&sample)).expect("inferred");
    // 389 and 1,000 have no common factor: another order of all rows.
    let order: Int64Array = (0..1_000_i64).map(|i| i * 389 % 1_000).collect();
    let mixed = take_record_batch(&sample, &order).expect("taken");
    assert_eq!(
        Contract::infer("shop", std::slice::from_ref(&mixed)).expect("inferred"),
        whole
    );
    let parts = [
        mixed.slice(700, 300),
        mixed.slice(0, 1),
        mixed.slice(1, 699),
    ];
    assert_eq!(Contract::infer("shop", &parts).expect("inferred"), whole);
    assert_eq!(
        concat_batches(sample.schema_ref(), &parts)
            .expect("all")
            .num_rows(),
        1_000
    );
}

#[test]
fn encodings_of_text_do_not_matter() {
    let sample = sample(1_000);
    let plain = Contract::infer("shop", std::slice::from_ref(&sample)).expect("inferred");
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    for to in [DataType::Utf8View, DataType::LargeUtf8, dictionary] {
        let columns = sample.schema_ref().fields().iter().zip(sample.columns());
        let columns = columns.map(|(field, column)| {
            let encoded = match column.data_type() {
                DataType::Utf8 => cast(column, &to).expect("cast"),
                _ => column.clone(),
            };
            (field.name().clone(), encoded, true)
        });
        let encoded = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
        let inferred = Contract::infer("shop", &[encoded]).expect("inferred");
        assert_eq!(inferred, plain, "{to}");
    }
}

#[test]
fn batches_with_different_columns_are_united() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let a = batch(&["e"], vec![("x", PropertyType::Integer, one.clone())]);
    let b = batch(&["f"], vec![("y", PropertyType::Integer, one)]);
    let c = batch(&["f"], vec![("y", PropertyType::String, text)]);
    let contract = Contract::infer("c", &[a.clone(), b.clone()]).expect("inferred");
    assert_eq!(
        contract.declared(),
        [
            ("x".to_owned(), PropertyType::Integer),
            ("y".to_owned(), PropertyType::Integer)
        ]
    );
    let error = Contract::infer("c", &[a, b, c]).expect_err("two types");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(
        error.message(),
        "infer: column `y` is integer in one batch and string in another"
    );
}

#[test]
fn what_is_not_canonical_is_an_error() {
    let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::UInt8, true)]));
    let values: ArrayRef = Arc::new(UInt8Array::from(vec![1]));
    let other = RecordBatch::try_new(schema, vec![values.clone()]).expect("a batch");
    let error = Contract::infer("c", &[other]).expect_err("no event");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let error = Contract::infer(" ", &[]).expect_err("no name");
    assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    assert!(
        Contract::infer("c", &[])
            .expect("nothing")
            .events
            .is_empty()
    );
    let schema = Arc::new(Schema::new(vec![
        Field::new("event", DataType::Utf8, false),
        Field::new("x", DataType::UInt8, true),
    ]));
    let events: ArrayRef = Arc::new(StringArray::from(vec!["e"]));
    let other = RecordBatch::try_new(schema, vec![events, values]).expect("a batch");
    let error = Contract::infer("c", &[other]).expect_err("a type that no property has");
    assert!(error.message().contains("`x` has type UInt8"), "{error}");
}

#[test]
fn of_very_many_names_the_most_frequent_are_declared() {
    let names: Vec<String> = (0..1_500)
        .flat_map(|i| vec![format!("e{i:04}"); if i >= 600 { 2 } else { 1 }])
        .collect();
    let events: Vec<&str> = names.iter().map(String::as_str).collect();
    let contract = Contract::infer("c", &[batch(&events, vec![])]).expect("inferred");
    assert_eq!(contract.events.len(), 1_000);
    assert!(contract.events.contains("e1499") && contract.events.contains("e0099"));
    assert!(!contract.events.contains("e0100"));
}
