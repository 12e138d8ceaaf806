//! From events to aggregates by period and dimensions: what a question asks of the engine, and what it gets.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, new_empty_array};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, lit, when};

use crate::calendar::Bucketer;
use crate::engine::Table;
use crate::expr::{Aggregate, Column, Expression, PlanContext, RowExpr};
use crate::{Error, ErrorKind, Result};

use super::spine::Windows;

/// Most groups (periods × combinations of dimensions) that one question may have.
pub(crate) const MAX_CELLS: usize = 1 << 22;

/// Aggregates over the rows of windows, by combinations of dimensions.
///
/// The result has one row for each position and combination that has at least one row that passes `filter` and,
/// where all aggregates have a filter, the filter of one of them: first the position (`Int32`), then the
/// dimensions, then the aggregates; the rows are in no defined order.
#[derive(Debug, Clone)]
pub(crate) struct ScanRequest<'a> {
    pub(crate) aggregates: &'a [Aggregate],
    /// The numbers of counts of which it matters only whether they are 0.
    pub(crate) presence: Vec<usize>,
    pub(crate) windows: Windows,
    /// Every moment counts in one position at most.
    pub(crate) disjoint: bool,
    /// The fast way to the positions, where they are the periods of a range without gaps.
    pub(crate) bucketer: Option<Bucketer>,
    pub(crate) dimensions: &'a [DimensionOf],
    pub(crate) filter: Option<&'a RowExpr>,
    /// The zone of date parts.
    pub(crate) zone: &'a str,
}

/// A dimension: a column, or a column of which only some values are kept.
#[derive(Debug, Clone)]
pub(crate) struct DimensionOf {
    pub(crate) column: String,
    /// The type in the result.
    pub(crate) data_type: DataType,
    pub(crate) keep: Option<Kept>,
}

/// The values of a dimension that are kept, as text; all others are `other`.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) values: Vec<Option<String>>,
    pub(crate) other: String,
}

impl DimensionOf {
    /// Finds the column of a dimension.
    pub(crate) fn new(name: &str, schema: &DFSchema) -> Result<DimensionOf> {
        let cx = PlanContext::new(schema, "UTC");
        Expression::Leaf(Column(name.to_owned())).to_expr(&cx)?;
        let field = schema.fields().iter().find(|f| f.name() == name);
        let data_type = field.map_or(DataType::Null, |f| f.data_type().clone());
        let data_type = match data_type {
            DataType::Dictionary(_, value) => *value,
            other => other,
        };
        let data_type = match data_type {
            DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
            other => other,
        };
        if data_type.is_nested() {
            return Err(Error::invalid_spec(format!(
                "by: the column `{name}` is of the nested type {data_type}; a dimension has one value in each event"
            )));
        }
        Ok(DimensionOf {
            column: name.to_owned(),
            data_type,
            keep: None,
        })
    }

    /// Keeps some values; all others become `other`.
    pub(crate) fn keeping(&self, kept: Kept) -> DimensionOf {
        DimensionOf {
            column: self.column.clone(),
            data_type: DataType::Utf8,
            keep: Some(kept),
        }
    }

    /// Makes DataFusion's expression.
    pub(crate) fn to_expr(&self, cx: &PlanContext<'_>) -> Result<Expr> {
        let column: RowExpr = Expression::Leaf(Column(self.column.clone()));
        let plain = column.to_expr(cx)?;
        let value = datafusion::logical_expr::cast(plain, self.data_type.clone());
        let Some(kept) = &self.keep else {
            return Ok(value);
        };
        let texts: Vec<Expr> = kept
            .values
            .iter()
            .flatten()
            .map(|v| lit(v.as_str()))
            .collect();
        let mut known = value.clone().in_list(texts, false);
        if kept.values.contains(&None) {
            known = known.or(value.clone().is_null());
        }
        Ok(when(known.is_true(), value).otherwise(lit(kept.other.as_str()))?)
    }
}

/// The combinations of dimensions that a question meets, numbered as they come.
#[derive(Debug)]
pub(crate) struct Combinations {
    converter: Option<RowConverter>,
    ids: HashMap<OwnedRow, u32>,
    rows: Vec<OwnedRow>,
    types: Vec<DataType>,
}

impl Combinations {
    pub(crate) fn new(dimensions: &[DimensionOf]) -> Result<Combinations> {
        let types: Vec<DataType> = dimensions.iter().map(|d| d.data_type.clone()).collect();
        let converter = match types.is_empty() {
            true => None,
            false => Some(row_converter(&types)?),
        };
        Ok(Combinations {
            converter,
            ids: HashMap::new(),
            rows: Vec::new(),
            types,
        })
    }

    /// Returns the numbers of the combinations in the columns of a batch of `rows` rows.
    pub(crate) fn ids(&mut self, columns: &[ArrayRef], rows: usize) -> Result<Vec<u32>> {
        let Some(converter) = &mut self.converter else {
            return Ok(vec![0; rows]);
        };
        let columns = columns
            .iter()
            .zip(&self.types)
            .map(|(column, ty)| Ok(cast(column, ty)?))
            .collect::<Result<Vec<_>>>()?;
        let converted = converter.convert_columns(&columns)?;
        let mut ids = Vec::with_capacity(rows);
        for row in converted.iter() {
            let row = row.owned();
            let id = match self.ids.get(&row) {
                Some(id) => *id,
                None => {
                    let id =
                        u32::try_from(self.rows.len()).map_err(|_| too_many(self.rows.len()))?;
                    if self.rows.len() >= MAX_CELLS {
                        return Err(too_many(self.rows.len()));
                    }
                    self.rows.push(row.clone());
                    self.ids.insert(row, id);
                    id
                }
            };
            ids.push(id);
        }
        Ok(ids)
    }

    /// Returns how many there are; without dimensions there is one, of everything.
    pub(crate) fn len(&self) -> usize {
        match self.converter {
            Some(_) => self.rows.len(),
            None => 1,
        }
    }

    /// Returns the numbers that `used` tells, in the order of the values, nulls last; without dimensions the one
    /// combination is always there.
    pub(crate) fn order(&self, used: &[bool]) -> Vec<u32> {
        if self.converter.is_none() {
            return vec![0];
        }
        let mut order: Vec<u32> = (0..self.rows.len() as u32)
            .filter(|id| used.get(*id as usize).copied().unwrap_or(false))
            .collect();
        order.sort_unstable_by(|a, b| self.row(*a).cmp(&self.row(*b)));
        order
    }

    fn row(&self, id: u32) -> Option<&OwnedRow> {
        self.rows.get(id as usize)
    }

    /// Returns the dimensions of some combinations as columns.
    pub(crate) fn columns(&self, ids: &[u32]) -> Result<Vec<ArrayRef>> {
        let Some(converter) = &self.converter else {
            return Ok(Vec::new());
        };
        let rows = ids.iter().filter_map(|id| self.row(*id)).map(OwnedRow::row);
        Ok(converter.convert_rows(rows)?)
    }
}

/// Makes a converter of rows that sort by value, nulls last.
pub(crate) fn row_converter(types: &[DataType]) -> Result<RowConverter> {
    let options = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let fields = types
        .iter()
        .map(|ty| SortField::new_with_options(ty.clone(), options))
        .collect();
    Ok(RowConverter::new(fields)?)
}

pub(crate) fn too_many(found: usize) -> Error {
    Error::new(
        ErrorKind::ResourceExhausted,
        format!(
            "the result would have more than {MAX_CELLS} cells of period and combination of dimensions ({found} so \
             far); take a longer grain, a shorter range, fewer dimensions, a filter, or `top`"
        ),
    )
}

/// Values for some positions and combinations; all others have none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sparse {
    pub(crate) ids: Vec<u32>,
    pub(crate) positions: Vec<u32>,
    pub(crate) columns: Vec<ArrayRef>,
}

impl Sparse {
    /// Reads the result of a [`ScanRequest`].
    pub(crate) fn read(
        table: &Table,
        dimensions: usize,
        combinations: &mut Combinations,
    ) -> Result<Sparse> {
        let mut sparse = Sparse::default();
        let schema = table.schema();
        let fields = schema.fields().iter().skip(1 + dimensions);
        let mut parts: Vec<Vec<ArrayRef>> = fields
            .map(|f| vec![new_empty_array(f.data_type())])
            .collect();
        for batch in table.batches() {
            let columns = batch.columns();
            let positions = cast(batch.column(0), &DataType::Int32)?;
            let positions =
                arrow::array::AsArray::as_primitive::<arrow::datatypes::Int32Type>(&positions);
            let dims = columns.get(1..=dimensions).unwrap_or_default();
            sparse.ids.extend(combinations.ids(dims, batch.num_rows())?);
            sparse
                .positions
                .extend(positions.values().iter().map(|p| *p as u32));
            if sparse.ids.len() > MAX_CELLS {
                return Err(too_many(sparse.ids.len()));
            }
            for (i, column) in columns.iter().skip(1 + dimensions).enumerate() {
                if let Some(part) = parts.get_mut(i) {
                    part.push(Arc::clone(column));
                }
            }
        }
        for part in parts {
            let refs: Vec<&dyn Array> = part.iter().map(|a| &**a).collect();
            sparse.columns.push(arrow::compute::concat(&refs)?);
        }
        Ok(sparse)
    }
}

/// Reads a column as text, for the values that are kept.
pub(crate) fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>> {
    let column = cast(column, &DataType::Utf8)?;
    let column: &StringArray = arrow::array::AsArray::as_string(&column);
    Ok(column.iter().map(|v| v.map(str::to_owned)).collect())
}
