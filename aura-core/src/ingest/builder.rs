//! Builds the canonical batch of one block, row by row, from typed values.

#![allow(
    unsafe_code,
    reason = "the parts of a column are made here and checked once for a block, not once for a value"
)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Date32Array, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, SchemaRef};

use super::block::{Misfit, Origin, ParsedBlock};
use super::plan::ReadPlan;
use super::value::cut;
use super::{Limits, Reject, RejectReason};

/// Positions of the roles in the canonical schema. Properties follow from [`FIRST_PROPERTY`] on in the
/// order of the plan, and `extra` is last.
pub(crate) const EVENT_ID: usize = 0;
pub(crate) const ACTOR: usize = 1;
pub(crate) const EVENT: usize = 2;
pub(crate) const TIME: usize = 3;
pub(crate) const FIRST_PROPERTY: usize = 4;

/// Why a row is rejected, before it is known which row that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: RejectReason,
    /// The column or key at fault, if it is one.
    pub(crate) field: Option<String>,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(reason: RejectReason, message: impl Into<String>) -> Self {
        Fault {
            reason,
            field: None,
            message: message.into(),
        }
    }

    #[must_use]
    pub(crate) fn with_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Makes the reject, given where the row is and what it was.
    pub(crate) fn into_reject(
        self,
        source: &Arc<str>,
        row: u64,
        original: &[u8],
        limits: &Limits,
    ) -> Reject {
        let kept = original.len().min(limits.max_original_bytes);
        Reject {
            source: Arc::clone(source),
            row,
            field: self.field,
            reason: self.reason,
            message: self.message,
            original: original[..kept].to_vec(),
            original_len: original.len() as u64,
        }
    }
}

/// Builds a [`ParsedBlock`]. Values of a row are appended in any order, each column at most once;
/// [`end_row`](Self::end_row) keeps them, and columns that got none are null; [`reject`](Self::reject)
/// takes them back.
///
/// Columns are named by their position in [`ReadPlan::schema`]. A value appended to a column of another
/// type is dropped, and the column is null in that row.
#[derive(Debug)]
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<Column>,
    /// Whole rows.
    rows: usize,
    /// Length of the text of `extra` after the whole rows; longer means that the row has an open object.
    extra_start: usize,
    overflow: bool,
    origins: Vec<Origin>,
    misfits: Vec<Misfit>,
    /// Number of misfits that belong to whole rows.
    kept_misfits: usize,
    rejects: Vec<Reject>,
}

/// The values of a column up to the last row that has one: rows without value are filled with null when
/// the next value or the end comes, so that they cost nothing while the block is read.
#[derive(Debug)]
struct Column {
    values: Values,
    /// Number of values, of whatever type: a number of its own, because asking the type for it in each
    /// append costs a third of the time of reading a row.
    len: usize,
    /// Ranges of rows that are null.
    nulls: Vec<(u32, u32)>,
}

#[derive(Debug)]
enum Values {
    Text { text: String, ends: Vec<i32> },
    Integer(Vec<i64>),
    Time(Vec<i64>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
    Date(Vec<i32>),
}

impl Column {
    fn new(ty: &DataType, rows: usize) -> Self {
        let values = match ty {
            DataType::Int64 => Values::Integer(Vec::with_capacity(rows)),
            DataType::Timestamp(..) => Values::Time(Vec::with_capacity(rows)),
            DataType::Float64 => Values::Number(Vec::with_capacity(rows)),
            DataType::Boolean => Values::Boolean(Vec::with_capacity(rows)),
            DataType::Date32 => Values::Date(Vec::with_capacity(rows)),
            _ => {
                let mut ends = Vec::with_capacity(rows + 1);
                ends.push(0);
                Values::Text {
                    text: String::new(),
                    ends,
                }
            }
        };
        Column {
            values,
            len: 0,
            nulls: Vec::new(),
        }
    }

    #[cold]
    fn fill(&mut self, rows: usize) {
        self.nulls.push((self.len as u32, rows as u32));
        self.len = rows;
        match &mut self.values {
            Values::Text { text, ends } => ends.resize(rows + 1, text.len() as i32),
            Values::Integer(v) | Values::Time(v) => v.resize(rows, 0),
            Values::Number(v) => v.resize(rows, 0.0),
            Values::Boolean(v) => v.resize(rows, false),
            Values::Date(v) => v.resize(rows, 0),
        }
    }

    fn truncate(&mut self, rows: usize) {
        self.len = self.len.min(rows);
        match &mut self.values {
            Values::Text { text, ends } => {
                ends.truncate(rows + 1);
                text.truncate(ends.last().map_or(0, |&e| e as usize));
            }
            Values::Integer(v) | Values::Time(v) => v.truncate(rows),
            Values::Number(v) => v.truncate(rows),
            Values::Boolean(v) => v.truncate(rows),
            Values::Date(v) => v.truncate(rows),
        }
    }

    fn finish(mut self, rows: usize) -> ArrayRef {
        if self.len < rows {
            self.fill(rows);
        }
        let nulls = (!self.nulls.is_empty()).then(|| {
            let mut bits = BooleanBufferBuilder::new(rows);
            let mut at = 0;
            for &(start, end) in &self.nulls {
                bits.append_n(start as usize - at, true);
                bits.append_n((end - start) as usize, false);
                at = end as usize;
            }
            bits.append_n(rows - at, true);
            NullBuffer::new(bits.finish())
        });
        match self.values {
            Values::Text { text, ends } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                let bytes = Buffer::from_vec(text.into_bytes());
                // SAFETY: the bytes come from a `String`, and each offset is a length that this `String` had
                // after a whole value: offsets ascend, end within it and lie on character boundaries.
                Arc::new(unsafe { StringArray::new_unchecked(offsets, bytes, nulls) })
            }
            Values::Integer(v) => Arc::new(Int64Array::new(v.into(), nulls)),
            Values::Time(v) => {
                Arc::new(TimestampMicrosecondArray::new(v.into(), nulls).with_timezone("UTC"))
            }
            Values::Number(v) => Arc::new(Float64Array::new(v.into(), nulls)),
            Values::Boolean(v) => Arc::new(BooleanArray::new(v.into(), nulls)),
            Values::Date(v) => Arc::new(Date32Array::new(v.into(), nulls)),
        }
    }
}

impl BatchBuilder {
    /// Makes a builder for blocks of about `rows` rows.
    pub(crate) fn new(plan: &ReadPlan, rows: usize) -> Self {
        // A guess about rows must not cost memory in a wide table.
        let reserved = rows.min((1 << 20) / plan.schema.fields().len().max(1));
        let columns = plan
            .schema
            .fields()
            .iter()
            .map(|f| Column::new(f.data_type(), reserved))
            .collect();
        BatchBuilder {
            schema: Arc::clone(&plan.schema),
            columns,
            rows: 0,
            extra_start: 0,
            overflow: false,
            origins: Vec::with_capacity(rows),
            misfits: Vec::new(),
            kept_misfits: 0,
            rejects: Vec::new(),
        }
    }

    /// Returns the column with every row before the current one filled.
    #[inline]
    fn column(&mut self, column: usize) -> Option<&mut Column> {
        let column = self.columns.get_mut(column)?;
        if column.len < self.rows {
            column.fill(self.rows);
        }
        Some(column)
    }

    /// Appends to a column of type string or json, or to a role that is text.
    #[inline]
    pub(crate) fn append_text(&mut self, column: usize, value: &str) {
        if let Some(Column {
            values: Values::Text { text, ends },
            len,
            ..
        }) = self.column(column)
        {
            let fits = text.len() + value.len() <= i32::MAX as usize;
            if fits {
                text.push_str(value);
            }
            ends.push(text.len() as i32);
            *len += 1;
            self.overflow |= !fits;
        }
    }

    /// Appends to a column of type integer.
    #[inline]
    pub(crate) fn append_integer(&mut self, column: usize, value: i64) {
        if let Some(Column {
            values: Values::Integer(values),
            len,
            ..
        }) = self.column(column)
        {
            values.push(value);
            *len += 1;
        }
    }

    /// Appends UTC microseconds to a column of type timestamp, or to the time.
    #[inline]
    pub(crate) fn append_time(&mut self, column: usize, micros: i64) {
        if let Some(Column {
            values: Values::Time(values),
            len,
            ..
        }) = self.column(column)
        {
            values.push(micros);
            *len += 1;
        }
    }

    /// Appends to a column of type number.
    #[inline]
    pub(crate) fn append_number(&mut self, column: usize, value: f64) {
        if let Some(Column {
            values: Values::Number(values),
            len,
            ..
        }) = self.column(column)
        {
            values.push(value);
            *len += 1;
        }
    }

    /// Appends to a column of type boolean.
    #[inline]
    pub(crate) fn append_boolean(&mut self, column: usize, value: bool) {
        if let Some(Column {
            values: Values::Boolean(values),
            len,
            ..
        }) = self.column(column)
        {
            values.push(value);
            *len += 1;
        }
    }

    /// Appends days since 1970 to a column of type date.
    #[inline]
    pub(crate) fn append_date(&mut self, column: usize, days: i32) {
        if let Some(Column {
            values: Values::Date(values),
            len,
            ..
        }) = self.column(column)
        {
            values.push(days);
            *len += 1;
        }
    }

    /// Returns whether `column` has a value in the current row.
    #[inline]
    pub(crate) fn is_set(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|c| c.len > self.rows)
    }

    /// Records that `found` does not have the type of the column, which stays null. The caller keeps
    /// the value itself with [`push_extra`](Self::push_extra).
    #[cold]
    pub(crate) fn push_misfit(&mut self, column: usize, found: &str) {
        self.misfits.push(Misfit {
            row: self.rows as u32,
            column: column as u32,
            found: cut(found),
        });
    }

    /// Adds a member to `extra`: a key in quotes and a value, both JSON text.
    #[inline]
    pub(crate) fn push_extra(&mut self, key_json: &str, value_json: &str) {
        let (start, last) = (self.extra_start, self.columns.len() - 1);
        if let Some(Column {
            values: Values::Text { text, .. },
            ..
        }) = self.column(last)
        {
            // Opening brace or comma, colon, closing brace.
            if text.len() + key_json.len() + value_json.len() + 3 > i32::MAX as usize {
                self.overflow = true;
                return;
            }
            text.push(if text.len() == start { '{' } else { ',' });
            text.push_str(key_json);
            text.push(':');
            text.push_str(value_json);
        }
    }

    /// Ends the row. Columns without value are null in it.
    ///
    /// # Errors
    /// If a role other than the event id has no value, or a column grew beyond 2 GiB; the row is still open then, and
    /// is to be rejected.
    #[inline]
    pub(crate) fn end_row(&mut self, origin: Origin) -> Result<(), Fault> {
        if self.overflow {
            return Err(Fault::new(
                RejectReason::TooLong,
                "a column of this block of rows would exceed 2 GiB; make `block_bytes` smaller",
            ));
        }
        if let Some(role) = [ACTOR, EVENT, TIME].into_iter().find(|&r| !self.is_set(r)) {
            let name = self.schema.field(role).name();
            return Err(
                Fault::new(RejectReason::MissingRole, format!("the row has no {name}"))
                    .with_field(name),
            );
        }
        if let Some(Column {
            values: Values::Text { text, ends },
            len,
            ..
        }) = self.columns.last_mut()
            && text.len() > self.extra_start
        {
            text.push('}');
            ends.push(text.len() as i32);
            *len += 1;
            self.extra_start = text.len();
        }
        self.rows += 1;
        self.kept_misfits = self.misfits.len();
        self.origins.push(origin);
        Ok(())
    }

    /// Takes back what was appended since the last whole row.
    pub(crate) fn roll_back(&mut self) {
        self.overflow = false;
        for column in &mut self.columns {
            column.truncate(self.rows);
        }
        self.misfits.truncate(self.kept_misfits);
    }

    /// Takes back the open row, if there is one, and records why.
    #[cold]
    pub(crate) fn reject(&mut self, reject: Reject) {
        self.roll_back();
        self.rejects.push(reject);
    }

    /// Returns the block. A row that was not ended is dropped.
    pub(crate) fn finish(mut self) -> crate::Result<ParsedBlock> {
        self.roll_back();
        let rows = self.rows;
        let rows_read = (rows + self.rejects.len()) as u64;
        let arrays = self.columns.into_iter().map(|c| c.finish(rows)).collect();
        let batch = RecordBatch::try_new(self.schema, arrays)?;
        let mut misfits = self.misfits;
        misfits.sort_by_key(|m| (m.row, m.column));
        Ok(ParsedBlock {
            batch,
            origins: self.origins,
            misfits,
            rejects: self.rejects,
            rows_read,
        })
    }
}

/// Returns `text` as JSON text, in quotes.
pub(crate) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
