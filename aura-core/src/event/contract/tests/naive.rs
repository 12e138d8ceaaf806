//! The checker against a slow one that goes row by row and shares no code with it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use proptest::prelude::*;
use regex::Regex;

use super::super::{Contract, Literal, OnViolation, OrderedMap, PropertyContract, Rule};
use super::batch;
use crate::event::PropertyType;
use crate::ingest::block::Misfit;

const EVENTS: [&str; 6] = [
    "open",
    "purchase",
    "a_very_long_name_number_1",
    "a_very_long_name_number_2",
    "",
    "x",
];
const TYPES: [(&str, PropertyType); 7] = [
    ("text", PropertyType::String),
    ("int", PropertyType::Integer),
    ("num", PropertyType::Number),
    ("flag", PropertyType::Boolean),
    ("at", PropertyType::Timestamp),
    ("day", PropertyType::Date),
    ("doc", PropertyType::Json),
];
const TEXTS: [&str; 6] = ["", "a", "ab", "äbc", "abcd", "a somewhat longer text"];
const MOMENT: i64 = 1_767_225_600_000_000; // 2026-01-01T00:00:00Z
const DAY: i64 = 20_454; // 2026-01-01

/// What one row breaks: the property (`None` for the event), the rule and the action.
type Found = (u32, Option<String>, Rule, OnViolation);

fn naive(contract: &Contract, batch: &RecordBatch, misfits: &[Misfit]) -> Vec<Found> {
    let mut found = Vec::new();
    let events = batch.column(2).as_string::<i32>();
    for row in 0..batch.num_rows() {
        let event = contract.events.get(events.value(row));
        if event.is_none() && contract.undeclared_events != OnViolation::Accept {
            found.push((
                row as u32,
                None,
                Rule::UndeclaredEvent,
                contract.undeclared_events,
            ));
            continue;
        }
        for (name, _) in contract.declared() {
            let own = event.and_then(|e| e.properties.get(&name));
            let Some(property) = own.or_else(|| contract.properties.get(&name)) else {
                continue;
            };
            if let Some(rule) = broken(property, &name, batch, row, misfits) {
                let action = property.on_violation.unwrap_or(contract.on_violation);
                found.push((row as u32, Some(name), rule, action));
            }
        }
    }
    found
}

fn broken(
    property: &PropertyContract,
    name: &str,
    batch: &RecordBatch,
    row: usize,
    misfits: &[Misfit],
) -> Option<Rule> {
    let index = batch.schema().index_of(name).ok();
    if misfits
        .iter()
        .any(|m| m.row as usize == row && Some(m.column as usize) == index)
    {
        return Some(Rule::Type);
    }
    let Some(column) = index.map(|i| batch.column(i)).filter(|c| c.is_valid(row)) else {
        return property.required.then_some(Rule::Required);
    };
    if let PropertyType::String = property.ty {
        let value = column.as_string::<i32>().value(row);
        let is = |v: &Literal| matches!(v, Literal::String(v) if v == value);
        if property
            .allowed
            .as_ref()
            .is_some_and(|all| !all.iter().any(is))
        {
            return Some(Rule::Enum);
        }
        if property
            .max_length
            .is_some_and(|most| value.chars().count() > most as usize)
        {
            return Some(Rule::MaxLength);
        }
        let pattern = property
            .pattern
            .as_ref()
            .map(|p| Regex::new(p).expect("a pattern"));
        return pattern
            .is_some_and(|p| !p.is_match(value))
            .then_some(Rule::Pattern);
    }
    // Every other value as a number: those of these tests are far below 2^53.
    let value = match property.ty {
        PropertyType::Integer => column.as_primitive::<Int64Type>().value(row) as f64,
        PropertyType::Number => column.as_primitive::<Float64Type>().value(row),
        PropertyType::Boolean => f64::from(u8::from(column.as_boolean().value(row))),
        PropertyType::Timestamp => {
            column.as_primitive::<TimestampMicrosecondType>().value(row) as f64
        }
        PropertyType::Date => f64::from(column.as_primitive::<Date32Type>().value(row)),
        _ => return None,
    };
    let number = |literal: &Literal| match literal {
        Literal::Boolean(v) => f64::from(u8::from(*v)),
        Literal::Integer(v) => *v as f64,
        Literal::Number(v) => *v,
        // Texts are made by `moment` and `day` below.
        Literal::String(v) if v.contains('T') => {
            (MOMENT + v[17..19].parse::<i64>().expect("seconds") * 1_000_000) as f64
        }
        Literal::String(v) => (DAY - 1 + v[8..10].parse::<i64>().expect("day")) as f64,
    };
    if property
        .allowed
        .as_ref()
        .is_some_and(|all| !all.iter().any(|v| number(v) == value))
    {
        return Some(Rule::Enum);
    }
    if let Some(min) = property.min.as_ref().map(number)
        && (value < min || value.is_nan())
    {
        return Some(Rule::Min);
    }
    if let Some(max) = property.max.as_ref().map(number)
        && (value > max || value.is_nan())
    {
        return Some(Rule::Max);
    }
    None
}

fn literal(ty: PropertyType, step: i64) -> Literal {
    match ty {
        PropertyType::Integer => Literal::Integer(step),
        PropertyType::Number => Literal::Number(step as f64 / 2.0),
        PropertyType::Boolean => Literal::Boolean(step % 2 == 0),
        PropertyType::Timestamp => Literal::String(format!("2026-01-01T00:00:{step:02}Z")),
        PropertyType::Date => Literal::String(format!("2026-01-{:02}", step + 1)),
        _ => Literal::String(TEXTS[step as usize % TEXTS.len()].to_owned()),
    }
}

prop_compose! {
    fn property(ty: PropertyType)(
        required: bool,
        allowed in prop::option::of(prop::collection::btree_set(0_i64..6, 1..4)),
        ends in prop::option::of((0_i64..6, 0_i64..6)),
        max_length in prop::option::of(0_u32..6),
        pattern in prop::option::of(prop::sample::select(vec!["^a", "b", "^$|c", "^.{2,4}$"])),
        on_violation in prop::option::of(prop::sample::select(vec![OnViolation::Accept, OnViolation::Drop])),
    ) -> PropertyContract {
        let mut property = PropertyContract::new(ty);
        property.required = required;
        property.on_violation = on_violation;
        match ty {
            PropertyType::Json => return property,
            PropertyType::String => {
                property.pattern = pattern.map(str::to_owned);
                property.max_length = max_length;
            }
            PropertyType::Boolean => {}
            // Either values or a range: both together may contradict each other.
            _ if allowed.is_none() => {
                property.min = ends.map(|(a, b)| literal(ty, a.min(b)));
                property.max = ends.map(|(a, b)| literal(ty, a.max(b)));
            }
            _ => {}
        }
        let mut values: Vec<Literal> = Vec::new();
        for step in allowed.unwrap_or_default() {
            let value = literal(ty, step);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        property.allowed = (!values.is_empty()).then_some(values);
        if property.validate_alone().is_err() {
            property.pattern = None;
            property.max_length = None;
        }
        property
    }
}

impl PropertyContract {
    fn validate_alone(&self) -> crate::Result<()> {
        let mut contract = Contract::new("alone", 1);
        contract.properties.insert("p", self.clone());
        contract.validate()
    }
}

fn properties() -> impl Strategy<Value = OrderedMap<PropertyContract>> {
    let each: Vec<_> = TYPES
        .into_iter()
        .map(|(name, ty)| prop::option::of(property(ty).prop_map(move |p| (name, p))))
        .collect();
    each.prop_map(|all| all.into_iter().flatten().collect())
}

prop_compose! {
    fn contract()(
        common in properties(),
        events in prop::collection::vec((0..5_usize, properties()), 0..4),
        on_violation in prop::sample::select(vec![OnViolation::Quarantine, OnViolation::Drop]),
        undeclared in prop::sample::select(vec![OnViolation::Quarantine, OnViolation::Accept]),
    ) -> Contract {
        let mut contract = Contract::new("random", 1);
        contract.on_violation = on_violation;
        contract.undeclared_events = undeclared;
        contract.properties = common;
        for (event, properties) in events {
            let name = EVENTS[event];
            if !name.is_empty() {
                let event = super::EventContract { properties, ..Default::default() };
                contract.events.insert(name, event);
            }
        }
        contract
    }
}

/// A row: its event, and for each column a step, or nothing.
type Row = (usize, Vec<Option<i64>>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        0..EVENTS.len(),
        prop::collection::vec(prop::option::weighted(0.8, -1_i64..8), TYPES.len()),
    );
    prop::collection::vec(row, 0..150)
}

fn column(ty: PropertyType, steps: Vec<Option<i64>>) -> ArrayRef {
    let text = |s: i64| TEXTS[s.unsigned_abs() as usize % TEXTS.len()];
    match ty {
        PropertyType::Integer => Arc::new(Int64Array::from(steps)),
        PropertyType::Number => {
            Arc::new(Float64Array::from_iter(steps.iter().map(|s| {
                s.map(|s| if s == 7 { f64::NAN } else { s as f64 / 2.0 })
            })))
        }
        PropertyType::Boolean => Arc::new(BooleanArray::from_iter(
            steps.iter().map(|s| s.map(|s| s % 2 == 0)),
        )),
        PropertyType::Timestamp => {
            let all = steps.iter().map(|s| s.map(|s| MOMENT + s * 1_000_000));
            Arc::new(TimestampMicrosecondArray::from_iter(all).with_timezone("UTC"))
        }
        PropertyType::Date => Arc::new(Date32Array::from_iter(
            steps.iter().map(|s| s.map(|s| (DAY + s) as i32)),
        )),
        _ => Arc::new(StringArray::from_iter(steps.iter().map(|s| s.map(text)))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_checker_finds_what_a_naive_one_finds(
        contract in contract(),
        rows in rows(),
        absent in prop::option::weighted(0.2, 0..TYPES.len()),
        misfits in prop::collection::btree_set((0_u32..150, 4_u32..11), 0..10),
        cut in 0_usize..70,
    ) {
        let events: Vec<&str> = rows.iter().map(|(event, _)| EVENTS[*event]).collect();
        let columns = TYPES
            .iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != absent)
            .map(|(i, (name, ty))| {
                let steps = rows.iter().map(|(_, steps)| steps[i]).collect();
                (*name, *ty, column(*ty, steps))
            })
            .collect();
        let whole = batch(&events, columns);
        // Part of the batch, so that bits of validity do not begin at a byte.
        let cut = cut.min(rows.len());
        let part = whole.slice(cut, rows.len() - cut);
        let misfits: Vec<Misfit> = misfits
            .into_iter()
            .filter(|(row, column)| {
                let at = *row as usize;
                at < part.num_rows()
                    && (*column as usize) < part.num_columns() - 1
                    && part.column(*column as usize).is_null(at)
            })
            .map(|(row, column)| Misfit { row, column, found: "?".to_owned() })
            .collect();
        let found: Vec<Found> = contract
            .compile()
            .expect("compiled")
            .check(&part, &misfits)
            .expect("checked")
            .into_iter()
            .map(|v| (v.row, v.property, v.rule, v.action))
            .collect();
        prop_assert_eq!(found, naive(&contract, &part, &misfits));
    }
}
