//! The statement of a question.

use std::fmt::Write as _;

use crate::expr::RowExpr;
use crate::metric::definition::Fill;
use crate::metric::kind::{CumulativeRange, MetricKind};
use crate::metric::query::graph::{Graph, Node, Pass};
use crate::metric::query::prepare;
use crate::metric::query::spec::MetricQuery;
use crate::metric::query::spine::{Offset, Spine};
use crate::metric::registry::Registry;
use crate::{Error, Result};

use super::block::{Block, KeptDimension};
use super::columns::whole;
use super::dialect::SqlDialect;
use super::render::Render;
use super::source::SqlSource;

const MAX_PERIODS: usize = 10_000;

/// What all tables of a statement share.
pub(super) struct Statement<'a> {
    pub(super) query: &'a MetricQuery,
    pub(super) spine: &'a Spine,
    pub(super) filter: Option<&'a RowExpr>,
    pub(super) render: Render<'a>,
    pub(super) table: String,
    /// The kinds of windows.
    pub(super) overs: Vec<Option<CumulativeRange>>,
    pub(super) offsets: Vec<Offset>,
}

pub(super) fn write(
    query: &MetricQuery,
    registry: &Registry,
    source: &SqlSource,
    dialect: SqlDialect,
) -> Result<String> {
    let (Some(_), Some(_)) = (&query.from, &query.to) else {
        return Err(Error::invalid_spec(
            "a query that is written as SQL needs `from` and `to`: its periods are written out",
        ));
    };
    if source.table.is_empty() || source.table.iter().any(String::is_empty) {
        return Err(Error::invalid_spec("the name of the table is empty"));
    }
    let checked = prepare::check(registry, query)?;
    let range = match (checked.from, checked.to) {
        (Some(from), Some(to)) => (from, to),
        _ => return Err(Error::internal("a range without bounds")),
    };
    let ranking = checked.ranking.as_ref();
    let graphs = || std::iter::once(&checked.graph).chain(ranking.map(|r| &r.graph));
    graphs().try_for_each(writable)?;
    let mut spine = Spine::new(
        checked.calendar.clone(),
        checked.grain,
        range.0,
        range.1,
        query.compare_to.as_ref(),
    )?;
    for graph in graphs() {
        spine.reach_back(&graph.offset_chains()?)?;
    }
    if spine.periods().len() > MAX_PERIODS {
        return Err(Error::invalid_spec(format!(
            "the query computes {} periods; at most {MAX_PERIODS} are written out as SQL",
            spine.periods().len()
        )));
    }
    let mut offsets: Vec<Offset> = Vec::new();
    let nodes = graphs().flat_map(|g| &g.nodes);
    for offset in nodes.flat_map(Node::inputs).filter_map(|i| i.offset) {
        if !offsets.contains(&offset) {
            offsets.push(offset);
        }
    }
    let mut overs = Vec::new();
    for atom in graphs().flat_map(|g| &g.atoms) {
        if !overs.contains(&atom.over) {
            overs.push(atom.over);
        }
    }
    let parts: Vec<String> = source.table.iter().map(|p| dialect.name_of(p)).collect();
    let statement = Statement {
        query,
        spine: &spine,
        filter: checked.filter.as_ref(),
        render: Render {
            dialect,
            source,
            zone: spine.calendar().time_zone(),
        },
        table: parts.join("."),
        overs,
        offsets,
    };
    let block = |graph, by, kept, suffix| Block {
        statement: &statement,
        graph,
        by,
        kept,
        suffix,
        parts: Vec::new(),
    };
    let mut parts = vec![statement.periods(checked.as_of)?];
    let mut kept = None;
    if let (Some(top), Some(ranking)) = (&query.top, ranking) {
        let by = query.by.get(ranking.dimension..=ranking.dimension);
        let mut ranked = block(&ranking.graph, by.unwrap_or_default(), None, "_ranked");
        let last = ranked.write()?;
        let of_metric = ranking.graph.asked.first().copied().unwrap_or(0);
        parts.append(&mut ranked.parts);
        parts.push((
            "kept".to_owned(),
            format!(
                "SELECT d0, 1 AS kept\n  FROM {last}\n  WHERE asked = 1\n  GROUP BY d0\n  \
                 ORDER BY COALESCE(SUM(m{of_metric}), 0) DESC, d0 ASC NULLS LAST\n  LIMIT {}",
                top.n
            ),
        ));
        kept = Some(KeptDimension {
            at: ranking.dimension,
            other: &top.other,
        });
    }
    let mut main = block(&checked.graph, &query.by, kept, "");
    let last = main.write()?;
    parts.append(&mut main.parts);
    let mut total = block(&checked.graph, &[], None, "_total");
    let of_totals = match query.totals {
        true => Some(total.write()?),
        false => None,
    };
    parts.append(&mut total.parts);
    let totals = of_totals.as_deref().map(|last| (&total, last));
    whole(&parts, (&main, &last), totals)
}

/// Refuses what has no form in SQL.
fn writable(graph: &Graph) -> Result<()> {
    if let Some(node) = graph.nodes.iter().find(|n| n.fill == Fill::Previous) {
        return Err(Error::invalid_spec(format!(
            "the metric `{}` carries on the value of an earlier period, which may lie before the first one that is \
             written out; for SQL, fill with `zero` or `null`",
            node.name
        )));
    }
    let followed = |p: &&Pass| !matches!(p.kind, MetricKind::Conversion(_));
    if let Some(pass) = graph.passes.iter().find(followed) {
        return Err(Error::invalid_spec(format!(
            "the metric `{}` is of the kind `{}`, which is not written as SQL; metrics of the kinds simple, ratio, \
             derived, cumulative and conversion are",
            pass.name,
            pass.kind.name().name()
        )));
    }
    Ok(())
}

/// Names the metric in an error of what cannot be said.
pub(super) fn of<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|e| Error::new(e.kind(), format!("the metric `{name}`: {}", e.message())))
}

impl Statement<'_> {
    /// The list of periods: bounds, labels, starts of windows, and the positions that offsets lead to.
    fn periods(&self, as_of: Option<i64>) -> Result<(String, String)> {
        let dialect = self.render.dialect;
        let moment = |us: i64| {
            dialect
                .moment(us)
                .ok_or_else(|| Error::internal("a period without a moment"))
        };
        let number = |n: Option<usize>| n.map_or("CAST(NULL AS INT)".to_owned(), |n| n.to_string());
        let mut windows = Vec::new();
        for over in &self.overs {
            windows.push(self.spine.windows(*over)?);
        }
        let mut moved = Vec::new();
        for offset in &self.offsets {
            moved.push(self.spine.offset_positions(*offset)?);
        }
        let mut rows = Vec::new();
        for (position, period) in self.spine.periods().iter().enumerate() {
            let asked = self.spine.asked().iter().position(|p| p == period);
            let mut row = format!(
                "SELECT {position} AS position, {} AS starts, {} AS ends",
                moment(period.start_us())?,
                moment(period.end_us())?
            );
            let label = match asked {
                Some(_) => dialect.text(&self.spine.calendar().label(period)?),
                None => dialect.text(""),
            };
            _ = write!(
                row,
                ", {label} AS label, {} AS asked",
                u8::from(asked.is_some())
            );
            if let Some(us) = as_of {
                let complete = if period.is_complete(us) {
                    "TRUE"
                } else {
                    "FALSE"
                };
                _ = write!(row, ", {complete} AS complete");
            }
            if let Some(compared) = self.spine.compared() {
                let other = asked.and_then(|a| compared.get(a).copied().flatten());
                let other = other.and_then(|p| self.spine.position(&p));
                _ = write!(row, ", {} AS compared", number(other));
            }
            for (i, window) in windows.iter().enumerate() {
                let start = window.starts.get(position).copied().unwrap_or(i64::MIN);
                if self
                    .overs
                    .get(i)
                    .is_some_and(|o| o.is_some_and(|o| o != CumulativeRange::AllTime))
                {
                    _ = write!(row, ", {} AS w{i}", moment(start)?);
                }
            }
            for (i, positions) in moved.iter().enumerate() {
                let to = positions.get(position).copied().flatten();
                _ = write!(row, ", {} AS o{i}", number(to));
            }
            rows.push(row);
        }
        Ok(("periods".to_owned(), rows.join("\n  UNION ALL ")))
    }
}
