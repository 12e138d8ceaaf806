//! Tables in memory, views, and whatever else DataFusion can scan.

use datafusion::prelude::{SessionContext, col, lit};

use super::*;
use crate::event::Roles;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_table_in_any_form_gives_whole_actors_in_order(
        rows in rows(120),
        text in texts(),
        with_ids: bool,
        threads in prop_oneof![Just(1_usize), Just(2), Just(7)],
        cut in 1..50_usize,
        seed: u64,
    ) {
        let expected = naive(&rows, with_ids, |_| true);
        let mut shuffled = rows;
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        let mut batches = vec![batch(&[], text, with_ids)];
        batches.extend(shuffled.chunks(cut).map(|rows| batch(rows, text, with_ids)));
        let got = source(batches, threads).actors(&Collect::request(), &Collect).unwrap();
        prop_assert_eq!(got.state, expected);
    }

    #[test]
    fn time_and_filter_choose_rows(
        rows in rows(100),
        text in texts(),
        from in proptest::option::of(0..12_i64),
        to in proptest::option::of(0..12_i64),
        condition in 0..5_usize,
    ) {
        let scale = |t: i64| t * 10_000_000_000;
        let mut request = Collect::request();
        request.from = from.map(scale);
        request.to = to.map(scale);
        request.filter = match condition {
            0 => None,
            1 => Some(col("event").eq(lit("buy")).and(col("n").gt(lit(0)))),
            2 => Some(col("team").is_null()),
            3 => Some(col("team").not_eq(lit("team 1")).or(col("event").eq(lit("view")))),
            _ => Some(col("actor").like(lit("a%"))),
        };
        let keep = |r: &Row| {
            from.is_none_or(|f| r.time >= scale(f)) && to.is_none_or(|t| r.time < scale(t)) && match condition {
                0 => true,
                1 => r.event == "buy" && r.n.is_some_and(|n| n > 0),
                2 => r.team.is_none(),
                3 => r.team.as_ref().is_some_and(|t| t != "team 1") || r.event == "view",
                _ => r.actor.starts_with('a'),
            }
        };
        let expected = naive(&rows, true, keep);
        let batches = vec![batch(&rows, text, true)];
        let got = source(batches, 2).actors(&request, &Collect).unwrap();
        prop_assert_eq!(got.state, expected);
    }
}

fn few() -> Vec<Row> {
    let row = |id: usize, actor: &str, time: i64| Row {
        id: format!("{id}"),
        actor: actor.to_owned(),
        event: format!("e{id}"),
        time,
        team: None,
        n: Some(id as i64),
    };
    vec![
        row(3, "b", 5),
        row(1, "a", 9),
        row(2, "a", 9),
        row(0, "a", 1),
    ]
}

#[test]
fn a_view_is_scanned_by_the_engine() {
    let session = SessionContext::new();
    session
        .register_batch("log", batch(&few(), Text::Plain, true))
        .unwrap();
    run(async {
        session
            .sql("CREATE VIEW late AS SELECT * FROM log WHERE time > '1970-01-01T00:00:00.000004Z'")
            .await
            .unwrap();
        let events = Events::from_table(&session, "late", &Roles::default())
            .await
            .unwrap();
        let source = events.scan_source();
        let got = apart(move || source.actors(&Collect::request(), &Collect))
            .await
            .unwrap();
        assert_eq!(got.state, naive(&few(), true, |r| r.time > 4));
    });
}

#[test]
fn roles_are_seen_through() {
    let mut rows = few();
    rows.retain(|r| r.actor == "a");
    let ids = Int64Array::from(vec![-5, 1 << 40, -5]);
    let seconds = Int64Array::from(vec![1_767_225_600, 1_767_225_601, 1_767_225_602]);
    let table = RecordBatch::try_from_iter([
        ("who", Arc::new(ids) as ArrayRef),
        ("at", Arc::new(seconds) as _),
        (
            "team",
            Arc::new(StringArray::from(vec![None, Some("x"), Some("y")])) as _,
        ),
        ("n", Arc::new(Int64Array::from(vec![1, 2, 3])) as _),
    ])
    .unwrap();
    let roles = Roles {
        actor: Some("who".into()),
        event_name: Some("commit".into()),
        time: Some("at".into()),
        ..Roles::default()
    };
    let events = Events::from_batches(vec![table], &roles).unwrap();
    let got = events
        .scan_source()
        .actors(&Collect::request(), &Collect)
        .unwrap()
        .state;
    let start = 1_767_225_600_000_000;
    let commit = || Some("commit".to_owned());
    let expected = Actors::from([
        (
            "-5".to_owned(),
            vec![
                (start, commit(), Some(1), None),
                (start + 2_000_000, commit(), Some(3), Some("y".to_owned())),
            ],
        ),
        (
            (1_i64 << 40).to_string(),
            vec![(start + 1_000_000, commit(), Some(2), Some("x".to_owned()))],
        ),
    ]);
    assert_eq!(got, expected);
}

#[test]
fn rows_without_actor_or_time_are_left_out() {
    let table = RecordBatch::try_from_iter_with_nullable([
        (
            "actor",
            Arc::new(StringArray::from(vec![Some("a"), None, Some("b")])) as ArrayRef,
            true,
        ),
        (
            "event",
            Arc::new(StringArray::from(vec!["x", "x", "x"])) as _,
            true,
        ),
        (
            "time",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), Some(2), None]).with_timezone("UTC"),
            ) as _,
            true,
        ),
        (
            "team",
            Arc::new(StringArray::from(vec![None::<&str>; 3])) as _,
            true,
        ),
        ("n", Arc::new(Int64Array::from(vec![None; 3])) as _, true),
    ])
    .unwrap();
    let got = source(vec![table], 2)
        .actors(&Collect::request(), &Collect)
        .unwrap();
    assert_eq!(got.state.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn rows_that_do_not_fit_into_memory_wait_in_a_file() {
    let rows: Vec<Row> = (0..20_000_usize)
        .map(|i| Row {
            id: format!("{:05}", i * 7_919 % 20_000),
            actor: format!("actor {}", i * 31 % 400),
            event: format!("e{}", i % 20),
            time: (i as i64 * 104_729) % 5_000,
            team: (!i.is_multiple_of(3)).then(|| format!("team {}", i % 9)),
            n: (!i.is_multiple_of(5)).then_some(i as i64),
        })
        .collect();
    let expected = naive(&rows, true, |_| true);
    for memory_limit in [256 << 10, 1 << 30] {
        let batches: Vec<_> = rows
            .chunks(1_000)
            .map(|r| batch(r, Text::Plain, true))
            .collect();
        let settings = EngineSettings {
            threads: 3,
            memory_limit,
        };
        let table =
            datafusion::datasource::MemTable::try_new(batches[0].schema(), vec![batches]).unwrap();
        let events = Events::from_provider(Arc::new(table), &Roles::default(), &settings).unwrap();
        let source = ScanSource {
            sizes: Sizes {
                batch: 500,
                ..tiny()
            },
            ..events.scan_source()
        };
        let got = source.actors(&Collect::request(), &Collect).unwrap();
        assert_eq!(got.state, expected);
    }
}

#[test]
fn texts_beyond_the_memory_limit_are_an_error() {
    let rows: Vec<Row> = (0..5_000)
        .map(|i| Row {
            event: format!("an event of its own, number {i}"),
            ..few()[0].clone()
        })
        .collect();
    let table = batch(&rows, Text::Plain, false);
    let settings = EngineSettings {
        threads: 1,
        memory_limit: 256 << 10,
    };
    let table =
        datafusion::datasource::MemTable::try_new(table.schema(), vec![vec![table]]).unwrap();
    let events = Events::from_provider(Arc::new(table), &Roles::default(), &settings).unwrap();
    let error = events
        .scan_source()
        .actors(&Collect::request(), &Collect)
        .unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::ResourceExhausted);
    assert!(error.message().contains("`event`"), "{error}");
}
