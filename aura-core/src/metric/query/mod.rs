//! Questions to a registry of metrics, and their answers as tables.
//!
//! A [`MetricQuery`] is a plain value; [`Events::metrics`] answers it. The metrics are taken apart into *atoms*: an
//! aggregate function, its argument, and which rows count. Each atom is computed once, however many metrics
//! use it, and all atoms over the same rows share one scan of the events; metrics of metrics are formulas over
//! their columns. Metrics that follow actors or objects through time are computed by passes of their own.

mod answer;
mod blame;
mod compute;
mod evaluate;
mod executor;
mod explain;
mod fit;
mod graph;
mod notes;
mod ordered;
mod passes;
mod period_of;
mod prepare;
mod relational;
mod spec;
mod spine;
mod sql;
mod top;

#[cfg(test)]
mod tests;

pub use explain::Explanation;
pub use spec::{Comparison, MetricQuery, OrderBy, Top};
pub use sql::{SqlDialect, SqlSource};

use crate::Result;
use crate::engine::{Events, Table, on_query_threads};
use crate::metric::registry::Registry;

impl Events {
    /// Answers a question about metrics.
    ///
    /// **Shapes.** One row for each period and combination of dimensions, in this order:
    ///
    /// | column | type | |
    /// |---|---|---|
    /// | `period` | timestamp in UTC microseconds | the first moment of the period |
    /// | `period_label` | text | see [`PreparedCalendar::label`](crate::calendar::PreparedCalendar::label) |
    /// | each dimension | that of the column (text where it is dictionary-encoded, or cut to its top values), nullable | events without a value are null |
    /// | `is_total` | boolean | only with [`MetricQuery::totals`]: the row is over all values of the dimensions, which are null in it |
    /// | `compare_period` | timestamp, nullable | only with [`MetricQuery::compare_to`]: the period compared with; null where the calendar has none |
    /// | each metric | `Int64` where its formula gives integers, else `Float64`; nullable | |
    /// | `<metric>_n` | `Int64` or `Float64`, nullable | the denominator, for ratios, conversion rates, retention, stickiness, first attempts and the share of collaborating actors |
    /// | `<metric>_compare` | as the metric, nullable | its value in the period compared with |
    /// | `<metric>_change` | as the metric, nullable | value less value compared with; null where one is |
    /// | `<metric>_change_pct` | `Float64`, nullable | that in percent of the absolute value compared with; null where this is 0 |
    /// | `complete` | boolean | the period had ended at [`MetricQuery::as_of`] |
    ///
    /// Rows come by period, then by dimensions (nulls last), then the total of the period. Every combination in which
    /// some metric counts something, in the periods asked for or in those that an offset, a window or
    /// a comparison reaches, has a row in every period; what stands where a metric has no event says
    /// [`MetricDefinition::fill`](crate::metric::MetricDefinition::fill). Without dimensions there is one row in every
    /// period, and a table without rows comes from data without events when no range was given.
    ///
    /// **Dimensions of actors.** Conversions, retention, sessions, times to convert and first attempts count in the
    /// combination of their first event (base, start, first of the session, from, attempt). Lifecycle, stickiness and
    /// collaboration follow each combination on its own, as if the query were filtered to it.
    ///
    /// **Ranges.** Periods are whole: `from` and `to` are widened to their bounds. Windows, offsets and behaviour see
    /// the events before `from`, conversions and sessions that begin in a period also those after `to`.
    ///
    /// **Numbers.** Sums and means of floating-point columns are rounded once, from the exact sum, where one pass over the
    /// events computes them: all of them but those in questions by a column of numbers with a fraction, of decimals
    /// or of bytes. Sums of integers are exact, and wrap beyond 64 bits.
    ///
    /// **Notes** tell of incomplete periods, of values that are null because a denominator is 0, of events without a
    /// value of a dimension, of shares of few, and of periods without a counterpart.
    ///
    /// # Errors
    /// - [`InvalidSpec`](crate::ErrorKind::InvalidSpec) for an unknown metric, dimension or column (with the nearest
    ///   known name), a dimension that a metric does not allow, a grain finer than the default of a metric, a range
    ///   that ends before it begins, and two columns of one name;
    /// - [`ResourceExhausted`](crate::ErrorKind::ResourceExhausted) for more than 2²² cells of period and combination,
    ///   more than 2²⁰ periods, or more memory than the session may use;
    /// - [`InvalidData`](crate::ErrorKind::InvalidData) for values that an expression cannot compute.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use arrow::array::{Int64Array, RecordBatch, StringArray};
    /// use aura_core::engine::Events;
    /// use aura_core::event::Roles;
    /// use aura_core::metric::{MetricQuery, Registry};
    /// use aura_core::calendar::Grain;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let batch = RecordBatch::try_from_iter([
    ///     ("actor", Arc::new(StringArray::from(vec!["a", "b", "a"])) as _),
    ///     ("event", Arc::new(StringArray::from(vec!["view", "view", "buy"])) as _),
    ///     ("time", Arc::new(Int64Array::from(vec![1_767_225_600, 1_767_225_601, 1_767_398_400])) as _),
    /// ])?;
    /// let events = Events::from_batches(vec![batch], &Roles::new("actor", "event", "time"))?;
    /// let query = MetricQuery::of(["active_actors"]).grain(Grain::Day);
    /// let table = events.metrics(&Registry::builtin()?, &query).await?;
    /// assert_eq!(table.to_string(), "\
    /// +----------------------+--------------+---------------+----------+
    /// | period               | period_label | active_actors | complete |
    /// +----------------------+--------------+---------------+----------+
    /// | 2026-01-01T00:00:00Z | 2026-01-01   | 2             | true     |
    /// | 2026-01-02T00:00:00Z | 2026-01-02   | 0             | true     |
    /// | 2026-01-03T00:00:00Z | 2026-01-03   | 1             | false    |
    /// +----------------------+--------------+---------------+----------+");
    /// # Ok::<(), aura_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// **Source.** The model of metrics over shared measures, the time spine and the widening of ranges to the grain
    /// are those of dbt's MetricFlow. Differences: rows are computed for each combination on the whole spine;
    /// offsets see the events before the range.
    pub async fn metrics(&self, registry: &Registry, query: &MetricQuery) -> Result<Table> {
        let (table, _) = self.answer_metrics(registry, query, false).await?;
        Ok(table)
    }

    /// Answers a question as [`metrics`](Events::metrics) does, and tells how: the aggregates of each scan, the plans of
    /// the engine, and the files and bytes that were read.
    ///
    /// # Errors
    /// As [`metrics`](Events::metrics).
    pub async fn explain_metrics(
        &self,
        registry: &Registry,
        query: &MetricQuery,
    ) -> Result<Explanation> {
        let (table, text) = self.answer_metrics(registry, query, true).await?;
        Ok(Explanation {
            text,
            scan: table.scan(),
        })
    }

    async fn answer_metrics(
        &self,
        registry: &Registry,
        query: &MetricQuery,
        explain: bool,
    ) -> Result<(Table, String)> {
        let (events, registry, query) = (self.clone(), registry.clone(), query.clone());
        on_query_threads(async move {
            let prepared = prepare::Prepared::new(&events, &registry, &query).await?;
            prepared.answer(explain).await
        })
        .await
    }
}
