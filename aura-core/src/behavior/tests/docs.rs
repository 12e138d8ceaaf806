//! The examples of `docs/behavior.md`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};

use crate::behavior::Analysis;
use crate::behavior::testing::{BASE, HOUR, Row, batch, run};
use crate::engine::Events;
use crate::event::Roles;

const PAGE: &str = include_str!("../../../../docs/behavior.md");

/// The blocks of code in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    let parts = PAGE.split(&start).skip(1);
    parts
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

fn events() -> Events {
    let row = |event, hours: i64| Row {
        actor: "a",
        event,
        time: BASE + hours * HOUR,
        plan: Some("pro"),
        n: None,
        amount: Some(20.0),
    };
    let rows = [row("view", 0), row("order", 1), row("logout", 2)];
    let batch = batch(&rows);
    let mut columns: Vec<(&str, ArrayRef, bool)> = Vec::new();
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        columns.push((field.name().as_str(), Arc::clone(column), true));
        // The page speaks of carts and accounts.
        if field.name() == "plan" {
            columns.push(("cart_id", Arc::clone(column), true));
            columns.push(("account", Arc::clone(column), true));
        }
    }
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    Events::from_batches(vec![batch], &Roles::new("actor", "event", "time")).unwrap()
}

#[test]
fn examples_are_answered() {
    let events = events();
    let specs = blocks("json");
    assert_eq!(specs.len(), 5);
    for text in specs {
        let analysis = Analysis::from_json(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        run(&events, &analysis).unwrap_or_else(|e| panic!("{text}: {e}"));
    }
    // Those in the middle of a line.
    let inline = PAGE
        .split('`')
        .filter(|code| code.starts_with("{\"sequence\"") || code.starts_with("{\"retention\""));
    let inline: Vec<&str> = inline.filter(|code| !code.contains('…')).collect();
    assert!(!inline.is_empty());
    for text in inline {
        run(&events, Analysis::from_json(text).unwrap()).unwrap();
    }
}

#[tokio::test]
async fn statements_are_answered() {
    let statements = blocks("sql");
    assert_eq!(statements.len(), 1);
    for text in statements {
        let table = events().sql(text).await.unwrap();
        assert!(table.num_rows() > 0, "{text}");
    }
}
