use arrow::array::Array;
use arrow::array::cast::AsArray;
use arrow::datatypes::{Float64Type, Int64Type};

use super::*;
use crate::event::{PropertyType, TimeUnit};
use crate::ingest::plan::PlanColumn;

fn plan(properties: &[(&str, PropertyType)]) -> ReadPlan {
    let properties: Vec<PlanColumn> = properties
        .iter()
        .map(|&(key, ty)| PlanColumn {
            key: key.to_owned(),
            name: ReadPlan::column_name(key),
            ty,
        })
        .collect();
    ReadPlan {
        beyond: 0,
        event_id: None,
        actor: "who".to_owned(),
        event: Some("what".to_owned()),
        event_name: None,
        time: "when".to_owned(),
        time_zone: None,
        time_unit: TimeUnit::Auto,
        schema: ReadPlan::schema_of(&properties),
        properties,
    }
}

fn roles(builder: &mut BatchBuilder, actor: &str) {
    builder.append_text(ACTOR, actor);
    builder.append_text(EVENT, "e");
    builder.append_time(TIME, 7);
}

fn origin(row: u64) -> Origin {
    Origin {
        row,
        start: 0,
        end: 0,
    }
}

fn reject() -> Reject {
    Fault::new(RejectReason::Malformed, "no").into_reject(
        &Arc::from("s"),
        2,
        b"abcdef",
        &Limits {
            max_original_bytes: 4,
            ..Limits::default()
        },
    )
}

#[test]
fn an_empty_block_keeps_the_schema() {
    let plan = plan(&[("a", PropertyType::Integer)]);
    let block = BatchBuilder::new(&plan, 0).finish().unwrap();
    assert_eq!(block.batch.schema(), plan.schema);
    assert_eq!((block.batch.num_rows(), block.rows_read), (0, 0));
}

#[test]
fn a_rejected_row_leaves_nothing() {
    use PropertyType::*;
    let types = [String, Integer, Number, Boolean, Timestamp, Date, Json];
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let columns: Vec<_> = names.into_iter().zip(types).collect();
    let plan = plan(&columns);
    let fill = |b: &mut BatchBuilder, who: &str| {
        roles(b, who);
        b.append_text(4, who);
        b.append_integer(5, 1);
        b.append_number(6, 1.5);
        b.append_boolean(7, true);
        b.append_time(8, 1);
        b.append_date(9, 1);
        b.append_text(10, "{}");
        b.push_extra(&json_text("x\""), &json_text(who));
        b.push_misfit(5, "x");
        b.push_extra("\"y\"", "null");
    };
    let mut expected = BatchBuilder::new(&plan, 4);
    let mut found = BatchBuilder::new(&plan, 4);
    for (who, kept) in [("a", true), ("bbb", false), ("é", true), ("d", false)] {
        fill(&mut found, who);
        if kept {
            fill(&mut expected, who);
            expected.end_row(origin(1)).unwrap();
            found.end_row(origin(1)).unwrap();
        } else {
            found.reject(reject());
        }
    }
    let (expected, found) = (expected.finish().unwrap(), found.finish().unwrap());
    assert_eq!(found.batch, expected.batch);
    assert_eq!(found.misfits, expected.misfits);
    assert_eq!(found.rows_read, 4);
    assert_eq!(found.rejects, [reject(), reject()]);
    assert_eq!(found.rejects[0].original, b"abcd");
    assert_eq!(found.rejects[0].original_len, 6);
    let extra = found.batch.column(11).as_string::<i32>();
    assert_eq!(extra.value(1), r#"{"x\"":"é","y":null}"#);
}

#[test]
fn columns_without_value_are_null() {
    let plan = plan(&[
        ("a", PropertyType::Integer),
        ("b", PropertyType::String),
        ("c", PropertyType::Number),
    ]);
    let mut builder = BatchBuilder::new(&plan, 1);
    for row in 0..10_i64 {
        roles(&mut builder, "x");
        if row == 3 || row == 8 {
            builder.append_integer(4, row);
            assert!(builder.is_set(4));
            builder.append_text(5, "long enough");
        }
        builder.end_row(origin(row as u64)).unwrap();
    }
    let block = builder.finish().unwrap();
    let integers: Vec<_> = block
        .batch
        .column(4)
        .as_primitive::<Int64Type>()
        .iter()
        .collect();
    let n = None;
    assert_eq!(integers, [n, n, n, Some(3), n, n, n, n, Some(8), n]);
    let texts = block.batch.column(5).as_string::<i32>();
    assert_eq!(texts.null_count(), 8);
    assert_eq!(
        (texts.value(3), texts.value(4), texts.value(8)),
        ("long enough", "", "long enough")
    );
    let numbers = block.batch.column(6).as_primitive::<Float64Type>();
    assert_eq!(numbers.null_count(), 10);
    assert_eq!(block.batch.column(0).null_count(), 10);
    assert_eq!(block.batch.column(7).null_count(), 10);
}

#[test]
fn a_row_without_role_is_refused() {
    let mut builder = BatchBuilder::new(&plan(&[]), 1);
    builder.append_text(EVENT, "e");
    builder.append_time(TIME, 1);
    let fault = builder.end_row(origin(1)).unwrap_err();
    assert_eq!(fault.reason, RejectReason::MissingRole);
    assert_eq!(fault.field.as_deref(), Some("actor"));
    assert_eq!(builder.finish().unwrap().batch.num_rows(), 0);
}
