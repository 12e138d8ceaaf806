//! A run from events to findings.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use jiff::tz::TimeZone;

use crate::engine::{Events, on_query_threads, threads_or_cores};
use crate::metric::Registry;
use crate::{Error, Result};

use super::analyse::{Analysis, Settings};
use super::build::Builder;
use super::collect::Collector;
use super::cube::Cube;
use super::cut::quoted;
use super::finding::{Finding, Findings, Status};
use super::memory::{compare, weigh};
use super::notes::{Notes, note};
use super::plan::Plan;
use super::rule::{Rule, Rules};
use super::scan::Least;
use super::spec::Insights;
use super::state::{View, check_by, of_states};

impl Events {
    /// Says what changed in the metrics of a registry, whether it matters, why, and what to do.
    ///
    /// All metrics that these events can answer are asked for, of everything and by each dimension, in complete periods.
    /// Each series is taken apart into season, lasting and passing changes and chance; what is beyond chance,
    /// corrected for how much was looked at, is put together into stories, explained by segments, and ranked. The method is
    /// described in `docs/insights.md`.
    ///
    /// Data that support no finding give none, and notes that say why; the same events give the same findings, whatever the
    /// number of threads.
    ///
    /// # Errors
    /// - [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for unknown metrics, columns and dates, rules that say nothing sensible, and
    ///   values outside of their ranges;
    /// - those of [`metrics`](Events::metrics) that do not go away by asking for less.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use arrow::array::{Int64Array, RecordBatch, StringArray};
    /// use aura_core::engine::Events;
    /// use aura_core::event::Roles;
    /// use aura_core::insight::Insights;
    /// use aura_core::metric::Registry;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// // 60 days with 20 to 24 events each, and 20 more from the 40th day on.
    /// let times: Vec<i64> = (0..60i64)
    ///     .flat_map(|day| (0..if day < 40 { 20 } else { 40 } + day * 7 % 5).map(move |i| 1_767_225_600 + day * 86_400 + i * 60))
    ///     .collect();
    /// let batch = RecordBatch::try_from_iter([
    ///     ("actor", Arc::new(StringArray::from(vec!["a"; times.len()])) as _),
    ///     ("event", Arc::new(StringArray::from(vec!["view"; times.len()])) as _),
    ///     ("time", Arc::new(Int64Array::from(times)) as _),
    /// ])?;
    /// let events = Events::from_batches(vec![batch], &Roles::new("actor", "event", "time"))?;
    /// let registry = Registry::parse("
    /// version: 1
    /// metrics:
    ///   - {name: views, title: {en: Views, ru: Просмотры}, kind: simple, expr: count(*)}
    /// ")?;
    /// let found = events.insights(&registry, &Insights::default()).await?;
    /// assert_eq!(
    ///     found.findings[0].sentence.en,
    ///     "Views have been 91% higher since February 10, 2026 (19\u{a0}days): 42 a day instead of 22."
    /// );
    /// # Ok::<(), aura_core::Error>(()) }).unwrap();
    /// ```
    pub async fn insights(&self, registry: &Registry, spec: &Insights) -> Result<Findings> {
        let (events, registry, spec) = (self.clone(), registry.clone(), spec.clone());
        on_query_threads(async move { run(&events, &registry, &spec).await }).await
    }
}

/// Writes a moment as RFC 3339 in UTC.
pub(crate) fn moment(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map_or_else(|_| String::new(), |t| t.to_string())
}

async fn run(events: &Events, registry: &Registry, spec: &Insights) -> Result<Findings> {
    spec.check()?;
    let rules = match &spec.rules {
        Some(rules) => rules.clone(),
        None => Rules::builtin()?,
    };
    for name in rules.rules.iter().flat_map(Rule::metrics) {
        registry.metric(name)?;
    }
    let mut findings = Findings::default();
    if let Some(plan) = Plan::new(events, registry, spec, &mut findings).await? {
        look(events, registry, spec, &rules, &plan, &mut findings).await?;
    }
    if let Some(previous) = &spec.previous {
        compare(&mut findings.findings, previous);
    }
    let as_of = findings.as_of.clone();
    weigh(&mut findings.findings, &spec.feedback, as_of.as_deref());
    findings.findings.sort_by(|a, b| {
        let resolved = |f: &Finding| f.status == Status::Resolved;
        resolved(a)
            .cmp(&resolved(b))
            .then(b.score.total_cmp(&a.score))
            .then(a.id.cmp(&b.id))
    });
    findings.findings.truncate(spec.limit);
    Ok(findings)
}

async fn look(
    events: &Events,
    registry: &Registry,
    spec: &Insights,
    rules: &Rules,
    plan: &Plan,
    findings: &mut Findings,
) -> Result<()> {
    check_by(rules, &plan.dimensions)?;
    let collector = Collector {
        events,
        registry,
        spec,
        plan,
    };
    let mut cube = collector.cube(&mut findings.notes).await?;
    close(&mut cube, spec, plan)?;
    let settings = Settings {
        rules: rules.of_series(),
        least: Least {
            per_period: spec.least,
        },
        level: spec.false_discovery_rate,
        threads: threads_or_cores(0),
        holidays: spec.find_holidays,
    };
    let mut analysis = Analysis::new(cube, settings);
    while let Some(part) = analysis.hides() {
        let base = analysis.looks.first().map(|l| l.cube.clone());
        let base = base.ok_or_else(|| Error::internal("an analysis has no series"))?;
        let crossings = collector.crossings(&base, &part).await?;
        analysis.leave_out(&part, crossings);
    }
    analysis.finish();
    // Pairs: what a segment has by each other dimension.
    for number in 0..analysis.found.len() {
        let Some(part) = analysis.whole(number) else {
            continue;
        };
        let base = analysis.looks.first().map(|l| l.cube.clone());
        let base = base.ok_or_else(|| Error::internal("an analysis has no series"))?;
        let crossings = collector.crossings(&base, &part).await?;
        analysis.explain(number, crossings);
    }
    let zone =
        TimeZone::get(plan.calendar.time_zone()).map_err(|e| Error::invalid_spec(e.to_string()))?;
    let builder = Builder {
        collector: &collector,
        zone,
        rules: rules.rules.iter().map(|r| r.name().to_owned()).collect(),
    };
    for (place, story) in &analysis.found {
        if let Some(look) = analysis.looks.get(*place) {
            findings.findings.push(builder.finding(look, story)?);
        }
    }
    if let Some(look) = analysis.looks.first() {
        let view = View {
            builder: &builder,
            cube: &look.cube,
            plan,
            level: spec.false_discovery_rate,
            least: spec.least,
        };
        let tests = of_states(&view, rules, findings)?;
        findings.series = look.scan.series as u64;
        findings.tests = (analysis.tests + tests) as u64;
        say(spec, plan, &analysis, findings)?;
    }
    actors(events, &mut findings.findings).await
}

/// Closes the days that the spec names.
fn close(cube: &mut Cube, spec: &Insights, plan: &Plan) -> Result<()> {
    for day in &spec.holidays {
        let at = plan
            .calendar
            .instant(day)
            .map_err(|e| Error::invalid_spec(format!("holidays: {}", e.message())))?;
        let place = plan.periods.iter().position(|p| p.contains(at));
        if let Some(slot) = place.and_then(|place| cube.closed.get_mut(place)) {
            *slot = true;
        }
    }
    Ok(())
}

/// Adds the notes about what was looked at.
fn say(spec: &Insights, plan: &Plan, analysis: &Analysis, findings: &mut Findings) -> Result<()> {
    let Some(look) = analysis.looks.first() else {
        return Ok(());
    };
    let notes = &mut findings.notes;
    if plan.periods.len() < crate::detect::LEAST_PERIODS {
        let periods = plan.periods.len();
        note(
            notes,
            Notes::TooShort {
                periods,
                grain: plan.grain,
            },
        );
    }
    if !analysis.holidays.is_empty() {
        let labels = analysis
            .holidays
            .iter()
            .filter_map(|at| look.cube.periods.get(*at));
        let days = labels.map(|p| p.label.clone()).collect();
        note(notes, Notes::Holidays { days });
    }
    if !look.cube.turning.is_empty() {
        note(
            notes,
            Notes::Turning {
                dimensions: look.cube.turning.clone(),
            },
        );
    }
    if look.scan.small > 0 {
        note(
            notes,
            Notes::Small {
                series: look.scan.small,
                least: spec.least,
            },
        );
    }
    if findings.findings.is_empty() && look.scan.series > 0 {
        note(
            notes,
            Notes::Nothing {
                series: look.scan.series,
            },
        );
    }
    Ok(())
}

/// Counts the different actors of each finding, in one pass; within 2 %, by HyperLogLog.
async fn actors(events: &Events, findings: &mut [Finding]) -> Result<()> {
    const AT_ONCE: usize = 20;
    for some in findings.chunks_mut(AT_ONCE) {
        let mut columns = Vec::new();
        for (number, finding) in some.iter().enumerate() {
            let mut all = Vec::new();
            for (text, sign) in [(&finding.window.from, ">="), (&finding.window.to, "<")] {
                let at: jiff::Timestamp = text
                    .parse()
                    .map_err(|_| Error::internal("a window has no time"))?;
                all.push(format!(
                    "time {sign} to_timestamp_micros({})",
                    at.as_microsecond()
                ));
            }
            for part in &finding.segment {
                let column = quoted(&part.dimension);
                all.push(match &part.value {
                    Some(value) => format!(
                        "cast({column} as varchar) = '{}'",
                        value.replace('\'', "''")
                    ),
                    None => format!("{column} is null"),
                });
            }
            columns.push(format!(
                "cast(approx_distinct(actor) filter (where {}) as bigint) as c{number}",
                all.join(" and ")
            ));
        }
        if columns.is_empty() {
            return Ok(());
        }
        let table = events
            .sql(&format!("select {} from events", columns.join(", ")))
            .await?;
        let batch = table.to_batch()?;
        for (finding, column) in some.iter_mut().zip(batch.columns()) {
            let counts = column.as_primitive_opt::<Int64Type>();
            finding.size.actors = counts.filter(|c| !c.is_empty()).map(|c| c.value(0) as f64);
        }
    }
    Ok(())
}
