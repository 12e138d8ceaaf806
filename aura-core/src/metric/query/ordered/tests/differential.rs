//! Random requests over random data, by the ordered scan and by plans of the engine: the same tables.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use proptest::prelude::*;

use super::data::{HOUR, Row, START, batch, rows};
use crate::Result;
use crate::calendar::{Calendar, Grain};
use crate::engine::extent;
use crate::engine::ordered::Sizes;
use crate::engine::{EngineSettings, Events};
use crate::event::Roles;
use crate::expr::{Aggregate, Formula, RowExpr, parse_condition};
use crate::metric::kind::CumulativeRange;
use crate::metric::query::executor::{Combinations, DimensionOf, Kept, ScanRequest, Sparse};
use crate::metric::query::ordered::Ordered;
use crate::metric::query::relational;
use crate::metric::query::spine::Spine;

/// Aggregates that are computed in a pass, and some that are not.
const AGGREGATES: [&str; 18] = [
    "count(*)",
    "count(plan)",
    "count(n + 1)",
    "count(distinct actor)",
    "sum(n)",
    "sum(k)",
    "sum(u)",
    "sum(x)",
    "avg(x)",
    "avg(n)",
    "min(n)",
    "max(k)",
    "min(x)",
    "max(u)",
    "sum(n * 2 - 1)",
    "max(case when flag then n else 0 end)",
    "median(n)",
    "count(distinct plan)",
];

const FILTERS: [&str; 12] = [
    "event = 'buy'",
    "event like 'ai%'",
    "event in ('view', 'buy') and n > 0",
    "plan is null",
    "not (plan = 'free')",
    "plan = 'pro' or flag",
    "date_part('hour', time) < 12",
    "n % 2 = 0 or (x > 0 and event <> 'view')",
    "plan = 'free' or plan is null",
    "not coalesce(flag, false)",
    "flag is not true",
    "(n > 0) is true and flag is not true",
];

fn aggregates() -> impl Strategy<Value = Vec<Aggregate>> {
    let one = (0..AGGREGATES.len(), proptest::option::of(0..FILTERS.len()));
    proptest::collection::vec(one, 1..8).prop_map(|list| {
        let text = |(aggregate, filter): (usize, Option<usize>)| match filter {
            Some(filter) => format!(
                "{} filter (where {})",
                AGGREGATES[aggregate], FILTERS[filter]
            ),
            None => AGGREGATES[aggregate].to_owned(),
        };
        list.into_iter().map(|one| aggregate(&text(one))).collect()
    })
}

pub(super) fn aggregate(text: &str) -> Aggregate {
    let formula: Formula = text.parse().unwrap();
    formula.aggregates()[0].clone()
}

fn condition(text: &str) -> RowExpr {
    parse_condition(text, &Default::default()).unwrap()
}

/// What is asked, apart from the aggregates.
#[derive(Debug, Clone)]
pub(super) struct Question {
    by: Vec<&'static str>,
    keep: bool,
    filter: Option<usize>,
    grain: Grain,
    overs: Vec<Option<CumulativeRange>>,
    days: (i64, i64),
    compared: bool,
}

fn overs() -> impl Strategy<Value = Vec<Option<CumulativeRange>>> {
    let over = prop_oneof![
        Just(None),
        Just(None),
        Just(Some(CumulativeRange::AllTime)),
        Just(Some(CumulativeRange::ToDate(Grain::Month))),
        Just(Some(CumulativeRange::Window("3 days".parse().unwrap()))),
        Just(Some(CumulativeRange::Window("36 hours".parse().unwrap()))),
    ];
    proptest::collection::vec(over, 1..3)
}

fn questions() -> impl Strategy<Value = Question> {
    let by =
        proptest::sample::subsequence(vec!["plan", "event", "flag", "day", "k", "u", "time"], 0..3);
    let grain = prop_oneof![Just(Grain::Day), Just(Grain::Week), Just(Grain::Hour)];
    (
        by,
        any::<bool>(),
        proptest::option::of(0..FILTERS.len()),
        grain,
        overs(),
        (-3..18_i64, 1..12_i64),
        any::<bool>(),
    )
        .prop_map(
            |(by, keep, filter, grain, overs, days, compared)| Question {
                by,
                keep,
                filter,
                grain,
                overs,
                days,
                compared,
            },
        )
}

/// Rows by position and dimensions, without those in which all is null or 0: a question that is divided has
/// them only once.
type Found = BTreeMap<(u32, String), Vec<ScalarValue>>;

fn found(
    sparse: &Sparse,
    combinations: &Combinations,
    into: &mut Found,
    at: &[usize],
    width: usize,
) {
    let ids: Vec<u32> = (0..combinations.len() as u32).collect();
    let columns = combinations.columns(&ids).unwrap();
    for row in 0..sparse.ids.len() {
        let id = sparse.ids[row] as usize;
        let names = columns.iter().map(|c| {
            let value = ScalarValue::try_from_array(c, id).unwrap();
            format!("{value:?}")
        });
        let key = (sparse.positions[row], names.collect::<Vec<_>>().join(" | "));
        let values = into
            .entry(key)
            .or_insert_with(|| vec![ScalarValue::Null; width]);
        for (place, column) in at.iter().zip(&sparse.columns) {
            values[*place] = ScalarValue::try_from_array(column, row).unwrap();
        }
    }
}

/// What a count is where its part has no row.
fn whole(found: &mut Found, aggregates: &[Aggregate], types: &[DataType]) {
    for values in found.values_mut() {
        for ((value, aggregate), ty) in values.iter_mut().zip(aggregates).zip(types) {
            if value.data_type() == DataType::Null {
                let counts = crate::metric::query::graph::is_count(aggregate);
                *value = match counts {
                    true => ScalarValue::Int64(Some(0)),
                    false => ScalarValue::try_from(ty).unwrap(),
                };
            }
        }
    }
}

/// What plans answer: one plan, or one for each filter, whose rows together are those of one.
async fn by_plans(
    events: &Events,
    request: &ScanRequest<'_>,
    apart: bool,
) -> Result<(Found, Vec<DataType>)> {
    let mut combinations = Combinations::new(request.dimensions)?;
    let all = request.aggregates;
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for (number, aggregate) in all.iter().enumerate() {
        let same = |part: &&mut Vec<usize>| !apart || all[part[0]].filter == aggregate.filter;
        match parts.iter_mut().find(same) {
            Some(part) => part.push(number),
            None => parts.push(vec![number]),
        }
    }
    let mut rows = Found::new();
    let mut types = vec![DataType::Null; all.len()];
    for part in parts {
        let aggregates: Vec<Aggregate> = part.iter().map(|a| all[*a].clone()).collect();
        let request = ScanRequest {
            aggregates: &aggregates,
            ..request.clone()
        };
        let table = relational::scan(events, &request).await?;
        let sparse = Sparse::read(&table, request.dimensions.len(), &mut combinations)?;
        found(&sparse, &combinations, &mut rows, &part, all.len());
        for (number, column) in part.iter().zip(&sparse.columns) {
            types[*number] = column.data_type().clone();
        }
    }
    whole(&mut rows, all, &types);
    Ok((rows, types))
}

/// Answers a question in both ways and compares. Returns how many rows there were, and how many aggregates were computed in
/// a pass.
pub(super) async fn compare(
    events: &Events,
    question: &Question,
    aggregates: &[Vec<Aggregate>],
    threads: usize,
    apart: bool,
) -> Result<(usize, usize)> {
    let schema = events.schema();
    let schema = DFSchema::try_from(schema).unwrap();
    let mut dimensions: Vec<DimensionOf> = Vec::new();
    for name in &question.by {
        let mut dimension = DimensionOf::new(name, &schema)?;
        if question.keep && dimensions.is_empty() {
            let kept = ["pro", "buy", "true", "2", "1970-01-02"].map(|v| Some(v.to_owned()));
            dimension = dimension.keeping(Kept {
                values: kept.into_iter().chain([None]).collect(),
                other: "other".to_owned(),
            });
        }
        dimensions.push(dimension);
    }
    let filter = question.filter.map(|f| condition(FILTERS[f]));
    let calendar = Calendar::default().prepare()?;
    let from = START + question.days.0 * 24 * HOUR;
    let to = from + question.days.1 * 24 * HOUR;
    let comparison = question
        .compared
        .then_some(crate::metric::query::Comparison::Periods(7));
    let spine = Spine::new(calendar, question.grain, from, to, comparison.as_ref())?;
    let requests: Vec<ScanRequest<'_>> = question
        .overs
        .iter()
        .zip(aggregates)
        .map(|(over, aggregates)| {
            let windows = spine.windows(*over).unwrap();
            let bucketer = match (over, windows.ranges().as_slice()) {
                (None, [(from, to)]) => {
                    let grain = spine.grain();
                    Some(spine.calendar().bucketer(grain, *from, *to).unwrap())
                }
                _ => None,
            };
            ScanRequest {
                aggregates,
                presence: Vec::new(),
                windows,
                disjoint: over.is_none(),
                bucketer,
                dimensions: &dimensions,
                filter: filter.as_ref(),
                zone: "UTC",
            }
        })
        .collect();
    let mut expected = Vec::new();
    let mut types = Vec::new();
    for request in &requests {
        let (rows, of) = by_plans(events, request, apart).await?;
        expected.push(rows);
        types.push(of);
    }
    let mut got = vec![Found::new(); requests.len()];
    let mut combinations = Combinations::new(&dimensions)?;
    let ordered = Ordered::plan(events, &requests)?;
    let mut taken = vec![Vec::new(); requests.len()];
    if let Some(mut ordered) = ordered {
        ordered.source.sizes = Sizes {
            batch: 7,
            block: 5,
            bucket: 4,
            task: 6,
        };
        let context = &ordered.source.context;
        let config = context.copied_config().with_target_partitions(threads);
        ordered.source.context = SessionContext::new_with_config_rt(config, context.runtime_env());
        let (parts, _) = ordered.run(&mut combinations).await?;
        for part in &parts {
            let width = requests[part.request].aggregates.len();
            let into = &mut got[part.request];
            found(&part.sparse, &combinations, into, &part.aggregates, width);
            taken[part.request].extend(part.aggregates.iter().copied());
        }
    }
    for (number, request) in requests.iter().enumerate() {
        let left = (0..request.aggregates.len()).filter(|a| !taken[number].contains(a));
        let left: Vec<usize> = left.collect();
        if !left.is_empty() {
            let aggregates: Vec<Aggregate> = left
                .iter()
                .map(|a| request.aggregates[*a].clone())
                .collect();
            let rest = ScanRequest {
                aggregates: &aggregates,
                ..request.clone()
            };
            let (rows, _) = by_plans(events, &rest, apart).await?;
            let width = request.aggregates.len();
            for (key, values) in rows {
                let into = got[number]
                    .entry(key)
                    .or_insert_with(|| vec![ScalarValue::Null; width]);
                for (place, value) in left.iter().zip(values) {
                    into[*place] = value;
                }
            }
        }
        whole(&mut got[number], request.aggregates, &types[number]);
        assert_eq!(got[number], expected[number], "{question:?} {request:?}");
    }
    let rows = expected.iter().map(BTreeMap::len).sum();
    Ok((rows, taken.iter().map(Vec::len).sum()))
}

pub(super) fn run<T>(f: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(f)
}

async fn same_extent(events: &Events, rows: &[Row]) {
    let times = rows.iter().map(|r| START + r.time * HOUR);
    let expected = times.clone().min().zip(times.max());
    assert_eq!(extent(events).await.unwrap().0, expected);
}

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn tables_in_memory(
        rows in rows(120, true),
        dictionary: bool,
        question in questions(),
        aggregates in proptest::collection::vec(aggregates(), 2),
        threads in prop_oneof![Just(1_usize), Just(2), Just(5)],
        cut in 1..60_usize,
    ) {
        let mut batches = vec![batch(&[], dictionary)];
        batches.extend(rows.chunks(cut).map(|rows| batch(rows, dictionary)));
        let events = Events::from_batches(batches, &Roles::default()).unwrap();
        run(async {
            compare(&events, &question, &aggregates, threads, false).await.unwrap();
            same_extent(&events, &rows).await;
        });
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn parquet_files(
        rows in rows(150, true),
        question in questions(),
        aggregates in proptest::collection::vec(aggregates(), 2),
        threads in prop_oneof![Just(1_usize), Just(2), Just(5)],
        group in 5..60_usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let half = rows.len() / 2;
        for (part, rows) in [&rows[..half], &rows[half..]].into_iter().enumerate() {
            let table = batch(rows, false);
            let file = std::fs::File::create(dir.path().join(format!("{part}.parquet"))).unwrap();
            let properties = parquet::file::properties::WriterProperties::builder()
                .set_max_row_group_row_count(Some(group))
                .build();
            let mut out = parquet::arrow::ArrowWriter::try_new(file, table.schema(), Some(properties)).unwrap();
            out.write(&table).unwrap();
            out.close().unwrap();
        }
        let pattern = dir.path().join("*.parquet").to_string_lossy().into_owned();
        run(async {
            let settings = EngineSettings { threads, ..EngineSettings::default() };
            let events = Events::from_files(&pattern, &Roles::default(), &settings).await.unwrap();
            compare(&events, &question, &aggregates, threads, false).await.unwrap();
            same_extent(&events, &rows).await;
        });
    }

    #[test]
    fn a_store(
        rows in rows(150, false),
        question in questions(),
        aggregates in proptest::collection::vec(aggregates(), 2),
        threads in prop_oneof![Just(1_usize), Just(2), Just(5)],
        cuts in (0..150_usize, 0..150_usize),
    ) {
        let most = rows.len();
        let first = cuts.0.min(cuts.1).min(most);
        let second = cuts.0.max(cuts.1).min(most);
        run(async {
            let store = crate::store::Store::in_memory().await.unwrap();
            // What is compacted, what is in a file as it came, and what is staged.
            for (number, rows) in [&rows[..first], &rows[first..second], &rows[second..]].into_iter().enumerate() {
                if !rows.is_empty() {
                    store.append(batch(rows, false)).await.unwrap();
                }
                if number < 2 {
                    store.flush().await.unwrap();
                }
                if number == 0 {
                    store.compact().await.unwrap();
                }
            }
            if rows.is_empty() {
                return;
            }
            let events = store.events().await.unwrap();
            compare(&events, &question, &aggregates, threads, false).await.unwrap();
            same_extent(&events, &rows).await;
        });
    }
}

#[test]
fn most_aggregates_are_computed_in_a_pass() {
    let rows: Vec<Row> = (0..500_i64)
        .map(|i| Row {
            actor: (i % 11 > 0).then_some(i as usize % 7),
            event: i as usize % 4,
            time: i % 480,
            plan: (i % 5 > 0).then_some(i as usize % 3),
            flag: (i % 4 > 0).then_some(i % 3 == 0),
            n: (i % 6 > 0).then_some(i % 10 - 5),
            x: (i % 7 > 0).then_some(i % 18 - 9),
            day: Some(i as i32 % 3),
        })
        .collect();
    let events = Events::from_batches(vec![batch(&rows, true)], &Roles::default()).unwrap();
    let question = Question {
        by: vec!["plan", "flag", "day"],
        keep: false,
        filter: None,
        grain: Grain::Day,
        overs: vec![
            None,
            Some(CumulativeRange::Window("7 days".parse().unwrap())),
        ],
        days: (0, 20),
        compared: false,
    };
    let every = || {
        let texts = AGGREGATES.iter().flat_map(|a| {
            let filtered = FILTERS
                .iter()
                .map(move |f| format!("{a} filter (where {f})"));
            filtered.chain([(*a).to_owned()])
        });
        texts.map(|t| aggregate(&t)).collect::<Vec<_>>()
    };
    let aggregates = [every(), every()];
    let (rows, taken) = run(compare(&events, &question, &aggregates, 2, true)).unwrap();
    assert!(rows > 400, "{rows}");
    // All but medians and other distinct counts; more tests than fit into one word take several tallies.
    assert_eq!(taken, 2 * (AGGREGATES.len() - 2) * (FILTERS.len() + 1));
}
