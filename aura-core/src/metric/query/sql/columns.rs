//! The columns of metrics in a statement, and the statement as a whole.

use std::fmt::Write as _;

use crate::event::TIME;
use crate::expr::{CastType, Term};
use crate::metric::definition::Fill;
use crate::metric::kind::{Calculation, MetricKind};
use crate::metric::query::graph::{How, Node, Side};
use crate::metric::query::spine::Offset;
use crate::{Error, Result};

use super::statement::{Statement, of};

impl Statement<'_> {
    /// Adds the columns of one metric after the other; returns the name of the last table.
    pub(super) fn nodes(&mut self) -> Result<String> {
        let mut last = "cells".to_owned();
        for (number, node) in self.graph.nodes.iter().enumerate() {
            let mut joins = String::new();
            let mut joined: Vec<usize> = Vec::new();
            for offset in node.inputs().filter_map(|i| i.offset) {
                let at = self.offsets.iter().position(|o| *o == offset).unwrap_or(0);
                if !joined.contains(&at) {
                    joined.push(at);
                    let other = format!("b{at}");
                    _ = write!(
                        joins,
                        "\n  LEFT JOIN {last} AS {other} ON {other}.position = c.o{at}{}",
                        self.same_dims(&other, "c")
                    );
                }
            }
            let columns = of(&node.name, self.node(node))?;
            let mut select = String::new();
            for (name, text) in columns {
                _ = write!(select, ", {text} AS {name}{number}");
            }
            let name = format!("metric{number}");
            self.parts.push((
                name.clone(),
                format!("SELECT c.*{select}\n  FROM {last} AS c{joins}"),
            ));
            last = name;
        }
        Ok(last)
    }

    fn side(&self, side: &Side) -> Result<String> {
        self.render.formula(&side.formula, &|term| match term {
            Term::Aggregate(aggregate) => {
                let found = side
                    .aggregates
                    .iter()
                    .find(|(known, _)| known == &**aggregate);
                let (_, atom) =
                    found.ok_or_else(|| Error::internal("an aggregate is not in the plan"))?;
                Ok(format!("c.a{atom}"))
            }
            Term::Metric(reference) => {
                let found = side.inputs.iter().find(|i| i.reference == *reference);
                let input = found.ok_or_else(|| Error::internal("a metric is not in the plan"))?;
                Ok(format!("{}.m{}", self.row_of(input.offset), input.node))
            }
        })
    }

    /// Returns the name of the row that an input is taken of.
    fn row_of(&self, offset: Option<Offset>) -> String {
        let at = offset.and_then(|offset| self.offsets.iter().position(|o| *o == offset));
        at.map_or("c".to_owned(), |at| format!("b{at}"))
    }

    /// The columns of a metric: value, denominator, and whether there is anything.
    fn node(&self, node: &Node) -> Result<Vec<(&'static str, String)>> {
        let double = self.render.dialect.type_name(CastType::Number);
        let share = |above: &str, below: &str| {
            format!("(CAST({above} AS {double}) / NULLIF(CAST({below} AS {double}), 0))")
        };
        let (value, below) = match &node.how {
            How::Pass(number) => {
                let rate = self.graph.passes.get(*number).is_some_and(|p| {
                    matches!(&p.kind, MetricKind::Conversion(c) if c.calculation == Calculation::ConversionRate)
                });
                let there = format!("c.n{number} > 0");
                let value = match rate {
                    true => share(&format!("c.v{number}"), &format!("c.n{number}")),
                    false => format!("c.v{number}"),
                };
                let value = filled(&value, &there, node.fill);
                let below = rate.then(|| format!("c.n{number}"));
                let mut columns = vec![("m", value)];
                columns.extend(below.map(|b| ("below", b)));
                columns.push(("there", one(&there)));
                return Ok(columns);
            }
            How::Formula(side) => (self.side(side)?, None),
            How::Ratio(above, below) => {
                let below = self.side(below)?;
                (share(&self.side(above)?, &below), Some(below))
            }
        };
        let mut tests: Vec<String> = node
            .presence
            .iter()
            .map(|a| format!("c.a{a} > 0"))
            .collect();
        let told = tests.is_empty();
        for input in node.inputs() {
            tests.push(format!(
                "{}.there{} = 1",
                self.row_of(input.offset),
                input.node
            ));
        }
        let there = match (tests.is_empty(), node.fill) {
            (false, _) => format!("({})", tests.join(" OR ")),
            (true, Fill::Zero) => format!("{value} <> 0"),
            (true, _) => format!("{value} IS NOT NULL"),
        };
        let value = match node.fill {
            // Its values tell, or it takes those of metrics, which are filled already.
            Fill::Null if told => value,
            Fill::Zero if told && node.inputs().next().is_none() => value,
            fill => filled(&value, &there, fill),
        };
        let mut columns = vec![("m", value)];
        columns.extend(below.map(|b| ("below", b)));
        columns.push(("there", one(&there)));
        Ok(columns)
    }

    /// The statement as a whole.
    pub(super) fn whole(&self, last: &str) -> Result<String> {
        let dialect = self.render.dialect;
        let mut select = vec![
            "c.starts AS period".to_owned(),
            "c.label AS period_label".to_owned(),
        ];
        for (i, name) in self.query.by.iter().enumerate() {
            select.push(format!("c.d{i} AS {}", dialect.name_of(name)));
        }
        let compares = self.spine.compared().is_some();
        if compares {
            select.push("q.starts AS compare_period".to_owned());
        }
        let double = dialect.type_name(CastType::Number);
        for (name, node) in self.query.metrics.iter().zip(&self.graph.asked) {
            let quoted = |suffix: &str| dialect.name_of(&format!("{name}{suffix}"));
            select.push(format!("c.m{node} AS {}", quoted("")));
            let has_below = self.graph.nodes.get(*node).is_some_and(|n| match &n.how {
                How::Ratio(..) => true,
                How::Pass(p) => self.graph.passes.get(*p).is_some_and(|p| {
                    matches!(&p.kind, MetricKind::Conversion(c) if c.calculation == Calculation::ConversionRate)
                }),
                How::Formula(_) => false,
            });
            if has_below {
                select.push(format!("c.below{node} AS {}", quoted("_n")));
            }
            if compares {
                let change = format!("(c.m{node} - q.m{node})");
                select.push(format!("q.m{node} AS {}", quoted("_compare")));
                select.push(format!("{change} AS {}", quoted("_change")));
                select.push(format!(
                    "(100 * CAST({change} AS {double}) / NULLIF(ABS(CAST(q.m{node} AS {double})), 0)) AS {}",
                    quoted("_change_pct")
                ));
            }
        }
        select.push(match self.query.as_of {
            Some(_) => "c.complete AS complete".to_owned(),
            None => format!(
                "COALESCE(c.ends <= (SELECT MAX({}) FROM {} AS e), FALSE) AS complete",
                self.render.column(TIME),
                self.table
            ),
        });
        let mut order: Vec<String> = Vec::new();
        for by in &self.query.order {
            let direction = if by.descending { "DESC" } else { "ASC" };
            order.push(format!(
                "{} {direction} NULLS LAST",
                dialect.name_of(&by.column)
            ));
        }
        order.push("period".to_owned());
        order.extend(
            self.query
                .by
                .iter()
                .map(|d| format!("{} NULLS LAST", dialect.name_of(d))),
        );
        let mut text = String::new();
        for (i, (name, part)) in self.parts.iter().enumerate() {
            let word = if i == 0 { "WITH " } else { ", " };
            _ = write!(text, "{word}{name} AS (\n  {part}\n)\n");
        }
        _ = write!(text, "SELECT {}\nFROM {last} AS c", select.join(",\n  "));
        if compares {
            _ = write!(
                text,
                "\nLEFT JOIN {last} AS q ON q.position = c.compared{}",
                self.same_dims("q", "c")
            );
        }
        _ = write!(text, "\nWHERE c.asked = 1\nORDER BY {}", order.join(", "));
        if let Some(limit) = self.query.limit {
            _ = write!(text, "\nLIMIT {limit}");
        }
        text.push('\n');
        Ok(text)
    }
}

fn one(condition: &str) -> String {
    format!("CASE WHEN {condition} THEN 1 ELSE 0 END")
}

fn filled(value: &str, there: &str, fill: Fill) -> String {
    match fill {
        Fill::Zero => format!("CASE WHEN {there} THEN {value} ELSE 0 END"),
        Fill::Null | Fill::Previous => format!("CASE WHEN {there} THEN {value} END"),
    }
}
