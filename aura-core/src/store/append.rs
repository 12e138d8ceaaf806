//! Appending batches: durable when it returns, many callers to one fsync.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::ids::ChainHasher;
use super::writer::{AppendJob, closed};
use super::{Store, quarantine, rows, staging};
use crate::event::EVENT_ID;
use crate::ingest::check::Checked;
use crate::ingest::plan_of::{Available, plan};
use crate::ingest::tabular::{PIECE_ROWS, check_names, check_width, normalize, property_columns};
use crate::ingest::{IngestOptions, IngestReport, Limits, Reject};
use crate::{Error, ErrorKind, Result};

impl Store {
    /// Appends a batch whose roles have their usual names. It is on the disk when this returns.
    ///
    /// The same batch, or a row with the same event id, counts once however often it is sent. Rows
    /// without an id are recognised by the content of the batch up to and including them.
    ///
    /// Dropping the future does not take the batch back once it has been handed to the writer: it may
    /// be stored or not. Sent again, it counts once.
    ///
    /// # Errors
    /// `InvalidSpec` when a role has no column; `InvalidData` when a role column has an unfit type or
    /// two columns have one name;
    /// `ResourceExhausted` on a full disk, or when the rows take more memory than `max_held_bytes` and four times the
    /// batch. Nothing of the batch was stored then.
    pub async fn append(&self, batch: RecordBatch) -> Result<IngestReport> {
        self.append_with(batch, &IngestOptions::default()).await
    }

    /// Appends a batch with options (roles, contract, limits).
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub async fn append_with(
        &self,
        batch: RecordBatch,
        options: &IngestOptions,
    ) -> Result<IngestReport> {
        // Another process may add a column of the same name and another type in between; what it
        // added is read anew then.
        let mut attempts = 3;
        loop {
            attempts -= 1;
            match self.append_once(&batch, options).await {
                Err(e) if e.kind() == ErrorKind::Conflict && attempts > 0 => {}
                outcome => return outcome,
            }
        }
    }

    async fn append_once(
        &self,
        batch: &RecordBatch,
        options: &IngestOptions,
    ) -> Result<IngestReport> {
        let shared = &self.shared;
        let source: Arc<str> = Arc::from("append");
        options.limits.check()?;
        check_names(&source, &batch.schema())?;
        check_width(&source, &batch.schema(), &options.limits)?;
        let existing = shared.read(|conn| Ok(rows::properties(&shared.columns(conn)?)))?;
        let available = Available {
            keys: batch
                .schema()
                .fields()
                .iter()
                .map(|f| f.name().clone())
                .collect(),
            typed: property_columns(&batch.schema(), options.roles.time_zone.is_some()),
        };
        let (plan, contract) = plan(options, &available, &existing)?;
        let mut report = IngestReport {
            notes: plan.note(&source).into_iter().collect(),
            ..IngestReport::default()
        };
        let (mut parts, mut rejects) = (Vec::new(), Vec::new());
        let (mut chain, mut made_ids) = (ChainHasher::new(), true);
        let (mut held, most) = (0, most_held(batch, &options.limits));
        for first in (0..batch.num_rows().max(1)).step_by(PIECE_ROWS) {
            let piece = batch.slice(first, PIECE_ROWS.min(batch.num_rows() - first));
            let parsed = normalize(&piece, &plan, &options.limits, &source, first as u64 + 1)?;
            let checked =
                Checked::new(parsed, contract.as_ref(), &source, &options.limits, |_| {
                    None
                })?;
            if first == 0 {
                checked.refuse_naive()?;
            }
            let ids = checked.batch.column(0);
            made_ids &= ids.null_count() == ids.len();
            held += checked.batch.get_array_memory_size()
                + checked
                    .rejects
                    .iter()
                    .map(Reject::held_bytes)
                    .sum::<usize>();
            if held > most {
                return Err(Error::new(
                    ErrorKind::ResourceExhausted,
                    format!(
                        "append: the first {} of {} rows take more than {most} bytes in memory; append fewer rows at a time, use `ingest`, or raise the limit `max_held_bytes`",
                        first + piece.num_rows(),
                        batch.num_rows()
                    ),
                ));
            }
            report.read += checked.rows_read;
            report.dropped += checked.dropped;
            report.count_rejects(&checked.rejects, options.limits.max_rejects_returned);
            rejects.extend(checked.rejects);
            parts.push(with_ids(checked.batch, &mut chain)?);
        }
        let rows = match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                let schema = parts.first().map_or_else(|| batch.schema(), |p| p.schema());
                arrow::compute::concat_batches(&schema, &parts)?
            }
        };
        let rows = without_empty_columns(&rows, &existing)?;
        let hashes = shared.hasher.hash_all(rows.column(0).as_string::<i32>());
        let quarantine = if rejects.is_empty() {
            None
        } else {
            let now = shared.clock.now_us();
            Some(quarantine::batch(&rejects, now, &shared.quarantine_schema)?)
        };
        if rows.num_rows() == 0 && quarantine.is_none() {
            return Ok(report);
        }
        let properties = plan
            .properties
            .iter()
            .filter(|p| rows.column_by_name(&p.name).is_some())
            .map(|p| (p.name.clone(), p.ty))
            .collect();
        let (reply, answer) = tokio::sync::oneshot::channel();
        let accepted = rows.num_rows() as u64;
        self.threads.writer.append(AppendJob {
            properties,
            data: staging::encode(&rows)?,
            batch: rows,
            hashes,
            quarantine,
            reply,
        })?;
        let done = answer.await.map_err(|_| closed())??;
        report.duplicate = done.duplicate;
        report.accepted = accepted - done.duplicate;
        report.columns_added = done.columns_added;
        if made_ids {
            report
                .notes
                .extend(partly_known(&source, report.duplicate, report.accepted));
        }
        Ok(report)
    }
}

/// The note about a source without event ids of which some rows are known already: what follows a row that
/// was changed cannot be told from what was added.
pub(crate) fn partly_known(source: &str, known: u64, new: u64) -> Option<String> {
    (known > 0 && new > 0).then(|| {
        format!(
            "{source}: of the rows without an event id {known} were known already and {new} are new; that is right if the source has grown, but if a row in it was changed, the rows after it are now there twice: give such sources an `event_id`"
        )
    })
}

/// The bytes that an append may hold: `max_held_bytes`, or a few times what the caller holds itself.
fn most_held(batch: &RecordBatch, limits: &Limits) -> usize {
    let limit = usize::try_from(limits.max_held_bytes).unwrap_or(usize::MAX);
    limit.max(batch.get_array_memory_size().saturating_mul(4))
}

/// Gives the rows without an event id one, derived from their content and place.
pub(crate) fn with_ids(batch: RecordBatch, chain: &mut ChainHasher) -> Result<RecordBatch> {
    let ids = batch.column(0).as_string::<i32>();
    let ids: StringArray = if ids.null_count() == 0 {
        ids.clone()
    } else if ids.null_count() == ids.len() {
        chain.ids(&batch)?
    } else {
        let missing = arrow::compute::is_null(ids)?;
        let made = chain.ids(&arrow::compute::filter_record_batch(&batch, &missing)?)?;
        let mut made = made.iter();
        ids.iter()
            .map(|id| id.or_else(|| made.next().flatten()))
            .collect()
    };
    let mut columns = batch.columns().to_vec();
    if let Some(first) = columns.first_mut() {
        *first = Arc::new(ids);
    }
    let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
    if let Some(first) = fields.first_mut() {
        *first = Arc::new(Field::new(EVENT_ID, DataType::Utf8, false));
    }
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

/// Leaves out the property columns that have no value and that the store does not have either: a
/// column comes into being with its first value.
fn without_empty_columns(
    batch: &RecordBatch,
    existing: &[(String, crate::event::PropertyType)],
) -> Result<RecordBatch> {
    let kept: Vec<usize> = (0..batch.num_columns())
        .filter(|&at| {
            let schema = batch.schema();
            let name = schema.field(at).name();
            at < 4
                || at + 1 == batch.num_columns()
                || batch.column(at).null_count() < batch.num_rows()
                || existing.iter().any(|(n, _)| n == name)
        })
        .collect();
    Ok(batch.project(&kept)?)
}
