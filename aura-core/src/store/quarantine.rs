//! The table of rejected rows.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Int64Type, Schema, SchemaRef};

use super::Store;
use super::catalog::read::{self, DataFile};
use super::catalog::table::NewColumn;
use super::ids::{IdHasher, Pending};
use super::staging;
use crate::Result;
use crate::engine::Table;
use crate::event::PropertyType;
use crate::ingest::Reject;

/// The column that says when a row was rejected.
pub(super) const REJECTED_AT: &str = "rejected_at";

const COLUMNS: [(&str, PropertyType); 8] = [
    ("source", PropertyType::String),
    ("row", PropertyType::Integer),
    ("field", PropertyType::String),
    ("reason", PropertyType::String),
    ("message", PropertyType::String),
    ("original", PropertyType::String),
    ("original_len", PropertyType::Integer),
    (REJECTED_AT, PropertyType::Timestamp),
];

/// The columns of the table.
pub(crate) fn columns() -> Vec<NewColumn> {
    COLUMNS
        .iter()
        .map(|(name, ty)| NewColumn {
            name: (*name).to_owned(),
            ty: *ty,
            nullable: true,
        })
        .collect()
}

/// Makes the rows of the table. Originals that are not UTF-8 are kept as `base16:` and hexadecimal
/// digits, so that no byte is lost and every reader can open the file.
pub(crate) fn batch(rejects: &[Reject], now_us: i64, schema: &SchemaRef) -> Result<RecordBatch> {
    let text = |f: fn(&Reject) -> Option<&str>| -> StringArray { rejects.iter().map(f).collect() };
    let originals: StringArray = rejects
        .iter()
        .map(|r| Some(printable(&r.original)))
        .collect();
    let int = |f: fn(&Reject) -> u64| -> Int64Array {
        rejects.iter().map(|r| i64::try_from(f(r)).ok()).collect()
    };
    let times = TimestampMicrosecondArray::from_value(now_us, rejects.len()).with_timezone("UTC");
    Ok(RecordBatch::try_new(
        Arc::clone(schema),
        vec![
            Arc::new(text(|r| Some(&r.source))),
            Arc::new(int(|r| r.row)),
            Arc::new(text(|r| r.field.as_deref())),
            Arc::new(text(|r| Some(r.reason.code()))),
            Arc::new(text(|r| Some(&r.message))),
            Arc::new(originals),
            Arc::new(int(|r| r.original_len)),
            Arc::new(times),
        ],
    )?)
}

fn printable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            use std::fmt::Write;
            let mut out = String::with_capacity(7 + 2 * bytes.len());
            out.push_str("base16:");
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out
        }
    }
}

/// Returns where a file of the quarantine is, below its directory.
pub(super) fn path_of(file: &DataFile) -> &str {
    let path = &file.path.path;
    path.strip_prefix("quarantine/").unwrap_or(path)
}

/// Hashes what tells rejected rows apart: all columns but the message and the time. The batch has the
/// columns of [`COLUMNS`].
pub(super) fn identities(hasher: IdHasher, batch: &RecordBatch) -> Vec<u128> {
    let mut key = Vec::new();
    (0..batch.num_rows())
        .map(|row| {
            key.clear();
            for (column, (name, _)) in batch.columns().iter().zip(COLUMNS) {
                if column.is_null(row) || matches!(name, "message" | REJECTED_AT) {
                    key.push(0);
                } else if let Some(text) = column.as_string_opt::<i32>() {
                    let text = text.value(row);
                    key.push(1);
                    key.extend_from_slice(&(text.len() as u64).to_le_bytes());
                    key.extend_from_slice(text.as_bytes());
                } else if let Some(number) = column.as_primitive_opt::<Int64Type>() {
                    key.push(2);
                    key.extend_from_slice(&number.value(row).to_le_bytes());
                }
            }
            hasher.hash(&key)
        })
        .collect()
}

/// Leaves out the rejected rows that the store has already, and notes the others.
pub(super) fn unknown(
    hasher: IdHasher,
    ids: &mut Pending,
    batch: &RecordBatch,
) -> Result<RecordBatch> {
    let mut known = Vec::new();
    ids.insert_batch(&identities(hasher, &plain(batch)?), &mut known)?;
    let keep = known.into_iter().map(|k| Some(!k)).collect();
    Ok(arrow::compute::filter_record_batch(batch, &keep)?)
}

impl Store {
    /// Returns the rejected rows, in the order in which they came.
    ///
    /// A row that is rejected again, from the same source, at the same place and for the same reason,
    /// is there once. [`expire`](Self::expire) drops old ones.
    ///
    /// **Shapes**: `source` text, `row` int64 (line or row number from 1), `field` text or null,
    /// `reason` text (code), `message` text, `original` text (`base16:…` where it was no UTF-8),
    /// `original_len` int64 (bytes before cutting), `rejected_at` timestamp (UTC microseconds).
    ///
    /// # Errors
    /// `InvalidData` when a file of the quarantine cannot be read.
    pub async fn quarantine(&self) -> Result<Table> {
        self.blocking(|shared, _, conn| {
            let tx = conn.unchecked_transaction()?;
            let state = read::load_table(&tx, super::QUARANTINE, None, &[])?;
            let staged = staging::read(
                &tx,
                Some(super::QUARANTINE),
                staging::flushed_seq(&tx)?,
                u64::MAX,
            )?;
            tx.commit()?;
            let mut batches = Vec::new();
            for file in &state.files {
                let file = shared.quarantine.open(path_of(file))?;
                let reader =
                    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)?
                        .build()?;
                for batch in reader {
                    batches.push(plain(&batch?)?);
                }
            }
            for staged in staged {
                batches.push(plain(&staged.batch)?);
            }
            Ok(Table::new(plain_schema(), batches))
        })
        .await
    }
}

fn plain_schema() -> SchemaRef {
    let fields = COLUMNS
        .iter()
        .map(|(name, ty)| Field::new(*name, ty.arrow_type(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Brings a batch of the quarantine, wherever it was stored, to the columns of [`COLUMNS`].
pub(super) fn plain(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = plain_schema()
        .fields()
        .iter()
        .map(|f| match batch.column_by_name(f.name()) {
            Some(column) => Ok(arrow::compute::cast(column, f.data_type())?),
            None => Ok(arrow::array::new_null_array(
                f.data_type(),
                batch.num_rows(),
            )),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(plain_schema(), columns)?)
}
