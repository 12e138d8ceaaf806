//! Conditions on rows as bits, against the engine's own evaluation.

use datafusion::logical_expr::Expr;
use datafusion::prelude::{col, lit};

use super::*;
use crate::event::{Roles, time_type};

/// The bits of each row, by its id; the last column of the request is the id.
struct Bits {
    tests: RowTests,
    id: usize,
}

impl Bits {
    fn of<'a>(&self, state: &mut (Answers, BTreeMap<String, u64>), rows: Rows<'a>) -> Result<()> {
        let mut masks = vec![u64::MAX; 3]; // what was there before does not matter
        self.tests.masks(&mut state.0, rows, &mut masks)?;
        assert_eq!(masks.len(), rows.len());
        let (codes, texts) = rows.column(self.id).unwrap().codes().unwrap();
        let texts = texts.to_array();
        for (code, mask) in codes.iter().zip(masks) {
            let id = texts.value(*code as usize).to_owned();
            assert_eq!(state.1.insert(id, mask), None);
        }
        Ok(())
    }
}

type Found = (Answers, BTreeMap<String, u64>);

fn joined(mut into: Found, from: Found) -> Result<Found> {
    into.1.extend(from.1);
    Ok(into)
}

impl Kernel for Bits {
    type State = Found;

    fn new_state(&self) -> Found {
        (self.tests.new_answers(), BTreeMap::new())
    }

    fn block(&self, state: &mut Found, block: &ActorBlock) -> Result<()> {
        self.of(state, block.into())
    }

    fn combine(&self, into: Found, from: Found) -> Result<Found> {
        joined(into, from)
    }
}

impl RowKernel for Bits {
    type State = Found;

    fn new_state(&self) -> Found {
        (self.tests.new_answers(), BTreeMap::new())
    }

    fn rows(&self, state: &mut Found, block: &RowBlock) -> Result<()> {
        self.of(state, block.into())
    }

    fn combine(&self, into: Found, from: Found) -> Result<Found> {
        joined(into, from)
    }
}

fn leaves() -> impl Strategy<Value = Expr> {
    let moment = datafusion::scalar::ScalarValue::TimestampMicrosecond(
        Some(50_000_000_000),
        Some("UTC".into()),
    );
    assert_eq!(moment.data_type(), time_type());
    proptest::sample::select(vec![
        col("event").eq(lit("buy")),
        col("event").not_eq(lit("view")),
        col("event").like(lit("%u%")),
        col("event").in_list(vec![lit("view"), lit("signup")], false),
        col("event").in_list(vec![lit("view"), lit("signup")], true),
        col("team").eq(lit("team 1")),
        col("team").is_null(),
        col("team").is_not_null(),
        col("team").not_eq(lit("team 0")),
        col("team").gt(lit("team 0")),
        col("team").in_list(
            vec![lit("team 2"), lit(datafusion::scalar::ScalarValue::Null)],
            false,
        ),
        col("n").gt(lit(0_i64)),
        col("n").is_null(),
        (col("n") % lit(2_i64)).eq(lit(1_i64)),
        col("n").between(lit(1_i64), lit(2_i64)),
        col("actor").like(lit("a%")),
        col("time").lt(lit(moment)),
        col("team").eq(col("event")),
        datafusion::prelude::coalesce(vec![col("team"), col("event")]).eq(lit("buy")),
        lit(true),
        lit(false),
        lit(datafusion::scalar::ScalarValue::Null),
        lit(datafusion::scalar::ScalarValue::Boolean(None)),
    ])
}

fn conditions() -> impl Strategy<Value = Expr> {
    leaves().prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.or(b)),
            inner.clone().prop_map(|a| Expr::Not(Box::new(a))),
            inner.prop_map(|a| a.is_true()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn conditions_hold_where_the_engine_says(
        rows in rows(80),
        text in texts(),
        threads in 1..4_usize,
        conditions in prop_oneof![
            3 => proptest::collection::vec(conditions(), 0..8),
            1 => proptest::collection::vec(conditions(), 64),
        ],
    ) {
        let batches: Vec<_> = rows.chunks(31).map(|rows| batch(rows, text, true)).collect();
        if batches.is_empty() {
            return Ok(());
        }
        let source = source(batches.clone(), threads);
        let mut request = Request::default();
        let tests = RowTests::new(&conditions, &source, &mut request).unwrap();
        let id = request.want("event_id");
        let kernel = Bits { tests, id };
        let by_row = source.rows(&request, &kernel).unwrap().state.1;
        let by_actor = source.actors(&request, &kernel).unwrap().state.1;
        prop_assert_eq!(&by_row, &by_actor);
        let events = Events::from_batches(batches, &Roles::default()).unwrap();
        let columns = conditions.iter().enumerate().map(|(i, condition)| {
            let condition = datafusion::logical_expr::cast(condition.clone(), DataType::Boolean);
            condition.is_true().alias(format!("c{i}"))
        });
        let frame = events.frame().unwrap();
        let frame = frame.select([col("event_id")].into_iter().chain(columns).collect::<Vec<_>>()).unwrap();
        let table = run(events.collect(frame)).unwrap().to_batch().unwrap();
        let ids = arrow::compute::cast(table.column(0), &DataType::Utf8).unwrap();
        let mut expected = BTreeMap::new();
        for row in 0..table.num_rows() {
            let bits = (0..conditions.len()).map(|i| u64::from(table.column(i + 1).as_boolean().value(row)) << i);
            expected.insert(ids.as_string::<i32>().value(row).to_owned(), bits.fold(0, |a, b| a | b));
        }
        prop_assert_eq!(by_row, expected);
    }
}

#[test]
fn conditions_that_are_none_are_refused() {
    let rows = [Row {
        id: "1".to_owned(),
        actor: "a".to_owned(),
        event: "view".to_owned(),
        time: 0,
        team: None,
        n: None,
    }];
    let source = source(vec![batch(&rows, Text::Plain, true)], 1);
    let refused = |conditions: &[Expr]| {
        let error = RowTests::new(conditions, &source, &mut Request::default()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::InvalidSpec);
        error.message().to_owned()
    };
    assert_eq!(
        refused(&[col("n") + lit(1_i64)]),
        "a filter has the type Int64; a condition (true or false) is expected"
    );
    assert!(refused(&[col("m").is_null()]).starts_with("the events have no column `m`"));
    assert_eq!(
        refused(&vec![col("n").is_null(); 65]),
        "65 different conditions on events; at most 64 can be tested together"
    );
}
