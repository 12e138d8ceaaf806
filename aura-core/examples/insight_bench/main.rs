//! What insights find of stories that were planted in event logs, and what they say of logs without any.
//!
//! ```sh
//! cargo run --example insight_bench -- [SEEDS] [FIRST SEED] > docs/benchmarks/insights.md
//! ```
//!
//! Of each seed there is one log with three stories of different kinds, and one without any. A story counts as found
//! when one of the first five findings has its segment (or names it as the first driver) and its dates, each within one period of the
//! finding's window. A finding is unrelated when it overlaps no story in time, or shares neither segment nor date with one.

mod planted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use aura_core::calendar::{Calendar, Grain};
use aura_core::engine::Events;
use aura_core::event::Roles;
use aura_core::insight::{Finding, Insights, Part, Severity};
use aura_core::metric::Registry;

use planted::{DAYS, DIMENSIONS, FIRST_DAY, KINDS, Kind, Log, Planted, REGISTRY, log};

const DAY_US: i64 = 86_400_000_000;
const FIRST: usize = 5;
const ACTORS: usize = 1200;

fn events(log: &Log) -> aura_core::Result<Events> {
    let rows = &log.rows;
    let text = |of: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        Arc::new((0..rows.len()).map(of).collect::<StringArray>())
    };
    let time = |i: usize| {
        (FIRST_DAY + rows[i].day as i64) * DAY_US + i64::from(rows[i].second) * 1_000_000
    };
    let times =
        TimestampMicrosecondArray::from_iter_values((0..rows.len()).map(time)).with_timezone("UTC");
    let status = |i: usize| {
        rows[i]
            .failed
            .map(|f| if f { "failed" } else { "ok" }.to_owned())
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("actor", text(&|i| Some(rows[i].actor.to_string()))),
        ("event", text(&|i| Some(rows[i].event.to_owned()))),
        ("time", Arc::new(times)),
        ("status", text(&status)),
    ];
    for (place, name) in DIMENSIONS.iter().enumerate() {
        columns.push((name, text(&|i| Some(rows[i].at[place].to_owned()))));
    }
    let batch = RecordBatch::try_from_iter(columns)?;
    Events::from_batches(vec![batch], &Roles::new("actor", "event", "time"))
}

fn is_of(story: &Planted, part: &Part) -> bool {
    let same = |(dimension, value): &(&str, String)| {
        *dimension == part.dimension && Some(value) == part.value.as_ref()
    };
    story.segment.iter().any(same)
}

/// The places where a finding names segments: its own, and the one of the first driver.
fn segments(finding: &Finding) -> [&[Part]; 2] {
    let driver = finding
        .drivers
        .first()
        .map_or(&[] as &[Part], |d| d.segment.as_slice());
    [&finding.segment, driver]
}

/// The number of the period of a grain that holds a day, counted from some fixed one.
fn period(grain: Grain, day: i64) -> i64 {
    let calendar = Calendar::default().prepare().expect("the ISO calendar");
    let of = |us: i64| calendar.period_of(grain, us).expect("a day of these years");
    let first = of(FIRST_DAY * DAY_US);
    let periods = calendar.periods(grain, first.start_us(), day * DAY_US + 1);
    periods.expect("periods of one year").len() as i64
}

fn day(text: &str) -> i64 {
    let at: jiff::Timestamp = text.parse().expect("a moment");
    at.as_microsecond().div_euclid(DAY_US)
}

fn is_found(story: &Planted, finding: &Finding) -> bool {
    let segment = segments(finding)
        .iter()
        .any(|s| !s.is_empty() && s.iter().all(|p| is_of(story, p)));
    let near = |found: &str, planted: usize, last: i64| {
        let grain = finding.window.grain;
        // The last day is not over, so nothing lasts longer than to the one before.
        let planted = FIRST_DAY + (planted.min(DAYS - 1)) as i64;
        (period(grain, day(found) - last) - period(grain, planted - last)).abs() <= 1
    };
    segment && near(&finding.window.from, story.from, 0) && near(&finding.window.to, story.to, 1)
}

fn is_related(stories: &[Planted], finding: &Finding) -> bool {
    let (from, to) = (
        day(&finding.window.from) - FIRST_DAY,
        day(&finding.window.to) - FIRST_DAY,
    );
    stories.iter().any(|story| {
        let overlaps = from < story.to as i64 + 3 && to > story.from as i64 - 3;
        let names = segments(finding)
            .iter()
            .any(|s| s.iter().any(|p| is_of(story, p)));
        let whole = finding.segment.is_empty() && (from - story.from as i64).abs() < 10;
        overlaps && (names || whole)
    })
}

#[tokio::main]
async fn main() -> aura_core::Result<()> {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|a| a.parse::<u64>().expect("a number"));
    let seeds = arguments.next().unwrap_or(50);
    let start = arguments.next().unwrap_or(1);
    let registry = Registry::parse(REGISTRY)?;
    let spec = Insights::default();
    let mut table: BTreeMap<Kind, (usize, usize)> = BTreeMap::new();
    let mut holidays = 0;
    let (mut all, mut unrelated, mut loud, mut on_noise, mut seconds) = (0, 0, 0, 0, 0.0);
    for seed in start..start + seeds {
        let log_of_stories = log(seed, 3, ACTORS);
        let events_of_stories = events(&log_of_stories)?;
        let began = Instant::now();
        let found = events_of_stories.insights(&registry, &spec).await?;
        seconds += began.elapsed().as_secs_f64();
        for story in &log_of_stories.stories {
            let is_here = found
                .findings
                .iter()
                .take(FIRST)
                .any(|f| is_found(story, f));
            let entry = table.entry(story.kind).or_default();
            entry.0 += 1;
            entry.1 += usize::from(is_here);
            if !is_here {
                eprintln!("seed {seed}: missed {story:?}");
            }
        }
        for finding in &found.findings {
            all += 1;
            if !is_related(&log_of_stories.stories, finding) {
                unrelated += 1;
                eprintln!("seed {seed}: unrelated: {}", finding.sentence.en);
            }
        }
        holidays += log_of_stories.holidays.len();
        let quiet = log(seed + 1_000_000, 0, ACTORS);
        let found = events(&quiet)?.insights(&registry, &spec).await?;
        on_noise += found.findings.len();
        loud += usize::from(found.findings.iter().any(|f| f.severity == Severity::High));
    }
    println!("# What insights find\n");
    println!(
        "Logs of 182 days and about 450,000 events with three stories each, seeds {start} to {}, and {holidays} holidays among them; and as many logs with weekends and \
         holidays only. Written by `cargo run --example insight_bench`, whose first lines say what counts as found.\n",
        start + seeds - 1
    );
    println!(
        "| story | planted | found among the first {FIRST}, right segment, dates within one period | |"
    );
    println!("|---|---:|---:|---:|");
    let (mut planted, mut found) = (0, 0);
    let share = |part: usize, whole: usize| match whole {
        0 => "–".to_owned(),
        _ => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    };
    for kind in KINDS {
        let (n, k) = table.get(&kind).copied().unwrap_or_default();
        planted += n;
        found += k;
        println!("| {} | {n} | {k} | {} |", name(kind), share(k, n));
    }
    println!(
        "| **all** | {planted} | {found} | **{}** |",
        share(found, planted)
    );
    println!("\n| | | bar |");
    println!("|---|---:|---:|");
    println!("| stories found | {} | ≥ 90 % |", share(found, planted));
    println!(
        "| findings unrelated to any story | {unrelated} of {all}, {} | ≤ 5 % |",
        share(unrelated, all)
    );
    println!(
        "| logs without stories that give a finding of high severity | {loud} of {seeds}, {} | ≤ 5 % |",
        share(loud, seeds as usize)
    );
    println!("| findings of any severity in logs without stories | {on_noise} | |");
    eprintln!("{:.2} s for each log with stories", seconds / seeds as f64);
    Ok(())
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::SyncFailure => "the synchronisation of a version fails for two weeks",
        Kind::RegionDown => "a region is down for a day",
        Kind::BotFlood => "automated accounts flood a platform for days",
        Kind::PlanErosion => "the use of a plan erodes over a quarter",
        Kind::TeamLaunch => "a launch lifts one team",
        Kind::MixShift => "a share moves because the mix of platforms does",
    }
}
