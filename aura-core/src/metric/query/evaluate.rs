//! Values of metrics for every period and combination, out of aggregates and passes.
//!
//! Columns are dense: the value of combination *c* in position *p* stands in row *c* × positions + *p*.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions,
    UInt64Array, new_null_array,
};
use arrow::compute::{CastOptions, cast, cast_with_options, take};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use datafusion::common::DFSchema;
use datafusion::prelude::{SessionContext, ident};

use crate::expr::PlanContext;
use crate::metric::definition::Fill;
use crate::{Error, Result};

use super::blame::blamed;
use super::executor::Sparse;
use super::graph::{Graph, How, Node, Side};
use super::spine::Spine;

/// The values of one metric.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// `Int64` or `Float64`.
    pub(crate) value: ArrayRef,
    /// The denominators, of shares and ratios.
    pub(crate) below: Option<ArrayRef>,
    /// Whether there are events.
    present: Vec<bool>,
}

/// Dense columns of a number of combinations and positions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) combinations: usize,
    pub(crate) positions: usize,
}

impl Grid {
    pub(crate) fn len(self) -> usize {
        self.combinations * self.positions
    }

    /// Returns for each cell the row of `sparse`; `rank` gives the place of each combination.
    pub(crate) fn rows_of(self, sparse: &Sparse, rank: &[usize]) -> UInt64Array {
        let mut rows: Vec<Option<u64>> = vec![None; self.len()];
        for (row, (id, position)) in sparse.ids.iter().zip(&sparse.positions).enumerate() {
            let place = rank.get(*id as usize).copied().unwrap_or(0);
            if let Some(slot) = rows.get_mut(place * self.positions + *position as usize) {
                *slot = Some(row as u64);
            }
        }
        UInt64Array::from(rows)
    }

    /// Spreads a column; where there is nothing it is null.
    pub(crate) fn spread(self, column: &ArrayRef, rows: &UInt64Array) -> Result<ArrayRef> {
        if column.is_empty() {
            return Ok(new_null_array(column.data_type(), self.len()));
        }
        Ok(take(column, rows, None)?)
    }
}

/// Puts 0 in place of null, in a column of counts.
pub(crate) fn zeros(column: &ArrayRef) -> Result<ArrayRef> {
    let column = cast(column, &DataType::Int64)?;
    let counts = column.as_primitive::<Int64Type>().iter();
    Ok(Arc::new(
        counts.map(|v| Some(v.unwrap_or(0))).collect::<Int64Array>(),
    ))
}

/// Values, denominators, and where there is anything.
pub(crate) type PassColumns = (ArrayRef, Option<ArrayRef>, Vec<bool>);

/// What nodes are computed from.
pub(crate) struct Evaluation<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) spine: &'a Spine,
    pub(crate) grid: Grid,
    pub(crate) zone: &'a str,
    /// Of each atom; counts are never null.
    pub(crate) atoms: Vec<ArrayRef>,
    /// Of each pass: values, denominators, and where it has found something.
    pub(crate) passes: Vec<PassColumns>,
}

impl Evaluation<'_> {
    /// Computes all nodes.
    pub(crate) fn run(&self) -> Result<Vec<Series>> {
        let context = SessionContext::new();
        let mut done: Vec<Series> = Vec::with_capacity(self.graph.nodes.len());
        for node in &self.graph.nodes {
            let series = self.node(&context, node, &done)?;
            done.push(series);
        }
        Ok(done)
    }

    fn node(&self, context: &SessionContext, node: &Node, done: &[Series]) -> Result<Series> {
        let (value, below) = match &node.how {
            How::Formula(side) => (self.side(context, node, side, done)?, None),
            How::Ratio(above, below) => {
                let above = self.side(context, node, above, done)?;
                let below = self.side(context, node, below, done)?;
                (quotient(&above, &below)?, Some(below))
            }
            How::Pass(number) => {
                let Some((value, below, present)) = self.passes.get(*number) else {
                    return Err(Error::internal("a pass was not run"));
                };
                return Ok(Series {
                    value: self.fill(value, present, node.fill)?,
                    below: below.clone(),
                    present: present.clone(),
                });
            }
        };
        let present = self.present(node, &value, done)?;
        // A formula over metrics alone takes their values, which are filled already.
        let formula_of_metrics = node.presence.is_empty() && node.inputs().next().is_some();
        let told = node.presence.is_empty();
        let value = match node.fill {
            Fill::Null if formula_of_metrics || told => value,
            fill => self.fill(&value, &present, fill)?,
        };
        Ok(Series {
            value,
            below,
            present,
        })
    }

    fn side(
        &self,
        context: &SessionContext,
        node: &Node,
        side: &Side,
        done: &[Series],
    ) -> Result<ArrayRef> {
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (i, (_, atom)) in side.aggregates.iter().enumerate() {
            let column = self
                .atoms
                .get(*atom)
                .ok_or_else(|| Error::internal("an aggregate was not computed"))?;
            fields.push(Field::new(
                format!("a{i}"),
                column.data_type().clone(),
                true,
            ));
            columns.push(Arc::clone(column));
        }
        for (i, input) in side.inputs.iter().enumerate() {
            let series = done
                .get(input.node)
                .ok_or_else(|| Error::internal("a metric was not computed"))?;
            let column = match input.offset {
                None => Arc::clone(&series.value),
                Some(offset) => {
                    let moved = self.spine.offset_positions(offset)?;
                    take(&series.value, &self.moved_rows(&moved), None)?
                }
            };
            fields.push(Field::new(
                format!("m{i}"),
                column.data_type().clone(),
                true,
            ));
            columns.push(column);
        }
        let schema = Arc::new(Schema::new(fields));
        let df_schema = DFSchema::try_from(Arc::clone(&schema))?;
        let cx = PlanContext::new(&df_schema, self.zone);
        let expr = side.formula.to_expr(
            &cx,
            &mut |aggregate| {
                let at = side
                    .aggregates
                    .iter()
                    .position(|(known, _)| known == aggregate);
                let at = at.ok_or_else(|| Error::internal("an aggregate is not in the plan"))?;
                Ok(ident(format!("a{at}")))
            },
            &mut |reference| {
                let at = side.inputs.iter().position(|i| i.reference == *reference);
                let at = at.ok_or_else(|| Error::internal("a metric is not in the plan"))?;
                Ok(ident(format!("m{at}")))
            },
        )?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.grid.len()));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        let of_metric = |e| blamed(Error::from(e), &format!("the metric `{}`", node.name));
        let value = context
            .create_physical_expr(expr, &df_schema)
            .and_then(|expr| expr.evaluate(&batch)?.into_array(self.grid.len()))
            .map_err(of_metric)?;
        number(&node.name, &value)
    }

    fn moved_rows(&self, moved: &[Option<usize>]) -> UInt64Array {
        let positions = self.grid.positions;
        (0..self.grid.combinations)
            .flat_map(|c| {
                moved
                    .iter()
                    .map(move |p| p.map(|p| (c * positions + p) as u64))
            })
            .collect()
    }

    /// Tells for each cell whether the metric has events there.
    fn present(&self, node: &Node, value: &ArrayRef, done: &[Series]) -> Result<Vec<bool>> {
        let mut present = vec![false; self.grid.len()];
        for atom in &node.presence {
            let column = self
                .atoms
                .get(*atom)
                .ok_or_else(|| Error::internal("an aggregate was not computed"))?;
            let counts = cast(column, &DataType::Int64)?;
            for (slot, count) in present
                .iter_mut()
                .zip(counts.as_primitive::<Int64Type>().iter())
            {
                *slot |= count.unwrap_or(0) > 0;
            }
        }
        let mut told = node.presence.is_empty();
        for input in node.inputs() {
            told = false;
            let Some(series) = done.get(input.node) else {
                continue;
            };
            let moved = match input.offset {
                None => None,
                Some(offset) => Some(self.spine.offset_positions(offset)?),
            };
            for (cell, slot) in present.iter_mut().enumerate() {
                let from = match &moved {
                    None => Some(cell),
                    Some(moved) => {
                        let (c, p) = (cell / self.grid.positions, cell % self.grid.positions);
                        moved
                            .get(p)
                            .copied()
                            .flatten()
                            .map(|p| c * self.grid.positions + p)
                    }
                };
                *slot |= from
                    .and_then(|at| series.present.get(at))
                    .copied()
                    .unwrap_or(false);
            }
        }
        if told {
            // A count is 0 without events, any other aggregate is null.
            let numbers = cast(value, &DataType::Float64)?;
            for (slot, number) in present
                .iter_mut()
                .zip(numbers.as_primitive::<Float64Type>().iter())
            {
                *slot = number
                    .is_some_and(|n| n != 0.0 || !matches!(value.data_type(), DataType::Int64));
            }
        }
        Ok(present)
    }

    /// Puts into cells without events what stands there.
    fn fill(&self, value: &ArrayRef, present: &[bool], fill: Fill) -> Result<ArrayRef> {
        // 0 takes the place of one row, null of none, the value before of the row before.
        let mut rows: Vec<Option<u64>> = Vec::with_capacity(present.len());
        for (cell, present) in present.iter().enumerate() {
            let here = Some(cell as u64);
            let first = self.grid.positions == 0 || cell % self.grid.positions == 0;
            rows.push(match (present, fill) {
                (true, _) | (false, Fill::Zero) => here,
                (false, Fill::Null) => None,
                (false, Fill::Previous) if first => None,
                (false, Fill::Previous) => rows.last().copied().flatten(),
            });
        }
        let filled = take(value, &UInt64Array::from(rows), None)?;
        if fill != Fill::Zero {
            return Ok(filled);
        }
        Ok(match filled.data_type() {
            DataType::Int64 => {
                let column = filled.as_primitive::<Int64Type>().iter().zip(present);
                Arc::new(
                    column
                        .map(|(v, there)| if *there { v } else { Some(0) })
                        .collect::<Int64Array>(),
                )
            }
            _ => {
                let column = filled.as_primitive::<Float64Type>().iter().zip(present);
                Arc::new(
                    column
                        .map(|(v, there)| if *there { v } else { Some(0.0) })
                        .collect::<Float64Array>(),
                )
            }
        })
    }
}

/// Makes `Int64` of integers and `Float64` of all other numbers.
fn number(metric: &str, value: &ArrayRef) -> Result<ArrayRef> {
    let ty = value.data_type();
    let wanted = if ty.is_integer() {
        DataType::Int64
    } else if ty.is_floating()
        || ty.is_null()
        || matches!(
            ty,
            DataType::Decimal128(..)
                | DataType::Decimal256(..)
                | DataType::Decimal32(..)
                | DataType::Decimal64(..)
        )
    {
        DataType::Float64
    } else {
        return Err(Error::invalid_spec(format!(
            "the metric `{metric}` gives values of the type {ty}, and a metric is a number; change its `expr`"
        )));
    };
    // A number that does not fit would become null, which says that there is none.
    let whole = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(value, &wanted, &whole).map_err(|e| {
        Error::invalid_data(format!(
            "the metric `{metric}` has a value above {}, the greatest integer of a result; compute with \
             cast(… as double)",
            i64::MAX
        ))
        .with_source(e)
    })
}

/// Divides; null where a side is null or the divisor zero.
fn quotient(above: &ArrayRef, below: &ArrayRef) -> Result<ArrayRef> {
    let (above, below) = (
        cast(above, &DataType::Float64)?,
        cast(below, &DataType::Float64)?,
    );
    let pairs = above
        .as_primitive::<Float64Type>()
        .iter()
        .zip(below.as_primitive::<Float64Type>().iter());
    Ok(Arc::new(
        pairs
            .map(|(a, b)| match (a, b) {
                (Some(a), Some(b)) if b != 0.0 => Some(a / b),
                _ => None,
            })
            .collect::<Float64Array>(),
    ))
}
