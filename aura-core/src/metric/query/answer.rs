//! The table of an answer.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array, UInt64Array, new_null_array,
};
use arrow::compute::{SortColumn, SortOptions, cast, concat, lexsort_to_indices, take};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef};

use crate::document::{nearest, shortened};
use crate::engine::Table;
use crate::{Error, Result};

use super::compute::Computed;
use super::prepare::Prepared;
use super::spec::MetricQuery;
use super::spine::twice;

/// The rows of an answer, before they are ordered and limited.
pub(crate) struct Answer {
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
}

/// Reads numbers as `f64`.
pub(crate) fn floats(column: &ArrayRef) -> Result<Vec<Option<f64>>> {
    let column = cast(column, &DataType::Float64)?;
    Ok(column.as_primitive::<Float64Type>().iter().collect())
}

/// Refuses an answer with two columns of one name.
pub(crate) fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    match twice(names) {
        Some(name) => Err(Error::invalid_spec(format!(
            "the result would have two columns `{}`; rename the metric or the dimension, or ask in two queries",
            shortened(name)
        ))),
        None => Ok(()),
    }
}

/// The error for an order by a column that is not there.
pub(crate) fn no_order<'a>(column: &str, names: impl Iterator<Item = &'a str> + Clone) -> Error {
    let hint = match nearest(column, names.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it has {}", names.collect::<Vec<_>>().join(", ")),
    };
    Error::invalid_spec(format!(
        "order: the result has no column `{}`; {hint}",
        shortened(column)
    ))
}

/// Where a row of the answer comes from.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// The number of the period among those asked for.
    period: usize,
    /// The combination; `None` is the total.
    combination: Option<usize>,
}

impl Answer {
    pub(crate) fn new(
        prepared: &Prepared<'_>,
        computed: &Computed,
        totals: Option<&Computed>,
    ) -> Result<Answer> {
        let spine = &prepared.spine;
        let asked = spine.asked();
        let mut rows = Vec::new();
        for period in 0..asked.len() {
            rows.extend((0..computed.grid.combinations).map(|c| Row {
                period,
                combination: Some(c),
            }));
            if totals.is_some() {
                rows.push(Row {
                    period,
                    combination: None,
                });
            }
        }
        let mut fields: Vec<Field> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        let mut push = |name: &str, column: ArrayRef, nullable: bool| {
            fields.push(Field::new(name, column.data_type().clone(), nullable));
            columns.push(column);
        };
        let starts: TimestampMicrosecondArray = rows
            .iter()
            .map(|r| asked.get(r.period).map(|p| p.start_us()))
            .collect();
        push("period", Arc::new(starts.with_timezone("UTC")), false);
        let labels = asked
            .iter()
            .map(|p| spine.calendar().label(p))
            .collect::<Result<Vec<_>>>()?;
        let texts: StringArray = rows.iter().map(|r| labels.get(r.period)).collect();
        push("period_label", Arc::new(texts), false);
        let of_dimensions: UInt64Array = rows
            .iter()
            .map(|r| r.combination.map(|c| c as u64))
            .collect();
        for (dimension, column) in prepared.dimensions.iter().zip(&computed.dimensions) {
            let column = match column.is_empty() {
                true => new_null_array(&dimension.data_type, rows.len()),
                false => take(column, &of_dimensions, None)?,
            };
            push(&dimension.column, column, true);
        }
        if totals.is_some() {
            let is_total = rows.iter().map(|r| Some(r.combination.is_none()));
            push(
                "is_total",
                Arc::new(is_total.collect::<BooleanArray>()),
                false,
            );
        }
        if let Some(compared) = spine.compared() {
            let at = |r: &Row| {
                compared
                    .get(r.period)
                    .copied()
                    .flatten()
                    .map(|p| p.start_us())
            };
            let starts: TimestampMicrosecondArray = rows.iter().map(at).collect();
            push(
                "compare_period",
                Arc::new(starts.with_timezone("UTC")),
                true,
            );
        }
        let offset = computed.grid.len();
        let cells = |position: &dyn Fn(usize) -> Option<usize>| -> UInt64Array {
            rows.iter()
                .map(|r| {
                    let position = position(r.period)?;
                    Some(match r.combination {
                        Some(c) => (c * computed.grid.positions + position) as u64,
                        None => (offset + position) as u64,
                    })
                })
                .collect()
        };
        let here = cells(&|period| asked.get(period).and_then(|p| spine.position(p)));
        let there = spine.compared().map(|compared| {
            cells(&|period| {
                let period = compared.get(period).copied().flatten()?;
                spine.position(&period)
            })
        });
        for (name, node) in prepared.query.metrics.iter().zip(&prepared.graph.asked) {
            let joined = |pick: &dyn Fn(&super::evaluate::Series) -> Option<ArrayRef>| -> Result<Option<ArrayRef>> {
                let part = |c: &Computed| c.series.get(*node).and_then(pick);
                let Some(main) = part(computed) else {
                    return Ok(None);
                };
                Ok(Some(match totals.and_then(part) {
                    Some(total) => concat(&[&main, &total])?,
                    None => main,
                }))
            };
            let values = joined(&|s| Some(Arc::clone(&s.value)))?
                .ok_or_else(|| Error::internal("a metric was not computed"))?;
            let value = take(&values, &here, None)?;
            push(name, Arc::clone(&value), true);
            if let Some(below) = joined(&|s| s.below.clone())? {
                push(&format!("{name}_n"), take(&below, &here, None)?, true);
            }
            if let Some(there) = &there {
                let before = take(&values, there, None)?;
                push(&format!("{name}_compare"), Arc::clone(&before), true);
                let (change, percent) = changes(&value, &before)?;
                push(&format!("{name}_change"), change, true);
                push(&format!("{name}_change_pct"), percent, true);
            }
        }
        let complete = rows.iter().map(|r| {
            let period = asked.get(r.period)?;
            Some(prepared.as_of.is_some_and(|us| period.is_complete(us)))
        });
        push(
            "complete",
            Arc::new(complete.collect::<BooleanArray>()),
            false,
        );
        check_names(fields.iter().map(|f| f.name().as_str()))?;
        Ok(Answer {
            schema: Arc::new(Schema::new(fields)),
            columns,
        })
    }

    /// Returns a column by name.
    pub(crate) fn column(&self, name: &str) -> Option<&ArrayRef> {
        let at = self.schema.index_of(name).ok()?;
        self.columns.get(at)
    }

    /// Orders and limits the rows.
    pub(crate) fn table(self, query: &MetricQuery) -> Result<Table> {
        let mut columns = self.columns;
        let rows = columns.first().map_or(0, |c| c.len());
        if !query.order.is_empty() {
            let mut keys = Vec::new();
            for order in &query.order {
                let Ok(at) = self.schema.index_of(&order.column) else {
                    let names = self.schema.fields().iter().map(|f| f.name().as_str());
                    return Err(no_order(&order.column, names));
                };
                let values = columns
                    .get(at)
                    .ok_or_else(|| Error::internal("a column is missing"))?;
                keys.push(SortColumn {
                    values: Arc::clone(values),
                    options: Some(SortOptions {
                        descending: order.descending,
                        nulls_first: false,
                    }),
                });
            }
            keys.push(SortColumn {
                values: Arc::new(UInt32Array::from_iter_values(0..rows as u32)),
                options: None,
            });
            let order = lexsort_to_indices(&keys, None)?;
            columns = columns
                .iter()
                .map(|c| take(c, &order, None))
                .collect::<Result<_, _>>()?;
        }
        let mut batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        if let Some(limit) = query.limit {
            batch = batch.slice(0, limit.min(batch.num_rows()));
        }
        Ok(Table::new(self.schema, vec![batch]))
    }
}

/// Returns value less value before, and that in percent of the absolute value before.
fn changes(value: &ArrayRef, before: &ArrayRef) -> Result<(ArrayRef, ArrayRef)> {
    let change: ArrayRef = match value.data_type() {
        DataType::Int64 => {
            let pairs = value
                .as_primitive::<Int64Type>()
                .iter()
                .zip(before.as_primitive::<Int64Type>());
            Arc::new(
                pairs
                    .map(|(a, b)| a?.checked_sub(b?))
                    .collect::<Int64Array>(),
            )
        }
        _ => {
            let pairs = floats(value)?.into_iter().zip(floats(before)?);
            Arc::new(pairs.map(|(a, b)| Some(a? - b?)).collect::<Float64Array>())
        }
    };
    let pairs = floats(&change)?.into_iter().zip(floats(before)?);
    let percent: Float64Array = pairs
        .map(|(change, before)| match (change, before) {
            (Some(change), Some(before)) if before != 0.0 => Some(100.0 * change / before.abs()),
            _ => None,
        })
        .collect();
    Ok((change, Arc::new(percent)))
}
