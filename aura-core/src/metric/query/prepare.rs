//! From a question to what is computed, with all checks.

use hashbrown::HashSet;

use crate::calendar::{Grain, PreparedCalendar};
use crate::document::{nearest, shortened};
use crate::engine::{Events, ScanStats, Table};
use crate::expr::{RowExpr, parse_condition, restricting};
use crate::metric::kind::CumulativeRange;
use crate::metric::registry::Registry;
use crate::{Error, Result};

use super::answer::Answer;
use super::compute::{Computation, Computed};
use super::executor::DimensionOf;
use super::fit;
use super::graph::{self, Graph};
use super::notes;
use super::passes;
use super::spec::MetricQuery;
use super::spine::{Spine, twice};
use super::top::Ranking;

const MAX_METRICS: usize = 200;
const MAX_DIMENSIONS: usize = 8;

/// What can be checked of a question without the data.
pub(crate) struct Checked {
    pub(crate) calendar: PreparedCalendar,
    pub(crate) grain: Grain,
    pub(crate) filter: Option<RowExpr>,
    pub(crate) graph: Graph,
    pub(crate) ranking: Option<Ranking>,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) as_of: Option<i64>,
}

/// Checks a question as far as that needs no data.
pub(crate) fn check(registry: &Registry, query: &MetricQuery) -> Result<Checked> {
    names(registry, query)?;
    let calendar = query.calendar().prepare()?;
    let grain = graph::grain(registry, &compared(query), query.grain)?;
    let filter = match &query.filter {
        Some(text) => restricting(
            parse_condition(text, &Default::default())
                .map_err(|fault| Error::invalid_spec(format!("filter: {fault}")))?,
        ),
        None => None,
    };
    let graph = Graph::new(registry, &query.metrics, query.fill)?;
    let ranking = Ranking::new(registry, query)?;
    let instant = |name: &str, text: &Option<String>| match text {
        Some(text) => match calendar.instant(text) {
            Ok(us) => Ok(Some(us)),
            Err(e) => Err(Error::invalid_spec(format!("{name}: {}", e.message()))),
        },
        None => Ok(None),
    };
    let (from, to) = (instant("from", &query.from)?, instant("to", &query.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Error::invalid_spec(format!(
            "the range from {} to {} is empty; `to` is the first moment that is no longer asked for",
            query.from.as_deref().unwrap_or_default(),
            query.to.as_deref().unwrap_or_default()
        )));
    }
    let as_of = instant("as_of", &query.as_of)?;
    Ok(Checked {
        calendar,
        grain,
        filter,
        graph,
        ranking,
        from,
        to,
        as_of,
    })
}

/// A checked question.
pub(crate) struct Prepared<'a> {
    pub(crate) events: &'a Events,
    pub(crate) registry: &'a Registry,
    pub(crate) query: &'a MetricQuery,
    pub(crate) spine: Spine,
    pub(crate) graph: Graph,
    ranking: Option<Ranking>,
    pub(crate) dimensions: Vec<DimensionOf>,
    pub(crate) filter: Option<RowExpr>,
    /// The moment as of which periods are complete; `None` without events.
    pub(crate) as_of: Option<i64>,
    /// The range that was asked for, before it was widened.
    pub(crate) range: (i64, i64),
    extent: Option<(i64, i64)>,
    stats: ScanStats,
}

impl<'a> Prepared<'a> {
    pub(crate) async fn new(
        events: &'a Events,
        registry: &'a Registry,
        query: &'a MetricQuery,
    ) -> Result<Prepared<'a>> {
        let Checked {
            calendar,
            grain,
            filter,
            graph,
            ranking,
            from,
            to,
            as_of,
        } = check(registry, query)?;
        let frame = events.frame()?;
        let dimensions = query
            .by
            .iter()
            .map(|name| {
                fit::column(name, frame.schema())
                    .map_err(|e| Error::invalid_spec(format!("by: {}", e.message())))?;
                DimensionOf::new(name, frame.schema())
            })
            .collect::<Result<Vec<_>>>()?;
        if let Some(filter) = &filter {
            fit::check_filter(filter, frame.schema())?;
        }
        let graphs = || std::iter::once(&graph).chain(ranking.as_ref().map(|r| &r.graph));
        for graph in graphs() {
            fit::check_metrics(registry, graph, frame.schema())?;
        }
        let all_time = |o: &Option<CumulativeRange>| *o == Some(CumulativeRange::AllTime);
        let carries_on = graphs().any(Graph::carries_on);
        let needed = from.is_none()
            || to.is_none()
            || as_of.is_none()
            || carries_on
            || graphs().any(|g| g.atoms.iter().any(|a| all_time(&a.over)) || !g.passes.is_empty());
        let (extent, stats) = match needed {
            true => crate::engine::extent(events).await?,
            false => (None, ScanStats::default()),
        };
        let range = match (from, to, extent) {
            (Some(from), Some(to), _) => (from, to),
            (Some(from), None, Some((_, last))) => (from, (last + 1).max(from)),
            (None, Some(to), Some((first, _))) => (first.min(to), to),
            (None, None, Some((first, last))) => (first, last + 1),
            _ => (0, 0),
        };
        let mut spine = Spine::new(calendar, grain, range.0, range.1, query.compare_to.as_ref())?;
        for graph in graphs() {
            spine.reach_back(&graph.offset_chains()?)?;
        }
        if let Some((first, _)) = extent
            && carries_on
        {
            spine.reach_back_to(first)?;
        }
        Ok(Prepared {
            events,
            registry,
            query,
            spine,
            graph,
            ranking,
            dimensions,
            filter,
            as_of: as_of.or(extent.map(|(_, last)| last)),
            range,
            extent,
            stats,
        })
    }

    /// Tells whether events are known to be there.
    pub(crate) fn has_events(&self) -> bool {
        self.extent.is_some()
    }

    pub(crate) fn computation<'c>(&'c self, graph: &'c Graph) -> Computation<'c> {
        let start = self.spine.periods().first().map_or(0, |p| p.start_us());
        Computation {
            events: self.events,
            graph,
            spine: &self.spine,
            filter: self.filter.as_ref(),
            zone: self.spine.calendar().time_zone(),
            extent: self.extent.unwrap_or((start, start)),
            // Without events nothing is known.
            as_of: self.as_of.unwrap_or(start - 1),
        }
    }

    /// Answers the question; the text says how, if that is asked for.
    pub(crate) async fn answer(mut self, explain: bool) -> Result<(Table, String)> {
        let mut stats = self.stats;
        if let (Some(top), Some(ranking)) = (&self.query.top, &self.ranking) {
            let dimension = ranking.dimension;
            let (kept, more) = self.kept(top, ranking).await?;
            stats = passes::sum(stats, more);
            if let Some(slot) = self.dimensions.get_mut(dimension) {
                *slot = slot.keeping(kept);
            }
        }
        let computation = self.computation(&self.graph);
        let computed = computation.run(&self.dimensions, explain).await?;
        stats = passes::sum(stats, computed.stats);
        let totals = match self.query.totals {
            true => Some(computation.run(&[], false).await?),
            false => None,
        };
        stats = passes::sum(stats, totals.as_ref().map(|t| t.stats).unwrap_or_default());
        let answer = Answer::new(&self, &computed, totals.as_ref())?;
        let notes = notes::notes(&self, &answer)?;
        let text = match explain {
            true => self.text(&computed, stats),
            false => String::new(),
        };
        Ok((
            answer.table(self.query)?.with_scan(stats).with_notes(notes),
            text,
        ))
    }

    fn text(&self, computed: &Computed, stats: ScanStats) -> String {
        let mut lines = vec![format!(
            "{} periods of one {} asked for, {} computed; {} combinations of dimensions",
            self.spine.asked().len(),
            self.spine.grain(),
            self.spine.periods().len(),
            computed.grid.combinations
        )];
        lines.extend(computed.plans.iter().map(|p| p.trim_end().to_owned()));
        for pass in &self.graph.passes {
            lines.push(format!(
                "pass for {} ({})",
                pass.name,
                pass.kind.name().name()
            ));
        }
        lines.push(format!(
            "read {} of {} files, {} bytes",
            stats.files_read, stats.files_total, stats.bytes_read
        ));
        lines.join("\n")
    }
}

/// Checks metrics and dimensions by name.
fn names(registry: &Registry, query: &MetricQuery) -> Result<()> {
    if query.metrics.is_empty() {
        return Err(Error::invalid_spec(
            "metrics: none is named; name at least one",
        ));
    }
    if query.metrics.len() > MAX_METRICS {
        return Err(Error::invalid_spec(format!(
            "metrics: {} are named; at most {MAX_METRICS} are answered at once",
            query.metrics.len()
        )));
    }
    if query.by.len() > MAX_DIMENSIONS {
        return Err(Error::invalid_spec(format!(
            "by: {} dimensions are named; at most {MAX_DIMENSIONS} are allowed",
            query.by.len()
        )));
    }
    for (what, names) in [("metrics", &query.metrics), ("by", &query.by)] {
        if let Some(name) = twice(names.iter().map(String::as_str)) {
            return Err(Error::invalid_spec(format!(
                "{what}: `{}` is named twice",
                shortened(name)
            )));
        }
    }
    let mut open = Vec::new();
    for name in &query.metrics {
        open.push(registry.metric(name)?);
    }
    if let Some(name) = query.top.as_ref().and_then(|top| top.metric.as_ref()) {
        let metric = registry.metric(name);
        open.push(metric.map_err(|e| Error::invalid_spec(format!("top: {}", e.message())))?);
    }
    // What a metric stands on may be narrower than itself. In their order, so that the first fault is always the same.
    open.reverse();
    let mut seen: HashSet<&str> = HashSet::new();
    while let Some(metric) = open.pop() {
        if seen.insert(&metric.name) {
            for dimension in &query.by {
                if let Some(allowed) = &metric.dimensions
                    && !allowed.contains(dimension)
                {
                    let hint = match nearest(dimension, allowed.iter().map(String::as_str)) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None if allowed.is_empty() => "it has none".to_owned(),
                        None => format!("it has {}", allowed.join(", ")),
                    };
                    return Err(Error::invalid_spec(format!(
                        "by: the metric `{}` has no dimension `{}`; {hint}",
                        metric.name,
                        shortened(dimension)
                    )));
                }
            }
            for input in metric.kind.inputs() {
                open.push(registry.metric(&input.name)?);
            }
        }
    }
    Ok(())
}

/// The metrics whose grains bound that of a question.
fn compared(query: &MetricQuery) -> Vec<String> {
    let top = query.top.as_ref().and_then(|top| top.metric.as_ref());
    query.metrics.iter().chain(top).cloned().collect()
}
