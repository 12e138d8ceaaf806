//! The statement of a question.

use std::fmt::Write as _;

use crate::event::TIME;
use crate::expr::{Aggregate, RowExpr};
use crate::metric::definition::Fill;
use crate::metric::kind::{CumulativeRange, MetricKind};
use crate::metric::query::graph::{Graph, How, Node, Side, all_of, any_of, is_count};
use crate::metric::query::prepare;
use crate::metric::query::spec::MetricQuery;
use crate::metric::query::spine::{Offset, Spine};
use crate::metric::registry::Registry;
use crate::{Error, Result};

use super::dialect::SqlDialect;
use super::render::Render;
use super::source::SqlSource;

const MAX_PERIODS: usize = 10_000;

/// One statement in the making.
pub(super) struct Statement<'a> {
    pub(super) query: &'a MetricQuery,
    pub(super) graph: &'a Graph,
    pub(super) spine: &'a Spine,
    pub(super) filter: Option<&'a RowExpr>,
    pub(super) render: Render<'a>,
    pub(super) table: String,
    /// The kinds of windows, each with its scan.
    pub(super) overs: Vec<Option<CumulativeRange>>,
    pub(super) offsets: Vec<Offset>,
    /// Names and texts.
    pub(super) parts: Vec<(String, String)>,
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
    for (what, given) in [("top", query.top.is_some()), ("totals", query.totals)] {
        if given {
            return Err(Error::invalid_spec(format!(
                "`{what}` is not written as SQL; leave it out"
            )));
        }
    }
    let checked = prepare::check(registry, query)?;
    let range = match (checked.from, checked.to) {
        (Some(from), Some(to)) => (from, to),
        _ => return Err(Error::internal("a range without bounds")),
    };
    let graph = &checked.graph;
    if let Some(node) = graph.nodes.iter().find(|n| n.fill == Fill::Previous) {
        return Err(Error::invalid_spec(format!(
            "the metric `{}` carries on the value before, which is not written as SQL",
            node.name
        )));
    }
    if let Some(pass) = graph
        .passes
        .iter()
        .find(|p| !matches!(p.kind, MetricKind::Conversion(_)))
    {
        return Err(Error::invalid_spec(format!(
            "the metric `{}` is of the kind `{}`, which is not written as SQL",
            pass.name,
            pass.kind.name().name()
        )));
    }
    let mut spine = Spine::new(
        checked.calendar.clone(),
        checked.grain,
        range.0,
        range.1,
        query.compare_to.as_ref(),
    )?;
    spine.reach_back(&graph.offset_chains())?;
    if spine.periods().len() > MAX_PERIODS {
        return Err(Error::invalid_spec(format!(
            "the query computes {} periods; at most {MAX_PERIODS} are written out as SQL",
            spine.periods().len()
        )));
    }
    let mut offsets: Vec<Offset> = Vec::new();
    for offset in graph
        .nodes
        .iter()
        .flat_map(Node::inputs)
        .filter_map(|i| i.offset)
    {
        if !offsets.contains(&offset) {
            offsets.push(offset);
        }
    }
    let mut overs = Vec::new();
    for atom in &graph.atoms {
        if !overs.contains(&atom.over) {
            overs.push(atom.over);
        }
    }
    let parts: Vec<String> = source.table.iter().map(|p| dialect.name_of(p)).collect();
    let mut statement = Statement {
        query,
        graph,
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
        parts: Vec::new(),
    };
    statement.periods(checked.as_of)?;
    statement.scans()?;
    for number in 0..graph.passes.len() {
        statement.conversion(number)?;
    }
    statement.cells();
    let last = statement.nodes()?;
    statement.whole(&last)
}

/// Names the metric in an error of what cannot be said.
pub(super) fn of<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|e| Error::new(e.kind(), format!("the metric `{name}`: {}", e.message())))
}

impl Statement<'_> {
    pub(super) fn dimension(&self, name: &str) -> String {
        self.render.column(name)
    }

    pub(super) fn dims(&self, alias: &str) -> String {
        (0..self.query.by.len()).fold(String::new(), |mut text, i| {
            _ = write!(text, ", {alias}.d{i}");
            text
        })
    }

    pub(super) fn same_dims(&self, a: &str, b: &str) -> String {
        (0..self.query.by.len()).fold(String::new(), |mut text, i| {
            _ = write!(text, " AND {a}.d{i} IS NOT DISTINCT FROM {b}.d{i}");
            text
        })
    }

    /// The list of periods: bounds, labels, starts of windows, and the positions that offsets lead to.
    fn periods(&mut self, as_of: Option<i64>) -> Result<()> {
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
        self.parts
            .push(("periods".to_owned(), rows.join("\n  UNION ALL ")));
        Ok(())
    }

    pub(super) fn grouped(&self) -> (String, String) {
        let mut select = String::new();
        let mut group = "p.position".to_owned();
        for (i, name) in self.query.by.iter().enumerate() {
            let column = self.dimension(name);
            _ = write!(select, ", {column} AS d{i}");
            _ = write!(group, ", {column}");
        }
        (select, group)
    }

    fn scans(&mut self) -> Result<()> {
        for (i, over) in self.overs.clone().into_iter().enumerate() {
            let of_window: Vec<(usize, &Aggregate)> = self
                .graph
                .atoms
                .iter()
                .enumerate()
                .filter(|(_, a)| a.over == over)
                .map(|(n, a)| (n, &a.aggregate))
                .collect();
            let (mut select, group) = self.grouped();
            for (number, aggregate) in &of_window {
                let text = of(&self.user_of(*number), self.render.aggregate(aggregate))?;
                _ = write!(select, ", {text} AS a{number}");
            }
            let time = self.render.column(TIME);
            let start = match over {
                None => format!("{time} >= p.starts AND "),
                Some(CumulativeRange::AllTime) => String::new(),
                Some(_) => format!("{time} >= p.w{i} AND "),
            };
            let filters: Vec<Option<&RowExpr>> =
                of_window.iter().map(|(_, a)| a.filter.as_ref()).collect();
            let any = match filters.iter().all(Option::is_some) {
                true => {
                    let mut different: Vec<&RowExpr> = Vec::new();
                    for filter in filters.into_iter().flatten() {
                        if !different.contains(&filter) {
                            different.push(filter);
                        }
                    }
                    any_of(different)
                }
                false => None,
            };
            let filter = all_of(self.filter.into_iter().chain(&any));
            let filter = match filter {
                Some(filter) => format!("\n  WHERE {}", self.render.row(&filter)?),
                None => String::new(),
            };
            let text = format!(
                "SELECT p.position{select}\n  FROM periods AS p\n  JOIN {} AS e ON {start}{time} < p.ends{filter}\n  GROUP BY {group}",
                self.table
            );
            self.parts.push((format!("scan{i}"), text));
        }
        Ok(())
    }

    /// Finds a metric that uses an atom, to name it in an error.
    fn user_of(&self, atom: usize) -> String {
        let uses = |side: &Side| side.aggregates.iter().any(|(_, a)| *a == atom);
        let node = self.graph.nodes.iter().find(|n| match &n.how {
            How::Formula(side) => uses(side),
            How::Ratio(above, below) => uses(above) || uses(below),
            How::Pass(_) => false,
        });
        node.map_or(String::new(), |n| n.name.clone())
    }

    /// Every period with every combination, and what was counted there.
    fn cells(&mut self) {
        let sources: Vec<String> = (0..self.overs.len())
            .map(|i| format!("scan{i}"))
            .chain((0..self.graph.passes.len()).map(|i| format!("pass{i}")))
            .collect();
        let dims: Vec<String> = (0..self.query.by.len()).map(|i| format!("d{i}")).collect();
        let mut from = "periods AS p".to_owned();
        if !dims.is_empty() {
            let list = dims.join(", ");
            let union = format!("\n  {} ", self.render.dialect.union());
            let all: Vec<String> = sources
                .iter()
                .map(|s| format!("SELECT {list} FROM {s}"))
                .collect();
            let text = match all.as_slice() {
                [one] => one.replacen("SELECT", "SELECT DISTINCT", 1),
                _ => all.join(&union),
            };
            self.parts.push(("combinations".to_owned(), text));
            from.push_str("\n  CROSS JOIN combinations AS g");
        }
        let mut select = "SELECT p.*".to_owned();
        select.push_str(&self.dims("g"));
        for (number, atom) in self.graph.atoms.iter().enumerate() {
            let scan = self.overs.iter().position(|o| *o == atom.over).unwrap_or(0);
            _ = match is_count(&atom.aggregate) {
                true => write!(select, ", COALESCE(scan{scan}.a{number}, 0) AS a{number}"),
                false => write!(select, ", scan{scan}.a{number}"),
            };
        }
        for number in 0..self.graph.passes.len() {
            _ = write!(
                select,
                ", COALESCE(pass{number}.v, 0) AS v{number}, COALESCE(pass{number}.n, 0) AS n{number}"
            );
        }
        for source in sources {
            _ = write!(
                from,
                "\n  LEFT JOIN {source} ON {source}.position = p.position{}",
                self.same_dims(&source, "g")
            );
        }
        self.parts
            .push(("cells".to_owned(), format!("{select}\n  FROM {from}")));
    }
}
