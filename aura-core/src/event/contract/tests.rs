mod broken;
mod changes;
mod checks;
mod format;
mod infer;
mod naive;

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use super::{Contract, EventContract, Literal, OnViolation, OrderedMap, Pii, PropertyContract};
use crate::event::{PropertyType, canonical_schema};

/// A contract that uses every part of the format.
fn whole() -> Contract {
    let property = |ty| PropertyContract::new(ty);
    let mut amount = property(PropertyType::Number);
    amount.required = true;
    amount.min = Some(Literal::Integer(0));
    amount.max = Some(Literal::Number(99_999.5));
    amount.unit = Some("USD".to_owned());
    let mut plan = property(PropertyType::String);
    plan.allowed = Some(vec![
        "free".into(),
        "no".into(),
        "1".into(),
        "~".into(),
        "".into(),
    ]);
    plan.description = Some("A plan: \"free\"\nor # paid, ".to_owned() + &"long ".repeat(30));
    plan.on_violation = Some(OnViolation::Accept);
    let mut coupon = property(PropertyType::String);
    coupon.pattern = Some("^[A-Z]{2}-\\d+$".to_owned());
    coupon.max_length = Some(12);
    let mut mail = property(PropertyType::String);
    mail.pii = Some(Pii::Email);
    let mut day = property(PropertyType::Date);
    day.min = Some("2020-02-29".into());
    let mut until = property(PropertyType::Timestamp);
    until.max = Some("2100-01-01T00:00:00+01:00".into());
    let mut items = property(PropertyType::Integer);
    items.allowed = Some(vec![Literal::Integer(i64::MIN), Literal::Integer(3)]);
    let mut gift = property(PropertyType::Boolean);
    gift.allowed = Some(vec![Literal::Boolean(true)]);

    let mut contract = Contract::new("shop", 3);
    contract.description = Some("What the shop sends".to_owned());
    contract.on_violation = OnViolation::Drop;
    contract.undeclared_events = OnViolation::Quarantine;
    contract.properties = OrderedMap::from_iter([("plan", plan), ("mail", mail)]);
    contract
        .events
        .insert("page_view", EventContract::default());
    contract.events.insert(
        "purchase",
        EventContract {
            description: Some("Paid".to_owned()),
            owner: Some("checkout".to_owned()),
            properties: OrderedMap::from_iter([
                ("amount", amount),
                ("coupon", coupon),
                ("day", day),
                ("until", until),
                ("items", items),
                ("gift", gift),
                ("cart", property(PropertyType::Json)),
            ]),
        },
    );
    contract
}

/// A batch in canonical form with these events and property columns.
fn batch(events: &[&str], columns: Vec<(&str, PropertyType, ArrayRef)>) -> RecordBatch {
    let schema = canonical_schema(columns.iter().map(|(name, ty, _)| (*name, *ty)));
    let text = |v: &str| Arc::new(StringArray::from(vec![v; events.len()])) as ArrayRef;
    let time = TimestampMicrosecondArray::from(vec![0; events.len()]).with_timezone("UTC");
    let mut arrays: Vec<ArrayRef> = vec![
        text("id"),
        text("ada"),
        Arc::new(StringArray::from(events.to_vec())),
        Arc::new(time),
    ];
    arrays.extend(columns.into_iter().map(|(_, _, array)| array));
    arrays.push(new_null_array(&DataType::Utf8, events.len()));
    RecordBatch::try_new(schema, arrays).expect("a batch")
}
