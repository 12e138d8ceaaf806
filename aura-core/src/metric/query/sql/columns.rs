//! The columns of metrics in a statement, and the statement as a whole.

use std::fmt::Write as _;

use crate::event::TIME;
use crate::expr::{CastType, Term};
use crate::metric::definition::Fill;
use crate::metric::kind::{Calculation, MetricKind};
use crate::metric::query::answer::{check_names, no_order};
use crate::metric::query::graph::{How, Node, Side};
use crate::metric::query::spine::Offset;
use crate::{Error, Result};

use super::block::Block;
use super::statement::{Statement, of};

impl Block<'_> {
    /// Adds the columns of one metric after the other; returns the name of the last table.
    pub(super) fn nodes(&mut self) -> Result<String> {
        let mut last = self.name("cells");
        for (number, node) in self.graph.nodes.iter().enumerate() {
            let mut joins = String::new();
            let mut joined: Vec<usize> = Vec::new();
            for offset in node.inputs().filter_map(|i| i.offset) {
                let at = self
                    .statement
                    .offsets
                    .iter()
                    .position(|o| *o == offset)
                    .unwrap_or(0);
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
            self.part(
                &name,
                format!("SELECT c.*{select}\n  FROM {last} AS c{joins}"),
            );
            last = self.name(&name);
        }
        Ok(last)
    }

    fn side(&self, side: &Side) -> Result<String> {
        self.statement
            .render
            .formula(&side.formula, &|term| match term {
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
                    let input =
                        found.ok_or_else(|| Error::internal("a metric is not in the plan"))?;
                    Ok(format!("{}.m{}", self.row_of(input.offset), input.node))
                }
            })
    }

    /// Returns the name of the row that an input is taken of.
    fn row_of(&self, offset: Option<Offset>) -> String {
        let at = offset.and_then(|offset| self.statement.offsets.iter().position(|o| *o == offset));
        at.map_or("c".to_owned(), |at| format!("b{at}"))
    }

    /// The columns of a metric: value, denominator, and whether there is anything.
    fn node(&self, node: &Node) -> Result<Vec<(&'static str, String)>> {
        let double = self.statement.render.dialect.type_name(CastType::Number);
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

    /// The columns of the answer, with their names; the rows of a total have no dimensions.
    fn columns(&self, is_total: Option<bool>) -> Vec<(String, String)> {
        let Statement {
            query,
            spine,
            render,
            table,
            ..
        } = self.statement;
        let dialect = render.dialect;
        let mut columns: Vec<(String, String)> = Vec::new();
        let mut push = |text: String, name: &str| columns.push((text, name.to_owned()));
        push("c.starts".to_owned(), "period");
        push("c.label".to_owned(), "period_label");
        for (i, name) in query.by.iter().enumerate() {
            match is_total {
                Some(true) => push("NULL".to_owned(), name),
                _ => push(format!("c.d{i}"), name),
            }
        }
        if let Some(is_total) = is_total {
            push(is_total.to_string().to_uppercase(), "is_total");
        }
        let compares = spine.compared().is_some();
        if compares {
            push("q.starts".to_owned(), "compare_period");
        }
        let double = dialect.type_name(CastType::Number);
        for (name, node) in query.metrics.iter().zip(&self.graph.asked) {
            push(format!("c.m{node}"), name);
            let has_below = self.graph.nodes.get(*node).is_some_and(|n| match &n.how {
                How::Ratio(..) => true,
                How::Pass(p) => self.graph.passes.get(*p).is_some_and(|p| {
                    matches!(&p.kind, MetricKind::Conversion(c) if c.calculation == Calculation::ConversionRate)
                }),
                How::Formula(_) => false,
            });
            if has_below {
                push(format!("c.below{node}"), &format!("{name}_n"));
            }
            if compares {
                let change = format!("(c.m{node} - q.m{node})");
                push(format!("q.m{node}"), &format!("{name}_compare"));
                push(change.clone(), &format!("{name}_change"));
                push(
                    format!(
                        "(100 * CAST({change} AS {double}) / NULLIF(ABS(CAST(q.m{node} AS {double})), 0))"
                    ),
                    &format!("{name}_change_pct"),
                );
            }
        }
        let complete = match query.as_of {
            Some(_) => "c.complete".to_owned(),
            None => format!(
                "COALESCE(c.ends <= (SELECT MAX({}) FROM {table} AS e), FALSE)",
                render.column(TIME),
            ),
        };
        push(complete, "complete");
        columns
    }

    /// Selects the answer from the last table, with names as they are quoted.
    fn select(&self, last: &str, is_total: Option<bool>) -> String {
        let dialect = self.statement.render.dialect;
        let own = [
            "period",
            "period_label",
            "is_total",
            "compare_period",
            "complete",
        ];
        let columns: Vec<String> = self
            .columns(is_total)
            .into_iter()
            .map(|(text, name)| match own.contains(&name.as_str()) {
                true => format!("{text} AS {name}"),
                false => format!("{text} AS {}", dialect.name_of(&name)),
            })
            .collect();
        let mut text = format!("SELECT {}\nFROM {last} AS c", columns.join(",\n  "));
        if self.statement.spine.compared().is_some() {
            _ = write!(
                text,
                "\nLEFT JOIN {last} AS q ON q.position = c.compared{}",
                self.same_dims("q", "c")
            );
        }
        text.push_str("\nWHERE c.asked = 1");
        text
    }
}

/// The statement as a whole: the tables, the rows of the answer and, if they are asked for, the totals.
pub(super) fn whole(
    parts: &[(String, String)],
    (main, last): (&Block<'_>, &str),
    totals: Option<(&Block<'_>, &str)>,
) -> Result<String> {
    let Statement { query, render, .. } = main.statement;
    let dialect = render.dialect;
    let mark = totals.is_some().then_some(false);
    let names: Vec<String> = main.columns(mark).into_iter().map(|(_, n)| n).collect();
    let names = || names.iter().map(String::as_str);
    check_names(names())?;
    let mut order: Vec<String> = Vec::new();
    for by in &query.order {
        if !names().any(|n| n == by.column) {
            return Err(no_order(&by.column, names()));
        }
        let direction = if by.descending { "DESC" } else { "ASC" };
        order.push(format!(
            "{} {direction} NULLS LAST",
            dialect.name_of(&by.column)
        ));
    }
    order.push("period".to_owned());
    if totals.is_some() {
        order.push("is_total".to_owned());
    }
    let dimensions = query.by.iter();
    order.extend(dimensions.map(|d| format!("{} NULLS LAST", dialect.name_of(d))));
    let mut text = String::new();
    for (i, (name, part)) in parts.iter().enumerate() {
        let word = if i == 0 { "WITH " } else { ", " };
        _ = write!(text, "{word}{name} AS (\n  {part}\n)\n");
    }
    let rows = main.select(last, mark);
    match totals {
        None => text.push_str(&rows),
        Some((totals, last)) => {
            let totals = totals.select(last, Some(true));
            _ = write!(
                text,
                "SELECT *\nFROM (\n{rows}\nUNION ALL\n{totals}\n) AS answer"
            );
        }
    }
    _ = write!(text, "\nORDER BY {}", order.join(", "));
    if let Some(limit) = query.limit {
        _ = write!(text, "\nLIMIT {limit}");
    }
    text.push('\n');
    Ok(text)
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
