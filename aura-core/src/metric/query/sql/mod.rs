//! Questions as SQL for other engines.
//!
//! The periods are written out as rows, with the bounds that AURA's calendar gives them, so that weeks, zones, clock
//! changes, fiscal years and periods of one's own mean the same everywhere and no dialect's date functions are asked.
//! Names and values are always quoted; no text of a query or definition is copied into the statement.

mod block;
mod columns;
mod conversion;
mod dialect;
mod render;
mod source;
mod statement;

pub use dialect::SqlDialect;
pub use source::SqlSource;

use crate::Result;
use crate::metric::registry::Registry;

use super::spec::MetricQuery;

impl MetricQuery {
    /// Writes the question as one `SELECT` in a dialect of SQL.
    ///
    /// The columns are those of [`Events::metrics`](crate::engine::Events::metrics), and so are the rows and, up to the
    /// rounding of floating-point sums, the values; text sorts by the collation of the engine. The table is scanned once
    /// for each kind of window and joined to the list of periods by their bounds; `top` and `totals` scan it once more. A
    /// value of a dimension that is called as the others of `top` are is counted with them.
    ///
    /// # Errors
    /// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) as `Events::metrics` as far as no data are needed, and:
    /// - when `from` or `to` is missing: the periods could not be written out;
    /// - for more than 10,000 periods, values carried on from the period before, and metrics of a kind other than simple,
    ///   ratio, derived, cumulative and conversion;
    /// - for what a dialect has no words for. The message names the metric.
    ///
    /// # Examples
    /// ```
    /// use aura_core::metric::{MetricQuery, Registry};
    /// use aura_core::metric::query::{SqlDialect, SqlSource};
    ///
    /// let query = MetricQuery::of(["ai_coverage"]).from("2026-01-01").to("2026-02-01");
    /// let sql = query.to_sql(&Registry::builtin()?, &SqlSource::table(["analytics", "events"]), SqlDialect::Duckdb)?;
    /// assert!(sql.contains(r#"JOIN "analytics"."events" AS e"#));
    /// # Ok::<(), aura_core::Error>(())
    /// ```
    pub fn to_sql(
        &self,
        registry: &Registry,
        source: &SqlSource,
        dialect: SqlDialect,
    ) -> Result<String> {
        statement::write(self, registry, source, dialect)
    }
}
