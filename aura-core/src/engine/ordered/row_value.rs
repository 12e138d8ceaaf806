//! Expressions over the rows of blocks.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column as NamedColumn, DFSchema};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;

use super::{ActorBlock, Column, Request, RowBlock, ScanSource};
use crate::event::TIME;
use crate::{Error, Result};

/// An expression over the columns of the table `events`, evaluated on the rows of blocks.
#[derive(Debug)]
pub(crate) struct RowValue {
    expr: Arc<dyn PhysicalExpr>,
    columns: Vec<Place>,
    schema: SchemaRef,
    data_type: DataType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Time,
    Column(usize),
}

/// The rows of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(super) rows: usize,
    times: Option<&'a ScalarBuffer<i64>>,
    pub(super) columns: &'a [Column],
}

impl<'a> From<&'a ActorBlock> for Rows<'a> {
    fn from(block: &'a ActorBlock) -> Self {
        Rows {
            rows: block.times.len(),
            times: Some(&block.times),
            columns: &block.columns,
        }
    }
}

impl<'a> From<&'a RowBlock> for Rows<'a> {
    fn from(block: &'a RowBlock) -> Self {
        Rows {
            rows: block.rows,
            times: block.times.as_ref(),
            columns: &block.columns,
        }
    }
}

impl<'a> Rows<'a> {
    /// Returns the number of rows.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Returns the times, if they were asked for.
    pub(crate) fn times(&self) -> Option<&'a [i64]> {
        self.times.map(|times| &times[..])
    }

    /// Returns the column at a place of the request.
    pub(crate) fn column(&self, place: usize) -> Option<&'a Column> {
        self.columns.get(place)
    }

    fn array(&self, place: Place) -> Result<ArrayRef> {
        let lost = || Error::internal("a column of an expression is not in the scan");
        Ok(match place {
            Place::Time => {
                let times = self.times.ok_or_else(lost)?;
                let times = TimestampMicrosecondArray::new(times.clone(), None);
                Arc::new(times.with_timezone("UTC"))
            }
            Place::Column(place) => match self.columns.get(place).ok_or_else(lost)? {
                Column::Values(values) => Arc::clone(values),
                Column::Codes { codes, texts } => Arc::new(texts.of(codes.iter().copied())),
            },
        })
    }
}

impl RowValue {
    /// Prepares an expression, and asks `request` for what it reads.
    ///
    /// # Errors
    /// `InvalidSpec` for an unknown column, and for types that do not fit.
    pub(crate) fn new(expr: &Expr, source: &ScanSource, request: &mut Request) -> Result<Self> {
        let mut names: Vec<String> = expr.column_refs().iter().map(|c| c.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let mut columns = Vec::with_capacity(names.len());
        let mut fields = Vec::with_capacity(names.len());
        for name in &names {
            let (_, ty) = source.shape.place(&source.events, name)?;
            columns.push(match name == TIME {
                true => {
                    request.times = true;
                    Place::Time
                }
                false => Place::Column(request.want(name)),
            });
            // Null is asked for as well, whatever the schema says of the column.
            fields.push(Field::new(name, ty, true));
        }
        let schema = Arc::new(Schema::new(fields));
        let named = DFSchema::try_from(Arc::clone(&schema))?;
        let expr = unqualified(expr)?;
        let data_type = expr.get_type(&named)?;
        let expr = physical(expr, &named, &source.context)?;
        Ok(RowValue {
            expr,
            columns,
            schema,
            data_type,
        })
    }

    /// Returns the type of the values.
    pub(crate) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// Returns the place of the only column that is read, unless that is the time.
    pub(super) fn only_column(&self) -> Option<usize> {
        match self.columns.as_slice() {
            &[Place::Column(place)] => Some(place),
            _ => None,
        }
    }

    /// Returns the value of each row.
    ///
    /// # Errors
    /// What the evaluation returns.
    pub(crate) fn values<'a>(&self, rows: impl Into<Rows<'a>>) -> Result<ArrayRef> {
        let rows = rows.into();
        let arrays = self.columns.iter().map(|place| rows.array(*place));
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        evaluate(&*self.expr, &self.schema, arrays, rows.rows)
    }

    /// Tells which rows pass a condition; null does not.
    pub(super) fn passing(&self, rows: Rows<'_>) -> Result<BooleanBuffer> {
        passing(&self.values(rows)?)
    }

    /// As [`passing`](Self::passing), for given values of the only column.
    pub(super) fn passing_of(&self, column: ArrayRef) -> Result<BooleanBuffer> {
        let rows = column.len();
        passing(&evaluate(&*self.expr, &self.schema, vec![column], rows)?)
    }
}

/// Makes what evaluates an expression. It is simplified first: some functions exist only as what they stand for.
pub(super) fn physical(
    expr: Expr,
    schema: &DFSchema,
    context: &SessionContext,
) -> Result<Arc<dyn PhysicalExpr>> {
    let state = context.state();
    let simplifying = SimplifyContext::builder()
        .with_schema(Arc::new(schema.clone()))
        .with_config_options(Arc::clone(state.config_options()))
        .build();
    let simplifier = ExprSimplifier::new(simplifying);
    let expr = simplifier.simplify(simplifier.coerce(expr, schema)?)?;
    Ok(state.create_physical_expr(expr, schema)?)
}

/// Evaluates an expression on arrays, which are cast to the types of `schema` where they differ.
pub(super) fn evaluate(
    expr: &dyn PhysicalExpr,
    schema: &SchemaRef,
    arrays: Vec<ArrayRef>,
    rows: usize,
) -> Result<ArrayRef> {
    let arrays = arrays.into_iter().zip(schema.fields());
    let arrays = arrays.map(
        |(array, field)| match array.data_type() == field.data_type() {
            true => Ok(array),
            false => Ok(cast(&array, field.data_type())?),
        },
    );
    let batch = RecordBatch::try_new_with_options(
        Arc::clone(schema),
        arrays.collect::<Result<_>>()?,
        &RecordBatchOptions::new().with_row_count(Some(rows)),
    )?;
    Ok(expr.evaluate(&batch)?.into_array(rows)?)
}

/// Tells where the answers of a condition are true; null is not.
pub(super) fn passing(answers: &ArrayRef) -> Result<BooleanBuffer> {
    let answers = answers
        .as_boolean_opt()
        .ok_or_else(|| no_condition(answers.data_type()))?;
    Ok(match answers.nulls() {
        Some(nulls) => answers.values() & nulls.inner(),
        None => answers.values().clone(),
    })
}

pub(super) fn no_condition(found: &DataType) -> Error {
    Error::invalid_spec(format!(
        "a filter has the type {found}; a condition (true or false) is expected"
    ))
}

/// Takes the table's name off the columns.
fn unqualified(expr: &Expr) -> Result<Expr> {
    let plain = expr.clone().transform(|expr| {
        Ok(match expr {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(NamedColumn::new_unqualified(column.name)))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(plain.data)
}
