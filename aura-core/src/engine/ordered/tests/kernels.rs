//! The kernels that count.

use std::collections::BTreeSet;

use super::*;

/// Periods of 20,000 s from 0 on; the last two of what `rows` makes are beyond.
struct Spans;

impl Periods for Spans {
    fn count(&self) -> usize {
        4
    }

    fn number(&self, times: &[i64], periods: &mut Vec<u32>) {
        periods.extend(times.iter().map(|t| match t / 20_000_000_000 {
            period @ 0..4 => period as u32,
            _ => NO_PERIOD,
        }));
    }
}

fn period(row: &Row) -> Option<u32> {
    let period = row.time / 20_000_000_000;
    (period < 4).then_some(period as u32)
}

type Key = (u32, Vec<Option<String>>);

fn as_counts(counts: BTreeMap<Key, u64>) -> GroupCounts {
    let rows = counts.into_iter().map(|((p, by), n)| (p, by, n));
    GroupCounts {
        rows: rows.collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn counts_agree_with_sets(rows in rows(150), text in texts(), threads in 1..4_usize, only: bool) {
        let source = source(vec![batch(&rows, text, true)], threads);
        let mut request = Request { times: true, order: Order::Any, ..Request::default() };
        let by = vec![request.want("team"), request.want("event")];
        let condition = datafusion::prelude::col("event").not_eq(datafusion::prelude::lit("view"));
        let mut test = || only.then(|| RowTests::new(std::slice::from_ref(&condition), &source, &mut request).unwrap());
        let tests = (test(), test());
        let counted = |r: &&Row| period(r).is_some() && (!only || r.event != "view");
        let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
        let mut actors: BTreeMap<Key, BTreeSet<&str>> = BTreeMap::new();
        for row in rows.iter().filter(counted) {
            let key = (period(row).unwrap(), vec![row.team.clone(), Some(row.event.clone())]);
            *counts.entry(key.clone()).or_default() += 1;
            actors.entry(key).or_default().insert(&row.actor);
        }
        let kernel = CountRows::new(by.clone(), Some(Arc::new(Spans)), tests.0);
        let got = source.rows(&request, &kernel).unwrap().state;
        prop_assert_eq!(got.counts(), as_counts(counts));
        let kernel = DistinctActors::new(by.clone(), Some(Arc::new(Spans)), tests.1);
        let got = source.actors(&request, &kernel).unwrap().state;
        let actors = actors.into_iter().map(|(key, set)| (key, set.len() as u64)).collect();
        prop_assert_eq!(got.counts(), as_counts(actors));
        let all: BTreeSet<_> = rows.iter().map(|r| &r.actor).collect();
        prop_assert_eq!(got.actors(), all.len() as u64);
    }
}

#[test]
fn groups_grow_beyond_an_array() {
    // 1,500 × 1,200 texts take more than 2^20 places.
    let rows: Vec<Row> = (0..6_000_usize)
        .map(|i| Row {
            id: i.to_string(),
            actor: format!("u{}", i % 50),
            event: format!("e{}", i % 1_500),
            time: 0,
            team: (i % 1_201 > 0).then(|| format!("team {}", i % 1_201)),
            n: None,
        })
        .collect();
    let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
    for row in rows.iter().chain(&rows) {
        let key = (0, vec![Some(row.event.clone()), row.team.clone()]);
        *counts.entry(key).or_default() += 1;
    }
    let actors: BTreeMap<Key, u64> = counts.keys().map(|key| (key.clone(), 1)).collect();
    for threads in [1, 3] {
        let batches: Vec<_> = rows
            .chunks(700)
            .chain(rows.chunks(700))
            .map(|r| batch(r, Text::Plain, true))
            .collect();
        let source = ScanSource {
            sizes: Sizes::default(),
            ..source(batches, threads)
        };
        let mut request = Request {
            order: Order::Any,
            ..Request::default()
        };
        let by = vec![request.want("event"), request.want("team")];
        let kernel = [
            CountRows::new(by.clone(), None, None),
            CountRows::new(vec![by[1]], None, None),
        ];
        let got = source.rows(&request, &kernel[..]).unwrap().state;
        assert_eq!(got[0].counts(), as_counts(counts.clone()));
        assert_eq!(got[1].counts().rows.len(), 1_201);
        let kernel = (DistinctActors::new(by.clone(), None, None), &CountAll);
        let got = source.actors(&request, &kernel).unwrap().state;
        assert_eq!(got.0.counts(), as_counts(actors.clone()));
        assert_eq!(got.1, 12_000);
    }
}

/// Counts rows.
struct CountAll;

impl Kernel for CountAll {
    type State = usize;

    fn new_state(&self) -> usize {
        0
    }

    fn block(&self, state: &mut usize, block: &ActorBlock) -> Result<()> {
        *state += block.times.len();
        Ok(())
    }

    fn combine(&self, into: usize, from: usize) -> Result<usize> {
        Ok(into + from)
    }
}

/// The longest block, and the largest actor.
struct Longest;

impl Kernel for Longest {
    type State = (usize, usize, usize);

    fn new_state(&self) -> Self::State {
        (0, 0, 0)
    }

    fn block(&self, state: &mut Self::State, block: &ActorBlock) -> Result<()> {
        let actor = block.rows().map(|r| r.len()).max().unwrap_or(0);
        let (rows, largest, sum) = *state;
        let here = block.times.len();
        *state = (rows.max(here), largest.max(actor), sum + here);
        Ok(())
    }

    fn combine(&self, a: Self::State, b: Self::State) -> Result<Self::State> {
        Ok((a.0.max(b.0), a.1.max(b.1), a.2 + b.2))
    }
}

#[test]
fn blocks_are_bounded_unless_one_actor_is_longer() {
    let rows: Vec<Row> = (0..4_000_usize)
        .map(|i| Row {
            id: i.to_string(),
            actor: if i % 4 == 0 {
                format!("u{i}")
            } else {
                "all".to_owned()
            },
            event: "x".to_owned(),
            time: -(i as i64),
            team: None,
            n: None,
        })
        .collect();
    let source = ScanSource {
        sizes: Sizes {
            batch: 100,
            block: 64,
            bucket: 1_000,
            task: 10,
        },
        ..source(vec![batch(&rows, Text::Codes, false)], 2)
    };
    let got = source.actors(&Request::default(), &Longest).unwrap().state;
    assert_eq!(got, (3_000, 3_000, 4_000));
    let request = Request {
        filter: Some(datafusion::prelude::col("actor").not_eq(datafusion::prelude::lit("all"))),
        ..Request::default()
    };
    let got = source.actors(&request, &Longest).unwrap().state;
    assert!(got.0 <= 64 && got.1 == 1 && got.2 == 1_000, "{got:?}");
}
