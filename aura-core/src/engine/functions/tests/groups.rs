//! Many groups at once, against one group at a time.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::DataType;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use proptest::prelude::*;

use crate::engine::functions::events::{Collect, Event, Finish};
use crate::engine::functions::groups::{CollectGroups, Kept};

/// Writes down the events in their order.
#[derive(Debug)]
struct Spelled(bool);

impl Finish for Spelled {
    fn takes_all(&self) -> bool {
        self.0
    }

    fn finish(&self, events: &[Event]) -> DfResult<ScalarValue> {
        let spelled = events.iter().map(|e| format!("{}:{} ", e.time, e.mask));
        Ok(ScalarValue::Utf8(Some(spelled.collect())))
    }
}

/// A row: its group, its time, whether it meets the conditions, and whether it passes the filter.
type Row = (usize, Option<i64>, Option<bool>, Option<bool>, Option<bool>);

fn columns(rows: &[Row]) -> Vec<ArrayRef> {
    let times: TimestampMicrosecondArray = rows.iter().map(|r| r.1).collect();
    let condition = |of: fn(&Row) -> Option<bool>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<BooleanArray>())
    };
    vec![
        new_null_array(&DataType::Null, rows.len()),
        Arc::new(times.with_timezone("UTC")),
        condition(|r| r.2),
        condition(|r| r.3),
    ]
}

fn one_by_one(rows: &[&Row], all: bool) -> String {
    let mut alone = Collect {
        time: 1,
        finish: Spelled(all),
        events: Vec::new(),
    };
    let rows: Vec<Row> = rows
        .iter()
        .map(|r| **r)
        .filter(|r| r.4 == Some(true))
        .collect();
    alone.update_batch(&columns(&rows)).unwrap();
    match alone.evaluate().unwrap() {
        ScalarValue::Utf8(Some(text)) => text,
        other => panic!("{other}"),
    }
}

fn together(all: bool) -> CollectGroups<Spelled> {
    CollectGroups {
        time: 1,
        finish: Spelled(all),
        result: DataType::Utf8,
        kept: Kept::default(),
    }
}

fn texts(column: &ArrayRef) -> Vec<String> {
    let texts: &StringArray = column.as_string();
    texts.iter().map(|t| t.unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn groups_are_as_each_alone(
        rows in prop::collection::vec((0..6_usize, prop::option::weighted(0.9, 0..4_i64), any::<Option<bool>>(), any::<Option<bool>>(), any::<Option<bool>>()), 0..40),
        cuts in prop::collection::vec(0..40_usize, 2),
        first in 0..7_usize,
        all: bool,
    ) {
        const GROUPS: usize = 6;
        let expected: Vec<String> = (0..GROUPS)
            .map(|g| one_by_one(&rows.iter().filter(|r| r.0 == g).collect::<Vec<_>>(), all))
            .collect();
        let (a, b) = (cuts[0].min(rows.len()), cuts[1].min(rows.len()));
        let parts = [&rows[..a.min(b)], &rows[a.min(b)..a.max(b)], &rows[a.max(b)..]];
        let groups = |rows: &[Row]| rows.iter().map(|r| r.0).collect::<Vec<_>>();
        let filter = |rows: &[Row]| rows.iter().map(|r| r.4).collect::<BooleanArray>();
        // The first part is updated, the second merged as states of groups, the third as states of single rows.
        let mut left = together(all);
        left.update_batch(&columns(parts[0]), &groups(parts[0]), Some(&filter(parts[0])), GROUPS).unwrap();
        let mut right = together(all);
        right.update_batch(&columns(parts[1]), &groups(parts[1]), Some(&filter(parts[1])), GROUPS).unwrap();
        let early = right.state(EmitTo::First(first.min(GROUPS))).unwrap();
        let early_groups: Vec<usize> = (0..first.min(GROUPS)).collect();
        left.merge_batch(&early, &early_groups, GROUPS).unwrap();
        let late = right.state(EmitTo::All).unwrap();
        let late_groups: Vec<usize> = (first.min(GROUPS)..GROUPS).collect();
        left.merge_batch(&late, &late_groups, GROUPS).unwrap();
        let single = right.convert_to_state(&columns(parts[2]), Some(&filter(parts[2]))).unwrap();
        left.merge_batch(&single, &groups(parts[2]), GROUPS).unwrap();
        let mut found = texts(&left.evaluate(EmitTo::First(first.min(GROUPS))).unwrap());
        found.extend(texts(&left.evaluate(EmitTo::All).unwrap()));
        prop_assert_eq!(found, expected);
    }
}
