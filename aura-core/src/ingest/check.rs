//! A parsed block after its data contract was applied.

use std::sync::Arc;

use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;

use super::block::{Origin, ParsedBlock};
use super::tabular::row_json;
use super::{Limits, Reject, RejectReason};
use crate::event::contract::{CompiledContract, OnViolation};
use crate::{Error, Result};

/// The rows of a block that are accepted, and what became of the others.
#[derive(Debug)]
pub(crate) struct Checked {
    /// As in `ParsedBlock`.
    pub(crate) batch: RecordBatch,
    /// In the order of the source.
    pub(crate) rejects: Vec<Reject>,
    pub(crate) dropped: u64,
    pub(crate) rows_read: u64,
}

impl Checked {
    /// Refuses a source of whose first rows none has a time with a zone, where none is stated: all would
    /// be rejected for one option that is missing. A typed column without zone is refused in the same way.
    ///
    /// # Errors
    /// `InvalidSpec`.
    pub(crate) fn refuse_naive(&self) -> Result<()> {
        match self.rejects.first() {
            Some(first) if self.rejects.len() as u64 == self.rows_read => {
                if !self.rejects.iter().all(lacks_zone) {
                    return Ok(());
                }
                Err(Error::invalid_spec(format!(
                    "{}: no time carries a zone (row {}: {}); state the zone of its times with `time_zone` (for example \"UTC\" or \"Europe/Berlin\")",
                    first.source,
                    first.row,
                    first.message.trim_end_matches("; state `time_zone`"),
                )))
            }
            _ => Ok(()),
        }
    }

    /// Applies a contract, if there is one. `original` gives the bytes of a row, where the source
    /// was text.
    pub(crate) fn new<'a>(
        parsed: ParsedBlock,
        contract: Option<&CompiledContract>,
        source: &Arc<str>,
        limits: &Limits,
        original: impl Fn(&Origin) -> Option<&'a [u8]>,
    ) -> Result<Checked> {
        let ParsedBlock {
            batch,
            origins,
            misfits,
            mut rejects,
            rows_read,
        } = parsed;
        let violations = match contract {
            Some(contract) => contract.check(&batch, &misfits)?,
            None => Vec::new(),
        };
        if violations.iter().all(|v| v.action == OnViolation::Accept) {
            return Ok(Checked {
                batch,
                rejects,
                dropped: 0,
                rows_read,
            });
        }
        let mut keep = vec![true; batch.num_rows()];
        let mut dropped = 0;
        for faults in violations.chunk_by(|a, b| a.row == b.row) {
            // The strictest action counts, and of several faults with it the first.
            let worst = faults
                .iter()
                .rev()
                .max_by_key(|v| v.action)
                .filter(|v| v.action > OnViolation::Accept);
            let (Some(fault), Some(origin)) = (
                worst,
                faults.first().and_then(|v| origins.get(v.row as usize)),
            ) else {
                continue;
            };
            let row = fault.row as usize;
            if let Some(keep) = keep.get_mut(row) {
                *keep = false;
            }
            if fault.action == OnViolation::Drop {
                dropped += 1;
                continue;
            }
            let mut bytes = match original(origin) {
                Some(bytes) => bytes.to_vec(),
                None => row_json(&batch, row),
            };
            let original_len = bytes.len() as u64;
            bytes.truncate(limits.max_original_bytes);
            rejects.push(Reject {
                source: Arc::clone(source),
                row: origin.row,
                field: fault.property.clone(),
                reason: RejectReason::Contract,
                message: fault.message.clone(),
                original: bytes,
                original_len,
            });
        }
        rejects.sort_by_key(|r| r.row);
        let keep = keep.into_iter().map(Some).collect();
        Ok(Checked {
            batch: filter_record_batch(&batch, &keep)?,
            rejects,
            dropped,
            rows_read,
        })
    }
}

/// Whether a row was rejected because its time carries no zone and none is stated.
fn lacks_zone(reject: &Reject) -> bool {
    reject.reason == RejectReason::InvalidTime
        && reject.message.ends_with("has no zone; state `time_zone`")
}
