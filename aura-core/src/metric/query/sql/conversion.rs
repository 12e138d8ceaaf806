//! Conversions in a statement: base events joined to conversion events.

use std::fmt::Write as _;

use crate::Result;
use crate::event::{ACTOR, TIME};
use crate::expr::RowExpr;
use crate::metric::kind::{Conversion, MetricKind};
use crate::metric::query::graph::all_of;

use super::block::Block;
use super::statement::of;

impl Block<'_> {
    /// Adds the tables of a conversion; the last is `pass<number>`, with `n` actors of which `v` converted.
    pub(super) fn conversion(&mut self, number: usize) -> Result<()> {
        let Some(pass) = self.graph.passes.get(number) else {
            return Ok(());
        };
        let MetricKind::Conversion(conversion) = &pass.kind else {
            return Ok(());
        };
        let parts = of(
            &pass.name,
            self.conversion_parts(number, pass.filter.as_ref(), conversion),
        )?;
        for (name, text) in parts {
            self.part(&name, text);
        }
        Ok(())
    }

    fn conversion_parts(
        &self,
        number: usize,
        filter: Option<&RowExpr>,
        conversion: &Conversion,
    ) -> Result<Vec<(String, String)>> {
        let render = &self.statement.render;
        let (time, actor) = (render.column(TIME), render.column(ACTOR));
        let filter = all_of(self.statement.filter.into_iter().chain(filter));
        let filter = match filter {
            Some(filter) => format!(" AND {}", render.row(&filter)?),
            None => String::new(),
        };
        let (base, target) = (
            render.row(&conversion.base)?,
            render.row(&conversion.conversion)?,
        );
        let keys: Vec<String> = conversion
            .constant_properties
            .iter()
            .map(|p| render.column(p))
            .collect();
        let named = |from: &[String]| -> String {
            from.iter()
                .enumerate()
                .fold(String::new(), |mut text, (i, key)| {
                    _ = write!(text, ", {key} AS k{i}");
                    text
                })
        };
        let listed = |alias: &str| -> String {
            (0..keys.len()).fold(String::new(), |mut text, i| {
                _ = write!(text, ", {alias}.k{i}");
                text
            })
        };
        let plain = keys.iter().fold(String::new(), |mut text, key| {
            _ = write!(text, ", {key}");
            text
        });
        let equal = (0..keys.len()).fold(String::new(), |mut text, i| {
            _ = write!(text, " AND c.k{i} = b.k{i}");
            text
        });
        let (dims, _) = self.grouped();
        let until = match conversion.window {
            Some(window) => format!(
                " AND c.moment <= {}",
                render.dialect.later("b.moment", window, render.zone)
            ),
            None => String::new(),
        };
        let bases = format!(
            "SELECT DISTINCT p.position{dims}, {actor} AS who{}, {time} AS moment, CASE WHEN {target} THEN 1 ELSE 0 END AS own\n  \
             FROM periods AS p\n  JOIN {} AS e ON {time} >= p.starts AND {time} < p.ends{}\n  \
             WHERE {base} AND {actor} IS NOT NULL{filter}",
            named(&keys),
            self.statement.table,
            self.join_kept()
        );
        let targets = format!(
            "SELECT {actor} AS who{}, {time} AS moment, COUNT(*) AS n\n  FROM {} AS e\n  \
             WHERE {target} AND {actor} IS NOT NULL{filter}\n  GROUP BY {actor}{plain}, {time}",
            named(&keys),
            self.statement.table
        );
        let [base_table, target_table, hit_table] =
            ["base", "target", "hit"].map(|table| self.name(&format!("{table}{number}")));
        // A base event that is a conversion event itself needs another one.
        let hits = format!(
            "SELECT b.position{}, b.who\n  FROM {base_table} AS b\n  JOIN {target_table} AS c ON c.who = b.who{equal} AND c.moment >= b.moment{until}\n  \
             GROUP BY b.position{}, b.who{}, b.moment, b.own\n  HAVING SUM(c.n) > b.own",
            self.dims("b"),
            self.dims("b"),
            listed("b")
        );
        let counts = format!(
            "SELECT b.position{}, COUNT(DISTINCT b.who) AS n, COUNT(DISTINCT h.who) AS v\n  FROM {base_table} AS b\n  \
             LEFT JOIN {hit_table} AS h ON h.position = b.position{} AND h.who = b.who\n  GROUP BY b.position{}",
            self.dims("b"),
            self.same_dims("h", "b"),
            self.dims("b")
        );
        Ok(vec![
            (format!("base{number}"), bases),
            (format!("target{number}"), targets),
            (format!("hit{number}"), hits),
            (format!("pass{number}"), counts),
        ])
    }
}
