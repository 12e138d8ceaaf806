//! The tables of one computation in a statement: the aggregates of a graph for some dimensions.

use std::fmt::Write as _;

use crate::Result;
use crate::event::TIME;
use crate::expr::{Aggregate, CastType, RowExpr};
use crate::metric::kind::CumulativeRange;
use crate::metric::query::graph::{Graph, How, Side, all_of, any_of, is_count};

use super::statement::{Statement, of};

/// A dimension of which some values are kept, see [`Top`](crate::metric::query::Top).
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptDimension<'a> {
    /// Its number.
    pub(super) at: usize,
    /// What all other values are called.
    pub(super) other: &'a str,
}

/// What is computed, and for which dimensions; its tables have names with `suffix` at the end.
pub(super) struct Block<'a> {
    pub(super) statement: &'a Statement<'a>,
    pub(super) graph: &'a Graph,
    pub(super) by: &'a [String],
    pub(super) kept: Option<KeptDimension<'a>>,
    pub(super) suffix: &'static str,
    /// Names and texts of the tables so far.
    pub(super) parts: Vec<(String, String)>,
}

impl Block<'_> {
    /// Writes all tables; returns the name of the last one, which has the columns of all metrics.
    pub(super) fn write(&mut self) -> Result<String> {
        self.scans()?;
        for number in 0..self.graph.passes.len() {
            self.conversion(number)?;
        }
        self.cells();
        self.nodes()
    }

    pub(super) fn name(&self, table: &str) -> String {
        format!("{table}{}", self.suffix)
    }

    pub(super) fn part(&mut self, table: &str, text: String) {
        let name = self.name(table);
        self.parts.push((name, text));
    }

    /// Writes a dimension of an event.
    pub(super) fn dimension(&self, at: usize, name: &str) -> String {
        let render = &self.statement.render;
        let column = render.column(name);
        match self.kept {
            Some(kept) if kept.at == at => format!(
                "CASE WHEN k.kept = 1 THEN CAST({column} AS {}) ELSE {} END",
                render.dialect.type_name(CastType::Text),
                render.dialect.text(kept.other)
            ),
            _ => column,
        }
    }

    /// The join that tells which events have a value that is kept.
    pub(super) fn join_kept(&self) -> String {
        let name = self.kept.and_then(|kept| self.by.get(kept.at));
        name.map_or(String::new(), |name| {
            format!(
                "\n  LEFT JOIN kept AS k ON k.d0 IS NOT DISTINCT FROM {}",
                self.statement.render.column(name)
            )
        })
    }

    pub(super) fn dims(&self, alias: &str) -> String {
        (0..self.by.len()).fold(String::new(), |mut text, i| {
            _ = write!(text, ", {alias}.d{i}");
            text
        })
    }

    pub(super) fn same_dims(&self, a: &str, b: &str) -> String {
        (0..self.by.len()).fold(String::new(), |mut text, i| {
            _ = write!(text, " AND {a}.d{i} IS NOT DISTINCT FROM {b}.d{i}");
            text
        })
    }

    pub(super) fn grouped(&self) -> (String, String) {
        let mut select = String::new();
        let mut group = "p.position".to_owned();
        for (i, name) in self.by.iter().enumerate() {
            let column = self.dimension(i, name);
            _ = write!(select, ", {column} AS d{i}");
            _ = write!(group, ", {column}");
        }
        (select, group)
    }

    /// The kinds of windows that the graph has, with their numbers.
    fn overs(&self) -> Vec<(usize, Option<CumulativeRange>)> {
        let all = self.statement.overs.iter().copied().enumerate();
        all.filter(|(_, over)| self.graph.atoms.iter().any(|a| a.over == *over))
            .collect()
    }

    fn scans(&mut self) -> Result<()> {
        let statement = self.statement;
        let render = &statement.render;
        for (i, over) in self.overs() {
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
                let text = of(&self.user_of(*number), render.aggregate(aggregate))?;
                _ = write!(select, ", {text} AS a{number}");
            }
            let time = render.column(TIME);
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
            let filter = all_of(statement.filter.into_iter().chain(&any));
            let filter = match filter {
                Some(filter) => format!("\n  WHERE {}", render.row(&filter)?),
                None => String::new(),
            };
            let text = format!(
                "SELECT p.position{select}\n  FROM periods AS p\n  JOIN {} AS e ON {start}{time} < p.ends{}{filter}\n  GROUP BY {group}",
                statement.table,
                self.join_kept()
            );
            self.part(&format!("scan{i}"), text);
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
        let overs = self.overs();
        let scans = overs.iter().map(|(i, _)| self.name(&format!("scan{i}")));
        let passes = (0..self.graph.passes.len()).map(|i| self.name(&format!("pass{i}")));
        let sources: Vec<String> = scans.chain(passes).collect();
        let dims: Vec<String> = (0..self.by.len()).map(|i| format!("d{i}")).collect();
        let mut from = "periods AS p".to_owned();
        if !dims.is_empty() {
            let list = dims.join(", ");
            let union = format!("\n  {} ", self.statement.render.dialect.union());
            let all: Vec<String> = sources
                .iter()
                .map(|s| format!("SELECT {list} FROM {s}"))
                .collect();
            let text = match all.as_slice() {
                [one] => one.replacen("SELECT", "SELECT DISTINCT", 1),
                _ => all.join(&union),
            };
            self.part("combinations", text);
            _ = write!(from, "\n  CROSS JOIN {} AS g", self.name("combinations"));
        }
        let mut select = "SELECT p.*".to_owned();
        select.push_str(&self.dims("g"));
        for (number, atom) in self.graph.atoms.iter().enumerate() {
            let scan = overs.iter().find(|(_, over)| *over == atom.over);
            let scan = self.name(&format!("scan{}", scan.map_or(0, |(i, _)| *i)));
            _ = match is_count(&atom.aggregate) {
                true => write!(select, ", COALESCE({scan}.a{number}, 0) AS a{number}"),
                false => write!(select, ", {scan}.a{number}"),
            };
        }
        for number in 0..self.graph.passes.len() {
            let pass = self.name(&format!("pass{number}"));
            _ = write!(
                select,
                ", COALESCE({pass}.v, 0) AS v{number}, COALESCE({pass}.n, 0) AS n{number}"
            );
        }
        for source in sources {
            _ = write!(
                from,
                "\n  LEFT JOIN {source} ON {source}.position = p.position{}",
                self.same_dims(&source, "g")
            );
        }
        self.part("cells", format!("{select}\n  FROM {from}"));
    }
}
