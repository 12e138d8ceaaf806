//! The values of a dimension with the greatest totals.

use crate::document::shortened;
use crate::engine::ScanStats;
use crate::metric::registry::Registry;
use crate::{Error, Result};

use super::answer::floats;
use super::executor::{DimensionOf, Kept, texts};
use super::graph::Graph;
use super::prepare::Prepared;
use super::spec::{MetricQuery, Top};

const MAX_TOP: usize = 10_000;

/// What decides which values are kept.
pub(crate) struct Ranking {
    /// The number of the dimension among those of the question.
    pub(crate) dimension: usize,
    /// What the metric that is compared stands on.
    pub(crate) graph: Graph,
}

impl Top {
    /// Returns the metric that is compared.
    pub(crate) fn compared<'a>(&'a self, query: &'a MetricQuery) -> Option<&'a String> {
        self.metric.as_ref().or(query.metrics.first())
    }
}

impl Ranking {
    /// Checks what a question says of its top values.
    pub(crate) fn new(registry: &Registry, query: &MetricQuery) -> Result<Option<Ranking>> {
        let Some(top) = &query.top else {
            return Ok(None);
        };
        let by = &query.by;
        let Some(first) = by.first() else {
            return Err(Error::invalid_spec(
                "top: the query has no dimension; name one in `by`",
            ));
        };
        if !(1..=MAX_TOP).contains(&top.n) {
            return Err(Error::invalid_spec(format!(
                "top: n is {}; it is from 1 to {MAX_TOP}",
                top.n
            )));
        }
        let name = top.dimension.as_ref().unwrap_or(first);
        let Some(dimension) = by.iter().position(|d| d == name) else {
            return Err(Error::invalid_spec(format!(
                "top: `{}` is not among the dimensions of the query, {}",
                shortened(name),
                by.join(", ")
            )));
        };
        let Some(metric) = top.compared(query) else {
            return Ok(None);
        };
        Ok(Some(Ranking {
            dimension,
            graph: Graph::new(registry, std::slice::from_ref(metric), query.fill)?,
        }))
    }
}

impl Prepared<'_> {
    /// Finds the values of a dimension that are kept.
    pub(crate) async fn kept(&self, top: &Top, ranking: &Ranking) -> Result<(Kept, ScanStats)> {
        let graph = &ranking.graph;
        let dimension = self.dimensions.get(ranking.dimension);
        let dimensions: Vec<DimensionOf> = dimension.cloned().into_iter().collect();
        let computed = self.computation(graph).run(&dimensions, false).await?;
        let series = graph.asked.first().and_then(|n| computed.series.get(*n));
        let series = series.ok_or_else(|| Error::internal("a metric was not computed"))?;
        let asked: Vec<usize> = self
            .spine
            .asked()
            .iter()
            .filter_map(|p| self.spine.position(p))
            .collect();
        let values = floats(&series.value)?;
        let sum = |c: usize| -> f64 {
            let cells = asked.iter().map(|p| c * computed.grid.positions + p);
            cells
                .filter_map(|cell| values.get(cell).copied().flatten())
                .sum()
        };
        let mut order: Vec<(usize, f64)> = (0..computed.grid.combinations)
            .map(|c| (c, sum(c)))
            .collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let column = match computed.dimensions.first() {
            Some(column) => texts(column)?,
            None => Vec::new(),
        };
        let values: Vec<Option<String>> = order
            .iter()
            .take(top.n)
            .filter_map(|(c, _)| column.get(*c).cloned())
            .collect();
        if values.iter().flatten().any(|v| *v == top.other) {
            let name = dimension.map_or("", |d| &d.column);
            return Err(Error::invalid_spec(format!(
                "top: `{}` is itself one of the greatest values of `{name}`; give the others another name with `other`",
                shortened(&top.other)
            )));
        }
        let kept = Kept {
            values,
            other: top.other.clone(),
        };
        Ok((kept, computed.stats))
    }
}
