//! Arrow tables of any shape to canonical batches.

mod convert;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;

use convert::{convert, empty_to_null, text};

use super::block::{Misfit, Origin, ParsedBlock};
use super::plan::ReadPlan;
use super::times::to_micros;
use super::{Limits, Reject, RejectReason};
use crate::event::PropertyType;
use crate::{Error, Result};

/// Most rows that are brought into canonical form at once. A batch of any number of rows can be a few bytes (nulls,
/// runs, dictionaries), but what becomes of it is as large as its rows are many.
pub(crate) const PIECE_ROWS: usize = 32_768;

/// The property type that a column of an Arrow table becomes; `None` for a column of nulls.
///
/// Unsigned 64-bit integers become integers (values beyond 63 bits are kept in `extra`), decimals of
/// up to 15 digits numbers and longer ones text, binary data text in hexadecimal, nested values JSON,
/// timestamps without a zone text in ISO form unless `has_zone` says that a zone is stated.
pub(crate) fn property_type(ty: &DataType, has_zone: bool) -> Option<PropertyType> {
    Some(match ty {
        DataType::Null => return None,
        DataType::Boolean => PropertyType::Boolean,
        t if t.is_integer() => PropertyType::Integer,
        t if t.is_floating() => PropertyType::Number,
        DataType::Decimal128(digits, _) if *digits <= 15 => PropertyType::Number,
        DataType::Date32 | DataType::Date64 => PropertyType::Date,
        DataType::Timestamp(_, Some(_)) => PropertyType::Timestamp,
        DataType::Timestamp(_, None) if has_zone => PropertyType::Timestamp,
        DataType::Dictionary(_, value) => return property_type(value, has_zone),
        t if t.is_nested() => PropertyType::Json,
        _ => PropertyType::String,
    })
}

/// Lists the columns of a table that a plan may read as properties, in order.
pub(crate) fn property_columns(schema: &Schema, has_zone: bool) -> Vec<(String, PropertyType)> {
    schema
        .fields()
        .iter()
        .filter_map(|f| Some((f.name().clone(), property_type(f.data_type(), has_zone)?)))
        .collect()
}

/// Refuses a table of which two columns have one name: only the first could be asked for.
///
/// # Errors
/// `InvalidData` with the name.
pub(crate) fn check_names(source: &str, schema: &Schema) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match schema.fields().iter().find(|f| !seen.insert(f.name())) {
        None => Ok(()),
        Some(field) => Err(Error::invalid_data(format!(
            "{source}: the column `{}` is there twice; give one of them another name",
            field.name()
        ))),
    }
}

/// Refuses a table of more columns than `max_columns`.
///
/// # Errors
/// `InvalidData` with both numbers.
pub(crate) fn check_width(source: &str, schema: &Schema, limits: &Limits) -> Result<()> {
    let (found, most) = (schema.fields().len(), limits.max_columns);
    if found > most {
        return Err(Error::invalid_data(format!(
            "{source}: the table has {found} columns; at most {most} are read (limit `max_columns`)"
        )));
    }
    Ok(())
}

/// Brings one batch of a table, of at most [`PIECE_ROWS`] rows, into canonical form.
///
/// # Errors
/// `InvalidData` or `InvalidSpec` when the type of a role column cannot hold its role. Single bad
/// rows become rejects.
pub(crate) fn normalize(
    batch: &RecordBatch,
    plan: &ReadPlan,
    limits: &Limits,
    source: &Arc<str>,
    first_row: u64,
) -> Result<ParsedBlock> {
    let rows = batch.num_rows();
    let column = |key: &str| batch.column_by_name(key);
    let role = |key: &str, role: &str| {
        column(key).ok_or_else(|| {
            Error::invalid_data(format!(
                "{source}: the column `{key}`, which is the {role}, is missing"
            ))
        })
    };

    // The first fault of a row, by role.
    let mut faults: BTreeMap<usize, (String, RejectReason, String)> = BTreeMap::new();
    let mut fault = |row: usize, field: &str, reason: RejectReason, message: String| {
        faults
            .entry(row)
            .or_insert_with(|| (field.to_owned(), reason, message));
    };

    let named = |e: Error| Error::new(e.kind(), format!("{source}: {}", e.message()));
    let actor = text(role(&plan.actor, "actor")?).map_err(named)?;
    let event = match (&plan.event, &plan.event_name) {
        (Some(key), _) => text(role(key, "event")?).map_err(named)?,
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            StringArray::from_iter_values(std::iter::repeat_n(name, rows))
        }
    };
    for (values, key, what) in [
        (&actor, plan.actor.as_str(), "actor"),
        (
            &event,
            plan.event.as_deref().unwrap_or("event_name"),
            "event",
        ),
    ] {
        for row in 0..rows {
            if values.is_null(row) || values.value(row).is_empty() {
                let found = if values.is_null(row) { "null" } else { "empty" };
                fault(
                    row,
                    key,
                    RejectReason::MissingRole,
                    format!("the {what} (`{key}`) is {found}"),
                );
            }
        }
    }
    let times = to_micros(
        &plan.time,
        role(&plan.time, "time")?,
        plan.time_zone.as_ref(),
        plan.time_unit,
    )
    .map_err(named)?;
    for (row, message) in &times.bad {
        fault(
            *row,
            &plan.time,
            RejectReason::InvalidTime,
            format!("the time (`{}`): {message}", plan.time),
        );
    }
    if times.values.null_count() > 0 {
        for row in 0..rows {
            if times.values.is_null(row) {
                let message = format!("the time (`{}`) is null", plan.time);
                fault(row, &plan.time, RejectReason::MissingRole, message);
            }
        }
    }
    let event_id = match plan.event_id.as_deref().and_then(column) {
        Some(array) => empty_to_null(text(array)?),
        None => StringArray::new_null(rows),
    };

    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(event_id),
        Arc::new(actor),
        Arc::new(event),
        Arc::new(times.values),
    ];
    let mut extra = Extra::new(rows);
    let mut misfits: Vec<(usize, usize, String)> = Vec::new();
    for property in &plan.properties {
        let at = columns.len();
        match column(&property.key) {
            None => columns.push(arrow::array::new_null_array(
                &property.ty.arrow_type(),
                rows,
            )),
            Some(array) => {
                let (converted, lost) = convert(&property.key, array, property.ty, plan)?;
                for row in lost {
                    let value = json_value(array, row);
                    misfits.push((row, at, shortened(&value)));
                    extra.put(row, &property.key, &value);
                }
                columns.push(converted);
            }
        }
    }
    let used = |name: &str| {
        name == plan.actor
            || name == plan.time
            || plan.event.as_deref() == Some(name)
            || plan.event_id.as_deref() == Some(name)
            || plan.properties.iter().any(|p| p.key == name)
    };
    for (at, field) in batch.schema().fields().iter().enumerate() {
        if !used(field.name()) && batch.column(at).null_count() < rows {
            let array = batch.column(at);
            for row in 0..rows {
                if array.is_valid(row) {
                    extra.put(row, field.name(), &json_value(array, row));
                }
            }
        }
    }
    columns.push(extra.finish());

    let origin = |row: usize| Origin {
        row: first_row + row as u64,
        start: 0,
        end: 0,
    };
    misfits.sort_by_key(|m| (m.0, m.1));
    if faults.is_empty() {
        return Ok(ParsedBlock {
            batch: RecordBatch::try_new(Arc::clone(&plan.schema), columns)?,
            origins: (0..rows).map(origin).collect(),
            misfits: misfits
                .into_iter()
                .map(|(row, column, found)| Misfit {
                    row: row as u32,
                    column: column as u32,
                    found,
                })
                .collect(),
            rejects: Vec::new(),
            rows_read: rows as u64,
        });
    }

    let mut rejects = Vec::new();
    let mut kept_as = vec![u32::MAX; rows];
    let mut origins = Vec::new();
    for (row, kept) in kept_as.iter_mut().enumerate() {
        match faults.remove(&row) {
            None => {
                *kept = origins.len() as u32;
                origins.push(origin(row));
            }
            Some((field, reason, message)) => {
                rejects.push(row_reject(
                    batch, row, limits, source, first_row, field, reason, message,
                ));
            }
        }
    }
    let keep: BooleanArray = kept_as.iter().map(|k| Some(*k != u32::MAX)).collect();
    // The faulty rows go before the batch is made: its roles are declared not to be null.
    let columns = columns
        .iter()
        .map(|column| filter(column, &keep))
        .collect::<Result<_, _>>()?;
    Ok(ParsedBlock {
        batch: RecordBatch::try_new(Arc::clone(&plan.schema), columns)?,
        origins,
        misfits: misfits
            .into_iter()
            .filter(|(row, ..)| kept_as[*row] != u32::MAX)
            .map(|(row, column, found)| Misfit {
                row: kept_as[row],
                column: column as u32,
                found,
            })
            .collect(),
        rejects,
        rows_read: rows as u64,
    })
}

#[allow(
    clippy::too_many_arguments,
    reason = "one call site's worth of context for one reject"
)]
fn row_reject(
    batch: &RecordBatch,
    row: usize,
    limits: &Limits,
    source: &Arc<str>,
    first_row: u64,
    field: String,
    reason: RejectReason,
    message: String,
) -> Reject {
    let mut original = row_json(batch, row);
    let original_len = original.len() as u64;
    original.truncate(limits.max_original_bytes);
    Reject {
        source: Arc::clone(source),
        row: first_row + row as u64,
        field: Some(field),
        reason,
        message,
        original,
        original_len,
    }
}

/// One row of a table as a JSON object: the "original bytes" of a row that never was text.
pub(crate) fn row_json(batch: &RecordBatch, row: usize) -> Vec<u8> {
    let mut text = String::from("{");
    for (at, field) in batch.schema().fields().iter().enumerate() {
        if batch.column(at).is_valid(row) {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&quoted(field.name()));
            text.push(':');
            text.push_str(&json_value(batch.column(at), row));
        }
    }
    text.push('}');
    text.into_bytes()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn shortened(value: &str) -> String {
    value.chars().take(100).collect()
}

/// One value as JSON text. What JSON has no form for (not-a-number, bytes) becomes a JSON string.
pub(crate) fn json_value(array: &ArrayRef, row: usize) -> String {
    let one = array.slice(row, 1);
    let field = arrow::datatypes::Field::new("v", array.data_type().clone(), true);
    let schema = Arc::new(Schema::new(vec![field]));
    let mut out = Vec::new();
    let written = RecordBatch::try_new(schema, vec![Arc::clone(&one)]).and_then(|batch| {
        let mut writer = arrow::json::LineDelimitedWriter::new(&mut out);
        writer.write(&batch)?;
        writer.finish()
    });
    let text = String::from_utf8_lossy(&out);
    match text
        .trim_end()
        .strip_prefix("{\"v\":")
        .and_then(|t| t.strip_suffix('}'))
    {
        Some(value) if written.is_ok() && value != "null" => value.to_owned(),
        _ => {
            let shown = arrow::util::display::array_value_to_string(&one, 0).unwrap_or_default();
            quoted(&shown)
        }
    }
}

/// Collects the `extra` objects of a table, of which most rows have none.
struct Extra {
    rows: Vec<Option<String>>,
    used: bool,
}

impl Extra {
    fn new(rows: usize) -> Self {
        Extra {
            rows: vec![None; rows],
            used: false,
        }
    }

    fn put(&mut self, row: usize, key: &str, value: &str) {
        self.used = true;
        let text = self.rows[row].get_or_insert_with(|| "{".to_owned());
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&quoted(key));
        text.push(':');
        text.push_str(value);
    }

    fn finish(self) -> ArrayRef {
        if !self.used {
            return Arc::new(StringArray::new_null(self.rows.len()));
        }
        let closed = self.rows.into_iter().map(|r| r.map(|t| t + "}"));
        Arc::new(closed.collect::<StringArray>())
    }
}
