use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};

use crate::ErrorKind;
use crate::engine::Events;
use crate::event::Roles;

fn events() -> Events {
    let text = |values: Vec<&str>| Arc::new(StringArray::from(values)) as _;
    let batch = RecordBatch::try_from_iter([
        ("actor", text(vec!["a", "b"])),
        ("event", text(vec!["x", "y"])),
        (
            "time",
            Arc::new(Int64Array::from(vec![1_767_225_600; 2])) as _,
        ),
    ])
    .unwrap();
    Events::from_batches(vec![batch], &Roles::default()).unwrap()
}

/// Asks without a Tokio runtime, from a thread with a small stack.
fn ask(query: String) -> crate::Result<usize> {
    std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(move || {
            futures::executor::block_on(events().sql(&query)).map(|table| table.num_rows())
        })
        .unwrap()
        .join()
        .unwrap()
}

fn refused(query: String, words: &str) {
    let start: String = query.chars().take(80).collect();
    let error = ask(query).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSpec, "{start}: {error}");
    assert!(error.message().contains(words), "{start}: {error}");
}

#[test]
fn a_host_needs_no_runtime_and_no_large_stack() {
    assert_eq!(ask("select * from events".to_owned()).unwrap(), 2);
}

#[test]
fn the_longest_chains_that_pass_are_planned() {
    for link in [
        " + 1",
        " <> 1",
        " is null",
        " like 'a'",
        " in (1)",
        " << 1",
        " or true",
        " || 'x'",
        " = 1",
    ] {
        for links in [240, 3_000] {
            let query = format!("select 1{} from events", link.repeat(links));
            match ask(query) {
                // A mixture of types may be no query; what counts is that there is an answer.
                Ok(rows) => assert_eq!((rows, links), (2, 240), "{link}"),
                Err(e) => assert!(
                    [ErrorKind::InvalidSpec, ErrorKind::InvalidData].contains(&e.kind()),
                    "{link}: {e:?}"
                ),
            }
        }
        refused(format!("select 1{}", link.repeat(251)), "operators");
    }
}

#[test]
fn chains_of_queries_are_bounded() {
    let chain = |links: usize| {
        let mut text = "with a0 as (select 1 as x)".to_owned();
        for i in 1..links {
            text.push_str(&format!(", a{i} as (select x from a{})", i - 1));
        }
        format!("{text} select x from a{}", links - 1)
    };
    assert_eq!(ask(chain(50)).unwrap(), 1);
    refused(chain(150), "SELECTs");
    let nested = |depth: usize| format!("{}1{}", "select (".repeat(depth), ")".repeat(depth));
    assert_eq!(ask(nested(8)).unwrap(), 1);
    refused(nested(20), "");
}

#[test]
fn what_stands_for_a_huge_query_is_refused() {
    let mut text = "with a0 as (select 1 as x)".to_owned();
    for i in 1..22 {
        text.push_str(&format!(
            ", a{i} as (select l.x from a{0} l, a{0} r)",
            i - 1
        ));
    }
    refused(format!("{text} select count(*) from a21"), "reads tables");
    let columns = vec!["actor"; 22].join(", ");
    refused(
        format!("select count(*) from events group by cube ({columns})"),
        "CUBE",
    );
    let tables = vec!["events"; 500].join(", ");
    refused(format!("select count(*) from {tables}"), "reads tables");
    assert_eq!(
        ask(
            "with e as (select * from events) select * from e union all select * from e".to_owned()
        )
        .unwrap(),
        4
    );
}
